package publish

import (
	"bytes"
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// EventType is the last token of an event's subject.
type EventType string

// The event types of the contract.
const (
	Received    EventType = "received"
	Quarantined EventType = "quarantined"
	Reset       EventType = "reset"
	AuthFailed  EventType = "auth_failed"
	Stalled     EventType = "stalled"
	Recovered   EventType = "recovered"
)

// CloudEvent returns the CloudEvents type attribute, for example mailflume.message.received.v1.
func (t EventType) CloudEvent() string {
	if t == Received || t == Quarantined {
		return "mailflume.message." + string(t) + ".v1"
	}
	return "mailflume.mailbox." + string(t) + ".v1"
}

// SpecVersion is the CloudEvents version of every event.
const SpecVersion = "1.0"

// ContentType is the media type of an encoded event (CloudEvents structured JSON).
const ContentType = "application/cloudevents+json"

// SchemaReceived is the dataschema of received events; the file lies in the folder schema.
const SchemaReceived = "https://mailflume.example/schema/message.received.v1.json"

// SchemaQuarantined is the dataschema of quarantined events.
const SchemaQuarantined = "https://mailflume.example/schema/message.quarantined.v1.json"

// SchemaMailbox is the dataschema of the events about a mailbox (reset, auth_failed, …).
const SchemaMailbox = "https://mailflume.example/schema/mailbox.v1.json"

// Event is one CloudEvents 1.0 event in structured JSON.
type Event struct {
	// CloudEvents version of the envelope.
	SpecVersion string `json:"specversion"`
	// Id of the event, the same on every worker and every retry: an event that comes twice is known by it. Of a message
	// that was received it is the lower-case base32 of a SHA-256 over tenant, mailbox and its place in that: folder,
	// UIDVALIDITY and UID, or UIDL.
	ID string `json:"id"`
	// Mailbox that the event comes from: /mailflume/{tenant}/{mailbox}.
	Source string `json:"source"`
	// What happened, with the version of the contract.
	Type string `json:"type"`
	// Message-ID of the message without angle brackets. Absent if it has none, and from events about messages in
	// quarantine and about mailboxes.
	Subject string `json:"subject,omitempty"`
	// Time in UTC: of a message, when the mail server received it, as received_at in data; of a mailbox, when it
	// happened.
	Time time.Time `json:"time"`
	// Id of this JSON Schema. It has the form of a URL; nothing need answer there.
	DataSchema string `json:"dataschema,omitempty"`
	// Media type of data.
	DataContentType string `json:"datacontenttype"`
	// URI of the blob that holds the whole data as JSON. Present if it is larger than the server's max_payload; data
	// then lacks the fields that truncated_fields lists.
	DataRef string `json:"dataref,omitempty"`
	// What there is to say about the message or the mailbox.
	Data *Data `json:"data"`

	Kind    EventType `json:"-"` // the one that Type spells out
	encoded []byte
}

// NewEvent returns an event of box with its constant attributes filled in.
func NewEvent(box Key, kind EventType, id string, at time.Time, data *Data) *Event {
	schema := SchemaMailbox
	switch kind {
	case Received:
		schema = SchemaReceived
	case Quarantined:
		schema = SchemaQuarantined
	}
	return &Event{
		SpecVersion: SpecVersion, ID: id, Source: "/mailflume/" + box.Tenant + "/" + box.Mailbox, Type: kind.CloudEvent(),
		Time: at.UTC(), DataSchema: schema, DataContentType: "application/json", Data: data, Kind: kind,
	}
}

// Encode returns the event as structured JSON. The first call fixes the bytes: what is measured is
// what is sent, and a retry sends the same octets.
func (e *Event) Encode() ([]byte, error) {
	if e.encoded != nil {
		return e.encoded, nil
	}
	b, err := Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("encode event %s: %w", e.ID, err)
	}
	e.encoded = b
	return b, nil
}

// Marshal encodes v as compact JSON without escaping <, > and &: mail is full of them.
func Marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// MessageID returns the id of an IMAP message's received event: the same on every worker and retry.
func MessageID(box Key, folder string, uidValidity, uid uint32) string {
	return NewID(box.Tenant, box.Mailbox, folder, strconv.FormatUint(uint64(uidValidity), 10), strconv.FormatUint(uint64(uid), 10))
}

// MaildropID returns the id of a POP3 message's received event.
func MaildropID(box Key, uidl string) string { return NewID(box.Tenant, box.Mailbox, uidl) }

// NewID hashes parts into an event id: lower-case unpadded base32 of SHA-256 over the parts, each
// preceded by its length in bytes and a colon, so that no two tuples share an encoding.
func NewID(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s", len(p), p)
	}
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(h.Sum(nil)))
}
