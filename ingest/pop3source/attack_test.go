package pop3source

import (
	"context"
	"testing"
	"time"

	"mailflume/ingest"
	"mailflume/pop3/pop3test"
	"mailflume/publish"
	"mailflume/publish/logtest"
)

// A message store behind the POP3 front end is away for a while: every RETR is answered -ERR.
func TestAttackAnOutageBehindTheServerQuarantinesNobody(t *testing.T) {
	opt := pop3test.Options{Shared: true}
	opt.Hooks.Retr = func(string, int, string) pop3test.Fault {
		return pop3test.Fault{Refuse: "-ERR internal error, try again later"}
	}
	srv := start(t, opt)
	fill(srv, 30)
	src := source(t, srv)
	log := logtest.NewMemory()
	k := publish.Key{Tenant: "a", Mailbox: "b"}
	f := ingest.New(ingest.Options{Log: log, Worker: "w"})
	if err := f.Apply([]ingest.Mailbox{{Key: k, Info: publish.MailboxInfo{ID: "b"}, Source: src, PollEvery: time.Minute}}); err != nil {
		t.Fatal(err)
	}
	<-time.After(12 * time.Second)
	if err := f.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, e := range log.Events(k) {
		if e.Kind == publish.Quarantined {
			n++
		}
	}
	if n > 3 {
		t.Errorf("%d of 30 good messages are quarantined after 12 s of an outage", n)
	}
}
