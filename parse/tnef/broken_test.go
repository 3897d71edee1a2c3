package tnef

import (
	"bytes"
	"strings"
	"testing"
)

const plain = "application/octet-stream"

func TestBrokenStreams(t *testing.T) {
	two := newStream().attachment("a", []byte("A"), nil).attachment("b", []byte("B"), nil).Bytes()
	wrongSum := bytes.Replace(two, []byte("\x01\x00\x00\x00A\x41\x00"), []byte("\x01\x00\x00\x00A\x42\x00"), 1)
	lying := bytes.Replace(two, []byte("\x01\x00\x00\x00B\x42"), []byte("\xff\xff\xff\xffB\x42"), 1)
	short := bytes.Replace(two, []byte("\x01\x00\x00\x00A\x41\x00"), []byte("\x00\x00\x00\x00A\x41\x00"), 1)
	bothEmpty := "{Class: Subject: MessageID:}\n"
	for _, c := range []struct{ name, tnef, want string }{
		{"nothing", "", bothEmpty + "[{truncated the stream ends inside of an attribute}]\n"},
		{"not TNEF", "Dear reader, this is text", bothEmpty + "[{invalid no TNEF signature}]\n"},
		{"a signature alone", signature + "\x01\x00", bothEmpty + "[]\n"},
		{"garbage at the end", string(two) + "\r\n", `
attachment "a" ` + plain + ` "" "" false "A"
attachment "b" ` + plain + ` "" "" false "B"
` + bothEmpty + "[{invalid 0x0d where an attribute should begin}]\n"},
		{"a wrong checksum", string(wrongSum), `
attachment "a" ` + plain + ` "" "" false "A"
attachment "b" ` + plain + ` "" "" false "B"
` + bothEmpty + "[{checksum checksum of attribute 0x800f}]\n"},
		{"a length of 4 GiB", string(lying), `
attachment "a" ` + plain + ` "" "" false "A"
attachment "b" ` + plain + ` "" "" false "B` + `B\x00\x02\x11\x80\x06\x00\n\x00\x00\x00a metafile\xc8\x03"
` + bothEmpty + "[{truncated the stream ends inside of an attribute}]\n"},
		{"a length too short", string(short), `
attachment "a" ` + plain + ` "" "" false ""
` + bothEmpty + "[{checksum checksum of attribute 0x800f} {invalid 0x00 where an attribute should begin}]\n"},
	} {
		t.Run(c.name, func(t *testing.T) { check(t, []byte(c.tnef), c.want) })
	}
}

func TestBrokenProperties(t *testing.T) {
	body := func(b []byte) []byte { return append(le32(9), b...) }
	for _, c := range []struct {
		name  string
		props []byte
		flaw  string
	}{
		{"none", nil, FlawInvalid},
		{"fewer than announced", le32(2), FlawInvalid},
		{"no value", body([]byte("\x1e\x00\x37\x00")), FlawInvalid},
		{"a type that is none", body([]byte("\x77\x00\x37\x00aaaa")), FlawInvalid},
		{"a name of unknown kind", body([]byte("\x03\x00\x01\x80" + "0123456789abcdef" + "\x07\x00\x00\x00\x00\x00\x00\x00")), FlawInvalid},
		{"a name of 4 GiB", body([]byte("\x03\x00\x01\x80" + "0123456789abcdef" + "\x01\x00\x00\x00\xff\xff\xff\xff")), FlawInvalid},
		{"half a name", body([]byte("\x03\x00\x01\x80" + "01234567")), FlawInvalid},
		{"4 billion values without octets", body([]byte("\x01\x10\x01\x66\xff\xff\xff\xff")), FlawInvalid},
		{"4 billion values", body([]byte("\x03\x10\x01\x66\xff\xff\xff\xff\x01\x00\x00\x00")), FlawInvalid},
		{"a value of 4 GiB", body([]byte("\x1e\x00\x35\x10\x01\x00\x00\x00\xff\xff\xff\xff")), FlawInvalid},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStream().attr(levelMessage, 0x00069003, c.props)
			all, r := mustRead(t, s.attachment("after", []byte("wards"), nil).Bytes(), Options{})
			if len(all) != 1 || all[0].octets != "wards" || len(r.Flaws()) != 1 || r.Flaws()[0].Code != c.flaw {
				t.Errorf("%v, %v", all, r.Flaws())
			}
		})
	}
}

func TestAPropertyBeyondItsAttributeIsCut(t *testing.T) {
	p := new(props).variable(typeBinary, prAttachData, []byte("octets"))
	b := p.bytes()
	b[12] = 99 // its size
	check(t, newStream().attachment("cut.txt", nil, nil).attr(levelAttachment, 0x00069005, b).Bytes(), `
attachment "cut.txt" `+plain+` "" "" false "octets\x00\x00"
{Class: Subject: MessageID:}
[{invalid a property beyond the end of attribute 0x9005}]
`)
}

func TestThePaddingOfTheLastPropertyMayBeMissing(t *testing.T) {
	b := new(props).variable(typeString8, prSubject, str8("Hello")).bytes()
	check(t, newStream().attr(levelMessage, 0x00069003, b[:len(b)-2]).Bytes(), "{Class: Subject:Hello MessageID:}\n[]\n")
}

func TestAttachments(t *testing.T) {
	bin := func(s string) *props { return new(props).variable(typeBinary, prAttachData, []byte(s)) }
	long := strings.Repeat("x", maxPlaceholder+1)
	s := newStream()
	s.attachment("both.txt", []byte("octets"), bin("octets"))
	s.attachment("long.txt", []byte(long), bin(long))
	s.attachment("empty attribute.txt", []byte{}, bin("octets"))
	s.attachment("", nil, nil) // neither name nor octets
	s.attachment("link", nil, new(props).variable(typeString8, prAttachTransportName, str8("http://x")))
	s.attachment("SHORT.TXT", []byte("1"), new(props).variable(typeString8, prDisplayName, str8("shown")).
		fixed(3, prAttachFlags, le32(attMHTMLRef)))
	// Without attAttachRenddata, what comes again belongs to the next.
	for _, name := range []string{"one", "two"} {
		s.attr(levelAttachment, 0x00018010, str8(name))
		s.attr(levelAttachment, 0x0006800f, []byte("octets of "+name))
	}
	check(t, s.Bytes(), `
attachment "both.txt" `+plain+` "" "" false "octets"
attachment "long.txt" `+plain+` "" "" false "`+long+`"
attachment "empty attribute.txt" `+plain+` "" "" false "octets"
attachment "link" `+plain+` "" "" false ""
attachment "SHORT.TXT" `+plain+` "" "" true "1"
attachment "one" `+plain+` "" "" false "octets of one"
attachment "two" `+plain+` "" "" false "octets of two"
{Class: Subject: MessageID:}
[]
`)
}

func TestNamesInCodePages(t *testing.T) {
	s := newStream().message(932, new(props)).attachment("\x93\xfa\x96\x7b.txt", []byte("x"), nil).Bytes()
	all, _ := mustRead(t, s, Options{Text: func(charset string, b []byte) string {
		if charset != "shift_jis" || string(b) != "\x93\xfa\x96\x7b.txt" {
			return string(b)
		}
		return "日本.txt"
	}})
	if all[0].Name != "日本.txt" {
		t.Errorf("%q", all[0].Name)
	}
	if all, _ = mustRead(t, s, Options{}); all[0].Name != "“ú–{.txt" {
		t.Errorf("without a converter: %q", all[0].Name)
	}
}
