package imaptest

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestTheServerKeepsMessagesOctetForOctetAndCloses(t *testing.T) {
	srv, err := Start(Options{Verify: func(user, secret string) error {
		if user != "u" || secret != "p" {
			return errors.New("no")
		}
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	message := []byte("no header\n\x00\xff\r\nend")
	if err := srv.Add("u", "INBOX", message, time.Now()); err != nil {
		t.Fatal(err)
	}
	c, err := imapclient.DialTLS(srv.Addr(), &imapclient.Options{TLSConfig: srv.TLS()})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Login("u", "wrong").Wait(); err == nil {
		t.Error("a wrong password is accepted")
	}
	if err := c.Login("u", "p").Wait(); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Select("INBOX", nil).Wait(); err != nil {
		t.Fatal(err)
	}
	l, err := c.Fetch(imap.SeqSetNum(1), &imap.FetchOptions{BodySection: []*imap.FetchItemBodySection{{Peek: true}}}).Collect()
	if err != nil || len(l) != 1 || string(l[0].BodySection[0].Bytes) != string(message) {
		t.Errorf("%v, %v", l, err)
	}
	if open, total := srv.Connections(); open != 1 || total != 1 {
		t.Errorf("%d of %d connections", open, total)
	}
	if err := srv.Close(); err != nil { // with the client still there
		t.Error(err)
	}
	_ = c.Close()
	if err := srv.Add("u", "INBOX", message, time.Now()); !errors.Is(err, net.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

func TestAScriptAnswersByItsRules(t *testing.T) {
	server, client, err := Certificates()
	if err != nil {
		t.Fatal(err)
	}
	near, far := net.Pipe()
	done := make(chan error, 1)
	script := &Script{Rules: []Rule{{Command: "noop", Answers: []string{"{tag} NO once\r\n", "{tag} OK\r\n"}}}}
	go func() { done <- script.Serve(tls.Server(far, server)) }()
	c := tls.Client(near, client)
	go func() { _, _ = io.WriteString(c, "a NOOP\r\nb NOOP\r\nc WHAT\r\nd LOGOUT\r\n") }()
	b, _ := io.ReadAll(c)
	want := "* OK ready\r\na NO once\r\nb OK\r\nc BAD not in the script\r\n* BYE so long\r\nd OK done\r\n"
	if string(b) != want {
		t.Errorf("%q", b)
	}
	_ = near.Close()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if strings.Join(script.Heard(), "|") != "NOOP|NOOP|WHAT|LOGOUT" {
		t.Errorf("%q", script.Heard())
	}
}
