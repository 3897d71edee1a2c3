package parse

import (
	"net/netip"
	"strings"
)

// readReceipt reads message/disposition-notification (RFC 8098 section 3.1).
func readReceipt(r *reportReader, s *Summary) {
	m := &Receipt{}
	if s.Receipt != nil {
		m = s.Receipt
	}
	said := false
	for name, v := range r.fields {
		known := true
		switch name {
		case "final-recipient":
			r.address(&m.Recipient, v)
		case "original-recipient":
			r.address(&m.OriginalRecipient, v)
		case "original-message-id":
			r.id(&m.OriginalMessageID, v)
		case "reporting-ua":
			r.set(&m.ReportingUA, v)
		case "error", "failure", "warning":
			r.set(&m.Error, v)
		case "disposition":
			r.disposition(m, v)
		default:
			known = false
		}
		said = said || known
	}
	if m.Recipient == "" {
		m.Recipient = m.OriginalRecipient
	}
	if said {
		s.Receipt = m
	}
	if m.Disposition == "" {
		r.h.issue(IssueReportBad, "no disposition", false)
	}
}

// disposition reads action/sending; type/modifier,modifier. Some leave the modes out.
func (r *reportReader) disposition(m *Receipt, v string) {
	if m.Disposition != "" {
		return
	}
	v = strings.ToLower(stripComments(v))
	modes, kind, ok := strings.Cut(v, ";")
	if !ok {
		modes, kind = "", v
	}
	action, sending, _ := strings.Cut(modes, "/")
	kind, modifiers, _ := strings.Cut(kind, "/")
	r.set(&m.ActionMode, compact(action))
	r.set(&m.SendingMode, compact(sending))
	r.set(&m.Disposition, compact(kind))
	for mod := range strings.SplitSeq(modifiers, ",") {
		r.add(&m.Modifiers, mod)
	}
}

// readComplaint reads message/feedback-report (RFC 5965 section 3; RFC 6591 section 3.1).
func readComplaint(r *reportReader, s *Summary) {
	c := &Complaint{}
	if s.Complaint != nil {
		c = s.Complaint
	}
	said := false
	for name, v := range r.fields {
		if r.complaintField(c, name, v) || r.complaintList(c, name, v) {
			said = true
		}
	}
	if said {
		s.Complaint = c
	}
	if c.Type == "" {
		r.h.issue(IssueReportBad, "no type", false)
	}
}

// complaintField takes a field that stands once.
func (r *reportReader) complaintField(c *Complaint, name, v string) bool {
	switch name {
	case "feedback-type":
		r.set(&c.Type, lowerToken(v))
	case "user-agent":
		r.set(&c.UserAgent, v)
	case "original-mail-from":
		r.address(&c.OriginalSender, v)
	case "source-ip":
		r.set(&c.SourceIP, sourceIP(v))
	case "reporting-mta":
		r.name(&c.ReportingMTA, v)
	case "auth-failure":
		r.set(&c.AuthFailure, lowerToken(v))
	case "delivery-result":
		r.set(&c.DeliveryResult, lowerToken(v))
	case "incidents":
		if n, rest := leadingNumber(v); rest == "" && c.Incidents == 0 {
			c.Incidents = n
		}
	case "arrival-date", "received-date":
		r.date(&c.ArrivalDate, v)
	case "original-envelope-id":
		r.set(&c.OriginalEnvelopeID, v)
	case "original-message-id", "message-id":
		r.id(&c.OriginalMessageID, v)
	default:
		return false
	}
	return true
}

// complaintList takes a field that may stand more than once.
func (r *reportReader) complaintList(c *Complaint, name, v string) bool {
	switch name {
	case "original-rcpt-to":
		var to string
		r.address(&to, v)
		r.add(&c.OriginalRecipients, to)
	case "reported-domain":
		r.add(&c.ReportedDomains, strings.TrimSpace(stripComments(v)))
	case "reported-uri":
		r.add(&c.ReportedURIs, v)
	default:
		return false
	}
	return true
}

// sourceIP returns an address as it is usually written; what is none stays as sent.
func sourceIP(v string) string {
	s := strings.Trim(strings.TrimSpace(stripComments(v)), "[]")
	if len(s) > 5 && strings.EqualFold(s[:5], "ipv6:") {
		s = s[5:]
	}
	if ip, err := netip.ParseAddr(s); err == nil {
		return ip.String()
	}
	return v
}

// readReturned reads the header of the message that a report returns, for its Message-ID alone.
func readReturned(r *reportReader, s *Summary) {
	for name, v := range r.fields {
		if name == "message-id" && s.returned == "" {
			r.id(&s.returned, v)
		}
	}
	r.h.issues.list = nil // the returned message is a part of its own
}
