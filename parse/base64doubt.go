package parse

import "bytes"

// base64Text reads a text that is declared as base64. Some senders declare it so and send it as it is; its
// octets are then the text, and decoding would make garbage of it. The first octets decide.
type base64Text struct {
	base64Decoder
	head  []byte // until it is decided
	known bool
	plain bool // it is as it is
}

// maxBase64Doubt is how many octets decide.
const maxBase64Doubt = 2 << 10

// decode implements transferDecoder.
func (d *base64Text) decode(src []byte, last bool) []byte {
	if !d.known {
		d.head = append(d.head, src...)
		if len(d.head) < maxBase64Doubt && !last {
			return nil
		}
		d.known, d.plain = true, isProse(d.head[:min(len(d.head), maxBase64Doubt)])
		src, d.head = d.head, nil
	}
	if d.plain {
		return src
	}
	return d.base64Decoder.decode(src, last)
}

// flaws implements transferDecoder.
func (d *base64Text) flaws(to reporter) {
	if d.plain {
		to.issue(IssueBase64None, "", false)
		return
	}
	d.base64Decoder.flaws(to)
}

// isProse tells whether b is plainly no base64: it does not begin with a line of that, hardly any of it is in
// lines or words of such length, and there are both words and characters that it does not have, or many of
// these.
func isProse(b []byte) bool {
	const long = 40 // characters without a blank: more than a word has
	foreign, blanks, encoded, total := 0, 0, 0, 0
	for line := range bytes.Lines(b) {
		line = bytes.TrimSpace(line)
		if total == 0 && len(line)%4 == 0 && (len(line) >= 20 || bytes.HasSuffix(line, []byte("="))) && validTail(bytes.TrimRight(line, "=")) {
			return false
		}
		total += len(line)
		words := bytes.Fields(line)
		blanks += max(len(words)-1, 0)
		for _, w := range words {
			odd := 0
			for _, c := range w {
				if sextet(c) < 0 && c != '=' {
					odd++
				}
			}
			if foreign += odd; odd == 0 && len(w) >= long {
				encoded += len(w)
			}
		}
	}
	return encoded*2 < total && (foreign > 0 && blanks > 2 || foreign > 3 && foreign*8 >= total)
}
