package ingest

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"testing"
	"time"

	"mailflume/publish"
)

func TestEveryErrorHasAClassAndACode(t *testing.T) {
	for _, row := range []struct {
		err   error
		class Class
		code  Code
	}{
		{errors.New("?"), Transient, CodeUnknown},
		{&Error{Fault{Class: Auth, Code: CodeAuthRefused}, "imap login", io.EOF}, Auth, CodeAuthRefused},
		{&net.DNSError{IsNotFound: true}, Config, CodeHostUnknown},
		{&net.DNSError{IsTimeout: true}, Transient, CodeDNS},
		{&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}, Transient, CodeConnRefused},
		{context.DeadlineExceeded, Transient, CodeTimeout},
		{io.ErrUnexpectedEOF, Transient, CodeConnLost},
		{x509.CertificateInvalidError{Reason: x509.Expired}, Config, CodeCertExpired},
		{x509.UnknownAuthorityError{}, Config, CodeCertUnknownCA},
		{x509.HostnameError{Certificate: &x509.Certificate{}, Host: "x"}, Config, CodeCertName},
		{publish.ErrFenced, Transient, CodeFenced},
		{publish.ErrLogMoved, Transient, CodeLogMoved},
		{publish.ErrFull, Transient, CodeStreamFull},
		{publish.ErrDenied, Config, CodeNATSDenied},
		{publish.ErrUnsafe, Config, CodeStreamUnsafe},
		{publish.ErrUnavailable, Transient, CodeNATSDown},
		{publish.ErrTooLarge, BadMessage, CodeEventTooLarge},
		{publish.ErrNewerFormat, Permanent, CodeNewerFormat},
	} {
		for _, err := range []error{row.err, fmt.Errorf("wrapped: %w", row.err), errors.Join(errors.New("first"), row.err)} {
			if f := FaultOf(err); f.Class != row.class || f.Code != row.code {
				t.Errorf("%v: %s %s, want %s %s", err, f.Class, f.Code, row.class, row.code)
			}
		}
	}
}

func TestEveryCodeIsExplainedOnce(t *testing.T) {
	seen := map[Code]bool{}
	for _, c := range Codes() {
		meaning, next := Explain(c)
		if seen[c] || meaning == "" || next == "" {
			t.Errorf("%s: twice %v, meaning %q, next %q", c, seen[c], meaning, next)
		}
		seen[c] = true
	}
	if len(seen) < 50 {
		t.Errorf("only %d codes", len(seen))
	}
	if meaning, _ := Explain("MF-XXX-999"); meaning != "" {
		t.Errorf("an unknown code means %q", meaning)
	}
}

func TestBackoffGrowsToItsCeiling(t *testing.T) {
	for _, c := range []Class{Transient, Throttled, SessionOver, BadMessage} {
		var b backoff
		p := paceOf(c)
		step := p.first
		for i := range 40 {
			wait := b.next(Fault{Class: c})
			if wait < step/2 || wait > step+1 {
				t.Fatalf("%s, try %d: waits %v, want between %v and %v", c, i, wait, step/2, step)
			}
			step = min(2*step, p.ceiling)
		}
	}
}

func TestATimeThatTheServerNamesIsKeptToTheSecond(t *testing.T) {
	for _, f := range []Fault{
		{Class: Throttled, Wait: 89117 * time.Millisecond}, {Class: Transient, Wait: 17 * time.Second}, {Class: Auth, Wait: 20 * time.Minute}, {Class: Permanent, Wait: 2 * time.Hour},
	} {
		for range 100 {
			var b backoff
			if wait := b.next(f); wait < f.Wait || wait > f.Wait+time.Second {
				t.Fatalf("%s: told to wait %v, waits %v", f.Class, f.Wait, wait)
			}
		}
	}
}

func TestARefusedMailboxIsParkedAfterThreeRefusalsAMinuteApart(t *testing.T) {
	for _, c := range []struct {
		fault Fault
		rest  time.Duration
	}{
		{Fault{Class: Auth}, 15 * time.Minute},
		{Fault{Class: Config}, 15 * time.Minute},
		{Fault{Class: Auth, Lasting: true}, time.Hour},
		{Fault{Class: Permanent}, time.Hour},
	} {
		var b backoff
		for i := range 10 {
			want := time.Minute
			if i >= 2 {
				want = c.rest
			}
			if i%3 == 1 {
				b.next(Fault{Class: Transient}) // what comes between does not close the breaker
			}
			if wait := b.next(c.fault); wait < want || wait > want*11/10 {
				t.Errorf("%+v, refusal %d: waits %v, want %v and a little", c.fault, i+1, wait, want)
			}
		}
		b.reset()
		if wait := b.next(c.fault); wait > 2*time.Minute {
			t.Errorf("%+v: the first refusal after a success is followed by %v", c.fault, wait)
		}
	}
}
