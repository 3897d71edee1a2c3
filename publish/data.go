package publish

import "time"

// Data is the payload of an event. Fields that a message does not have are left out; lists are
// never null. Quarantined and mailbox events use the fields that apply.
type Data struct {
	Mailbox    MailboxInfo `json:"mailbox"`
	Folder     *Folder     `json:"folder,omitempty"`
	UID        uint32      `json:"uid,omitempty"`
	UIDL       string      `json:"uidl,omitempty"`
	EmailID    string      `json:"email_id,omitempty"`
	ThreadID   string      `json:"thread_id,omitempty"`
	Flags      []string    `json:"flags,omitempty"`
	ReceivedAt *time.Time  `json:"received_at,omitempty"`
	Ingest     *Ingest     `json:"ingest,omitempty"`
	Raw        *Stored     `json:"raw,omitempty"`

	MessageID   string     `json:"message_id,omitempty"` // without angle brackets
	InReplyTo   []string   `json:"in_reply_to,omitempty"`
	References  []string   `json:"references,omitempty"`
	Date        *time.Time `json:"date,omitempty"` // nil if unreadable: never invented
	DateRaw     string     `json:"date_raw,omitempty"`
	Subject     string     `json:"subject,omitempty"`
	From        []Address  `json:"from,omitempty"`
	Sender      []Address  `json:"sender,omitempty"`
	ReplyTo     []Address  `json:"reply_to,omitempty"`
	To          []Address  `json:"to,omitempty"`
	CC          []Address  `json:"cc,omitempty"`
	BCC         []Address  `json:"bcc,omitempty"`
	DeliveredTo []Address  `json:"delivered_to,omitempty"`
	ReturnPath  string     `json:"return_path,omitempty"`
	Headers     []Field    `json:"headers,omitempty"`

	Text        *Body        `json:"text,omitempty"`
	HTML        *Body        `json:"html,omitempty"`
	Attachments []Attachment `json:"attachments,omitempty"`
	Kind        string       `json:"kind,omitempty"`
	Signals     []string     `json:"signals,omitempty"`
	List        *List        `json:"list,omitempty"`

	Bounce      *Bounce         `json:"bounce,omitempty"`
	Receipt     *Receipt        `json:"receipt,omitempty"`
	Complaint   *Complaint      `json:"complaint,omitempty"`
	Calendar    []CalendarEvent `json:"calendar,omitempty"`
	Journal     *Journal        `json:"journal,omitempty"`
	Reply       *Reply          `json:"reply,omitempty"`
	AuthResults []AuthResult    `json:"auth_results,omitempty"`
	Issues      []Issue         `json:"issues,omitempty"`

	Quarantine      *Quarantine `json:"quarantine,omitempty"`
	Reset           *ResetInfo  `json:"reset,omitempty"`
	Problem         *Problem    `json:"problem,omitempty"`
	TruncatedFields []string    `json:"truncated_fields,omitempty"` // left out here; whole in dataref
}

// MailboxInfo says which configured mailbox an event is about.
type MailboxInfo struct {
	ID       string            `json:"id"`
	Address  string            `json:"address,omitempty"`
	Protocol string            `json:"protocol,omitempty"` // imap or pop3
	Tenant   string            `json:"tenant,omitempty"`
	Labels   map[string]string `json:"labels,omitempty"`
}

// Folder is an IMAP folder in one of its lives.
type Folder struct {
	Path        string `json:"path"`
	SpecialUse  string `json:"special_use,omitempty"` // RFC 6154, for example \Archive
	UIDValidity uint32 `json:"uid_validity"`
}

// Ingest tells how the worker came by the message.
type Ingest struct {
	Worker    string    `json:"worker"`
	Attempt   int       `json:"attempt"` // 1 for the first try
	Replay    bool      `json:"replay,omitempty"`
	Late      bool      `json:"late,omitempty"`
	FetchedAt time.Time `json:"fetched_at"`
}

// Stored describes octets: their digest, size in bytes, and where they are kept (no Ref: nowhere).
type Stored struct {
	SHA256 string `json:"sha256"`
	Size   int64  `json:"size"`
	Ref    string `json:"ref,omitempty"`
}

// Address is one mailbox of an address field (RFC 5322 section 3.4).
type Address struct {
	Name    string `json:"name,omitempty"`
	Address string `json:"address,omitempty"`
	Group   string `json:"group,omitempty"`
}

// Field is one header field, decoded, with its name as it was spelled.
type Field struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Body is a text body in UTF-8. Size is that of the whole decoded text in bytes.
type Body struct {
	Content   string `json:"content,omitempty"`
	Ref       string `json:"ref,omitempty"` // the whole text, when Truncated
	Size      int64  `json:"size"`
	Charset   string `json:"charset,omitempty"` // as declared; issues say when another was used
	Truncated bool   `json:"truncated,omitempty"`
	Derived   string `json:"derived,omitempty"` // html: there was no text body, this is the text in the HTML
}

// Attachment is one part that is not a body: its decoded octets are stored as they were sent.
type Attachment struct {
	Part         string `json:"part"` // IMAP part number, RFC 9051 section 6.4.5
	Filename     string `json:"filename,omitempty"`
	FilenameRaw  string `json:"filename_raw,omitempty"` // as sent, where it differs from Filename
	ContentType  string `json:"content_type"`
	DetectedType string `json:"detected_type,omitempty"`
	Size         int64  `json:"size"`
	SHA256       string `json:"sha256"`
	Ref          string `json:"ref,omitempty"`
	Disposition  string `json:"disposition,omitempty"`
	Inline       bool   `json:"inline"`
	ContentID    string `json:"content_id,omitempty"`
	Parent       string `json:"parent,omitempty"`
	Origin       string `json:"origin"` // mime, tnef, uuencode, smime, rfc822

	Message  *MessageInfo  `json:"message,omitempty"`  // of a message: what its header says
	External *ExternalBody `json:"external,omitempty"` // of a message/external-body: where the octets are
	Partial  *Partial      `json:"partial,omitempty"`  // of a message/partial: which piece it is
}

// MessageInfo describes a message inside of the message. Its attachments stand in the list too, with
// origin rfc822; its texts are in its octets only.
type MessageInfo struct {
	MessageID string     `json:"message_id,omitempty"`
	Date      *time.Time `json:"date,omitempty"` // nil if unreadable: never invented
	Subject   string     `json:"subject,omitempty"`
	From      []Address  `json:"from,omitempty"`
	To        []Address  `json:"to,omitempty"`
	CC        []Address  `json:"cc,omitempty"`
}

// ExternalBody says where the octets of a message/external-body are (RFC 2046 section 5.2.3, RFC
// 2017). Nobody fetches them.
type ExternalBody struct {
	AccessType string `json:"access_type"`
	URL        string `json:"url,omitempty"`
	Site       string `json:"site,omitempty"`
	Directory  string `json:"directory,omitempty"`
	Name       string `json:"name,omitempty"`
	Server     string `json:"server,omitempty"`
	Expiration string `json:"expiration,omitempty"` // as sent
}

// Partial says which piece of a message a message/partial is (RFC 2046 section 5.2.2). Nobody puts
// the pieces together.
type Partial struct {
	ID     string `json:"id"`
	Number string `json:"number"` // from 1
	Total  string `json:"total,omitempty"`
}

// List is what RFC 2919, 2369 and 8058 fields say.
type List struct {
	ID          string   `json:"id,omitempty"`
	Unsubscribe []string `json:"unsubscribe,omitempty"`
	OneClick    bool     `json:"one_click,omitempty"`
}

// Issue is one repair made while reading.
type Issue struct {
	Code   string `json:"code"`
	Part   string `json:"part,omitempty"`
	Detail string `json:"detail,omitempty"`
	Lossy  bool   `json:"lossy,omitempty"` // some octets could not be represented
}

// Quarantine says why a message was set aside.
type Quarantine struct {
	Code     string `json:"code"`
	Reason   string `json:"reason"`
	Attempts int    `json:"attempts"`
}

// ResetInfo describes a folder's or maildrop's new epoch.
type ResetInfo struct {
	Folder         string `json:"folder,omitempty"`
	OldUIDValidity uint32 `json:"old_uid_validity,omitempty"`
	NewUIDValidity uint32 `json:"new_uid_validity,omitempty"`
}

// Problem is a mailbox's state in words: what is wrong and what to do.
type Problem struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Next    string `json:"next,omitempty"`
}
