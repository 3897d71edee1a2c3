package imapsource

import (
	"crypto/sha256"
	"slices"
	"testing"
	"time"

	"mailflume/ingest"
	"mailflume/ingest/imapsource/imaptest"
	"mailflume/publish"
)

// publishedAs are the entries of messages as the log tells of them.
func publishedAs(mail [][]byte) (l []ingest.Entry) {
	for i, m := range mail {
		sum := sha256.Sum256(m)
		l = append(l, ingest.Entry{Ref: msgRef{"INBOX", epoch{validity: 1}, uint32(i + 1)}.ref(), Type: publish.Received,
			Content: publish.Content{Size: int64(len(m)), Sum: [16]byte(sum[:16])}})
	}
	return l
}

func TestAServerThatCaughtUpAfterItWasSetBackIsAReset(t *testing.T) {
	for name, extra := range map[string]int64{"true sizes": 0, "estimates": 17} {
		t.Run(name, func(t *testing.T) {
			srv := startServer(t, imaptest.Options{})
			read := 0
			srv.Break(func(_ string, _ uint32, octets int) imaptest.Fault {
				if octets > 0 {
					read++
				}
				return imaptest.Fault{Extra: extra}
			})
			var all [][]byte
			for i := range 5 {
				all = append(all, mail(i, 100+i))
				must(t, srv.Add(user, "INBOX", all[i], time.Now()))
			}
			src := sourceOn(t, srv, Options{Start: ingest.Start{All: true}})
			sess := open(t, src)
			at, err := src.Fold(syncAt(t, sess, nil), slices.Values(publishedAs(all)))
			must(t, err)
			srv.Expunge(user, "INBOX", 5) // what was listed last is gone
			for range 3 {
				sess = open(t, src)
				if at = syncAt(t, sess, at); len(sess.(ingest.Renewer).Resets()) != 0 {
					t.Fatal("a reset of nothing")
				}
			}
			if read > 1 || extra == 0 && read > 0 {
				t.Errorf("%d messages were read again", read)
			}
			srv.SetBack(user, "INBOX", 2)
			for i := range 5 {
				must(t, srv.Add(user, "INBOX", mail(i, 1000+i), time.Now().Add(time.Hour)))
			}
			srv.Expunge(user, "INBOX", 5)
			sess = open(t, src)
			renewed(t, src, sess, at, "r/1.1/INBOX")
		})
	}
}

func TestALostTailIsAReset(t *testing.T) {
	srv := startServer(t, imaptest.Options{})
	now := time.Now()
	src := sourceOn(t, srv, Options{Start: ingest.Start{All: true}, Now: func() time.Time { return now }})
	must(t, srv.Add(user, "INBOX", mail(0, 100), now))
	at := syncAt(t, open(t, src), nil)
	now = now.Add(time.Minute) // too soon for the low-water mark's next step
	must(t, srv.Add(user, "INBOX", mail(1, 100), now))
	at, err := src.Fold(syncAt(t, open(t, src), at), slices.Values(publishedAs([][]byte{mail(0, 100), mail(1, 100)})))
	must(t, err)
	srv.SetBack(user, "INBOX", 2)
	renewed(t, src, open(t, src), at, "r/1.1/INBOX")
}

func TestProofsAreBoundedAndReachFarBack(t *testing.T) {
	var b box
	for u := uint32(1); u <= 10_000; u++ {
		b.prove([]proof{{uid: u}})
	}
	if len(b.proofs) != maxProofs || b.proofs[0].uid != 1 || b.proofs[maxProofs-1].uid != 10_000 || b.proofs[maxProofs-newProofs].uid != 10_001-newProofs {
		t.Fatalf("%+v", b.proofs)
	}
	for i := 1; i <= maxProofs-newProofs; i++ {
		if x, y := 10_000-b.proofs[i-1].uid, 10_000-b.proofs[i].uid; x > 20*(y+1) {
			t.Errorf("nothing between %d and %d back", x, y)
		}
	}
}
