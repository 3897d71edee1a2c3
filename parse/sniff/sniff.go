package sniff

import (
	"bytes"
	"strings"

	"github.com/gabriel-vasile/mimetype"
)

// Size is how many octets Detect looks at. It is the limit of the library too, which knows by it that
// a file was cut and forgives JSON that has no end; a shorter head of a longer file would be no JSON.
const Size = 4096

// Detect returns the media type, lower case and without parameters, of a file that begins with head:
// the whole file if it is shorter than Size. An unknown file is application/octet-stream, or
// text/plain if it is text; an empty one has no type and gives "".
func Detect(head []byte) string {
	head = head[:min(len(head), Size)]
	if len(head) == 0 {
		return ""
	}
	for _, detect := range [...]func([]byte) string{magic, pkcs7, begins, message, container, office} {
		if t := detect(head); t != "" {
			return t
		}
	}
	t, _, _ := strings.Cut(mimetype.Detect(head).String(), ";")
	switch t {
	case "message/rfc822", "application/pkcs7-signature":
		t = "text/plain" // ours are stricter; of PKCS #7 only its armor is left
	case "application/x-ole-storage":
		t = ole(head)
	}
	return strings.ToLower(t)
}

// magic recognises what mail has and files seldom: winmail.dat ([MS-OXTNEF] section 2.1.3.1), what a Mac
// keeps beside a file (RFC 1740 appendix A), and XML in UTF-16 (XML 1.0 appendix F).
func magic(head []byte) string {
	for _, m := range [...]struct{ begin, is string }{
		{"\x78\x9f\x3e\x22", "application/ms-tnef"},
		{"\x00\x05\x16\x00\x00", "application/applefile"},
		{"\x00\x05\x16\x07\x00", "application/applefile"},
		{"\xff\xfe<\x00?\x00x\x00m\x00l\x00", "text/xml"},
		{"\xfe\xff\x00<\x00?\x00x\x00m\x00l", "text/xml"},
	} {
		if bytes.HasPrefix(head, []byte(m.begin)) {
			return m.is
		}
	}
	return ""
}

// pkcs7 recognises the objects of S/MIME (RFC 5652, RFC 8551 section 3.2): DER or BER that begins with
// one of their types. Signed data without content is a detached signature if there is a digest in it.
func pkcs7(head []byte) string {
	const root = "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07"
	const smime = "\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01"
	if len(head) < 2 || head[0] != 0x30 {
		return ""
	}
	skip := 2
	if n := int(head[1]); n > 0x80 {
		skip += n - 0x80
	}
	b := head[min(skip, len(head)):]
	kind, ok := bytes.CutPrefix(b, []byte(root))
	if !ok {
		if kind, ok = bytes.CutPrefix(b, []byte(smime)); ok && len(kind) > 0 && (kind[0] == 9 || kind[0] == 23) {
			return "application/pkcs7-mime" // compressed, authenticated-enveloped
		}
		return ""
	}
	switch {
	case len(kind) == 0 || kind[0] < 2 || kind[0] > 6:
		return ""
	case kind[0] == 2 && detached(kind[1:]):
		return "application/pkcs7-signature"
	}
	return "application/pkcs7-mime"
}

// detached reports whether signed data has a digest but no content: its EncapsulatedContentInfo is
// over after the type (RFC 5652 section 5.2).
func detached(b []byte) bool {
	const data = "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01"
	before, after, ok := bytes.Cut(b, []byte(data))
	if !ok || bytes.HasSuffix(before, []byte("\x31\x00\x30\x0b")) || bytes.HasSuffix(before, []byte("\x31\x00\x30\x80")) {
		return false
	}
	return bytes.HasSuffix(before, []byte("\x30\x0b")) || bytes.HasSuffix(before, []byte("\x30\x80")) && bytes.HasPrefix(after, []byte("\x00\x00"))
}

// begins recognises what its first line names.
func begins(head []byte) string {
	head = bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n")
	line := head
	if i := bytes.IndexAny(head, "\r\n"); i >= 0 {
		line = head[:i]
	}
	if len(line) > 80 {
		return ""
	}
	switch strings.ToUpper(strings.TrimRight(string(line), " \t")) {
	case "BEGIN:VCALENDAR":
		return "text/calendar"
	case "BEGIN:VCARD":
		return "text/vcard"
	case "-----BEGIN PGP MESSAGE-----":
		return "application/pgp-encrypted"
	case "-----BEGIN PGP SIGNATURE-----":
		return "application/pgp-signature"
	case "-----BEGIN PGP PUBLIC KEY BLOCK-----", "-----BEGIN PGP PRIVATE KEY BLOCK-----":
		return "application/pgp-keys"
	case "-----BEGIN PKCS7-----", "-----BEGIN CMS-----":
		return "application/pkcs7-mime"
	}
	return ""
}
