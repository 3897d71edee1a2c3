package tnef

import (
	"bytes"
	"encoding/base64"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the sample mails anew")

// winmail wraps a stream into a message as Exchange does; head is the header's own part.
func winmail(head, boundary, text string, tnef []byte) []byte {
	var b strings.Builder
	line := func(s ...string) { b.WriteString(strings.Join(s, "\r\n") + "\r\n") }
	line(strings.TrimSpace(head), "X-MS-Has-Attach: yes", "MIME-Version: 1.0",
		`Content-Type: multipart/mixed; boundary="`+boundary+`"`, "",
		"This message is in MIME format. Since your mail reader does not understand",
		"this format, some or all of this message may not be legible.", "",
		"--"+boundary, `Content-Type: text/plain; charset="iso-8859-1"`, "Content-Transfer-Encoding: quoted-printable", "", text, "",
		"--"+boundary, `Content-Type: application/ms-tnef; name="winmail.dat"`, "Content-Transfer-Encoding: base64",
		`Content-Disposition: attachment; filename="winmail.dat"`, "")
	for s := base64.StdEncoding.EncodeToString(tnef); s != ""; {
		n := min(76, len(s))
		line(s[:n])
		s = s[n:]
	}
	line("", "--"+boundary+"--")
	return []byte(strings.ReplaceAll(strings.ReplaceAll(b.String(), "\r\n", "\n"), "\n", "\r\n"))
}

// attachmentsTNEF is what Outlook makes of a short note and two files.
func attachmentsTNEF() []byte {
	p := new(props).fixed(0x000b, 0x0002, le16(1)).variable(typeUnicode, prSubject, wide("Fahrplan für März"))
	p.variable(typeString8, prInternetMessageID, str8("<tt-march@example.org>"))
	plan := "Linie;ab;an\r\n1;08:00;08:40\r\n2;08:15;09:05\r\n"
	table := file("Fahrplan März – Übersicht.csv", "text/csv").fixed(3, 0x3705, le32(1)).fixed(3, 0x370b, le32(0xffffffff))
	logo := file("logo.png", "image/png").variable(typeString8, prAttachContentID, str8("logo@example.org"))
	png, _ := base64.StdEncoding.DecodeString("iVBORw0KGgoAAAANSUhEUgAAABgAAAAYCAIAAABvFaqvAAAAH0lEQVR42mM4oaFBFcQwatCoQaMGjRo0atCoQQNvEAC1O3YffjdMuQAAAABJRU5ErkJggg==")
	return newStream().message(1252, p).attachment("FAHRPL~1.CSV", []byte(plan), table).attachment("logo.png", png, logo).Bytes()
}

// nestedTNEF is a forwarded message with an attachment, and HTML of which Outlook made RTF.
func nestedTNEF() []byte {
	p := new(props).variable(typeUnicode, prSubject, wide("FW: Pump test"))
	p.variable(typeBinary, prRTFCompressed, compress(`{\rtf1\ansi\ansicpg1252\fromhtml1 \deff0{\fonttbl`+"\r\n"+
		`{\f0\fswiss Arial;}{\f1\fmodern Courier New;}}`+"\r\n"+
		`{\colortbl\red0\green0\blue0;}`+"\r\n"+
		`\uc1\pard\plain\deftab360 \f0\fs24 {\*\htmltag19 <html>}{\*\htmltag50 <body>}`+"\r\n"+
		`{\*\htmltag64 <p>}\htmlrtf {\htmlrtf0 Please read the {\*\htmltag84 <b>}\htmlrtf {\b \htmlrtf0 protocol`+
		`\htmlrtf }\htmlrtf0 {\*\htmltag92 </b>} \endash  it is at 40\u8239?\'b0C.\htmlrtf\par}\htmlrtf0`+"\r\n"+
		`{\*\htmltag72 </p>}{\*\htmltag58 </body>}{\*\htmltag27 </html>}}`+"\r\n"))
	protocol := "14:00 pump on\r\n14:20 40 degrees\r\n14:40 pump off\r\n"
	inner := new(props).variable(typeUnicode, prSubject, wide("Pump test")).variable(typeUnicode, prBody, wide("The protocol is attached.\r\n"))
	inner.variable(typeString8, prInternetMessageID, str8("<pump-test@example.net>"))
	inner.fixed(typeTime, prClientSubmitTime, filetime(time.Date(2026, 3, 17, 13, 40, 0, 0, time.UTC)))
	inner.variable(typeUnicode, prRepresentingName, wide("Mateo Lindqvist")).variable(typeUnicode, prRepresentingAddrtype, wide("EX"))
	inner.variable(typeUnicode, prRepresentingAddress, wide("/o=Example/cn=mateo")).variable(typeUnicode, prRepresentingSMTP, wide("mateo@example.com"))
	message := newStream().message(1252, inner).attr(levelMessage, 0x00069004, table(
		recipient(1, "Lindqvist, Sara", "SMTP", "sara@example.com", ""), recipient(2, "Workshop", "EX", "/o=Example/cn=workshop", "")))
	message.attachment("PROTOC~1.TXT", []byte(protocol), file("protocol of the test.txt", "text/plain"))
	nested := new(props).variable(typeObject, prAttachData, append([]byte(iidMessage), message.Bytes()...))
	nested.variable(typeUnicode, prDisplayName, wide("Pump test")).fixed(3, 0x3705, le32(5))
	s := newStream().message(1252, p)
	return s.attachment("Untitled Attachment", []byte("This attachment is a MAPI 1.0 embedded message.\x00"), nested).Bytes()
}

// samples are the mails that the whole project reads in its tests.
func samples() map[string][]byte {
	return map[string][]byte{
		"winmail-attachments.eml": winmail(`
From: Anna Weber <anna@example.org>
To: Mateo Lindqvist <mateo@example.com>
Subject: =?iso-8859-1?Q?Fahrplan_f=FCr_M=E4rz?=
Date: Mon, 02 Mar 2026 08:05:00 +0100
Message-ID: <winmail-timetable@example.org>
`, "----_=_NextPart_000_01DCA9F2.6B0E2A10", "Anbei der Fahrplan f=FCr M=E4rz.", attachmentsTNEF()),
		"winmail-nested.eml": winmail(`
From: Sara Lindqvist <sara@example.com>
To: Priya Raman <priya@example.org>
Subject: FW: Pump test
Date: Tue, 17 Mar 2026 15:02:11 -0400
Message-ID: <winmail-fwd-pump@example.com>
`, "----_=_NextPart_000_01DCB64C.19F7C3D0", "Please read the protocol.", nestedTNEF()),
	}
}

func TestSampleMails(t *testing.T) {
	for name, mail := range samples() {
		path := filepath.Join("..", "..", "testdata", "mail", name)
		if *update {
			if err := os.WriteFile(path, mail, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if b, err := os.ReadFile(path); err != nil || !bytes.Equal(b, mail) || len(b) > 20<<10 {
			t.Errorf("%s is not what this test makes (%v): run it with -update", name, err)
		}
	}
}

func TestWhatIsInTheSampleMails(t *testing.T) {
	check(t, attachmentsTNEF(), `
attachment "Fahrplan März – Übersicht.csv" text/csv "" "" false "Linie;ab;an\r\n1;08:00;08:40\r\n2;08:15;09:05\r\n"
attachment "logo.png" image/png "" "logo@example.org" false "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x18\x00\x00\x00\x18\b\x02\x00\x00\x00o\x15\xaa\xaf\x00\x00\x00\x1fIDATx\xdac8\xa1\xa1A\x15\xc40jШA\xa3\x06\x8d\x1a4jШA\x03o\x10\x00\xb5;v\x1f~7L\xb9\x00\x00\x00\x00IEND\xaeB`+"`"+`\x82"
{Class:IPM.Note Subject:Fahrplan für März MessageID:<tt-march@example.org>}
[]
`)
	all, r := mustRead(t, nestedTNEF(), Options{})
	if len(all) != 2 || len(r.Flaws()) > 0 || all[1].Kind != KindMessage || all[1].Name != "Pump test" ||
		all[0].octets != "<html><body><p>Please read the <b>protocol</b> – it is at 40\u202f°C.</p></body></html>" {
		t.Fatal(dump(all, r))
	}
	all, r = mustRead(t, []byte(all[1].octets), Options{})
	if len(all) != 2 || len(r.Flaws()) > 0 || all[0].Kind != KindText || all[1].Name != "protocol of the test.txt" ||
		r.Message().From != (Person{"Mateo Lindqvist", "mateo@example.com"}) || r.Message().Subject != "Pump test" {
		t.Fatal(dump(all, r))
	}
}
