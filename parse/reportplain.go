package parse

import "strings"

// qmailCollector reads the text of a bounce in qmail's format (QSBMF, D. J. Bernstein 1997): a paragraph
// that begins "Hi. This is the", one for each recipient, and a line that begins with a hyphen, behind
// which stands the returned message. The format was made for programs; other plain texts are not.
type qmailCollector struct {
	charset string
	issues  reporter
	buf     []byte
	no      bool // it is something else
	over    bool // it did not fit
}

const qmailBegin = "Hi. This is the"

func (c *qmailCollector) write(b []byte) {
	if c.no {
		return
	}
	if room := maxReport - len(c.buf); len(b) > room {
		b, c.over = b[:room], true
	}
	c.buf = append(c.buf, b...)
	n := min(len(c.buf), len(qmailBegin))
	c.no = string(c.buf[:n]) != qmailBegin[:n]
}

func (c *qmailCollector) finish(s *Summary) {
	if c.no || s.plain != nil {
		return
	}
	text := strings.ReplaceAll(decodeReport(c.buf, c.charset), "\r\n", "\n")
	c.buf = nil
	report, returned, whole := strings.Cut(text, "\n\n-")
	r := bounceReader{reportReader: &reportReader{h: reportHeader(c.charset), s: s}, b: &Bounce{}}
	for paragraph := range strings.SplitSeq(report, "\n\n") {
		r.paragraph(strings.Trim(paragraph, "\n"))
	}
	if r.over || c.over && !whole {
		c.issues.issue(IssueReportLimit, "", true)
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

// bounced returns what a bounce with header h says: its delivery status; if it has none its text, if that
// is qmail's, or the field X-Failed-Recipients that Exim and Google write. It is nil if there is nothing.
func (s *Summary) bounced(h *Header) *Bounce {
	var b Bounce
	switch {
	case s.Bounce != nil:
		b = *s.Bounce
	case s.plain != nil:
		b = *s.plain
	}
	if s.Bounce == nil && len(b.Recipients) == 0 {
		b.Recipients = failed(h)
	}
	for _, id := range [...]string{s.returned, answered(h)} {
		if b.OriginalMessageID == "" {
			b.OriginalMessageID = id
		}
	}
	if s.Bounce == nil && len(b.Recipients) == 0 && b.OriginalMessageID == "" {
		return nil
	}
	return &b
}

// failed returns the recipients in X-Failed-Recipients.
func failed(h *Header) []BounceRecipient {
	var out []BounceRecipient
	for _, to := range h.Addresses("X-Failed-Recipients") {
		switch {
		case to.Address == "":
		case len(out) == maxReportRecipients:
			h.issue(IssueReportLimit, "", true)
			return out
		default:
			out = append(out, BounceRecipient{Address: to.Address, Action: "failed"})
		}
	}
	return out
}

// answered returns the id of the message that h answers (RFC 5322 section 3.6.4, RFC 3834 section 3.1.6).
// Of several in In-Reply-To nobody knows which; the last of References is the one before this.
func answered(h *Header) string {
	if ids := h.MessageIDs("In-Reply-To"); len(ids) == 1 {
		return ids[0]
	}
	if ids := h.MessageIDs("References"); len(ids) > 0 {
		return ids[len(ids)-1]
	}
	return ""
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
