package parse

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// bounceField is a set of the fields of a recipient that decide where the next one begins.
type bounceField int

const (
	bounceFinal bounceField = 1 << iota
	bounceOriginal
	bounceActual
	bounceAction
	bounceStatus

	bounceIDs      = bounceFinal | bounceOriginal | bounceActual
	bounceOutcomes = bounceAction | bounceStatus
)

// bounceFieldOf tells which of them a field is.
func bounceFieldOf(name string) bounceField {
	switch name {
	case "final-recipient":
		return bounceFinal
	case "original-recipient":
		return bounceOriginal
	case "x-actual-recipient":
		return bounceActual
	case "action":
		return bounceAction
	case "status":
		return bounceStatus
	}
	return 0
}

// bounceReader puts the fields of a delivery status together to recipients. RFC 3464 section 2.1
// parts them with empty lines; in the wild those are missing between recipients, before the first
// one, or stand within one.
type bounceReader struct {
	*reportReader
	b      *Bounce
	cur    *BounceRecipient
	has    bounceField // what cur has
	actual string      // X-Actual-Recipient of cur
}

// readBounce reads message/delivery-status.
func readBounce(r *reportReader, s *Summary) {
	br := bounceReader{reportReader: r, b: s.Bounce}
	if br.b == nil {
		br.b = &Bounce{}
	}
	said := false
	for _, block := range r.blocks {
		ids, fresh := bounceField(0), true
		for _, f := range block {
			ids |= bounceFieldOf(f.name) & bounceIDs
		}
		if ids != 0 && br.has&(ids|bounceOutcomes) != 0 {
			br.close()
		}
		for _, f := range block {
			bit := bounceFieldOf(f.name)
			if repeated := bit & br.has; repeated&bounceIDs != 0 || fresh && repeated != 0 {
				br.close()
			}
			if br.message(f.name, f.value) || br.recipient(f.name, f.value) {
				said = true
			}
			br.has |= bit
			fresh = fresh && bit == 0
		}
	}
	br.close()
	if said {
		s.Bounce = br.b
	}
	if len(br.b.Recipients) == 0 {
		r.h.issue(IssueReportBad, "no recipient", false)
	}
}

// message takes a field of the whole report.
func (br *bounceReader) message(name, v string) bool {
	switch name {
	case "reporting-mta":
		br.name(&br.b.ReportingMTA, v)
	case "arrival-date":
		br.date(&br.b.ArrivalDate, v)
	case "original-envelope-id":
		br.set(&br.b.OriginalEnvelopeID, v)
	case "original-message-id", "x-original-message-id":
		br.id(&br.b.OriginalMessageID, v)
	default:
		return false
	}
	return true
}

// recipient takes a field of a recipient.
func (br *bounceReader) recipient(name, v string) bool {
	var begun BounceRecipient
	c := br.cur
	if c == nil {
		c = &begun
	}
	switch name {
	case "final-recipient":
		br.address(&c.Address, v)
	case "original-recipient":
		br.address(&c.OriginalAddress, v)
	case "x-actual-recipient":
		br.address(&br.actual, v)
	case "action":
		action, _ := token(lowerToken(v))
		br.set(&c.Action, action)
	case "status":
		br.set(&c.Status, enhancedStatus(v))
	case "diagnostic-code":
		br.diagnostic(c, v)
	case "remote-mta":
		br.name(&c.RemoteMTA, v)
	case "last-attempt-date":
		br.date(&c.LastAttempt, v)
	case "will-retry-until":
		br.date(&c.RetryUntil, v)
	default:
		return false
	}
	if br.cur == nil {
		br.cur = &begun
	}
	return true
}

// close ends a recipient.
func (br *bounceReader) close() {
	c := br.cur
	if c == nil {
		return
	}
	if c.Address == "" {
		c.Address = br.actual
	}
	if c.Address == "" {
		c.Address = c.OriginalAddress
	}
	if len(br.b.Recipients) < maxReportRecipients {
		br.b.Recipients = append(br.b.Recipients, *c)
	} else {
		br.over = true
	}
	br.cur, br.has, br.actual = nil, 0, ""
}

// diagnostic keeps what the server said.
func (br *bounceReader) diagnostic(c *BounceRecipient, v string) {
	if c.Diagnostic != "" {
		return
	}
	typ, text := typed(v)
	br.set(&c.DiagnosticType, typ)
	br.set(&c.Diagnostic, text)
	if typ == "" || typ == "smtp" {
		c.SMTPCode = replyCode(text)
	}
	if _, said, ok := strings.Cut(text, " said: "); ok && c.SMTPCode == 0 {
		c.SMTPCode = replyCode(said)
	}
}

// replyCode returns the SMTP reply code that text begins with (RFC 3464 section 2.3.6), 0 if there is none.
func replyCode(text string) int {
	if len(text) < 3 || text[0] < '2' || text[0] > '5' {
		return 0
	}
	n, rest := leadingNumber(text)
	if n < 200 || n > 599 || rest != "" && strings.IndexByte(" -\t", rest[0]) < 0 {
		return 0
	}
	return n
}

// enhancedStatus returns the first code of RFC 3463 in s, wherever it stands: some put the reply code
// before it and most put text behind.
func enhancedStatus(s string) string {
	for _, w := range strings.FieldsFunc(s, func(r rune) bool { return (r < '0' || r > '9') && r != '.' }) {
		f := strings.Split(w, ".")
		if len(f) != 3 || len(f[0]) != 1 || strings.IndexByte("245", w[0]) < 0 {
			continue
		}
		if n := len(f[1]); n > 0 && n <= 3 && len(f[2]) > 0 && len(f[2]) <= 3 {
			return w
		}
	}
	return ""
}

// ununicode decodes the \x{HEX} of addresses in reports that had to be ASCII (RFC 6533 section 3).
func ununicode(s string) string {
	var out strings.Builder
	for {
		i := strings.Index(s, `\x{`)
		if i < 0 {
			break
		}
		out.WriteString(s[:i])
		s = s[i+3:]
		hex, _, ok := strings.Cut(s[:min(len(s), 7)], "}")
		n, err := strconv.ParseUint(hex, 16, 32)
		if r := rune(n); ok && err == nil && utf8.ValidRune(r) && r >= ' ' && r != 0x7f {
			out.WriteRune(r)
			s = s[len(hex)+1:]
		} else {
			out.WriteString(`\x{`)
		}
	}
	if out.Len() == 0 {
		return s
	}
	return out.String() + s
}

// unxtext decodes the +HH of addresses that came with the envelope (RFC 3461 section 4) and were put
// into the report as they were, which they should not be. A plus may also be the address's own, so
// only what cannot be meant otherwise is decoded: plus and equals signs, and octets of UTF-8.
func unxtext(s string) string {
	if !strings.Contains(s, "+") {
		return s
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '+' && i+2 < len(s) && isUpperHex(s[i+1]) && isUpperHex(s[i+2]) {
			if c := byte(hexValue(s[i+1])<<4 | hexValue(s[i+2])); c == '+' || c == '=' || c >= utf8.RuneSelf {
				out = append(out, c)
				i += 2
				continue
			}
		}
		out = append(out, s[i])
	}
	if !utf8.Valid(out) {
		return s
	}
	return string(out)
}

// isUpperHex tells whether c is a digit of xtext.
func isUpperHex(c byte) bool { return c >= '0' && c <= '9' || c >= 'A' && c <= 'F' }
