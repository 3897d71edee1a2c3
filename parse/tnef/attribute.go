package tnef

import (
	"encoding/binary"
	"fmt"
	"io"
)

// signature begins every stream, little-endian; a key of 16 bits follows ([MS-OXTNEF] 2.1.2).
const signature = "\x78\x9f\x3e\x22"

// Levels and attributes ([MS-OXTNEF] 2.1.3). The upper half of an attribute's id is its data type,
// which readers do not need.
const (
	levelMessage    = 1
	levelAttachment = 2

	attFrom                    = 0x8000
	attSubject                 = 0x8004
	attMessageClass            = 0x8008
	attBody                    = 0x800c
	attAttachData              = 0x800f
	attAttachTitle             = 0x8010
	attAttachTransportFilename = 0x9001
	attAttachRenddata          = 0x9002
	attMsgProps                = 0x9003
	attRecipTable              = 0x9004
	attAttachment              = 0x9005
	attOemCodepage             = 0x9007
)

// attribute is the one that is being read.
type attribute struct {
	level byte
	id    uint16
	fresh bool   // its header was read, and nothing was done about it
	open  bool   // its data or checksum is still to be read
	left  int64  // octets of data
	sum   uint16 // of the data so far
}

// span counts the octets of a value that are still to be read, and of its padding.
type span struct{ left, pad int64 }

// step reads on: the rest of a value, or a property, or the begin or the end of an attribute.
func (r *Reader) step() {
	switch {
	case !r.begun:
		r.begin()
	case r.attr.fresh:
		r.dispatch()
	case r.value.left > 0 || r.value.pad > 0:
		r.skip()
	case r.list.values > 0:
		r.nextValue()
	case r.list.props > 0:
		r.nextProperty()
	case r.list.rows > 0:
		r.nextRow()
	case r.attr.open:
		r.closeAttribute()
	default:
		r.nextAttribute()
	}
}

// octets reads at most len(b) octets of the stream, at least one unless r.err says why not.
func (r *Reader) octets(b []byte) int {
	if r.err != nil {
		return 0
	}
	// Below the window's size bufio never returns octets together with an error.
	n, err := r.src.Read(b[:min(len(b), window-1)])
	if err == io.EOF {
		r.end()
		if !r.between {
			r.flaw(FlawTruncated, "the stream ends inside of an attribute")
		}
	} else if err != nil {
		r.err = err
	}
	return n
}

// raw reads b outside of an attribute's data.
func (r *Reader) raw(b []byte) bool {
	for n := 0; n < len(b); {
		m := r.octets(b[n:])
		if m == 0 {
			return false
		}
		n += m
	}
	return true
}

// some reads at most len(b) octets of the value.
func (r *Reader) some(b []byte) int {
	if int64(len(b)) > r.value.left {
		b = b[:r.value.left]
	}
	if len(b) == 0 {
		return 0
	}
	n := r.octets(b)
	for _, c := range b[:n] {
		r.attr.sum += uint16(c)
	}
	r.value.left -= int64(n)
	r.attr.left -= int64(n)
	return n
}

// take fills b from the value as far as that goes.
func (r *Reader) take(b []byte) (n int) {
	for n < len(b) {
		m := r.some(b[n:])
		if m == 0 {
			break
		}
		n += m
	}
	return n
}

// skip reads the rest of the value and its padding.
func (r *Reader) skip() {
	r.value.left += r.value.pad
	r.value.pad = 0
	for r.some(r.scratch[:]) > 0 {
	}
}

// begin reads the signature.
func (r *Reader) begin() {
	r.begun = true
	head := r.scratch[:len(signature)+2]
	if r.raw(head) && string(head[:len(signature)]) != signature {
		r.flaw(FlawInvalid, "no TNEF signature")
		r.end()
	}
}

// nextAttribute reads the header of an attribute.
func (r *Reader) nextAttribute() {
	head := r.scratch[:9]
	r.between = true
	ok := r.raw(head[:1])
	r.between = false
	if !ok {
		return
	}
	if head[0] != levelMessage && head[0] != levelAttachment {
		r.flaw(FlawInvalid, fmt.Sprintf("%#02x where an attribute should begin", head[0]))
		r.end()
		return
	}
	if !r.raw(head[1:]) {
		return
	}
	r.attr = attribute{
		level: head[0],
		id:    binary.LittleEndian.Uint16(head[1:]),
		fresh: true,
		open:  true,
		left:  int64(binary.LittleEndian.Uint32(head[5:])),
	}
}

// closeAttribute reads an attribute's end.
func (r *Reader) closeAttribute() {
	r.value = span{left: r.attr.left}
	r.skip()
	sum := r.scratch[:2]
	if r.err != nil || !r.raw(sum) {
		return
	}
	r.attr.open = false
	if binary.LittleEndian.Uint16(sum) != r.attr.sum {
		r.flaw(FlawChecksum, fmt.Sprintf("checksum of attribute %#04x", r.attr.id))
	}
}

// atBoundary tells whether the attribute that comes next no longer belongs to the attachment.
func (r *Reader) atBoundary() bool {
	return r.attr.fresh && (r.attr.level == levelMessage || r.startsAttachment())
}

// startsAttachment tells whether an attribute begins a new attachment. attAttachRenddata does;
// where a writer left it out, so does what an attachment has only once.
func (r *Reader) startsAttachment() bool {
	return r.attr.level == levelAttachment && (r.group == nil || r.attr.id == attAttachRenddata || r.seen&once(r.attr.id) != 0)
}

func once(id uint16) uint8 {
	switch id {
	case attAttachTitle:
		return 1
	case attAttachData:
		return 2
	case attAttachment:
		return 4
	}
	return 0
}

// dispatch begins with the data of an attribute.
func (r *Reader) dispatch() {
	if r.atBoundary() && r.settle() || r.err != nil {
		return // first what was before it; it stays fresh
	}
	if r.startsAttachment() {
		r.group, r.found, r.seen = &Object{r: r, ContentType: KindAttachment.contentType()}, false, 0
	}
	r.attr.fresh = false
	r.value = span{left: r.attr.left}
	if r.attr.level == levelMessage {
		r.messageAttribute()
	} else {
		r.seen |= once(r.attr.id)
		r.attachmentAttribute()
	}
}

func (r *Reader) messageAttribute() {
	switch r.attr.id {
	case attOemCodepage:
		r.codepage = r.integer() // the primary one
	case attMessageClass:
		r.set(&r.msg.Class, modernClass(r.octetString()), false)
	case attSubject:
		r.set(&r.msg.Subject, r.octetString(), false)
	case attFrom:
		r.from()
	case attRecipTable:
		r.list = propertyList{}
		r.list.rows, _ = r.number(4)
	case attBody:
		r.giveBody(KindText, codepageLabel(r.codepage), 1)
	case attMsgProps:
		r.beginProperties()
	}
}

func (r *Reader) attachmentAttribute() {
	switch r.attr.id {
	case attAttachTitle:
		r.name(r.octetString(), rankTitle)
	case attAttachTransportFilename:
		r.name(r.octetString(), rankTransport)
	case attAttachData:
		r.attachData()
	case attAttachment:
		r.beginProperties()
	}
}
