package worker

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"mailflume/cmd/internal/config"
	"mailflume/ingest"
	"mailflume/publish"
)

// logged is a worker of one mailbox that has hooks and nothing behind them.
func logged() (w *Worker, box publish.Key, log *bytes.Buffer) {
	log, box = &bytes.Buffer{}, publish.Key{Tenant: "default", Mailbox: "box"}
	w = &Worker{log: zerolog.New(log).Level(zerolog.InfoLevel), board: NewBoard(), metrics: newMetrics("test", 1), choruses: map[string]chorus{}}
	w.board.expect(&config.Config{Mailboxes: []*config.Mailbox{{ID: "box", Settings: config.Settings{Tenant: "default"}}}})
	return w, box, log
}

func TestAMailboxHasRecoveredWhenSomethingIsAcknowledgedAndNotBefore(t *testing.T) {
	at := time.Now()
	down := ingest.Status{State: ingest.StateNATSUnavailable, At: at, Err: publish.ErrUnavailable, Fault: ingest.FaultOf(publish.ErrUnavailable)}
	for name, good := range map[string]func(h ingest.Hooks, box publish.Key){
		"an event": func(h ingest.Hooks, box publish.Key) { h.Delivered(box, ingest.Delivery{Type: publish.Received}) },
		"the mailbox is read": func(h ingest.Hooks, box publish.Key) {
			h.State(box, ingest.Status{State: ingest.StatePollingWait, At: at})
		},
	} {
		t.Run(name, func(t *testing.T) {
			w, box, log := logged()
			h := w.hooks()
			for range 3 { // it connects, fetches, and finds NATS down
				for _, s := range []ingest.State{ingest.StateConnecting, ingest.StateEnumerating, ingest.StateFetching} {
					h.State(box, ingest.Status{State: s, At: at})
				}
				h.State(box, down)
			}
			if r := w.board.Rows()[0]; strings.Contains(log.String(), "recovered") || strings.Count(log.String(), "in trouble") != 1 || r.Code != "MF-NATS-001" {
				t.Fatalf("%+v\n%s", r, log)
			}
			good(h, box)
			if r := w.board.Rows()[0]; strings.Count(log.String(), "recovered") != 1 || r.Code != "" || r.State == string(down.State) {
				t.Errorf("%+v\n%s", r, log)
			}
		})
	}
}

func TestWhatPassesByItselfIsNoWarning(t *testing.T) {
	w, box, log := logged()
	h := w.hooks()
	h.Inherited(box, "w1", "", 0)
	fenced := ingest.Status{State: ingest.StateBackoff, At: time.Now(), Err: publish.ErrFenced, Fault: ingest.FaultOf(publish.ErrFenced)}
	h.State(box, fenced)
	if strings.Contains(log.String(), `"warn"`) || strings.Contains(log.String(), `"ref"`) || strings.Count(log.String(), "\n") != 2 {
		t.Error(log)
	}
	h.State(box, ingest.Status{State: ingest.StatePollingWait, At: fenced.At})
	h.State(box, fenced) // a quarrel
	h.Inherited(box, "w1", "INBOX;1;7", 2)
	if strings.Count(log.String(), `"warn"`) != 2 || !strings.Contains(log.String(), "INBOX;1;7") {
		t.Error(log)
	}
}

func TestAnIssuerThatIsDownForAllMailboxesFillsNoLog(t *testing.T) {
	w, _, log := logged()
	const boxes = 3000
	cfg := &config.Config{}
	for i := range boxes {
		cfg.Mailboxes = append(cfg.Mailboxes, &config.Mailbox{ID: fmt.Sprint("box", i), Settings: config.Settings{Tenant: "default"}})
	}
	w.board.expect(cfg)
	h, at := w.hooks(), time.Now()
	down := ingest.Fault{Class: ingest.Transient, Code: ingest.CodeTokenDown}
	for _, s := range []ingest.Status{
		{State: ingest.StateBackoff, Err: &ingest.Error{Fault: down}, Fault: down}, {State: ingest.StateBackoff, Err: &ingest.Error{Fault: down}, Fault: down}, {State: ingest.StateIdle},
	} {
		at = at.Add(time.Minute)
		for _, m := range cfg.Mailboxes {
			s.At = at
			h.State(m.Key(), s)
		}
	}
	if n := strings.Count(log.String(), "\n"); n != 2*(manyAlike+1) || strings.Count(log.String(), "mailflume status names them") != 2 {
		t.Errorf("%d lines:\n%.3000s", n, log)
	}
	if r := w.board.Rows()[boxes-1]; r.Code != "" {
		t.Errorf("%+v", r)
	}
	h.State(cfg.Mailboxes[0].Key(), ingest.Status{State: ingest.StateBackoff, At: at.Add(repeatAfter), Err: &ingest.Error{Fault: down}, Fault: down})
	if !strings.HasSuffix(strings.TrimSpace(log.String()), `"message":"mailbox in trouble"}`) {
		t.Error("it is not told again later")
	}
}
