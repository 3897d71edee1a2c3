package ingest

import (
	"strings"

	"mailflume/parse"
	"mailflume/publish"
)

// The bounds of what attachments say in an event, which is held whole: a message can have 10,000 of
// them, each with a name and ten thousand recipients of a message inside.
const (
	maxRows = 2 << 20 // octets of the rows of all that say everything
	maxWord = 255     // octets of a type or an id in the others
)

// row describes a part that was read to its end, with all that can be said as long as there is room.
func (m *composition) row(p *parse.Part, blob publish.Blob) publish.Attachment {
	a := attachment(p, blob)
	if m.said <= maxRows {
		full := a
		details(&full, p)
		text, err := publish.Marshal(full)
		if m.said += len(text); m.said <= maxRows && err == nil {
			return full
		}
	}
	short := a
	short.ContentType, short.ContentID = clip(a.ContentType, maxWord), clip(a.ContentID, maxWord)
	m.silent = m.silent || short != a || p.FilenameRaw != p.Filename || p.Message() != nil || strings.HasPrefix(p.ContentType, "message/")
	return short
}

// attachment describes a part that was read to its end.
func attachment(p *parse.Part, blob publish.Blob) publish.Attachment {
	return publish.Attachment{
		Part: p.Path, Filename: strings.Clone(p.Filename), ContentType: strings.Clone(p.ContentType), DetectedType: p.DetectedType(), Size: blob.Size, SHA256: blob.SHA256,
		Ref: blob.Ref, Disposition: p.Disposition, Inline: p.Inline, ContentID: strings.Clone(p.ContentID), Parent: p.Parent, Origin: p.Origin,
	}
}

// details adds what can be long.
func details(a *publish.Attachment, p *parse.Part) {
	if p.FilenameRaw != p.Filename {
		a.FilenameRaw = strings.Clone(p.FilenameRaw)
	}
	if h := p.Message(); h != nil {
		a.Message = messageInfo(h)
	}
	switch p.ContentType {
	case "message/external-body":
		a.External = externalBody(p)
	case "message/partial":
		a.Partial = &publish.Partial{ID: param(p, "id"), Number: param(p, "number"), Total: param(p, "total")}
	}
}
