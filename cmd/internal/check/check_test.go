package check_test

import (
	"strings"
	"testing"

	"mailflume/cmd/internal/check"
	"mailflume/ingest/imapsource/imaptest"
	"mailflume/pop3/pop3test"
)

func TestEverythingThatWorksIsGreen(t *testing.T) {
	s := newStage(t, imaptest.Options{}, pop3test.Options{})
	cfg := s.load(t, s.box("imap", "support", "")+s.box("pop3", "invoices", ""), "")
	r := look(t, cfg)
	t.Log(text(t, r))
	if r.Cause() != check.None || r.Count(check.Failed)+r.Count(check.NotDone)+r.Count(check.Warning) > 0 {
		t.Errorf("cause %v", r.Cause())
	}
	if n := s.issuer.Requests("/token"); n != 1 {
		t.Errorf("%d token requests for one credential", n)
	}
	if !strings.Contains(step(t, r, check.Mailbox, "support", "folders").Text, "INBOX (0 messages)") {
		t.Error("no word of the folder")
	}
}
