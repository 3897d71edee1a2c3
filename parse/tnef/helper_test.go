package tnef

import (
	"bytes"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
)

// got is an object that was read to its end.
type got struct {
	Object
	octets string
}

// readAll reads a stream, and a transport's error if there is one.
func readAll(r *Reader) (all []got, err error) {
	for {
		o, err := r.Next()
		if err != nil {
			return all, err
		}
		b, err := io.ReadAll(o)
		all = append(all, got{*o, string(b)})
		if err != nil {
			return all, err
		}
	}
}

func mustRead(t *testing.T, tnef []byte, opt Options) ([]got, *Reader) {
	t.Helper()
	r := NewReader(bytes.NewReader(tnef), opt)
	all, err := readAll(r)
	if err != io.EOF {
		t.Fatalf("the error is %v", err)
	}
	return all, r
}

// dump tells all that was read in a form for comparison.
func dump(all []got, r *Reader) string {
	var b strings.Builder
	for _, g := range all {
		fmt.Fprintf(&b, "%s %q %s %q %q %v %q\n", g.Kind, g.Name, g.ContentType, g.Charset, g.ContentID, g.Hidden, g.octets)
	}
	m := r.Message()
	fmt.Fprintf(&b, "{Class:%s Subject:%s MessageID:%s}\n", m.Class, m.Subject, m.MessageID)
	if m.Class, m.Subject, m.MessageID = "", "", ""; !reflect.DeepEqual(m, Message{}) {
		fmt.Fprintln(&b, m)
	}
	fmt.Fprintf(&b, "%v\n", r.Flaws())
	return b.String()
}

func check(t *testing.T, tnef []byte, want string) {
	t.Helper()
	all, r := mustRead(t, tnef, Options{})
	if s := dump(all, r); s != strings.TrimPrefix(want, "\n") {
		t.Errorf("got\n%swant%s", s, want)
	}
	one := NewReader(iotest.OneByteReader(bytes.NewReader(tnef)), Options{})
	all, _ = readAll(one)
	if s := dump(all, one); s != strings.TrimPrefix(want, "\n") {
		t.Errorf("octet by octet, got\n%s", s)
	}
}

// file is the properties of an attachment with a long name.
func file(name, typ string) *props {
	p := new(props)
	p.variable(typeUnicode, prAttachLongFilename, wide(name))
	return p.variable(typeString8, prAttachMIMETag, str8(typ))
}

// zoo has a text, HTML in RTF, and all kinds of attachments.
func zoo() []byte {
	const rtf = `{\rtf1\ansi\ansicpg1252\fromhtml1 \deff0{\fonttbl{\f0\fswiss Arial;}}{\*\htmltag64 <p>}Hello \htmlrtf{\b \htmlrtf0 you\htmlrtf}\htmlrtf0{\*\htmltag72 </p>}}`
	p := new(props).every()
	p.variable(typeUnicode, prSubject, wide("Angebot Ω"))
	p.variable(typeString8, prInternetMessageID, str8("<1@example.org>"))
	p.variable(typeString8, prBody, str8("Hello you"))
	p.variable(typeBinary, prRTFCompressed, compress(rtf)).every()

	inner := newStream().message(1252, new(props)).attachment("in.txt", []byte("inner"), nil).Bytes()
	picture := file("Bild Ω.png", "image/png").every()
	picture.variable(typeString8, prAttachContentID, str8("<p1@x>")).fixed(0x000b, prAttachmentHidden, le16(1)).every()
	nested := new(props).variable(typeUnicode, prDisplayName, wide("The inner one"))
	nested.variable(typeObject, prAttachData, append([]byte(iidMessage), inner...)).fixed(3, 0x3705, le32(5))
	ole := new(props).variable(typeObject, prAttachData, []byte("\x0b\x00\x00\x00\x00\x00\x00\x00\xc0\x00\x00\x00\x00\x00\x00\x46OLE storage"))
	bin := file("by property.bin", "").variable(typeBinary, prAttachData, []byte("property"))

	s := newStream().attr(levelMessage, 0x00018004, str8("Angebot ?")).message(1252, p) // attSubject
	s.attachment("BILD_~1.PNG", bytes.Repeat([]byte("png"), 1500), picture)
	s.attachment("Untitled Attachment", []byte("This is for those without MAPI."), nested)
	s.attachment("object", nil, ole)
	s.attachment("by.bin", nil, bin)
	return s.attachment("empty.txt", []byte{}, nil).Bytes()
}
