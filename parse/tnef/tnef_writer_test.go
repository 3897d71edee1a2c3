package tnef

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"strings"
	"unicode/utf16"
)

// stream writes TNEF as Outlook does.
type stream struct{ bytes.Buffer }

func newStream() *stream {
	s := new(stream)
	s.WriteString(signature + "\x0f\x01")
	s.attr(levelMessage, 0x00089006, le32(0x00010000)) // attTnefVersion
	return s
}

func (s *stream) attr(level byte, id uint32, data []byte) *stream {
	s.WriteByte(level)
	s.Write(le32(id))
	s.Write(le32(uint32(len(data))))
	s.Write(data)
	var sum uint16
	for _, c := range data {
		sum += uint16(c)
	}
	s.Write(le16(sum))
	return s
}

// message writes the attributes that a message begins with.
func (s *stream) message(codepage uint32, props *props) *stream {
	s.attr(levelMessage, 0x00069007, append(le32(codepage), le32(0)...)) // attOemCodepage
	s.attr(levelMessage, 0x00078008, str8("IPM.Microsoft Mail.Note"))    // attMessageClass
	s.attr(levelMessage, 0x0004800d, le16(2))                            // attPriority
	return s.attr(levelMessage, 0x00069003, props.bytes())               // attMsgProps
}

// attachment writes an attachment in Outlook's order; data or props may be nil.
func (s *stream) attachment(title string, data []byte, props *props) *stream {
	s.attr(levelAttachment, 0x00069002, make([]byte, 14)) // attAttachRenddata
	s.attr(levelAttachment, 0x00018010, str8(title))      // attAttachTitle
	s.attr(levelAttachment, 0x00038013, make([]byte, 14)) // attAttachModifyDate
	if data != nil {
		s.attr(levelAttachment, 0x0006800f, data) // attAttachData
	}
	s.attr(levelAttachment, 0x00068011, []byte("a metafile")) // attAttachMetaFile
	if props != nil {
		s.attr(levelAttachment, 0x00069005, props.bytes()) // attAttachment
	}
	return s
}

// props writes a list of MAPI properties.
type props struct {
	buf bytes.Buffer
	n   uint32
}

func (p *props) bytes() []byte { return append(le32(p.n), p.buf.Bytes()...) }

// fixed adds a property of a fixed size, or several values of it.
func (p *props) fixed(typ, id uint16, values ...[]byte) *props {
	p.tag(typ, id)
	if typ&multiValued != 0 {
		p.buf.Write(le32(uint32(len(values))))
	}
	for _, v := range values {
		p.pad(v)
	}
	return p
}

// variable adds a property whose values have their own sizes.
func (p *props) variable(typ, id uint16, values ...[]byte) *props {
	p.tag(typ, id)
	p.buf.Write(le32(uint32(len(values))))
	for _, v := range values {
		p.buf.Write(le32(uint32(len(v))))
		p.pad(v)
	}
	return p
}

func (p *props) tag(typ, id uint16) {
	p.n++
	p.buf.Write(le16(typ))
	p.buf.Write(le16(id))
	switch {
	case id < firstNamed:
	case id%2 == 0:
		p.buf.WriteString("0123456789abcdef" + "\x00\x00\x00\x00\x10\x85\x00\x00")
	default:
		name := wide("Keywords")
		p.buf.WriteString("0123456789abcdef" + "\x01\x00\x00\x00")
		p.buf.Write(le32(uint32(len(name))))
		p.pad(name)
	}
}

func (p *props) pad(v []byte) {
	p.buf.Write(v)
	p.buf.Write(make([]byte, -len(v)&3))
}

// every adds properties of all types, named ones and such of several values, that nobody asks for.
func (p *props) every() *props {
	p.fixed(0x0000, 0x6600).fixed(0x0001, 0x6601).fixed(0x0002, 0x6602, le16(1)).fixed(0x0003, 0x6603, le32(1))
	p.fixed(0x0004, 0x6604, make([]byte, 4)).fixed(0x000a, 0x6605, make([]byte, 4)).fixed(0x000b, 0x6606, le16(1))
	for i, typ := range []uint16{0x05, 0x06, 0x07, 0x14, 0x40} {
		p.fixed(typ, 0x6607+uint16(i), make([]byte, 8))
		p.fixed(typ|multiValued, 0x8100+uint16(i), make([]byte, 8), make([]byte, 8))
	}
	p.fixed(0x0048, 0x6610, make([]byte, 16)).fixed(0x1048, 0x6611, make([]byte, 16), make([]byte, 16))
	p.fixed(0x1002, 0x6612, le16(1), le16(2), le16(3)).fixed(0x1003, 0x6613, le32(1), le32(2)).fixed(0x1003, 0x6614)
	p.variable(typeString8, 0x8001, str8("1")).variable(typeUnicode, 0x8002, wide("23"))
	p.variable(typeBinary, 0x8003, []byte("45678")).variable(typeObject, 0x8004, []byte(iidMessage+"9"))
	p.variable(typeString8|multiValued, 0x8005, str8("a"), str8("bc"), str8("def"))
	p.variable(typeUnicode|multiValued, 0x8006, wide("a"), wide("bc"))
	return p.variable(typeBinary|multiValued, prRTFCompressed, nil, []byte("b"), []byte("cd"), []byte("efg"))
}

func le16(v uint16) []byte { return binary.LittleEndian.AppendUint16(nil, v) }

func le32(v uint32) []byte { return binary.LittleEndian.AppendUint32(nil, v) }

func str8(s string) []byte { return append([]byte(s), 0) }

func wide(s string) (b []byte) {
	for _, u := range utf16.Encode([]rune(s + "\x00")) {
		b = append(b, le16(u)...)
	}
	return b
}

// compress writes compressed RTF.
func compress(rtf string) []byte {
	window := lzfuBegin + rtf // the octets of the dictionary, before they go round
	var body []byte
	at := len(lzfuBegin)
	for done := false; !done; {
		control, items := byte(0), []byte(nil)
		for bit := 0; bit < 8 && !done; bit++ {
			n, from := 0, 0
			for m := min(17, len(window)-at); m >= 2 && n == 0; m-- {
				begin := max(0, at-lzfuSize+1)
				if i := strings.LastIndex(window[begin:at+m-1], window[at:at+m]); i >= 0 {
					n, from = m, begin+i
				}
			}
			switch {
			case at == len(window):
				done, control = true, control|1<<bit
				items = append(items, byte(at%lzfuSize>>4), byte(at%lzfuSize<<4))
			case n > 0:
				control |= 1 << bit
				items = append(items, byte(from%lzfuSize>>4), byte(from%lzfuSize<<4|(n-2)))
				at += n
			default:
				items = append(items, window[at])
				at++
			}
		}
		body = append(append(body, control), items...)
	}
	return rtfBody(lzfuCompressed, ^crc32.Update(^uint32(0), crc32.IEEETable, body), len(rtf), body)
}

func rtfBody(kind string, sum uint32, size int, body []byte) []byte {
	b := append(le32(uint32(len(body)+12)), le32(uint32(size))...)
	b = append(append(b, kind...), le32(sum)...)
	return append(b, body...)
}
