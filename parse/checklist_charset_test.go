package parse

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"
)

// labelItems are 91 and 98.
func labelItems() []item {
	return []item{
		{91, "labels", text, bodies, []probe{
			{"utf8", "utf8|é", "é", ""},
			{"quoted", `"utf-8"|é`, "é", ""},
			{"single quotes", "'utf-8'|é", "é", ""},
			{"open quote", `"utf-8|é`, "é", "parameter-invalid"},
			{"semicolon in quotes", `"utf8;"|é`, "é", ""},
			{"upper case", "UTF-8|é", "é", ""},
			{"underscore", "utf_8|é", "é", ""},
			{"doubled", "charset=utf-8|é", "é", "parameter-invalid"},
			{"misspelled", "uft-8|é", "é", ""},
			{"locale", "en_US.UTF-8|é", "é", ""},
			{"no hyphens", "iso88591|\xe9", "é", ""},
			{"underscores", "iso_8859_1|\xe9", "é", ""},
			{"8859-1", "8859-1|\xe9", "é", ""},
			{"iso-8859-8-i", "iso-8859-8-i|\xf9", "ש", ""},
			{"cp932", "cp932|\x82\xb1", "こ", ""},
			{"x-sjis", "x-sjis|\x82\xb1", "こ", ""},
			{"shift-jis", "shift-jis|\x82\xb1", "こ", ""},
			{"ks_c_5601-1987", "ks_c_5601-1987|\xc7\xd1", "한", ""},
			{"ksc5601", "ksc5601|\xc7\xd1", "한", ""},
			{"unicode-1-1-utf-7", "unicode-1-1-utf-7|+AOk-", "é", ""},
			{"gb2312", "gb2312|\xd6\xd0", "中", ""},
			{"gb_2312-80", "gb_2312-80|\xd6\xd0", "中", ""},
			{"x-gbk", "x-gbk|\xd6\xd0", "中", ""},
			{"gb18030-2000", "gb18030-2000|\xd6\xd0", "中", ""},
			{"big5-hkscs", "big5-hkscs|\xa4\xa4", "中", ""},
			{"win-1251", "win-1251|\xcf", "П", ""},
			{"windows_1251", "windows_1251|\xcf", "П", ""},
			{"windows-1251 spelled with cp", "cp-1251|\xcf", "П", ""},
			{"koi8r", "koi8r|\xf0", "П", ""},
			{"koi8-u", "koi8-u|\xa4", "є", ""},
			{"tis-620", "tis-620|\xa1", "ก", ""},
			{"macintosh", "macintosh|\x8e", "é", ""},
			{"cp850", "cp850|\x82", "é", ""},
			{"ibm866", "ibm866|\x8f", "П", ""},
			{"cp866", "cp866|\x8f", "П", ""},
			{"iso-8859-16", "iso-8859-16|\xa4", "€", ""},
			{"junk around it", "_iso-2022-jp$SIO|\x1b$B$3\x1b(B", "こ", ""},
			{"comment", "koi8-r (Russian)|\xf0", "П", ""},
			{"language", "utf-8*en|é", "é", ""},
			{"RFC 2047", "=?us-ascii?q?utf-8?=|é", "é", ""},
			{"windows-1252 that is UTF-8", "windows-1252|\u00c1\u3042", "\u00c1\u3042", "charset-guessed"},
			{"ISO-2022-JP that is Shift_JIS", "iso-2022-jp|\x82\xb1\x82\xea\x82\xcd", "これは", "charset-guessed"},
			{"unknown", "x-foo|é", "é", "charset-guessed charset-unknown"},
			{"unknown, Latin inside", "x-foo|\xe9", "é", "charset-guessed charset-unknown"},
			{"unknown, ASCII inside", "x-foo|a", "a", "charset-unknown"},
			{"empty", `""|é`, "é", "charset-guessed"},
			{"binary", "binary|é", "é", "charset-guessed"},
			{"unknown-8bit", "unknown-8bit|é", "é", "charset-guessed"},
			{"replacement", "replacement|é", "é", "charset-guessed charset-unknown"},
		}, Limits{}, false},
		{98, "declared and used charset", text, charsets, []probe{
			{"true", "utf-8|é", "utf-8 utf-8", ""},
			{"alias", "latin1|\xe9", "latin1 windows-1252", ""},
			{"none", "|é", " utf-8", "charset-guessed parameter-invalid"},
			{"untrue", "us-ascii|é", "us-ascii utf-8", "charset-guessed"},
			{"unknown", "x-foo|\xe9", "x-foo windows-1252", "charset-guessed charset-unknown"},
			{"not needed", "us-ascii|a", "us-ascii us-ascii", ""},
			{"ISO-2022-JP that nobody declared", "us-ascii|\x1b$B$3\x1b(B", "us-ascii iso-2022-jp", "charset-guessed"},
			{"upper case stays", "UTF-8|é", "UTF-8 utf-8", ""},
		}, Limits{}, false},
	}
}

// charsets shows what the first part is declared as and read as.
func charsets(m message) string { return m.parts[0].Charset + " " + m.parts[0].UsedCharset }

// exactItems are 96, 97, 99 and 100.
func exactItems() []item {
	file := "\xef\xbb\xbfa\xe9\x00\xff\r\n\r\n b\n"
	all := strings.Join([]string{"From: \"A <a@x.org>, b@x.org", "To: G: a@x.org", "Date: 10 Nov 98", "Subject: =?x?q?a b?=", "X Y: z", "garbage",
		"Content-Type: multipart/mixed; boundary=b; boundary=c"}, "\n") + "\n--b\nContent-Type: text\nContent-Transfer-Encoding: base64\n\naG*k\n--b\nContent-Type: application/pdf; name=a/b\nContent-Transfer-Encoding: x-foo\n\nx\n"
	look := func(m message) string {
		return strings.Join([]string{mailboxes(m), recipients(m), date(m), subjectAndText(m)}, "|")
	}
	return []item{
		{96, "text attachments", func(in string) string { return in + "\r\n\r\n" + file }, digests, []probe{
			{"Latin", "Content-Type: text/csv; charset=iso-8859-1\r\nContent-Disposition: attachment", digestOf(file), ""},
			{"UTF-16", "Content-Type: text/plain; charset=utf-16; name=a.txt", digestOf(file), ""},
			{"html", "Content-Type: text/html; charset=koi8-r\r\nContent-Disposition: attachment; filename=a.html", digestOf(file), ""},
			{"no charset", "Content-Type: text/plain\r\nContent-Disposition: attachment", digestOf(file), ""},
			{"inline with a name", "Content-Type: text/plain; charset=utf-8\r\nContent-Disposition: inline; filename=a.txt", digestOf(file), ""},
			{"unknown charset", "Content-Type: text/xml; charset=x-foo", digestOf(file), ""},
			{"8bit", "Content-Type: text/csv\r\nContent-Transfer-Encoding: 8bit", digestOf(file), ""},
		}, Limits{}, false},
		{97, "8bit and binary", before("Content-Type: application/x-y\r\nContent-Transfer-Encoding: "), bodies, []probe{
			{"binary", "binary\r\n\r\na\x00\xff\r\nb\r", "a\x00\xff\r\nb\r", ""},
			{"8bit", "8bit\r\n\r\na\x00\xff\r\nb\n\n", "a\x00\xff\r\nb\n\n", ""},
			{"7bit that is not", "7bit\r\n\r\n\x00\x80\xff", "\x00\x80\xff", ""},
			{"LF and CR", "binary\r\n\r\n\n\r\r\n\n\r", "\n\r\r\n\n\r", ""},
			{"long line", "binary\r\n\r\n" + repeat("\x00", 200_000), repeat("\x00", 200_000), ""},
			{"nothing but line ends", "binary\r\n\r\n\r\n\r\n", "\r\n\r\n", ""},
		}, Limits{}, false},
		{99, "every repair is reported", asIs, look, []probe{
			{"nothing", "From: A <a@x.org>\nTo: b@x.org\nDate: Tue, 10 Nov 2026 09:00:00 +0100\nSubject: =?utf-8?q?a?=\n\nhi\n", "A <a@x.org>|<b@x.org>|2026-11-10T09:00:00+01:00|a|hi\r\n", ""},
			{"many at once", all, "A <a@x.org> | <b@x.org>|G: <a@x.org>|1998-11-10T00:00:00Z|a b|hi|x\r\n",
				"address-repaired base64-garbage base64-unpadded content-type-invalid date-repaired encoded-word-invalid encoding-unknown field-name-invalid filename-unsafe header-ended-by-boundary header-line-invalid multipart-not-closed parameter-duplicate parameter-invalid"},
			{"more than are listed", "Content-Type: multipart/mixed; boundary=b\n\n" + repeat("--b\nContent-Type: text\n\nhi\n", 200) + "--b--", "||none||" + strings.TrimSuffix(repeat("hi|", 200), "|"), "content-type-invalid issue-limit"},
		}, Limits{}, false},
		{100, "any cut of the input", asIs, look, []probe{
			{"well-formed", "Subject: x\r\n\r\nhi\r\n", "||none|x|hi\r\n", ""},
			{"multipart", strings.ReplaceAll(top+"--b\n"+partText+"--b\n"+partPDF+"--b--\n", "\n", "\r\n"), "||none|x|hi|%PDF-", ""},
			{"CR", "Subject: x\r\rhi\r", "||none|x|hi\r", "line-ends-cr"},
		}, Limits{}, false},
	}
}

// digests shows the digests of all attachments.
func digests(m message) string {
	var out []string
	for _, p := range m.parts {
		out = append(out, digestOf(p.body))
	}
	return strings.Join(out, " ")
}

// digestOf is the digest of octets.
func digestOf(s string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(s))) }

func TestChecklistDoesNotDependOnCuts(t *testing.T) {
	for _, it := range checklist() {
		for _, p := range it.probes {
			msg := it.mail(p.in)
			if len(msg) > 4<<10 {
				continue
			}
			whole, err := it.read(strings.NewReader(msg))
			if err != nil {
				t.Fatal(err)
			}
			want := whole.dump()
			for _, n := range []int{1, 2, 3, 7, 64} {
				if m, err := it.read(pieces{strings.NewReader(msg), n}); err != nil || m.dump() != want {
					t.Errorf("item %d, %s: %d octets at a time give something else (%v)\n%s\nwant\n%s", it.n, p.name, n, err, m.dump(), want)
				}
			}
		}
	}
}

func TestChecklistHasEveryIssue(t *testing.T) {
	seen := map[string]bool{IssueAddressLimit: true, IssuePartLimit: true, IssueEncodedWordLimit: true} // see TestLimits… and their own tests
	for _, it := range checklist() {
		for _, p := range it.probes {
			for _, code := range strings.Fields(p.codes) {
				seen[code] = true
			}
		}
	}
	for _, prefix := range []string{"nesting-", "smime-", "tnef-", "report-", "calendar-"} { // see the tests of containers and reports
		for _, c := range IssueCodes() {
			seen[c.Code] = seen[c.Code] || strings.HasPrefix(c.Code, prefix)
		}
	}
	for _, c := range IssueCodes() {
		if !seen[c.Code] {
			t.Errorf("no probe is reported as %s", c.Code)
		}
	}
}
