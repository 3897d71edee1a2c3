package sniff

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
)

const (
	oidSigned   = "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"
	oidData     = "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01"
	signedBegin = "\x30\x82\x03\x20" + oidSigned + "\xa0\x82\x03\x11\x30\x82\x03\x0d\x02\x01\x01"
	digests     = "\x31\x0d\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01"
)

// document is the head of an Office document with one content type; the rest lies behind Size.
func document(main string, method uint16, padding int) string {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	f, err := w.CreateHeader(&zip.FileHeader{Name: "[Content_Types].xml", Method: method, Extra: make([]byte, padding)})
	if err != nil {
		panic(err)
	}
	f.Write([]byte(`<?xml version="1.0"?><Types><Default Extension="xml" ContentType="application/xml"/>` +
		`<Override PartName="/x" ContentType="` + main + `+xml"/>` + strings.Repeat(`<Override PartName="/y"/>`, 50)))
	f, err = w.Create("customXml/item1.xml")
	if err != nil {
		panic(err)
	}
	for i := range 2000 {
		binary.Write(f, binary.LittleEndian, int64(i*i*7919))
	}
	w.Close()
	return b.String()
}

// stored is a zip file whose first entry is not compressed.
func stored(name, content string) string {
	local := "PK\x03\x04\x14\x00\x00\x00" + strings.Repeat("\x00", 10) + string(binary.LittleEndian.AppendUint32(nil, uint32(len(content)))) +
		string(binary.LittleEndian.AppendUint32(nil, uint32(len(content)))) + string([]byte{byte(len(name)), 0, 0, 0})
	return local + name + content + "PK\x03\x04\x14\x00\x00\x00" + strings.Repeat("\x00", 18) + "\x05\x00\x00\x00a.pdf"
}

// compound is the head of a compound file whose first sector begins so.
func compound(sector string) string {
	return "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + strings.Repeat("\x00", 504) + sector + strings.Repeat("\x00", 3000)
}

func TestHeads(t *testing.T) {
	const docx = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
	for _, c := range []struct{ name, head, want string }{
		{"empty", "", ""},
		{"one octet", "a", "text/plain"},
		{"text", "Dear all,\r\nthe valve is closed.\r\n", "text/plain"},
		{"Latin text", "caf\xe9 au lait\r\n", "text/plain"},
		{"nothing known", "\x01\x02\x03\x04", "application/octet-stream"},
		{"PDF", "%PDF-1.7\n", "application/pdf"},
		{"PNG", "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "image/png"},
		{"JPEG", "\xff\xd8\xff\xe0\x00\x10JFIF", "image/jpeg"},
		{"HTML", "<!DOCTYPE html><html><head>", "text/html"},
		{"XML", "<?xml version='1.0' encoding='iso-8859-1'?><a/>", "text/xml"},
		{"program", "MZ\x90\x00\x03", "application/vnd.microsoft.portable-executable"},
		{"JSON", `{"a": [1, 2]}`, "application/json"},
		{"JSON that is cut", "[" + strings.Repeat(`{"a": 1},`, 1000), "application/json"},

		{"TNEF", "\x78\x9f\x3e\x22\x15\x07", "application/ms-tnef"},
		{"TNEF the other way around", "\x22\x3e\x9f\x78\x15\x07", "application/octet-stream"},
		{"AppleDouble", "\x00\x05\x16\x07\x00\x02\x00\x00", "application/applefile"},
		{"AppleSingle", "\x00\x05\x16\x00\x00\x02\x00\x00", "application/applefile"},
		{"XML in UTF-16", "\xff\xfe<\x00?\x00x\x00m\x00l\x00 \x00", "text/xml"},
		{"XML in UTF-16 of big ends", "\xfe\xff\x00<\x00?\x00x\x00m\x00l\x00 ", "text/xml"},
		{"calendar", "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n", "text/calendar"},
		{"calendar in lower case after blank lines", "\xef\xbb\xbf\r\n \r\nbegin:vcalendar \nversion:2.0\n", "text/calendar"},
		{"calendar in a sentence", "BEGIN:VCALENDAR is how it begins\r\n", "text/plain"},
		{"card", "BEGIN:VCard\nVERSION:3.0\n", "text/vcard"},
		{"PGP message", "\r\n-----BEGIN PGP MESSAGE-----\r\n\r\nhQ", "application/pgp-encrypted"},
		{"PGP signature", "-----BEGIN PGP SIGNATURE-----\r\n", "application/pgp-signature"},
		{"PGP key", "-----BEGIN PGP PUBLIC KEY BLOCK-----\n", "application/pgp-keys"},
		{"text signed with PGP", "-----BEGIN PGP SIGNED MESSAGE-----\n", "text/plain"},

		{"opaque signed", signedBegin + digests + "\x30\x82\x01\x00" + oidData + "\xa0\x81\xf0\x04\x81\xed", "application/pkcs7-mime"},
		{"opaque signed in BER", "\x30\x80" + oidSigned + "\xa0\x80\x30\x80\x02\x01\x01" + digests + "\x30\x80" + oidData + "\xa0\x80\x24\x80", "application/pkcs7-mime"},
		{"detached signature", signedBegin + digests + "\x30\x0b" + oidData + "\xa0\x82", "application/pkcs7-signature"},
		{"detached signature in BER", "\x30\x80" + oidSigned + "\xa0\x80\x30\x80\x02\x01\x01" + digests + "\x30\x80" + oidData + "\x00\x00\xa0\x80", "application/pkcs7-signature"},
		{"certificates only", signedBegin + "\x31\x00\x30\x0b" + oidData + "\xa0\x82", "application/pkcs7-mime"},
		{"encrypted", "\x30\x82\x02\x00\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03", "application/pkcs7-mime"},
		{"compressed", "\x30\x80\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x09", "application/pkcs7-mime"},
		{"another sequence", "\x30\x82\x02\x00\x02\x01\x00\x01\x02\x03\x04\x05", "application/octet-stream"},

		{"mail", "Received: from a\r\n\tby b\r\nX-A: 1\r\nFrom: a@b\r\n\r\n\x00", "message/rfc822"},
		{"mail of an mbox", "From a@b Thu Jan  1 00:00:00 1970\nFrom: a@b\nDate: x\n\nhi\n", "message/rfc822"},
		{"mail with a long header", "FROM : a@b\r\ndate: x\r\nX-A: " + strings.Repeat("x", 5000), "message/rfc822"},
		{"names and values", "Host: a\r\nPort: 25\r\nUser: x\r\n\r\n", "text/plain"},
		{"one field of a mail", "Subject: a\r\nPort: 25\r\n\r\n", "text/plain"},
		{"the same field twice", "To: a\r\nTo: b\r\n\r\n", "text/plain"},
		{"a letter that quotes one", "From: a@b\r\nDate: x\r\nand so on\r\n\r\n", "text/plain"},
		{"header of a part", "Content-Type: text/plain\r\nContent-ID: <a@b>\r\n\r\nhi", "text/plain"},

		{"Word", document("application/vnd.openxmlformats-officedocument.wordprocessingml.document.main", zip.Deflate, 0), docx},
		{"Word, not compressed", document("application/vnd.openxmlformats-officedocument.wordprocessingml.document.main", zip.Store, 0), docx},
		{"Word, padded", document("application/vnd.openxmlformats-officedocument.wordprocessingml.document.main", zip.Deflate, 500), docx},
		{"Word with macros", document("application/vnd.ms-word.document.macroEnabled.main", zip.Deflate, 0), "application/vnd.ms-word.document.macroenabled.12"},
		{"Excel", document("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main", zip.Deflate, 0), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
		{"package of something else", document("application/vnd.example.main", zip.Deflate, 0), "application/zip"},
		{"list behind the head", document("application/vnd.ms-word.document.macroEnabled.main", zip.Deflate, 5000), "application/zip"},
		{"signed container", stored("mimetype", "application/vnd.etsi.asic-e+zip"), "application/vnd.etsi.asic-e+zip"},
		{"container of nothing", stored("mimetype", "application/"), "application/zip"},
		{"container that is none", stored("mimetype", "application/x; <b>"), "application/zip"},
		{"OpenDocument", stored("mimetype", "application/vnd.oasis.opendocument.spreadsheet"), "application/vnd.oasis.opendocument.spreadsheet"},
		{"zip", "PK\x03\x04\x14\x00\x00\x00\x08\x00", "application/zip"},
		{"old Word", compound("\xec\xa5\xc1\x00"), "application/msword"},
		{"old Excel", compound("\x09\x08\x10\x00\x00\x06\x05\x00"), "application/vnd.ms-excel"},
		{"compound file", compound(""), "application/x-ole-storage"},
	} {
		if got := Detect([]byte(c.head)); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// FuzzDetect: the result is a media type without parameters, and depends on the head only.
func FuzzDetect(f *testing.F) {
	for _, s := range []string{"\x78\x9f\x3e\x22", "begin:vcalendar", "From: a\nTo: b\n\n", signedBegin + digests, compound("\xec\xa5"),
		document("application/vnd.ms-word.document.macroEnabled.main", zip.Deflate, 0), "[[[[", "a,b\nc,d\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, head []byte) {
		before := bytes.Clone(head)
		got := Detect(head)
		if !bytes.Equal(before, head) {
			t.Error("the head was changed")
		}
		major, minor, ok := strings.Cut(got, "/")
		if len(head) > 0 != ok || ok && (major == "" || minor == "" || strings.ContainsAny(got, "; \t") || got != strings.ToLower(got)) {
			t.Errorf("%q", got)
		}
		if again := Detect(head[:min(len(head), Size)]); again != got {
			t.Errorf("%q, of the head alone %q", got, again)
		}
	})
}
