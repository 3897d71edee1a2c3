package check_test

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"mailflume/cmd/internal/check"
	"mailflume/ingest"
	"mailflume/ingest/imapsource/imaptest"
	"mailflume/pop3/pop3test"
	"mailflume/publish/s3blob/s3test"
)

// natsServer is one that is not mailflume's own.
func natsServer(t *testing.T, change func(*server.Options)) (url string) {
	t.Helper()
	o := &server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: t.TempDir(), NoLog: true, NoSigs: true}
	if change != nil {
		change(o)
	}
	srv, err := server.NewServer(o)
	if err != nil {
		t.Fatal(err)
	}
	srv.Start()
	t.Cleanup(func() {
		srv.Shutdown()
		srv.WaitForShutdown()
	})
	if !srv.ReadyForConnections(20 * time.Second) {
		t.Fatal("the server does not get ready")
	}
	return srv.ClientURL()
}

// makeStream makes a stream as an administrator would, with a message of so many octets in it.
func makeStream(t *testing.T, url string, octets int, cfg jetstream.StreamConfig) {
	t.Helper()
	nc, err := nats.Connect(url)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Name, cfg.Subjects = "MAIL", []string{"mail.v1.>"}
	cfg.AllowRollup, cfg.AllowDirect, cfg.AllowMsgTTL = true, true, true
	if _, err := js.CreateStream(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	if octets > 0 {
		if _, err := js.Publish(t.Context(), "mail.v1.x", make([]byte, octets)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestWhatIsWrongWithNATSIsToldByItsOwnStep(t *testing.T) {
	for _, c := range []struct {
		name   string
		server func(*server.Options)
		stream *jetstream.StreamConfig
		octets int
		nats   string // in the configuration
		step   string
		level  check.Level
		code   ingest.Code
		says   []string
	}{
		{name: "JetStream is not switched on", server: func(o *server.Options) { o.JetStream = false }, step: "stream", level: check.Failed, code: ingest.CodeNATSDown, says: []string{"-js"}},
		{name: "it wants credentials", server: func(o *server.Options) { o.Username, o.Password = "u", "p" }, step: "connect", level: check.Failed, code: ingest.CodeNATSDenied, says: []string{"credentials"}},
		{name: "no permission to publish", nats: ", user: u, password_file: natspass", server: func(o *server.Options) {
			o.Users = []*server.User{{Username: "u", Password: "a password", Permissions: &server.Permissions{Publish: &server.SubjectPermission{Allow: []string{"$JS.API.>"}}}}}
		}, step: "publish", level: check.Failed, code: ingest.CodeNATSDenied, says: []string{"mail.v1.default.check.received", "deploy/nats.md"}},
		{name: "a full stream", stream: &jetstream.StreamConfig{MaxBytes: 1 << 20, Discard: jetstream.DiscardNew}, octets: 1000 << 10, step: "stream", level: check.Failed, code: ingest.CodeStreamFull, says: []string{"max_bytes", "97 %"}},
		{name: "a stream that is nearly full", stream: &jetstream.StreamConfig{MaxBytes: 8 << 20, Discard: jetstream.DiscardNew}, octets: 7600 << 10, server: func(o *server.Options) { o.MaxPayload = 8 << 20 }, step: "stream", level: check.Warning, says: []string{"max_bytes", "92 %"}},
		{name: "a stream that drops the oldest", stream: &jetstream.StreamConfig{MaxBytes: 1 << 20, Discard: jetstream.DiscardOld}, step: "stream", level: check.Failed, code: ingest.CodeStreamUnsafe, says: []string{"discard"}},
		{name: "no stream, and none to be made", nats: ", stream: {manage: false}", step: "stream", level: check.Failed, code: ingest.CodeStreamUnsafe, says: []string{"manage: true"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			url := natsServer(t, c.server)
			if c.stream != nil {
				makeStream(t, url, c.octets, *c.stream)
			}
			s := newStage(t, imaptest.Options{}, pop3test.Options{})
			s.write(t, "natspass", []byte("a password"))
			cfg := s.loadNATS(t, fmt.Sprintf("url: %q%s", url, c.nats), s.box("imap", "support", ""))
			began := time.Now()
			r := look(t, cfg, func(o *check.Options) { o.Patience = 2 * time.Second })
			st := step(t, r, check.NATS, "", c.step)
			all := st.Text + "\n" + strings.Join(st.Next, "\n")
			if st.Level != c.level || st.Code != c.code || c.level == check.Failed && (r.Cause() != check.OfNATS || r.Count(check.Failed) != 1) {
				t.Errorf("%s %s, cause %d: %s\n%s", st.Level, st.Code, r.Cause(), all, text(t, r))
			}
			for _, want := range c.says {
				if !strings.Contains(all, want) {
					t.Errorf("it does not say %q: %s", want, all)
				}
			}
			if took := time.Since(began); took > 15*time.Second {
				t.Errorf("it took %v", took)
			}
			if step(t, r, check.Mailbox, "", "rights").Level != check.OK {
				t.Error("mailboxes do not need NATS")
			}
		})
	}
}

func TestWhatIsWrongWithABlobStoreIsTold(t *testing.T) {
	refuse := func(kinds string, status int, code string) func(*s3test.Server) {
		return func(s *s3test.Server) {
			s.Inject(func(r *http.Request) s3test.Fault {
				if kinds == "" || strings.Contains(kinds, s3test.Kind(r)) {
					return s3test.Fault{Status: status, Code: code}
				}
				return s3test.Fault{}
			})
		}
	}
	for _, c := range []struct {
		name   string
		url    string // {{dir}} and {{s3}}
		secret string
		breaks func(*s3test.Server)
		level  check.Level
		says   []string
	}{
		{name: "a file in place of the folder", url: "file://{{dir}}/secret", level: check.Failed, says: []string{"owner and mode"}},
		{name: "a bucket", url: "s3://mail?endpoint={{s3}}&region=test-1", level: check.OK, says: []string{"written and read back"}},
		{name: "a bucket that is not there", url: "s3://other?endpoint={{s3}}&region=test-1", level: check.Failed, says: []string{"there is no such bucket"}},
		{name: "the wrong key", url: "s3://mail?endpoint={{s3}}&region=test-1", secret: "wrong", level: check.Failed, says: []string{"keys and their rights"}},
		{name: "the wrong region", url: "s3://mail?endpoint={{s3}}&region=mars-1", level: check.Failed, says: []string{"keys and their rights"}},
		{name: "another clock", url: "s3://mail?endpoint={{s3}}&region=test-1", breaks: refuse("", 403, "RequestTimeTooSkewed"), level: check.Failed, says: []string{"RequestTimeTooSkewed", "clock"}},
		{name: "it may not be read", url: "s3://mail?endpoint={{s3}}&region=test-1", breaks: refuse("GET", 403, "AccessDenied"), level: check.Failed, says: []string{"AccessDenied"}},
		{name: "the quota is used up", url: "s3://mail?endpoint={{s3}}&region=test-1", breaks: refuse("PUT", 507, "XMinioStorageFull"), level: check.Failed, says: []string{"XMinioStorageFull"}},
		{name: "leftovers cannot be listed", url: "s3://mail?endpoint={{s3}}&region=test-1", breaks: refuse("UPLOADS", 403, "AccessDenied"), level: check.Warning, says: []string{"s3:ListBucketMultipartUploads", "lifecycle"}},
		{name: "nobody listens", url: "s3://mail?endpoint=http://127.0.0.1:1&region=test-1", level: check.Failed, says: []string{"endpoint"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			srv, err := s3test.Start(t.TempDir(), s3test.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer srv.Close()
			if c.breaks != nil {
				c.breaks(srv)
			}
			s := newStage(t, imaptest.Options{}, pop3test.Options{})
			secret := srv.Options().SecretKey
			if c.secret != "" {
				secret = c.secret
			}
			s.write(t, "keys", fmt.Appendf(nil, "[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n", srv.Options().AccessKey, secret))
			url := strings.NewReplacer("{{dir}}", filepath.ToSlash(s.dir), "{{s3}}", srv.URL).Replace(c.url)
			more := fmt.Sprintf("blobs: {url: %q}\n", url)
			if strings.HasPrefix(url, "s3:") {
				more = fmt.Sprintf("blobs: {url: %q, credentials_file: keys}\n", url)
			}
			r := look(t, s.load(t, s.box("imap", "support", ""), more))
			st := step(t, r, check.NATS, "", "blobs")
			all := st.Text + "\n" + strings.Join(st.Next, "\n")
			if st.Level != c.level || c.level == check.Failed && (st.Code != ingest.CodeBlobStore || r.Count(check.Failed) != 1) {
				t.Errorf("%s %s: %s", st.Level, st.Code, all)
			}
			for _, want := range c.says {
				if !strings.Contains(all, want) {
					t.Errorf("it does not say %q: %s", want, all)
				}
			}
		})
	}
}
