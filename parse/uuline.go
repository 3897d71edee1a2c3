package parse

import (
	"bytes"
	"encoding/base64"
)

// uuLine says what a line after a begin line is.
type uuLine uint8

const (
	uuLineBad   uuLine = iota
	uuLineData         // encoded octets
	uuLineZero         // ` alone: no data follows
	uuLineBlank        // nothing: noise, or the space of those who write a space for `
	uuLineEnd          // end, or ==== in base64
)

// classify tells what the gathered line is.
func (s *uuScanner) classify(whole bool) uuLine {
	line := uuChars(s.line)
	short := bytes.TrimRight(line, " \t")
	switch {
	case !whole:
		return uuLineBad
	case len(short) == 0:
		return uuLineBlank
	case s.file.base64:
		return classifyBase64(short)
	case string(short) == "end":
		return uuLineEnd
	}
	for _, c := range line {
		if c < ' ' || c > '`' {
			return uuLineBad
		}
	}
	if string(short) == "`" {
		return uuLineZero
	}
	s.ticks = s.ticks || bytes.IndexByte(line[1:], '`') >= 0
	need, least, most := s.measure(line[0])
	if need == 0 || len(line)-1 < least || len(short)-1 > most {
		return uuLineBad
	}
	return uuLineData
}

// measure returns by the first character of a line how many more its octets need, and how many at
// least and at most follow: groups of four, one more or two for those who add a sum, one less for those
// who leave out what the last octet does not need. Where a space stands for zero, those at the end of
// a line may be stripped; of a full line, of which binary files have many, all.
func (s *uuScanner) measure(first byte) (need, least, most int) {
	const full = 45
	n := int(first-' ') & 0x3f
	need = (n*8 + 5) / 6
	least, most = need-1, (n+2)/3*4+2
	switch {
	case s.ticks:
	case n == full && s.state == uuInFile:
		least = 0
	case n == full, n < full && s.state == uuInFile:
		least = need / 2
	}
	return need, least, most
}

// classifyBase64 tells what a line of begin-base64 is.
func classifyBase64(line []byte) uuLine {
	if string(line) == "====" {
		return uuLineEnd
	}
	data := bytes.TrimRight(line, "=")
	if len(line)%4 != 0 || len(line)-len(data) > 2 {
		return uuLineBad
	}
	for _, c := range data {
		if sextet(c) < 0 {
			return uuLineBad
		}
	}
	return uuLineData
}

// uuChars returns the characters of a line. A Japanese gateway may have made each \ a yen sign, which
// is what that octet is in JIS; a sender of UTF-8 then wrote two octets for it.
func uuChars(line []byte) []byte {
	line = bytes.TrimRight(line, "\r\n")
	if bytes.IndexByte(line, 0xc2) >= 0 {
		line = bytes.ReplaceAll(line, []byte("\u00a5"), []byte(`\`))
	}
	return line
}

// decode decodes the gathered line, which is data.
func (s *uuScanner) decode() {
	line := uuChars(s.line)
	if s.file.base64 {
		s.uu.out, _ = base64.StdEncoding.AppendDecode(s.uu.out, bytes.TrimRight(line, " \t"))
		return
	}
	need, _, _ := s.measure(line[0])
	for len(line) <= need {
		line = append(line, ' ') // what was stripped
	}
	s.uu.begun = true
	s.uu.line(line)
}
