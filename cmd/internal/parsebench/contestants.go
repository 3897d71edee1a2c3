package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"

	"github.com/emersion/go-message"
	_ "github.com/emersion/go-message/charset" // as its documentation says: otherwise it knows UTF-8 alone
	"github.com/emersion/go-message/mail"
	"github.com/jhillyerd/enmime/v2"

	"mailflume/parse"
)

// readMailflume reads a message with package parse.
func readMailflume(j *job, in *bufio.Reader) error {
	r := parse.NewReader(in, parse.Limits{}).WithoutDigest()
	for {
		p, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if p.Role == parse.RoleAttachment {
			err = j.leaf(p.Filename, p.ContentType, p)
		} else {
			err = j.body(p.ContentType, p)
		}
		if err != nil {
			return err
		}
	}
	h := r.Header()
	j.head.subject, j.head.id = h.Subject(), h.MessageID()
	j.head.date, _, _ = h.Date()
	for _, a := range h.Addresses("From") {
		j.head.from = append(j.head.from, a.Address)
	}
	for _, a := range h.Addresses("To") {
		j.head.to = append(j.head.to, a.Address)
	}
	return nil
}

// readGoMessage reads a message with go-message. What it cannot read of a header is no error here.
func readGoMessage(j *job, in *bufio.Reader) error {
	e, err := message.Read(in)
	if err = fatal(err); err != nil {
		return err
	}
	h := mail.Header{Header: e.Header}
	j.head.subject, _ = h.Subject()
	j.head.date, _ = h.Date()
	j.head.id, _ = h.MessageID()
	from, _ := h.AddressList("From")
	for _, a := range from {
		j.head.from = append(j.head.from, a.Address)
	}
	to, _ := h.AddressList("To")
	for _, a := range to {
		j.head.to = append(j.head.to, a.Address)
	}
	return walkGoMessage(j, e)
}

// walkGoMessage reads an entity of go-message and those inside of it.
func walkGoMessage(j *job, e *message.Entity) error {
	mr := e.MultipartReader()
	if mr == nil {
		typ, params, _ := e.Header.ContentType()
		if typ == "" {
			typ = "text/plain"
		}
		disposition, _, _ := e.Header.ContentDisposition()
		h := mail.AttachmentHeader{Header: e.Header}
		name, _ := h.Filename()
		if name == "" {
			name = params["name"]
		}
		if isBody(typ, disposition, name) {
			return j.body(typ, e.Body)
		}
		return j.leaf(name, typ, e.Body)
	}
	for {
		p, err := mr.NextPart()
		if errors.Is(err, io.EOF) && p == nil {
			return unexpectedEnd(err)
		}
		if err = fatal(err); err != nil {
			return err
		}
		if err := walkGoMessage(j, p); err != nil {
			return err
		}
	}
}

// unexpectedEnd tells the bare io.EOF after the last part from one that wraps it.
func unexpectedEnd(err error) error {
	if err == io.EOF { //nolint:errorlint // bare: the error of a message cut short wraps it
		return nil
	}
	return err
}

// fatal drops the errors after which go-message goes on.
func fatal(err error) error {
	if message.IsUnknownCharset(err) || message.IsUnknownEncoding(err) {
		return nil
	}
	return err
}

// newEnmime returns a reader by enmime, which is not asked to make text of HTML.
func newEnmime() reader {
	parser := enmime.NewParser(enmime.DisableTextConversion(true))
	return func(j *job, in *bufio.Reader) error {
		e, err := parser.ReadEnvelope(in)
		if err != nil {
			return err
		}
		j.head.subject, j.head.id = e.GetHeader("Subject"), e.GetHeader("Message-Id")
		j.head.date, _ = e.Date()
		from, _ := e.AddressList("From")
		for _, a := range from {
			j.head.from = append(j.head.from, a.Address)
		}
		to, _ := e.AddressList("To")
		for _, a := range to {
			j.head.to = append(j.head.to, a.Address)
		}
		j.text.WriteString(e.Text)
		j.html.WriteString(e.HTML)
		for _, list := range [...][]*enmime.Part{e.Attachments, e.Inlines, e.OtherParts} {
			for _, p := range list {
				if err := j.leaf(p.FileName, p.ContentType, bytes.NewReader(p.Content)); err != nil {
					return err
				}
			}
		}
		return nil
	}
}
