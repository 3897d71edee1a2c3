package parse

import (
	"encoding/base64"
	"fmt"
	"io/fs"
	"strings"

	"mailflume/testdata"
)

// openItems are about what is inside of parts.
func openItems() []item {
	inner := "Subject: in\r\nContent-Type: application/pdf; name=a.pdf\r\n\r\n%PDF-"
	encoded := base64.StdEncoding.EncodeToString([]byte(inner))
	envelope := "X-MS-Journal-Report:\n" + top + "--b\n\n"
	line := "Sender: s@x.org\nMessage-Id: <1@x.org>\nTo: a@x.org\nBcc: h@x.org\n"
	message := "--b\nContent-Type: message/rfc822\n\nSubject: in\nFrom: s@x.org\n\nhi\n--b--\n"
	file := "begin 644 a.pdf\n%)5!$1BT \n`\nend\n"
	return []item{
		{80, "messages opened", before(top), places, []probe{
			{"a file alone", "--b\nContent-Type: message/rfc822\n\n" + inner + "\n--b--\n", "1 mime message/rfc822|1.1 rfc822 application/pdf a.pdf", ""},
			{"base64", "--b\nContent-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n" + encoded + "\n--b--\n", "1 mime message/rfc822|1.1 rfc822 application/pdf a.pdf", ""},
			{"message/global", "--b\nContent-Type: message/global\n\n" + inner + "\n--b--\n", "1 mime message/global|1.1 rfc822 application/pdf a.pdf", ""},
			{"From_ line inside", "--b\nContent-Type: message/rfc822\n\nFrom a@b Tue Nov 10 09:00:00 2026\n" + inner + "\n--b--\n", "1 mime message/rfc822|1.1 rfc822 application/pdf a.pdf", "mbox-from-line"},
			{"header alone that speaks of a file", "--b\nContent-Type: message/rfc822\n\nSubject: in\nContent-Type: application/ms-tnef; name=winmail.dat\n\n\n--b--\n", "1 mime message/rfc822", ""},
			{"no body", "--b\nContent-Type: message/rfc822\n\nSubject: in\n--b--\n", "1 mime message/rfc822", ""},
			{"nothing", "--b\nContent-Type: message/rfc822\n\n--b--\n", "1 mime message/rfc822", ""},
			{"its texts stay its own", "--b\n\nout\n--b\nContent-Type: message/rfc822\n\nSubject: in\n\nin\n--b--\n", "1 mime text/plain|2 mime message/rfc822", ""},
			{"cut", "--b\nContent-Type: message/rfc822\n\nContent-Type: multipart/mixed; boundary=c\n\n--c\n" + partPDF, "1 mime message/rfc822|1.1 rfc822 application/pdf a.pdf", "multipart-not-closed"},
		}, Limits{}, true},
		{80, "journal reports", asIs, unwrapped, []probe{
			{"unwrapped", envelope + line + message, "journal in [s@x.org] [a@x.org h@x.org] [h@x.org] hi", ""},
			{"an envelope in base64", strings.Replace(envelope, "--b\n\n", "--b\nContent-Transfer-Encoding: base64\n\n", 1) + base64.StdEncoding.EncodeToString([]byte(line)) + "\n" + message, "journal in [s@x.org] [a@x.org h@x.org] [h@x.org] hi", ""},
			{"no field", strings.TrimPrefix(envelope, "X-MS-Journal-Report:\n") + line + message, "message x [] [] [] " + strings.TrimSuffix(strings.ReplaceAll(line, "\n", "\r\n"), "\r\n"), ""},
			{"no envelope", envelope + "hello\n" + message, "message x [] [] [] ", "report-invalid"},
			{"no message", envelope + line + "--b--\n", "journal x [s@x.org] [a@x.org h@x.org] [h@x.org] ", ""},
			{"a message in the message", envelope + line + "--b\nContent-Type: message/rfc822\n\nSubject: in\nContent-Type: message/rfc822\n\nSubject: innermost\n\nno\n--b--\n", "journal in [s@x.org] [a@x.org h@x.org] [h@x.org] ", ""},
		}, Limits{}, true},
		{85, "TNEF and S/MIME opened", sample, places, []probe{
			{"files", "winmail-attachments", "1 mime text/plain|2 mime application/ms-tnef winmail.dat|2.1 tnef text/csv Fahrplan März – Übersicht.csv|2.2 tnef image/png logo.png", ""},
			{"a message and a body", "winmail-nested", "1 mime text/plain|2 mime application/ms-tnef winmail.dat|2.1 tnef text/html|2.2 tnef application/ms-tnef Pump test|2.2.1 tnef text/plain protocol of the test.txt", ""},
			{"opaque-signed", "smime-opaque", "1 mime application/pkcs7-mime smime.p7m|1.1 smime text/plain|1.2 smime text/csv pump-7.csv", ""},
			{"encrypted", "smime-encrypted", "1 mime application/pkcs7-mime smime.p7m", ""},
		}, Limits{}, true},
		{85, "TNEF and S/MIME that is none", before(top), places, []probe{
			{"no TNEF", "--b\nContent-Type: application/ms-tnef\n\nhello\n--b--\n", "1 mime application/ms-tnef", "tnef-invalid"},
			{"no S/MIME", "--b\nContent-Type: application/pkcs7-mime\n\nhello\n--b--\n", "1 mime application/pkcs7-mime", "smime-invalid"},
			{"empty", "--b\nContent-Type: application/ms-tnef\n\n--b\nContent-Type: application/pkcs7-mime\n\n--b--\n", "1 mime application/ms-tnef|2 mime application/pkcs7-mime", "smime-invalid tnef-invalid"},
		}, Limits{}, true},
		{88, "uuencode in a text", before("Subject: x\n\n"), leaves, []probe{
			{"between texts", "a\n" + file + "b\n", `1 text "a\r\n"|1.1 attachment a.pdf "%PDF-"|1 text "b\r\n"`, ""},
			{"alone", file, `1 text ""|1.1 attachment a.pdf "%PDF-"`, ""},
			{"two", file + file, `1 text ""|1.1 attachment a.pdf "%PDF-"|1.2 attachment a.pdf "%PDF-"`, ""},
			{"no end", "a\n" + strings.TrimSuffix(file, "`\nend\n") + "b\n", `1 text "a\r\n"|1.1 attachment a.pdf "%PDF-"|1 text "b\r\n"`, "uuencode-invalid"},
			{"prose", "begin 644 times\nand again\n", `1 text "begin 644 times\r\nand again\r\n"`, ""},
			{"cut at the begin line", "a\nbegin 644 a.pdf", `1 text "a\r\nbegin 644 a.pdf"`, ""},
		}, Limits{}, true},
	}
}

// sample makes the message that has this name.
func sample(name string) string {
	b, err := fs.ReadFile(testdata.Mail(), name+".eml")
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// places shows where each part is from.
func places(m message) string {
	var out []string
	for _, p := range m.parts {
		out = append(out, strings.TrimSpace(p.Path+" "+p.Origin+" "+p.ContentType+" "+p.Filename))
	}
	return strings.Join(out, "|")
}

// leaves shows the parts with their names and octets.
func leaves(m message) string {
	var out []string
	for _, p := range m.parts {
		role := [...]string{"attachment", "text", "html", "envelope"}[p.Role]
		out = append(out, strings.Join(strings.Fields(fmt.Sprintf("%s %s %s %q", p.Path, role, p.Filename, p.body)), " "))
	}
	return strings.Join(out, "|")
}

// unwrapped shows what is known of a journal report.
func unwrapped(m message) string {
	var sender, recipients, hidden []string
	if j := m.about.Journal; j != nil {
		sender, hidden = append(sender, j.Sender), j.Bcc()
		for _, r := range j.Recipients {
			recipients = append(recipients, r.Address)
		}
	}
	text := ""
	for _, p := range m.parts {
		if p.Role == RoleText {
			text += p.body
		}
	}
	return fmt.Sprint(m.kind, " ", m.proper.Subject(), " ", sender, " ", recipients, " ", hidden, " ", text)
}
