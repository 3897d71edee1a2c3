package ingest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
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
	h := pr.Header()
	text := newBodyWriter(ctx, c.Blobs, "text/plain; charset=utf-8", c.inline())
	html := newBodyWriter(ctx, c.Blobs, "text/html; charset=utf-8", c.inline())
	panics := true
	defer func() {
		if panics {
			_, _ = text.finish(errAbandoned)
			_, _ = html.finish(errAbandoned)
		}
	}()
	var err error
	for err == nil {
		var p *parse.Part
		if p, err = pr.Next(); err != nil {
			break
		}
		switch p.Role {
		case parse.RoleText:
			err = text.join(p)
		case parse.RoleHTML:
			err = html.join(p)
		default:
			err = c.attach(ctx, p, data)
		}
	}
	if err == io.EOF { //nolint:errorlint // bare: a lost connection's error may wrap io.EOF
		err = nil
	}
	panics = false
	var terr, herr error
	data.Text, terr = text.finish(err)
	data.HTML, herr = html.finish(err)
	if err = errors.Join(terr, herr, err); err != nil {
		return err
	}
	describeHeader(data, h)
	data.Issues = issues(pr.Issues())
	return nil
}

func (c *Composer) inline() int {
	if c.InlineText > 0 {
		return c.InlineText
	}
	return inlineText
}

// attach stores one attachment and describes it.
func (c *Composer) attach(ctx context.Context, p *parse.Part, data *publish.Data) error {
	var store publish.BlobStore = hashOnly{}
	if c.Attachments && c.Blobs != nil {
		store = c.Blobs
	}
	blob, err := store.Put(ctx, p.ContentType, p)
	if err != nil {
		return fmt.Errorf("store attachment %s: %w", p.Path, err)
	}
	a := publish.Attachment{
		Part: p.Path, Filename: p.Filename, ContentType: p.ContentType, Size: blob.Size, SHA256: blob.SHA256, Ref: blob.Ref,
		Disposition: p.Disposition, Inline: p.Inline, ContentID: p.ContentID, Parent: p.Parent, Origin: "mime",
	}
	if p.FilenameRaw != p.Filename {
		a.FilenameRaw = p.FilenameRaw
	}
	data.Attachments = append(data.Attachments, a)
	return nil
}

func issues(in []parse.Issue) []publish.Issue {
	out := make([]publish.Issue, 0, len(in))
	for _, i := range in {
		out = append(out, publish.Issue{Code: i.Code, Part: i.Part, Detail: i.Detail, Lossy: i.Lossy})
	}
	return out
}

// hashOnly is the store of those who keep nothing: it knows the digest and the size.
type hashOnly struct{}

// Put hashes r.
func (hashOnly) Put(_ context.Context, _ string, r io.Reader) (publish.Blob, error) {
	h := sha256.New()
	n, err := io.Copy(hashWriter{h}, r)
	if err != nil {
		return publish.Blob{}, err
	}
	return publish.Blob{SHA256: hex.EncodeToString(h.Sum(nil)), Size: n}, nil
}

// hashWriter hides every method of the hash but Write, so that io.Copy uses a plain buffer.
type hashWriter struct{ hash.Hash }
