package parse

import "bytes"

// uuScanner finds the files that old senders put into the text of a message with uuencode (POSIX
// uuencode, both of its encodings). A line "begin 644 name" is believed when the line after it is
// encoded data, or the end of an empty file; until then both are held, and if it is not, they are
// text like everything else, octet for octet. A file ends with its last line, or before the first
// line that is no data: that line is text again.
//
// It holds a begin line, a line of data and a piece of a file, 6 KiB, whatever comes.
//
//	for piece, rest := s.next(src, last); piece.kind != uuNothing; piece, rest = s.next(rest, last) {
//		// uuText, or uuBegin, uuData…, uuEnd
//	}
type uuScanner struct {
	state uuState
	line  []byte // the line that is being gathered, with its end
	held  []byte // lines before it of which it decides what they are
	zero  bool   // the line that says that no data follows has come
	ticks bool   // the file has ` where others write a space: its lines cannot have been stripped
	file  uuFile
	uu    uuDecoder
}

// uuFile is what a begin line says.
type uuFile struct {
	name   string // octets as sent
	base64 bool
}

// uuPiece is what next found.
type uuPiece struct {
	kind   uuKind
	octets []byte // of uuText and uuData; good until the next call
	file   uuFile // of uuBegin
	broken bool   // with uuEnd: the file ended without saying so
}

// uuKind says what a piece is.
type uuKind uint8

const (
	uuNothing uuKind = iota // src is used up
	uuText
	uuBegin
	uuData
	uuEnd
)

// uuState is where the scanner stands.
type uuState uint8

const (
	uuAtLine  uuState = iota // before a line of text; held is text
	uuInLine                 // inside of one that is no begin line
	uuInDoubt                // after a begin line
	uuInFile
)

const (
	maxUUBegin = 1 << 10 // of a begin line
	maxUUData  = 4 << 10 // of a piece of a file
)

// next returns the next piece of src and what is left of it. With last, src is the end of the text;
// next is then called, with what was left, until it returns uuNothing.
func (s *uuScanner) next(src []byte, last bool) (piece uuPiece, rest []byte) {
	for {
		before, state, gathered := len(src), s.state, len(s.line)
		switch s.state {
		case uuAtLine:
			piece, src = s.atLine(src, last)
		case uuInLine:
			piece, src = s.inLine(src)
		case uuInDoubt:
			piece, src = s.inDoubt(src, last)
		default:
			piece, src = s.inFile(src, last)
		}
		if piece.kind != uuNothing {
			return piece, src
		}
		if len(src) == before && s.state == state && len(s.line) == gathered {
			return s.data(), src
		}
	}
}

// atLine looks whether a line begins a file.
func (s *uuScanner) atLine(src []byte, last bool) (uuPiece, []byte) {
	if len(s.held) > 0 {
		return s.text(&s.held), src
	}
	if len(s.line) == 0 && !maybeUUBegin(src) {
		s.state = uuInLine
		return uuPiece{}, src
	}
	src, whole := s.gather(src, maxUUBegin, false)
	switch file, ok := parseUUBegin(s.line); {
	case whole && ok:
		s.held, s.line = append(s.held, s.line...), s.line[:0]
		s.file, s.state = file, uuInDoubt
	case whole && len(s.line) > 0:
		return s.text(&s.line), src
	case len(s.line) == maxUUBegin, last && len(s.line) > 0, !maybeUUBegin(s.line):
		s.state = uuInLine
		return s.text(&s.line), src
	}
	return uuPiece{}, src
}

// inLine passes text on, up to a line that may begin a file.
func (s *uuScanner) inLine(src []byte) (uuPiece, []byte) {
	n := 0
	for {
		i := bytes.Index(src[n:], []byte("\nb"))
		if i < 0 {
			break
		}
		if n += i + 1; maybeUUBegin(src[n:]) {
			s.state = uuAtLine
			return uuPiece{kind: uuText, octets: src[:n]}, src[n:]
		}
	}
	if len(src) == 0 {
		return uuPiece{}, src
	}
	if src[len(src)-1] == '\n' {
		s.state = uuAtLine
	}
	return uuPiece{kind: uuText, octets: src}, nil
}

// inDoubt judges a begin line by the line after it. Before the end of an empty file may stand an
// empty line: a space that was stripped.
func (s *uuScanner) inDoubt(src []byte, last bool) (uuPiece, []byte) {
	src, whole := s.gather(src, maxUULine, last)
	if !whole && len(s.line) < maxUULine {
		return uuPiece{}, src
	}
	s.zero, s.ticks = false, false
	kind := s.classify(whole)
	blank := s.held[bytes.IndexByte(s.held, '\n')+1:]
	switch {
	case kind == uuLineBlank && len(blank) == 0 && len(s.line) > 0:
		s.held, s.line = append(s.held, s.line...), s.line[:0]
		return uuPiece{}, src
	case kind == uuLineEnd, len(blank) == 0 && (kind == uuLineData || kind == uuLineZero):
		s.held, s.state = s.held[:0], uuInFile
		return uuPiece{kind: uuBegin, file: s.file}, src
	}
	s.state = uuAtLine
	return uuPiece{}, src
}

// inFile decodes a line.
func (s *uuScanner) inFile(src []byte, last bool) (uuPiece, []byte) {
	src, whole := s.gather(src, maxUULine, last)
	if !whole && len(s.line) < maxUULine {
		return uuPiece{}, src
	}
	kind := s.classify(whole)
	switch {
	case kind == uuLineData && !s.zero:
		s.decode()
		s.held = s.held[:0]
		if s.line = s.line[:0]; len(s.uu.out) >= maxUUData {
			return s.data(), src
		}
	case kind == uuLineZero && !s.zero:
		s.zero = true
		s.held, s.line = s.held[:0], s.line[:0]
	case kind == uuLineBlank && len(s.line) > 0 && len(s.held) < maxUULine:
		s.held, s.line = append(s.held, s.line...), s.line[:0]
	case len(s.uu.out) > 0:
		return s.data(), src // and then this line again
	default:
		if kind == uuLineEnd {
			s.held, s.line = s.held[:0], s.line[:0]
		}
		s.state = uuAtLine
		return uuPiece{kind: uuEnd, broken: kind != uuLineEnd && !s.zero}, src
	}
	return uuPiece{}, src
}

// data empties what was decoded into a piece, which is none if that is nothing.
func (s *uuScanner) data() (p uuPiece) {
	if len(s.uu.out) > 0 {
		p = uuPiece{kind: uuData, octets: s.uu.out}
		s.uu.out = s.uu.out[:0]
	}
	return p
}

// text empties a buffer into a piece.
func (s *uuScanner) text(b *[]byte) uuPiece {
	p := uuPiece{kind: uuText, octets: *b}
	*b = (*b)[:0]
	return p
}

// gather adds to the line until it is whole, which it also is at the end of the text, or has most
// octets.
func (s *uuScanner) gather(src []byte, most int, last bool) (rest []byte, whole bool) {
	if bytes.HasSuffix(s.line, []byte("\n")) {
		return src, true
	}
	n := min(len(src), max(most-len(s.line), 0))
	if i := bytes.IndexByte(src[:n], '\n'); i >= 0 {
		s.line = append(s.line, src[:i+1]...)
		return src[i+1:], true
	}
	s.line = append(s.line, src[:n]...)
	return src[n:], last && n == len(src) && len(s.line) < most
}

// maybeUUBegin reports whether b is the beginning of a begin line as far as it goes: begin or
// begin-base64, a mode of three or four octal digits, a name.
func maybeUUBegin(b []byte) bool {
	_, ok := cutUUBegin(b, true)
	return ok
}

// cutUUBegin returns what follows the mode. With open, b may end before that.
func cutUUBegin(b []byte, open bool) (name []byte, ok bool) {
	word := "begin "
	if len(b) > 5 && b[5] == '-' {
		word = "begin-base64 "
	}
	if n := min(len(b), len(word)); string(b[:n]) != word[:n] || n < len(word) && !open {
		return nil, false
	}
	b = b[min(len(b), len(word)):]
	digits := 0
	for digits < len(b) && b[digits] >= '0' && b[digits] <= '7' {
		digits++
	}
	if digits == len(b) {
		return nil, open && digits <= 4
	}
	return b[digits+1:], b[digits] == ' ' && (digits == 3 || digits == 4)
}

// parseUUBegin reads a begin line. A file has a name.
func parseUUBegin(line []byte) (uuFile, bool) {
	name, ok := cutUUBegin(line, false)
	name = bytes.TrimSpace(name)
	return uuFile{name: string(name), base64: bytes.HasPrefix(line, []byte("begin-"))}, ok && len(name) > 0
}
