package rig

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

const letter = "From: x@example.net\r\nSubject: dots\r\n\r\n.one\r\n..two\r\n.\r\nend\r\n"

var longAgo = time.Date(2021, 7, 8, 9, 10, 11, 0, time.UTC)

func TestInteropAPasswordOpensAMailboxOnEveryPort(t *testing.T) {
	d := start(t, Options{})
	if _, err := d.Deliver("a@example.org", "", []byte(letter), longAgo); err != nil {
		t.Fatal(err)
	}
	plain := base64.StdEncoding.EncodeToString([]byte("\x00a@example.org\x00pw of a@example.org"))
	for _, tc := range []struct {
		name, addr string
		implicit   bool
		check      func(*client)
	}{
		{"IMAPS", d.IMAPS, true, func(c *client) { c.checkIMAP("AUTHENTICATE PLAIN " + plain) }},
		{"IMAP with STARTTLS", d.IMAP, false, func(c *client) {
			c.line("* OK")
			c.imap("STARTTLS")
			c.upgrade(d)
			c.r = greeted(c.r, "* OK")
			c.checkIMAP("LOGIN a@example.org \"pw of a@example.org\"")
		}},
		{"POP3S", d.POP3S, true, func(c *client) { c.checkPOP3("USER a@example.org", "PASS pw of a@example.org") }},
		{"POP3 with STLS", d.POP3, false, func(c *client) {
			c.line("+OK")
			c.send("STLS")
			c.line("+OK")
			c.upgrade(d)
			c.r = greeted(c.r, "+OK")
			c.checkPOP3("AUTH PLAIN " + plain)
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.check(dial(t, d, tc.addr, tc.implicit))
		})
	}
}

// greeted puts a greeting in front of what comes: after an upgrade to TLS there is no second one,
// and the checks expect one on every port.
func greeted(r *bufio.Reader, greeting string) *bufio.Reader {
	return bufio.NewReader(io.MultiReader(strings.NewReader(greeting+"\r\n"), r))
}

func (c *client) checkIMAP(login string) {
	c.t.Helper()
	c.line("* OK")
	c.imap(login)
	c.imap("SELECT INBOX")
	if got := c.body(1); string(got) != letter {
		c.t.Errorf("IMAP gives %q", got)
	}
	info := strings.Join(c.imap("FETCH 1 (RFC822.SIZE INTERNALDATE)"), "\n")
	if !strings.Contains(info, fmt.Sprintf("RFC822.SIZE %d", len(letter))) || !strings.Contains(info, "08-Jul-2021 09:10:11") {
		c.t.Errorf("size or date is not that of the delivery: %s", info)
	}
}

func (c *client) checkPOP3(login ...string) {
	c.t.Helper()
	c.line("+OK")
	for _, l := range login {
		c.send(l)
		c.line("+OK")
	}
	c.send("STAT")
	c.line(fmt.Sprintf("+OK 1 %d", len(letter)))
	if got := c.retr(1); string(got) != letter {
		c.t.Errorf("POP3 gives %q", got)
	}
}

func TestInteropATokenOpensTheMailboxItNames(t *testing.T) {
	iss := newIssuer(t)
	d := start(t, Options{Issuer: issuerURL, WriteKey: iss.writeKey})
	token := iss.token(t, "a@example.org", time.Hour)

	t.Run("IMAPS with XOAUTH2", func(t *testing.T) {
		c := dial(t, d, d.IMAPS, true)
		c.line("* OK")
		c.imap("AUTHENTICATE XOAUTH2 " + xoauth2("a@example.org", token))
		c.imap("SELECT INBOX")
	})
	t.Run("IMAPS with OAUTHBEARER", func(t *testing.T) {
		c := dial(t, d, d.IMAPS, true)
		c.line("* OK")
		c.imap("AUTHENTICATE OAUTHBEARER " + base64.StdEncoding.EncodeToString([]byte("n,a=a@example.org,\x01auth=Bearer "+token+"\x01\x01")))
	})
	t.Run("POP3S with XOAUTH2 in two steps", func(t *testing.T) {
		c := dial(t, d, d.POP3S, true)
		c.line("+OK")
		c.send("AUTH XOAUTH2")
		c.line("+ ")
		c.send(xoauth2("a@example.org", token))
		c.line("+OK")
	})
	other := newIssuer(t)
	for name, line := range map[string]string{
		"another user's mailbox": xoauth2("b@example.org", token),
		"an expired token":       xoauth2("a@example.org", iss.token(t, "a@example.org", -time.Minute)),
		"somebody else's key":    xoauth2("a@example.org", other.token(t, "a@example.org", time.Hour)),
	} {
		t.Run("but not "+name, func(t *testing.T) {
			c := dial(t, d, d.IMAPS, true)
			c.line("* OK")
			c.send("x AUTHENTICATE XOAUTH2 " + line)
			challenge, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(c.line("+ "), "+ "))
			if err != nil || !bytes.Contains(challenge, []byte(`"status":"401"`)) {
				t.Errorf("challenge %q, %v", challenge, err)
			}
			c.send("")
			c.line("x NO [AUTHENTICATIONFAILED]")
		})
	}
}

func TestInteropAnApplicationTokenOpensEveryMailbox(t *testing.T) {
	iss := newIssuer(t)
	d := start(t, Options{Issuer: issuerURL, WriteKey: iss.writeKey, AppOnly: true})
	token := iss.token(t, "the application", time.Hour)
	for _, box := range []string{"a@example.org", "b@example.org"} {
		c := dial(t, d, d.IMAPS, true)
		c.line("* OK")
		c.imap("AUTHENTICATE XOAUTH2 " + xoauth2(box, token))
	}
}

func TestInteropAStrangerMayNotSignInWithoutTLS(t *testing.T) {
	d := start(t, Options{})
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}
	conn, err := dialer.Dial("tcp", d.IMAP)
	if err != nil {
		if os.Getenv("MAILFLUME_CI") == "1" {
			t.Fatal(err)
		}
		t.Skipf("127.0.0.2 is not an address of this machine: %v", err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	c := &client{t: t, conn: conn, r: bufio.NewReader(conn)}
	if s := c.line("* OK"); !strings.Contains(s, "LOGINDISABLED") {
		t.Errorf("greeting %q has no LOGINDISABLED", s)
	}
}

func TestInteropARestartKeepsAddressesUsersAndMail(t *testing.T) {
	d := start(t, Options{})
	if _, err := d.Deliver("a@example.org", "Projekte/Größe & Maß", []byte(letter), longAgo); err != nil {
		t.Fatal(err)
	}
	old := dial(t, d, d.IMAPS, true)
	old.line("* OK")
	before, addr := d.Pid(), d.IMAPS
	if err := d.Restart(); err != nil {
		t.Fatal(err)
	}
	if d.Pid() == before || d.IMAPS != addr {
		t.Errorf("pid %d, address %s: want a new process at %s", d.Pid(), d.IMAPS, addr)
	}
	if _, err := io.Copy(io.Discard, old.r); err != nil && !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("the old connection ended with %v", err)
	}
	c := dial(t, d, d.IMAPS, true)
	c.line("* OK")
	c.imap("LOGIN a@example.org \"pw of a@example.org\"")
	c.imap("SELECT \"Projekte/Gr&APYA3w-e &- Ma&AN8-\"")
	if got := c.body(1); string(got) != letter {
		t.Errorf("after the restart: %q", got)
	}
}

func TestInteropAfterStopNothingIsLeft(t *testing.T) {
	d := start(t, Options{})
	pid, dir := d.Pid(), d.dir
	if err := d.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(-pid, 0); !errors.Is(err, syscall.ESRCH) && !onlyZombies(pid) {
		t.Errorf("the process group is still there: %v", err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the folder is still there: %v", err)
	}
	if conn, err := net.Dial("tcp", d.IMAPS); err == nil {
		conn.Close()
		t.Error("the port still answers")
	}
}

// onlyZombies: where the first process of a container reaps late, the dead stay listed.
func onlyZombies(group int) bool {
	stats, _ := fs.Glob(os.DirFS("/proc"), "[0-9]*/stat")
	for _, name := range stats {
		b, err := os.ReadFile("/proc/" + name)
		if err != nil {
			continue
		}
		var state string
		var ppid, pgrp int
		if _, err := fmt.Sscan(string(b[bytes.LastIndexByte(b, ')')+1:]), &state, &ppid, &pgrp); err == nil && pgrp == group && state != "Z" {
			return false
		}
	}
	return true
}

func TestInteropAFilledMailboxHoldsTheOctetsItsDigestsName(t *testing.T) {
	d := start(t, Options{})
	filled, err := d.Fill(FillOptions{User: "a@example.org", N: 40, Seed: 7, LargeShare: 0.1})
	if err != nil {
		t.Fatal(err)
	}
	c := dial(t, d, d.IMAPS, true)
	c.line("* OK")
	c.imap("LOGIN a@example.org \"pw of a@example.org\"")
	if got := strings.Join(c.imap("SELECT INBOX"), "\n"); !strings.Contains(got, "* 40 EXISTS") {
		t.Fatalf("SELECT: %s", got)
	}
	var total int64
	for i, want := range filled.Digests {
		b := c.body(i + 1)
		total += int64(len(b))
		if got := digest(b); got != want {
			t.Errorf("message %d has digest %s, want %s", i+1, got, want)
		}
	}
	if total != filled.Bytes || filled.N != 40 {
		t.Errorf("%d octets in 40 messages, Fill says %d in %d", total, filled.Bytes, filled.N)
	}
	again, err := d.Fill(FillOptions{User: "b@example.org", N: 40, Seed: 7, LargeShare: 0.1})
	if err != nil || strings.Join(again.Digests, "") != strings.Join(filled.Digests, "") {
		t.Errorf("the same seed gave other octets (%v)", err)
	}
}

func TestInteropOneLargeMessageHasTheDigestsItSays(t *testing.T) {
	d := start(t, Options{})
	const size = 6 << 20
	one, err := d.One("b@example.org", size)
	if err != nil {
		t.Fatal(err)
	}
	if one.Bytes < size-200 || one.Bytes > size {
		t.Errorf("%d octets, want about %d", one.Bytes, size)
	}
	c := dial(t, d, d.POP3S, true)
	c.line("+OK")
	c.send("USER b@example.org")
	c.line("+OK")
	c.send("PASS pw of b@example.org")
	c.line("+OK")
	raw := c.retr(1)
	if got := digest(raw); got != one.Digest || int64(len(raw)) != one.Bytes {
		t.Errorf("RETR gives %d octets with digest %s; One says %d, %s", len(raw), got, one.Bytes, one.Digest)
	}
	body := raw[bytes.LastIndex(raw, []byte("\r\n\r\n"))+4 : bytes.LastIndex(raw, []byte("--=_one--"))]
	octets, err := base64.StdEncoding.DecodeString(string(bytes.ReplaceAll(body, []byte("\r\n"), nil)))
	if err != nil || int64(len(octets)) != one.AttachmentBytes || digest(octets) != one.AttachmentDigest {
		t.Errorf("attachment: %d octets, %v; One says %d", len(octets), err, one.AttachmentBytes)
	}
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
