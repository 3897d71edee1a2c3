package ingest

import (
	"strings"
	"time"

	"mailflume/parse"
	"mailflume/parse/reply"
	"mailflume/publish"
)

// describe fills in what the reader knows of the message once it was read to its end.
func describe(d *publish.Data, pr *parse.Reader) {
	describeHeader(d, pr.Message())
	d.Kind, d.Signals = pr.Classify()
	describeSummary(d, pr.Summary())
	d.Reply = quoted(d)
	d.Issues = issues(pr.Issues())
}

// quoted finds where the earlier message begins in a text that is whole.
func quoted(d *publish.Data) *publish.Reply {
	if d.Text == nil || d.Text.Truncated || reply.Forwarded(d.Subject) {
		return nil
	}
	at, ok := reply.Offset(d.Text.Content)
	if !ok {
		return nil
	}
	return &publish.Reply{Offset: at}
}

// describeHeader fills in what the header of the message says.
func describeHeader(d *publish.Data, h *parse.Header) {
	d.MessageID = h.MessageID()
	d.InReplyTo = h.MessageIDs("In-Reply-To")
	d.References = h.MessageIDs("References")
	d.Subject = h.Subject()
	d.Date, d.DateRaw = date(h)
	d.From, d.Sender, d.ReplyTo = addresses(h, "From"), addresses(h, "Sender"), addresses(h, "Reply-To")
	d.To, d.CC, d.BCC = addresses(h, "To"), addresses(h, "Cc"), addresses(h, "Bcc")
	d.DeliveredTo = addresses(h, "Delivered-To", "X-Original-To", "Envelope-To")
	d.ReturnPath = strings.Trim(strings.TrimSpace(h.Get("Return-Path")), "<>")
	for _, f := range h.Fields() {
		d.Headers = append(d.Headers, publish.Field{Name: f.Name, Value: f.Value})
	}
	d.AuthResults = authResults(h)
	if id, unsubscribe, oneClick := parse.List(h); id != "" || len(unsubscribe) > 0 {
		d.List = &publish.List{ID: id, Unsubscribe: unsubscribe, OneClick: oneClick}
	}
}

// messageInfo describes a message inside of the message.
func messageInfo(h *parse.Header) *publish.MessageInfo {
	m := &publish.MessageInfo{
		MessageID: strings.Clone(h.MessageID()), Subject: strings.Clone(h.Subject()), From: addresses(h, "From"), To: addresses(h, "To"), CC: addresses(h, "Cc"),
	}
	m.Date, _ = date(h)
	return m
}

// param returns a parameter that does not keep the header it comes from.
func param(p *parse.Part, name string) string { return strings.Clone(p.Param(name)) }

// externalBody describes a message/external-body.
func externalBody(p *parse.Part) *publish.ExternalBody {
	return &publish.ExternalBody{
		AccessType: strings.ToLower(param(p, "access-type")), URL: param(p, "url"), Site: param(p, "site"), Directory: param(p, "directory"),
		Name: param(p, "name"), Server: param(p, "server"), Expiration: param(p, "expiration"),
	}
}

func addresses(h *parse.Header, names ...string) []publish.Address {
	in := h.Addresses(names...)
	out := make([]publish.Address, 0, len(in))
	for _, a := range in {
		// A clone, so that one short address does not hold the whole field.
		out = append(out, publish.Address{Name: strings.Clone(a.Name), Address: strings.Clone(a.Address), Group: strings.Clone(a.Group)})
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

func issues(in []parse.Issue) []publish.Issue {
	out := make([]publish.Issue, 0, len(in))
	for _, i := range in {
		out = append(out, publish.Issue{Code: i.Code, Part: i.Part, Detail: i.Detail, Lossy: i.Lossy})
	}
	return out
}
