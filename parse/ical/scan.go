package ical

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// Scanner reads one calendar file, written to it in pieces of any size. Its zero value is ready.
type Scanner struct {
	// Text makes UTF-8 of octets in a charset; empty: that of the file. Without it what is not UTF-8
	// becomes U+FFFD. vCalendar 1.0 names charsets property by property.
	Text func(octets []byte, charset string) string
	// Flaw, if set, is told what is wrong with the file: a code of this package and which words.
	Flaw func(code, detail string, lossy bool)

	line []byte // the logical line so far (RFC 5545 section 3.1)
	open bool   // a physical line has begun
	cr   bool   // the last octet was a CR
	soft bool   // the last physical line ended in a soft break of quoted-printable
	last byte   // the last octet of the physical line, 0 if there is none
	cut  bool   // the line is longer than maxLine
	seen int    // octets of the line that were looked through for its colon; -1: it was found
	qp   bool   // what stands before it says quoted-printable

	file fileReader
}

// Write takes the next octets of the file. It never fails.
func (s *Scanner) Write(p []byte) (int, error) {
	for i := 0; i < len(p); {
		if c := p[i]; c == '\r' || c == '\n' {
			if c == '\r' || !s.cr {
				s.endLine()
			}
			s.cr = c == '\r'
			i++
			continue
		}
		s.cr = false
		if !s.open && s.beginLine(p[i]) {
			i++
		}
		from := i
		for i < len(p) && p[i] != '\r' && p[i] != '\n' {
			i++
		}
		s.add(p[from:i])
	}
	return len(p), nil
}

// Events returns the events of the file, which ends here.
func (s *Scanner) Events() []Event {
	s.flush()
	return s.reader().result()
}

// reader returns the reader of properties, which tells its flaws to this Scanner's function.
func (s *Scanner) reader() *fileReader {
	s.file.text, s.file.flaw = s.text, s.Flaw
	return &s.file
}

// beginLine begins a physical line with c. It tells whether c is only the mark of a fold. Empty
// lines do not end a logical one: line ends doubled by a gateway are common.
func (s *Scanner) beginLine(c byte) (fold bool) {
	s.open = true
	switch {
	case s.soft:
		s.soft = false
	case c != ' ' && c != '\t':
		s.flush()
	default:
		return true
	}
	return false
}

// endLine ends a physical line.
func (s *Scanner) endLine() {
	if !s.open {
		s.soft = false
		return
	}
	s.open = false
	if s.last != '=' || !s.quotedPrintable() {
		return
	}
	if s.soft = true; !s.cut {
		s.line = s.line[:len(s.line)-1]
	}
}

// quotedPrintable tells whether the value of the line is quoted-printable (vCalendar 1.0 section
// 2.1.3): then a line may end in a soft break instead of a fold.
func (s *Scanner) quotedPrintable() bool {
	if s.seen >= 0 {
		n := bytes.IndexByte(s.line[s.seen:], ':')
		if n < 0 {
			s.seen = len(s.line)
			return false
		}
		s.qp = bytes.Contains(bytes.ToUpper(s.line[:min(s.seen+n, 256)]), []byte("QUOTED-PRINTABLE"))
		s.seen = -1
	}
	return s.qp
}

// add appends octets to the logical line. Folds may stand inside of a character: what the octets mean
// is asked when the line is whole.
func (s *Scanner) add(b []byte) {
	if s.last = 0; len(b) > 0 {
		s.last = b[len(b)-1]
	}
	if room := maxLine - len(s.line); len(b) > room {
		b, s.cut = b[:room], true
	}
	s.line = append(s.line, b...)
}

// flush ends the logical line.
func (s *Scanner) flush() {
	if s.cut {
		s.reader().tell(FlawLimit, "line", true)
	}
	if len(bytes.TrimSpace(s.line)) > 0 {
		s.reader().take(s.text(s.line, ""))
	}
	s.line, s.cut, s.soft, s.seen, s.qp = s.line[:0], false, false, 0, false
}

// text makes UTF-8 of octets.
func (s *Scanner) text(octets []byte, charset string) string {
	ascii := true
	for _, c := range octets {
		ascii = ascii && c < utf8.RuneSelf
	}
	if s.Text == nil || ascii {
		return strings.ToValidUTF8(string(octets), "\uFFFD")
	}
	return s.Text(octets, charset)
}
