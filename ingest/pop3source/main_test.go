package pop3source

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"mailflume/ingest"
	"mailflume/pop3/pop3test"
	"mailflume/publish"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const ann = "ann@example.org"

// tokens is a TokenSource that gives out each value until it is refused.
type tokens struct {
	mu     sync.Mutex
	values []string
	asked  int
	ends   time.Time
}

func (t *tokens) Token(_ context.Context, refused string) (ingest.Token, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.asked++
	if refused != "" && len(t.values) > 1 && t.values[0] == refused {
		t.values = t.values[1:]
	}
	return ingest.Token{Value: t.values[0], Expires: t.ends}, nil
}

func start(t *testing.T, opt pop3test.Options) *pop3test.Server {
	t.Helper()
	srv, err := pop3test.Start(opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = srv.Close() })
	return srv
}

func fill(srv *pop3test.Server, n int) {
	for i := range n {
		srv.Add(ann, letter(i+1))
	}
}

func letter(n int) []byte {
	return fmt.Appendf(nil, "Subject: %d\r\n\r\n.dot\r\n..\r\nbare\nlf\r\n", n)
}

// source returns a Source of srv for all mail, changed by each of mod.
func source(t *testing.T, srv *pop3test.Server, mod ...func(*Options)) *Source {
	t.Helper()
	opt := Options{
		Endpoint: ingest.Endpoint{Addr: srv.Addr(), TLS: srv.ClientTLS()},
		Login:    ingest.Login{User: ann, Mechanism: ingest.XOAUTH2, Tokens: &tokens{values: []string{"good"}}},
		Start:    ingest.Start{All: true},
	}
	for _, m := range mod {
		m(&opt)
	}
	src, err := New(opt)
	if err != nil {
		t.Fatal(err)
	}
	return src
}

func deleting(o *Options) { o.After.Action = ingest.ActionDelete }
func fromNow(o *Options)  { o.Start = ingest.Start{} }

func open(t *testing.T, src *Source) ingest.Session {
	t.Helper()
	s, err := src.Open(t.Context())
	// The server may not have noticed yet that the session before was cut.
	for end := time.Now().Add(10 * time.Second); ingest.FaultOf(err).Code == ingest.CodeLocked && time.Now().Before(end); {
		<-time.After(time.Millisecond)
		s, err = src.Open(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func synced(t *testing.T, s ingest.Session, at ingest.Cursor) ingest.Cursor {
	t.Helper()
	c, err := s.Sync(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// got is one turn of a Messages loop.
type got struct {
	ref  ingest.Ref
	uidl string
	body string
	err  error // of the body or of the loop
}

func readAll(t *testing.T, s ingest.Session, at ingest.Cursor, limit int) (all []got) {
	t.Helper()
	for m, err := range s.Messages(t.Context(), at, limit) {
		g := got{err: err}
		if m != nil {
			g.ref, g.uidl = m.Ref, m.UIDL
		}
		if err == nil {
			b, err := io.ReadAll(m.Body)
			g.body, g.err = string(b), err
		}
		all = append(all, g)
	}
	return all
}

// fold adds what was read whole to the position, as published events do.
func fold(t *testing.T, src *Source, at ingest.Cursor, all ...got) ingest.Cursor {
	t.Helper()
	var entries []ingest.Entry
	for _, g := range all {
		if g.err == nil {
			entries = append(entries, ingest.Entry{Ref: g.ref, Type: publish.Received, Time: time.Unix(1, 0)})
		}
	}
	c, err := src.Fold(at, slices.Values(entries))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func refs(all []got) (r []ingest.Ref) {
	for _, g := range all {
		r = append(r, g.ref)
	}
	return r
}

func code(err error) string {
	if err == nil {
		return "none"
	}
	f := ingest.FaultOf(err)
	return f.Class.String() + " " + string(f.Code)
}

func wantCode(t *testing.T, err error, class ingest.Class, c ingest.Code) {
	t.Helper()
	if want := class.String() + " " + string(c); code(err) != want {
		t.Errorf("fault is %s (%v), want %s", code(err), err, want)
	}
}
