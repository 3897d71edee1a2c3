package main

import (
	"strings"
	"testing"
	"time"

	"mailflume/publish"
)

func TestTapShowsEventsAboutMailboxesThemselves(t *testing.T) {
	box := publish.Key{Tenant: "default", Mailbox: "support"}
	for kind, tc := range map[publish.EventType]struct {
		why  *publish.Problem
		want string
	}{
		publish.AuthFailed: {&publish.Problem{Code: "MF-AUTH-001", Message: "NO\x1b[2J"}, "auth_failed support          MF-AUTH-001 NO"},
		publish.Stalled:    {&publish.Problem{Code: "MF-BOX-020", Message: "late"}, "stalled     support          MF-BOX-020 late"},
		publish.Recovered:  {nil, "recovered   support"},
	} {
		ev := publish.NewEvent(box, kind, "id", time.Unix(0, 0), &publish.Data{Mailbox: publish.MailboxInfo{ID: "support"}, Problem: tc.why})
		line := eventLine(ev)
		if !strings.Contains(line, tc.want) || strings.Contains(line, "\x1b") || strings.Contains(line, `""`) {
			t.Errorf("%s: %q", kind, line)
		}
	}
}
