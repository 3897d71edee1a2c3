package smime

import (
	"bufio"
	"fmt"
	"io"
	"math"
)

// The identifier octets of what lies on the way to the content (X.690 section 8.1.2).
const (
	tagInteger  = 0x02
	tagOctets   = 0x04
	tagOID      = 0x06
	tagChunks   = 0x24 // an octet string made of octet strings
	tagSequence = 0x30
	tagSet      = 0x31
	tagExplicit = 0xa0 // [0]

	constructed = 0x20 // the bit of a tag
	longNumber  = 0x1f // the bits of a tag whose number follows
)

// unknown is the size and the end of an object of indefinite length (X.690 section 8.1.3.6).
const unknown = -1

// decoder reads BER (X.690), of which DER is a subset. Its first error stays.
type decoder struct {
	r   *bufio.Reader
	at  int64 // octets read
	err error
}

// fail keeps the first error; the end of the input is one.
func (d *decoder) fail(err error) {
	switch end := io.EOF; {
	case d.err != nil:
	case err == end: //nolint:errorlint // an error that wraps io.EOF is the transport's
		d.malformed("cut off after %d octets", d.at)
	default:
		d.err = err
	}
}

// malformed makes the error.
func (d *decoder) malformed(format string, args ...any) {
	if d.err == nil {
		d.err = fmt.Errorf("%w: %s", ErrMalformed, fmt.Sprintf(format, args...))
	}
}

// octet reads one octet; 0 after an error.
func (d *decoder) octet() byte {
	if d.err != nil {
		return 0
	}
	b, err := d.r.ReadByte()
	if err != nil {
		d.fail(err)
		return 0
	}
	d.at++
	return b
}

// header reads the identifier and the length of an object. Of a tag with a long number it returns
// the first octet: no such object is of interest here.
func (d *decoder) header() (tag byte, size int64) {
	tag = d.octet()
	if tag&longNumber == longNumber {
		for d.octet() >= 0x80 {
		}
	}
	n := d.octet()
	switch {
	case n < 0x80:
		return tag, int64(n)
	case n == 0x80 && tag&constructed == 0:
		d.malformed("primitive object of indefinite length")
	case n == 0x80:
		return tag, unknown
	}
	for range n & 0x7f {
		if size > math.MaxInt32<<16 {
			d.malformed("length of more than 48 bits")
			return tag, 0
		}
		size = size<<8 | int64(d.octet())
	}
	return tag, size
}

// enter reads the header of an object that must have a tag, and returns where the object ends.
func (d *decoder) enter(want byte) (end int64) {
	tag, size := d.header()
	if tag != want {
		d.malformed("tag %#x where %#x should be", tag, want)
	}
	return d.endOf(size)
}

// endOf returns where an object of that size ends whose header was just read.
func (d *decoder) endOf(size int64) int64 {
	if size == unknown {
		return unknown
	}
	return d.at + size
}

// over reports whether the object is over that ends there, and reads its end.
func (d *decoder) over(end int64) bool {
	if d.err != nil {
		return false
	}
	if end != unknown {
		return d.at >= end
	}
	b, err := d.r.Peek(2)
	if err != nil {
		d.fail(err)
		return false
	}
	if b[0] != 0 || b[1] != 0 {
		return false
	}
	d.octet()
	d.octet()
	return true
}

// pass reads an object that must have a tag and whose value is of no interest. It counts what is open
// instead of recursing.
func (d *decoder) pass(want byte) {
	tag, size := d.header()
	if tag != want {
		d.malformed("tag %#x where %#x should be", tag, want)
	}
	for open := 0; d.err == nil; {
		switch {
		case size == unknown:
			open++
		case tag == 0 && size == 0:
			open--
		default:
			d.discard(size)
		}
		if open <= 0 {
			return
		}
		tag, size = d.header()
	}
}

// discard reads n octets.
func (d *decoder) discard(n int64) {
	k, err := io.CopyN(io.Discard, d.r, n)
	d.at += k
	if err != nil {
		d.fail(err)
	}
}

// maxOID is the longest object identifier that is read.
const maxOID = 64

// oid reads an object identifier and returns its encoding.
func (d *decoder) oid() string {
	tag, size := d.header()
	if tag != tagOID || size > maxOID {
		d.malformed("no object identifier where the type of the content should be")
	}
	var b [maxOID]byte
	for i := range min(size, maxOID) {
		b[i] = d.octet()
	}
	return string(b[:max(0, min(size, maxOID))])
}

// The roots of the content types: PKCS #7 (RFC 5652) and the S/MIME arc (RFC 8551 section 2.4).
const (
	oidPKCS7 = "\x2a\x86\x48\x86\xf7\x0d\x01\x07"
	oidSMIME = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01"
)

// kindName names a content type for the text of an error.
func kindName(oid string) string {
	switch oid {
	case oidPKCS7 + "\x01":
		return "data"
	case oidPKCS7 + "\x02":
		return "signed-data"
	case oidPKCS7 + "\x03":
		return "enveloped-data"
	case oidPKCS7 + "\x05":
		return "digested-data"
	case oidPKCS7 + "\x06":
		return "encrypted-data"
	case oidSMIME + "\x09":
		return "compressed-data"
	case oidSMIME + "\x17":
		return "auth-enveloped-data"
	}
	return fmt.Sprintf("content type %x", oid)
}
