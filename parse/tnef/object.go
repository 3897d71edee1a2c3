package tnef

import "io"

// Kind says what an object is.
type Kind int

// The kinds of objects.
const (
	KindAttachment Kind = iota // a file, or an OLE object
	KindText                   // a text/plain body
	KindHTML                   // a text/html body
	KindRTF                    // a body in RTF that encapsulates neither of them
	KindMessage                // an embedded message: again a TNEF stream
)

// String names the kind.
func (k Kind) String() string {
	switch k {
	case KindText:
		return "text"
	case KindHTML:
		return "html"
	case KindRTF:
		return "rtf"
	case KindMessage:
		return "message"
	}
	return "attachment"
}

// contentType is what is known without being told.
func (k Kind) contentType() string {
	switch k {
	case KindText:
		return "text/plain"
	case KindHTML:
		return "text/html"
	case KindRTF:
		return "application/rtf"
	case KindMessage:
		return "application/ms-tnef"
	}
	return "application/octet-stream"
}

// Object is an attachment or a body. Of attachments, Name, ContentType, ContentID and Hidden are
// final once Read gave io.EOF: TNEF has them after the octets.
type Object struct {
	Kind        Kind
	Name        string // of an attachment: the long name if there is one, otherwise the title; of a message, its subject
	ContentType string // the MIME type that the stream names, or the one that goes with Kind
	Charset     string // of text and HTML: its label; empty if the stream names none
	ContentID   string // without angle brackets
	Hidden      bool   // not meant for the list of attachments: an image in the HTML

	r    *Reader
	live bool   // the octets are those of r.value
	held []byte // octets to deliver from memory
	unit int    // of text: octets of a character, the last of which may be a NUL
	rank int    // how good Name is
	done bool

	display string // of an embedded message: its subject
}

// Read delivers the object's octets. Errors other than io.EOF are the transport's.
func (o *Object) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	if n := o.read(b); n > 0 {
		return n, nil
	}
	o.finish()
	if o.live && o.r.err != nil {
		return 0, o.r.err
	}
	return 0, io.EOF
}

func (o *Object) read(b []byte) int {
	if n := copy(b, o.held); n > 0 || o.done || !o.live {
		o.held = o.held[n:]
		return n
	}
	if left := o.r.value.left; o.unit > 0 && left <= int64(o.unit) {
		return o.last(b, o.r.take(o.r.scratch[:left]))
	} else if left-int64(o.unit) < int64(len(b)) {
		b = b[:left-int64(o.unit)]
	}
	return o.r.some(b)
}

// last delivers the last character of a text, unless it is the NUL that MAPI ends strings with.
func (o *Object) last(b []byte, n int) int {
	end := o.r.scratch[:n]
	for _, c := range end {
		if c != 0 {
			o.held = append(o.held, end...)
			n = copy(b, o.held)
			o.held = o.held[n:]
			return n
		}
	}
	return 0
}

// finish reads what follows the octets of an attachment: all that the stream says of it.
func (o *Object) finish() {
	if o.done {
		return
	}
	o.done, o.held = true, nil
	if r := o.r; o.live && o == r.group {
		for r.err == nil && !r.atBoundary() {
			r.step()
		}
	}
	if o.Kind == KindMessage && o.display != "" && o.rank < rankLong {
		o.Name = o.display // the title is "Untitled Attachment", in the sender's language
	}
}
