package tnef

import (
	"strings"
	"unicode/utf16"
)

// How good the names of an attachment are. Title and short name may be cut to 8.3 characters of one
// code page.
const (
	rankDisplay = iota + 1
	rankTransport
	rankShort
	rankTitle
	rankLong
)

// name names the attachment if it has no better name.
func (r *Reader) name(s string, rank int) {
	if s != "" && rank > r.group.rank {
		r.group.Name, r.group.rank = s, rank
	}
}

// set takes a string for one that is not known yet, or known from an 8-bit one only.
func (r *Reader) set(to *string, s string, unicode bool) {
	if s != "" && (*to == "" || unicode) {
		*to = s
	}
}

func (r *Reader) setProperty(to *string) {
	r.set(to, r.stringProperty(), r.list.typ == typeUnicode)
}

// stringProperty reads a string property.
func (r *Reader) stringProperty() string {
	switch r.list.typ {
	case typeString8:
		return r.octetString()
	case typeUnicode:
		return wideString(r.hold())
	}
	return ""
}

// hold reads a value into memory, as much of it as is allowed.
func (r *Reader) hold() []byte {
	if r.value.left > int64(r.opt.Value) {
		r.flaw(FlawLimit, "a string longer than allowed was cut")
	}
	b := make([]byte, min(r.value.left, int64(r.opt.Value)))
	return b[:r.take(b)]
}

// octetString reads a string of the message's code page; it ends at a NUL.
func (r *Reader) octetString() string { return r.octets8(r.hold()) }

// octets8 decodes such a string.
func (r *Reader) octets8(b []byte) string {
	s, _, _ := strings.Cut(string(b), "\x00")
	return r.text(r.codepage, []byte(s))
}

// wideString decodes UTF-16, little-endian, up to a NUL.
func wideString(b []byte) string {
	units := make([]uint16, 0, len(b)/2)
	for ; len(b) > 1 && (b[0] != 0 || b[1] != 0); b = b[2:] {
		units = append(units, uint16(b[0])|uint16(b[1])<<8)
	}
	return string(utf16.Decode(units))
}

// modernClass translates the message classes of Microsoft Mail ([MS-OXTNEF] 2.1.3.3.5).
func modernClass(s string) string {
	switch s {
	case "IPM.Microsoft Mail.Note":
		return "IPM.Note"
	case "IPM.Microsoft Mail.Read Receipt":
		return "REPORT.IPM.Note.IPNRN"
	case "IPM.Microsoft Mail.Non-Delivery":
		return "REPORT.IPM.Note.NDR"
	case "IPM.Microsoft Schedule.MtgReq":
		return "IPM.Schedule.Meeting.Request"
	case "IPM.Microsoft Schedule.MtgRespP":
		return "IPM.Schedule.Meeting.Resp.Pos"
	case "IPM.Microsoft Schedule.MtgRespN":
		return "IPM.Schedule.Meeting.Resp.Neg"
	case "IPM.Microsoft Schedule.MtgRespA":
		return "IPM.Schedule.Meeting.Resp.Tent"
	case "IPM.Microsoft Schedule.MtgCncl":
		return "IPM.Schedule.Meeting.Canceled"
	}
	return s
}

// maxPlaceholder is how long an attAttachData may be to be held in case a property has better octets.
const maxPlaceholder = 4 << 10

// attachData gives attAttachData. It may be no more than a sentence for readers without MAPI, saying
// that this is an embedded message, which then is in PR_ATTACH_DATA_OBJ: a short one waits for that.
func (r *Reader) attachData() {
	if r.value.left > maxPlaceholder {
		r.giveData(KindAttachment)
		return
	}
	b := make([]byte, r.value.left)
	r.group.held = b[:r.take(b)]
}

// giveData gives the octets of the attachment, unless it was given already: writers may have them
// both as an attribute and as a property.
func (r *Reader) giveData(kind Kind) {
	if r.found || r.value.left == 0 || r.err != nil {
		return
	}
	r.found = true
	o := r.group
	o.live, o.held = true, nil
	if o.Kind = kind; kind == KindMessage {
		o.ContentType = kind.contentType()
	}
	r.give(o)
}

// bodyProperty gives PR_BODY or PR_HTML.
func (r *Reader) bodyProperty(kind Kind) {
	switch r.list.typ {
	case typeUnicode:
		r.giveBody(kind, "utf-16le", 2)
	case typeString8:
		r.giveBody(kind, codepageLabel(r.codepage), 1)
	case typeBinary:
		r.giveBody(kind, codepageLabel(r.cpid), 1)
	}
}

// giveBody gives a body that is the first of its kind and more than a NUL.
func (r *Reader) giveBody(kind Kind, charset string, unit int) {
	has := &r.hasText
	if kind == KindHTML {
		has = &r.hasHTML
	}
	if *has || r.value.left <= int64(unit) {
		return
	}
	*has = true
	r.give(&Object{Kind: kind, ContentType: kind.contentType(), Charset: charset, r: r, live: true, unit: unit})
}

// holdRTF keeps the compressed RTF body, as much of it as is allowed.
func (r *Reader) holdRTF() {
	if r.list.typ != typeBinary || r.rtf != nil || r.hasHTML {
		return
	}
	if r.value.left > r.opt.Body {
		r.flaw(FlawLimit, "an RTF body longer than allowed was cut")
	}
	for int64(len(r.rtf)) < r.opt.Body {
		n := r.some(r.scratch[:min(int64(len(r.scratch)), r.opt.Body-int64(len(r.rtf)))])
		if n == 0 {
			break
		}
		r.rtf = append(r.rtf, r.scratch[:n]...)
	}
}

// giveRTF gives what the RTF body adds to the bodies that there were.
func (r *Reader) giveRTF() {
	packed := r.rtf
	if r.rtf = nil; packed == nil || r.hasHTML {
		return
	}
	rtf := r.decompress(packed)
	kind, inner := r.deencapsulate(rtf)
	switch kind {
	case KindHTML:
		r.giveHeld(kind, inner, &r.hasHTML)
	case KindText:
		r.giveHeld(kind, inner, &r.hasText)
	default:
		r.giveHeld(KindText, inner, &r.hasText)
		r.giveHeld(KindRTF, rtf, new(bool))
	}
}

// giveHeld gives a body from memory if there is none of its kind.
func (r *Reader) giveHeld(kind Kind, octets []byte, has *bool) {
	if *has || len(octets) == 0 {
		return
	}
	*has = true
	o := &Object{Kind: kind, ContentType: kind.contentType(), r: r, held: octets}
	if kind != KindRTF {
		o.Charset = "utf-8"
	}
	r.give(o)
}
