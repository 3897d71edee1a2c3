package pop3source

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"mailflume/ingest"
	"mailflume/publish/redact"
)

// Options say which maildrop is read and how. Endpoint.Addr and Login are required.
type Options struct {
	Endpoint ingest.Endpoint
	Login    ingest.Login
	Start    ingest.Start
	After    ingest.After // none or delete

	MaxMessage  int64 // largest message in octets; 0: no limit
	MaxInFlight int   // RETR commands on their way at once, where the server pipelines; 0: 32

	ConnectTimeout  time.Duration // dialling, TLS and greeting together; 0: 30 s
	ProgressTimeout time.Duration // the longest silence on the connection; 0: 60 s

	Now func() time.Time // nil: time.Now
}

// Source is one maildrop on one server. It is safe for concurrent use.
type Source struct {
	opt    Options
	host   string
	signIn ingest.SignIn
	worked atomic.Int64  // octets of the longest sign-in line that the server has taken
	sent   redact.Memory // tokens and passwords
}

var _ interface {
	ingest.Source
	ingest.Preparer
} = (*Source)(nil)

// New checks the options and returns a Source; it does no I/O. Its errors are of class Config.
func New(opt Options) (*Source, error) {
	host, err := check(opt)
	if err != nil {
		return nil, &ingest.Error{Fault: ingest.Fault{Class: ingest.Config, Code: ingest.CodeConfigInvalid}, Op: "pop3 options", Err: err}
	}
	opt.Login.Mechanism = cmp.Or(opt.Login.Mechanism, ingest.Bearer)
	opt.Endpoint.Security = cmp.Or(opt.Endpoint.Security, ingest.ImplicitTLS)
	opt.MaxInFlight = cmp.Or(opt.MaxInFlight, 32)
	opt.ConnectTimeout = cmp.Or(opt.ConnectTimeout, 30*time.Second)
	opt.ProgressTimeout = cmp.Or(opt.ProgressTimeout, time.Minute)
	if opt.Now == nil {
		opt.Now = time.Now
	}
	return &Source{opt: opt, host: host, signIn: ingest.SignIn{Op: "pop3", Tokens: opt.Login.Tokens, Now: opt.Now}}, nil
}

// check finds what no server could mend, with the option's own name.
func check(opt Options) (host string, err error) {
	host, _, err = net.SplitHostPort(opt.Endpoint.Addr)
	if err != nil {
		return "", fmt.Errorf("endpoint: %w", err)
	}
	switch opt.Endpoint.Security {
	case "", ingest.ImplicitTLS, ingest.StartTLS:
	default:
		return "", fmt.Errorf("unknown way to TLS %q", opt.Endpoint.Security)
	}
	switch opt.Login.Mechanism {
	case "", ingest.Bearer, ingest.XOAUTH2, ingest.OAUTHBEARER, ingest.Password:
	default:
		return "", fmt.Errorf("unknown sign-in method %q", opt.Login.Mechanism)
	}
	switch opt.After.Action {
	case "", ingest.ActionNone, ingest.ActionDelete:
	default:
		return "", fmt.Errorf("POP3 cannot %s a message: set after.action to none or delete", opt.After.Action)
	}
	switch {
	case host == "":
		return "", errors.New("endpoint: the host is missing")
	case opt.Login.User == "":
		return "", errors.New("login: the user is missing")
	case opt.Login.Tokens == nil:
		return "", errors.New("login: the token source is missing")
	case opt.MaxMessage < 0 || opt.MaxInFlight < 0 || opt.ConnectTimeout < 0 || opt.ProgressTimeout < 0:
		return "", errors.New("limits and timeouts must not be negative")
	}
	return host, nil
}
