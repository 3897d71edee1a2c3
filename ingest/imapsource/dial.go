package imapsource

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2"

	"mailflume/ingest"
	"mailflume/publish/redact"
)

const (
	maxPreTLSLine = 8 << 10
	maxPreTLS     = 50 // lines before TLS
	startTLSTag   = "mf1"
)

// dial opens the connection, secures it and wraps it in the guard. Nothing but the STARTTLS
// dialogue ever goes in clear.
func (s *Source) dial(ctx context.Context) (*guard, error) {
	ep := s.opt.Endpoint
	raw, err := ep.Open(ctx)
	if err != nil {
		return nil, classify("imap connect", trouble{at: atConnect, err: err, sent: &s.sent})
	}
	// Closing is the only way to end a wait on a net.Conn when the context does.
	stop := context.AfterFunc(ctx, func() { _ = raw.Close() })
	conn, err := s.secure(ctx, raw)
	if !stop() && err == nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		_ = raw.Close()
		return nil, classify("imap connect", trouble{at: atConnect, err: err, end: context.Cause(ctx), sent: &s.sent})
	}
	return newGuard(redact.Trace(conn, ep.Trace, &s.sent), raw, s.opt.ProgressTimeout, ep.Security == ingest.StartTLS), nil
}

// secure brings the connection to TLS 1.2 or newer, with the host's name checked.
func (s *Source) secure(ctx context.Context, raw net.Conn) (net.Conn, error) {
	ep := s.opt.Endpoint
	if ep.Security == ingest.StartTLS {
		if err := startTLS(ctx, raw); err != nil {
			return nil, err
		}
	}
	conn := tls.Client(raw, ep.TLSConfig())
	if err := conn.HandshakeContext(ctx); err != nil {
		return nil, fmt.Errorf("tls handshake: %w", err)
	}
	return conn, nil
}

// startTLS does the dialogue of RFC 9051 section 6.2.1 up to the server's OK, and believes nothing
// that it hears on the way: a PREAUTH greeting would skip TLS (CVE-2021-39272), and octets behind
// the OK could be answers that an attacker put there for the time after the handshake
// (CVE-2011-0411, the NO STARTTLS findings). go-imap's own STARTTLS would hide the TLS layer below
// the guard.
func startTLS(ctx context.Context, raw net.Conn) error {
	if d, ok := ctx.Deadline(); ok {
		if err := raw.SetDeadline(d); err != nil {
			return fmt.Errorf("set deadline: %w", err)
		}
	}
	br := bufio.NewReaderSize(raw, maxPreTLSLine)
	greeting, err := readLine(br)
	if err != nil {
		return fmt.Errorf("read greeting: %w", err)
	}
	switch kind, text := splitStatus(greeting, "*"); kind {
	case "OK":
	case "BYE":
		return &imap.Error{Type: imap.StatusResponseTypeBye, Code: codeOf(text), Text: text}
	case "PREAUTH":
		return &ingest.Error{Fault: ingest.Fault{Class: ingest.Config, Code: ingest.CodeNoSTARTTLS}, Op: "imap starttls",
			Err: errors.New("server greets with PREAUTH on an unencrypted connection")}
	default:
		return errors.New("greeting is not IMAP")
	}
	if _, err := raw.Write([]byte(startTLSTag + " STARTTLS\r\n")); err != nil {
		return fmt.Errorf("write STARTTLS: %w", err)
	}
	if err := startTLSAnswer(br); err != nil {
		return err
	}
	if br.Buffered() > 0 {
		return &ingest.Error{Fault: ingest.Fault{Class: ingest.Transient, Code: ingest.CodeProtocol}, Op: "imap starttls",
			Err: errors.New("server sent data between its OK and the TLS handshake")}
	}
	if err := raw.SetDeadline(time.Time{}); err != nil {
		return fmt.Errorf("clear deadline: %w", err)
	}
	return nil
}

// startTLSAnswer reads up to the tagged answer. Untagged lines are passed over, a few.
func startTLSAnswer(br *bufio.Reader) error {
	for range maxPreTLS {
		line, err := readLine(br)
		if err != nil {
			return fmt.Errorf("read answer to STARTTLS: %w", err)
		}
		if kind, text := splitStatus(line, "*"); kind == "BYE" {
			return &imap.Error{Type: imap.StatusResponseTypeBye, Code: codeOf(text), Text: text}
		}
		kind, text := splitStatus(line, startTLSTag)
		if _, wait := backoff(text); wait {
			return &imap.Error{Type: imap.StatusResponseType(kind), Text: text}
		}
		switch kind {
		case "OK":
			return nil
		case "NO", "BAD":
			return &ingest.Error{Fault: ingest.Fault{Class: ingest.Config, Code: ingest.CodeNoSTARTTLS}, Op: "imap starttls",
				Err: status{kind: kind, text: printable(text)}.asError()}
		}
	}
	return limitError("too many lines before TLS")
}

// readLine reads one bounded line.
func readLine(br *bufio.Reader) (string, error) {
	line, err := br.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		return "", limitError("line before TLS longer than 8 KiB")
	}
	if err != nil {
		return "", err
	}
	return strings.TrimRight(string(line), "\r\n"), nil
}

// splitStatus returns the status word of a line with that tag, and its text.
func splitStatus(line, tag string) (kind, text string) {
	rest, ok := strings.CutPrefix(line, tag+" ")
	if !ok {
		return "", ""
	}
	kind, text, _ = strings.Cut(rest, " ")
	return strings.ToUpper(kind), text
}

// codeOf returns the response code (RFC 5530) at the start of a text.
func codeOf(text string) imap.ResponseCode {
	rest, ok := strings.CutPrefix(text, "[")
	if !ok {
		return ""
	}
	code, _, _ := strings.Cut(rest, "]")
	code, _, _ = strings.Cut(code, " ")
	return imap.ResponseCode(strings.ToUpper(code))
}
