package parse

import "strings"

// disposition makes a message of a part's parameters.
func disposition(in string) string {
	return "Content-Type: application/pdf\nContent-Disposition: attachment; " + in + "\n\nx\n"
}

// filename shows the name of the first part.
func filename(m message) string { return m.parts[0].FilenameRaw }

// safeName shows the name of the first part that is safe.
func safeName(m message) string { return m.parts[0].Filename }

// extendedItems are about RFC 2231 and encoded names: 54 to 57.
func extendedItems() []item {
	return []item{
		{54, "continuations", disposition, filename, []probe{
			{"two", `filename*0="a"; filename*1="b.pdf"`, "ab.pdf", ""},
			{"out of order", `filename*1="b.pdf"; filename*0="a"`, "ab.pdf", ""},
			{"more than ten, last first", sections(12), "0123456789ab", ""},
			{"encoded and plain", `filename*0*=utf-8''R%C3%A9; filename*1=".pdf"`, "Ré.pdf", ""},
			{"plain and encoded", `filename*0="a "; filename*1*=%C3%A9`, "a é", ""},
			{"plain between encoded", `filename*0*=utf-8''a%20; filename*1="b%20c"; filename*2*=d%20e`, "a b%20cd e", ""},
			{"character split", "filename*0*=utf-8''R%C3; filename*1*=%A9.pdf", "Ré.pdf", ""},
			{"no section 0", `filename*1="b"; filename*2=".pdf"`, "b.pdf", "parameter-invalid"},
			{"section 0 without its number", `filename*=utf-8''R%C3; filename*1*=%A9.pdf`, "Ré.pdf", "parameter-invalid"},
			{"gap", `filename*0="a"; filename*2=".pdf"`, "a.pdf", "parameter-invalid"},
			{"quotes in a plain one", `filename*0="a 'b' c"; filename*1=.pdf`, "a 'b' c.pdf", ""},
			{"quotes in an encoded one", `filename*0*=utf-8''a'b; filename*1*='c.pdf`, "a'b'c.pdf", ""},
			{"a charset in the second too", `filename*0*=utf-8''a; filename*1*=utf-8''b.pdf`, "autf-8''b.pdf", ""},
			{"a section twice", `filename*0="a"; filename*0="b"; filename*1=.pdf`, "a.pdf", "parameter-duplicate"},
			{"a section plain and encoded", `filename*0="_"; filename*0*=utf-8''%C3%A9; filename*1=.pdf`, "é.pdf", "parameter-duplicate"},
			{"whole and sections", `filename*0="a"; filename*=utf-8''b.pdf; filename*1=.pdf`, "b.pdf", "parameter-duplicate"},
			{"plain and sections", `filename="x.pdf"; filename*0="a"; filename*1=.pdf`, "a.pdf", ""},
			{"plain and encoded whole", `filename="R_.pdf"; filename*=utf-8''R%C3%A9.pdf`, "Ré.pdf", ""},
			{"leading zero", `filename*00="a"; filename*01=.pdf`, "a.pdf", "parameter-invalid"},
			{"a number that is none", `filename*x="a.pdf"; size=9`, "", "parameter-invalid"},
			{"a huge number", `filename*0=a.pdf; filename*99999999999999999999=b`, "a.pdf", "parameter-invalid"},
			{"negative", `filename*-1=a.pdf`, "", "parameter-invalid"},
			{"upper case", `FILENAME*0="a"; FileName*1=".pdf"`, "a.pdf", ""},
			{"encoded words in sections", `filename*0="=?utf-8?q?R=C3"; filename*1="=A9.pdf?="`, "Ré.pdf", ""},
			{"spaces", `filename*0 = "a" ; filename*1 = ".pdf"`, "a.pdf", ""},
			{"escapes across sections", `filename*0="a\"b"; filename*1="c\\d.pdf"`, `a"bc\d.pdf`, "filename-unsafe"},
			{"no semicolons", `filename*0="a" filename*1=".pdf"`, "a.pdf", "parameter-invalid"},
		}, Limits{}, false},
		{55, "charsets", disposition, filename, []probe{
			{"UTF-8", "filename*=utf-8''R%C3%A9.pdf", "Ré.pdf", ""},
			{"language", "filename*=iso-8859-1'fr'R%E9.pdf", "Ré.pdf", ""},
			{"lower-case digits", "filename*=utf-8''R%c3%a9.pdf", "Ré.pdf", ""},
			{"in quotes", `filename*="utf-8''R%C3%A9.pdf"`, "Ré.pdf", ""},
			{"none", "filename*=''R%C3%A9.pdf", "Ré.pdf", ""},
			{"none, Latin octets", "filename*=''R%E9.pdf", "Ré.pdf", "field-raw-8bit"},
			{"no quotes", "filename*=R%C3%A9.pdf", "Ré.pdf", "parameter-invalid"},
			{"one quote", "filename*=utf-8'R%C3%A9.pdf", "Ré.pdf", "parameter-invalid"},
			{"unknown", "filename*=x-foo''R%C3%A9.pdf", "Ré.pdf", "charset-unknown"},
			{"unknown, Latin octets", "filename*=x-foo''R%E9.pdf", "Ré.pdf", "charset-unknown field-raw-8bit"},
			{"untrue", "filename*=utf-8''R%E9.pdf", "Ré.pdf", "charset-guessed"},
			{"US-ASCII that is none", "filename*=us-ascii''R%C3%A9.pdf", "Ré.pdf", "charset-guessed"},
			{"Shift_JIS", "filename*=shift_jis''%82%B1.pdf", "こ.pdf", ""},
			{"ISO-2022-JP", "filename*=iso-2022-jp''%1B%24B%25I%1B%28B.pdf", "ド.pdf", ""},
			{"quotes behind the charset", `filename*=utf-8''"a%20b.pdf"`, "a b.pdf", "parameter-invalid"},
			{"no asterisk", "filename=utf-8''R%C3%A9.pdf", "Ré.pdf", "parameter-invalid"},
			{"no asterisk on sections", `filename*0="utf-8''R%C3"; filename*1="%A9.pdf"`, "Ré.pdf", "parameter-invalid"},
			{"raw UTF-8", "filename*=utf-8''Ré.pdf", "Ré.pdf", "parameter-invalid"},
			{"raw spaces", "filename*=utf-8''a b.pdf", "a b.pdf", "parameter-invalid"},
			{"broken escapes", "filename*=utf-8''100%25%2%zz.pdf", "100%%2%zz.pdf", "parameter-invalid"},
			{"percent in a plain one stays", `filename="a%20b.pdf"`, "a%20b.pdf", ""},
			{"quote in the name", "filename*=utf-8''it%27s'.pdf", "it's'.pdf", ""},
			{"line end in it", "filename*=utf-8''a%0D%0Ab.pdf", "a\r\nb.pdf", "filename-unsafe"},
			{"charset of the type", "filename=\"R\xe9.pdf\"", "Ré.pdf", "field-raw-8bit"},
			{"empty", "filename*=utf-8''; filename=a.pdf", "a.pdf", ""},
		}, Limits{}, false},
		{56, "encoded words in names", disposition, filename, []probe{
			{"quoted", `filename="=?utf-8?q?R=C3=A9.pdf?="`, "Ré.pdf", ""},
			{"unquoted", `filename==?utf-8?q?R=C3=A9.pdf?=`, "Ré.pdf", ""},
			{"B", `filename="=?utf-8?B?UsOpLnBkZg==?="`, "Ré.pdf", ""},
			{"unquoted B", `filename==?utf-8?B?UsOpLnBkZg==?=; size=9`, "Ré.pdf", ""},
			{"two", "filename=\"=?utf-8?q?R=C3=A9?= =?utf-8?q?.pdf?=\"", "Ré.pdf", ""},
			{"two, folded", "filename=\"=?utf-8?q?R=C3=A9?=\n\t=?utf-8?q?.pdf?=\"", "Ré.pdf", ""},
			{"two, unquoted", "filename==?utf-8?q?R=C3=A9?=\n =?utf-8?q?.pdf?=", "Ré.pdf", ""},
			{"with text", `filename="a =?utf-8?q?R=C3=A9?=.pdf"`, "a Ré.pdf", ""},
			{"semicolon in an unquoted one", `filename==?utf-8?q?a;b.pdf?=; size=9`, "a;b.pdf", ""},
			{"quote in one", `filename="=?utf-8?q?a"b.pdf?="`, `a"b.pdf`, "filename-unsafe parameter-invalid"},
			{"unknown charset", `filename="=?x-foo?q?R=C3=A9.pdf?="`, "Ré.pdf", "encoded-word-invalid"},
			{"path in one", `filename="=?utf-8?q?=2E=2E=2Fa.pdf?="`, "../a.pdf", "filename-unsafe"},
			{"not closed", `filename="=?utf-8?q?a.pdf"`, "=?utf-8?q?a.pdf", "encoded-word-invalid filename-unsafe"},
		}, Limits{}, false},
		{57, "raw octets in names", before("Content-Disposition: attachment; filename="), filename, []probe{
			{"UTF-8", "\"Ré.pdf\"\n\nx", "Ré.pdf", ""},
			{"UTF-8, unquoted", "Ré.pdf\n\nx", "Ré.pdf", "parameter-invalid"},
			{"UTF-8 with an escaped quote", "\"テスト\\\".pdf\"; size=9\n\nx", `テスト".pdf`, "filename-unsafe"},
			{"Latin", "\"R\xe9.pdf\"\n\nx", "Ré.pdf", "field-raw-8bit"},
			{"charset of the text", "\"\xf0\xd2\xc9.txt\"\nContent-Type: text/plain; charset=koi8-r\n\nx", "При.txt", "field-raw-8bit"},
			{"Shift_JIS with a backslash in a character", "\"\x95\x5c.txt\"\nContent-Type: text/plain; charset=shift_jis\n\nx", "表.txt", "field-raw-8bit"},
			{"Big5 with a quote after it", "\"\xa5\x5c.txt\"\nContent-Type: text/plain; charset=big5\n\nx", "功.txt", "field-raw-8bit"},
			{"emoji", "\"😀.pdf\"\n\nx", "😀.pdf", ""},
			{"ISO-2022-JP", "\"\x1b$B%I\x1b(B.pdf\"\n\nx", "ド.pdf", "field-raw-8bit"},
		}, Limits{}, false},
	}
}

// parameterItems are 58 to 64.
func parameterItems() []item {
	return append(syntaxItems(), []item{
		{61, "parameters that stand twice", before("Content-Type: "), typeAndNames, []probe{
			{"name", "application/pdf; name=a.pdf; name=b.pdf\n\nx", "application/pdf||a.pdf", "parameter-duplicate"},
			{"charset", "text/plain; charset=utf-8; charset=iso-8859-1\n\nx", "text/plain|utf-8|", "parameter-duplicate"},
			{"other letters", "text/plain; charset=utf-8; CHARSET=iso-8859-1\n\nx", "text/plain|utf-8|", "parameter-duplicate"},
			{"boundary", "multipart/mixed; boundary=a; boundary=b\n\n--a\n\nhi\n--a--\n", "text/plain||", "parameter-duplicate"},
			{"the same value", "text/plain; charset=utf-8; charset=utf-8\n\nx", "text/plain|utf-8|", "parameter-duplicate"},
			{"a hundred", "text/plain; charset=utf-8" + strings.Repeat("; charset=x", 100) + "\n\nx", "text/plain|utf-8|", "parameter-duplicate"},
			{"more than are read", "text/plain; charset=utf-8" + strings.Repeat("; a=x", 1000) + "\n\nx", "text/plain|utf-8|", "parameter-duplicate parameter-limit"},
		}, Limits{}, false},
		{62, "types", before("Content-Type: "), typeAndNames, []probe{
			{"none", "\n\nx", "text/plain||", ""},
			{"text", "text\n\nx", "text/plain||", "content-type-invalid"},
			{"html", "html\n\nx", "text/html||", "content-type-invalid"},
			{"no subtype", "image/\n\nx", "application/octet-stream||", "content-type-invalid"},
			{"no type", "/plain\n\nx", "application/octet-stream||", "content-type-invalid"},
			{"junk behind", "text/plain really; charset=utf-8\n\nx", "text/plain|utf-8|", "content-type-invalid"},
			{"two types", "text/html, text/plain; charset=utf-8\n\nx", "text/html|utf-8|", "content-type-invalid"},
			{"three levels", "application/pdf/x; name=a\n\nx", "application/pdf||a", "content-type-invalid"},
			{"doubled", "multipart/multipart/mixed; boundary=b\n\n--b\n\nhi\n--b--\n", "text/plain||", "content-type-invalid"},
			{"spaces around the slash", "text / html; charset=utf-8\n\nx", "text/html|utf-8|", ""},
			{"upper case", "TEXT/HTML; CHARSET=UTF-8\n\nx", "text/html|UTF-8|", ""},
			{"comment", "text/plain (English); charset=utf-8\n\nx", "text/plain|utf-8|", ""},
			{"comment with a semicolon", "text/plain (a;b); charset=utf-8\n\nx", "text/plain|utf-8|", ""},
			{"quoted", `"text/html"; charset=utf-8` + "\n\nx", "text/html|utf-8|", "parameter-invalid"},
			{"no semicolon", "text/html charset=utf-8\n\nx", "text/html|utf-8|", "parameter-invalid"},
			{"comma for a semicolon", "text/html, charset=utf-8\n\nx", "text/html|utf-8|", "parameter-invalid"},
			{"parameters only", "charset=utf-8\n\nx", "text/plain|utf-8|", "parameter-invalid"},
			{"semicolon first", "; charset=utf-8\n\nx", "text/plain|utf-8|", "parameter-invalid"},
			{"the name of the field again", "Content-Type: text/html; charset=utf-8\n\nx", "text/html|utf-8|", "content-type-invalid"},
			{"backslash", "text\\html\n\nx", "text/html||", "content-type-invalid"},
			{"hyphen", "text-html\n\nx", "text/html||", "content-type-invalid"},
			{"two slashes", "text//html\n\nx", "text/html||", "content-type-invalid"},
			{"multipart alone", "multipart; boundary=b\n\n--b\n\nhi\n--b--\n", "text/plain||", "content-type-invalid"},
			{"characters that no token has", "text/pl@in\n\nx", "text/pl||", "content-type-invalid"},
			{"encoded word", "=?utf-8?q?text/html=3B_charset=3Dutf-8?=\n\nx", "text/html|utf-8|", "parameter-invalid"},
			{"raw octets", "text/\xff\n\nx", "text/plain||", "content-type-invalid"},
			{"known by nobody", "x-foo/x-bar; a=b\n\nx", "x-foo/x-bar||", ""},
		}, Limits{}, false},
		{63, "dispositions", before("Content-Disposition: "), dispositionAndName, []probe{
			{"attachment", "ATTACHMENT; filename=a.pdf\n\nx", "attachment a.pdf", ""},
			{"inline", "Inline; filename=a.pdf\n\nx", "inline a.pdf", ""},
			{"quoted", `"attachment"; filename="a.pdf"` + "\n\nx", "attachment a.pdf", "parameter-invalid"},
			{"quoted whole", `"attachment; filename=a.pdf"` + "\n\nx", "attachment a.pdf", ""},
			{"quoted whole with quotes", `"attachment; filename=\"a.pdf\""` + "\n\nx", "attachment a.pdf", ""},
			{"encoded", "=?utf-8?q?attachment?=; filename=a.pdf\n\nx", "attachment a.pdf", ""},
			{"encoded whole", "=?utf-8?q?attachment=3B_filename=3Da.pdf?=\n\nx", "attachment a.pdf", ""},
			{"comment", "attachment (x); filename=a.pdf\n\nx", "attachment a.pdf", ""},
			{"name only", "filename=a.pdf\n\nx", " a.pdf", "parameter-invalid"},
			{"misspelled", "attachement; filename=a.pdf\n\nx", "attachment a.pdf", "disposition-unknown"},
			{"form-data", `form-data; name="a.pdf"` + "\n\nx", "attachment a.pdf", "disposition-unknown"},
			{"comma", "attachment, filename=a.pdf\n\nx", "attachment a.pdf", "parameter-invalid"},
			{"space", "attachment filename=a.pdf\n\nx", "attachment a.pdf", "parameter-invalid"},
			{"nothing", "\n\nx", " ", ""},
			{"semicolon", "attachment;\n\nx", "attachment ", ""},
		}, Limits{}, false},
		{64, "which name counts", before(""), filename, []probe{
			{"filename before name", "Content-Type: application/pdf; name=b.pdf\nContent-Disposition: attachment; filename=a.pdf\n\nx", "a.pdf", ""},
			{"the other order", "Content-Disposition: attachment; filename=a.pdf\nContent-Type: application/pdf; name=b.pdf\n\nx", "a.pdf", ""},
			{"name alone", "Content-Type: application/pdf; name=a.pdf\n\nx", "a.pdf", ""},
			{"disposition without filename", "Content-Type: application/pdf; name=a.pdf\nContent-Disposition: attachment\n\nx", "a.pdf", ""},
			{"empty filename", "Content-Type: application/pdf; name=a.pdf\nContent-Disposition: attachment; filename=\"\"\n\nx", "a.pdf", ""},
			{"name in the disposition", "Content-Type: application/pdf\nContent-Disposition: attachment; name=a.pdf\n\nx", "a.pdf", ""},
			{"filename in the type", "Content-Type: application/pdf; filename=a.pdf\n\nx", "a.pdf", ""},
			{"sections in the type", "Content-Type: application/pdf; name*0=a; name*1=.pdf\n\nx", "a.pdf", ""},
			{"encoded in the type, plain in the disposition", "Content-Type: application/pdf; name*=utf-8''R%C3%A9.pdf\nContent-Disposition: attachment; filename=R.pdf\n\nx", "R.pdf", ""},
			{"none", "Content-Type: application/pdf\n\nx", "", ""},
		}, Limits{}, false},
	}...)
}

// typeAndNames shows the type, the charset and the name of the first part.
func typeAndNames(m message) string {
	p := m.parts[0]
	return p.ContentType + "|" + p.Charset + "|" + p.FilenameRaw
}

// dispositionAndName shows the disposition and the name of the first part.
func dispositionAndName(m message) string {
	return m.parts[0].Disposition + " " + m.parts[0].FilenameRaw
}
