package pop3source

import (
	"context"
	"fmt"
	"io"
	"os"
	"testing"
	"time"

	"mailflume/ingest"
	"mailflume/pop3"
)

func TestClassify(t *testing.T) {
	exchange := pop3.Capabilities{SASL: []string{"PLAIN", "XOAUTH2"}, User: true, Lines: []string{"SASL PLAIN XOAUTH2"}}
	lost := fmt.Errorf("%w: %w", pop3.ErrAuthLost, io.ErrUnexpectedEOF)
	x := situation{login: ingest.XOAUTH2, caps: exchange}
	pw := situation{login: ingest.Password}
	refusal := func(command, code string) error { return &pop3.Error{Command: command, Code: code} }
	bare := func(code string) error { return &pop3.Error{Command: "AUTH", Code: code, Bare: true} }
	for _, row := range []struct {
		name string
		err  error
		s    situation
		want ingest.Fault
	}{
		{"Exchange refuses a token, no code", refusal("AUTH", ""), x, ingest.Fault{Class: ingest.Auth, Code: ingest.CodeAuthRefused}},
		{"Dovecot refuses a token", refusal("AUTH", "AUTH"), x, ingest.Fault{Class: ingest.Auth, Code: ingest.CodeAuthRefused}},
		{"refused password", refusal("PASS", "AUTH"), pw, ingest.Fault{Class: ingest.Auth, Code: ingest.CodePasswordRefused}},
		{"refused user", refusal("USER", ""), pw, ingest.Fault{Class: ingest.Auth, Code: ingest.CodePasswordRefused}},
		{"no USER on this server", refusal("USER", ""), situation{login: ingest.Password, caps: pop3.Capabilities{SASL: []string{"XOAUTH2"}}}, ingest.Fault{Class: ingest.Config, Code: ingest.CodeMechanism}},
		{"unknown mechanism", bare(""), situation{login: ingest.OAUTHBEARER, caps: exchange}, ingest.Fault{Class: ingest.Config, Code: ingest.CodeMechanism}},
		{"Dovecot calls an unknown mechanism refused credentials", bare("AUTH"), situation{login: ingest.OAUTHBEARER, caps: exchange}, ingest.Fault{Class: ingest.Config, Code: ingest.CodeMechanism}},
		{"and a password where only tokens are taken", refusal("PASS", "AUTH"), situation{login: ingest.Password, caps: pop3.Capabilities{SASL: []string{"OAUTHBEARER", "XOAUTH2"}, User: true}}, ingest.Fault{Class: ingest.Config, Code: ingest.CodeMechanism}},
		{"listed mechanism refused on one line too", bare(""), x, ingest.Fault{Class: ingest.Auth, Code: ingest.CodeAuthRefused}},
		{"identity provider down", refusal("AUTH", "UNAVAILABLE"), x, ingest.Fault{Class: ingest.Transient, Code: ingest.CodeAuthTemporary}},
		{"locked", refusal("PASS", "IN-USE"), pw, ingest.Fault{Class: ingest.Transient, Wait: time.Minute, Code: ingest.CodeLocked}},
		{"locked before the token", bare("IN-USE"), x, ingest.Fault{Class: ingest.Transient, Wait: time.Minute, Code: ingest.CodeLocked}},
		{"login delay as announced", refusal("AUTH", "LOGIN-DELAY"), situation{caps: pop3.Capabilities{LoginDelay: 5 * time.Minute}}, ingest.Fault{Class: ingest.Throttled, Wait: 5 * time.Minute, Code: ingest.CodeThrottled}},
		{"login delay not announced", refusal("PASS", "LOGIN-DELAY"), pw, ingest.Fault{Class: ingest.Throttled, Wait: time.Minute, Code: ingest.CodeThrottled}},
		{"temporary", refusal("greeting", "SYS/TEMP"), situation{}, ingest.Fault{Class: ingest.Transient, Code: ingest.CodeServerBusy}},
		{"temporary at the sign-in", refusal("AUTH", "SYS/TEMP"), x, ingest.Fault{Class: ingest.Transient, Code: ingest.CodeAuthTemporary}},
		{"temporary at RETR", refusal("RETR", "SYS/TEMP"), x, ingest.Fault{Class: ingest.Transient, Code: ingest.CodeServerBusy}},
		{"some other system trouble", refusal("LIST", "SYS/NEW"), x, ingest.Fault{Class: ingest.Transient, Code: ingest.CodeServerBusy}},
		{"POP switched off", refusal("AUTH", "SYS/PERM"), x, ingest.Fault{Class: ingest.Permanent, Code: ingest.CodeNotConnected}},
		{"one message for good", refusal("RETR", "SYS/PERM"), x, ingest.Fault{Class: ingest.BadMessage, Code: ingest.CodeMessageRefused}},
		{"one message", refusal("RETR", ""), x, ingest.Fault{Class: ingest.BadMessage, Code: ingest.CodeMessageRefused}},
		{"greeting", refusal("greeting", ""), situation{}, ingest.Fault{Class: ingest.Transient, Code: ingest.CodeServerBusy}},
		{"no STLS", refusal("STLS", ""), situation{}, ingest.Fault{Class: ingest.Config, Code: ingest.CodeNoSTARTTLS}},
		{"no UIDL", refusal("UIDL", ""), x, ingest.Fault{Class: ingest.Config, Code: ingest.CodeNoUIDL}},
		{"DELE", refusal("DELE", ""), x, ingest.Fault{Class: ingest.Config, Code: ingest.CodeActionRefused}},
		{"QUIT", refusal("QUIT", ""), x, ingest.Fault{Class: ingest.Transient, Code: ingest.CodeActionRefused}},
		{"an unknown code", refusal("STAT", "X-NEW"), x, ingest.Fault{Class: ingest.Transient, Code: ingest.CodeServerBusy}},
		{"closed on a long token", lost, situation{login: ingest.XOAUTH2, signIn: 9000}, ingest.Fault{Class: ingest.Auth, Code: ingest.CodeTokenTooLong, Lasting: true}},
		{"closed on a short token", lost, situation{login: ingest.XOAUTH2, signIn: 900}, ingest.Fault{Class: ingest.Auth, Code: ingest.CodeNotConnected}},
		{"closed on a token after a success", lost, situation{login: ingest.XOAUTH2, signIn: 9000, worked: 9000}, ingest.Fault{Class: ingest.Transient, Code: ingest.CodeConnLost}},
		{"closed on a token that has grown", lost, situation{login: ingest.XOAUTH2, signIn: 9000, worked: 2000}, ingest.Fault{Class: ingest.Auth, Code: ingest.CodeTokenTooLong, Lasting: true}},
		{"closed on a token that has grown a little", lost, situation{login: ingest.XOAUTH2, signIn: 1600, worked: 1500}, ingest.Fault{Class: ingest.Transient, Code: ingest.CodeConnLost}},
		{"refused and closed on a very long token", refusal("AUTH", ""), situation{login: ingest.XOAUTH2, signIn: 5000, closed: true}, ingest.Fault{Class: ingest.Auth, Code: ingest.CodeTokenTooLong, Lasting: true}},
		{"refused and closed on a usual token", refusal("AUTH", ""), situation{login: ingest.XOAUTH2, signIn: 3000, closed: true}, ingest.Fault{Class: ingest.Auth, Code: ingest.CodeAuthRefused}},
		{"closed on a password", lost, situation{login: ingest.Password, signIn: 9000}, ingest.Fault{Class: ingest.Auth, Code: ingest.CodeNotConnected}},
		{"lost", fmt.Errorf("x: %w", io.ErrUnexpectedEOF), x, ingest.Fault{Class: ingest.Transient, Code: ingest.CodeConnLost}},
		{"silent", fmt.Errorf("x: %w", os.ErrDeadlineExceeded), x, ingest.Fault{Class: ingest.Transient, Code: ingest.CodeTimeout}},
		{"slow", fmt.Errorf("x: %w", pop3.ErrTooSlow), x, ingest.Fault{Class: ingest.Transient, Code: ingest.CodeTimeout}},
		{"context", context.DeadlineExceeded, x, ingest.Fault{Class: ingest.Transient, Code: ingest.CodeTimeout}},
		{"not POP3", fmt.Errorf("x: %w", pop3.ErrSyntax), x, ingest.Fault{Class: ingest.Transient, Code: ingest.CodeProtocol}},
		{"too much", fmt.Errorf("x: %w", pop3.ErrLimit), x, ingest.Fault{Class: ingest.Transient, Code: ingest.CodeProtocolLimit}},
		{"injection", fmt.Errorf("x: %w", pop3.ErrInjection), x, ingest.Fault{Class: ingest.Config, Code: ingest.CodeProtocol}},
		{"a line break in the password", fmt.Errorf("x: %w", pop3.ErrArgument), pw, ingest.Fault{Class: ingest.Config, Code: ingest.CodeConfigInvalid}},
		{"left", fmt.Errorf("x: %w", pop3.ErrAbandoned), x, ingest.Fault{Class: ingest.SessionOver, Code: ingest.CodeConnLost}},
	} {
		t.Run(row.name, func(t *testing.T) {
			err := classify(row.err, row.s)
			if got := ingest.FaultOf(err); got != row.want {
				t.Errorf("got %+v, want %+v", got, row.want)
			}
			if again := classify(err, situation{}); again != err { // the very same value
				t.Errorf("classified twice: %v", again)
			}
		})
	}
}
