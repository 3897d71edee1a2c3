package ingest

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"unicode/utf8"

	"mailflume/publish"
)

func newBytesReader(b []byte) io.Reader { return bytes.NewReader(b) }

// sideWriter stores what is written to it while somebody else reads the message: a pipe and one
// goroutine that waits only for the store. finish must be called; it waits for the goroutine.
type sideWriter struct {
	pw   *io.PipeWriter
	buf  *bufio.Writer // of pw: octets that come singly must not cross the pipe singly
	done chan struct{}
	blob publish.Blob
	err  error
}

func newSideWriter(ctx context.Context, store publish.BlobStore, mediaType string) *sideWriter {
	pr, pw := io.Pipe()
	s := &sideWriter{pw: pw, buf: bufio.NewWriter(pw), done: make(chan struct{})}
	go func() {
		defer close(s.done)
		s.blob, s.err = put(ctx, store, mediaType, pr)
		if s.err != nil {
			pr.CloseWithError(s.err) // whoever reads the message learns it from its next Write
			return
		}
		pr.Close()
	}()
	return s
}

// put is store.Put. A panic there is the message's fault, as it is in the goroutine that reads.
func put(ctx context.Context, store publish.BlobStore, mediaType string, r io.Reader) (b publish.Blob, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &Error{Fault{Class: BadMessage, Code: CodeMessagePanic}, "store " + mediaType, fmt.Errorf("%v\n%s", v, debug.Stack())}
		}
	}()
	return store.Put(ctx, mediaType, r)
}

// Write implements io.Writer.
func (s *sideWriter) Write(b []byte) (int, error) { return s.buf.Write(b) }

// errAbandoned ends a store whose message could not be read to its end.
var errAbandoned = errors.New("the message was not read to its end")

// finish ends the stream (with an error if the message could not be read) and returns what is
// stored. Its error is the store's own; nil if the store only failed because the message did.
func (s *sideWriter) finish(cause error) (publish.Blob, error) {
	if cause != nil {
		s.pw.CloseWithError(errAbandoned)
	} else {
		_ = s.buf.Flush() // its error is that of the store
		s.pw.Close()
	}
	<-s.done
	if errors.Is(s.err, errAbandoned) {
		return publish.Blob{}, nil
	}
	return s.blob, s.err
}

// bodyWriter takes a body: up to limit bytes in memory, and all of it in the store once it grows beyond.
type bodyWriter struct {
	ctx   context.Context //nolint:containedctx // it lives for one message and starts a store's goroutine
	store publish.BlobStore
	media string
	limit int

	head []byte
	size int64
	over *sideWriter
}

func newBodyWriter(ctx context.Context, store publish.BlobStore, media string, limit int) *bodyWriter {
	if store == nil {
		store = hashOnly{}
	}
	return &bodyWriter{ctx: ctx, store: store, media: media, limit: limit}
}

// Write implements io.Writer.
func (b *bodyWriter) Write(p []byte) (int, error) {
	b.size += int64(len(p))
	if b.over == nil && len(b.head)+len(p) <= b.limit {
		b.head = append(b.head, p...)
		return len(p), nil
	}
	if b.over == nil {
		b.over = newSideWriter(b.ctx, b.store, b.media)
		if _, err := b.over.Write(b.head); err != nil {
			return 0, err
		}
		b.head = append(b.head, p[:b.limit-len(b.head)]...)
	}
	return b.over.Write(p)
}

// finish returns the body.
func (b *bodyWriter) finish(cause error) (*publish.Body, error) {
	body := &publish.Body{Size: b.size}
	if b.over != nil {
		blob, err := b.over.finish(cause)
		if err != nil {
			return nil, err
		}
		body.Ref, body.Truncated = blob.Ref, true
		b.head = wholeRunes(b.head)
	}
	body.Content = string(b.head)
	return body, nil
}

// wholeRunes cuts an incomplete character off the end.
func wholeRunes(b []byte) []byte {
	for i := 1; i <= min(utf8.UTFMax, len(b)); i++ {
		if c := b[len(b)-i]; utf8.RuneStart(c) {
			if !utf8.FullRune(b[len(b)-i:]) {
				return b[:len(b)-i]
			}
			return b
		}
	}
	return b
}
