package imapsource

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"

	"mailflume/ingest"
	"mailflume/ingest/imapsource/imaptest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// secret is a TokenSource with one value that never ends.
type secret string

func (s secret) Token(context.Context, string) (ingest.Token, error) {
	return ingest.Token{Value: string(s)}, nil
}

// tokens gives its values one after the other, a new one only for a refused one.
type tokens struct {
	values  []string
	expires time.Time
	refused []string
}

func (t *tokens) Token(_ context.Context, refused string) (ingest.Token, error) {
	if refused != "" {
		t.refused = append(t.refused, refused)
		if len(t.values) > 1 && t.values[0] == refused {
			t.values = t.values[1:]
		}
	}
	return ingest.Token{Value: t.values[0], Expires: t.expires}, nil
}

const user = "anna@example.com"

func mustSource(t testing.TB, o Options) *Source {
	t.Helper()
	if o.Endpoint.Addr == "" {
		o.Endpoint.Addr = "localhost:993"
	}
	if o.Login.User == "" {
		o.Login.User = user
	}
	if o.Login.Mechanism == "" {
		o.Login.Mechanism = ingest.XOAUTH2
	}
	if o.Login.Tokens == nil {
		o.Login.Tokens = secret("token")
	}
	src, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return src
}

func startServer(t testing.TB, o imaptest.Options) *imaptest.Server {
	t.Helper()
	srv, err := imaptest.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
	})
	return srv
}

// sourceOn returns a Source for a running server.
func sourceOn(t testing.TB, srv *imaptest.Server, o Options) *Source {
	t.Helper()
	o.Endpoint.Addr, o.Endpoint.TLS = srv.Addr(), srv.TLS()
	if o.Endpoint.Security == "" {
		o.Endpoint.Security = ingest.ImplicitTLS
	}
	return mustSource(t, o)
}

func open(t testing.TB, src *Source) ingest.Session {
	t.Helper()
	sess, err := src.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sess.Close() })
	return sess
}

func syncAt(t testing.TB, sess ingest.Session, at ingest.Cursor) ingest.Cursor {
	t.Helper()
	c, err := sess.Sync(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// got is a message as a consumer has it.
type got struct {
	ref   ingest.Ref
	uid   uint32
	sum   [32]byte
	size  int
	err   error // of the message
	fault ingest.Code
}

// readAll runs one Messages loop and reads every body.
func readAll(t testing.TB, sess ingest.Session, from ingest.Cursor, limit int) (out []got, end error) {
	t.Helper()
	for m, err := range sess.Messages(t.Context(), from, limit) {
		if m == nil {
			return out, err
		}
		g := got{ref: m.Ref, uid: m.UID, err: err}
		if err == nil {
			var b []byte
			b, g.err = io.ReadAll(m.Body)
			g.sum, g.size = sha256.Sum256(b), len(b)
		}
		if g.err != nil {
			g.fault = ingest.FaultOf(g.err).Code
		}
		out = append(out, g)
	}
	return out, nil
}

func finish(t testing.TB, src *Source, at ingest.Cursor, l []got) ingest.Cursor {
	t.Helper()
	var es []ingest.Entry
	for _, g := range l {
		es = append(es, ingest.Entry{Ref: g.ref})
	}
	c, err := src.Fold(at, slices.Values(es))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// mail is a message of about size octets.
func mail(n, size int) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "From: a@example.com\r\nSubject: number %d\r\n\r\n", n)
	for b.Len() < size {
		fmt.Fprintf(&b, "line %d of message %d: the quick brown fox ((({9}\"\r\n", b.Len(), n)
	}
	return b.Bytes()
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func uids(l []got) []uint32 {
	out := make([]uint32, len(l))
	for i := range l {
		out[i] = l[i].uid
	}
	return out
}
