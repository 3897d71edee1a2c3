package parse

import (
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// utf7Decoder reads UTF-7 (RFC 2152). What is no UTF-7 becomes U+FFFD or stays as it is.
type utf7Decoder struct {
	shifted bool
	fresh   bool // just shifted: +- means +
	bits    uint32
	n       uint
	high    rune // a first surrogate waiting for its second
}

// Reset implements transform.Transformer.
func (d *utf7Decoder) Reset() { *d = utf7Decoder{} }

// Transform implements transform.Transformer. It takes one octet at a time: UTF-7 is rare.
func (d *utf7Decoder) Transform(dst, src []byte, atEOF bool) (nDst, nSrc int, err error) {
	for ; nSrc < len(src); nSrc++ {
		if len(dst)-nDst < 3*utf8.UTFMax {
			return nDst, nSrc, transform.ErrShortDst
		}
		nDst += d.step(dst[nDst:], src[nSrc])
	}
	if atEOF && d.high != 0 && len(dst)-nDst >= utf8.UTFMax {
		nDst += utf8.EncodeRune(dst[nDst:], utf8.RuneError)
		d.high = 0
	}
	return nDst, nSrc, nil
}

// step decodes c and returns how much it wrote: at most two characters.
func (d *utf7Decoder) step(dst []byte, c byte) int {
	if !d.shifted {
		if c == '+' {
			d.shifted, d.fresh, d.n, d.bits = true, true, 0, 0
			return 0
		}
		if c >= 0x80 {
			return utf8.EncodeRune(dst, utf8.RuneError)
		}
		dst[0] = c
		return 1
	}
	if v := sextet(c); v >= 0 {
		d.fresh = false
		d.bits = d.bits<<6 | uint32(v)
		if d.n += 6; d.n < 16 {
			return 0
		}
		d.n -= 16
		return d.unit(dst, rune(uint16(d.bits>>d.n)))
	}
	fresh := d.fresh
	d.shifted, d.fresh = false, false
	n := 0
	if d.high != 0 {
		n = utf8.EncodeRune(dst, utf8.RuneError)
		d.high = 0
	}
	switch {
	case c == '-' && fresh:
		dst[n] = '+'
		n++
	case c == '-':
	case c >= 0x80:
		n += utf8.EncodeRune(dst[n:], utf8.RuneError)
	default:
		dst[n] = c
		n++
	}
	return n
}

// unit takes one UTF-16 code unit.
func (d *utf7Decoder) unit(dst []byte, u rune) int {
	n := 0
	if d.high != 0 {
		if r := utf16.DecodeRune(d.high, u); r != utf8.RuneError {
			d.high = 0
			return utf8.EncodeRune(dst, r)
		}
		n = utf8.EncodeRune(dst, utf8.RuneError)
		d.high = 0
	}
	if u >= 0xd800 && u < 0xdc00 {
		d.high = u
		return n
	}
	return n + utf8.EncodeRune(dst[n:], u)
}

// iso2022krDecoder reads ISO-2022-KR (RFC 1557): SO and SI switch between KS C 5601 and ASCII.
type iso2022krDecoder struct {
	shifted bool
	lead    byte
	escape  int // octets of the designator ESC $ ) C seen
}

// Reset implements transform.Transformer.
func (d *iso2022krDecoder) Reset() { *d = iso2022krDecoder{} }

// Transform implements transform.Transformer.
func (d *iso2022krDecoder) Transform(dst, src []byte, atEOF bool) (nDst, nSrc int, err error) {
	for ; nSrc < len(src); nSrc++ {
		if len(dst)-nDst < 2*utf8.UTFMax {
			return nDst, nSrc, transform.ErrShortDst
		}
		nDst += d.step(dst[nDst:], src[nSrc])
	}
	if atEOF && d.lead != 0 && len(dst)-nDst >= utf8.UTFMax {
		nDst += utf8.EncodeRune(dst[nDst:], utf8.RuneError)
		d.lead = 0
	}
	return nDst, nSrc, nil
}

// step decodes c and returns how much it wrote. A line end resets the shift (RFC 1557 section 2).
func (d *iso2022krDecoder) step(dst []byte, c byte) int {
	const designator = "\x1b$)C"
	if c == designator[d.escape] {
		d.escape = (d.escape + 1) % len(designator)
		return 0
	}
	d.escape = 0
	switch {
	case c == 0x0e:
		d.shifted = true
	case c == 0x0f || c == '\n':
		d.shifted, d.lead = false, 0
		if c == '\n' {
			dst[0] = c
			return 1
		}
	case !d.shifted || c <= ' ':
		if c >= 0x80 {
			return utf8.EncodeRune(dst, utf8.RuneError)
		}
		dst[0] = c
		return 1
	case d.lead == 0:
		d.lead = c
	default:
		pair := [2]byte{d.lead | 0x80, c | 0x80}
		d.lead = 0
		n, _, _ := korean.EUCKR.NewDecoder().Transform(dst, pair[:], true)
		return n
	}
	return 0
}

// utf16Decoder reads UTF-16 whose byte order the label does not say: a byte order mark does, or else
// the first character, which is ASCII in nearly every text; RFC 2781 section 4.3 has the last word.
type utf16Decoder struct{ transform.Transformer }

// Reset implements transform.Transformer.
func (d *utf16Decoder) Reset() { d.Transformer = nil }

// Transform implements transform.Transformer.
func (d *utf16Decoder) Transform(dst, src []byte, atEOF bool) (nDst, nSrc int, err error) {
	if d.Transformer == nil {
		if len(src) < 2 && !atEOF {
			return 0, 0, transform.ErrShortSrc
		}
		e := unicode.UTF16(unicode.BigEndian, unicode.UseBOM)
		if len(src) >= 2 && src[0] != 0 && src[1] == 0 {
			e = unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM)
		}
		d.Transformer = e.NewDecoder()
	}
	return d.Transformer.Transform(dst, src, atEOF)
}
