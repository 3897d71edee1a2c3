package tnef

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

func TestAMessageOfOutlook(t *testing.T) {
	inner := newStream().message(1252, new(props)).attachment("in.txt", []byte("inner"), nil).String()
	all, r := mustRead(t, zoo(), Options{})
	if m := r.Message(); !reflect.DeepEqual(m, Message{Class: "IPM.Note", Subject: "Angebot Ω", MessageID: "<1@example.org>"}) || len(r.Flaws()) != 0 {
		t.Errorf("message %+v, flaws %v", m, r.Flaws())
	}
	want := []got{
		{Object{Kind: KindText, ContentType: "text/plain", Charset: "windows-1252"}, "Hello you"},
		{Object{Kind: KindHTML, ContentType: "text/html", Charset: "utf-8"}, "<p>Hello you</p>"},
		{Object{Name: "Bild Ω.png", ContentType: "image/png", ContentID: "p1@x", Hidden: true}, strings.Repeat("png", 1500)},
		{Object{Kind: KindMessage, Name: "The inner one", ContentType: "application/ms-tnef"}, inner},
		{Object{Name: "object", ContentType: "application/octet-stream"}, "OLE storage"},
		{Object{Name: "by property.bin", ContentType: "application/octet-stream"}, "property"},
		{Object{Name: "empty.txt", ContentType: "application/octet-stream"}, ""},
	}
	if a, b := dump(all, r), dump(want, r); a != b {
		t.Errorf("got\n%swant\n%s", a, b)
	}
}

func TestTheResultDependsOnTheOctetsAlone(t *testing.T) {
	all, r := mustRead(t, zoo(), Options{})
	want := dump(all, r)
	for name, cut := range map[string]func(io.Reader) io.Reader{
		"one octet": iotest.OneByteReader, "half": iotest.HalfReader, "data with error": iotest.DataErrReader,
	} {
		r := NewReader(cut(bytes.NewReader(zoo())), Options{})
		all, _ := readAll(r)
		if s := dump(all, r); s != want {
			t.Errorf("%s: got\n%swant\n%s", name, s, want)
		}
	}
}

func TestNextDrainsWhatWasNotRead(t *testing.T) {
	r := NewReader(bytes.NewReader(zoo()), Options{})
	var names []string
	var last *Object
	for {
		o, err := r.Next()
		if err != nil {
			break
		}
		if last != nil {
			names = append(names, last.Name)
			if n, err := last.Read(make([]byte, 9)); n != 0 || err != io.EOF {
				t.Errorf("an object that was left gives %d, %v", n, err)
			}
		}
		last = o
	}
	if want := []string{"", "", "Bild Ω.png", "The inner one", "object", "by property.bin"}; !slices.Equal(names, want) {
		t.Errorf("got %q, want %q", names, want)
	}
}

func isPrefix(s, whole string) bool { return strings.HasPrefix(whole, s) }

// Cut anywhere, a stream gives what it had until there, and says that it is cut.
func TestATruncatedStreamGivesWhatIsThere(t *testing.T) {
	tnef := zoo()
	whole, _ := mustRead(t, tnef, Options{})
	for i := range tnef {
		all, r := mustRead(t, tnef[:i], Options{})
		k := 0
		for _, g := range all {
			for k < len(whole) && whole[k].Kind != g.Kind {
				k++
			}
			// Until the properties are there, an embedded message is the sentence that stands for it,
			// and RTF is no HTML before it says so.
			const sentence, early = "This is for those without MAPI.", `{\rtf1\ansi\ansicpg1252\fromhtml1 `
			if isPrefix(g.octets, sentence) || isPrefix(g.octets, early) {
				continue
			}
			if k == len(whole) || !isPrefix(g.octets, whole[k].octets) {
				t.Fatalf("cut at %d: %s %q", i, g.Kind, g.octets)
			}
			k++
		}
		for _, f := range r.Flaws() {
			if f.Code != FlawTruncated {
				t.Fatalf("cut at %d: %v", i, f)
			}
		}
	}
}

func TestErrorsOfTheTransportComeAsTheyAre(t *testing.T) {
	tnef := zoo()
	for _, broken := range []error{io.ErrUnexpectedEOF, errors.New("connection reset")} {
		for i := 0; i < len(tnef); i += 7 {
			r := NewReader(io.MultiReader(bytes.NewReader(tnef[:i]), iotest.ErrReader(broken)), Options{})
			if _, err := readAll(r); err != broken || len(r.Flaws()) != 0 {
				t.Fatalf("after %d octets: %v, flaws %v", i, err, r.Flaws())
			}
		}
	}
}

// endless is an attachment of as many octets as one likes.
type endless struct{ left int64 }

func (e *endless) Read(b []byte) (int, error) {
	if e.left == 0 {
		return 0, io.EOF
	}
	n := int(min(int64(len(b)), e.left))
	e.left -= int64(n)
	clear(b[:n])
	return n, nil
}

func TestALargeAttachmentCostsNoMoreThanASmallOne(t *testing.T) {
	const size = 16 << 20
	head := newStream().message(1252, new(props))
	head.WriteByte(levelAttachment)
	head.Write(append(le32(0x0006800f), le32(size)...))
	tail := append(le16(0), newStream().attachment("late name", nil, nil).Bytes()[len(newStream().Bytes())+25:]...)
	r := NewReader(io.MultiReader(&head.Buffer, &endless{size}, bytes.NewReader(tail)), Options{})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	o, err := r.Next()
	if err != nil {
		t.Fatal(err)
	}
	n, err := io.Copy(io.Discard, o)
	runtime.ReadMemStats(&after)
	if n != size || err != nil || o.Name != "late name" || len(r.Flaws()) > 0 {
		t.Errorf("%d octets of %q, %v, %v", n, o.Name, err, r.Flaws())
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > 200<<10 {
		t.Errorf("%d octets were allocated", used)
	}
}

func TestLimits(t *testing.T) {
	all, r := mustRead(t, zoo(), Options{Objects: 3})
	if len(all) != 3 || r.Flaws()[0].Code != FlawLimit || all[2].Name != "Bild Ω.png" {
		t.Errorf("%d objects, %v", len(all), r.Flaws())
	}
	all, r = mustRead(t, zoo(), Options{Value: 7, Body: 120})
	if !isPrefix(all[1].octets, "<p>Hello you</p") || all[2].Name != "Bil" || len(r.Flaws()) != 2 {
		t.Errorf("%q %q %v", all[1].octets, all[2].Name, r.Flaws())
	}
}

func TestFlawsAreBounded(t *testing.T) {
	s := newStream()
	for i := range 1000 {
		s.attr(levelMessage, uint32(0x7000+i), nil)
		s.Truncate(s.Len() - 1)
		s.WriteByte(9)
	}
	if _, r := mustRead(t, s.Bytes(), Options{}); len(r.Flaws()) != maxFlaws+1 {
		t.Errorf("%d flaws", len(r.Flaws()))
	}
}
