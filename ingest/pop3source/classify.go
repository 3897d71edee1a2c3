package pop3source

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"mailflume/ingest"
	"mailflume/ingest/sasl"
	"mailflume/pop3"
	"mailflume/publish/redact"
)

const (
	lockedWait = time.Minute // a session of another client is over within minutes
	delayWait  = time.Minute // for a LOGIN-DELAY that CAPA does not announce
	// longToken is the sign-in line from which on a connection closed in answer to it is put down to
	// its length. Servers are known to give up at 512, 4,096, 8,192 and 10,240 octets.
	longToken = 2048
	// refusedToken is the same for a server that says -ERR before it closes: Exchange Online's newer
	// front end answers tokens of more than 4,096 characters with a protocol error (MailKit 1948).
	refusedToken = 4096
)

// situation is what classify knows besides the error.
type situation struct {
	op     string
	caps   pop3.Capabilities
	login  ingest.Mechanism
	signIn int            // octets of the sign-in line
	worked int            // octets of the longest sign-in line that worked before; 0: none has
	closed bool           // the refusal was followed by the end of the connection
	sent   *redact.Memory // what the server was given to sign in: it may repeat it at any time
}

// classify is the one place where errors of the protocol become faults. It decides on commands,
// response codes and types, never on text: Exchange's and Gmail's words change.
func classify(err error, s situation) error {
	if err == nil {
		return nil
	}
	if _, done := errors.AsType[*ingest.Error](err); done {
		return err
	}
	f := fault(err, s)
	switch f.Code {
	case ingest.CodeTokenTooLong:
		err = fmt.Errorf("%w, in answer to a sign-in of %d octets", err, s.signIn)
	case ingest.CodeMechanism:
		err = fmt.Errorf("%w; it offers: %s", err, cmp.Or(strings.Join(s.caps.SASL, ", "), "nothing that it names"))
	}
	return &ingest.Error{Fault: f, Op: s.op, Err: s.sent.Masker().Error(err)}
}

// fault looks at refusals first: they carry data. What the client itself found comes next, and what
// dialling, TLS and a lost connection produce last.
func fault(err error, s situation) ingest.Fault {
	if e, ok := errors.AsType[*pop3.Error](err); ok {
		if e.Backoff > 0 { // whatever else it says
			return ingest.Fault{Class: ingest.Throttled, Wait: e.Backoff, Code: ingest.CodeThrottled}
		}
		if s.unoffered(e) {
			return ingest.Fault{Class: ingest.Config, Code: ingest.CodeMechanism}
		}
		if f, ok := codeFault(e, s); ok {
			return f
		}
		return commandFault(e, s)
	}
	if errors.Is(err, pop3.ErrAuthLost) {
		return lostFault(s)
	}
	for _, row := range []struct {
		is error
		f  ingest.Fault
	}{
		{pop3.ErrLimit, ingest.Fault{Class: ingest.Transient, Code: ingest.CodeProtocolLimit}},
		{pop3.ErrSyntax, ingest.Fault{Class: ingest.Transient, Code: ingest.CodeProtocol}},
		{pop3.ErrInjection, ingest.Fault{Class: ingest.Config, Code: ingest.CodeProtocol}},
		{pop3.ErrInsecure, ingest.Fault{Class: ingest.Config, Code: ingest.CodeNoSTARTTLS}},
		{pop3.ErrTooSlow, ingest.Fault{Class: ingest.Transient, Code: ingest.CodeTimeout}},
		{pop3.ErrArgument, ingest.Fault{Class: ingest.Config, Code: ingest.CodeConfigInvalid}},
		{pop3.ErrClosed, ingest.Fault{Class: ingest.SessionOver, Code: ingest.CodeConnLost}},
		{pop3.ErrAbandoned, ingest.Fault{Class: ingest.SessionOver, Code: ingest.CodeConnLost}},
	} {
		if errors.Is(err, row.is) {
			return row.f
		}
	}
	return ingest.FaultOf(err)
}

// unoffered tells a refusal of the method from one of the credentials, which Dovecot both calls [AUTH]: the
// server lists methods, and not this one. Of a token it is known only while none was sent. USER stands in
// Dovecot's list even where only tokens sign in.
func (s situation) unoffered(e *pop3.Error) bool {
	switch {
	case e.Code != "" && e.Code != "AUTH":
		return false
	case e.Command == "AUTH":
		return e.Bare && !s.caps.Has(string(s.login))
	}
	notOne := func(m string) bool { return m != sasl.MechXOAUTH2 && m != sasl.MechOAUTHBEARER }
	return (e.Command == "USER" || e.Command == "PASS") && len(s.caps.SASL) > 0 && (!s.caps.User || !slices.ContainsFunc(s.caps.SASL, notOne))
}

// codeFault reads the response codes of RFC 2449 section 8.1 and RFC 3206.
func codeFault(e *pop3.Error, s situation) (ingest.Fault, bool) {
	switch code, sub, _ := strings.Cut(e.Code, "/"); code {
	case "IN-USE": // a locked maildrop, or Dovecot's limit of connections
		return ingest.Fault{Class: ingest.Transient, Wait: lockedWait, Code: ingest.CodeLocked}, true
	case "LOGIN-DELAY":
		return ingest.Fault{Class: ingest.Throttled, Wait: cmp.Or(s.caps.LoginDelay, delayWait), Code: ingest.CodeThrottled}, true
	case "UNAVAILABLE":
		return ingest.Fault{Class: ingest.Transient, Code: ingest.CodeAuthTemporary}, true
	case "AUTH":
		if sasl.Malformed(e.Challenge) {
			return ingest.Fault{Class: ingest.Auth, Code: ingest.CodeAddress, Lasting: true}, true
		}
		return refusedFault(s), true
	case "SYS":
		if sub != "PERM" {
			if e.Command == "AUTH" || e.Command == "PASS" { // Dovecot says so when its identity provider is down
				return ingest.Fault{Class: ingest.Transient, Code: ingest.CodeAuthTemporary}, true
			}
			return ingest.Fault{Class: ingest.Transient, Code: ingest.CodeServerBusy}, true
		}
		if e.Command == "RETR" || e.Command == "DELE" {
			return ingest.Fault{}, false // of one message, not of the mailbox
		}
		return ingest.Fault{Class: ingest.Permanent, Code: ingest.CodeNotConnected}, true
	}
	return ingest.Fault{}, false
}

// commandFault judges a refusal without a code by what was refused.
func commandFault(e *pop3.Error, s situation) ingest.Fault {
	switch e.Command {
	case "AUTH":
		if s.closed && s.signIn > refusedToken {
			return ingest.Fault{Class: ingest.Auth, Code: ingest.CodeTokenTooLong, Lasting: true}
		}
		if sasl.Malformed(e.Challenge) {
			return ingest.Fault{Class: ingest.Auth, Code: ingest.CodeAddress, Lasting: true}
		}
		return refusedFault(s)
	case "USER", "PASS":
		return refusedFault(s)
	case "STLS":
		return ingest.Fault{Class: ingest.Config, Code: ingest.CodeNoSTARTTLS}
	case "UIDL":
		return ingest.Fault{Class: ingest.Config, Code: ingest.CodeNoUIDL}
	case "RETR":
		return ingest.Fault{Class: ingest.BadMessage, Code: ingest.CodeMessageRefused}
	case "DELE":
		return ingest.Fault{Class: ingest.Config, Code: ingest.CodeActionRefused}
	case "QUIT":
		return ingest.Fault{Class: ingest.Transient, Code: ingest.CodeActionRefused}
	}
	return ingest.Fault{Class: ingest.Transient, Code: ingest.CodeServerBusy}
}

// refusedFault is a refusal of the credentials themselves: somebody has to act.
func refusedFault(s situation) ingest.Fault {
	if s.login == ingest.Password {
		return ingest.Fault{Class: ingest.Auth, Code: ingest.CodePasswordRefused}
	}
	return ingest.Fault{Class: ingest.Auth, Code: ingest.CodeAuthRefused}
}

// lostFault judges a connection that ended in answer to the credentials. Dovecot does that above
// 8,192 octets, and also when it knows the token but not the mailbox. After a success with a line as long
// it is neither; a token that has grown since may be too long now.
func lostFault(s situation) ingest.Fault {
	switch {
	case s.worked > 0 && (s.signIn <= s.worked || s.signIn < longToken):
		return ingest.Fault{Class: ingest.Transient, Code: ingest.CodeConnLost}
	case s.login != ingest.Password && s.signIn >= longToken:
		return ingest.Fault{Class: ingest.Auth, Code: ingest.CodeTokenTooLong, Lasting: true}
	}
	return ingest.Fault{Class: ingest.Auth, Code: ingest.CodeNotConnected}
}
