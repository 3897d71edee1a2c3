package natsjs_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"mailflume/publish"
	"mailflume/publish/logtest"
	"mailflume/publish/natsjs"
)

const janesLog = "mail.v1.acme.jane=2Edoe=40acme=2Ecom."

func save(t *testing.T, c publish.Claim, snapshot string) {
	t.Helper()
	if err := c.Save(deadline(t), []byte(snapshot)); err != nil {
		t.Fatal(err)
	}
}

func wantPosition(t *testing.T, c publish.Claim, snapshot string, entries int) {
	t.Helper()
	got, since := c.Position()
	if string(got) != snapshot || len(since) != entries {
		t.Errorf("position %.20q… (%d bytes) and %d entries, want %.20q… (%d) and %d", got, len(got), len(since), snapshot, len(snapshot), entries)
	}
}

func TestASnapshotThatIsNotWholeCountsAsNone(t *testing.T) {
	t.Parallel()
	srv := startServer(t, serverOptions{maxPayload: 64 << 10})
	older, newer := strings.Repeat("o", 100_000), strings.Repeat("n", 100_000)
	for name, damage := range map[string]func(t *testing.T){
		"a piece is missing": func(t *testing.T) { deleteLast(t, srv, "cursor-b-2") },
		"a piece is of another snapshot": func(t *testing.T) {
			m := lastOf(t, srv, "cursor-a-1")
			m.Subject = janesLog + "cursor-b-1"
			republish(t, srv, m)
		},
		"an octet differs": func(t *testing.T) {
			m := lastOf(t, srv, "cursor-b-1")
			m.Data = append(bytes.Clone(m.Data[1:]), 'x')
			republish(t, srv, m)
		},
		"the first piece says nonsense": func(t *testing.T) {
			m := lastOf(t, srv, "cursor-b-0")
			m.Header.Set("Mf-Pieces", "-1")
			republish(t, srv, m)
		},
	} {
		t.Run(name, func(t *testing.T) {
			srv.freshStream(t)
			log := srv.log(t)
			c := mustClaim(t, log)
			appendAll(t, c, 1, 2)
			save(t, c, older)
			appendAll(t, c, 3, 5)
			save(t, c, newer)
			appendAll(t, c, 6, 6)
			damage(t)
			c = mustClaim(t, log)
			wantPosition(t, c, older, 4)
			save(t, c, newer+"!") // takes the damaged place
			appendAll(t, c, 7, 7)
			wantPosition(t, mustClaim(t, log), newer+"!", 1)
			deleteLast(t, srv, "cursor-b-0")
			wantPosition(t, mustClaim(t, log), older, 5)
		})
	}
}

// lastOf returns the last message of a subject of the log, ready to be published again.
func lastOf(t *testing.T, srv *testServer, token string) *nats.Msg {
	t.Helper()
	raw, err := srv.stream(t).GetLastMsgForSubject(t.Context(), janesLog+token)
	if err != nil {
		t.Fatal(err)
	}
	m := nats.NewMsg(raw.Subject)
	m.Data = raw.Data
	for k, v := range raw.Header {
		if !strings.HasPrefix(k, "Nats-") {
			m.Header[k] = v
		}
	}
	m.Header.Set("Nats-Rollup", "sub")
	return m
}

func republish(t *testing.T, srv *testServer, m *nats.Msg) {
	t.Helper()
	if _, err := srv.admin(t).PublishMsg(t.Context(), m); err != nil {
		t.Fatal(err)
	}
}

func deleteLast(t *testing.T, srv *testServer, token string) {
	t.Helper()
	st := srv.stream(t)
	raw, err := st.GetLastMsgForSubject(t.Context(), janesLog+token)
	if err == nil {
		err = st.DeleteMsg(t.Context(), raw.Sequence)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestTheOlderSnapshotStaysUntilTheNewerIsOnDisk(t *testing.T) {
	for name, c := range map[string]struct {
		sync time.Duration
		want string // what is left once the newest is lost
	}{
		"sync interval not over": {time.Hour, "first"},
		"synced always":          {-1, "third"},
	} {
		t.Run(name, func(t *testing.T) {
			srv := startServer(t, serverOptions{})
			log := srv.conn(t, func(o *natsjs.Options) { o.SyncInterval = c.sync }).Log()
			claim := mustClaim(t, log)
			for _, s := range []string{"first", "second", "third", "fourth"} {
				save(t, claim, s)
			}
			wantPosition(t, mustClaim(t, log), "fourth", 0)
			deleteLast(t, srv, "cursor-b-0")
			wantPosition(t, mustClaim(t, log), c.want, 0)
		})
	}
}

func TestEventsThatAreGoneBeforeTheyWereCoveredAreReported(t *testing.T) {
	for name, c := range map[string]struct {
		lost    []int // counted from the log's end
		entries int
		gap     bool
	}{
		"nothing":         {nil, 4, false},
		"the first after": {[]int{3}, 3, true},
		"one between":     {[]int{1}, 3, true},
		"all of them":     {[]int{0, 1, 2, 3}, 0, false}, // a lost tail: nothing says that there was more
	} {
		t.Run(name, func(t *testing.T) {
			srv := startServer(t, serverOptions{})
			errs := make(chan error, 10)
			conn := srv.conn(t, func(o *natsjs.Options) { o.Hooks.Error = func(err error) { errs <- err } })
			claim := mustClaim(t, conn.Log())
			appendAll(t, claim, 1, 3)
			save(t, claim, "s")
			appendAll(t, claim, 4, 7)
			st := srv.stream(t)
			last := st.CachedInfo().State.LastSeq
			for _, back := range c.lost {
				if err := st.DeleteMsg(t.Context(), last-uint64(back)); err != nil {
					t.Fatal(err)
				}
			}
			wantPosition(t, mustClaim(t, conn.Log()), "s", c.entries)
			if got := len(errs) > 0 && errors.Is(<-errs, natsjs.ErrGap); got != c.gap {
				t.Errorf("gap reported: %v", got)
			}
		})
	}
}

func TestTheLargestHeadersLeaveRoomForTheLargestEvent(t *testing.T) {
	srv := startServer(t, serverOptions{})
	conn := srv.conn(t, func(o *natsjs.Options) { o.Worker = strings.Repeat("w", 500) })
	box := publish.Key{Tenant: strings.Repeat("t", 128), Mailbox: strings.Repeat("m", 128)}
	c, err := conn.Log().Claim(deadline(t), box)
	if err != nil {
		t.Fatal(err)
	}
	for fill := 0; ; {
		ev, _ := logtest.Sample(box, 1)
		ev.Kind, ev.Data.Ingest.Replay, ev.Data.Subject = publish.Quarantined, true, strings.Repeat("x", fill)
		body, err := ev.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if missing := conn.Log().MaxEvent() - len(body); missing != 0 {
			fill += missing
			continue
		}
		ref := publish.Ref(strings.Repeat("r", 1536))
		if err := c.Append(deadline(t), ev, ref); err != nil {
			t.Fatal(err)
		}
		if err := c.Append(deadline(t), ev, ref+"r"); !errors.Is(err, publish.ErrTooLarge) {
			t.Errorf("a longer ref: %v", err)
		}
		if err := c.Append(deadline(t), ev, "a b\r\nX: y"); err == nil {
			t.Error("a ref with a line break was taken")
		}
		break
	}
	raw, err := srv.stream(t).GetMsg(t.Context(), srv.stream(t).CachedInfo().State.LastSeq)
	if err != nil {
		t.Fatal(err)
	}
	size := 0
	for k, v := range raw.Header {
		size += len(k) + len(v[0]) + 4
	}
	t.Logf("largest headers: %d bytes", size)
	if raw.Header.Get("Nats-TTL") != "never" {
		t.Error("a quarantined event may expire")
	}
}
