package publish

import "time"

// Data is the payload of an event. What a message does not have is left out; lists are never null. Events about
// messages in quarantine and about mailboxes have the fields that apply.
type Data struct {
	// Mailbox that the event is about, as it is configured.
	Mailbox MailboxInfo `json:"mailbox"`
	// Folder that the message lies in. Absent with POP3, which has none.
	Folder *Folder `json:"folder,omitempty"`
	// UID of the message in its folder (RFC 9051 section 2.3.1.1). Absent with POP3.
	UID uint32 `json:"uid,omitempty"`
	// Unique id of the message in its maildrop (RFC 1939 section 7). Absent with IMAP.
	UIDL string `json:"uidl,omitempty"`
	// The server's own id of the message (RFC 8474 EMAILID): the same in every folder. Absent if the server tells none.
	EmailID string `json:"email_id,omitempty"`
	// The server's own id of the thread (RFC 8474 THREADID). Absent if the server tells none.
	ThreadID string `json:"thread_id,omitempty"`
	// IMAP flags and keywords at the time of the fetch (RFC 9051 section 2.3.2). An open set.
	Flags []string `json:"flags,omitempty"`
	// When the mail server received the message, in UTC: INTERNALDATE of IMAP; with POP3 the date of the newest
	// Received field, else the time of the fetch.
	ReceivedAt *time.Time `json:"received_at,omitempty"`
	// How the worker came by the message.
	Ingest *Ingest `json:"ingest,omitempty"`
	// The message exactly as the server sent it.
	Raw *Stored `json:"raw,omitempty"`

	// Message-ID (RFC 5322 section 3.6.4) without angle brackets. The sender chose it: it need not be unique.
	MessageID string `json:"message_id,omitempty"`
	// Ids in In-Reply-To, without angle brackets: the messages that this one answers.
	InReplyTo []string `json:"in_reply_to,omitempty"`
	// Ids in References, without angle brackets: the thread, oldest first.
	References []string `json:"references,omitempty"`
	// Time in the Date field, in UTC: what the sender says. Absent if it cannot be read; it is never invented.
	Date *time.Time `json:"date,omitempty"`
	// The Date field as sent, with the sender's offset.
	DateRaw string `json:"date_raw,omitempty"`
	// Subject, decoded (RFC 2047).
	Subject string `json:"subject,omitempty"`
	// Authors, from the From field (RFC 5322 section 3.6.2). Nothing proves them: see auth_results.
	From []Address `json:"from,omitempty"`
	// Who sent it for the authors, from the Sender field.
	Sender []Address `json:"sender,omitempty"`
	// Where answers should go, from Reply-To; absent: to the authors.
	ReplyTo []Address `json:"reply_to,omitempty"`
	// Recipients in the To field.
	To []Address `json:"to,omitempty"`
	// Recipients in the Cc field.
	CC []Address `json:"cc,omitempty"`
	// Recipients in the Bcc field; of a journal report without one, the hidden recipients in its envelope.
	BCC []Address `json:"bcc,omitempty"`
	// Addresses that servers delivered it to, from Delivered-To, X-Original-To and Envelope-To.
	DeliveredTo []Address `json:"delivered_to,omitempty"`
	// Sender in the envelope (RFC 5321 section 4.4) without angle brackets. Absent if there is no Return-Path field or
	// it is the empty path of bounces; the signal return-path:null tells the two apart.
	ReturnPath string `json:"return_path,omitempty"`
	// All fields of the header in their order.
	Headers []Field `json:"headers,omitempty"`

	// Text of the message, all of it in document order: what was sent as plain text, and the text in what was sent as
	// HTML only, of which derived tells. Absent if the message has neither.
	Text *Body `json:"text,omitempty"`
	// HTML of the message, all of it in document order: what was sent as HTML, and what was sent as plain text only, of
	// which derived tells. Absent if no HTML was sent. It is not made safe: never show it without a sanitizer.
	HTML *Body `json:"html,omitempty"`
	// All parts that are no body, and those inside of messages, winmail.dat and signed objects, in document order.
	Attachments []Attachment `json:"attachments,omitempty"`
	// What kind of message it is. A closed set: message, a letter and whatever is none of the others; auto_reply (RFC
	// 3834); bounce (RFC 3464), also of delays and successes, see bounce; complaint (RFC 5965); receipt (RFC 8098);
	// calendar, an invitation or an answer to one (RFC 6047); journal, an Exchange journal report.
	Kind string `json:"kind,omitempty"`
	// Facts that decide the kind or whether to answer, as name or name:value in lower-case ASCII, at most 32: names of
	// header fields (auto-submitted:auto-replied, list-id), report-type, content-type, method, and from, subject,
	// return-path and system with what was recognised there (from:no-reply, system:jira). An open set.
	Signals []string `json:"signals,omitempty"`
	// What the message says of the mailing list it came by.
	List *List `json:"list,omitempty"`

	// What a delivery report says. Present if there is one, and if kind is bounce and anything is known.
	Bounce *Bounce `json:"bounce,omitempty"`
	// What a receipt says. Present if the message has one (RFC 8098).
	Receipt *Receipt `json:"receipt,omitempty"`
	// What a feedback report says. Present if the message has one (RFC 5965).
	Complaint *Complaint `json:"complaint,omitempty"`
	// Events in all calendar parts, at most 100; one that is attached twice stands once.
	Calendar []CalendarEvent `json:"calendar,omitempty"`
	// Envelope of an Exchange journal report. Everything else in the event is that of the message it reports.
	Journal *Journal `json:"journal,omitempty"`
	// Where in text.content the quoted earlier message begins. Absent if there is none or the text is truncated.
	Reply *Reply `json:"reply,omitempty"`
	// What servers on the way say they found out about the sender. Nothing of it is verified: only the results of
	// your own border server count, known by its authserv_id (RFC 8601 section 7.1).
	AuthResults []AuthResult `json:"auth_results,omitempty"`
	// All repairs made while reading, about a hundred at most. Absent if nothing was wrong.
	Issues []Issue `json:"issues,omitempty"`

	// Why the message was set aside. Present in quarantined events only.
	Quarantine *Quarantine `json:"quarantine,omitempty"`
	// The new epoch. Present in reset events only.
	Reset *ResetInfo `json:"reset,omitempty"`
	// What is wrong with the mailbox and what to do. Present in auth_failed and stalled events.
	Problem *Problem `json:"problem,omitempty"`
	// Fields left out or cut because the event is too large, text.content for one. They are whole in the blob that
	// dataref names. An open set.
	TruncatedFields []string `json:"truncated_fields,omitempty"`
}

// MailboxInfo is the configured mailbox that an event is about.
type MailboxInfo struct {
	// Id of the mailbox in the configuration.
	ID string `json:"id"`
	// Mail address of the mailbox.
	Address string `json:"address,omitempty"`
	// How it is read. A closed set.
	Protocol string `json:"protocol,omitempty"`
	// Tenant that the mailbox belongs to.
	Tenant string `json:"tenant,omitempty"`
	// Labels in the configuration, for routing; by name.
	Labels map[string]string `json:"labels,omitempty"`
}

// Folder is an IMAP folder in one of its lives.
type Folder struct {
	// Path with the server's separators, in Unicode.
	Path string `json:"path"`
	// What it is for (RFC 6154 section 2). Absent if the server does not say. An open set.
	SpecialUse string `json:"special_use,omitempty"`
	// UIDVALIDITY (RFC 9051 section 2.3.1.1): UIDs mean something only together with it.
	UIDValidity uint32 `json:"uid_validity"`
}

// Ingest is how the worker came by the message.
type Ingest struct {
	// Name of the worker.
	Worker string `json:"worker"`
	// Which try it was, from 1.
	Attempt int `json:"attempt"`
	// It was published before: this comes from the store, on somebody's request.
	Replay bool `json:"replay,omitempty"`
	// It comes after its turn: from a backfill, or out of quarantine.
	Late bool `json:"late,omitempty"`
	// When the worker fetched it, in UTC.
	FetchedAt time.Time `json:"fetched_at"`
}

// Stored is a description of octets.
type Stored struct {
	// SHA-256 of the octets in lower-case hex.
	SHA256 string `json:"sha256"`
	// Size in bytes.
	Size int64 `json:"size"`
	// URI of the store that keeps them: nats-obj://, file:// or s3://. Absent if they are not kept.
	Ref string `json:"ref,omitempty"`
}

// Quarantine is why a message was set aside.
type Quarantine struct {
	// Stable code of the fault; `mailflume explain CODE` says what to do. An open set.
	Code string `json:"code"`
	// The fault in words, for people.
	Reason string `json:"reason"`
	// How often it was tried.
	Attempts int `json:"attempts"`
}

// ResetInfo is a folder's or maildrop's new epoch: all its messages have new ids. Those that were published before
// get no second event.
type ResetInfo struct {
	// Path of the folder. Absent with POP3.
	Folder string `json:"folder,omitempty"`
	// UIDVALIDITY before. Absent with POP3.
	OldUIDValidity uint32 `json:"old_uid_validity,omitempty"`
	// UIDVALIDITY since; the same one if the server was set back without changing it. Absent with POP3.
	NewUIDValidity uint32 `json:"new_uid_validity,omitempty"`
}

// Problem is a mailbox's state in words.
type Problem struct {
	// Stable code of the fault; `mailflume explain CODE` says more. An open set.
	Code string `json:"code"`
	// What is wrong, for people.
	Message string `json:"message"`
	// What to do.
	Next string `json:"next,omitempty"`
}
