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

	text, html *rendition
	open       []openPart // innermost last
	said       int        // octets that the rows of the attachments take
	silent     bool       // some row says less than it could
}

// openPart is a part that holds the ones which come now. Its octets are stored from their Tee.
type openPart struct {
	part  *parse.Part
	side  *sideWriter
	index int // in data.Attachments
}

func (c *Composer) begin(ctx context.Context, pr *parse.Reader, data *publish.Data) *composition {
	m := &composition{c: c, pr: pr, ctx: ctx, data: data}
	m.beginBodies()
	return m
}

// beginBodies makes the bodies empty.
func (m *composition) beginBodies() {
	body := func(media string) *bodyWriter {
		return newBodyWriter(m.ctx, m.c.Blobs, media+"; charset=utf-8", m.c.inline())
	}
	m.text = &rendition{out: body("text/plain"), as: "html"}
	m.html = &rendition{out: body("text/html"), as: "text", needs: true}
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
		return m.takeText(p)
	case p.Role == parse.RoleHTML:
		return m.takeHTML(p)
	case p.Role == parse.RoleEnvelope:
		return m.takeEnvelope(p)
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

// takeText takes a text body, and the HTML that can be made of it.
func (m *composition) takeText(p *parse.Part) error {
	var to io.Writer = m.text.writer(p)
	made := m.html.maker(p)
	if made == nil {
		_, err := io.Copy(to, p)
		return err
	}
	pre := &preformatted{to: made}
	if _, err := io.Copy(io.MultiWriter(to, pre), p); err != nil {
		return err
	}
	return pre.end()
}

// takeHTML takes an HTML body, and the text in it.
func (m *composition) takeHTML(p *parse.Part) error {
	to := m.html.writer(p)
	if made := m.text.maker(p); made != nil {
		if _, err := io.Copy(made, htmltext.NewReader(io.TeeReader(p, to))); err != nil {
			return err
		}
	}
	_, err := io.Copy(to, p) // what the text did not need
	return err
}

// takeEnvelope takes what may be the envelope of a journal report, which is then no text of the message
// that begins after it, and nothing before it is.
func (m *composition) takeEnvelope(p *parse.Part) error {
	if err := m.takeText(p); err != nil || m.pr.Summary().Journal == nil {
		return err
	}
	err := m.abandonBodies()
	m.beginBodies()
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

// bodies ends the stores of the bodies.
func (m *composition) bodies(err error) error {
	var serr error
	m.data.Text, serr = m.text.finish(err)
	err = also(err, serr)
	m.data.HTML, serr = m.html.finish(err)
	return also(err, serr)
}

// abandonBodies ends their stores for nothing.
func (m *composition) abandonBodies() error {
	_, err := m.text.finish(errAbandoned)
	_, serr := m.html.finish(errAbandoned)
	return also(err, serr)
}

// also adds what a store says, unless that is what went wrong already: who wrote to it was told first.
func also(err, store error) error {
	switch {
	case err == nil:
		return store
	case store == nil, errors.Is(err, store):
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
