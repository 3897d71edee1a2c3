package tnef

import (
	"testing"
)

func TestBodies(t *testing.T) {
	const end = "{Class:IPM.Note Subject: MessageID:}\n[]\n"
	html := compress(`{\rtf1\ansi\fromhtml1 {\*\htmltag64 <b>}x}`)
	text := compress(`{\rtf1\ansi\fromtext x\par }`)
	own := compress(`{\rtf1\ansi \b x}`)
	for _, c := range []struct {
		name  string
		props *props
		want  string
	}{
		{"unicode text", new(props).variable(typeUnicode, prBody, wide("ab")), "text \"\" text/plain \"utf-16le\" \"\" false \"a\\x00b\\x00\"\n"},
		{"unicode text without NUL", new(props).variable(typeUnicode, prBody, wide("ab")[:4]), "text \"\" text/plain \"utf-16le\" \"\" false \"a\\x00b\\x00\"\n"},
		{"8-bit text", new(props).variable(typeString8, prBody, str8("ab")), "text \"\" text/plain \"koi8-r\" \"\" false \"ab\"\n"},
		{"8-bit text without NUL", new(props).variable(typeString8, prBody, []byte("ab")), "text \"\" text/plain \"koi8-r\" \"\" false \"ab\"\n"},
		{"empty text", new(props).variable(typeString8, prBody, str8("")), ""},
		{"two texts", new(props).variable(typeString8, prBody, str8("ab")).variable(typeUnicode, prBody, wide("ab")),
			"text \"\" text/plain \"koi8-r\" \"\" false \"ab\"\n"},
		{"HTML in a code page that is known", new(props).fixed(3, prInternetCPID, le32(65001)).variable(typeBinary, prHTML, []byte("<b>")),
			"html \"\" text/html \"utf-8\" \"\" false \"<b>\"\n"},
		{"HTML", new(props).variable(typeBinary, prHTML, []byte("<b>")), "html \"\" text/html \"\" \"\" false \"<b>\"\n"},
		{"HTML as a string", new(props).variable(typeString8, prHTML, str8("<b>")), "html \"\" text/html \"koi8-r\" \"\" false \"<b>\"\n"},
		{"RTF of HTML", new(props).variable(typeBinary, prRTFCompressed, html), "html \"\" text/html \"utf-8\" \"\" false \"<b>x\"\n"},
		{"RTF of HTML, and HTML after it", new(props).variable(typeBinary, prRTFCompressed, html).variable(typeBinary, prHTML, []byte("<i>")),
			"html \"\" text/html \"\" \"\" false \"<i>\"\n"},
		{"RTF of text", new(props).variable(typeBinary, prRTFCompressed, text), "text \"\" text/plain \"utf-8\" \"\" false \"x\\r\\n\"\n"},
		{"RTF of text, and text", new(props).variable(typeBinary, prRTFCompressed, text).variable(typeString8, prBody, str8("x")),
			"text \"\" text/plain \"koi8-r\" \"\" false \"x\"\n"},
		{"RTF alone", new(props).variable(typeBinary, prRTFCompressed, own),
			"text \"\" text/plain \"utf-8\" \"\" false \"x\"\nrtf \"\" application/rtf \"\" \"\" false \"{\\\\rtf1\\\\ansi \\\\b x}\"\n"},
		{"RTF and text", new(props).variable(typeBinary, prRTFCompressed, own).variable(typeString8, prBody, str8("x")),
			"text \"\" text/plain \"koi8-r\" \"\" false \"x\"\nrtf \"\" application/rtf \"\" \"\" false \"{\\\\rtf1\\\\ansi \\\\b x}\"\n"},
	} {
		t.Run(c.name, func(t *testing.T) { check(t, newStream().message(20866, c.props).Bytes(), c.want+end) })
	}
}

func TestTheBodyAttribute(t *testing.T) {
	s := newStream().attr(levelMessage, 0x0002800c, str8("as attribute"))
	check(t, s.message(1252, new(props).variable(typeString8, prBody, str8("as property"))).Bytes(), `
text "" text/plain "" "" false "as attribute"
{Class:IPM.Note Subject: MessageID:}
[]
`)
}

func TestTheRTFBodyComesBeforeTheAttachments(t *testing.T) {
	p := new(props).variable(typeBinary, prRTFCompressed, compress(`{\rtf1\fromhtml1 x}`))
	s := newStream().message(1252, p).attachment("a", []byte("A"), nil).attachment("b", []byte("B"), nil)
	all, _ := mustRead(t, s.Bytes(), Options{})
	if len(all) != 3 || all[0].Kind != KindHTML || all[1].Name != "a" {
		t.Errorf("%v", all)
	}
}

func TestCodepageLabels(t *testing.T) {
	for cp, want := range map[int]string{
		0: "", 437: "ibm437", 866: "ibm866", 874: "windows-874", 932: "shift_jis", 1251: "windows-1251", 1200: "utf-16le",
		20127: "us-ascii", 28591: "iso-8859-1", 28605: "iso-8859-15", 65001: "utf-8", 99999: "",
	} {
		if got := codepageLabel(cp); got != want {
			t.Errorf("%d: %q, want %q", cp, got, want)
		}
	}
}
