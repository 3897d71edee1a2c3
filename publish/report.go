package publish

// Bounce is what a delivery status notification says (RFC 3464, 6533).
type Bounce struct {
	Recipients        []BounceRecipient `json:"recipients,omitempty"`
	ReportingMTA      string            `json:"reporting_mta,omitempty"`
	OriginalMessageID string            `json:"original_message_id,omitempty"` // without angle brackets
}

// BounceRecipient is what became of one recipient.
type BounceRecipient struct {
	Address    string `json:"address"`
	Action     string `json:"action,omitempty"` // failed, delayed, delivered, relayed, expanded
	Status     string `json:"status,omitempty"` // RFC 3463, for example 5.1.1
	Diagnostic string `json:"diagnostic,omitempty"`
}

// Receipt is what a message disposition notification says (RFC 8098).
type Receipt struct {
	Recipient         string `json:"recipient,omitempty"`
	Disposition       string `json:"disposition,omitempty"` // displayed, deleted, dispatched, processed
	OriginalMessageID string `json:"original_message_id,omitempty"`
}

// Complaint is what a feedback report says (RFC 5965, 6591).
type Complaint struct {
	Type               string   `json:"type,omitempty"` // abuse, fraud, virus, not-spam, auth-failure
	OriginalRecipients []string `json:"original_recipients,omitempty"`
	SourceIP           string   `json:"source_ip,omitempty"`
	ReportedDomains    []string `json:"reported_domains,omitempty"`
	OriginalMessageID  string   `json:"original_message_id,omitempty"`
}

// CalendarEvent is one event of a calendar part (RFC 5545, 5546).
type CalendarEvent struct {
	Method string `json:"method,omitempty"` // REQUEST, CANCEL, REPLY …
	UID    string `json:"uid,omitempty"`
	// RecurrenceID says which occurrence of a recurring event it is about, written as start is; none: all.
	RecurrenceID string          `json:"recurrence_id,omitempty"`
	Sequence     int             `json:"sequence,omitempty"` // revision; the highest one counts
	Summary      string          `json:"summary,omitempty"`
	Location     string          `json:"location,omitempty"`
	Start        string          `json:"start,omitempty"` // RFC 3339; a date alone if it takes whole days; without offset if it has no zone
	End          string          `json:"end,omitempty"`   // exclusive, written as start is
	Rule         string          `json:"rule,omitempty"`  // RRULE as sent, if it recurs
	Status       string          `json:"status,omitempty"`
	Organizer    *Address        `json:"organizer,omitempty"`
	Attendees    []EventAttendee `json:"attendees,omitempty"`
}

// EventAttendee is one who is invited.
type EventAttendee struct {
	Name    string `json:"name,omitempty"`
	Address string `json:"address,omitempty"`
	Role    string `json:"role,omitempty"`   // REQ-PARTICIPANT …
	Status  string `json:"status,omitempty"` // NEEDS-ACTION, ACCEPTED, DECLINED …
}

// Journal is the envelope of an Exchange journal report. The event is that of the message it is about.
type Journal struct {
	Sender     string   `json:"sender,omitempty"`
	OnBehalfOf string   `json:"on_behalf_of,omitempty"`
	Recipients []string `json:"recipients,omitempty"` // all who got it, hidden ones and members of lists too
	BCC        []string `json:"bcc,omitempty"`        // those of them that the message itself does not show
	MessageID  string   `json:"message_id,omitempty"`
}

// Reply says where in text.content the quoted earlier message begins. Nothing is cut.
type Reply struct {
	Offset int `json:"offset"` // in bytes of UTF-8
}

// AuthResult is what a server found out about the sender (RFC 8601, 8617). Only those of one's own
// border server can be trusted.
type AuthResult struct {
	AuthservID string            `json:"authserv_id,omitempty"`
	Method     string            `json:"method"` // spf, dkim, dmarc, arc …
	Result     string            `json:"result"` // pass, fail, none …
	Reason     string            `json:"reason,omitempty"`
	Properties map[string]string `json:"properties,omitempty"`
	ARC        int               `json:"arc,omitempty"` // instance of the ARC set it stands in
}
