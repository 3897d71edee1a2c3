package natsjs_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"mailflume/publish"
	"mailflume/publish/logtest"
	"mailflume/publish/natsjs"
)

func readHistory(t *testing.T, conn *natsjs.Conn, pin natsjs.Pin) *natsjs.History {
	t.Helper()
	h, err := conn.History(deadline(t), logtest.Box(), natsjs.Reading{Chain: true, Pin: pin})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// wantHistory asserts that the log's n events are what was written.
func wantHistory(t *testing.T, conn *natsjs.Conn, n int) {
	t.Helper()
	if h := readHistory(t, conn, natsjs.Pin{}); h.Break != nil || h.Events != n || h.Verified < n || (n > 0 && h.End.Digest == "") {
		t.Errorf("history: %+v, break %+v", h, h.Break)
	}
}

// copyLog publishes the log of one server on another one, so that what no client can change in a
// stream can be changed: message i (from 0) of the copy has the sequence i+1.
func copyLog(t *testing.T, from, to *testServer, change func(all []*nats.Msg) []*nats.Msg) *natsjs.Conn {
	t.Helper()
	src := from.stream(t)
	var all []*nats.Msg
	for seq := uint64(1); seq <= src.CachedInfo().State.LastSeq; seq++ {
		m := nats.NewMsg(janesLog + "filler")
		raw, err := src.GetMsg(t.Context(), seq)
		if err == nil {
			m = nats.NewMsg(raw.Subject)
			m.Data = raw.Data
			for k, v := range raw.Header {
				if !strings.HasPrefix(k, "Nats-") {
					m.Header[k] = v
				}
			}
		} else if !errors.Is(err, jetstream.ErrMsgNotFound) {
			t.Fatal(err)
		}
		all = append(all, m)
	}
	to.freshStream(t)
	conn := to.conn(t)
	js, dst := to.admin(t), to.stream(t)
	for i, m := range change(all) {
		ack, err := js.PublishMsg(t.Context(), m)
		if err == nil && m.Subject == janesLog+"filler" {
			err = dst.DeleteMsg(t.Context(), ack.Sequence)
		}
		if err != nil || ack.Sequence != uint64(i)+1 {
			t.Fatalf("message %d of the copy: %+v, %v", i+1, ack, err)
		}
	}
	return conn
}

// sampleLog holds a claim (1), the events 1 to 5 (2 to 6), a snapshot (7), the events 6 and 7 (8, 9).
func sampleLog(t *testing.T) *testServer {
	t.Helper()
	srv := startServer(t, serverOptions{})
	c := mustClaim(t, srv.log(t))
	appendAll(t, c, 1, 5)
	save(t, c, "s")
	appendAll(t, c, 6, 7)
	wantHistory(t, srv.conn(t), 7)
	return srv
}

func TestEveryChangeOfALogIsNamed(t *testing.T) {
	t.Parallel()
	original, copied := sampleLog(t), startServer(t, serverOptions{})
	gone := func(seq int) func(all []*nats.Msg) []*nats.Msg {
		return func(all []*nats.Msg) []*nats.Msg {
			all[seq-1] = nats.NewMsg(janesLog + "filler")
			return all
		}
	}
	for name, c := range map[string]struct {
		change       func(all []*nats.Msg) []*nats.Msg
		at, missing  uint64
		reason, kind string
	}{
		"nothing":                    {func(all []*nats.Msg) []*nats.Msg { return all }, 0, 0, "", ""},
		"an event is gone":           {gone(4), 5, 4, "gone", "received"},
		"two events are gone":        {func(all []*nats.Msg) []*nats.Msg { return gone(4)(gone(5)(all)) }, 6, 5, "gone", "received"},
		"the first event is gone":    {gone(2), 3, 2, "gone", "received"},
		"the last before a snapshot": {gone(6), 7, 6, "gone", "cursor-a-0"},
		"a body is changed": {func(all []*nats.Msg) []*nats.Msg {
			all[3].Data[40] ^= 1
			return all
		}, 4, 0, "another digest", "received"},
		"the body of the last before a snapshot": {func(all []*nats.Msg) []*nats.Msg {
			all[5].Data = append(all[5].Data, ' ')
			return all
		}, 6, 0, "another digest", "received"},
		"a header is changed": {func(all []*nats.Msg) []*nats.Msg {
			all[4].Header.Set("Mf-Prev", sha256Hex([]byte("x")))
			return all
		}, 5, 0, "headers", "received"},
		"a body and the header that names it": {func(all []*nats.Msg) []*nats.Msg {
			all[3].Data[40] ^= 1
			all[4].Header.Set("Mf-Prev", sha256Hex(all[3].Data))
			return all
		}, 5, 0, "headers", "received"},
		"events change places": {func(all []*nats.Msg) []*nats.Msg {
			all[3], all[4] = all[4], all[3]
			return all
		}, 4, 0, "written after number 4 and stands after number 3", "received"},
		"an event comes again": {func(all []*nats.Msg) []*nats.Msg { return append(all, all[3]) }, 10, 0, "written after number 3", "received"},
		"the last event comes again": {func(all []*nats.Msg) []*nats.Msg {
			return append(all, all[8])
		}, 10, 0, "so does number 9", "received"},
		"a strange event": {func(all []*nats.Msg) []*nats.Msg {
			m := nats.NewMsg(janesLog + "received")
			m.Data = all[8].Data
			return append(all, m)
		}, 10, 0, "did not write", "received"},
		"an event without its chain": {func(all []*nats.Msg) []*nats.Msg {
			all[4].Header.Del("Mf-Last")
			return all
		}, 5, 0, "which event came before", "received"},
		"an event that a snapshot does not know": {func(all []*nats.Msg) []*nats.Msg {
			for _, h := range []string{"Mf-Last", "Mf-Prev", "Mf-Chain"} {
				all[6].Header[h] = all[5].Header[h]
			}
			return all
		}, 6, 0, "inserted", "received"},
	} {
		t.Run(name, func(t *testing.T) {
			h := readHistory(t, copyLog(t, original, copied, c.change), natsjs.Pin{})
			b := h.Break
			if b == nil {
				b = &natsjs.Break{}
			}
			if b.Sequence != c.at || b.Missing != c.missing || !strings.Contains(b.Reason, c.reason) || !strings.HasSuffix(b.Subject, c.kind) || b.Time.IsZero() == (c.at > 0) {
				t.Errorf("break %+v", b)
			}
		})
	}
}

func TestWhatAClientTakesOutOfAStreamIsNamed(t *testing.T) {
	for name, c := range map[string]struct {
		tamper  func(t *testing.T, srv *testServer) error
		at      uint64
		missing uint64
	}{
		"a deleted message": {func(t *testing.T, srv *testServer) error { return srv.stream(t).DeleteMsg(t.Context(), 5) }, 6, 5},
		"a purge up to a message": {func(t *testing.T, srv *testServer) error {
			return srv.stream(t).Purge(t.Context(), jetstream.WithPurgeSequence(4))
		}, 4, 3},
		"a purge of the events": {func(t *testing.T, srv *testServer) error {
			return srv.stream(t).Purge(t.Context(), jetstream.WithPurgeSubject(janesLog+"received"))
		}, 7, 6},
		"a rollup": {func(t *testing.T, srv *testServer) error {
			m := nats.NewMsg(janesLog + "received")
			m.Header.Set("Nats-Rollup", "sub")
			_, err := srv.admin(t).PublishMsg(t.Context(), m)
			return err
		}, 7, 6},
	} {
		t.Run(name, func(t *testing.T) {
			srv := sampleLog(t)
			if err := c.tamper(t, srv); err != nil {
				t.Fatal(err)
			}
			conn := srv.conn(t)
			for _, chain := range []bool{true, false} { // what is gone is seen without bodies too
				h, err := conn.History(deadline(t), logtest.Box(), natsjs.Reading{Chain: chain})
				if err != nil || h.Break == nil || h.Break.Sequence != c.at || h.Break.Missing != c.missing || h.Expired {
					t.Errorf("chain %v: %v, %+v", chain, err, h.Break)
				}
			}
		})
	}
}

func TestAChainGoesOnFromWhatIsLeftWhenEventsExpire(t *testing.T) {
	t.Parallel()
	srv := startServer(t, serverOptions{})
	conn := dial(t, srv.options())
	if err := conn.EnsureStream(deadline(t), natsjs.StreamConfig{Manage: true, MaxAge: 2 * time.Second}); err != nil {
		t.Fatal(err)
	}
	c := mustClaim(t, conn.Log())
	appendAll(t, c, 1, 3)
	ev, ref := logtest.Sample(logtest.Box(), 4)
	ev.Kind = publish.Quarantined // never expires
	if err := c.Append(deadline(t), ev, ref); err != nil {
		t.Fatal(err)
	}
	appendAll(t, c, 5, 6)
	old := readHistory(t, conn, natsjs.Pin{})
	save(t, c, "s")
	awaitMessages(t, srv, 3) // the claim, the quarantined event, the snapshot
	if h := readHistory(t, conn, old.End); h.Break != nil || !h.Expired || h.Events != 1 || h.End != old.End {
		t.Errorf("from the snapshot alone: %+v, %+v", h, h.Break)
	}
	appendAll(t, c, 7, 9)
	h := readHistory(t, conn, old.End)
	if h.Break != nil || !h.Expired || h.Events != 4 || time.Since(h.KeptSince) < 2*time.Second || time.Since(h.KeptSince) > time.Minute {
		t.Errorf("%+v, break %+v", h, h.Break)
	}
	if _, err := conn.History(deadline(t), logtest.Box(), natsjs.Reading{Chain: true, Pin: natsjs.Pin{Sequence: 3, Digest: "x"}}); !errors.Is(err, natsjs.ErrPinExpired) {
		t.Errorf("a pin that has expired: %v", err)
	}
	if err := srv.stream(t).DeleteMsg(t.Context(), h.Last-1); err != nil {
		t.Fatal(err)
	}
	if h = readHistory(t, conn, natsjs.Pin{}); h.Break == nil || h.Break.Missing != h.Last-1 {
		t.Errorf("an event that is too young to expire is gone: %+v", h.Break)
	}
}

// awaitMessages waits until the stream holds no more than n.
func awaitMessages(t *testing.T, srv *testServer, n uint64) {
	t.Helper()
	st := srv.stream(t)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for end := time.After(30 * time.Second); ; {
		info, err := st.Info(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if info.State.Msgs <= n {
			return
		}
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("%d messages are left", info.State.Msgs)
		}
	}
}

func TestAPinOfAnotherMailboxIsNotCalledExpired(t *testing.T) {
	srv := startServer(t, serverOptions{})
	conn := srv.conn(t)
	other := publish.Key{Tenant: "t", Mailbox: "other"}
	before, err := conn.Log().Claim(deadline(t), other)
	if err != nil {
		t.Fatal(err)
	}
	appendOther := func(n int) {
		ev, ref := logtest.Sample(other, n)
		if err := before.Append(deadline(t), ev, ref); err != nil {
			t.Fatal(err)
		}
	}
	appendOther(1) // number 2
	appendAll(t, mustClaim(t, conn.Log()), 1, 2)
	appendOther(2) // number 6
	for name, c := range map[string]struct {
		pin  uint64
		says string
	}{
		"before this log": {2, "other"}, "behind it": {6, "other"}, "no event": {3, "none of"}, "not there": {99, "ends before"},
	} {
		h := readHistory(t, conn, natsjs.Pin{Sequence: c.pin, Digest: strings.Repeat("0", 64)})
		if h.Break == nil || h.Break.Missing != c.pin || !strings.Contains(h.Break.Reason, c.says) {
			t.Errorf("%s: %+v", name, h.Break)
		}
	}
}

func TestAPinHoldsWhatTheChainAloneDoesNot(t *testing.T) {
	original, copied := sampleLog(t), startServer(t, serverOptions{})
	pin := readHistory(t, original.conn(t), natsjs.Pin{}).End
	forge := func(all []*nats.Msg) []*nats.Msg { // with all rights on the stream: the whole chain anew
		all[3].Data[40] ^= 1
		prev, sum := "", ""
		for _, m := range all {
			if m.Header.Get("Mf-Last") != "0" {
				m.Header.Set("Mf-Prev", prev)
				m.Header.Set("Mf-Chain", sum)
			}
			if strings.HasSuffix(m.Subject, "received") {
				prev = sha256Hex(m.Data)
				sum = sha256Hex([]byte(m.Header.Get("Mf-Chain") + prev))
			}
		}
		return all
	}
	conn := copyLog(t, original, copied, forge)
	if h := readHistory(t, conn, natsjs.Pin{}); h.Break != nil {
		t.Fatalf("the forgery is not well made: %+v", h.Break)
	}
	if h := readHistory(t, conn, pin); h.Break == nil || h.Break.Sequence != 9 || !strings.Contains(h.Break.Reason, "pinned") {
		t.Errorf("forged: %+v", h.Break)
	}
	conn = copyLog(t, original, copied, func(all []*nats.Msg) []*nats.Msg { return all[:8] })
	if h := readHistory(t, conn, pin); h.Break == nil || h.Break.Missing != 9 {
		t.Errorf("cut off: %+v", h.Break)
	}
	appendAll(t, mustClaim(t, original.log(t)), 8, 9)
	if h := readHistory(t, original.conn(t), pin); h.Break != nil || h.End == pin {
		t.Errorf("untouched: %+v", h.Break)
	}
}

func TestAChainBeginsWhereTheFirstLinkIs(t *testing.T) {
	original, copied := sampleLog(t), startServer(t, serverOptions{})
	for name, c := range map[string]struct {
		headers []string // that an older mailflume did not write
		begins  uint64
	}{
		"before there were links": {[]string{"Mf-Last", "Mf-Prev", "Mf-Chain"}, 5},
		"before there were sums":  {[]string{"Mf-Chain"}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			conn := copyLog(t, original, copied, func(all []*nats.Msg) []*nats.Msg {
				for _, m := range all[:4] {
					for _, h := range c.headers {
						m.Header.Del(h)
					}
				}
				for _, m := range all[4:] { // what follows is chained from the first sum on
					m.Header.Del("Mf-Chain")
				}
				return all
			})
			appendAll(t, mustClaim(t, conn.Log()), 8, 9)
			if h := readHistory(t, conn, natsjs.Pin{}); h.Break != nil || h.Begins != c.begins || h.Events != 9 || h.End.Digest == "" {
				t.Errorf("%+v, break %+v", h, h.Break)
			}
		})
	}
}

func TestAHistoryKnowsThePositionAndTheRefs(t *testing.T) {
	srv := sampleLog(t)
	c := mustClaim(t, srv.log(t))
	ev, ref := logtest.Sample(logtest.Box(), 2)
	ev.Data.Ingest.Replay = true
	if err := c.Append(deadline(t), ev, ref); err != nil {
		t.Fatal(err)
	}
	covered, after := 0, 0
	h, err := srv.conn(t).History(deadline(t), logtest.Box(), natsjs.Reading{Event: func(e publish.Entry, known bool) {
		if _, want := logtest.Sample(logtest.Box(), covered+after+1); e.Ref != want || e.Type != publish.Received || e.Time.IsZero() {
			t.Errorf("event %d: %+v", covered+after+1, e)
		}
		if known {
			covered++
		} else {
			after++
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	if string(h.Snapshot) != "s" || covered != 5 || after != 2 || h.Events != 8 || h.Received != 7 || h.Replays != 1 || h.First != 2 || h.Break != nil {
		t.Errorf("%d and %d, %+v", covered, after, h)
	}
	if h, err = srv.conn(t).History(deadline(t), publish.Key{Tenant: "nobody", Mailbox: "x"}, natsjs.Reading{Chain: true}); err != nil || h.Events != 0 || h.Snapshot != nil {
		t.Errorf("an empty log: %+v, %v", h, err)
	}
}
