//go:build interop

package interop_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/rs/zerolog"

	conf "mailflume/cmd/internal/config"
	"mailflume/cmd/internal/interop"
	"mailflume/cmd/internal/rig"
	"mailflume/cmd/internal/worker"
	"mailflume/ingest/oauth/oauthtest"
	"mailflume/publish"
)

// scene is one worker in this process with mailboxes of both protocols on a real Dovecot, and an issuer whose
// tokens that takes, all of its own: scenes are played side by side.
type scene struct {
	*testing.T
	set     setting
	issuer  *oauthtest.Issuer
	dovecot *rig.Dovecot
	front   *interop.Front
	cfg     string // file
	worker  *worker.Worker
	log     journal
	ahead   atomic.Int64 // of the worker's clock before the true one
	sent    map[string][]string
	held    []net.Conn // sessions of somebody else
}

// setting is what a scene is made of; the zero value is a scene in which all is well.
type setting struct {
	issuer     oauthtest.Options
	introspect bool // Dovecot asks the issuer about each token, and does not look itself
	dovecot    rig.Options
	strict     bool // sessions end with their token
	direct     bool // the worker talks to Dovecot itself, not to the front
	credential string
	defaults   string // more keys for all mailboxes
	imap       string // more keys for those of IMAP
	boxes      int    // of each protocol; 0: one
}

// issuersKey signs all tokens, those of an issuer that was started again too.
var issuersKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

// journal is a log in memory.
type journal struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.buf.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.buf.String()
}

// open builds a scene; its worker runs from start on.
func open(t *testing.T, set setting) *scene {
	t.Helper()
	s := &scene{T: t, set: set, sent: map[string][]string{}}
	s.set.boxes = max(set.boxes, 1)
	s.set.issuer.Host, s.set.issuer.Secret, s.set.issuer.CA = "localhost", "the-clients-secret", oauthtest.NewCA()
	s.set.issuer.Key = issuersKey()
	s.must(s.openIssuer())
	t.Cleanup(func() { _ = s.issuer.Close() })
	chain, key, err := oauthtest.ServerPEM(s.issuer.CA().Server())
	s.must(err)
	o := set.dovecot
	o.Issuer, o.WriteKey, o.TLSCert, o.TLSKey = s.issuer.URL(), s.issuer.WriteDovecotKey, chain, key
	if set.introspect {
		o.Introspect = strings.Replace(s.issuer.URL(), "://", "://dovecot:"+s.issuer.Secret()+"@", 1) + "/introspect"
	}
	s.dovecot, err = rig.Start(o)
	s.must(err)
	t.Cleanup(func() { _ = s.dovecot.Stop() })
	s.front, err = interop.NewFront(s.dovecot, s.issuer.CA())
	s.must(err)
	s.front.Strict = set.strict
	t.Cleanup(func() { _ = s.front.Close() })
	for _, b := range s.boxes() {
		s.must(s.dovecot.AddUser(b.User, "password"))
	}
	s.must(s.configure(t.TempDir()))
	return s
}

func (s *scene) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// closeIssuer ends the issuer: its port refuses connections.
func (s *scene) closeIssuer() { s.must(s.issuer.Close()) }

// tokens is how often the worker asked for a token, of an issuer that was down too.
func (s *scene) tokens() int { return strings.Count(s.log.String(), `"message":"token request"`) }

// tries is how often the worker sent credentials, by protocol.
func (s *scene) tries() map[string]int {
	return map[string]int{"imap": s.front.SignIns("imap"), "pop3": s.front.SignIns("pop3")}
}

// openIssuer starts the issuer, again at its old address: some other socket may have the port for a moment.
func (s *scene) openIssuer() (err error) {
	for end := time.Now().Add(10 * time.Second); ; <-time.After(50 * time.Millisecond) {
		if s.issuer, err = oauthtest.Start(s.set.issuer); !errors.Is(err, syscall.EADDRINUSE) || time.Now().After(end) {
			break
		}
	}
	if err != nil {
		return err
	}
	s.set.issuer.Addr = strings.Replace(strings.TrimPrefix(s.issuer.URL(), "https://"), "localhost", "127.0.0.1", 1)
	return nil
}

func (s *scene) boxes() (out []interop.Box) {
	for _, protocol := range []string{"imap", "pop3"} {
		for i := range s.set.boxes {
			id := fmt.Sprint(protocol, i)
			out = append(out, interop.Box{ID: id, User: id + "@rig.test", Protocol: protocol})
		}
	}
	return out
}

const sceneConfig = `nats: {data_dir: nats}
credentials:
  rig: %s
defaults: {provider: generic, credentials: rig, start: all, poll_every: 1s, host: 127.0.0.1, ca_file: ca.pem%s}
http: {listen: "127.0.0.1:0"}
mailboxes:
`

func (s *scene) configure(dir string) error {
	credential := s.set.credential
	if credential == "" {
		credential = "{type: entra, tenant: rig.example, client_id: rig, client_secret: file:secret, authority: " + s.issuer.URL() + ", ca_file: ca.pem}"
	}
	var b strings.Builder
	fmt.Fprintf(&b, sceneConfig, strings.ReplaceAll(credential, "ISSUER", s.issuer.URL()), s.set.defaults)
	for _, x := range s.boxes() {
		addr := map[string]string{"imap": s.front.IMAP, "pop3": s.front.POP3}[x.Protocol]
		if s.set.direct {
			addr = map[string]string{"imap": s.dovecot.IMAPS, "pop3": s.dovecot.POP3S}[x.Protocol]
			if strings.Contains(s.set.defaults, "starttls") {
				addr = map[string]string{"imap": s.dovecot.IMAP, "pop3": s.dovecot.POP3}[x.Protocol]
			}
		}
		more := map[string]string{"imap": s.set.imap}[x.Protocol]
		fmt.Fprintf(&b, "  - {id: %s, address: %s, protocol: %s, port: %s%s}\n", x.ID, x.User, x.Protocol, addr[strings.LastIndexByte(addr, ':')+1:], more)
	}
	s.cfg = filepath.Join(dir, "mailflume.yaml")
	return errors.Join(
		os.WriteFile(s.cfg, []byte(b.String()), 0o600),
		os.WriteFile(filepath.Join(dir, "secret"), []byte(s.issuer.Secret()), 0o600),
		os.WriteFile(filepath.Join(dir, "password"), []byte("password"), 0o600),
		os.WriteFile(filepath.Join(dir, "ca.pem"), s.issuer.CAPEM(), 0o600))
}

// start runs the worker until the test ends.
func (s *scene) start() {
	s.Helper()
	cfg, err := conf.Load(s.cfg)
	s.must(err)
	s.worker, err = worker.Start(s.Context(), cfg, worker.Options{Log: zerolog.New(&s.log), Version: "test", Watch: true, Now: s.now})
	s.must(err)
	ctx, stop := context.WithCancel(s.Context())
	done := make(chan error, 1)
	go func() { done <- s.worker.Run(ctx) }()
	s.Cleanup(func() {
		stop()
		s.Check(<-done)
		s.Check(s.worker.Close())
		if s.Failed() {
			s.Logf("worker:\n%s\nDovecot:\n%s", tail(s.log.String()), s.dovecot.Log())
		}
	})
}

// Check reports an error that is none of the trial's own.
func (s *scene) Check(err error) {
	if err != nil {
		s.Error(err)
	}
}

func (s *scene) now() time.Time { return time.Now().Add(time.Duration(s.ahead.Load())) }

// deliver puts one more message into each mailbox.
func (s *scene) deliver() {
	s.Helper()
	for _, b := range s.boxes() {
		msg := fmt.Sprintf("From: a@example.net\r\nTo: %s\r\nMessage-ID: <%d.%s@example.net>\r\nSubject: number %d\r\n\r\nText.\r\n", b.User, len(s.sent[b.ID]), b.ID, len(s.sent[b.ID]))
		_, err := s.dovecot.Deliver(b.User, "", []byte(msg), time.Now())
		s.must(err)
		s.sent[b.ID] = append(s.sent[b.ID], sum([]byte(msg)))
	}
}

// row is what the worker says of a mailbox.
func (s *scene) row(id string) worker.Row {
	for _, r := range s.worker.Board().Rows() {
		if r.Mailbox == id {
			return r
		}
	}
	return worker.Row{}
}

// until waits for something; it may take long on a busy machine.
func (s *scene) until(what string, is func() bool) {
	s.Helper()
	for end := time.Now().Add(45 * time.Second); !is(); <-time.After(20 * time.Millisecond) {
		if time.Now().After(end) {
			s.Fatalf("it never came to this: %s\n%+v", what, s.worker.Board().Rows())
		}
	}
}

// published waits until all that was sent is.
func (s *scene) published() {
	s.Helper()
	for _, b := range s.boxes() {
		s.until("all mail of "+b.ID+" is published", func() bool {
			r := s.row(b.ID)
			return r.Published == int64(len(s.sent[b.ID])) && r.Code == "" && r.LastPoll != nil
		})
	}
}

// press makes the worker try a mailbox now, at a time when its next try is a minute or more away.
func (s *scene) press(id string) {
	s.Helper()
	s.ahead.Add(int64(61 * time.Second))
	before := s.row(id).Since
	res, err := http.Post("http://"+s.worker.HTTPAddr()+"/api/v1/mailboxes/"+id+"/poll", "", nil)
	s.must(err)
	_ = res.Body.Close()
	if res.StatusCode != http.StatusOK {
		s.Fatal(res.Status)
	}
	s.until(id+" was tried", func() bool { r := s.row(id); return r.Since.After(before) && r.NextTry != nil })
}

// page fetches a page of the worker.
func (s *scene) page(path string) (status int, body string) {
	s.Helper()
	res, err := http.Get("http://" + s.worker.HTTPAddr() + path)
	s.must(err)
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	s.must(err)
	return res.StatusCode, string(b)
}

// status is what `mailflume status -o json` prints.
func (s *scene) status(b binaries) (rows []worker.Row) {
	s.Helper()
	out, err := exec.CommandContext(s.Context(), b.mailflume, "status", "-c", s.cfg, "-o", "json").Output()
	s.must(err)
	if json.Unmarshal(out, &rows) != nil {
		s.Fatalf("status: %s", out)
	}
	return rows
}

// finish compares the whole stream with what was sent, and what was told of each mailbox with what should be.
func (s *scene) finish(b binaries, told map[string][]publish.EventType) {
	s.Helper()
	of := map[string][]publish.Event{}
	news := map[string][]publish.EventType{}
	events, err := interop.Tap(s.Context(), b.mailflume, s.cfg)
	s.must(err)
	for _, ev := range events {
		id := ev.Data.Mailbox.ID
		if kind := kindOf(ev); kind != publish.Received {
			news[id] = append(news[id], kind)
			continue
		}
		of[id] = append(of[id], ev)
	}
	for _, box := range s.boxes() {
		checkOnceInOrder(s.T, of[box.ID], s.sent[box.ID])
		if !slices.Equal(news[box.ID], told[box.Protocol]) {
			s.Errorf("%s: told %v, want %v", box.ID, news[box.ID], told[box.Protocol])
		}
	}
}

// kindOf is the kind of an event that was read: the last word but one of its long name.
func kindOf(ev publish.Event) publish.EventType {
	words := strings.Split(ev.Type, ".")
	return publish.EventType(words[max(0, len(words)-2)])
}
