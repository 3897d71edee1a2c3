package submit

import (
	"errors"
	"net/textproto"

	"github.com/emersion/go-smtp"

	"mailflume/ingest"
)

// stage is how far a submission had come.
type stage int

const (
	atConnect stage = iota
	atAuth
	atMessage
)

// classify makes the one error of this package: of a reply by its code and its enhanced status code, of
// everything else by what it is.
func classify(op string, at stage, err error) error {
	if _, done := errors.AsType[*ingest.Error](err); done || err == nil {
		return err
	}
	f := kindOf(err)
	if f == nil {
		f = &ingest.Fault{Class: ingest.Transient, Code: ingest.CodeUnknown}
	}
	if reply, ok := errors.AsType[*smtp.SMTPError](err); ok {
		*f = replyFault(at, reply.Code, reply.EnhancedCode)
	}
	return &ingest.Error{Fault: *f, Op: op, Err: short(err)}
}

// kindOf classifies what is no matter of the stage; nil: nothing is known of such an error.
func kindOf(err error) *ingest.Fault {
	if _, ok := errors.AsType[*smtp.SMTPError](err); ok {
		return &ingest.Fault{Class: ingest.Transient, Code: ingest.CodeSubmitBusy}
	}
	if errors.Is(err, errNoSTARTTLS) {
		return &ingest.Fault{Class: ingest.Config, Code: ingest.CodeNoSTARTTLS}
	}
	if errors.Is(err, errTooMuch) {
		return &ingest.Fault{Class: ingest.Config, Code: ingest.CodeProtocolLimit}
	}
	if f, ok := ingest.NetFault(err); ok {
		return &f
	}
	if _, ok := errors.AsType[textproto.ProtocolError](err); ok {
		return &ingest.Fault{Class: ingest.Config, Code: ingest.CodeProtocol}
	}
	return nil
}

// replyFault classifies a reply. Enhanced codes that Exchange Online alone uses this way:
//
//	5.7.139    SMTP AUTH is switched off, for the mailbox or the tenant (or a policy forbids the sign-in)
//	5.7.3      the token or its rights are refused
//	5.7.60     the app may not send as this mailbox; 5.2.252 is the same, told after the message
func replyFault(at stage, code int, enhanced smtp.EnhancedCode) ingest.Fault {
	switch {
	case code == 454 && at == atAuth: // RFC 4954 section 6: temporary authentication failure
		return ingest.Fault{Class: ingest.Transient, Code: ingest.CodeAuthTemporary}
	case code < 500:
		return ingest.Fault{Class: ingest.Transient, Code: ingest.CodeSubmitBusy}
	case enhanced == smtp.EnhancedCode{5, 7, 139}:
		return ingest.Fault{Class: ingest.Auth, Code: ingest.CodeSubmitOff, Lasting: true}
	case enhanced == smtp.EnhancedCode{5, 7, 13}: // RFC 5248 section 2.4: the account is disabled
		return ingest.Fault{Class: ingest.Auth, Code: ingest.CodeAccount, Lasting: true}
	case enhanced == smtp.EnhancedCode{5, 7, 14}: // Gmail: the owner has to sign in with a browser
		return ingest.Fault{Class: ingest.Auth, Code: ingest.CodeAlert}
	case code == 535, code == 530, code == 538: // RFC 4954 section 6
		return ingest.Fault{Class: ingest.Auth, Code: ingest.CodeSubmitRefused, Lasting: true}
	case at == atAuth && (code == 500 || code == 555):
		return ingest.Fault{Class: ingest.Auth, Code: ingest.CodeTokenTooLong, Lasting: true}
	case code == 504, code == 534, at == atAuth:
		return ingest.Fault{Class: ingest.Config, Code: ingest.CodeMechanism}
	case enhanced == smtp.EnhancedCode{5, 7, 60}, enhanced == smtp.EnhancedCode{5, 2, 252}:
		return ingest.Fault{Class: ingest.Config, Code: ingest.CodeSendAs, Lasting: true}
	}
	return ingest.Fault{Class: ingest.Config, Code: ingest.CodeSubmitRejected}
}
