package imapsource

import (
	"crypto/sha256"
	"slices"
	"testing"
	"time"

	"mailflume/ingest"
	"mailflume/ingest/imapsource/imaptest"
)

func TestMessagesArriveOctetForOctetInOrder(t *testing.T) {
	for _, security := range []ingest.Security{ingest.ImplicitTLS, ingest.StartTLS} {
		for _, mech := range []ingest.Mechanism{ingest.XOAUTH2, ingest.OAUTHBEARER, ingest.Password} {
			t.Run(string(security)+" "+string(mech), func(t *testing.T) {
				srv := startServer(t, imaptest.Options{StartTLS: security == ingest.StartTLS})
				var want [][]byte
				for i := range 60 {
					size := 300 + i*1000
					if i%20 == 7 {
						size = 300_000
					}
					want = append(want, mail(i, size))
				}
				want = append(want, []byte("no header at all"), []byte{}, []byte("a\nb\n\x00\xff\r"), []byte("\r\n"))
				for _, m := range want {
					must(t, srv.Add(user, "INBOX", m, time.Now()))
				}
				src := sourceOn(t, srv, Options{Endpoint: ingest.Endpoint{Security: security}, Start: ingest.Start{All: true},
					Login: ingest.Login{Mechanism: mech}, WindowBytes: 100_000})
				sess := open(t, src)
				at := syncAt(t, sess, nil)
				l, end := readAll(t, sess, at, 0)
				if end != nil || len(l) != len(want) {
					t.Fatalf("%d messages, %v", len(l), end)
				}
				for i, g := range l {
					if g.err != nil || g.uid != uint32(i+1) || g.sum != sha256.Sum256(want[i]) {
						t.Errorf("message %d: uid %d, %d octets, %v", i, g.uid, g.size, g.err)
					}
				}
				at = syncAt(t, sess, finish(t, src, at, l))
				if again, end := readAll(t, sess, at, 0); len(again) != 0 || end != nil {
					t.Errorf("read again: %v, %v", uids(again), end)
				}
				p, err := decodeCursor(at)
				if err != nil || p.find("INBOX").low != uint32(len(want)) || len(p.find("INBOX").done) != 0 {
					t.Errorf("position %+v, %v", p, err)
				}
			})
		}
	}
}

func TestNowTakesOnlyWhatArrivesLater(t *testing.T) {
	srv := startServer(t, imaptest.Options{})
	must(t, srv.Add(user, "INBOX", mail(1, 100), time.Now()))
	src := sourceOn(t, srv, Options{})
	sess := open(t, src)
	at := syncAt(t, sess, nil)
	must(t, srv.Add(user, "INBOX", mail(2, 100), time.Now()))
	l, end := readAll(t, sess, syncAt(t, sess, at), 0)
	if end != nil || !slices.Equal(uids(l), []uint32{2}) {
		t.Errorf("read %v, %v", uids(l), end)
	}
}

func TestSinceGoesByInternalDate(t *testing.T) {
	srv := startServer(t, imaptest.Options{})
	day := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	for i, d := range []int{-3, 2, -1, 0, 5} {
		must(t, srv.Add(user, "INBOX", mail(i, 100), day.AddDate(0, 0, d)))
	}
	src := sourceOn(t, srv, Options{Start: ingest.Start{Since: day}})
	sess := open(t, src)
	at := syncAt(t, sess, nil)
	must(t, srv.Add(user, "INBOX", mail(9, 100), day.AddDate(-1, 0, 0))) // later arrivals are wanted whatever their date
	l, end := readAll(t, sess, syncAt(t, sess, at), 0)
	if end != nil || !slices.Equal(uids(l), []uint32{2, 4, 5, 6}) {
		t.Errorf("read %v, %v", uids(l), end)
	}
	again := open(t, src)
	if l, end := readAll(t, again, syncAt(t, again, finish(t, src, at, l)), 0); len(l) != 0 || end != nil {
		t.Errorf("then %v, %v", uids(l), end)
	}
}

func TestLimitAndSparsePositions(t *testing.T) {
	srv := startServer(t, imaptest.Options{})
	for i := range 25 {
		must(t, srv.Add(user, "INBOX", mail(i, 200), time.Now()))
	}
	src := sourceOn(t, srv, Options{Start: ingest.Start{All: true}})
	sess := open(t, src)
	at := syncAt(t, sess, nil)
	at, err := src.Fold(at, slices.Values(entries(1, "INBOX", 2, 4, 20, 21, 25)))
	must(t, err)
	var all []uint32
	for range 10 {
		l, end := readAll(t, sess, at, 7)
		must(t, end)
		if len(l) > 7 {
			t.Fatalf("%d messages with limit 7", len(l))
		}
		at, all = finish(t, src, at, l), append(all, uids(l)...)
	}
	if want := []uint32{1, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 22, 23, 24}; !slices.Equal(all, want) {
		t.Errorf("read %v", all)
	}
}
