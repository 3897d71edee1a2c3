package parse

import (
	"bytes"
	"encoding/binary"
	"errors"
	"unicode/utf8"

	"golang.org/x/net/html/charset"
	"golang.org/x/text/transform"
)

const (
	sniffSize = 8 << 10 // octets that decide an undeclared charset, counted from the first telling one
	metaSize  = 1 << 10 // where the HTML standard looks for a charset
)

// textReader turns the decoded octets of a text part into UTF-8, piece by piece.
type textReader struct {
	known   bool // charset is settled
	charset knownCharset
	html    bool // look for a <meta> charset first
	silent  bool // nothing at all is declared
	hint    string

	declared knownCharset // what is declared, until the first octets confirm it; empty if nothing is

	tr      transform.Transformer
	sniff   []byte // octets held until the charset is settled
	prev    byte   // the octet before them
	started bool   // something was delivered: no byte order mark can come
	held    []byte // an unfinished character
	out     []byte
	guessed bool
	invalid bool
}

// newTextReader returns a reader for a declared charset. Without a label, with one that nobody knows
// or that promises ASCII, the octets decide. unknown reports a label nobody knows.
func newTextReader(label string, html bool) (t *textReader, unknown bool) {
	label = cleanLabel(label)
	ascii := isASCIILabel(label)
	t = &textReader{html: html && ascii, silent: label == ""}
	if ascii {
		return t, false
	}
	c, ok := lookupCharset(label)
	switch {
	case !ok:
		return t, true
	case c.doubtful(), c.make == nil, c.name == "windows-1252": // it has five octets that mean nothing
		t.declared = c
	default:
		t.settle(c)
	}
	return t, false
}

// doubtful tells whether octets can show that c is not what they are written in: UTF-8 is declared as
// those multi-byte charsets often, and by chance it is never valid in them for long.
func (c knownCharset) doubtful() bool {
	switch c.name {
	case "gbk", "gb18030", "big5", "euc-kr", "euc-jp", "shift_jis", "iso-2022-jp":
		return true
	}
	return false
}

// settle fixes the charset for the rest of the text.
func (t *textReader) settle(c knownCharset) {
	t.known, t.charset = true, c
	if c.make != nil {
		t.tr = c.make()
	}
}

// convert returns the text of src. The result is good until the next call and may be src.
func (t *textReader) convert(src []byte, last bool) []byte {
	if last && !t.known && !t.html && t.declared.name != "" && telling(t.sniff) == len(t.sniff) && telling(src) == len(src) {
		t.settle(t.declared) // nothing spoke against it
	}
	if !t.known {
		if len(t.sniff) == 0 && !t.html {
			n := telling(src)
			if n > 0 {
				t.prev = src[n-1]
			}
			t.started = t.started || n > 0
			if n == len(src) {
				return src
			}
			if n > 0 {
				// ASCII before the first telling octet passes; the rest waits.
				t.sniff = append(t.sniff, src[n:]...)
				return t.join(src[:n], last)
			}
		}
		t.sniff = append(t.sniff, src...)
		return t.join(nil, last)
	}
	return t.known8(src, last)
}

// join returns ascii and, if the charset can be settled now, what waited.
func (t *textReader) join(ascii []byte, last bool) []byte {
	if t.html && (len(t.sniff) >= metaSize || last) {
		t.meta()
	}
	if !t.known && !t.html {
		if n := telling(t.sniff); n > 0 { // ASCII passes, whatever follows it
			t.prev, t.started = t.sniff[n-1], true
			ascii, t.sniff = append(ascii[:len(ascii):len(ascii)], t.sniff[:n]...), t.sniff[n:]
		}
		if len(t.sniff) == 0 || len(t.sniff) < sniffSize && !last {
			return ascii
		}
		t.decide(t.sniff, last)
	}
	if !t.known {
		return ascii
	}
	b := t.sniff
	t.sniff = nil
	rest := t.known8(b, last)
	if len(ascii) == 0 {
		return rest
	}
	return append(ascii[:len(ascii):len(ascii)], rest...)
}

// decide settles the charset by the first telling octets.
func (t *textReader) decide(b []byte, last bool) {
	whole := last && len(b) <= sniffSize
	b = b[:min(len(b), sniffSize)]
	if t.prev != 0 {
		b = append([]byte{t.prev}, b...) // what stands beside a letter says much about it
	}
	if c := t.declared; c.name != "" && !c.untrue(b, whole) {
		t.settle(c)
		return
	}
	hint := t.hint
	if t.declared.name != "" {
		hint = "" // it is the label that is untrue
	}
	t.settle(guessCharset(b, hint, whole))
	t.guessed = true
}

// meta looks for a declaration in the HTML itself.
func (t *textReader) meta() {
	t.html = false
	head := t.sniff[:min(len(t.sniff), metaSize)]
	if marked := len(head) > 1 && head[0] >= 0xef; !marked && !bytes.Contains(bytes.ToLower(head), []byte("charset")) {
		return // neither a byte order mark nor a declaration
	}
	// These two are also its answers when it finds nothing; guessCharset gives better reasons.
	if e, name, _ := charset.DetermineEncoding(head, ""); name != "utf-8" && name != "windows-1252" {
		t.settle(encodingCharset(name, e))
		t.guessed = !t.silent
	}
}

// telling returns the position of the first octet that is not plain ASCII text: over 127, or the
// ESC of ISO-2022.
func telling(b []byte) int {
	i := 0
	for ; i+8 <= len(b); i += 8 {
		v := binary.LittleEndian.Uint64(b[i:])
		esc := v ^ 0x1b1b1b1b1b1b1b1b // has a zero octet where v has ESC
		if (v|(esc-0x0101010101010101)&^esc)&0x8080808080808080 != 0 {
			break
		}
	}
	for ; i < len(b); i++ {
		if b[i] >= utf8.RuneSelf || b[i] == 0x1b {
			return i
		}
	}
	return len(b)
}

// known8 converts octets of the settled charset.
func (t *textReader) known8(src []byte, last bool) []byte {
	if len(t.held) > 0 {
		src = append(t.held, src...)
		t.held = nil
	}
	if t.charset.make != nil {
		if t.charset.ascii && len(src) > 0 && telling(src) == len(src) {
			t.started = true
			return src
		}
		return t.transform(src, last)
	}
	if !t.started && len(src) < 3 && !last && string(src) == "\xef\xbb\xbf"[:len(src)] {
		t.held = append([]byte(nil), src...)
		return nil
	}
	if !t.started {
		src = bytes.TrimPrefix(src, []byte("\xef\xbb\xbf"))
	}
	t.started = t.started || len(src) > 0
	return t.valid(src, last)
}

// valid returns src with what is not UTF-8 replaced.
func (t *textReader) valid(src []byte, last bool) []byte {
	if !last {
		for i := 1; i < utf8.UTFMax && i <= len(src); i++ {
			if c := src[len(src)-i]; utf8.RuneStart(c) {
				if c >= utf8.RuneSelf && !utf8.FullRune(src[len(src)-i:]) {
					t.held = append([]byte(nil), src[len(src)-i:]...)
					src = src[:len(src)-i]
				}
				break
			}
		}
	}
	if utf8.Valid(src) {
		return src
	}
	t.invalid = true
	t.out = t.out[:0]
	for len(src) > 0 {
		r, n := utf8.DecodeRune(src)
		t.out = utf8.AppendRune(t.out, r)
		src = src[n:]
	}
	return t.out
}

// transform converts with a decoder.
func (t *textReader) transform(src []byte, last bool) []byte {
	t.out = t.out[:0]
	for {
		if cap(t.out)-len(t.out) < 64 {
			grown := make([]byte, len(t.out), 2*cap(t.out)+len(src)+256)
			copy(grown, t.out)
			t.out = grown
		}
		nDst, nSrc, err := t.tr.Transform(t.out[len(t.out):cap(t.out)], src, last)
		t.out = t.out[:len(t.out)+nDst]
		src = src[nSrc:]
		switch {
		case errors.Is(err, transform.ErrShortDst):
			if nDst == 0 && nSrc == 0 && cap(t.out)-len(t.out) >= 64 {
				grown := make([]byte, len(t.out), 2*cap(t.out))
				copy(grown, t.out)
				t.out = grown
			}
			continue
		case errors.Is(err, transform.ErrShortSrc) && !last:
			t.held = append([]byte(nil), src...)
		case len(src) > 0:
			t.out = utf8.AppendRune(t.out, utf8.RuneError)
			src = src[1:]
			continue
		}
		break
	}
	if !t.started && len(t.out) > 0 {
		t.started = true
		if b, ok := bytes.CutPrefix(t.out, []byte("\uFEFF")); ok {
			t.invalid = t.invalid || bytes.Contains(b, []byte("\uFFFD"))
			return b
		}
	}
	if !t.invalid && bytes.Contains(t.out, []byte("\uFFFD")) {
		t.invalid = true
	}
	return t.out
}
