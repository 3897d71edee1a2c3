package house

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

func TestTheComposeFileIsYAMLAndMountsWhatItNames(t *testing.T) {
	dir, _ := root(t)
	b, err := os.ReadFile(filepath.Join(dir, "deploy", "compose.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Services map[string]struct {
			Image   string
			Secrets []string
		}
		Secrets map[string]any
	}
	if err := yaml.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	if file.Services["nats"].Image == "" || len(file.Services["mailflume"].Secrets) == 0 {
		t.Fatalf("a service is missing: %+v", file)
	}
	for _, name := range file.Services["mailflume"].Secrets {
		if _, ok := file.Secrets[name]; !ok {
			t.Errorf("secret %s is used but not defined", name)
		}
	}
}

// natsFromDeploy runs the server that deploy/nats.conf describes, on a free port, and signs in as
// the user that it gives to mailflume.
func natsFromDeploy(t *testing.T) (jetstream.JetStream, *nats.Conn, <-chan error) {
	t.Helper()
	dir, _ := root(t)
	t.Setenv("MAILFLUME_NATS_PASSWORD", "pw_test")
	o, err := server.ProcessConfigFile(filepath.Join(dir, "deploy", "nats.conf"))
	if err != nil {
		t.Fatal(err)
	}
	o.Host, o.Port, o.HTTPPort, o.StoreDir, o.NoSigs, o.NoLog = "127.0.0.1", -1, 0, t.TempDir(), true, true
	s, err := server.NewServer(o)
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(20 * time.Second) {
		t.Fatal("the server does not start")
	}
	denied := make(chan error, 64)
	nc, err := nats.Connect(s.ClientURL(), nats.UserInfo("mailflume", "pw_test"),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { denied <- err }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	return js, nc, denied
}

func TestThePermissionsForMailflumeSuffice(t *testing.T) {
	js, nc, denied := natsFromDeploy(t)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	ok := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	_, err := js.AccountInfo(ctx)
	ok("account info", err)
	cfg := jetstream.StreamConfig{Name: "MAIL", Subjects: []string{"mail.v1.>"}, AllowDirect: true, AllowRollup: true, AllowMsgTTL: true}
	stream, err := js.CreateStream(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	_, err = js.UpdateStream(ctx, cfg)
	ok("update the stream", err)
	_, err = js.Publish(ctx, "mail.v1.default.support.received", []byte("event"), jetstream.WithExpectLastSequenceForSubject(0, "mail.v1.default.support.>"))
	ok("fenced publish", err)
	_, err = stream.GetLastMsgForSubject(ctx, "mail.v1.default.support.received")
	ok("direct get", err)
	_, err = nc.RequestWithContext(ctx, "$JS.API.STREAM.MSG.GET.MAIL", []byte(`{"seq":1}`))
	ok("get from the leader", err)
	cons, err := js.OrderedConsumer(ctx, "MAIL", jetstream.OrderedConsumerConfig{FilterSubjects: []string{"mail.v1.default.support.>"}})
	ok("ordered consumer", err)
	msg, err := cons.Next(jetstream.FetchMaxWait(5 * time.Second))
	ok("read the log", err)
	if err == nil && string(msg.Data()) != "event" {
		t.Errorf("read %q", msg.Data())
	}
	ok("blobs", blobs(ctx, js))
	select {
	case err := <-denied:
		t.Errorf("the server refused something: %v", err)
	default:
	}
}

func blobs(ctx context.Context, js jetstream.JetStream) error {
	bucket, err := js.CreateObjectStore(ctx, jetstream.ObjectStoreConfig{Bucket: "mailflume-default"})
	if err != nil {
		return err
	}
	if _, err := bucket.PutBytes(ctx, "sha256-00", []byte("octets")); err != nil {
		return err
	}
	r, err := bucket.Get(ctx, "sha256-00")
	if err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, r); err != nil {
		return errors.Join(err, r.Close())
	}
	if err := r.Close(); err != nil {
		return err
	}
	s, err := js.Stream(ctx, "OBJ_mailflume-default")
	if err != nil {
		return err
	}
	if err := s.DeleteMsg(ctx, 1); err != nil {
		return err
	}
	return s.Purge(ctx, jetstream.WithPurgeSubject("$O.mailflume-default.C.none"))
}

func TestThePermissionsForMailflumeGoNoFurther(t *testing.T) {
	js, nc, denied := natsFromDeploy(t)
	for _, subject := range []string{"other.subject", "$JS.API.STREAM.DELETE.MAIL", "$JS.API.STREAM.PURGE.MAIL", "$JS.API.STREAM.LIST", "$O.other.M.x"} {
		if err := nc.Publish(subject, nil); err != nil {
			t.Fatal(err)
		}
		if err := nc.Flush(); err != nil {
			t.Fatal(err)
		}
		select {
		case err := <-denied:
			if !errors.Is(err, nats.ErrPermissionViolation) {
				t.Errorf("%s: %v", subject, err)
			}
		case <-time.After(10 * time.Second):
			t.Errorf("%s was allowed", subject)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := js.CreateStream(ctx, jetstream.StreamConfig{Name: "OTHER", Subjects: []string{"other.>"}}); err == nil {
		t.Error("another stream could be created")
	}
}
