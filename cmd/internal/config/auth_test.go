package config

import (
	"strings"
	"testing"
)

func TestAMechanismOfDefaultsIsBlamedOnTheMailboxThatItDoesNotFit(t *testing.T) {
	_, err := Parse("m.yaml", []byte(`credentials:
  p: {type: password, user: u, password: "file:p"}
  o: {type: oauth2, token: "file:t"}
defaults: {auth: xoauth2, host: mail.example.com}
mailboxes:
  - {id: q0, address: a@example.com, credentials: p, auth: password}
  - {id: q1, address: b@example.com, credentials: p}
  - {id: q2, address: c@example.com, credentials: o}
`))
	if err == nil {
		t.Fatal("it is valid")
	}
	for _, want := range []string{"m.yaml:7:", "mailbox q1", "add auth: password to the mailbox"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in: %v", want, err)
		}
	}
	if strings.Contains(err.Error(), "m.yaml:4:") || strings.Contains(err.Error(), "q2") {
		t.Error(err)
	}
}
