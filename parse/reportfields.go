package parse

import (
	"bytes"
	"strings"
	"time"
)

// fieldCollector holds the beginning of a part whose content is fields, and has them read when the
// part is over.
type fieldCollector struct {
	charset string
	issues  reporter
	max     int
	read    func(r *reportReader, s *Summary)
	header  bool // the fields end at the first empty line

	buf  []byte
	over bool
	done bool // the header is over
}

func (c *fieldCollector) write(b []byte) {
	if len(c.buf) == 0 {
		b = bytes.TrimLeft(b, "\r\n")
	}
	if c.done || len(b) == 0 {
		return
	}
	seen := max(len(c.buf)-3, 0)
	if room := c.max - len(c.buf); len(b) > room {
		b, c.over = b[:room], true
	}
	c.buf = append(c.buf, b...)
	if !c.header {
		return
	}
	for _, end := range [...]string{"\n\n", "\n\r\n", "\r\r"} {
		if i := bytes.Index(c.buf[seen:], []byte(end)); i >= 0 {
			c.buf, c.done = c.buf[:seen+i], true
		}
	}
}

func (c *fieldCollector) finish(s *Summary) {
	r := &reportReader{h: reportHeader(c.charset), s: s, over: c.over}
	r.split(decodeReport(c.unencoded(), c.charset))
	c.buf = nil
	c.read(r, s)
	s.settle()
	if r.over && !c.header {
		c.issues.issue(IssueReportLimit, "", true)
	}
	for _, is := range r.h.issues.list {
		c.issues.issue(is.Code, is.Detail, is.Lossy)
	}
}

// reportHeader returns a Header without fields: reports are decoded the way headers are.
func reportHeader(charset string) *Header {
	lim := Limits{}.withDefaults()
	return &Header{lim: &lim, issues: new(issues), hint: &charset}
}

// reportField is one field of a report, its name in lower case, its value unfolded.
type reportField struct{ name, value string }

// reportReader reads the fields of a report.
type reportReader struct {
	h      *Header
	s      *Summary
	blocks [][]reportField // what empty lines part
	over   bool            // something did not fit
}

// split takes a report's lines apart, whatever they end in. A line that is no field belongs to the
// one before: some do not indent the lines of a server's answer.
func (r *reportReader) split(text string) {
	var block []reportField
	var folded []byte // the value of the last field, if it has more than one line
	n := 0
	flush := func() {
		if len(folded) > 0 {
			block[len(block)-1].value, folded = strings.TrimSpace(string(folded)), folded[:0]
		}
	}
	for len(text) > 0 {
		var line string
		line, text = cutLine(text)
		content := strings.TrimSpace(line)
		indented := len(line) > 0 && (line[0] == ' ' || line[0] == '\t')
		switch colon, ok := fieldName(line); {
		case content == "":
			if flush(); len(block) > 0 {
				r.blocks, block = append(r.blocks, block), nil
			}
		case !indented && ok:
			flush()
			if n++; n > maxReportFields {
				r.over = true
				return
			}
			block = append(block, reportField{strings.ToLower(strings.TrimSpace(line[:colon])), strings.TrimSpace(line[colon+1:])})
		case len(block) > 0:
			if len(folded) == 0 {
				folded = append(folded, block[len(block)-1].value...)
			}
			folded = append(append(folded, ' '), content...)
		}
	}
	if flush(); len(block) > 0 {
		r.blocks = append(r.blocks, block)
	}
}

// cutLine cuts the first line off, whatever it ends in.
func cutLine[T string | []byte](s T) (line, rest T) {
	i := indexEnd(s)
	if i < 0 {
		return s, s[len(s):]
	}
	if s[i] == '\r' && i+1 < len(s) && s[i+1] == '\n' {
		return s[:i], s[i+2:]
	}
	return s[:i], s[i+1:]
}

// fields returns the fields of all blocks, for reports that should have one.
func (r *reportReader) fields(yield func(name, value string) bool) {
	for _, block := range r.blocks {
		for _, f := range block {
			if !yield(f.name, f.value) {
				return
			}
		}
	}
}

// set keeps a decoded value in dst unless something is there: the first of a field counts.
func (r *reportReader) set(dst *string, v string) {
	if *dst != "" {
		return
	}
	kept, ok := r.s.keep(strings.TrimSpace(r.h.decode(v)), maxReportValue)
	*dst, r.over = kept, r.over || !ok
}

// add keeps a value in a list.
func (r *reportReader) add(dst *[]string, v string) {
	var kept string
	if len(*dst) >= maxReportList {
		r.over = true
	} else if r.set(&kept, v); kept != "" {
		*dst = append(*dst, kept)
	}
}

// date keeps a time.
func (r *reportReader) date(dst *time.Time, v string) {
	if t, ok := MailDate(v); ok && dst.IsZero() {
		*dst = t
	}
}

// id keeps a Message-ID without its angle brackets.
func (r *reportReader) id(dst *string, v string) {
	if ids := messageIDs(r.h.utf8(v), 1); len(ids) > 0 {
		r.set(dst, ids[0])
	}
}

// typed splits a value that says what it is: rfc822; j@example.org (RFC 3464 section 2.1.2). Many
// leave the type out.
func typed(v string) (typ, rest string) {
	head, rest, ok := strings.Cut(v, ";")
	head = strings.ToLower(strings.TrimSpace(stripComments(head)))
	if !ok || head == "" || len(head) > 40 || strings.ContainsAny(head, " \t@<>\":[]") {
		return "", strings.TrimSpace(v)
	}
	return head, strings.TrimLeft(rest, "; \t")
}

// name keeps the name of a host without its type and the comments that say its address.
func (r *reportReader) name(dst *string, v string) {
	_, v = typed(v)
	host := strings.TrimSuffix(strings.TrimSpace(stripComments(v)), ".")
	if host == "" {
		host = strings.TrimSpace(v)
	}
	r.set(dst, host)
}

// address keeps an address. What is of another type than mail's is kept as it is.
func (r *reportReader) address(dst *string, v string) {
	typ, v := typed(v)
	v = r.h.utf8(v)
	switch typ {
	case "", "rfc822", "rfc/822", "rfc-822", "rfc822-address", "utf-8", "utf8", "smtp":
		v = unxtext(ununicode(v))
		p := addressParser{h: r.h, s: v, max: 1}
		if list := p.parse(); len(list) > 0 && list[0].Address != "" {
			v = list[0].Address
		} else {
			v = cleanAddress(v)
		}
	}
	if *dst == "" {
		kept, ok := r.s.keep(strings.TrimSpace(v), maxReportValue)
		*dst, r.over = kept, r.over || !ok
	}
}
