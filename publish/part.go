package publish

import "time"

// Address is one mailbox of an address field (RFC 5322 section 3.4).
type Address struct {
	// Display name, decoded. Absent if there is none.
	Name string `json:"name,omitempty"`
	// Mail address without angle brackets, local part and domain as sent. Absent if only a name is there.
	Address string `json:"address,omitempty"`
	// Name of the group that it stands in. Absent outside of groups.
	Group string `json:"group,omitempty"`
}

// Field is one field of the header.
type Field struct {
	// Name as it was spelled; compare it in any case.
	Name string `json:"name"`
	// Value, unfolded and decoded (RFC 2047).
	Value string `json:"value"`
}

// Body is a text in UTF-8.
type Body struct {
	// The text; the beginning of it if it is truncated. Absent if it is empty, or left out of an event too large.
	Content string `json:"content,omitempty"`
	// URI of the blob that holds the whole text. Present if it is truncated and there is a store.
	Ref string `json:"ref,omitempty"`
	// Size of the whole text in bytes of UTF-8.
	Size int64 `json:"size"`
	// Charset as declared. Absent if none was. If the text was read in another one, an issue says so.
	Charset string `json:"charset,omitempty"`
	// The content is not the whole text.
	Truncated bool `json:"truncated,omitempty"`
	// What something in it was made from, because it was sent in the other form only: html in text, text in html.
	// Absent: all of it is as sent. A closed set.
	Derived string `json:"derived,omitempty"`
}

// Attachment is one part that is no body. Its decoded octets are stored as they were sent.
type Attachment struct {
	// IMAP part number (RFC 9051 section 6.4.5.1), for example 2.1; of parts with another origin than mime in its manner.
	Part string `json:"part"`
	// Name that is safe to create a file by: no path, no control characters. Absent if the part has none. Names may
	// repeat; the part number does not.
	Filename string `json:"filename,omitempty"`
	// Name as sent, decoded. Present where it differs from filename.
	FilenameRaw string `json:"filename_raw,omitempty"`
	// Media type as declared, lower case, without parameters.
	ContentType string `json:"content_type"`
	// Media type that the first octets look like. Absent if there are none.
	DetectedType string `json:"detected_type,omitempty"`
	// Size of the decoded octets in bytes.
	Size int64 `json:"size"`
	// SHA-256 of the decoded octets in lower-case hex.
	SHA256 string `json:"sha256"`
	// URI of the store that keeps the decoded octets. Absent if they are not kept.
	Ref string `json:"ref,omitempty"`
	// Content-Disposition (RFC 2183). A closed set: what is neither counts as attachment. Absent if there is none that can be read.
	Disposition string `json:"disposition,omitempty"`
	// It is to be shown where it stands, as an image in the HTML: disposition inline, or none and a content_id.
	Inline bool `json:"inline"`
	// Content-ID (RFC 2392) without angle brackets, by which cid: links in the HTML name it.
	ContentID string `json:"content_id,omitempty"`
	// Part number of the multipart or of the attachment that it stands in. Absent in the message itself.
	Parent string `json:"parent,omitempty"`
	// How it came into the message. A closed set: mime, a part of the message itself; tnef, out of a winmail.dat;
	// uuencode, out of a text; smime, out of a signed object; rfc822, out of a message inside of the message.
	Origin string `json:"origin"`

	// What the header of a message inside of the message says; of one in a winmail.dat, what its properties say.
	Message *MessageInfo `json:"message,omitempty"`
	// Where the octets of a message/external-body are.
	External *ExternalBody `json:"external,omitempty"`
	// Which piece of a message a message/partial is.
	Partial *Partial `json:"partial,omitempty"`
}

// MessageInfo is a message inside of the message. Its attachments stand in the list too, below its part number;
// its texts are in its octets only.
type MessageInfo struct {
	// Message-ID without angle brackets.
	MessageID string `json:"message_id,omitempty"`
	// Time in its Date field, in UTC. Absent if it cannot be read; it is never invented.
	Date *time.Time `json:"date,omitempty"`
	// Subject, decoded.
	Subject string `json:"subject,omitempty"`
	// Authors.
	From []Address `json:"from,omitempty"`
	// Recipients in To.
	To []Address `json:"to,omitempty"`
	// Recipients in Cc.
	CC []Address `json:"cc,omitempty"`
}

// ExternalBody is where the octets of a message/external-body are (RFC 2046 section 5.2.3). Nobody fetches them.
type ExternalBody struct {
	// How to get at them, lower case. An open set.
	AccessType string `json:"access_type"`
	// URL (RFC 2017).
	URL string `json:"url,omitempty"`
	// Host.
	Site string `json:"site,omitempty"`
	// Folder on the host.
	Directory string `json:"directory,omitempty"`
	// Name of the file.
	Name string `json:"name,omitempty"`
	// Address of the mail server that sends it.
	Server string `json:"server,omitempty"`
	// Until when it is there, as sent.
	Expiration string `json:"expiration,omitempty"`
}

// Partial is one piece of a message (RFC 2046 section 5.2.2). Nobody puts the pieces together.
type Partial struct {
	// Id that all pieces share.
	ID string `json:"id"`
	// Number of the piece, from 1, as sent.
	Number string `json:"number"`
	// How many there are, as sent. The last piece says it; others may.
	Total string `json:"total,omitempty"`
}

// List is what a mailing list says of itself. Before you trust one_click see that a valid DKIM signature covers
// List-Unsubscribe and List-Unsubscribe-Post (RFC 8058 section 4).
type List struct {
	// Id of the list (RFC 2919).
	ID string `json:"id,omitempty"`
	// Places to unsubscribe at (RFC 2369), https, http or mailto, in the order that the list prefers.
	Unsubscribe []string `json:"unsubscribe,omitempty"`
	// One POST to the https place is enough (RFC 8058).
	OneClick bool `json:"one_click,omitempty"`
}

// Issue is one repair made while reading.
type Issue struct {
	// Stable code of what was wrong; `mailflume explain CODE` says what it means. An open set.
	Code string `json:"code"`
	// Number of the part that it is about. Absent if it is the message.
	Part string `json:"part,omitempty"`
	// What exactly, for people.
	Detail string `json:"detail,omitempty"`
	// Something could not be represented: only the raw message has it.
	Lossy bool `json:"lossy,omitempty"`
}
