package ingest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"

	"mailflume/parse"
	"mailflume/publish"
)

// Composer turns a raw message into the data of its event, storing its octets on the way: one pass,
// nothing held whole. It is safe for concurrent use.
type Composer struct {
	Blobs       publish.BlobStore // nil: octets are hashed and not kept
	Raw         bool              // keep the raw message
	Attachments bool              // keep the attachments
	InlineText  int               // longer bodies go to the store; 0: 64 KiB
	Limits      parse.Limits
}

// inlineText is the longest body that travels inside an event, in bytes of UTF-8.
const inlineText = 64 << 10

// Compose reads r to its end and fills data. raw, if the whole message is at hand, is stored from
// there; nil: the octets are stored as they stream by. Errors are those of r, of the store, or of ctx.
func (c *Composer) Compose(ctx context.Context, r io.Reader, raw []byte, data *publish.Data) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	src := r
	var side *sideWriter
	if raw == nil && c.keepRaw() {
		side = newSideWriter(ctx, c.Blobs, "message/rfc822")
		src = io.TeeReader(r, side)
	}
	pr := parse.NewReader(src, c.Limits)
	if c.keepRaw() {
		pr = pr.WithoutDigest() // the store hashes the same octets
	}
	panics := true
	defer func() {
		if panics && side != nil {
			_, _ = side.finish(errAbandoned) // or its store would wait for ever
		}
	}()
	err := c.readParts(ctx, pr, data)
	panics = false
	if side != nil {
		// The reader's error matters only if the store did not cause it.
		blob, serr := side.finish(err)
		if serr != nil {
			return serr
		}
		data.Raw = stored(blob)
		return err
	}
	if err != nil {
		return err
	}
	return c.rawFromMemory(ctx, pr, raw, data)
}

func (c *Composer) keepRaw() bool { return c.Raw && c.Blobs != nil }

func (c *Composer) rawFromMemory(ctx context.Context, pr *parse.Reader, raw []byte, data *publish.Data) error {
	if !c.keepRaw() {
		d := pr.Digest()
		data.Raw = &publish.Stored{SHA256: hex.EncodeToString(d.SHA256[:]), Size: d.Size}
		return nil
	}
	blob, err := c.Blobs.Put(ctx, "message/rfc822", newBytesReader(raw))
	if err != nil {
		return fmt.Errorf("store the raw message: %w", err)
	}
	data.Raw = stored(blob)
	return nil
}

func stored(b publish.Blob) *publish.Stored {
	return &publish.Stored{SHA256: b.SHA256, Size: b.Size, Ref: b.Ref}
}

// readParts walks the message. The parser is the only one that pulls.
func (c *Composer) readParts(ctx context.Context, pr *parse.Reader, data *publish.Data) error {
	m := c.begin(ctx, pr, data)
	panics := true
	defer func() {
		if panics {
			_ = m.finish(errAbandoned) // or its stores would wait for ever
		}
	}()
	var err error
	for err == nil {
		var p *parse.Part
		if p, err = pr.Next(); err == nil {
			err = m.take(p)
		}
	}
	if err == io.EOF { //nolint:errorlint // bare: a lost connection's error may wrap io.EOF
		err = nil
	}
	panics = false
	if err = m.finish(err); err != nil {
		return err
	}
	describe(data, pr)
	if m.html.gap {
		data.Issues = append(data.Issues, publish.Issue{Code: parse.IssueReportLimit, Detail: "html", Lossy: true})
	}
	if m.silent {
		data.Issues = append(data.Issues, publish.Issue{Code: parse.IssueReportLimit, Detail: "attachments", Lossy: true})
	}
	return nil
}

// hashOnly is the store of those who keep nothing: it knows the digest and the size.
type hashOnly struct{}

// Put hashes r.
func (hashOnly) Put(_ context.Context, _ string, r io.Reader) (publish.Blob, error) {
	h := sha256.New()
	n, err := io.CopyBuffer(hashWriter{h}, r, make([]byte, 4<<10)) // a message may have ten thousand parts
	if err != nil {
		return publish.Blob{}, err
	}
	return publish.Blob{SHA256: hex.EncodeToString(h.Sum(nil)), Size: n}, nil
}

// hashWriter hides every method of the hash but Write, so that io.Copy uses a plain buffer.
type hashWriter struct{ hash.Hash }
