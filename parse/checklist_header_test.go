package parse

import (
	"fmt"
	"strings"
)

// headerItems are about where a header begins and ends and what its lines are: 1 to 10.
func headerItems() []item {
	return []item{
		{1, "line ends", asIs, subjectAndText, []probe{
			{"CRLF", "Subject: x\r\nX-A: b\r\n\r\nhi\r\nho\r\n", "x|hi\r\nho\r\n", ""},
			{"LF", "Subject: x\nX-A: b\n\nhi\nho\r\n", "x|hi\nho\r\n", ""},
			{"CR", "Subject: x\rX-A: b\r\rhi\rho\r", "x|hi\rho\r", "line-ends-cr"},
			{"CR, folded", "X-A: b\rSubject: x\r y\r\rhi\r", "x y|hi\r", "line-ends-cr"},
			{"CR, white space in the empty line", "Subject: x\r \rhi ho\r", "x|hi ho\r", "line-ends-cr"},
			{"CR before the body, CRLF in it", "Subject: x\rX-A: b\r\rhi\r\nho\r\n", "x|hi\r\nho\r\n", "line-ends-cr"},
			{"CR before the body, LF in it", "Subject: x\rX-A: b\r\rhi\nho\n", "x|hi\nho\n", "line-ends-cr"},
			{"LF in the header, CRLF in the body", "Subject: x\n\nhi\r\nho", "x|hi\r\nho", ""},
			{"CRLF in the header, LF in the body", "Subject: x\r\n\r\nhi\nho", "x|hi\nho", ""},
			{"another for every line", "X-A: b\r\nSubject: x\nX-C: d\r\n\nhi\r", "x|hi\r", ""},
			{"CRLF in the header, CR in the body", "Subject: x\r\n\r\nhi\rho\r", "x|hi\rho\r", ""},
			{"CR CR LF", "Subject: x\r\r\nX-A: b\r\r\n\r\r\nhi\r\r\n", "x|hi\r\r\n", ""},
			{"multipart with CR", "Subject: x\rContent-Type: multipart/mixed; boundary=b\r\r--b\r\rhi\r--b\r\rho\r--b--\r", "x|hi|ho", "line-ends-cr"},
			{"parts with other ends than the header", "Subject: x\nContent-Type: multipart/mixed; boundary=b\n\n--b\r\n\r\nhi\r\n--b\n\nho\n--b--\r\n", "x|hi|ho", ""},
		}, Limits{}, false},
		{2, "mbox lines", asIs, subjectAndText, []probe{
			{"From_", "From a@example.org Tue Nov 10 09:00:00 2026\nSubject: x\n\nhi\n", "x|hi\r\n", "mbox-from-line"},
			{">From_", ">From a@example.org Tue Nov 10 09:00:00 2026\nSubject: x\n\nhi\n", "x|hi\r\n", "mbox-from-line"},
			{"both", "From a@b Tue Nov 10 09:00:00 2026\n>From c@d Tue Nov 10 09:00:00 2026\nSubject: x\n\nhi\n", "x|hi\r\n", "mbox-from-line"},
			{"after a byte order mark", "\ufeffFrom a@b Tue Nov 10 09:00:00 2026\nSubject: x\n\nhi\n", "x|hi\r\n", "byte-order-mark mbox-from-line"},
			{"after an empty line", "\nFrom - Tue Nov 10 09:00:00 2026\nSubject: x\n\nhi\n", "x|hi\r\n", "leading-blank-lines mbox-from-line"},
			{"before an empty line", "From - Tue Nov 10 09:00:00 2026\n\nSubject: x\n\nhi\n", "x|hi\r\n", "leading-blank-lines mbox-from-line"},
			{"followed by white space", "From a@b Tue Nov 10 09:00:00 2026\n folded\nSubject: x\n\nhi\n", "x|hi\r\n", "mbox-from-line"},
			{"a From field with a space before its colon is none", "From : a@b\nSubject: x\n\nhi\n", "x|hi\r\n", ""},
			{"in the body it is text", "Subject: x\n\nFrom here on\n>From there\n", "x|From here on\r\n>From there\r\n", ""},
			{"in a part's header", "Subject: x\nContent-Type: multipart/mixed; boundary=b\n\n--b\nFrom a@b Tue Nov 10 09:00:00 2026\nContent-Type: text/plain\n\nhi\n--b--\n", "x|hi", "mbox-from-line"},
		}, Limits{}, false},
		{3, "byte order mark", asIs, subjectAndText, []probe{
			{"first", "\ufeffSubject: x\n\nhi", "x|hi", "byte-order-mark"},
			{"before an empty line", "\ufeff\nSubject: x\n\nhi", "x|hi", "byte-order-mark leading-blank-lines"},
			{"after an empty line", "\n\ufeffSubject: x\n\nhi", "x|hi", "byte-order-mark leading-blank-lines"},
			{"twice", "\ufeff\ufeffSubject: x\n\nhi", "x|hi", "byte-order-mark"},
			{"CR line ends", "\ufeffSubject: x\r\rhi\r", "x|hi\r", "byte-order-mark line-ends-cr"},
			{"nothing else", "\ufeff", "|", "byte-order-mark"},
			{"before a part's header", "Subject: x\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\ufeffContent-Type: text/html\n\n<p>hi\n--b--\n", "x|<p>hi", "byte-order-mark"},
		}, Limits{}, false},
		{4, "empty lines first", asIs, subjectAndText, []probe{
			{"one", "\nSubject: x\n\nhi", "x|hi", "leading-blank-lines"},
			{"several", "\n\n\n\nSubject: x\n\nhi", "x|hi", "leading-blank-lines"},
			{"white space in them", " \n\t\n \t \nSubject: x\n\nhi", "x|hi", "leading-blank-lines"},
			{"white space before the first field", "  Subject: x\nX-A: b\n\nhi", "x|hi", "leading-blank-lines"},
			{"tab before the first field", "\tSubject: x\n\nhi", "x|hi", "leading-blank-lines"},
			{"LF", "\n\nSubject: x\n\nhi\n", "x|hi\r\n", "leading-blank-lines"},
			{"CR", "\r\rSubject: x\r\rhi\r", "x|hi\r", "leading-blank-lines line-ends-cr"},
			{"a hundred thousand", strings.Repeat("\n", 100_000) + "Subject: x\n\nhi", "x|hi", "leading-blank-lines"},
			{"nothing else", "\n\n \n", "|", "leading-blank-lines"},
			{"white space before a part's first field", "Subject: x\nContent-Type: multipart/mixed; boundary=b\n\n--b\n Content-Type: text/html\n\n<p>\n--b--\n", "x|<p>", "leading-blank-lines"},
			{"no header", "\nhello there\n", "|hello there\r\n", "header-without-end leading-blank-lines"},
		}, Limits{}, false},
		{5, "garbage in the header", asIs, subjectAndText, []probe{
			{"first", "garbage\nSubject: x\n\nhi", "x|hi", "header-line-invalid"},
			{"in the middle", "X-A: b\ngarbage here\nSubject: x\n\nhi", "x|hi", "header-line-invalid"},
			{"last", "Subject: x\ngarbage here\n\nhi", "x|hi", "header-line-invalid"},
			{"raw octets", "X-A: b\n\xff\xfe\x80\nSubject: x\n\nhi", "x|hi", "header-line-invalid"},
			{"its folds go with it", "X-A: b\ngarbage\n Subject: evil\nSubject: x\n\nhi", "x|hi", "header-line-invalid"},
			{"several", "one\ntwo\nX-A: b\nthree\nSubject: x\nfour\n\nhi", "x|hi", "header-line-invalid"},
			{"an HTTP status", "HTTP/1.1 200 OK\nSubject: x\n\nhi", "x|hi", "header-line-invalid"},
			{"a lonely dash", "X-A: b\n-\nSubject: x\n\nhi", "x|hi", "header-line-invalid"},
			{"a delimiter of nothing", "X-A: b\n--b\nSubject: x\n\nhi", "x|hi", "header-line-invalid"},
			{"a field that lost its colon", "From a\nSubject x\nSubject: y\n\nhi", "y|hi", "header-line-invalid mbox-from-line"},
			{"a dot", "X-A: b\n.\nSubject: x\n\nhi", "x|hi", "header-line-invalid"},
		}, Limits{}, false},
		{6, "white space before the colon", asIs, subjectAndText, []probe{
			{"space", "Subject : x\n\nhi", "x|hi", ""},
			{"tab", "Subject\t: x\n\nhi", "x|hi", ""},
			{"several", "Subject \t  : x\n\nhi", "x|hi", ""},
			{"in a type", "Subject: x\nContent-Type : text/html; charset=iso-8859-1\n\n\xe9", "x|é", ""},
			{"in an encoding", "Subject: x\nContent-Transfer-Encoding\t: base64\n\naGk=", "x|hi", ""},
			{"no space after it", "Subject :x\n\nhi", "x|hi", ""},
			{"both spellings", "Subject : x\nSubject: y\n\nhi", "x|hi", "field-duplicate"},
		}, Limits{}, false},
		{7, "no name", asIs, subjectAndText, []probe{
			{"a colon", "X-A: b\n:\nSubject: x\n\nhi", "x|hi", "header-line-invalid"},
			{"two colons", "X-A: b\n::\nSubject: x\n\nhi", "x|hi", "header-line-invalid"},
			{"a value", "X-A: b\n: y\nSubject: x\n\nhi", "x|hi", "header-line-invalid"},
			{"first", ": y\nSubject: x\n\nhi", "x|hi", "header-line-invalid"},
			{"last", "Subject: x\n: y\n\nhi", "x|hi", "header-line-invalid"},
			{"folded", "X-A: b\n: y\n z\nSubject: x\n\nhi", "x|hi", "header-line-invalid"},
			{"a colon in the value", "Subject:: x\n\nhi", ": x|hi", ""},
			{"only colons are text", ":\n:\n\nhi", "|:\r\n:\r\n\r\nhi", "header-without-end"},
		}, Limits{}, false},
	}
}

// names shows the names of all fields and the bodies.
func names(m message) string {
	var out []string
	for _, f := range m.header.Fields() {
		out = append(out, f.Name+"="+f.Value)
	}
	return strings.Join(out, ";") + "|" + bodies(m)
}

// fieldItems are about names, ends, folds and repetition: 8 to 18.
func fieldItems() []item {
	huge := strings.Repeat("x", 10<<20)
	return append(nameAndEndItems(), []item{
		{12, "lines and headers of 10 MB", asIs, sizes, []probe{
			{"body", "Subject: x\n\n" + huge, "1 10485760", ""},
			{"field", "X-A: " + huge + "\nSubject: x\n\nhi", "1 2", "field-too-large"},
			{"subject", "Subject: " + huge + "\n\nhi", "262135 2", "field-too-large"},
			{"name", huge + ": x\nSubject: x\n\nhi", "0 10485781", "header-without-end"},
			{"garbage", "X-A: b\n" + huge + "\nSubject: x\n\nhi", "0 10485778", "header-without-end"},
			{"folds", "X-A: b\n" + strings.Repeat(" y\n", 1<<20) + "Subject: x\n\nhi", "1 2", "field-too-large"},
			{"fields", "Subject: x\n" + strings.Repeat("X-A: b\n", 20_000) + "\nhi", "1 2", "field-limit"},
			{"large fields", "Subject: x\n" + strings.Repeat("X-A: "+strings.Repeat("b", 1000)+"\n", 2000) + "\nhi", "1 2", "header-too-large"},
		}, Limits{}, false},
		{13, "fields that stand twice", asIs, twice, []probe{
			{"subject", "Subject: x\nSubject: y\n\nhi", "x|||none|hi", "field-duplicate"},
			{"subject, the first empty", "Subject:\nSubject: y\n\nhi", "|||none|hi", "field-duplicate"},
			{"subject in other letters", "subject: x\nSUBJECT: y\n\nhi", "x|||none|hi", "field-duplicate"},
			{"from", "From: a@x.org\nFrom: b@x.org\n\nhi", "|<a@x.org>||none|hi", "field-duplicate"},
			{"from, three times", "From: A <a@x.org>\nFrom: b@x.org\nFrom: c@x.org\n\nhi", "|A <a@x.org>||none|hi", "field-duplicate"},
			{"date", "Date: 10 Nov 2026 09:00:00 +0000\nDate: 11 Nov 2026 09:00:00 +0000\n\nhi", "|||2026-11-10T09:00:00Z|hi", "field-duplicate"},
			{"message-id", "Message-ID: <a@x>\nMessage-ID: <b@x>\n\nhi", "||a@x|none|hi", "field-duplicate"},
			{"content-type", "Content-Type: text/html\nContent-Type: application/x-y\n\nhi", "|||none|hi", "field-duplicate"},
			{"content-type, two boundaries", "Content-Type: multipart/mixed; boundary=a\nContent-Type: multipart/mixed; boundary=b\n\n--a\n\nhi\n--a--\n--b\n\nho\n--b--\n", "|||none|hi", "epilogue field-duplicate"},
			{"encoding", "Content-Transfer-Encoding: base64\nContent-Transfer-Encoding: 7bit\n\naGk=", "|||none|hi", "field-duplicate"},
		}, Limits{}, false},
		{14, "recipients in several fields", asIs, recipients, []probe{
			{"To", "To: a@x.org\nTo: b@x.org\n\nhi", "<a@x.org> | <b@x.org>", ""},
			{"Cc", "Cc: a@x.org\nX-A: b\nCC: B <b@x.org>, c@x.org\n\nhi", "<a@x.org> | B <b@x.org> | <c@x.org>", ""},
			{"To and Cc", "Cc: c@x.org\nTo: a@x.org\nTo: b@x.org\nCc: d@x.org\n\nhi", "<a@x.org> | <b@x.org> | <c@x.org> | <d@x.org>", ""},
			{"an empty one between", "To: a@x.org\nTo:\nTo: b@x.org\n\nhi", "<a@x.org> | <b@x.org>", ""},
			{"a group does not reach the next", "To: G: a@x.org\nTo: b@x.org\n\nhi", "G: <a@x.org> | <b@x.org>", ""},
			{"an open quote does not reach the next", "To: \"a <a@x.org>\nTo: b@x.org\n\nhi", "a <a@x.org> | <b@x.org>", "address-repaired"},
		}, Limits{}, false},
		{15, "message-id", field("Message-ID"), messageID, []probe{
			{"well-formed", "<a.b$c@x.org>", "a.b$c@x.org", ""},
			{"no brackets", "a@x.org", "a@x.org", ""},
			{"spaces around", " \t <a@x.org>  ", "a@x.org", ""},
			{"spaces inside", "< a@x.org >", "a@x.org", ""},
			{"comment behind", "<a@x.org> (added by b@x.org)", "a@x.org", ""},
			{"comment before", "(b@x.org) <a@x.org>", "a@x.org", ""},
			{"comment with brackets", "(<b@x.org>) <a@x.org>", "a@x.org", ""},
			{"folded", "\n <a@x.org>", "a@x.org", ""},
			{"folded inside", "<a@x\n .org>", "a@x.org", ""},
			{"not closed", "<a@x.org", "a@x.org", ""},
			{"not opened", "a@x.org>", "a@x.org", ""},
			{"no at sign", "<12345>", "12345", ""},
			{"domain literal", "<a@[192.0.2.1]>", "a@[192.0.2.1]", ""},
			{"quoted local part", `<"a b"@x.org>`, `"a b"@x.org`, ""},
			{"two at signs", "<a@b@x.org>", "a@b@x.org", ""},
			{"encoded word", "=?utf-8?q?=3Ca=40x=2Eorg=3E?=", "a@x.org", ""},
			{"raw UTF-8", "<ä@x.org>", "ä@x.org", ""},
			{"empty", "<>", "", ""},
			{"control octets", "<a\x00\x01@x.org>", "a@x.org", ""},
		}, Limits{}, false},
		{16, "references", field("References"), references, []probe{
			{"list", "<a@x> <b@x>", "a@x b@x", ""},
			{"folded", "<a@x>\n <b@x>\n\t<c@x>", "a@x b@x c@x", ""},
			{"commas", "<a@x>,<b@x>, <c@x>", "a@x b@x c@x", ""},
			{"glued", "<a@x><b@x>", "a@x b@x", ""},
			{"no brackets", "a@x b@x", "a@x b@x", ""},
			{"not closed", "<a@x <b@x>", "a@x b@x", ""},
			{"last not closed", "<a@x> <b@x", "a@x b@x", ""},
			{"folded in an id", "<a@\n x> <b@x>", "a@x b@x", ""},
			{"phrase", `Your message of "Tue" <a@x>`, "a@x", ""},
			{"phrase with an open quote", `Your message of "Tue <a@x> (b)`, "a@x", ""},
			{"comments", "<a@x> (b (c)) <d@x>", "a@x d@x", ""},
			{"semicolons", "<a@x>; <b@x>", "a@x b@x", ""},
			{"doubled brackets", "<<a@x>> <<b@x>>", "a@x b@x", ""},
			{"quoted", `"<a@x>" "<b@x>"`, "a@x b@x", ""},
			{"empty ones", "<> <a@x> < >", "a@x", ""},
		}, Limits{}, false},
		{17, "control octets", asIs, subjectAndText, []probe{
			{"NUL", "Subject: a\x00b\n\nc\x00d", "a\x00b|c\x00d", ""},
			{"C0", "Subject: a\x01\x07\x08\x0b\x0c\x7fb\n\nhi", "a\x01\x07\x08\x0b\x0c\x7fb|hi", ""},
			{"C1 in UTF-8", "Subject: a\u0085\u009fb\n\nhi", "a\u0085\u009fb|hi", ""},
			{"C1 raw are windows-1252", "Subject: a\x85\x9fb\n\nhi", "a…Ÿb|hi", "field-raw-8bit"},
			{"escape sequence", "Subject: a\x1b[31mb\n\nhi", "a\x1b[31mb|hi", ""},
			{"bare CR in a field", "Subject: a\rb\r\n\r\nhi", "a b|hi", ""},
			{"NUL in a name", "X\x00A: b\nSubject: x\n\nhi", "x|hi", "field-name-invalid"},
			{"nothing but NUL", "\x00\x00\x00", "|\x00\x00\x00", "header-without-end"},
			{"line separator", "Subject: a\u2028b\n\nhi", "a\u2028b|hi", ""},
		}, Limits{}, false},
		{18, "octets of fields", asIs, fieldOctets, []probe{
			{"folds", "X-A:  a\r\n\tb \r\nx-a:c\r\n\r\nhi", "X-A:  a\r\n\tb \x1fx-a:c", ""},
			{"LF", "A: b\n c\n\nhi\r", "A: b\n c", ""},
			{"mixed", "A: b\r\n c\n d\r\n\r\n", "A: b\r\n c\n d", ""},
			{"raw octets", "A: \xff\x80\r\n\r\n", "A: \xff\x80", "field-raw-8bit"},
			{"encoded words", "A: =?utf-8?q?=C3=A9?= \r\n =?utf-8?q?b?=\r\n\r\n", "A: =?utf-8?q?=C3=A9?= \r\n =?utf-8?q?b?=", ""},
			{"white space before the colon", "A \t:  b\t\r\n\r\n", "A \t:  b\t", ""},
			{"fold of white space", "A: b\r\n \r\n c\r\n\r\n", "A: b\r\n \r\n c", ""},
			{"empty", "A:\r\nB: \r\n\r\n", "A:\x1fB: ", ""},
			{"NUL and bare CR", "A: b\x00\rc\r\n\r\n", "A: b\x00\rc", ""},
		}, Limits{}, false},
	}...)
}

// nameAndEndItems are 8 to 11.
func nameAndEndItems() []item {
	inner := "Subject: x\nContent-Type: multipart/mixed; boundary=b\n\n--b\n"
	return []item{
		{8, "characters in names", asIs, names, []probe{
			{"space", "X Y: z\nA: b\n\nhi", "X Y=z;A=b|hi", "field-name-invalid"},
			{"control", "X\x01Y: z\nA: b\n\nhi", "X\x01Y=z;A=b|hi", "field-name-invalid"},
			{"raw octet", "X\xe9: z\nA: b\n\nhi", "Xé=z;A=b|hi", "field-name-invalid field-raw-8bit"},
			{"UTF-8", "Xé: z\nA: b\n\nhi", "Xé=z;A=b|hi", "field-name-invalid"},
			{"all printable ones are good", "!#$%&'*+-.^_`|~(),;<=>?@[]{}/\"\\: z\n\nhi", "!#$%&'*+-.^_`|~(),;<=>?@[]{}/\"\\=z|hi", ""},
			{"a number", "1: z\nA: b\n\nhi", "1=z;A=b|hi", ""},
			{"DEL", "X\x7fY: z\nA: b\n\nhi", "X\x7fY=z;A=b|hi", "field-name-invalid"},
			{"the only field is text", "X Y: z\n\nhi", "|X Y: z\r\n\r\nhi", "header-without-end"},
			{"last field", "A: b\nX Y: z\n\nhi", "A=b;X Y=z|hi", "field-name-invalid"},
			{"two words that look like a sentence", "A: b\nplease note: c\nD: e\n\nhi", "A=b;please note=c;D=e|hi", "field-name-invalid"},
		}, Limits{}, false},
		{9, "header that nothing ends", asIs, subjectAndText, []probe{
			{"delimiter", inner + "Content-Type: text/plain\n--b\n\nhi\n--b--\n", "x||hi", "header-ended-by-boundary"},
			{"closing delimiter", inner + "Content-Type: text/plain\n--b--\n", "x|", "header-ended-by-boundary"},
			{"delimiter at once", inner + "--b\n\nhi\n--b--\n", "x||hi", "header-ended-by-boundary"},
			{"outer delimiter", inner + "Content-Type: multipart/mixed; boundary=c\n--b\n\nhi\n--b--\n", "x|hi", "header-ended-by-boundary multipart-empty multipart-not-closed"},
			{"end", inner + "Content-Type: text/plain\n", "x|", "header-without-end multipart-not-closed"},
			{"end inside of a field", inner + "Content-Type: text/pl", "x|", "header-without-end multipart-not-closed"},
			{"end inside of a fold", "Subject: x\n y", "x y|", "header-without-end"},
			{"end of the delimiter line", strings.TrimSuffix(inner, "\n"), "x|", "multipart-not-closed"},
			{"text", "Subject: x\nhello there\nyou\n", "x|hello there\r\nyou\r\n", "header-without-end"},
		}, Limits{}, false},
		{10, "header only", asIs, subjectAndText, []probe{
			{"line end", "Subject: x\n", "x|", "header-without-end"},
			{"no line end", "Subject: x", "x|", "header-without-end"},
			{"empty line", "Subject: x\n\n", "x|", ""},
			{"CR", "Subject: x\r", "x|", "header-without-end line-ends-cr"},
			{"a colon more", "Subject:", "|", "header-without-end"},
			{"no colon", "Subject", "|Subject", "header-without-end"},
			{"nothing", "", "|", ""},
			{"multipart", "Subject: x\nContent-Type: multipart/mixed; boundary=b\n", "x|", "header-without-end multipart-empty multipart-not-closed"},
			{"base64", "Subject: x\nContent-Transfer-Encoding: base64\n", "x|", "header-without-end"},
		}, Limits{}, false},
		{11, "folds", asIs, subjectAndText, []probe{
			{"space", "Subject: x\n y\n\nhi", "x y|hi", ""},
			{"tab", "Subject: x\n\ty\n\nhi", "x y|hi", ""},
			{"after the colon", "Subject:\n x\n\nhi", "x|hi", ""},
			{"many", "Subject: x\n  \ty\n\t\t z\n\nhi", "x y z|hi", ""},
			{"line of white space", "Subject: x\n \nX-A: b\n\nhi", "x|hi", ""},
			{"line of white space inside", "Subject: x\n \t\n y\n\nhi", "x y|hi", ""},
			{"lines of white space", "Subject: x\n \n\t\n \nX-A: b\n\nhi", "x|hi", ""},
			{"line of white space instead of the empty one", "Subject: x\n \nhi there", "x|hi there", ""},
			{"line of white space before a part", "Subject: x\nContent-Type: multipart/mixed; boundary=b\n \n--b\n\nhi\n--b--\n", "x|hi", "header-ended-by-boundary"},
			{"line of white space at the end", "Subject: x\n ", "x|", "header-without-end"},
			{"a field that begins with white space is a fold", "Subject: x\n Bcc: a@x.org\n\nhi", "x Bcc: a@x.org|hi", ""},
			{"spaces before the fold", "Subject: x  \n y\n\nhi", "x   y|hi", ""},
			{"inside of a word", "Subject: =?utf-8?q?a\n b?=\n\nhi", "a b|hi", "encoded-word-invalid"},
		}, Limits{}, false},
	}
}

// sizes shows how much came through.
func sizes(m message) string { return fmt.Sprint(len(m.header.Subject()), " ", len(bodies(m))) }

// twice shows what may stand in a header once.
func twice(m message) string {
	return strings.Join([]string{m.header.Subject(), mailboxes(m), m.header.MessageID(), date(m), bodies(m)}, "|")
}

// recipients shows To and Cc.
func recipients(m message) string { return show(m.header.Addresses("To", "Cc")) }

// messageID shows the message's id.
func messageID(m message) string { return m.header.MessageID() }

// references shows the ids of References.
func references(m message) string { return strings.Join(m.header.MessageIDs("References"), " ") }

// fieldOctets shows the fields as sent.
func fieldOctets(m message) string {
	var out []string
	for _, f := range m.header.Fields() {
		out = append(out, f.Raw)
	}
	return strings.Join(out, "\x1f")
}
