package ingest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"mailflume/parse"
	"mailflume/parse/htmltext"
	"mailflume/publish"
)

// composition is one message on its way into an event: its bodies, and the stores of the parts that
// the reader is inside of.
type composition struct {
	c    *Composer
	pr   *parse.Reader
	ctx  context.Context //nolint:containedctx // it lives for one message
	data *publish.Data

	text, html, derived *bodyWriter
	envelope            *bodyWriter
	open                []openPart // innermost last
	said                int        // octets that the rows of the attachments take
	silent              bool       // some row says less than it could
}

// openPart is a part that holds the ones which come now. Its octets are stored from their Tee.
type openPart struct {
	part  *parse.Part
	side  *sideWriter
	index int // in data.Attachments
}

func (c *Composer) begin(ctx context.Context, pr *parse.Reader, data *publish.Data) *composition {
	body := func(media string) *bodyWriter {
		return newBodyWriter(ctx, c.Blobs, media+"; charset=utf-8", c.inline())
	}
	return &composition{c: c, pr: pr, ctx: ctx, data: data, text: body("text/plain"), html: body("text/html"), derived: body("text/plain"), envelope: body("text/plain")}
}

func (c *Composer) inline() int {
	if c.InlineText > 0 {
		return c.InlineText
	}
	return inlineText
}

// take brings one part where it belongs.
func (m *composition) take(p *parse.Part) error {
	if err := m.leave(p.Path); err != nil {
		return err
	}
	switch {
	case p.Role == parse.RoleText:
		return m.text.join(p, p)
	case p.Role == parse.RoleHTML:
		return m.takeHTML(p)
	case p.Role == parse.RoleEnvelope:
		return m.envelope.join(p, p)
	case p.Container():
		m.enter(p)
		return nil
	}
	blob, err := m.c.attachmentStore().Put(m.ctx, p.ContentType, p)
	if err != nil {
		return fmt.Errorf("store attachment %s: %w", p.Path, err)
	}
	m.data.Attachments = append(m.data.Attachments, m.row(p, blob))
	return nil
}

// takeHTML takes an HTML body and, as long as there is no text body, the text in it.
func (m *composition) takeHTML(p *parse.Part) error {
	if m.text.parts > 0 {
		return m.html.join(p, p)
	}
	if err := m.html.join(p, strings.NewReader("")); err != nil {
		return err
	}
	if err := m.derived.join(p, htmltext.NewReader(io.TeeReader(p, m.html))); err != nil {
		return err
	}
	_, err := io.Copy(m.html, p) // what the text did not need
	return err
}

// enter stores a part's octets while the reader goes through the parts in it.
func (m *composition) enter(p *parse.Part) {
	side := newSideWriter(m.ctx, m.c.attachmentStore(), p.ContentType)
	p.Tee(side)
	m.open = append(m.open, openPart{p, side, len(m.data.Attachments)})
	m.data.Attachments = append(m.data.Attachments, publish.Attachment{})
}

// leave ends the stores of the parts that a part with number path is not inside of.
func (m *composition) leave(path string) error {
	for n := len(m.open) - 1; n >= 0; n-- {
		o := m.open[n]
		if path != "" && strings.HasPrefix(path, o.part.Path+".") {
			return nil
		}
		m.open = m.open[:n]
		blob, err := o.side.finish(nil)
		if err != nil {
			return fmt.Errorf("store attachment %s: %w", o.part.Path, err)
		}
		m.data.Attachments[o.index] = m.row(o.part, blob)
	}
	return nil
}

// finish ends all stores; with a cause nothing of them counts.
func (m *composition) finish(cause error) error {
	err := cause
	if cause == nil {
		err = m.leave("")
	}
	for _, o := range m.open {
		_, serr := o.side.finish(errAbandoned)
		err = also(err, serr)
	}
	return m.bodies(err)
}

// bodies ends the stores of the bodies. Without a text body the text is that in the HTML; a mail that
// only pretends to be a journal report has its envelope as text.
func (m *composition) bodies(err error) error {
	var found [4]*publish.Body
	for i, b := range [...]*bodyWriter{m.text, m.html, m.derived, m.envelope} {
		body, serr := b.finish(err)
		found[i], err = body, also(err, serr)
	}
	m.data.Text, m.data.HTML = found[0], found[1]
	derived, envelope := found[2], found[3]
	switch {
	case m.data.Text != nil:
	case envelope != nil && m.pr.Summary().Journal == nil:
		m.data.Text = envelope
	case derived != nil:
		derived.Derived = "html"
		m.data.Text = derived
	}
	return err
}

// also adds what a store says, unless that is what went wrong already: who wrote to it was told first.
func also(err, store error) error {
	if err != nil && (store == nil || errors.Is(err, store)) {
		return err
	}
	return errors.Join(err, store)
}

// attachmentStore is where attachments go: nowhere, if they are not kept.
func (c *Composer) attachmentStore() publish.BlobStore {
	if c.Attachments && c.Blobs != nil {
		return c.Blobs
	}
	return hashOnly{}
}
