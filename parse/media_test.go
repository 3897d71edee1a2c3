package parse

import (
	"strconv"
	"strings"
	"testing"
)

func TestFilenamesOfEveryForm(t *testing.T) {
	cd := "Content-Disposition: attachment; "
	cases := []struct{ name, fields, want string }{
		{"token", cd + "filename=a.pdf", "a.pdf"},
		{"quoted", cd + `filename="a b.pdf"`, "a b.pdf"},
		{"escaped quote", cd + `filename="a\".pdf"; size=9`, `a".pdf`},
		{"escaped quote after UTF-8", cd + `filename="テスト\".pdf"; size=9`, `テスト".pdf`},
		{"quotes inside", cd + `filename="a"b".pdf"`, `a"b".pdf`},
		{"Windows path", cd + `filename="C:\temp\a.pdf"`, `C:\temp\a.pdf`},
		{"unquoted spaces", cd + "filename=my file.pdf", "my file.pdf"},
		{"unquoted specials", cd + "filename=a(1)[2]@b,c.pdf", "a(1)[2]@b,c.pdf"},
		{"equals sign", cd + "filename=a=b.pdf", "a=b.pdf"},
		{"no closing quote", cd + `filename="a.pdf`, "a.pdf"},
		{"no closing quote, more behind", cd + `filename="a.pdf; size=9`, "a.pdf"},
		{"no semicolon behind", cd + `filename="a.pdf" size=9`, "a.pdf"},
		{"no semicolon behind a token", cd + `filename=a.pdf size=9`, "a.pdf"},
		{"doubled semicolons", cd + ";; filename=a.pdf;;", "a.pdf"},
		{"spaces around the equals sign", cd + "filename = a.pdf", "a.pdf"},
		{"upper case", "CONTENT-DISPOSITION: ATTACHMENT; FILENAME=a.pdf", "a.pdf"},
		{"folded", cd + "\n filename=a.pdf", "a.pdf"},
		{"first of two", cd + `filename="a.pdf"; filename="b.pdf"`, "a.pdf"},
		{"raw UTF-8", cd + `filename="Ré.pdf"`, "Ré.pdf"},
		{"raw Latin", cd + "filename=\"R\xe9.pdf\"", "Ré.pdf"},
		{"encoded word", cd + `filename="=?utf-8?q?R=C3=A9.pdf?="`, "Ré.pdf"},
		{"unquoted encoded word", cd + `filename==?utf-8?q?R=C3=A9.pdf?=`, "Ré.pdf"},
		{"two encoded words", cd + "filename=\"=?utf-8?q?R=C3=A9?=\n =?utf-8?q?.pdf?=\"", "Ré.pdf"},
		{"RFC 2231", cd + "filename*=utf-8''R%C3%A9.pdf", "Ré.pdf"},
		{"RFC 2231 with language", cd + "filename*=iso-8859-1'fr'R%E9.pdf", "Ré.pdf"},
		{"RFC 2231 in quotes", cd + `filename*="utf-8''R%C3%A9.pdf"`, "Ré.pdf"},
		{"RFC 2231 without charset", cd + "filename*=''R%C3%A9.pdf", "Ré.pdf"},
		{"RFC 2231 without quotes", cd + "filename*=R%C3%A9.pdf", "Ré.pdf"},
		{"RFC 2231 with an unknown charset", cd + "filename*=x-foo''R%C3%A9.pdf", "Ré.pdf"},
		{"RFC 2231 with a broken escape", cd + "filename*=utf-8''100%25%2.pdf", "100%%2.pdf"},
		{"RFC 2231 beside a plain one", cd + `filename="R_.pdf"; filename*=utf-8''R%C3%A9.pdf`, "Ré.pdf"},
		{"sections", cd + `filename*0="a"; filename*1="b.pdf"`, "ab.pdf"},
		{"sections out of order", cd + `filename*1="b.pdf"; filename*0="a"`, "ab.pdf"},
		{"ten and more sections", cd + sections(12), "0123456789ab"},
		{"encoded and plain sections", cd + `filename*0*=utf-8''R%C3%A9; filename*1=".pdf"`, "Ré.pdf"},
		{"plain and encoded sections", cd + `filename*0="a "; filename*1*=%C3%A9`, "a é"},
		{"character split between sections", cd + "filename*0*=utf-8''R%C3; filename*1*=%A9.pdf", "Ré.pdf"},
		{"section 0 missing", cd + `filename*1="b"; filename*2=".pdf"`, "b.pdf"},
		{"section in the middle missing", cd + `filename*0="a"; filename*2=".pdf"`, "a.pdf"},
		{"quotes in a plain section", cd + `filename*0="a 'b' c"; filename*1=.pdf`, "a 'b' c.pdf"},
		{"name of the type", "Content-Type: application/pdf; name=a.pdf", "a.pdf"},
		{"filename before name", "Content-Type: application/pdf; name=b.pdf\n" + cd + "filename=a.pdf", "a.pdf"},
		{"empty filename, name of the type", "Content-Type: application/pdf; name=b.pdf\n" + cd + `filename=""`, "b.pdf"},
		{"name in the disposition", cd + "name=a.pdf", "a.pdf"},
		{"disposition missing", "Content-Disposition: filename=a.pdf", "a.pdf"},
		{"none", "Content-Type: application/pdf", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			m := read(t, c.fields+"\n\nx\n")
			if got := m.parts[0].FilenameRaw; got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// sections spells a name of n characters in n sections, last first.
func sections(n int) string {
	var s string
	for i := n - 1; i >= 0; i-- {
		s += "filename*" + strconv.Itoa(i) + "=" + "0123456789abcdef"[i:i+1] + "; "
	}
	return s
}

func TestSafeFilenames(t *testing.T) {
	cases := []struct{ name, in, want string }{
		{"harmless", "Ré sumé (1).pdf", "Ré sumé (1).pdf"},
		{"path", "../../etc/passwd", "passwd"},
		{"Windows path", `C:\temp\a.pdf`, "a.pdf"},
		{"path and nothing", "a/..", "a_"},
		{"dots", "..", "_"},
		{"leading dots", "..a", "_a"},
		{"dot file", ".profile", ".profile"},
		{"direction override", "a\u202egpj.exe", "a_gpj.exe"},
		{"control characters", "a\x00\r\nb", "a___b"},
		{"device", "con", "_con"},
		{"device with extension", "NUL.txt", "_NUL.txt"},
		{"numbered device", "com1.log", "_com1.log"},
		{"no device", "console.log", "console.log"},
		{"trailing dots and spaces", "a.exe. . ", "a.exe"},
		{"colon and friends", `a:b<c>d"e|f?g*h`, "a_b_c_d_e_f_g_h"},
		{"too long", strings.Repeat("é", 200) + ".pdf", strings.Repeat("é", 125) + ".pdf"},
		{"too long without extension", strings.Repeat("x", 300), strings.Repeat("x", 255)},
		{"blank", "   ", "_"},
		{"none", "", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := safeFilename(c.in); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestParametersAreBounded(t *testing.T) {
	m := read(t, "Content-Type: application/x-y"+strings.Repeat("; a=b", 300)+"; name=x\n\nx\n")
	wantCode(t, m, IssueParamLimit)
	if m.parts[0].ContentType != "application/x-y" || m.parts[0].FilenameRaw != "" {
		t.Errorf("got %+v", m.parts[0].Part)
	}
}

func TestCharsetParameters(t *testing.T) {
	for in, want := range map[string]string{
		"text/plain; charset=utf-8":                         "utf-8",
		`text/plain; charset="utf-8"`:                       "utf-8",
		"text/plain; charset=us-ascii (plain text)":         "us-ascii",
		"text/plain; format=flowed; charset=koi8-r":         "koi8-r",
		"text/plain; charset=utf-8 format=flowed":           "utf-8",
		"text/plain charset=utf-8":                          "utf-8",
		"text/plain;charset=utf-8;":                         "utf-8",
		"text/plain; charset*=us-ascii'en'utf-8":            "utf-8",
		"text/plain; charset=\"utf-8\"; charset=iso-8859-1": "utf-8",
	} {
		if got := read(t, "Content-Type: "+in+"\n\nx\n").parts[0].Charset; got != want {
			t.Errorf("%q: charset %q, want %q", in, got, want)
		}
	}
}
