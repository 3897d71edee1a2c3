package parse

import (
	"bytes"
	"strconv"
	"strings"
)

// headerReader reads one header from the window.
type headerReader struct {
	w     *window
	h     *Header
	part  string // the part whose header it is
	top   bool   // it is that of a message
	block []byte // of h, as far as it is read
	state fieldState
	sure  int64 // no doubt before this offset: a field follows
}

// fieldState says what becomes of a continuation line.
type fieldState int

const (
	fieldNone    fieldState = iota // there is no field to continue
	fieldOpen                      // it belongs to the last field
	fieldDropped                   // it belongs to something that is not kept
)

// readHeader reads a header up to the empty line after it. A top header may follow what mail files
// carry before it.
func readHeader(w *window, h *Header, top bool) {
	hr := headerReader{w: w, h: h, part: h.part, top: top}
	if top {
		hr.prologue()
	} else {
		hr.mark()
		hr.indent()
	}
	if w.head == nil {
		w.head = headScratches.Get().(*headScratch)
	}
	hr.block, h.fields = w.head.block[:0], w.head.fields[:0]
	hr.read()
	h.block, h.fields = string(hr.block), append([]fieldSpan(nil), h.fields...)
}

// read reads the lines of the header.
func (hr *headerReader) read() {
	w, h := hr.w, hr.h
	for whole := true; ; {
		at := w.offset()
		line := w.line()
		if len(line) == 0 {
			if inside := hr.top && hr.part != ""; len(h.fields) > 0 && !inside { // RFC 5322 section 3.5: there need be no body
				hr.issue(IssueHeaderNoEnd, "", false)
			}
			break
		}
		continued := !whole
		whole = line[len(line)-1] == '\n' || line[len(line)-1] == w.nl
		text := chomp(line)
		colon, named := fieldName(text)
		switch {
		case continued:
			hr.extend(line)
		case len(text) == 0 && hr.top && hr.state == fieldDropped && len(h.fields) == 0 && isField(w.after(len(line))):
			hr.issue(IssueLeadingBlank, "", false) // between an mbox line and the header
		case len(text) == 0 || hr.blankEnd(text, len(line)):
			return
		case hr.bodyBegins(w.last(len(line))[:len(text)], named, at, len(line)):
			w.pos -= len(line)
			return
		default:
			line = w.last(len(line))
			hr.accept(line, line[:len(text)], colon, named)
		}
	}
}

// prologue skips byte order marks and white space, and finds out how the lines end.
func (hr *headerReader) prologue() {
	w := hr.w
	if hr.mark(); endsInCR(w.peek(peekSize)) {
		w.nl = '\r'
		hr.issue(IssueLineEnds, "", false)
	}
	for {
		b := w.peek(1)
		if len(b) == 0 || b[0] != '\r' && b[0] != '\n' && b[0] != ' ' && b[0] != '\t' {
			return
		}
		w.pos++
		hr.issue(IssueLeadingBlank, "", false)
		hr.mark()
	}
}

// indent skips white space before the first field of a part: there is nothing that it could continue.
func (hr *headerReader) indent() {
	b := hr.w.peek(64)
	if t := bytes.TrimLeft(b, " \t"); len(t) < len(b) && len(t) > 8 && bytes.EqualFold(t[:8], []byte("content-")) {
		hr.w.pos += len(b) - len(t)
		hr.issue(IssueLeadingBlank, "", false)
	}
}

// mark skips byte order marks.
func (hr *headerReader) mark() {
	for bytes.HasPrefix(hr.w.peek(3), []byte("\xef\xbb\xbf")) {
		hr.w.pos += 3
		hr.issue(IssueBOM, "", false)
	}
}

// endsInCR tells whether the lines of a header end in a bare CR: there is no other line end, or the
// whole header stands before the first one and only the body is written differently.
func endsInCR(b []byte) bool {
	head, _, found := bytes.Cut(b, []byte("\n"))
	if !found {
		return bytes.IndexByte(b, '\r') >= 0
	}
	head, _, found = bytes.Cut(bytes.TrimRight(head, "\r"), []byte("\r\r"))
	lines := bytes.Split(head, []byte("\r"))
	for i, line := range lines {
		folds := i > 0 && len(line) > 0 && (line[0] == ' ' || line[0] == '\t')
		found = found && (folds || isField(line))
	}
	return found && len(lines) > 1
}

// blankEnd tells whether a line of white space ends the header. It is a fold (RFC 5322 section
// 4.2) unless nothing of a header comes after it.
func (hr *headerReader) blankEnd(text []byte, lineLen int) bool {
	if text[0] != ' ' && text[0] != '\t' || hr.state == fieldNone || !areBlanks(text) {
		return false
	}
	ahead := hr.w.after(lineLen)
	line, _, _ := bytes.Cut(ahead, []byte{hr.w.nl})
	line = bytes.TrimRight(line, "\r")
	return len(line) > 0 && line[0] != ' ' && line[0] != '\t' && !isField(line) && !bytes.HasPrefix(line, []byte("--"))
}

// bodyBegins tells whether line, with its end lineLen octets at offset at, is the first of the body although no
// empty line came before: a delimiter, or text after which nothing of a header comes. named: it begins like a field.
func (hr *headerReader) bodyBegins(line []byte, named bool, at int64, lineLen int) bool {
	if line[0] == '-' {
		if _, ok := hr.w.delimiter(line); ok || hr.ownDelimiter(line) {
			hr.issue(IssueHeaderByBoundary, "", false)
			return true
		}
	}
	folds := (line[0] == ' ' || line[0] == '\t') && hr.state != fieldNone
	if folds || named || isMboxLine(line) || at < hr.sure {
		return false
	}
	return hr.doubt(at, lineLen)
}

// doubt looks ahead from a line that is no field: true if the header is over.
func (hr *headerReader) doubt(at int64, lineLen int) bool {
	ahead := hr.w.after(lineLen)
	for off := 0; off < len(ahead); {
		end := hr.w.eol(ahead[off:])
		if end < 0 && !hr.w.stopped() {
			break
		} else if end < 0 {
			end = len(ahead) - off
		}
		line := chomp(ahead[off : off+end])
		if len(line) == 0 {
			if len(hr.h.fields) == 0 {
				break
			}
			return false
		}
		if _, ok := hr.w.delimiter(line); ok {
			break
		}
		if isField(line) {
			hr.sure = at + int64(lineLen) + int64(off)
			return false
		}
		off += end + 1
	}
	hr.issue(IssueHeaderNoEnd, "", false)
	return true
}

// ownDelimiter tells whether line opens the multipart that this very header announces: no empty
// line stands between them.
func (hr *headerReader) ownDelimiter(line []byte) bool {
	if len(line) < 3 || line[1] != '-' {
		return false
	}
	ct, ok := hr.first("Content-Type")
	if !ok {
		return false
	}
	line = bytes.TrimRight(line[2:], " \t")
	boundary := parseMedia(ct, hr.h).boundary(hr.h)
	return boundary != "" && (string(line) == boundary || string(line) == boundary+"--")
}

// first is Header.first while the header is read.
func (hr *headerReader) first(name string) (string, bool) {
	for _, f := range hr.h.fields {
		if f.key == fieldKey(name) && strings.EqualFold(string(hr.block[f.start:f.start+f.name]), name) {
			return unfold(string(hr.block[f.colon+1 : f.end])), true
		}
	}
	return "", false
}

// accept takes one line that belongs to the header. line still has its end, text has not; colon and named are
// what fieldName says of it.
func (hr *headerReader) accept(line, text []byte, colon int, named bool) {
	switch {
	case (text[0] == ' ' || text[0] == '\t') && hr.state != fieldNone:
		hr.extend(line)
	case !named && isMboxLine(text):
		hr.state = fieldDropped
		hr.issue(IssueMboxLine, "", false)
	case !named && (colon < 0 || len(bytes.TrimRight(text[:colon], " \t")) == 0):
		hr.state = fieldDropped
		hr.issue(IssueHeaderLine, quote(string(text[:min(len(text), 60)])), true)
	case len(hr.h.fields) >= hr.h.lim.HeaderFields:
		hr.state = fieldDropped
		hr.issue(IssueFieldLimit, strconv.Itoa(hr.h.lim.HeaderFields), true)
	default:
		if !named {
			hr.issue(IssueFieldNameBad, quote(string(text[:min(colon, 60)])), false)
		}
		hr.begin(line, text[:colon])
	}
}

// begin starts a field.
func (hr *headerReader) begin(line, name []byte) {
	h := hr.h
	start, n := int32(len(hr.block)), int32(len(name))
	if n > 0 && areBlanks(name[n-1:]) { // RFC 5322 section 4.5 allowed white space before the colon
		name = bytes.TrimRight(name, " \t")
	}
	h.fields = append(h.fields, fieldSpan{start: start, colon: start + n, end: start, name: int32(len(name)), key: fieldKey(name)})
	hr.state = fieldOpen
	hr.extend(line)
}

// extend appends line to the last field, up to the limits.
func (hr *headerReader) extend(line []byte) {
	h := hr.h
	if hr.state != fieldOpen {
		return
	}
	f := &h.fields[len(h.fields)-1]
	room := min(h.lim.FieldBytes-int64(len(hr.block)-int(f.start)), h.lim.HeaderBytes-int64(len(hr.block)))
	n := min(int64(len(line)), max(room, 0))
	hr.block = append(hr.block, line[:n]...)
	f.colon = min(f.colon, int32(len(hr.block)))
	f.end = f.start + int32(len(chomp(hr.block[f.start:])))
	f.colon = min(f.colon, f.end-1)
	if name := max(0, min(f.name, f.colon-f.start)); name != f.name {
		f.name, f.key = name, fieldKey(hr.block[f.start:f.start+name])
	}
	if n == int64(len(line)) {
		return
	}
	hr.state = fieldDropped
	if int64(len(hr.block)) >= h.lim.HeaderBytes {
		hr.issue(IssueHeaderTooLarge, strconv.FormatInt(h.lim.HeaderBytes, 10), true)
	} else {
		hr.issue(IssueFieldTooLarge, quote(h.utf8(string(hr.block[f.start:f.start+f.name]))), true)
	}
	if f.colon < f.start || hr.block[f.colon] != ':' {
		h.fields = h.fields[:len(h.fields)-1]
	}
}

// issue reports something about the header that is being read.
func (hr *headerReader) issue(code, detail string, lossy bool) {
	hr.h.issues.add(Issue{Code: code, Part: hr.part, Detail: detail, Lossy: lossy})
}

// areBlanks tells whether b is nothing but spaces and tabs.
func areBlanks(b []byte) bool {
	for _, c := range b {
		if c != ' ' && c != '\t' {
			return false
		}
	}
	return true
}

// chomp removes the line ends at the end of line.
func chomp(line []byte) []byte {
	n := len(line)
	for n > 0 && (line[n-1] == '\n' || line[n-1] == '\r') {
		n--
	}
	return line[:n]
}

// isField tells whether line begins like a field.
func isField(line []byte) bool {
	_, ok := fieldName(line)
	return ok
}

// fieldName returns where the first colon of line is, or -1. ok: before it stand a name of printable ASCII
// (RFC 5322 section 3.6.8) and perhaps white space (section 4.5).
func fieldName[T string | []byte](line T) (colon int, ok bool) {
	n := 0
	for n < len(line) && line[n] > ' ' && line[n] <= '~' && line[n] != ':' {
		n++
	}
	for colon = n; colon < len(line) && (line[colon] == ' ' || line[colon] == '\t'); {
		colon++
	}
	if n > 0 && colon < len(line) && line[colon] == ':' {
		return colon, true
	}
	for ; n < len(line); n++ {
		if line[n] == ':' {
			return n, false
		}
	}
	return -1, false
}

// isMboxLine recognises the line that mbox files put before each message.
func isMboxLine(line []byte) bool {
	line = bytes.TrimPrefix(line, []byte(">"))
	if !bytes.HasPrefix(line, []byte("From ")) {
		return false
	}
	i := bytes.IndexByte(line, ':')
	return i < 0 || len(bytes.Trim(line[4:i], " \t")) > 0
}
