package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"time"

	"mailflume/ingest/sasl"
)

// bare is a connection that is read as fast as it goes.
type bare struct {
	net.Conn
	r *bufio.Reader
}

func (b *bench) dial(ctx context.Context, addr string) (*bare, error) {
	d := tls.Dialer{Config: &tls.Config{RootCAs: b.stage.Issuer.CAPool(), ServerName: "127.0.0.1", MinVersion: tls.VersionTLS12}}
	c, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	bc := &bare{c, bufio.NewReaderSize(c, 64<<10)}
	_, err = bc.until("") // the greeting
	return bc, err
}

// until reads lines up to one that begins with prefix.
func (c *bare) until(prefix string) (string, error) {
	for {
		line, err := c.r.ReadString('\n')
		if err != nil || strings.HasPrefix(line, prefix) {
			return line, err
		}
	}
}

func (c *bare) ask(line, prefix string) error {
	if _, err := io.WriteString(c, line+"\r\n"); err != nil {
		return err
	}
	got, err := c.until(prefix)
	if err == nil && strings.Contains(got, "-ERR") {
		err = fmt.Errorf("%s: %s", line, got)
	}
	return err
}

func (b *bench) secret() (string, error) {
	ir, err := sasl.XOAUTH2(user, b.token())
	return base64.StdEncoding.EncodeToString(ir), err
}

// limitIMAP reads the whole mailbox with one FETCH and throws it away.
func (b *bench) limitIMAP(ctx context.Context) (sample, error) {
	return timed(func() error {
		c, err := b.dial(ctx, b.stage.Dovecot.IMAPS)
		if err != nil {
			return err
		}
		defer c.Close()
		secret, err := b.secret()
		if err != nil {
			return err
		}
		for _, line := range []string{"a AUTHENTICATE XOAUTH2 " + secret, "a EXAMINE INBOX"} {
			if err := c.ask(line, "a OK"); err != nil {
				return err
			}
		}
		if _, err := io.WriteString(c, "zz9 UID FETCH 1:* (UID RFC822.SIZE BODY.PEEK[])\r\n"); err != nil {
			return err
		}
		return c.discard("\r\nzz9 OK")
	})
}

// limitPOP3 keeps 16 RETR in flight and throws the answers away.
func (b *bench) limitPOP3(ctx context.Context) (sample, error) {
	return timed(func() error {
		c, err := b.dial(ctx, b.stage.Dovecot.POP3S)
		if err != nil {
			return err
		}
		defer c.Close()
		secret, err := b.secret()
		if err != nil {
			return err
		}
		for _, line := range []string{"AUTH XOAUTH2 " + secret, "NOOP"} {
			if err := c.ask(line, "+OK"); err != nil {
				return err
			}
		}
		sent := 0
		for done := range b.filled.N {
			var ask strings.Builder
			for ; sent < b.filled.N && sent < done+16; sent++ {
				fmt.Fprintf(&ask, "RETR %d\r\n", sent+1)
			}
			if _, err := io.WriteString(c, ask.String()); err != nil {
				return err
			}
			if err := c.skipMessage(); err != nil {
				return err
			}
		}
		return nil
	})
}

// discard reads until mark has come.
func (c *bare) discard(mark string) error {
	var last []byte
	for {
		if _, err := c.r.Peek(1); err != nil {
			return err
		}
		chunk, err := c.r.Peek(c.r.Buffered())
		if err != nil {
			return err
		}
		last = append(last, chunk[max(0, len(chunk)-256):]...)
		if bytes.Contains(last, []byte(mark)) {
			return nil
		}
		last = append(last[:0], chunk[max(0, len(chunk)-len(mark)):]...)
		if _, err := c.r.Discard(len(chunk)); err != nil {
			return err
		}
	}
}

// skipMessage reads one multi-line answer.
func (c *bare) skipMessage() error {
	for {
		line, err := c.r.ReadSlice('\n')
		if err != nil && err != bufio.ErrBufferFull { //nolint:errorlint // bufio returns it bare
			return err
		}
		if len(line) == 3 && line[0] == '.' {
			return nil
		}
	}
}

// timed measures f in this process.
func timed(f func() error) (sample, error) {
	var before, after syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &before); err != nil {
		return sample{}, err
	}
	begin := time.Now()
	err := f()
	s := sample{wall: time.Since(begin)}
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &after); err != nil {
		return s, err
	}
	s.cpu = time.Duration(after.Utime.Nano() + after.Stime.Nano() - before.Utime.Nano() - before.Stime.Nano())
	return s, err
}
