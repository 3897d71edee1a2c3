package parse

import (
	"bytes"
	"crypto/sha256"
	"hash"
	"io"
	"sync"
)

const (
	windowSize   = 64 << 10 // all that is ever held of the raw message
	maxDelimiter = 2 << 10  // a longer line is no boundary delimiter
	peekSize     = 4 << 10  // how far a doubt about the header may look ahead
)

// scratch is the memory of a window, or of a decoder for one windowful of octets and a held few.
type scratch [windowSize + 64]byte

// scratches are those of messages read to their end, for the next ones: making and clearing them costs
// more than reading a small message does.
var scratches = sync.Pool{New: func() any { return new(scratch) }}

// headScratch is the memory of a header until it is known how much it is.
type headScratch struct {
	block  scratch
	fields [256]fieldSpan
}

// headScratches are those that no window needs any more.
var headScratches = sync.Pool{New: func() any { return new(headScratch) }}

// newScratch returns memory whose content means nothing.
func newScratch() *scratch { return scratches.Get().(*scratch) }

// free gives memory back that nobody looks at any more; nil is fine.
func (s *scratch) free() {
	if s != nil {
		scratches.Put(s)
	}
}

// window is the only place that reads the input. It hashes what it reads, hands out lines while a
// header is read and runs of octets while a body is, and recognises the delimiter lines of all open
// multiparts (RFC 2046 section 5.1.1). Whatever it decides depends on the octets and never on how
// the input was cut into reads.
type window struct {
	in       io.Reader
	mem      *scratch
	buf      []byte // mem, or nothing before the first and after the last octet
	pos, end int
	gone     int64 // octets that were before buf[0]
	over     bool  // the input came to its clean end: io.EOF itself, not an error that wraps it
	err      error // the transport's error; nothing is read after it
	hashed   bool
	sum      hash.Hash // if hashed, from the first octet on
	size     int64
	head     *headScratch // takes the header that is being read
	nl       byte         // '\n', or '\r' in a message that has no other line ends

	open  map[string]int // boundary to index in Reader.stack; nil until there is one
	start bool           // nothing of the current body has been consumed
	ended bool           // the current body is over, hit says why
	hit   delimiter
}

// delimiter is a boundary delimiter line: which multipart it belongs to and whether it closes it.
type delimiter struct {
	level int // -1: the end of the input
	final bool
}

// newWindow returns a window on r that has read nothing yet.
func newWindow(r io.Reader) window {
	return window{in: r, hashed: true, nl: '\n'}
}

// fill reads once more. It reports false when the input is over or the window is full.
func (w *window) fill() bool {
	if w.stopped() {
		return false
	}
	w.makeRoom()
	if w.end == len(w.buf) {
		return false
	}
	for range 100 {
		n, err := w.in.Read(w.buf[w.end:])
		if n > 0 {
			if w.sum != nil {
				w.sum.Write(w.buf[w.end : w.end+n])
			}
			w.size += int64(n)
			w.end += n
		}
		if err == io.EOF {
			w.over = true
		} else {
			w.err = err
		}
		if n > 0 || err != nil {
			return n > 0
		}
	}
	w.err = io.ErrNoProgress
	return false
}

// makeRoom makes the window able to take more, by forgetting what was consumed.
func (w *window) makeRoom() {
	switch {
	case w.mem == nil:
		w.mem = newScratch()
		w.buf = w.mem[:windowSize]
		if w.hashed {
			w.sum = sha256.New()
		}
	case w.end == len(w.buf) && w.pos > 0:
		w.gone += int64(w.pos)
		w.end = copy(w.buf, w.buf[w.pos:w.end])
		w.pos = 0
	}
}

// free gives the memory of a window back that has nothing left to say.
func (w *window) free() {
	w.gone += int64(w.pos)
	w.pos, w.end, w.buf = 0, 0, nil
	w.mem.free()
	if w.head != nil {
		headScratches.Put(w.head)
	}
	w.mem, w.head = nil, nil
}

// peek returns the next n octets without consuming them, fewer only at the end of the input.
func (w *window) peek(n int) []byte {
	for w.end-w.pos < n && w.fill() {
		continue
	}
	return w.buf[w.pos:min(w.end, w.pos+n)]
}

// offset is the position of the next octet in the message.
func (w *window) offset() int64 { return w.gone + int64(w.pos) }

// stopped tells whether there is nothing more to read.
func (w *window) stopped() bool { return w.over || w.err != nil }

// eol returns the index of the first line end's last octet in b, or -1.
func (w *window) eol(b []byte) int {
	if w.nl == '\n' {
		return bytes.IndexByte(b, '\n')
	}
	return indexEnd(b)
}

// indexEnd returns the index of the first CR or LF in b, or -1.
func indexEnd[T string | []byte](b T) int {
	for i := range len(b) {
		if b[i] == '\n' || b[i] == '\r' {
			return i
		}
	}
	return -1
}

// line consumes the next line and returns it with its end, or the first windowSize octets of a
// longer one. It is empty at the end of the input. The slice is good until the next call.
func (w *window) line() []byte {
	for scanned := 0; ; {
		if i := w.eol(w.buf[w.pos+scanned : w.end]); i >= 0 {
			return w.take(scanned + i + 1)
		}
		scanned = w.end - w.pos
		if scanned == windowSize || !w.fill() {
			return w.take(scanned)
		}
	}
}

// take consumes n octets, and the LF of a CR LF pair in a message whose lines end in CR.
func (w *window) take(n int) []byte {
	if w.nl == '\r' && n > 0 && w.buf[w.pos+n-1] == '\r' {
		if p := w.peek(n + 1); len(p) > n && p[n] == '\n' {
			n++
		}
	}
	w.pos += n
	return w.buf[w.pos-n : w.pos]
}

// after returns what follows the n octets consumed last, which stay in the window: see last.
func (w *window) after(n int) []byte {
	w.pos -= n
	b := w.peek(min(n+peekSize, windowSize))
	w.pos += n
	return b[min(n, len(b)):]
}

// last returns the n octets consumed last, good only after line and after.
func (w *window) last(n int) []byte { return w.buf[w.pos-n : w.pos] }

// delimiter tells whether line is the delimiter of an open multipart. RFC 2046 section 5.1.1: only
// white space may follow; the longest boundary wins because the whole line is compared.
func (w *window) delimiter(line []byte) (delimiter, bool) {
	if len(w.open) == 0 || len(line) < 3 || line[0] != '-' || line[1] != '-' {
		return delimiter{}, false
	}
	b := bytes.TrimRight(line[2:], " \t\r\n")
	if level, ok := w.open[string(b)]; ok {
		return delimiter{level: level}, true
	}
	if b, ok := bytes.CutSuffix(b, []byte("--")); ok {
		if level, ok := w.open[string(b)]; ok {
			return delimiter{level: level, final: true}, true
		}
	}
	return delimiter{}, false
}

// beginBody makes the next octets a body: what body returns up to the next delimiter.
func (w *window) beginBody() { w.start, w.ended = true, false }

// body returns the next octets of the current body, nil at its end (then hit is set) or when the
// transport failed. The line end before a delimiter belongs to the delimiter. The slice is good until
// the next call.
func (w *window) body() []byte {
	for !w.ended {
		w.peek(peekSize) // a transport that gives single octets must not make every layer do so
		n, skip, more := w.scan(w.buf[w.pos:w.end])
		if n > 0 || w.ended {
			b := w.buf[w.pos : w.pos+n]
			w.pos += n + skip
			w.start = false
			if n > 0 {
				return b
			}
			return nil
		}
		if more && !w.fill() && w.stopped() && w.pos == w.end {
			w.ended, w.hit = true, delimiter{level: -1}
			w.free()
		}
	}
	return nil
}

// scan looks for a delimiter in b, what is there of the body. The first n octets are body, skip more
// are the delimiter that ended it; more asks for more input.
func (w *window) scan(b []byte) (n, skip int, more bool) {
	if len(w.open) == 0 {
		return len(b), 0, true
	}
	for from := 0; ; {
		i := bytes.IndexByte(b[from:], '-')
		if i < 0 {
			return len(b) - w.held(b), 0, true
		}
		i += from
		from = i + 1
		if !w.lineStart(b, i) || (i+1 < len(b) && b[i+1] != '-') {
			continue
		}
		j := w.eol(b[i:])
		if j < 0 && len(b)-i < maxDelimiter && !w.stopped() {
			return w.before(b, i), 0, true
		}
		if j < 0 {
			j = len(b) - i - 1
		}
		if d, ok := w.delimiter(b[i : i+j+1]); ok && j < maxDelimiter {
			w.ended, w.hit = true, d
			n = w.before(b, i)
			return n, i + j + 1 - n, false
		}
	}
}

// lineStart tells whether a line begins at b[i]; a body does at its first octet.
func (w *window) lineStart(b []byte, i int) bool {
	if i == 0 {
		return w.start
	}
	return b[i-1] == '\n' || b[i-1] == w.nl
}

// before returns where the line end before position i begins.
func (w *window) before(b []byte, i int) int {
	if i > 0 && b[i-1] == '\n' {
		i--
		if i > 0 && b[i-1] == '\r' {
			i--
		}
		return i
	}
	return max(i-1, 0)
}

// held counts the octets at the end of b that may turn out to be the line end before a delimiter.
func (w *window) held(b []byte) int {
	n := len(b)
	switch {
	case n == 0 || w.stopped():
		return 0
	case b[n-1] == '\n':
		return n - w.before(b, n)
	case b[n-1] == '\r':
		return 1
	}
	return 0
}

// failureIfDry returns the transport's error once everything read before it is consumed.
func (w *window) failureIfDry() error {
	if w.pos == w.end {
		return w.err
	}
	return nil
}

// headless tells whether the multipart whose body begins here, and whose boundary is open at level, has
// text where its first part should begin: in all that can be seen there is no delimiter line that opens it,
// or one of another multipart comes first.
func (w *window) headless(level int) bool {
	b := w.peek(windowSize / 2)
	for off := 0; off < len(b); {
		end := len(b)
		if n := w.eol(b[off:]); n >= 0 {
			end = off + n + 1
		}
		if d, ok := w.delimiter(b[off:end]); ok {
			return (d.final || d.level != level) && !isBlank(b[:off])
		}
		off = end
	}
	return !isBlank(b)
}

// shows tells whether a delimiter line for boundary can be seen already.
func (w *window) shows(boundary string) bool { return w.delimits(w.peek(windowSize/2), boundary) }

// delimits tells whether b has a delimiter line for boundary: one of the first places where one could be,
// for the same octets are looked at for many multiparts.
func (w *window) delimits(b []byte, boundary string) bool {
	delimiter := []byte("--" + boundary)
	off := 0
	for range 100 {
		i := bytes.Index(b[off:], delimiter)
		if i < 0 {
			return false
		}
		start := off + i
		off = start + len(delimiter)
		if start > 0 && b[start-1] != '\n' && b[start-1] != w.nl {
			continue
		}
		end := len(b)
		if n := w.eol(b[off:]); n >= 0 {
			end = off + n
		}
		switch rest := bytes.TrimRight(b[off:end], " \t\r\n"); string(rest) {
		case "":
			return true
		case "--":
			return isBlank(b[:start]) // what stands before a closing one alone is no preamble
		}
	}
	return false
}

// isBlank tells whether b is white space only.
func isBlank(b []byte) bool { return len(bytes.TrimSpace(b)) == 0 }
