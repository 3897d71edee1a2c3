package parse

import "strings"

// qmailCollector reads the text of a bounce in qmail's format (QSBMF, D. J. Bernstein 1997): a paragraph
// that begins "Hi. This is the", one for each recipient, and a line that begins with a hyphen, behind
// which stands the returned message. The format was made for programs; other plain texts are not.
type qmailCollector struct {
	charset string
	buf     []byte
	no      bool // it is something else
}

const qmailBegin = "Hi. This is the"

func (c *qmailCollector) write(b []byte) {
	if c.no {
		return
	}
	c.buf = append(c.buf, b[:min(len(b), maxReport-len(c.buf))]...)
	n := min(len(c.buf), len(qmailBegin))
	c.no = string(c.buf[:n]) != qmailBegin[:n]
}

func (c *qmailCollector) finish(s *Summary) {
	if c.no || s.plain != nil {
		return
	}
	text := strings.ReplaceAll(decodeReport(c.buf, c.charset), "\r\n", "\n")
	c.buf = nil
	report, returned, _ := strings.Cut(text, "\n\n-")
	r := bounceReader{reportReader: &reportReader{h: reportHeader(c.charset), s: s}, b: &Bounce{}}
	for paragraph := range strings.SplitSeq(report, "\n\n") {
		r.paragraph(strings.Trim(paragraph, "\n"))
	}
	_, returned, _ = strings.Cut(returned, "\n\n")
	header, _, _ := strings.Cut(strings.TrimLeft(returned, "\n"), "\n\n")
	r.split(header)
	for name, v := range r.fields {
		if name == "message-id" {
			r.id(&r.b.OriginalMessageID, v)
		}
	}
	s.plain = r.b
}

// paragraph takes one that may be about a recipient: <address>: and the reason in the lines below.
func (br *bounceReader) paragraph(p string) {
	head, reason, _ := strings.Cut(p, "\n")
	address, ok := strings.CutSuffix(strings.TrimSpace(head), ":")
	if !ok || !strings.HasPrefix(address, "<") || !strings.HasSuffix(address, ">") {
		return
	}
	br.cur = &BounceRecipient{Action: "failed"}
	br.address(&br.cur.Address, address)
	br.diagnostic(br.cur, strings.Join(strings.Fields(reason), " "))
	br.set(&br.cur.Status, enhancedStatus(reason))
	br.close()
}

// failed returns what a bounce says that has no delivery status: in its text, if that is qmail's, or in
// the field X-Failed-Recipients that Exim and Google write.
func (a *about) failed(h *Header) *Bounce {
	if a.plain != nil && len(a.plain.Recipients) > 0 {
		return a.plain
	}
	var b Bounce
	for _, to := range h.Addresses("X-Failed-Recipients") {
		if len(b.Recipients) < maxReportRecipients && to.Address != "" {
			b.Recipients = append(b.Recipients, BounceRecipient{Address: to.Address, Action: "failed"})
		}
	}
	if len(b.Recipients) == 0 {
		return nil
	}
	return &b
}

// fromDaemon tells whether a message comes from a mail system, by the beginning of the sender's name.
func fromDaemon(h *Header) bool {
	const name = "mailer-daemon"
	from, _ := h.first("From")
	if len(from) >= 1<<10 {
		return false
	}
	for i := 0; i+len(name) <= len(from); i++ {
		if from[i]|0x20 == name[0] && strings.EqualFold(from[i:i+len(name)], name) {
			return true
		}
	}
	return false
}
