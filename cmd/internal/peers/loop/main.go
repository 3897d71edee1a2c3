package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

type loop struct {
	addr, user, password, state, subject string

	stream bool
	tls    *tls.Config
	js     jetstream.JetStream
	c      *imapclient.Client
	last   imap.UID
}

func main() {
	l := &loop{}
	flag.StringVar(&l.addr, "addr", "", "IMAP server")
	flag.StringVar(&l.user, "user", "", "mailbox")
	flag.StringVar(&l.password, "password", "", "password")
	flag.StringVar(&l.state, "state", "last-uid", "file with the highest UID seen")
	flag.StringVar(&l.subject, "subject", "mail.in", "where messages are published")
	flag.BoolVar(&l.stream, "stream", false, "publish each message as it is read")
	ca := flag.String("ca", "", "certificates to trust")
	url := flag.String("nats", nats.DefaultURL, "NATS server")
	flag.Parse()
	if err := l.run(*ca, *url); err != nil {
		log.Fatal(err)
	}
}

func (l *loop) run(ca, url string) error {
	pem, err := os.ReadFile(ca)
	if err != nil {
		return err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	l.tls = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	nc, err := nats.Connect(url)
	if err != nil {
		return err
	}
	defer nc.Close()
	if l.js, err = jetstream.New(nc); err != nil {
		return err
	}
	if b, err := os.ReadFile(l.state); err == nil {
		n, _ := strconv.ParseUint(strings.TrimSpace(string(b)), 10, 32)
		l.last = imap.UID(n)
	}
	for {
		log.Print(l.session())
		time.Sleep(time.Second)
	}
}

// session polls on one connection until something fails.
func (l *loop) session() (err error) {
	if l.c, err = imapclient.DialTLS(l.addr, &imapclient.Options{TLSConfig: l.tls}); err != nil {
		return err
	}
	defer l.c.Close()
	if err := l.c.Login(l.user, l.password).Wait(); err != nil {
		return err
	}
	for {
		// SELECT and not NOOP: some servers show new mail only then.
		if _, err := l.c.Select("INBOX", nil).Wait(); err != nil {
			return err
		}
		if err := l.poll(); err != nil {
			return err
		}
		time.Sleep(time.Second)
	}
}

// poll publishes what is above the highest UID seen.
func (l *loop) poll() error {
	found, err := l.c.UIDSearch(&imap.SearchCriteria{UID: []imap.UIDSet{{{Start: l.last + 1}}}}, nil).Wait()
	if err != nil {
		return err
	}
	var fresh imap.UIDSet
	for _, uid := range found.AllUIDs() {
		if uid > l.last { // "n:*" names the last message even if there is none from n on
			fresh.AddNum(uid)
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	whole := &imap.FetchItemBodySection{Peek: true}
	cmd := l.c.Fetch(fresh, &imap.FetchOptions{UID: true, BodySection: []*imap.FetchItemBodySection{whole}})
	if l.stream {
		return l.streamed(cmd)
	}
	messages, err := cmd.Collect()
	if err != nil {
		return err
	}
	for _, m := range messages {
		if err := l.publish(m.UID, m.FindBodySection(whole)); err != nil {
			return err
		}
	}
	return nil
}

// streamed publishes message by message, while the answer comes, and marks them as read after it.
func (l *loop) streamed(cmd *imapclient.FetchCommand) error {
	for m := cmd.Next(); m != nil; m = cmd.Next() {
		var uid imap.UID
		for item := m.Next(); item != nil; item = m.Next() {
			switch item := item.(type) {
			case imapclient.FetchItemDataUID:
				uid = item.UID
			case imapclient.FetchItemDataBodySection:
				b, err := io.ReadAll(item.Literal)
				if err != nil {
					return err
				}
				if err := l.publish(uid, b); err != nil {
					return err
				}
			}
		}
	}
	return cmd.Close()
}

// publish stores a message, and then that it is done.
func (l *loop) publish(uid imap.UID, message []byte) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if _, err := l.js.Publish(ctx, l.subject, message); err != nil {
		return err
	}
	l.last = max(l.last, uid)
	err := os.WriteFile(l.state+".new", fmt.Append(nil, uint32(l.last)), 0o600)
	if err == nil {
		err = os.Rename(l.state+".new", l.state)
	}
	if err != nil {
		return err
	}
	if l.stream {
		return nil // no other command may be sent while an answer is read
	}
	return l.c.Store(imap.UIDSetNum(uid), &imap.StoreFlags{Op: imap.StoreFlagsAdd, Silent: true, Flags: []imap.Flag{imap.FlagSeen}}, nil).Close()
}
