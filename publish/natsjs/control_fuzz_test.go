package natsjs

import (
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
)

// FuzzRequest: whatever a client sends, what is taken for a request names a mailbox and a verb.
func FuzzRequest(f *testing.F) {
	f.Add(`{"v":1,"tenant":"t","mailbox":"m","verb":"pause"}`)
	f.Add(`{"v":2,"mailbox":"m","verb":"pause"}`)
	f.Add(`{"v":1,"mailbox":["m"],"verb":"pause","args":{}}`)
	f.Fuzz(func(t *testing.T, body string) {
		r, err := decodeRequest([]byte(body))
		if err == nil && (r.Box.Mailbox == "" || r.Verb == "") {
			t.Fatalf("%+v", r)
		}
		if _, err := decodeAnswer([]byte(body)); err == nil && !strings.Contains(body, "{") && strings.TrimSpace(body) != "null" {
			t.Fatal("that is no answer")
		}
	})
}

// FuzzPaused: what is taken for a paused mailbox names one.
func FuzzPaused(f *testing.F) {
	f.Add(`{"tenant":"t","mailbox":"m","since":"2026-01-02T03:04:05Z"}`)
	f.Add(`{"mailbox":"","since":"x"}`)
	f.Fuzz(func(t *testing.T, body string) {
		if box, ok := parsePaused(nats.Header{}, []byte(body)); ok && box.Mailbox == "" {
			t.Fatal("no mailbox")
		}
		if _, ok := parsePaused(nats.Header{hdrOperation: {"DEL"}}, []byte(body)); ok {
			t.Fatal("a deleted key is one")
		}
	})
}

// FuzzReport: whatever answers a survey, what is taken for a report has a worker's name.
func FuzzReport(f *testing.F) {
	f.Add(`{"v":1,"worker":"one","instance":"x","peers":["two"],"total":2,"rows":[{},{}]}`)
	f.Add(`{"v":1,"worker":"","total":-1}`)
	f.Fuzz(func(t *testing.T, body string) {
		s := survey{got: map[string]*Report{}, total: map[string]int{}}
		s.take([]byte(body))
		reports, _ := s.result()
		if len(reports) > 0 && reports[0].Worker == "" {
			t.Fatalf("%+v", reports)
		}
	})
}
