package imapsource

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"mailflume/ingest"
	"mailflume/ingest/imapsource/imaptest"
	"mailflume/publish"
	"mailflume/publish/logtest"
)

// outage runs a mailbox of 20 messages on a server that signs in, lists, and fails each FETCH of a
// body in the same way, and returns how many good messages were quarantined within life.
func outage(t *testing.T, rule imaptest.Rule, life time.Duration) (quarantined int, codes map[string]int) {
	t.Helper()
	rules := []imaptest.Rule{
		{Command: "LIST", Answers: []string{"* LIST () \"/\" INBOX\r\n{tag} OK\r\n"}},
		{Command: "EXAMINE", Answers: []string{"* 20 EXISTS\r\n* OK [UIDVALIDITY 1]\r\n* OK [UIDNEXT 21]\r\n{tag} OK [READ-ONLY]\r\n"}},
		{Command: "UID FETCH 1:* (UID FLAGS", Answers: []string{listed(20, 100)}},
	}
	for i := 2; i <= 20; i++ { // from later low-water marks too
		rules = append(rules, imaptest.Rule{Command: fmt.Sprintf("UID FETCH %d:* (UID FLAGS", i), Answers: []string{listed(20, 100)}})
	}
	for i := 1; i <= 20; i++ {
		rules = append(rules, imaptest.Rule{Command: fmt.Sprintf("UID FETCH %d (UID)", i), Answers: []string{fmt.Sprintf("* %d FETCH (UID %d)\r\n{tag} OK\r\n", i, i)}})
	}
	for i := 1; i <= 20; i++ {
		rules = append(rules, imaptest.Rule{Command: fmt.Sprintf("UID FETCH %d:20 (UID)", i), Answers: []string{listed(20, 100)}})
	}
	rules = append(rules, rule)
	src, wait := scripted(t, &imaptest.Script{Rules: rules}, Options{Start: ingest.Start{All: true}})
	defer wait()
	log := logtest.NewMemory()
	codes = map[string]int{}
	var mu sync.Mutex
	key := publish.Key{Tenant: "a", Mailbox: "b"}
	f := ingest.New(ingest.Options{Log: log, Worker: "w", Hooks: ingest.Hooks{State: func(_ publish.Key, s ingest.Status) {
		if s.Err != nil {
			mu.Lock()
			codes[string(s.Fault.Code)+" "+s.Fault.Class.String()]++
			mu.Unlock()
		}
	}}})
	must(t, f.Apply([]ingest.Mailbox{{Key: key, Info: publish.MailboxInfo{ID: "b"}, Source: src, PollEvery: time.Minute}}))
	<-time.After(life)
	must(t, f.Stop(context.Background()))
	for _, e := range log.Events(key) {
		if e.Kind == publish.Quarantined {
			quarantined++
		}
	}
	return quarantined, codes
}

func TestAttackAServerThatRefusesEverythingQuarantinesNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, codes := outage(t, imaptest.Rule{Command: "UID FETCH", Answers: []string{"{tag} NO internal error, try again later\r\n"}}, 40*time.Second)
		t.Log(codes)
		if n > 3 {
			t.Errorf("%d of 20 good messages are quarantined after 40 s of an outage", n)
		}
	})
}

func TestAttackAServerThatHangsUpOnEveryFetchQuarantinesNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, codes := outage(t, imaptest.Rule{Command: "UID FETCH", Hangup: true}, 100*time.Second)
		t.Log(codes)
		if n > 0 {
			t.Errorf("%d of 20 good messages are quarantined after 100 s of an outage", n)
		}
	})
}

func TestAttackALongFolderNameBlocksNobody(t *testing.T) {
	t.Parallel()
	srv := startServer(t, imaptest.Options{})
	long := strings.Repeat("漢", 180)
	srv.Create(user, long)
	srv.Create(user, "later")
	must(t, srv.Add(user, long, mail(1, 100), time.Now()))
	must(t, srv.Add(user, "later", mail(2, 100), time.Now()))
	src := sourceOn(t, srv, Options{Start: ingest.Start{All: true}, Folders: []string{long, "later"}})
	sess := open(t, src)
	at := syncAt(t, sess, nil)
	l, end := readAll(t, sess, at, 0)
	if end != nil || len(l) != 1 || l[0].uid != 1 {
		t.Fatal(l, end)
	}
	skipped := sess.(interface{ Skipped() []error }).Skipped()
	if len(skipped) != 1 || len(l[0].ref) > 1536 {
		t.Errorf("skipped %v, ref of %d octets: natsjs refuses more than 1536 in Append, for ever", skipped, len(l[0].ref))
	}
}
