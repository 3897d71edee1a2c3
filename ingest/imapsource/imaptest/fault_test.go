package imaptest_test

import (
	"bytes"
	"crypto/tls"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"mailflume/ingest/imapsource/imaptest"
)

const broken = "bob@example.com"

// client signs in to a server with three messages and opens the INBOX.
func client(t *testing.T) (*imaptest.Server, *imapclient.Client) {
	t.Helper()
	srv, err := imaptest.Start(imaptest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = srv.Close() })
	for range 3 {
		if err := srv.Add(broken, "INBOX", make([]byte, 20_000), time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	return srv, dial(t, srv)
}

func dial(t *testing.T, srv *imaptest.Server) *imapclient.Client {
	t.Helper()
	c, err := imapclient.DialTLS(srv.Addr(), &imapclient.Options{TLSConfig: srv.TLS()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.Login(broken, "secret").Wait(); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Select("INBOX", nil).Wait(); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestAMessageCanBeRefusedCutAndLiedAbout(t *testing.T) {
	srv, c := client(t)
	whole := &imap.FetchOptions{UID: true, RFC822Size: true, BodySection: []*imap.FetchItemBodySection{{Peek: true}}}
	srv.Break(func(_ string, uid uint32, _ int) imaptest.Fault {
		return map[uint32]imaptest.Fault{1: {Size: 7}, 2: {Refuse: "no"}, 3: {Cut: 9000}}[uid]
	})
	got, err := c.Fetch(imap.UIDSetNum(1), whole).Collect()
	if err != nil || len(got) != 1 || got[0].RFC822Size != 7 || len(got[0].BodySection[0].Bytes) != 20_000 {
		t.Errorf("a message with a false size: %v, %v", got, err)
	}
	if _, err := c.Fetch(imap.UIDSetNum(2), whole).Collect(); err == nil {
		t.Error("a refused message was given")
	}
	if got, err := c.Fetch(imap.UIDSetNum(2), &imap.FetchOptions{UID: true}).Collect(); err != nil || len(got) != 1 {
		t.Errorf("a refused message is not listed: %v", err)
	}
	// go-imap's client reads the beginning of a cut message from two goroutines at once.
	conn, err := tls.Dial("tcp", srv.Addr(), srv.TLS())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, "a LOGIN "+broken+" secret\r\nb SELECT INBOX\r\nc UID FETCH 3 BODY.PEEK[]\r\n")
	b, _ := io.ReadAll(conn)
	if _, body, ok := bytes.Cut(b, []byte("BODY[] {20000}\r\n")); !ok || len(body) == 0 || len(body) > 9000 {
		t.Errorf("a cut message: %d octets of %q…", len(body), b[:min(len(b), 100)])
	}
}

func TestAReservedUIDTurnsUpLate(t *testing.T) {
	srv, _ := client(t)
	uid := srv.Reserve(broken, "INBOX")
	if err := srv.Add(broken, "INBOX", []byte("x"), time.Now()); err != nil {
		t.Fatal(err)
	}
	srv.AddAt(broken, "INBOX", uid, []byte("y"), time.Now())
	var got []uint32
	for _, m := range srv.Messages(broken, "INBOX") {
		got = append(got, m.UID)
	}
	if !slices.Equal(got, []uint32{1, 2, 3, 4, 5}) || uid != 4 {
		t.Errorf("UIDs %v, the late one is %d", got, uid)
	}
}

func TestSearchKnowsFlagsAndNumbers(t *testing.T) {
	_, c := client(t)
	if err := c.Store(imap.UIDSetNum(2), &imap.StoreFlags{Op: imap.StoreFlagsAdd, Silent: true, Flags: []imap.Flag{imap.FlagSeen}}, nil).Close(); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name string
		c    imap.SearchCriteria
		want []imap.UID
	}{
		{"all", imap.SearchCriteria{}, []imap.UID{1, 2, 3}},
		{"seen", imap.SearchCriteria{Flag: []imap.Flag{imap.FlagSeen}}, []imap.UID{2}},
		{"unseen", imap.SearchCriteria{NotFlag: []imap.Flag{imap.FlagSeen}}, []imap.UID{1, 3}},
		{"not seen", imap.SearchCriteria{Not: []imap.SearchCriteria{{Flag: []imap.Flag{imap.FlagSeen}}}}, []imap.UID{1, 3}},
		{"from a UID on", imap.SearchCriteria{UID: []imap.UIDSet{{{Start: 3}}}}, []imap.UID{3}},
		{"beyond the last", imap.SearchCriteria{UID: []imap.UIDSet{{{Start: 9}}}}, []imap.UID{3}}, // RFC 9051 section 9
		{"by sequence number", imap.SearchCriteria{SeqNum: []imap.SeqSet{{{Start: 1, Stop: 2}}}}, []imap.UID{1, 2}},
	} {
		got, err := c.UIDSearch(&tc.c, nil).Wait()
		if err != nil || !slices.Equal(got.AllUIDs(), tc.want) {
			t.Errorf("%s: %v, %v; want %v", tc.name, got, err, tc.want)
		}
	}
}
