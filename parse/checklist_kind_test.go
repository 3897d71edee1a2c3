package parse

import (
	"encoding/base64"
	"fmt"
	"strings"
)

// report makes a report of the given kind whose second part is a machine's.
func reportOf(kind, typ, body string) string {
	return "Content-Type: multipart/report; report-type=" + kind + "; boundary=b\n\n--b\n" + partText + "--b\nContent-Type: " + typ + "\n\n" + body + "\n--b--\n"
}

// nestingItems are 78 to 82.
func nestingItems() []item {
	const in = "Subject: in\\r\\n\\r\\nhi"
	deep, rest := "", ""
	for i := range 200 {
		level := fmt.Sprintf("Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n", i, i)
		if deep += level; i > 100 {
			rest += level
		}
	}
	rest = fmt.Sprintf("%q\n", strings.ReplaceAll("--b100\n"+rest, "\n", "\r\n"))
	return []item{
		{78, "encodings where none may be", asIs, shape, []probe{
			{"base64 on a multipart", "Content-Transfer-Encoding: base64\n" + top + "--b\n" + partText + "--b\n" + partPDF + "--b--\n", twoParts, "encoded-multipart"},
			{"quoted-printable on a multipart", "Content-Transfer-Encoding: quoted-printable\n" + top + "--b\n" + partText + "--b\n" + partPDF + "--b--\n", twoParts, "encoded-multipart"},
			{"unknown on a multipart", "Content-Transfer-Encoding: x-foo\n" + top + "--b\n" + partText + "--b\n" + partPDF + "--b--\n", twoParts, "encoded-multipart"},
			{"8bit on a multipart is good", "Content-Transfer-Encoding: 8bit\n" + top + "--b\n" + partText + "--b\n" + partPDF + "--b--\n", twoParts, ""},
			{"base64 of a text in the place of a multipart", "Content-Transfer-Encoding: base64\n" + top + "aGVsbG8sIHdvcmxk\n", "1 text text/plain \"hello, world\"\n", "boundary-not-found multipart-not-closed"},
			{"base64 on an inner multipart", top + "--b\n" + inner + "c\nContent-Transfer-Encoding: base64\n\n--c\n" + partText + "--c--\n--b--\n", "1.1 text text/plain \"hi\"\n", "encoded-multipart"},
			{"base64 on a message", top + "--b\nContent-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nU3ViamVjdDogaW4NCg0KaGk=\n--b--\n", "1 attachment message/rfc822 \"" + in + "\"\n", ""},
			{"quoted-printable on a message", top + "--b\nContent-Type: message/rfc822\nContent-Transfer-Encoding: quoted-printable\n\nSubject:=20in\n\nhi\n--b--\n", "1 attachment message/rfc822 \"" + in + "\"\n", ""},
		}, Limits{}, false},
		{79, "digests", asIs, shape, []probe{
			{"no type", strings.Replace(top, "mixed", "digest", 1) + "--b\n\nSubject: in\n\nhi\n--b--\n", "1 attachment message/rfc822 \"" + in + "\"\n", ""},
			{"two", strings.Replace(top, "mixed", "digest", 1) + "--b\n\nSubject: in\n\nhi\n--b\n\nSubject: in\n\nhi\n--b--\n", "1 attachment message/rfc822 \"" + in + "\"\n2 attachment message/rfc822 \"" + in + "\"\n", ""},
			{"a type of its own", strings.Replace(top, "mixed", "digest", 1) + "--b\nContent-Type: text/plain\n\nhi\n--b--\n", "1 text text/plain \"hi\"\n", ""},
			{"fields but no type", strings.Replace(top, "mixed", "digest", 1) + "--b\nX-A: b\n\nSubject: in\n\nhi\n--b--\n", "1 attachment message/rfc822 \"" + in + "\"\n", ""},
			{"a mixed one inside", strings.Replace(top, "mixed", "digest", 1) + "--b\nContent-Type: multipart/mixed; boundary=c\n\n--c\n\nhi\n--c--\n--b--\n", "1.1 text text/plain \"hi\"\n", ""},
			{"inside a mixed one", top + "--b\nContent-Type: multipart/digest; boundary=c\n\n--c\n\nSubject: in\n\nhi\n--c--\n--b\n\nhi\n--b--\n", "1.1 attachment message/rfc822 \"" + in + "\"\n2 text text/plain \"hi\"\n", ""},
			{"upper case", strings.Replace(top, "mixed", "DIGEST", 1) + "--b\n\nSubject: in\n\nhi\n--b--\n", "1 attachment message/rfc822 \"" + in + "\"\n", ""},
		}, Limits{}, false},
		{80, "messages in messages", before(top + "--b\nContent-Type: message/rfc822\n"), shape, []probe{
			{"its octets", "\nSubject: in\n\nhi\n--b--\n", "1 attachment message/rfc822 \"" + in + "\"\n", ""},
			{"no body", "\nSubject: in\n--b--\n", "1 attachment message/rfc822 \"Subject: in\"\n", ""},
			{"nothing", "\n--b--\n", "1 attachment message/rfc822 \"\"\n", ""},
			{"From_ line", "\nFrom a@b Tue Nov 10 09:00:00 2026\nSubject: in\n\nhi\n--b--\n", "1 attachment message/rfc822 \"From a@b Tue Nov 10 09:00:00 2026\\r\\n" + in + "\"\n", ""},
			{"base64", "Content-Transfer-Encoding: base64\n\nU3ViamVjdDogaW4NCg0KaGk=\n--b--\n", "1 attachment message/rfc822 \"" + in + "\"\n", ""},
			{"a multipart inside stays octets", "\nContent-Type: multipart/mixed; boundary=c\n\n--c\n\nhi\n--c--\n--b--\n", "1 attachment message/rfc822 \"Content-Type: multipart/mixed; boundary=c\\r\\n\\r\\n--c\\r\\n\\r\\nhi\\r\\n--c--\"\n", ""},
			{"the outer delimiter ends it", "\nContent-Type: multipart/mixed; boundary=b\n\n--b\n" + partText + "--b--\n", "1 attachment message/rfc822 \"Content-Type: multipart/mixed; boundary=b\\r\\n\"\n2 text text/plain \"hi\"\n", ""},
			{"a journal's", "\nSender: a@x.org\nRecipient: b@x.org\n--b\nContent-Type: message/rfc822\n\nSubject: in\n\nhi\n--b--\n", "1 attachment message/rfc822 \"Sender: a@x.org\\r\\nRecipient: b@x.org\"\n2 attachment message/rfc822 \"" + in + "\"\n", ""},
		}, Limits{}, false},
		{81, "reports", asIs, shape, []probe{
			{"delivery status", reportOf("delivery-status", "message/delivery-status", "Reporting-MTA: dns; x\n\nFinal-Recipient: rfc822; a@x.org"), "1 text text/plain \"hi\"\n2 attachment message/delivery-status \"Reporting-MTA: dns; x\\r\\n\\r\\nFinal-Recipient: rfc822; a@x.org\"\n", ""},
			{"headers", reportOf("delivery-status", "text/rfc822-headers", "Subject: in"), "1 text text/plain \"hi\"\n2 attachment text/rfc822-headers \"Subject: in\"\n", ""},
			{"disposition", reportOf("disposition-notification", "message/disposition-notification", "Disposition: x; displayed"), "1 text text/plain \"hi\"\n2 attachment message/disposition-notification \"Disposition: x; displayed\"\n", ""},
			{"complaint", reportOf("feedback-report", "message/feedback-report", "Feedback-Type: abuse"), "1 text text/plain \"hi\"\n2 attachment message/feedback-report \"Feedback-Type: abuse\"\n", ""},
			{"global", reportOf("global-delivery-status", "message/global-delivery-status", "Final-Recipient: utf-8; ä@x.org"), "1 text text/plain \"hi\"\n2 attachment message/global-delivery-status \"Final-Recipient: utf-8; ä@x.org\"\n", ""},
			{"not in a report", "Content-Type: message/delivery-status\n\nAction: failed\n", "1 attachment message/delivery-status \"Action: failed\\r\\n\"\n", ""},
		}, Limits{}, false},
		{82, "partial and external", asIs, shape, []probe{
			{"partial", "Content-Type: message/partial; id=a; number=1; total=2\n\nSubject: in\n\nhi\n", "1 attachment message/partial \"Subject: in\\r\\n\\r\\nhi\\r\\n\"\n", ""},
			{"partial without parameters", "Content-Type: message/partial\n\nhi\n", "1 attachment message/partial \"hi\\r\\n\"\n", ""},
			{"external", top + "--b\nContent-Type: message/external-body; access-type=anon-ftp; site=x; name=y\n\nContent-Type: image/png\n\n--b--\n", "1 attachment message/external-body \"Content-Type: image/png\\r\\n\"\n", ""},
			{"external with a size", "Content-Type: message/external-body; access-type=URL; URL=\"ftp://x/y\"; size=5\n\nContent-ID: <a@x>\n\n", "1 attachment message/external-body \"Content-ID: <a@x>\\r\\n\\r\\n\"\n", ""},
			{"depth", deep, "1" + repeat(".1", 99) + " attachment multipart/mixed " + rest, "depth-limit issue-limit multipart-not-closed"},
		}, Limits{}, false},
	}
}

// kindItems are 83 to 85.
func kindItems() []item {
	signed := "Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\na=E9  \r\n- b\r\n--x\r\n\r\n"
	seal := func(s string) string {
		return "Content-Type: multipart/signed; boundary=s\r\n\r\n--s\r\n" + s + "\r\n--s\r\nContent-Type: application/pgp-signature\r\n\r\nsig\r\n--s--\r\n"
	}
	html := "Content-Type: text/html\n\n<p>hi\n"
	image := "Content-Type: image/png\nContent-ID: <i@x>\nContent-Transfer-Encoding: base64\n\niVBO\n"
	mixed := func(kind, body string) string { return strings.Replace(top, "mixed", kind, 1) + body + "--b--\n" }
	calendar := "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"
	return []item{
		{83, "signed octets", asIs, raws, []probe{
			{"quoted-printable", seal(signed), "a=E9  \r\n- b\r\n--x\r\n\r\n|sig", ""},
			{"LF inside", seal("Content-Type: text/plain\n\na\nb\n"), "a\nb\n|sig", ""},
			{"trailing white space", seal("\r\na \t\r\n \r\n"), "a \t\r\n \r\n|sig", ""},
			{"bare CR and NUL", seal("\r\na\rb\x00\xff"), "a\rb\x00\xff|sig", "charset-guessed"},
			{"base64 stays encoded", seal("Content-Transfer-Encoding: base64\r\n\r\naG\r\nk=\r\n"), "aG\r\nk=\r\n|sig", ""},
			{"empty", seal("\r\n"), "|sig", ""},
			{"opaque", "Content-Type: application/pkcs7-mime; smime-type=signed-data; name=smime.p7m\r\nContent-Transfer-Encoding: base64\r\n\r\nMIAG\r\n", "MIAG\r\n", ""},
		}, Limits{}, false},
		{84, "bodies", asIs, shape, []probe{
			{"alternative", mixed("alternative", "--b\n"+partText+"--b\n"+html), "1 text text/plain \"hi\"\n2 html text/html \"<p>hi\"\n", ""},
			{"html only", html, "1 html text/html \"<p>hi\\r\\n\"\n", ""},
			{"related", mixed("related", "--b\n"+html+"--b\n"+image), "1 html text/html \"<p>hi\"\n2 attachment image/png \"\\x89PN\"\n", ""},
			{"related in alternative in mixed", mixed("mixed", "--b\n"+inner+"c\n\n--c\n"+partText+"--c\nContent-Type: multipart/related; boundary=d\n\n--d\n"+html+"--d--\n--c--\n--b\n"+partPDF), "1.1 text text/plain \"hi\"\n1.2.1 html text/html \"<p>hi\"\n2 attachment application/pdf \"%PDF-\"\n", ""},
			{"attachment alone", "Content-Type: application/pdf\nContent-Transfer-Encoding: base64\n\nJVBERi0=\n", "1 attachment application/pdf \"%PDF-\"\n", ""},
			{"text named", "Content-Type: text/plain; name=a.txt\n\nhi\n", "1 attachment text/plain \"hi\\r\\n\"\n", ""},
			{"texts named in an alternative", mixed("alternative", "--b\nContent-Type: text/plain; name=a.txt\n\nhi\n--b\nContent-Type: text/html; name=a.html\n\n<p>hi\n"), "1 text text/plain \"hi\"\n2 html text/html \"<p>hi\"\n", ""},
			{"text to be attached", "Content-Disposition: attachment\n\nhi\n", "1 attachment text/plain \"hi\\r\\n\"\n", ""},
			{"text inline", "Content-Disposition: inline\n\nhi\n", "1 text text/plain \"hi\\r\\n\"\n", ""},
			{"unknown multipart", mixed("x-foo", "--b\n"+partText+"--b\n"+partPDF), twoParts, ""},
			{"text of another kind", "Content-Type: text/enriched\n\nhi\n", "1 attachment text/enriched \"hi\\r\\n\"\n", ""},
		}, Limits{}, false},
		{85, "parts of other programs", asIs, shape, []probe{
			{"appledouble", mixed("appledouble", "--b\nContent-Type: application/applefile; name=\"%a.pdf\"\nContent-Transfer-Encoding: base64\n\nAAUWBw==\n--b\n"+partPDF), "1 attachment application/applefile \"\\x00\\x05\\x16\\a\"\n2 attachment application/pdf \"%PDF-\"\n", ""},
			{"calendar", mixed("alternative", "--b\n"+partText+"--b\nContent-Type: text/calendar; method=REQUEST\nContent-Transfer-Encoding: base64\n\n"+base64.StdEncoding.EncodeToString([]byte(calendar))+"\n"), "1 text text/plain \"hi\"\n2 attachment text/calendar " + fmt.Sprintf("%q", calendar) + "\n", ""},
			{"TNEF", mixed("mixed", "--b\n"+partText+"--b\nContent-Type: application/ms-tnef; name=winmail.dat\nContent-Transfer-Encoding: base64\n\neJ8+Ig==\n"), "1 text text/plain \"hi\"\n2 attachment application/ms-tnef \"x\\x9f>\\\"\"\n", ""},
			{"vCard", "Content-Type: text/x-vcard; charset=utf-8\n\nBEGIN:VCARD\n", "1 attachment text/x-vcard \"BEGIN:VCARD\\r\\n\"\n", ""},
			{"AMP", mixed("alternative", "--b\n"+partText+"--b\nContent-Type: text/x-amp-html\n\n<html>\n--b\n"+html), "1 text text/plain \"hi\"\n2 attachment text/x-amp-html \"<html>\"\n3 html text/html \"<p>hi\"\n", ""},
		}, Limits{}, false},
	}
}

// raws shows the still encoded octets of all parts.
func raws(m message) string {
	var out []string
	for _, p := range m.parts {
		out = append(out, p.raw)
	}
	return strings.Join(out, "|")
}
