package parse

import (
	"slices"
	"strings"
)

// Journal is the envelope that Exchange writes into a journal report: who sent the message and to whom
// it really went, hidden recipients and members of lists too.
type Journal struct {
	Sender     string // empty if the message had the empty one
	OnBehalfOf string // whose mailbox it was sent for, by a delegate
	Subject    string
	MessageID  string // of the journaled message, without angle brackets
	Recipients []JournalRecipient
}

// JournalRecipient is one recipient of the envelope.
type JournalRecipient struct {
	Address       string
	Field         string // to, cc or bcc; recipient where Exchange does not know, as for mail from outside
	ExpandedFrom  string // the list that it is a member of
	ForwardedFrom string // the mailbox that forwards to it
}

// The bounds of an envelope. Losing a recipient would make an archive incomplete, so they are wide.
const (
	maxJournal           = 1 << 20
	maxJournalRecipients = 10_000
)

// To returns the addresses that stood in To.
func (j *Journal) To() []string { return j.in("to") }

// Cc returns the addresses that stood in Cc.
func (j *Journal) Cc() []string { return j.in("cc") }

// Bcc returns the addresses that stood in Bcc, which the journaled message itself does not show.
func (j *Journal) Bcc() []string { return j.in("bcc") }

func (j *Journal) in(field string) []string {
	var out []string
	for _, r := range j.Recipients {
		if r.Field == field {
			out = append(out, r.Address)
		}
	}
	return out
}

// isJournal tells whether a message is a journal report by its header: since Exchange 2007 the field
// is X-MS-Journal-Report, in transit inside of the organisation X-MS-Exchange-Organization-Journal-Report,
// both without a value; Exchange 2003 wrote a Content-Identifier and misspelt its name.
func isJournal(h *Header) bool {
	if slices.ContainsFunc([]string{"X-MS-Journal-Report", "X-MS-Exchange-Organization-Journal-Report"}, func(name string) bool {
		_, ok := h.first(name)
		return ok
	}) {
		return true
	}
	for _, name := range [...]string{"Content-Identifier", "Content-Identifer"} { //nolint:misspell // as Exchange 2003 wrote it
		if v, _ := h.first(name); strings.EqualFold(lowerToken(v), "ExJournalReport") {
			return true
		}
	}
	return false
}

// journalCollector reads the first part of a journal report, which is text.
type journalCollector struct {
	charset string
	issues  reporter
	buf     []byte
	over    bool
}

// newJournalCollector returns a collector of the envelope of a journal report.
func newJournalCollector(charset string, issues reporter) collector {
	return &journalCollector{charset: charset, issues: issues}
}

func (c *journalCollector) write(b []byte) {
	if room := maxJournal - len(c.buf); len(b) > room {
		b, c.over = b[:room], true
	}
	c.buf = append(c.buf, b...)
}

func (c *journalCollector) finish(s *Summary) {
	j, ok := journalOf(decodeReport(c.buf, c.charset))
	c.buf = nil
	switch {
	case !ok:
		c.issues.issue(IssueReportBad, "no envelope", false)
	case s.Journal == nil:
		s.Journal = j
		c.over = c.over || len(j.Recipients) >= maxJournalRecipients
	}
	if c.over {
		c.issues.issue(IssueReportLimit, "journal", true)
	}
}

// journalReader reads an envelope.
type journalReader struct {
	h     *Header
	j     Journal
	known int    // labels that were there
	list  string // recipients follow in lines of their own, Exchange 2003
}

// journalOf reads the text of an envelope: a label and a value in each line, always in English. ok is
// false if it is none.
func journalOf(text string) (j *Journal, ok bool) {
	r := journalReader{h: reportHeader("")}
	for line := range strings.FieldsFuncSeq(text, func(c rune) bool { return c == '\r' || c == '\n' }) {
		r.line(line)
	}
	return &r.j, r.known > 0
}

// line takes one line. Labels that are not known are skipped.
func (r *journalReader) line(line string) {
	label, v, ok := strings.Cut(line, ":")
	label, v = strings.ToLower(strings.TrimSpace(label)), strings.TrimSpace(v)
	if !ok {
		label = ""
	}
	switch label {
	case "sender", "message-id", "message id":
		r.known++
		r.list = ""
		if label == "sender" {
			keepFirst(&r.j.Sender, r.one(v))
		} else if ids := messageIDs(v, 1); len(ids) > 0 {
			keepFirst(&r.j.MessageID, ids[0])
		}
	case "on-behalf-of":
		keepFirst(&r.j.OnBehalfOf, r.one(v))
	case "subject":
		r.list = ""
		keepFirst(&r.j.Subject, r.h.decode(v))
	case "to", "cc", "bcc", "recipient":
		r.recipients(label, v)
	case "recipients":
		r.list = "recipient"
		r.recipients(r.list, v)
	default:
		if r.list != "" && strings.ContainsRune(line, '@') {
			r.recipients(r.list, line)
		}
	}
}

// keepFirst keeps v unless something is there.
func keepFirst(dst *string, v string) {
	if *dst == "" {
		*dst = strings.Clone(v)
	}
}

// recipients reads one or more addresses, perhaps with where they come from: a@example.com, Expanded:
// list@example.com.
func (r *journalReader) recipients(field, v string) {
	var expanded, forwarded string
	for end := len(v); ; {
		i := strings.LastIndexByte(v[:end], ',')
		if i < 0 {
			break
		}
		how, from, _ := strings.Cut(v[i+1:end], ":")
		switch strings.ToLower(strings.TrimSpace(how)) {
		case "expanded":
			expanded, v = strings.Clone(r.one(from)), v[:i]
		case "forwarded":
			forwarded, v = strings.Clone(r.one(from)), v[:i]
		}
		end = i
	}
	for _, a := range r.addresses(v, maxJournalRecipients-len(r.j.Recipients)) {
		r.j.Recipients = append(r.j.Recipients, JournalRecipient{strings.Clone(a), field, expanded, forwarded})
	}
}

// one returns the first address in v.
func (r *journalReader) one(v string) string {
	if list := r.addresses(v, 1); len(list) > 0 {
		return list[0]
	}
	return ""
}

// addresses reads addresses. A recipient without mail address has another kind of name, such as /O=…,
// which is kept as it is.
func (r *journalReader) addresses(v string, most int) []string {
	if !strings.ContainsRune(v, '@') {
		if v = strings.Trim(strings.TrimSpace(v), "<>"); v == "" || most <= 0 {
			return nil
		}
		return []string{v}
	}
	p := addressParser{h: r.h, s: v, max: most}
	var out []string
	for _, a := range p.parse() {
		if a.Address != "" {
			out = append(out, a.Address)
		}
	}
	return out
}
