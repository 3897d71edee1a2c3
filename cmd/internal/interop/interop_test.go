//go:build interop

package interop_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/emersion/go-message"

	"mailflume/cmd/internal/interop"
	"mailflume/cmd/internal/rig"
	"mailflume/publish"
	"mailflume/testdata"
)

// binaries are what the tests run, built once.
type binaries struct{ mailflume, nats string }

var built = sync.OnceValues(func() (b binaries, err error) {
	dir, err := os.MkdirTemp("", "mailflume-interop-")
	if err != nil {
		return b, err
	}
	if b.mailflume, err = interop.Build(context.Background(), dir, "mailflume/cmd/mailflume", "mailflume"); err != nil {
		return b, err
	}
	b.nats, err = interop.Build(context.Background(), dir, "github.com/nats-io/nats-server/v2", "nats-server")
	return b, err
})

func TestMain(m *testing.M) {
	code := m.Run()
	if b, err := built(); err == nil {
		_ = os.RemoveAll(filepath.Dir(b.mailflume))
	}
	os.Exit(code)
}

func build(t *testing.T) binaries {
	t.Helper()
	if !rig.Available() {
		if os.Getenv("MAILFLUME_CI") == "1" {
			t.Fatal(rig.ErrMissing)
		}
		t.Skip(rig.ErrMissing)
	}
	b, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func stage(t *testing.T) *interop.Stage {
	t.Helper()
	s, err := interop.NewStage(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func natsServer(t *testing.T, b binaries) *interop.NATS {
	t.Helper()
	n, err := interop.StartNATS(b.nats, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Signal(syscall.SIGKILL) })
	return n
}

func config(t *testing.T, s *interop.Stage, o interop.Setup) string {
	t.Helper()
	if o.NATS == "" && o.Data == "" {
		o.Data = t.TempDir()
	}
	path, err := s.Config(o)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func addUser(t *testing.T, s *interop.Stage, name string) {
	t.Helper()
	if err := s.Dovecot.AddUser(name, "password"); err != nil {
		t.Fatal(err)
	}
}

// once runs `run --once` to its end.
func once(t *testing.T, b binaries, cfg string) *interop.Worker {
	t.Helper()
	w, err := interop.StartWorker(b.mailflume, cfg, "--once")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Wait(); err != nil {
		t.Fatalf("run --once: %v\n%s", err, w.Log())
	}
	return w
}

func tap(t *testing.T, b binaries, cfg string) []publish.Event {
	t.Helper()
	events, err := interop.Tap(t.Context(), b.mailflume, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return events
}

func sum(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:])
}

// attachments lists the digests of what go-message finds in a well-formed message.
func attachments(t *testing.T, raw []byte) []string {
	t.Helper()
	var out []string
	e, err := message.Read(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	err = e.Walk(func(_ []int, e *message.Entity, err error) error {
		kind, _, _ := e.Header.ContentType()
		if err != nil || strings.HasPrefix(kind, "multipart/") {
			return err
		}
		if d, _, _ := e.Header.ContentDisposition(); d != "attachment" {
			return nil
		}
		b, err := io.ReadAll(e.Body)
		out = append(out, sum(b))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestInteropEveryWayToDovecotGivesTheSameOctets(t *testing.T) {
	b, s := build(t), stage(t)
	const user = "box@rig.test"
	addUser(t, s, user)
	filled, err := s.Dovecot.Fill(rig.FillOptions{User: user, N: 120, Seed: 7, LargeShare: 0.03})
	if err != nil {
		t.Fatal(err)
	}
	want, wantAttached := filled.Digests, map[string][]string{}
	for _, f := range files(t, s.Dovecot.MailDir(user)) {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		wantAttached[sum(raw)] = attachments(t, raw)
	}
	for _, box := range []interop.Box{
		{ID: "imaps", User: user, Protocol: "imap"}, {ID: "imap-starttls", User: user, Protocol: "imap", StartTLS: true},
		{ID: "pop3s", User: user, Protocol: "pop3"}, {ID: "pop3-stls", User: user, Protocol: "pop3", StartTLS: true},
	} {
		t.Run(box.ID, func(t *testing.T) {
			cfg := config(t, s, interop.Setup{Boxes: []interop.Box{box}})
			once(t, b, cfg)
			events := tap(t, b, cfg)
			checkOnceInOrder(t, events, want)
			for _, ev := range events {
				var got []string
				for _, a := range ev.Data.Attachments {
					got = append(got, a.SHA256)
				}
				if !slices.Equal(got, wantAttached[ev.Data.Raw.SHA256]) {
					t.Errorf("%s: attachments %v, want %v", ev.ID, got, wantAttached[ev.Data.Raw.SHA256])
				}
			}
			checkBlobs(t, b, cfg, events[:5])
		})
	}
}

func files(t *testing.T, maildir string) []string {
	t.Helper()
	var out []string
	for _, d := range []string{"cur", "new"} {
		f, err := filepath.Glob(filepath.Join(maildir, d, "*"))
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, f...)
	}
	return out
}

// checkBlobs reads stored octets back with the program.
func checkBlobs(t *testing.T, b binaries, cfg string, events []publish.Event) {
	t.Helper()
	for _, ev := range events {
		for _, want := range append([]string{ev.Data.Raw.SHA256}, func() (s []string) {
			for _, a := range ev.Data.Attachments {
				s = append(s, a.SHA256)
			}
			return s
		}()...) {
			out, err := exec.CommandContext(t.Context(), b.mailflume, "blob", "get", "-c", cfg, want).Output()
			if err != nil || sum(out) != want {
				t.Errorf("blob get %s: %d bytes with the digest %s, %v", want, len(out), sum(out), err)
			}
		}
	}
}

// checkOnceInOrder wants one event for each digest, in this order.
func checkOnceInOrder(t *testing.T, events []publish.Event, want []string) {
	t.Helper()
	seen := map[string]int{}
	for i, ev := range events {
		if ev.Data == nil || ev.Data.Raw == nil {
			t.Fatalf("event %d (%s) has no raw digest: %+v", i, ev.Type, ev.Data)
		}
		if seen[ev.ID]++; seen[ev.ID] > 1 {
			t.Errorf("event %s stands %d times in the stream", ev.ID, seen[ev.ID])
		}
		if i < len(want) && ev.Data.Raw.SHA256 != want[i] {
			t.Errorf("event %d has the digest %s, want %s", i, ev.Data.Raw.SHA256, want[i])
		}
	}
	if len(events) != len(want) {
		t.Errorf("%d events, want %d", len(events), len(want))
	}
}

func TestInteropAMessageOf300MiBNeedsLittleMemory(t *testing.T) {
	b, s := build(t), stage(t)
	const user = "large@rig.test"
	addUser(t, s, user)
	one, err := s.Dovecot.One(user, 300<<20)
	if err != nil {
		t.Fatal(err)
	}
	for _, protocol := range []string{"imap", "pop3"} {
		t.Run(protocol, func(t *testing.T) {
			cfg := config(t, s, interop.Setup{
				NATS: natsServer(t, b).URL, Boxes: []interop.Box{{ID: "large", User: user, Protocol: protocol}}, Extra: "limits: {message_size: 1GiB}",
			})
			w := once(t, b, cfg)
			t.Logf("peak RSS %d MiB, CPU %v", w.PeakRSS()>>20, w.CPU())
			if w.PeakRSS() > 128<<20 {
				t.Errorf("peak RSS %d MiB", w.PeakRSS()>>20)
			}
			events := tap(t, b, cfg)
			checkOnceInOrder(t, events, []string{one.Digest})
			if len(events) == 1 {
				a := events[0].Data.Attachments
				if len(a) != 1 || a[0].SHA256 != one.AttachmentDigest || a[0].Size != one.AttachmentBytes {
					t.Errorf("attachments %+v, want %s of %d bytes", a, one.AttachmentDigest, one.AttachmentBytes)
				}
			}
		})
	}
}

func TestInteropTestdataMailAndPostActions(t *testing.T) {
	b, s := build(t), stage(t)
	want := map[string][]string{}
	for _, protocol := range []string{"imap", "pop3"} {
		addUser(t, s, protocol+"@rig.test")
		want[protocol] = deliverTestdata(t, s, protocol)
	}
	n := natsServer(t, b)
	boxes := []interop.Box{{ID: "imap", User: "imap@rig.test", Protocol: "imap"}, {ID: "pop3", User: "pop3@rig.test", Protocol: "pop3"}}
	cfg := config(t, s, interop.Setup{NATS: n.URL, Boxes: boxes})
	once(t, b, cfg)
	byBox := map[string][]publish.Event{}
	for _, ev := range tap(t, b, cfg) {
		byBox[ev.Data.Mailbox.ID] = append(byBox[ev.Data.Mailbox.ID], ev)
	}
	checkOnceInOrder(t, byBox["imap"], want["imap"])
	checkOnceInOrder(t, byBox["pop3"], want["pop3"])

	data := t.TempDir()
	for i := range boxes {
		boxes[i].Extra = "after: {action: delete, grace: 0s}"
	}
	cfg = config(t, s, interop.Setup{Data: data, Boxes: boxes})
	w, err := interop.StartWorker(b.mailflume, cfg)
	if err != nil {
		t.Fatal(err)
	}
	end := time.Now().Add(time.Minute)
	for time.Now().Before(end) && len(files(t, s.Dovecot.MailDir("imap@rig.test")))+len(files(t, s.Dovecot.MailDir("pop3@rig.test"))) > 0 {
		<-time.After(200 * time.Millisecond)
	}
	w.Signal(syscall.SIGTERM)
	if err := w.Wait(); err != nil {
		t.Errorf("the worker ended with %v", err)
	}
	for _, user := range []string{"imap@rig.test", "pop3@rig.test"} {
		if left := len(files(t, s.Dovecot.MailDir(user))); left != 0 {
			t.Errorf("%s: %d messages left\n%s", user, left, tail(w.Log()))
		}
	}
}

// deliverTestdata returns the digests of the messages as the server sends them: with CRLF line ends,
// and over POP3 with one at the very end, which that protocol cannot do without (RFC 1939 section 3).
func deliverTestdata(t *testing.T, s *interop.Stage, protocol string) (digests []string) {
	t.Helper()
	mail := testdata.Mail()
	entries, err := os.ReadDir("../../../testdata/mail")
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	for _, e := range entries {
		f, err := mail.Open(e.Name())
		if err != nil {
			continue
		}
		b, err := io.ReadAll(f)
		if err != nil {
			t.Fatal(err)
		}
		at = at.Add(time.Minute)
		if _, err := s.Dovecot.Deliver(protocol+"@rig.test", "INBOX", b, at); err != nil {
			t.Fatal(err)
		}
		sent := crlf(b)
		if protocol == "pop3" && !bytes.HasSuffix(sent, []byte("\r\n")) {
			sent = append(sent, "\r\n"...)
		}
		digests = append(digests, sum(sent))
	}
	return digests
}

// crlf is what Dovecot makes of bare line feeds when it sends a message.
func crlf(b []byte) []byte {
	return bytes.ReplaceAll(bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n")), []byte("\n"), []byte("\r\n"))
}
