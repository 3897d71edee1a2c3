package ingest

import (
	"bytes"
	"context"
	"fmt"
	"reflect"

	"mailflume/publish"
)

// cut is one field that an event can travel without.
type cut struct {
	name string
	drop func(*publish.Data)
}

// cuts are the fields in the order in which they are given up: what a consumer misses least first.
func cuts() []cut {
	return []cut{
		{"headers", func(d *publish.Data) { d.Headers = nil }},
		{"issues", func(d *publish.Data) { d.Issues = nil }},
		{"auth_results", func(d *publish.Data) { d.AuthResults = nil }},
		{"html.content", func(d *publish.Data) { d.HTML = without(d.HTML) }},
		{"text.content", func(d *publish.Data) { d.Text, d.Reply = without(d.Text), nil }},
		{"calendar", func(d *publish.Data) { d.Calendar = nil }},
		{"references", func(d *publish.Data) { d.References = nil }},
		{"in_reply_to", func(d *publish.Data) { d.InReplyTo = nil }},
		{"delivered_to", func(d *publish.Data) { d.DeliveredTo = nil }},
		{"bcc", func(d *publish.Data) { d.BCC = nil }},
		{"cc", func(d *publish.Data) { d.CC = nil }},
		{"to", func(d *publish.Data) { d.To = nil }},
		{"journal", func(d *publish.Data) { d.Journal = nil }},
		{"bounce", func(d *publish.Data) { d.Bounce = nil }},
		{"complaint", func(d *publish.Data) { d.Complaint = nil }},
		{"receipt", func(d *publish.Data) { d.Receipt = nil }},
		{"attachments", func(d *publish.Data) { d.Attachments = nil }},
		{"reply_to", func(d *publish.Data) { d.ReplyTo = nil }},
		{"sender", func(d *publish.Data) { d.Sender = nil }},
		{"list", func(d *publish.Data) { d.List = nil }},
		{"from", func(d *publish.Data) { d.From = nil }},
		{"flags", func(d *publish.Data) { d.Flags = nil }},
		{"subject", func(d *publish.Data) { d.Subject = clip(d.Subject, 1000) }},
		{"message_id", func(d *publish.Data) { d.MessageID = clip(d.MessageID, 1000) }},
		{"date_raw", func(d *publish.Data) { d.DateRaw = clip(d.DateRaw, 200) }},
		{"return_path", func(d *publish.Data) { d.ReturnPath = clip(d.ReturnPath, 1000) }},
		{"quarantine.reason", func(d *publish.Data) { d.Quarantine = briefly(d.Quarantine) }},
	}
}

// briefly returns a reason of a few words.
func briefly(q *publish.Quarantine) *publish.Quarantine {
	if q == nil || len(q.Reason) <= 200 {
		return q
	}
	c := *q
	c.Reason = clip(c.Reason, 200)
	return &c
}

// without returns a body without its text and its charset, if that is no charset's name.
func without(b *publish.Body) *publish.Body {
	if b == nil || b.Content == "" && len(b.Charset) <= 100 {
		return b
	}
	c := *b
	c.Content, c.Charset, c.Truncated = "", clip(c.Charset, 100), true
	return &c
}

// fit returns ev, or, if its encoding is larger than limit bytes, an event whose full data lies in
// the store (dataref) and whose inline data gives up fields until it fits.
func fit(ctx context.Context, ev *publish.Event, limit int, store publish.BlobStore) (*publish.Event, error) {
	b, err := ev.Encode()
	if err != nil {
		return nil, err
	}
	if len(b) <= limit {
		return ev, nil
	}
	if store == nil {
		store = hashOnly{}
	}
	full, err := publish.Marshal(ev.Data)
	if err != nil {
		return nil, fmt.Errorf("encode the data of event %s: %w", ev.ID, err)
	}
	blob, err := store.Put(ctx, "application/json", bytes.NewReader(full))
	if err != nil {
		return nil, fmt.Errorf("store the data of event %s: %w", ev.ID, err)
	}
	data := *ev.Data
	for _, c := range cuts() {
		before := data
		if c.drop(&data); reflect.DeepEqual(&before, &data) {
			continue // there was none
		}
		data.TruncatedFields = append(data.TruncatedFields, c.name)
		slim := publish.NewEvent(publish.Key{}, ev.Kind, ev.ID, ev.Time, &data)
		slim.Source, slim.Subject, slim.DataRef = ev.Source, clip(ev.Subject, 1000), blob.Ref
		if b, err = slim.Encode(); err != nil {
			return nil, err
		}
		if len(b) <= limit {
			return slim, nil
		}
	}
	return nil, &Error{Fault{Class: BadMessage, Code: CodeEventTooLarge}, "fit event " + ev.ID, fmt.Errorf("%w: %d bytes at the least, the server takes %d", publish.ErrTooLarge, len(b), limit)}
}
