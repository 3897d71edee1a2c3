package publish

import "time"

// Bounce is what a delivery report says (RFC 3464, 6533), or, if there is none, what the text or the header of a
// bounce does. Not only failures: see the recipients' action.
type Bounce struct {
	// What became of each recipient, at most 1,000.
	Recipients []BounceRecipient `json:"recipients,omitempty"`
	// Host that wrote the report (Reporting-MTA, RFC 3464 section 2.2.2).
	ReportingMTA string `json:"reporting_mta,omitempty"`
	// When the message reached that host, in UTC (Arrival-Date, section 2.2.5). Absent if not said or not readable.
	ArrivalDate *time.Time `json:"arrival_date,omitempty"`
	// Id that the sender gave to the envelope (Original-Envelope-Id, section 2.2.1; ENVID of RFC 3461).
	OriginalEnvelopeID string `json:"original_envelope_id,omitempty"`
	// Message-ID of the message that could not be delivered, without angle brackets: what the report says, else that
	// of the returned message, else the id in In-Reply-To or the last one in References of the bounce.
	OriginalMessageID string `json:"original_message_id,omitempty"`
}

// BounceRecipient is what became of one recipient.
type BounceRecipient struct {
	// Who it is (Final-Recipient, RFC 3464 section 2.3.2); where that is missing, original_recipient.
	Address string `json:"address"`
	// Recipient as the sender gave it (Original-Recipient, section 2.3.1), before any alias or forwarding.
	OriginalRecipient string `json:"original_recipient,omitempty"`
	// What happened (Action, section 2.3.3), lower case. An open set, though the RFC has these five.
	Action string `json:"action,omitempty"`
	// Enhanced status code (Status, section 2.3.4; RFC 3463), for example 5.1.1: 5 is permanent, 4 is not.
	Status string `json:"status,omitempty"`
	// Host that refused it (Remote-MTA, section 2.3.5).
	RemoteMTA string `json:"remote_mta,omitempty"`
	// What that host said, without the type (Diagnostic-Code, section 2.3.6); of a bounce in qmail's format, the reason.
	Diagnostic string `json:"diagnostic,omitempty"`
	// Type of the diagnostic, lower case. Absent if not said. An open set.
	DiagnosticType string `json:"diagnostic_type,omitempty"`
	// SMTP reply code in the diagnostic (RFC 5321 section 4.2), three digits. Absent if it has none.
	SMTPCode int `json:"smtp_code,omitempty"`
	// When delivery was last tried, in UTC (Last-Attempt-Date, section 2.3.7). Absent if not said or not readable.
	LastAttemptDate *time.Time `json:"last_attempt_date,omitempty"`
	// Until when it will be tried, in UTC (Will-Retry-Until, section 2.3.9). Only delays have it.
	WillRetryUntil *time.Time `json:"will_retry_until,omitempty"`
}

// Receipt is what a message disposition notification says (RFC 8098).
type Receipt struct {
	// Whose receipt it is (Final-Recipient, section 3.2.4; where it is missing, Original-Recipient).
	Recipient string `json:"recipient,omitempty"`
	// What became of the message (Disposition, section 3.2.6), lower case. An open set, though the RFC has these four.
	Disposition string `json:"disposition,omitempty"`
	// Message-ID of the message that it is about, without angle brackets.
	OriginalMessageID string `json:"original_message_id,omitempty"`
}

// Complaint is what a feedback report says (RFC 5965, 6591).
type Complaint struct {
	// What it complains about (Feedback-Type, RFC 5965 section 3.1), lower case. An open set.
	Type string `json:"type,omitempty"`
	// Who complains (Original-Rcpt-To). Often withheld.
	OriginalRecipients []string `json:"original_recipients,omitempty"`
	// IP address that the message came from (Source-IP).
	SourceIP string `json:"source_ip,omitempty"`
	// Domains that it is about (Reported-Domain).
	ReportedDomains []string `json:"reported_domains,omitempty"`
	// Message-ID of the message that it is about, without angle brackets.
	OriginalMessageID string `json:"original_message_id,omitempty"`
}

// CalendarEvent is one event of a calendar part (RFC 5545, 5546). Recurrences are not expanded.
type CalendarEvent struct {
	// What is asked for (METHOD, RFC 5546 section 1.4), upper case. Absent if the file does not say. An open set.
	Method string `json:"method,omitempty"`
	// Id of the event: the same in every message about it (UID, RFC 5545 section 3.8.4.7).
	UID string `json:"uid,omitempty"`
	// Which occurrence of a recurring event it is about, written as start is. Absent: all of them.
	RecurrenceID string `json:"recurrence_id,omitempty"`
	// Revision; the highest one counts (SEQUENCE). Absent: 0.
	Sequence int `json:"sequence,omitempty"`
	// Title.
	Summary string `json:"summary,omitempty"`
	// Where it takes place.
	Location string `json:"location,omitempty"`
	// When it begins: RFC 3339 in UTC; a date alone if it takes whole days; without offset if it has no zone or one that
	// nobody knows: the time on the wall, wherever that is.
	Start string `json:"start,omitempty"`
	// When it is over: the first moment or day after it, written as start is.
	End string `json:"end,omitempty"`
	// Zone that start was written in, which a rule counts in: its IANA name, or the TZID as sent if none is known.
	// Absent of UTC, of whole days and of times without zone.
	TimeZone string `json:"time_zone,omitempty"`
	// The TZID as sent (RFC 5545 section 3.2.19), for example a Windows name. Present where it differs from time_zone.
	TimeZoneRaw string `json:"time_zone_raw,omitempty"`
	// How it recurs: the RRULE as sent (RFC 5545 section 3.3.10). Absent if it happens once.
	Rule string `json:"rule,omitempty"`
	// STATUS, upper case. An open set.
	Status string `json:"status,omitempty"`
	// Who invites.
	Organizer *Address `json:"organizer,omitempty"`
	// Who is invited, at most 1,000; in a reply, who answers.
	Attendees []EventAttendee `json:"attendees,omitempty"`
}

// EventAttendee is one who is invited.
type EventAttendee struct {
	// Display name.
	Name string `json:"name,omitempty"`
	// Mail address. Absent if there is none.
	Address string `json:"address,omitempty"`
	// Part that the attendee has (ROLE, RFC 5545 section 3.2.16), upper case. An open set.
	Role string `json:"role,omitempty"`
	// Answer (PARTSTAT, section 3.2.12), upper case. An open set.
	Status string `json:"status,omitempty"`
	// An answer is asked for (RSVP, section 3.2.17). Absent: it is not.
	RSVP bool `json:"rsvp,omitempty"`
}

// Journal is the envelope of an Exchange journal report.
type Journal struct {
	// Who sent the message. Absent if it has the empty sender of bounces.
	Sender string `json:"sender,omitempty"`
	// Whose mailbox a delegate sent it for.
	OnBehalfOf string `json:"on_behalf_of,omitempty"`
	// All who got it, hidden ones and members of lists too.
	Recipients []string `json:"recipients,omitempty"`
	// Those of them that stood in Bcc, which the message itself does not show.
	BCC []string `json:"bcc,omitempty"`
	// Message-ID of the message, without angle brackets.
	MessageID string `json:"message_id,omitempty"`
}

// Reply is where in text.content the quoted earlier message begins. Nothing is cut.
type Reply struct {
	// Offset in bytes of UTF-8.
	Offset int `json:"offset"`
}

// AuthResult is what one server says that it found out about the sender by one method (RFC 8601, 8617).
type AuthResult struct {
	// Server that says so. Absent if it does not tell, as Exchange Online does not.
	AuthservID string `json:"authserv_id,omitempty"`
	// Method, lower case. An open set.
	Method string `json:"method"`
	// Result, lower case. An open set.
	Result string `json:"result"`
	// Reason in words.
	Reason string `json:"reason,omitempty"`
	// What was looked at, by names such as smtp.mailfrom and header.d in lower case; values as sent.
	Properties map[string]string `json:"properties,omitempty"`
	// Instance of the ARC set that it stands in (RFC 8617 section 4.2.1). Absent outside of ARC.
	ARC int `json:"arc,omitempty"`
}
