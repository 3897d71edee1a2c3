package sourcetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"testing"
	"time"

	"mailflume/ingest"
	"mailflume/publish"
)

// Server is one mailbox on a server under test.
type Server interface {
	// Source returns a Source for the mailbox.
	Source(t *testing.T, start ingest.Start, after ingest.After) ingest.Source
	// Add delivers a message; it is there for every session opened afterwards.
	Add(t *testing.T, message []byte)
	// Left returns how many messages the mailbox still holds.
	Left(t *testing.T) int
	// Cut makes the connection end after n octets of the next body that is sent, once.
	Cut(t *testing.T, n int)
}

// Renumberer is a Server that can make all Refs void.
type Renumberer interface {
	// Renumber does so, unless the protocol shows it of no such server: then it returns false.
	Renumber(t *testing.T) bool
}

// Run runs the conformance suite, each test on a fresh server.
func Run(t *testing.T, fresh func(t *testing.T) Server) {
	for _, test := range []struct {
		name string
		run  func(t *testing.T, s Server)
	}{
		{"start all yields every message in order with its exact octets", exactOctets},
		{"start now skips what is there and yields what arrives", startNow},
		{"finished messages are not yielded again and the gaps are", sparse},
		{"a second look at an unchanged server changes nothing", quiet},
		{"folding is pure and idempotent and ignores strangers", folding},
		{"breaking out early leaves the rest", breakOut},
		{"a limit is kept", limited},
		{"a body cut short never ends in EOF", cutShort},
		{"delete removes what was settled and nothing else", deletes},
		{"a cancelled context ends the loop", cancelled},
		{"a list tells every message and its standing", listing},
		{"after a reset every message is to be judged, and what was is not again", renumbering},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, fresh(t)) })
	}
}

// Mail returns n different messages with every shape of line end, dot and size that protocols trip over.
func Mail(n int) [][]byte {
	out := make([][]byte, n)
	for i := range out {
		var b bytes.Buffer
		fmt.Fprintf(&b, "From: a@example.com\r\nSubject: message %d\r\nMessage-ID: <%d@example.com>\r\n\r\n", i, i)
		b.WriteString(".\r\n..\r\n.dots at the start\r\n\r\n")
		for range i * 37 {
			b.WriteString("a line of ordinary text, seventy-odd octets long, to fill some buffers.\r\n")
		}
		if i%3 == 1 {
			b.WriteString("8-bit: \xe4\xf6\xfc \xff\r\n")
		}
		fmt.Fprintf(&b, "last line %d\r\n", i)
		out[i] = b.Bytes()
	}
	return out
}

func fill(t *testing.T, s Server, mail [][]byte) {
	t.Helper()
	for _, m := range mail {
		s.Add(t, m)
	}
}

// open opens a session that the test's end closes, and brings at up to date.
func open(t *testing.T, src ingest.Source, at ingest.Cursor) (ingest.Session, ingest.Cursor) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	s, err := src.Open(ctx)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(func() { _ = s.Close() })
	c, err := s.Sync(ctx, at)
	if err != nil {
		t.Fatalf("Sync: %v", err)
	}
	return s, c
}

type read struct {
	ref  ingest.Ref
	body []byte
}

// readAll reads every message of a fresh session.
func readAll(t *testing.T, src ingest.Source, at ingest.Cursor) ([]read, ingest.Cursor) {
	t.Helper()
	s, c := open(t, src, at)
	var out []read
	for m, err := range s.Messages(t.Context(), c, 0) {
		if err != nil {
			t.Fatalf("Messages: %v", err)
		}
		b, err := io.ReadAll(m.Body)
		if err != nil {
			t.Fatalf("read %s: %v", m.Ref, err)
		}
		out = append(out, read{m.Ref, b})
	}
	if err := s.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	return out, c
}

func fold(t *testing.T, src ingest.Source, at ingest.Cursor, refs ...ingest.Ref) ingest.Cursor {
	t.Helper()
	c, err := src.Fold(at, entries(refs...))
	if err != nil {
		t.Fatalf("Fold: %v", err)
	}
	return c
}

func entries(refs ...ingest.Ref) iter.Seq[ingest.Entry] {
	return func(yield func(ingest.Entry) bool) {
		for _, r := range refs {
			if !yield(ingest.Entry{Ref: r, Type: publish.Received, Time: time.Now()}) {
				return
			}
		}
	}
}

func exactOctets(t *testing.T, s Server) {
	mail := Mail(12)
	fill(t, s, mail)
	src := s.Source(t, ingest.Start{All: true}, ingest.After{})
	got, _ := readAll(t, src, nil)
	if len(got) != len(mail) {
		t.Fatalf("got %d messages, want %d", len(got), len(mail))
	}
	seen := map[ingest.Ref]bool{}
	for i, g := range got {
		if !bytes.Equal(g.body, mail[i]) {
			t.Errorf("message %d differs: got %d octets, want %d", i, len(g.body), len(mail[i]))
		}
		if seen[g.ref] {
			t.Errorf("ref %s stands for two messages", g.ref)
		}
		seen[g.ref] = true
		for _, c := range []byte(g.ref) {
			if c <= ' ' || c > '~' {
				t.Errorf("ref %q holds the octet %#x", g.ref, c)
			}
		}
	}
	again, _ := readAll(t, src, nil)
	if !slices.EqualFunc(got, again, func(a, b read) bool { return a.ref == b.ref }) {
		t.Error("another session gives the same messages other refs")
	}
}

func startNow(t *testing.T, s Server) {
	mail := Mail(4)
	fill(t, s, mail[:3])
	src := s.Source(t, ingest.Start{}, ingest.After{})
	got, base := readAll(t, src, nil)
	if len(got) != 0 {
		t.Fatalf("got %d messages from before now", len(got))
	}
	s.Add(t, mail[3])
	got, _ = readAll(t, src, base)
	if len(got) != 1 || !bytes.Equal(got[0].body, mail[3]) {
		t.Fatalf("got %d messages, want the one that arrived", len(got))
	}
}

func sparse(t *testing.T, s Server) {
	fill(t, s, Mail(5))
	src := s.Source(t, ingest.Start{All: true}, ingest.After{})
	all, c := readAll(t, src, nil)
	c = fold(t, src, c, all[0].ref, all[2].ref, all[4].ref)
	got, c := readAll(t, src, c)
	if len(got) != 2 || got[0].ref != all[1].ref || got[1].ref != all[3].ref {
		t.Fatalf("got %d messages, want the two in the gaps", len(got))
	}
	c = fold(t, src, c, all[1].ref, all[3].ref)
	if got, _ = readAll(t, src, c); len(got) != 0 {
		t.Fatalf("got %d messages that were all finished", len(got))
	}
}

func quiet(t *testing.T, s Server) {
	fill(t, s, Mail(3))
	src := s.Source(t, ingest.Start{All: true}, ingest.After{})
	all, c := readAll(t, src, nil)
	c = fold(t, src, c, all[0].ref, all[1].ref, all[2].ref)
	_, c = open(t, src, c) // may tidy up once
	_, again := open(t, src, c)
	if !bytes.Equal(c, again) {
		t.Errorf("the position changed from %q to %q with nothing new: every poll would be a write", c, again)
	}
}

func folding(t *testing.T, s Server) {
	fill(t, s, Mail(3))
	src := s.Source(t, ingest.Start{All: true}, ingest.After{})
	all, c := readAll(t, src, nil)
	before := bytes.Clone(c)
	once := fold(t, src, c, all[0].ref, all[1].ref)
	if !bytes.Equal(before, c) {
		t.Fatal("Fold changed its argument")
	}
	if twice := fold(t, src, once, all[1].ref, all[0].ref); !bytes.Equal(once, twice) {
		t.Error("folding the same entries again changes the position")
	}
	if one := fold(t, src, fold(t, src, c, all[0].ref), all[1].ref); !bytes.Equal(once, one) {
		t.Error("folding one by one differs from folding together")
	}
	if odd := fold(t, src, once, "somebody/else's ref", ""); !bytes.Equal(once, odd) {
		t.Error("a stranger's ref changes the position")
	}
}

func breakOut(t *testing.T, s Server) {
	fill(t, s, Mail(6))
	src := s.Source(t, ingest.Start{All: true}, ingest.After{})
	session, c := open(t, src, nil)
	var first ingest.Ref
	for m, err := range session.Messages(t.Context(), c, 0) {
		if err != nil {
			t.Fatal(err)
		}
		first = m.Ref
		break
	}
	_ = session.Close()
	got, _ := readAll(t, src, fold(t, src, c, first))
	if len(got) != 5 {
		t.Fatalf("got %d messages after the first, want 5", len(got))
	}
}

func limited(t *testing.T, s Server) {
	fill(t, s, Mail(5))
	session, c := open(t, s.Source(t, ingest.Start{All: true}, ingest.After{}), nil)
	n := 0
	for _, err := range session.Messages(t.Context(), c, 2) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	if n != 2 {
		t.Fatalf("got %d messages with a limit of 2", n)
	}
}

func cutShort(t *testing.T, s Server) {
	mail := Mail(3)[2:]
	fill(t, s, mail)
	src := s.Source(t, ingest.Start{All: true}, ingest.After{})
	for _, n := range []int{0, 1, 60, len(mail[0]) / 2, len(mail[0]) - 1} {
		session, c := open(t, src, nil)
		s.Cut(t, n)
		whole, failed := 0, false
		for m, err := range session.Messages(t.Context(), c, 0) {
			if err != nil {
				failed = true
				break
			}
			if _, err := io.ReadAll(m.Body); err != nil {
				failed = true
				if errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
					t.Errorf("cut after %d octets: the error %v passes for an end", n, err)
				}
				continue
			}
			whole++
		}
		_ = session.Close()
		if whole != 0 || !failed {
			t.Errorf("cut after %d octets: %d whole messages, failed: %v", n, whole, failed)
		}
	}
	if got, _ := readAll(t, src, nil); len(got) != 1 || !bytes.Equal(got[0].body, mail[0]) {
		t.Error("the next session does not read the message")
	}
}

func deletes(t *testing.T, s Server) {
	fill(t, s, Mail(4))
	src := s.Source(t, ingest.Start{All: true}, ingest.After{Action: ingest.ActionDelete})
	all, c := readAll(t, src, nil)
	c = fold(t, src, c, all[0].ref, all[1].ref, all[2].ref, all[3].ref)
	if s.Left(t) != 4 {
		t.Fatalf("%d messages left before anything was settled", s.Left(t))
	}
	for range 2 { // the second time there is nothing to do
		session, _ := open(t, src, c)
		done, err := session.Settle(t.Context(), []ingest.Ref{all[0].ref, all[2].ref})
		if err != nil || len(done) != 2 {
			t.Fatalf("Settle: done %v, error %v", done, err)
		}
		_ = session.Close()
		if s.Left(t) != 2 {
			t.Fatalf("%d messages left, want 2", s.Left(t))
		}
	}
}

func cancelled(t *testing.T, s Server) {
	fill(t, s, Mail(8))
	session, c := open(t, s.Source(t, ingest.Start{All: true}, ingest.After{}), nil)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	n, failed := 0, false
	for _, err := range session.Messages(ctx, c, 0) {
		if err != nil {
			failed = true
			break
		}
		n++
		cancel()
	}
	if n == 8 && !failed {
		t.Error("the loop went on to its end after the cancellation")
	}
}
