package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"

	"mailflume/ingest"
	"mailflume/parse"
	"mailflume/publish"
)

// reading is a message as we read it.
type reading struct {
	name string
	raw  []byte
	data publish.Data
	err  error
}

// inlineText is the longest text that is printed: like `mailflume parse` there is no store.
const inlineText = 16 << 20

// read makes the event data of a message and writes its JSON line. A panic is a failure like another.
func read(ctx context.Context, m message, lines io.Writer) (r *reading) {
	r = &reading{name: m.name}
	defer func() {
		if p := recover(); p != nil {
			r.err = fmt.Errorf("panic: %v", p)
		}
	}()
	if r.raw, r.err = os.ReadFile(m.path); r.err != nil {
		return r
	}
	c := ingest.Composer{InlineText: inlineText}
	if r.err = c.Compose(ctx, bytes.NewReader(r.raw), nil, &r.data); r.err != nil {
		return r
	}
	line, err := publish.Marshal(&r.data)
	if err == nil {
		_, err = fmt.Fprintf(lines, "%s\n", line)
	}
	r.err = err
	return r
}

// issue tells whether one of codes was reported about a part; "*" is any part.
func (r *reading) issue(part string, codes ...string) bool {
	for _, i := range r.data.Issues {
		for _, code := range codes {
			if i.Code == code && (part == "*" || i.Part == part) {
				return true
			}
		}
	}
	return false
}

// asSent returns the digest of the octets of a part before its transfer encoding was undone.
func (r *reading) asSent(path string) string {
	pr := parse.NewReader(bytes.NewReader(r.raw), parse.Limits{})
	for {
		p, err := pr.Next()
		if errors.Is(err, io.EOF) || err != nil {
			return ""
		}
		if p.Path != path {
			continue
		}
		if _, err := io.Copy(io.Discard, p); err != nil {
			return ""
		}
		start, end := p.Range()
		sum := sha256.Sum256(r.raw[start:end])
		return hex.EncodeToString(sum[:])
	}
}
