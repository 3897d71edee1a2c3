package rig

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"
)

// One is a single message with one attachment.
type One struct {
	Path             string
	Bytes            int64
	Digest           string // lower-case hex SHA-256 of the message's octets
	AttachmentBytes  int64
	AttachmentDigest string // of the attachment's decoded octets
}

// One delivers a message of about size octets with one base64 attachment. It is written as a
// stream: a message of gigabytes costs this process no memory. The same size gives the same octets.
func (d *Dovecot) One(user string, size int64) (One, error) {
	dir, err := d.maildir(user, "")
	if err != nil {
		return One{}, fmt.Errorf("deliver one message to %s: %w", user, err)
	}
	f, err := os.CreateTemp(filepath.Join(dir, "tmp"), "one")
	if err != nil {
		return One{}, fmt.Errorf("deliver one message to %s: %w", user, err)
	}
	when := time.Date(2026, 2, 1, 12, 0, 0, 0, time.UTC)
	one, err := writeOne(f, size, when)
	if err = errors.Join(err, f.Close()); err != nil {
		return One{}, fmt.Errorf("deliver one message to %s: %w", user, errors.Join(err, os.Remove(f.Name())))
	}
	one.Path, err = d.place(f.Name(), dir, one.Bytes, one.Bytes, when)
	return one, err
}

// counted writes to the file and the digest and keeps count.
type counted struct {
	w io.Writer
	h hash.Hash
	n int64
}

func (c *counted) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.h.Write(p[:n])
	c.n += int64(n)
	return n, err
}

func writeOne(f io.Writer, size int64, when time.Time) (One, error) {
	out := &counted{w: f, h: sha256.New()}
	const end = "--=_one--\r\n"
	_, err := fmt.Fprintf(out, "From: \"The Scanner\" <scanner@example.net>\r\nTo: <box@example.org>\r\nSubject: One large file\r\n"+
		"Date: %s\r\nMessage-ID: <one.%d@example.net>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"=_one\"\r\n\r\n"+
		"--=_one\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nThe file is attached.\r\n"+
		"--=_one\r\nContent-Type: application/octet-stream; name=\"large.bin\"\r\nContent-Transfer-Encoding: base64\r\n"+
		"Content-Disposition: attachment; filename=\"large.bin\"\r\n\r\n", when.Format(time.RFC1123Z), size)
	if err != nil {
		return One{}, err
	}
	lines := max((size-out.n-int64(len(end)))/(lineChars+2), 1)
	att, err := noiseLines(out, lines)
	if err != nil {
		return One{}, err
	}
	if _, err := io.WriteString(out, end); err != nil {
		return One{}, err
	}
	return One{
		Bytes: out.n, Digest: hex.EncodeToString(out.h.Sum(nil)),
		AttachmentBytes: lines * lineOctets, AttachmentDigest: hex.EncodeToString(att),
	}, nil
}

// noiseLines writes that many full lines of base64 and returns the digest of what they decode to.
func noiseLines(w io.Writer, lines int64) ([]byte, error) {
	const block = 1024 // lines
	noise := rand.NewChaCha8([32]byte{'o', 'n', 'e'})
	h := sha256.New()
	octets := make([]byte, block*lineOctets)
	var text []byte
	for lines > 0 {
		b := octets[:min(lines, block)*lineOctets]
		_, _ = noise.Read(b) // it never fails
		h.Write(b)
		text = appendBase64(text[:0], b)
		if _, err := w.Write(text); err != nil {
			return nil, err
		}
		lines -= int64(len(b)) / lineOctets
	}
	return h.Sum(nil), nil
}
