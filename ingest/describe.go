package ingest

import (
	"strings"
	"time"

	"mailflume/parse"
	"mailflume/publish"
)

// describeHeader fills in what the header of the message says.
func describeHeader(d *publish.Data, h *parse.Header) {
	d.MessageID = h.MessageID()
	d.InReplyTo = h.MessageIDs("In-Reply-To")
	d.References = h.MessageIDs("References")
	d.Subject = h.Subject()
	if at, raw, ok := h.Date(); ok {
		utc := at.UTC()
		d.Date, d.DateRaw = &utc, raw
	} else {
		d.DateRaw = raw
	}
	d.From, d.Sender, d.ReplyTo = addresses(h, "From"), addresses(h, "Sender"), addresses(h, "Reply-To")
	d.To, d.CC, d.BCC = addresses(h, "To"), addresses(h, "Cc"), addresses(h, "Bcc")
	d.DeliveredTo = addresses(h, "Delivered-To", "X-Original-To", "Envelope-To")
	d.ReturnPath = strings.Trim(strings.TrimSpace(h.Get("Return-Path")), "<>")
	for _, f := range h.Fields() {
		d.Headers = append(d.Headers, publish.Field{Name: f.Name, Value: f.Value})
	}
	d.Kind, d.Signals = parse.Classify(h, h.Get("Content-Type"))
	if id, unsubscribe, oneClick := parse.List(h); id != "" || len(unsubscribe) > 0 {
		d.List = &publish.List{ID: id, Unsubscribe: unsubscribe, OneClick: oneClick}
	}
}

func addresses(h *parse.Header, names ...string) []publish.Address {
	in := h.Addresses(names...)
	out := make([]publish.Address, 0, len(in))
	for _, a := range in {
		out = append(out, publish.Address{Name: a.Name, Address: a.Address, Group: a.Group})
	}
	return out
}

// receivedAt returns when the server took the message in: what the protocol says, else the date of
// the newest Received field (RFC 5321 section 4.4: the first one), else when it was fetched.
func receivedAt(m *Message, headers []publish.Field, fetched time.Time) time.Time {
	if !m.Received.IsZero() {
		return m.Received.UTC()
	}
	for _, f := range headers {
		if !strings.EqualFold(f.Name, "Received") {
			continue
		}
		if i := strings.LastIndexByte(f.Value, ';'); i >= 0 {
			if at, ok := parse.MailDate(strings.TrimSpace(f.Value[i+1:])); ok && !at.After(fetched.Add(24*time.Hour)) {
				return at.UTC()
			}
		}
		break
	}
	return fetched.UTC()
}
