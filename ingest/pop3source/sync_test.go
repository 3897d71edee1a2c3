package pop3source

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"mailflume/ingest"
	"mailflume/pop3/pop3test"
)

// clock is a Now that tests turn.
type clock struct{ at time.Time }

func newClock() *clock                { return &clock{at: time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)} }
func (c *clock) use(o *Options)       { o.Now = func() time.Time { return c.at } }
func (c *clock) pass(d time.Duration) { c.at = c.at.Add(d) }
func count(c ingest.Cursor) (n int)   { p, _ := decode(c); return len(p.entries) }
func visit(t *testing.T, src *Source, at ingest.Cursor) (ingest.Cursor, []got) {
	t.Helper()
	s := open(t, src)
	at = synced(t, s, at)
	all := readAll(t, s, at, 0)
	at = fold(t, src, at, all...)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return at, all
}

func TestTheBaseDecidesWhatIsWanted(t *testing.T) {
	received := func(day int) []byte {
		return fmt.Appendf(nil, "Received: from a\r\n by b; Thu, %d Jan 2026 10:00:00 +0000\r\nReceived: from evil; Mon, 1 Jan 2035 00:00:00 +0000\r\nSubject: %d\r\n\r\nbody\r\n", day, day)
	}
	for name, row := range map[string]struct {
		start ingest.Start
		srv   pop3test.Options
		want  int
	}{
		"all":                {ingest.Start{All: true}, pop3test.Options{}, 4},
		"now":                {ingest.Start{}, pop3test.Options{}, 0},
		"since":              {ingest.Start{Since: time.Date(2026, 1, 8, 10, 0, 0, 0, time.UTC)}, pop3test.Options{}, 3},
		"since, one by one":  {ingest.Start{Since: time.Date(2026, 1, 8, 10, 0, 0, 0, time.UTC)}, pop3test.Options{NoPipelining: true}, 3},
		"since, without TOP": {ingest.Start{Since: time.Date(2026, 1, 8, 10, 0, 0, 0, time.UTC)}, pop3test.Options{NoTOP: true}, 4},
	} {
		t.Run(name, func(t *testing.T) {
			srv := start(t, row.srv)
			for _, day := range []int{1, 8, 15} {
				srv.Add(ann, received(day))
			}
			srv.Add(ann, letter(1)) // no date: wanted unless "now"
			src := source(t, srv, func(o *Options) { o.Start = row.start })
			at, all := visit(t, src, nil)
			if len(all) != row.want {
				t.Errorf("%d messages, want %d", len(all), row.want)
			}
			srv.Add(ann, received(2)) // new mail is wanted whatever its header says
			if _, all = visit(t, src, at); len(all) != 1 {
				t.Errorf("%d new messages, want 1", len(all))
			}
		})
	}
}

func TestABaseKeepsWhatTheLogAlreadyPublished(t *testing.T) {
	srv := start(t, pop3test.Options{})
	srv.AddUIDL(ann, "a", letter(1))
	srv.AddUIDL(ann, "b", letter(2))
	src := source(t, srv)
	at := fold(t, src, nil, got{ref: "p/a"})
	if _, all := visit(t, src, at); len(all) != 1 || all[0].ref != "p/b" {
		t.Errorf("read %v", all)
	}
}

func TestAUIDLIsForgottenOnlyAfterSevenDaysOfAbsence(t *testing.T) {
	srv := start(t, pop3test.Options{})
	c := newClock()
	src := source(t, srv, c.use)
	uidl := srv.Add(ann, letter(1))
	srv.Add(ann, letter(2))
	at, _ := visit(t, src, nil)
	srv.Remove(ann, uidl)
	c.pass(24 * time.Hour)
	at, _ = visit(t, src, at)
	c.pass(6 * 24 * time.Hour)
	if at, _ = visit(t, src, at); count(at) != 2 {
		t.Fatalf("%d known after six days of absence, want 2", count(at))
	}
	srv.AddUIDL(ann, uidl, letter(1)) // it is back: not published again, and counted anew
	var all []got
	if at, all = visit(t, src, at); len(all) != 0 {
		t.Fatalf("published again: %v", all)
	}
	srv.Remove(ann, uidl)
	c.pass(24 * time.Hour)
	at, _ = visit(t, src, at)
	c.pass(6 * 24 * time.Hour)
	if at, _ = visit(t, src, at); count(at) != 2 {
		t.Fatalf("%d known, want 2: the absence began anew", count(at))
	}
	c.pass(2 * 24 * time.Hour)
	if at, _ = visit(t, src, at); count(at) != 1 {
		t.Fatalf("%d known after more than seven days, want 1", count(at))
	}
}

func TestALongPauseForgetsNothing(t *testing.T) {
	srv := start(t, pop3test.Options{})
	c := newClock()
	src := source(t, srv, c.use)
	uidl := srv.Add(ann, letter(1))
	at, _ := visit(t, src, nil)
	srv.Remove(ann, uidl)
	c.pass(30 * 24 * time.Hour)
	if at, _ = visit(t, src, at); count(at) != 1 {
		t.Error("one list without it is not seven days of lists without it")
	}
}

func TestThePositionIsNotRewrittenAtEachPoll(t *testing.T) {
	srv := start(t, pop3test.Options{})
	c := newClock()
	src := source(t, srv, c.use)
	first, second := srv.Add(ann, letter(1)), srv.Add(ann, letter(2))
	at, _ := visit(t, src, nil)
	srv.Remove(ann, first)
	c.pass(time.Hour)
	if next, _ := visit(t, src, at); !bytes.Equal(next, at) {
		t.Error("written an hour after the last marks")
	}
	c.pass(6 * time.Hour)
	marked, _ := visit(t, src, at)
	if bytes.Equal(marked, at) {
		t.Fatal("absence is never noted")
	}
	srv.Remove(ann, second)
	c.pass(time.Hour)
	if next, _ := visit(t, src, marked); !bytes.Equal(next, marked) {
		t.Error("written again an hour later")
	}
}

func TestARenumberedMaildropIsAReset(t *testing.T) {
	for name, row := range map[string]struct {
		known  int
		mod    []func(*Options)
		change func(srv *pop3test.Server, all []got)
		reset  bool
		want   int
	}{
		"renumbered": {40, nil, func(srv *pop3test.Server, _ []got) { srv.Renumber(ann) }, true, 0},
		"renumbered with some new mail": {20, nil, func(srv *pop3test.Server, _ []got) {
			srv.Renumber(ann)
			fill(srv, 30)
		}, true, 0},
		"renumbered, known by now": {40, []func(*Options){fromNow}, func(srv *pop3test.Server, _ []got) { srv.Renumber(ann) }, true, 0},
		"a small maildrop":         {19, nil, func(srv *pop3test.Server, _ []got) { srv.Renumber(ann) }, false, 19},
		"a flood of new mail":      {30, nil, func(srv *pop3test.Server, _ []got) { fill(srv, 3000) }, false, 3000},
		"emptied, then a little new mail": {40, nil, func(srv *pop3test.Server, all []got) {
			for _, g := range all {
				srv.Remove(ann, g.uidl)
			}
			fill(srv, 5)
		}, false, 5},
		"emptied by after: delete, then as much new mail": {40, []func(*Options){deleting}, func(srv *pop3test.Server, all []got) {
			for _, g := range all {
				srv.Remove(ann, g.uidl)
			}
			fill(srv, 40)
		}, false, 40},
	} {
		t.Run(name, func(t *testing.T) {
			srv := start(t, pop3test.Options{})
			fill(srv, row.known)
			src := source(t, srv, row.mod...)
			at, all := visit(t, src, nil)
			row.change(srv, all)
			s := open(t, src)
			next, err := s.Sync(t.Context(), at)
			if err != nil {
				t.Fatal(err)
			}
			if resets := s.(ingest.Renewer).Resets(); (len(resets) == 1) != row.reset {
				t.Fatalf("resets: %+v", resets)
			}
			if row.reset {
				if !bytes.Equal(next, at) {
					t.Error("the position has changed before the switch")
				}
				return
			}
			if all := readAll(t, s, next, 0); len(all) != row.want {
				t.Errorf("%d messages, want %d", len(all), row.want)
			}
		})
	}
}

func TestReceivedTakesTheTopmostReadableDate(t *testing.T) {
	for name, row := range map[string]struct {
		head string
		want string
	}{
		"folded":              {"Received: from a\r\n\tby b\r\n ; Thu, 1 Jan 2026 10:00:00 +0100 (CET)\r\n", "2026-01-01T09:00:00Z"},
		"any case, LF":        {"RECEIVED: x; 1 Jan 26 10:00 GMT\n\n", "2026-01-01T10:00:00Z"},
		"a broken one first":  {"Received: x; yesterday\r\nReceived: y; Thu, 1 Jan 2026 10:00:00 +0000\r\n", "2026-01-01T10:00:00Z"},
		"without a semicolon": {"Received: x\r\nSubject: Received: x; Thu, 1 Jan 2026 10:00:00 +0000\r\n", ""},
		"in the body":         {"Subject: x\r\n\r\nReceived: x; Thu, 1 Jan 2026 10:00:00 +0000\r\n", ""},
		"empty":               {"", ""},
	} {
		at, ok := received(row.head)
		if got := at.UTC().Format(time.RFC3339); ok != (row.want != "") || ok && got != row.want {
			t.Errorf("%s: %s, %t", name, got, ok)
		}
	}
}
