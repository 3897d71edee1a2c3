package rig

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestSizesAreThoseOfBusinessMail(t *testing.T) {
	o := FillOptions{N: 5000}.withDefaults()
	c := newComposer(1)
	var sizes []int
	total := 0
	for range o.N {
		n := c.size(o)
		sizes, total = append(sizes, n), total+n
	}
	slices.Sort(sizes)
	if med := sizes[o.N/2]; med < 27<<10 || med > 34<<10 {
		t.Errorf("median %d, want about 30 KiB", med)
	}
	if total < 500e6 || total > 680e6 {
		t.Errorf("%d octets, want about 580 MB", total)
	}
	if large := o.N - must(slices.BinarySearch(sizes, ordinary+1)); large < 35 || large > 90 {
		t.Errorf("%d large messages, want about 60", large)
	}
	if top := sizes[o.N-1]; top > 10<<20 {
		t.Errorf("the largest has %d octets", top)
	}
}

func must(n int, _ bool) int { return n }

func TestMessagesAreWellFormedAndOfTheSizeThatWasAsked(t *testing.T) {
	c := newComposer(3)
	for i, size := range []int{smallest, 5999, 6000, 30 << 10, 61000, 200 << 10, 2 << 20} {
		b := c.message(i, size, time.Unix(1.77e9, 0).UTC())
		if len(b) < size*9/10-400 || len(b) > size*11/10+400 {
			t.Errorf("asked for %d octets, got %d", size, len(b))
		}
		if lf, crlf := bytes.Count(b, []byte("\n")), bytes.Count(b, []byte("\r\n")); lf != crlf {
			t.Errorf("size %d: %d bare line feeds", size, lf-crlf)
		}
		if got := attachments(t, b); got < 1 && size >= plainOnly || got > 3 {
			t.Errorf("size %d: %d attachments", size, got)
		}
	}
}

func attachments(t *testing.T, b []byte) (n int) {
	t.Helper()
	m, err := mail.ReadMessage(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	typ, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	if typ == "text/plain" {
		return 0
	}
	for r := multipart.NewReader(m.Body, params["boundary"]); ; n++ {
		p, err := r.NextPart()
		if errors.Is(err, io.EOF) {
			return n - 1 // the first part is the text
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, p); err != nil {
			t.Fatal(err)
		}
	}
}

func TestFolderNamesAreModifiedUTF7(t *testing.T) {
	for in, want := range map[string]string{
		"Archive": "Archive", "a&b": "a&-b", "Gelöscht": "Gel&APY-scht",
		"台北": "&U,BTFw-", "👍": "&2D3cTQ-", // RFC 3501 section 5.1.3 has the second
	} {
		if got := mutf7(in); got != want {
			t.Errorf("%q is encoded %q, want %q", in, got, want)
		}
	}
}

func TestNamesThatWouldEscapeAreRefused(t *testing.T) {
	d := &Dovecot{dir: t.TempDir(), users: map[string]string{}}
	for _, user := range []string{"", "A@example.org", "a b", "a:b", "../x", ".x", "é"} {
		if err := d.AddUser(user, "x"); !errors.Is(err, errUser) {
			t.Errorf("user %q: %v", user, err)
		}
	}
	if err := d.AddUser("a", "x:y"); !errors.Is(err, errUser) {
		t.Errorf("a password with a colon: %v", err)
	}
	for _, folder := range []string{"../x", "a//b", "a.b", "/a", "a\n"} {
		if _, err := d.Deliver("a", folder, nil, time.Time{}); !errors.Is(err, errFolder) {
			t.Errorf("folder %q: %v", folder, err)
		}
	}
}

func TestAFolderThatCannotWorkIsRefusedBeforeItIsUsed(t *testing.T) {
	closed := filepath.Join(t.TempDir(), "closed")
	if err := os.Mkdir(closed, 0o700); err != nil {
		t.Fatal(err)
	}
	if dir, err := ownFolder(closed); err == nil {
		t.Errorf("%s was made in a folder that only we can enter", dir)
	}
	open, err := os.MkdirTemp("/tmp", strings.Repeat("x", longestDir)) //nolint:usetesting // t.TempDir is closed to other users
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(open)
	if err := os.Chmod(open, 0o755); err != nil {
		t.Fatal(err)
	}
	if dir, err := ownFolder(open); err == nil {
		t.Errorf("%s is too long for a socket's path", dir)
	}
}

func TestAChildThatCannotRunIsReported(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	if _, err := startChild("/nonexistent/dovecot", nil, log, owner{}); err == nil {
		t.Error("no error")
	}
	c, err := startChild("/bin/false", nil, log, owner{})
	if err != nil {
		t.Fatal(err)
	}
	never := func(context.Context) error { return io.EOF }
	if err := c.waitFor(t.Context(), never); !errors.Is(err, errEnded) {
		t.Errorf("waiting for a process that has ended: %v", err)
	}
	late, cancel := context.WithTimeout(t.Context(), 2*pause)
	defer cancel()
	if err := (&child{done: make(chan struct{})}).waitFor(late, never); !errors.Is(err, io.EOF) {
		t.Errorf("waiting for a process that never gets ready: %v", err)
	}
	c.stop()
}
