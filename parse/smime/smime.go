package smime

import (
	"bufio"
	"errors"
	"fmt"
	"io"
)

// What an object can be instead of one with content. They are wrapped: ask with errors.Is.
var (
	ErrNotSigned = errors.New("no signed-data")          // well-formed, but encrypted, compressed or something else
	ErrNoContent = errors.New("signed-data has no mail") // a detached signature, certificates only, or content that is no id-data
	ErrMalformed = errors.New("malformed S/MIME object") // no DER or BER, or cut off
)

// Open reads an opaque-signed object up to its content, which the returned reader gives. An error of r
// comes back as it is, from Open or from Read; the end of r inside of the content is ErrMalformed.
func Open(r io.Reader) (io.Reader, error) {
	c := &content{d: decoder{r: bufio.NewReader(r)}}
	if err := c.find(); err != nil {
		return nil, err
	}
	return c, nil
}

// content reads an octet string, primitive or constructed (X.690 section 8.7).
type content struct {
	d    decoder
	left int64   // of the current primitive string
	open []int64 // where the constructed strings around it end
	err  error
}

// maxDepth bounds open. Real encoders nest once.
const maxDepth = 16

// find goes to the first chunk (RFC 5652 sections 3, 5.1 and 5.2). Where the structures end that it
// enters does not matter, except for the one that may end before the content.
func (c *content) find() error {
	d := &c.d
	d.enter(tagSequence) // ContentInfo
	kind := d.oid()
	if d.err == nil && kind != oidPKCS7+"\x02" {
		return fmt.Errorf("%w: %s", ErrNotSigned, kindName(kind))
	}
	d.enter(tagExplicit)
	d.enter(tagSequence) // SignedData
	d.pass(tagInteger)   // version
	d.pass(tagSet)       // digestAlgorithms
	end := d.enter(tagSequence)
	kind = d.oid()
	if d.err == nil && kind != oidPKCS7+"\x01" {
		return fmt.Errorf("%w: %s", ErrNoContent, kindName(kind))
	}
	if d.over(end) || d.over(d.enter(tagExplicit)) {
		return ErrNoContent
	}
	c.begin(unknown)
	return d.err
}

// Read implements io.Reader.
func (c *content) Read(b []byte) (int, error) {
	for c.left == 0 {
		if c.next(); c.err != nil {
			return 0, c.err
		}
	}
	n, err := c.d.r.Read(b[:min(int64(len(b)), c.left)])
	c.d.at += int64(n)
	c.left -= int64(n)
	if err != nil {
		c.d.fail(err)
		c.left, c.err = 0, c.d.err
	}
	return n, c.err
}

// next goes to the next primitive string, or sets err.
func (c *content) next() {
	if c.err != nil {
		return
	}
	if len(c.open) == 0 {
		c.err = io.EOF
		return
	}
	if end := c.open[len(c.open)-1]; c.d.over(end) {
		c.open = c.open[:len(c.open)-1]
	} else {
		c.begin(end)
	}
	c.err = c.d.err
}

// begin enters a string inside of one that ends at end.
func (c *content) begin(end int64) {
	d := &c.d
	tag, size := d.header()
	at := d.endOf(size)
	switch {
	case d.err != nil:
	case end != unknown && at > end:
		d.malformed("a chunk is longer than the string it is a part of")
	case tag == tagOctets:
		c.left = size
	case tag != tagChunks:
		d.malformed("tag %#x where the content should be", tag)
	case len(c.open) == maxDepth:
		d.malformed("chunks nested deeper than %d", maxDepth)
	default:
		c.open = append(c.open, at)
	}
}
