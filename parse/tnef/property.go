package tnef

import (
	"encoding/binary"
	"fmt"
	"strings"
)

// Property types ([MS-OXCDATA] 2.11.1).
const (
	typeNull    = 0x0001
	typeTime    = 0x0040
	typeObject  = 0x000d
	typeString8 = 0x001e
	typeUnicode = 0x001f
	typeBinary  = 0x0102
	multiValued = 0x1000
)

// Properties, named as MAPI does ([MS-OXPROPS]).
const (
	prMessageClass          = 0x001a
	prSubject               = 0x0037
	prClientSubmitTime      = 0x0039
	prRepresentingName      = 0x0042
	prRepresentingAddrtype  = 0x0064
	prRepresentingAddress   = 0x0065
	prRecipientType         = 0x0c15
	prSenderName            = 0x0c1a
	prSenderAddrtype        = 0x0c1e
	prSenderAddress         = 0x0c1f
	prBody                  = 0x1000
	prRTFCompressed         = 0x1009
	prHTML                  = 0x1013
	prInternetMessageID     = 0x1035
	prDisplayName           = 0x3001
	prAddrtype              = 0x3002
	prEmailAddress          = 0x3003
	prAttachData            = 0x3701
	prAttachFilename        = 0x3704
	prAttachLongFilename    = 0x3707
	prAttachTransportName   = 0x370c
	prAttachMIMETag         = 0x370e
	prAttachContentID       = 0x3712
	prAttachFlags           = 0x3714
	prSMTPAddress           = 0x39fe
	prInternetCPID          = 0x3fde
	prMessageCodepage       = 0x3ffd
	prSenderSMTP            = 0x5d01
	prRepresentingSMTP      = 0x5d02
	prAttachmentHidden      = 0x7ffe
	firstNamed              = 0x8000
	attMHTMLRef             = 4 // PR_ATTACH_FLAGS: the HTML shows it
	iidMessage              = "\x07\x03\x02\x00\x00\x00\x00\x00\xc0\x00\x00\x00\x00\x00\x00\x46"
	namedByID, namedByValue = 0, 1
)

// propertyList is the place in a list of MAPI properties ([MS-OXTNEF] 2.1.3.4).
type propertyList struct {
	rows   uint32 // still to be read, of a table
	props  uint32 // still to be read, of the row
	values uint32 // of the property that is being read
	id     uint16
	typ    uint16
}

// number reads a number of n octets at the place in the property list where no value is. ok is false
// if the attribute or the stream ends before, which ends the list.
func (r *Reader) number(n int) (v uint32, ok bool) {
	r.value = span{left: int64(n)}
	if !r.fits() {
		return 0, false
	}
	v = uint32(r.integer())
	return v, r.err == nil
}

// fits makes sure that the value does not go beyond its attribute: otherwise it is cut, and the last.
func (r *Reader) fits() bool {
	if r.value.left <= r.attr.left {
		r.value.pad = min(r.value.pad, r.attr.left-r.value.left) // the last one's may be missing
		return true
	}
	r.flaw(FlawInvalid, fmt.Sprintf("a property beyond the end of attribute %#04x", r.attr.id))
	r.value = span{left: r.attr.left}
	r.list = propertyList{id: r.list.id, typ: r.list.typ}
	return false
}

// integer reads a number of at most four octets.
func (r *Reader) integer() int {
	var b [4]byte
	r.take(b[:min(4, r.value.left)])
	return int(binary.LittleEndian.Uint32(b[:]))
}

func (r *Reader) beginProperties() {
	r.list = propertyList{}
	r.list.props, _ = r.number(4)
}

// nextProperty reads a property's tag and how many values it has.
func (r *Reader) nextProperty() {
	r.list.props--
	tag, ok := r.number(4)
	if !ok {
		return
	}
	r.list.typ, r.list.id = uint16(tag), uint16(tag>>16)
	if r.list.id >= firstNamed && !r.skipName() {
		return
	}
	size, known := fixedSize(r.list.typ)
	if !known {
		r.flaw(FlawInvalid, fmt.Sprintf("a property of unknown type %#04x", r.list.typ))
		r.list = propertyList{}
		return
	}
	count := uint32(1)
	if r.list.typ&multiValued != 0 || size < 0 {
		if count, ok = r.number(4); !ok {
			return
		}
	}
	if size != 0 { // values without octets must not cost time
		r.list.values = count
	}
}

// skipName skips the name of a named property: a GUID and a number or a string.
func (r *Reader) skipName() bool {
	r.value = span{left: 16}
	if !r.fits() {
		return false
	}
	r.skip()
	kind, ok := r.number(4)
	if !ok {
		return false
	}
	n, ok := r.number(4)
	if !ok || kind == namedByID {
		return ok
	}
	if kind != namedByValue {
		r.flaw(FlawInvalid, fmt.Sprintf("a property name of unknown kind %d", kind))
		r.list = propertyList{}
		return false
	}
	r.value = padded(n)
	if !r.fits() {
		return false
	}
	r.skip()
	return true
}

// padded is the span of n octets in a property list, where all begins at a multiple of four.
func padded(n uint32) span { return span{left: int64(n), pad: int64(-n & 3)} }

// fixedSize is how long values of a type are; negative: each says so itself.
func fixedSize(typ uint16) (size int, known bool) {
	switch typ &^ multiValued {
	case 0, typeNull:
		return 0, true
	case 0x02, 0x0b: // integer of 16 bits, boolean; padded
		return 2, true
	case 0x03, 0x04, 0x0a: // integer of 32 bits, float, error
		return 4, true
	case 0x05, 0x06, 0x07, 0x14, typeTime: // double, currency, application time, integer of 64 bits, time
		return 8, true
	case 0x48: // GUID
		return 16, true
	case typeObject, typeString8, typeUnicode, typeBinary, 0xfb, 0xfd, 0xfe:
		return -1, true
	}
	return 0, false
}

// nextValue begins with a value of the property.
func (r *Reader) nextValue() {
	r.list.values--
	size, _ := fixedSize(r.list.typ)
	n := uint32(max(size, 0))
	if size < 0 {
		var ok bool
		if n, ok = r.number(4); !ok {
			return
		}
	}
	r.value = padded(n)
	r.fits()
	switch {
	case r.list.id >= firstNamed || r.list.typ&multiValued != 0:
	case r.attr.id == attRecipTable:
		r.recipientProperty()
	case r.attr.level == levelMessage:
		r.messageProperty()
	default:
		r.attachmentProperty()
	}
}

func (r *Reader) messageProperty() {
	switch r.list.id {
	case prMessageClass:
		r.setProperty(&r.msg.Class)
	case prSubject:
		r.setProperty(&r.msg.Subject)
	case prInternetMessageID:
		r.setProperty(&r.msg.MessageID)
	case prInternetCPID:
		r.cpid = r.integer()
	case prMessageCodepage:
		if r.codepage == 0 {
			r.codepage = r.integer()
		}
	case prBody:
		r.bodyProperty(KindText)
	case prHTML:
		r.bodyProperty(KindHTML)
	case prRTFCompressed:
		r.holdRTF()
	case prClientSubmitTime:
		r.msg.Sent = r.time()
	default:
		r.authorProperty()
	}
}

func (r *Reader) attachmentProperty() {
	switch r.list.id {
	case prAttachLongFilename:
		r.name(r.stringProperty(), rankLong)
	case prAttachFilename:
		r.name(r.stringProperty(), rankShort)
	case prAttachTransportName:
		r.name(r.stringProperty(), rankTransport)
	case prDisplayName:
		r.group.display = r.stringProperty()
		r.name(r.group.display, rankDisplay)
	case prAttachMIMETag:
		if s := strings.TrimSpace(r.stringProperty()); s != "" && r.group.Kind == KindAttachment {
			r.group.ContentType = s
		}
	case prAttachContentID:
		r.group.ContentID = strings.Trim(r.stringProperty(), " <>")
	case prAttachFlags:
		r.group.Hidden = r.group.Hidden || r.integer()&attMHTMLRef != 0
	case prAttachmentHidden:
		r.group.Hidden = r.group.Hidden || r.integer() != 0
	case prAttachData:
		r.dataProperty()
	}
}

// dataProperty gives PR_ATTACH_DATA_BIN, or PR_ATTACH_DATA_OBJ without the interface id that comes
// first: an embedded message, or OLE storage.
func (r *Reader) dataProperty() {
	kind := KindAttachment
	if r.list.typ == typeObject {
		var iid [16]byte
		r.take(iid[:])
		next, _ := r.src.Peek(len(signature)) // an error comes again
		if r.value.left > 0 && (string(iid[:]) == iidMessage || string(next) == signature) {
			kind = KindMessage
		}
	}
	if r.list.typ == typeObject || len(r.group.held) == 0 {
		r.giveData(kind)
	}
}
