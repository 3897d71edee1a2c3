package ingest_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"mailflume/ingest"
	"mailflume/publish"
)

// nthStore misbehaves at one call of Put.
type nthStore struct {
	mu   sync.Mutex
	nth  int
	puts int
	how  func(ctx context.Context, r io.Reader) error
}

// Put implements publish.BlobStore.
func (s *nthStore) Put(ctx context.Context, _ string, r io.Reader) (publish.Blob, error) {
	s.mu.Lock()
	n := s.puts
	s.puts++
	s.mu.Unlock()
	if n == s.nth {
		if err := s.how(ctx, r); err != nil {
			return publish.Blob{}, err
		}
	}
	size, err := io.Copy(io.Discard, r)
	return publish.Blob{SHA256: fmt.Sprint(n), Size: size}, err
}

// layered is a mail with long bodies and a message in a message.
func layered() string {
	inner := "Subject: in\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\nContent-Type: application/pdf\r\n\r\n" + strings.Repeat("p", 3000) +
		"\r\n--c\r\nContent-Type: message/rfc822\r\n\r\nContent-Type: image/png\r\n\r\n" + strings.Repeat("q", 3000) + "\r\n--c--\r\n"
	return "Subject: x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>" + strings.Repeat("hello ", 1000) +
		"\r\n--b\r\nContent-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64.StdEncoding.EncodeToString([]byte(inner)) +
		"\r\n--b\r\nContent-Type: text/plain\r\n\r\n" + strings.Repeat("hello ", 1000) + "\r\n--b\r\nContent-Type: application/zip\r\n\r\nzip\r\n--b--\r\n"
}

// stores is how many calls of Put layered needs.
const stores = 8

func TestAStoreThatFailsEndsTheMessageWithItsError(t *testing.T) {
	broken := errors.New("store broke")
	for name, how := range map[string]func(context.Context, io.Reader) error{
		"at once": func(context.Context, io.Reader) error { return broken },
		"after a while": func(_ context.Context, r io.Reader) error {
			_, _ = io.CopyN(io.Discard, r, 100)
			return broken
		},
		"at the end": func(_ context.Context, r io.Reader) error {
			_, _ = io.Copy(io.Discard, r)
			return broken
		},
		"when it is told to": func(ctx context.Context, _ io.Reader) error {
			<-ctx.Done()
			return broken
		},
		"in a panic": func(context.Context, io.Reader) error { panic(broken) },
	} {
		for nth := range stores {
			for _, buffered := range []bool{true, false} {
				t.Run(fmt.Sprint(name, nth, buffered), func(t *testing.T) { fails(t, nth, how, buffered, broken) })
			}
		}
	}
}

func fails(t *testing.T, nth int, how func(context.Context, io.Reader) error, buffered bool, broken error) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	store := &nthStore{nth: nth}
	store.how = func(_ context.Context, r io.Reader) error {
		cancel() // for who waits for it; nobody else looks
		return how(ctx, r)
	}
	var raw []byte
	if buffered {
		raw = []byte(layered())
	}
	c := &ingest.Composer{Blobs: store, Raw: true, Attachments: true, InlineText: 1000}
	err := func() (err error) {
		defer func() {
			if v := recover(); v != nil {
				err = v.(error) // in this goroutine: for the runner to recover
			}
		}()
		return c.Compose(ctx, strings.NewReader(layered()), raw, new(publish.Data))
	}()
	if err == nil || strings.Count(strings.Split(err.Error()+"\n", "\ngoroutine")[0], broken.Error()) != 1 {
		t.Errorf("error %v", err)
	}
}

func TestATransportThatFailsEndsAllStores(t *testing.T) {
	broken := fmt.Errorf("connection closed: %w", io.EOF)
	msg := layered()
	for at := 0; at < len(msg); at += 500 {
		c := &ingest.Composer{Blobs: &nthStore{nth: -1}, Raw: true, Attachments: true, InlineText: 1000}
		in := io.MultiReader(strings.NewReader(msg[:at]), iotest.ErrReader(broken))
		if err := c.Compose(t.Context(), in, nil, new(publish.Data)); !errors.Is(err, broken) {
			t.Errorf("cut at %d: error %v", at, err)
		}
	}
}
