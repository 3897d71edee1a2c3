package ingest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"mailflume/publish"
)

// Class says what kind of thing went wrong, and with it who has to act and when to try again.
type Class int

// The classes. The zero value, Transient, is also the class of every error nobody classified.
const (
	Transient   Class = iota // goes away by itself: back off with jitter
	Throttled                // the server said to wait: obey Wait
	SessionOver              // the connection or its token ended: open a new one at once
	Auth                     // credentials refused: an administrator must act; try slowly
	Config                   // configuration or rights on the server: try slowly, it may heal
	BadMessage               // this message only: count it against the message
	Permanent                // until the configuration changes; try at most hourly
)

// String returns the class in lower case.
func (c Class) String() string {
	switch c {
	case Throttled:
		return "throttled"
	case SessionOver:
		return "session"
	case Auth:
		return "auth"
	case Config:
		return "config"
	case BadMessage:
		return "message"
	case Permanent:
		return "permanent"
	default:
		return "transient"
	}
}

// Fault is what the runner wants to know of an error.
type Fault struct {
	Class Class
	Wait  time.Duration // at least this long before the next try; 0: the class's backoff
	Code  Code
	// Lasting is for Auth and Config: nothing but a change on this side ends it (a secret, an id), so it is tried
	// hourly like Permanent. What somebody else may mend at any time (a consent, a right) is not.
	Lasting bool
}

// Error is an error with its Fault. Adapters make one in exactly one function each.
type Error struct {
	Fault Fault
	Op    string // what was being done, for example "imap login"
	Err   error  // the cause, in the server's own words where there are any
}

// Error returns "CODE op: cause".
func (e *Error) Error() string {
	s := string(e.Fault.Code)
	if e.Op != "" {
		s += " " + e.Op
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// TooLarge is the error of a message over the limit, as far as its octets were counted or announced.
func TooLarge(op string, octets, limit int64) error {
	return &Error{Fault{Class: BadMessage, Code: CodeMessageTooLarge}, op, fmt.Errorf("larger than limits.message_size (%d > %d)", octets, limit)}
}

// FaultOf classifies any error: the only question that the runner asks of one.
func FaultOf(err error) Fault {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Fault
	}
	if f, ok := publishFault(err); ok {
		return f
	}
	if f, ok := NetFault(err); ok {
		return f
	}
	return Fault{Class: Transient, Code: CodeUnknown}
}

func publishFault(err error) (Fault, bool) {
	for _, row := range []struct {
		is error
		f  Fault
	}{
		{publish.ErrBlobs, Fault{Class: Transient, Code: CodeBlobStore}},
		{publish.ErrFenced, Fault{Class: Transient, Wait: 6 * time.Second, Code: CodeFenced}}, // two heartbeats
		{publish.ErrLogMoved, Fault{Class: Transient, Code: CodeLogMoved}},
		{publish.ErrTooLarge, Fault{Class: BadMessage, Code: CodeEventTooLarge}},
		{publish.ErrNewerFormat, Fault{Class: Permanent, Code: CodeNewerFormat}},
		{publish.ErrFull, Fault{Class: Transient, Code: CodeStreamFull}},
		{publish.ErrDenied, Fault{Class: Config, Code: CodeNATSDenied}},
		{publish.ErrUnsafe, Fault{Class: Config, Code: CodeStreamUnsafe}},
		{publish.ErrUnavailable, Fault{Class: Transient, Code: CodeNATSDown}},
		{publish.ErrCorrupt, Fault{Class: Transient, Code: CodeBlobCorrupt}},
	} {
		if errors.Is(err, row.is) {
			return row.f, true
		}
	}
	return Fault{}, false
}

// NetFault classifies what dialling, TLS and a lost connection produce. ok is false for anything else.
func NetFault(err error) (f Fault, ok bool) {
	if f, ok := tlsFault(err); ok {
		return f, true
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		if dns.IsNotFound {
			return Fault{Class: Config, Code: CodeHostUnknown}, true
		}
		return Fault{Class: Transient, Code: CodeDNS}, true
	}
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return Fault{Class: Transient, Code: CodeConnRefused}, true
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded), isTimeout(err):
		return Fault{Class: Transient, Code: CodeTimeout}, true
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET),
		errors.Is(err, syscall.EPIPE), errors.Is(err, net.ErrClosed), errors.Is(err, io.ErrClosedPipe):
		return Fault{Class: Transient, Code: CodeConnLost}, true
	}
	return Fault{}, false
}

func isTimeout(err error) bool {
	ne, ok := errors.AsType[net.Error](err)
	return ok && ne.Timeout()
}

func tlsFault(err error) (Fault, bool) {
	if ce, ok := errors.AsType[x509.CertificateInvalidError](err); ok {
		if ce.Reason == x509.Expired {
			return Fault{Class: Config, Code: CodeCertExpired}, true
		}
		return Fault{Class: Config, Code: CodeCertInvalid}, true
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return Fault{Class: Config, Code: CodeCertUnknownCA}, true
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return Fault{Class: Config, Code: CodeCertName}, true
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return Fault{Class: Config, Code: CodeCertInvalid}, true
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return Fault{Class: Config, Code: CodeNotTLS}, true
	}
	if _, ok := errors.AsType[tls.AlertError](err); ok {
		return Fault{Class: Config, Code: CodeTLSRefused}, true
	}
	return Fault{}, false
}
