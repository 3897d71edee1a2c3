package ingest_test

import (
	"io"
	"runtime"
	"strings"
	"testing"

	"mailflume/ingest"
	"mailflume/parse"
	"mailflume/publish"
)

// compose reads a message written with LF line ends.
func compose(t *testing.T, c *ingest.Composer, msg string) *publish.Data {
	t.Helper()
	data := new(publish.Data)
	if err := c.Compose(t.Context(), strings.NewReader(strings.ReplaceAll(msg, "\n", "\r\n")), nil, data); err != nil {
		t.Fatal(err)
	}
	return data
}

func TestWhatOnlyPretendsToBeAJournalReportKeepsItsText(t *testing.T) {
	const journal = "X-MS-Journal-Report:\nContent-Type: multipart/alternative; boundary=b\n\n"
	data := compose(t, new(ingest.Composer), journal+"--b\nContent-Type: text/plain; charset=iso-8859-1\n\nGr\xfc\xdfe\n--b\nContent-Type: text/html\n\n<p>hello\n--b--\n")
	if got := data.Text; got == nil || got.Content != "Grüße" || got.Derived != "" || data.HTML.Content != "<p>hello" || data.Kind != "message" {
		t.Errorf("text %+v, HTML %+v, kind %s", got, data.HTML, data.Kind)
	}
}

// repeated gives a piece n times without holding more than one.
type repeated struct {
	head, piece, rest string
	n                 int
}

// Read implements io.Reader.
func (r *repeated) Read(b []byte) (n int, err error) {
	for n < len(b) {
		switch {
		case r.rest != "":
		case r.head != "":
			r.rest, r.head = r.head, ""
		case r.n > 0:
			r.rest = r.piece
			r.n--
		case n == 0:
			return 0, io.EOF
		default:
			return n, nil
		}
		k := copy(b[n:], r.rest)
		r.rest = r.rest[k:]
		n += k
	}
	return n, nil
}

func TestManyAttachmentsTakeLittleMemory(t *testing.T) {
	const head = "Content-Type: multipart/mixed; boundary=a\r\n\r\n"
	for name, piece := range map[string]string{
		"long names": "--a\r\nContent-Type: a/b; name=\"" + strings.Repeat("x", 5000) + "\"\r\nContent-ID: <" + strings.Repeat("x", 5000) + ">\r\n\r\nhello\r\n",
		"long types": "--a\r\nContent-Type: a/" + strings.Repeat("x", 5000) + "\r\n\r\nhello\r\n",
		"messages":   "--a\r\nContent-Type: message/rfc822\r\n\r\nTo: " + strings.Repeat("a@b.example,\r\n ", 1000) + "c@d\r\n\r\nhello\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			data := new(publish.Data)
			if err := new(ingest.Composer).Compose(t.Context(), &repeated{head: head, piece: piece, n: 2000}, nil, data); err != nil {
				t.Fatal(err)
			}
			runtime.GC()
			runtime.ReadMemStats(&after)
			if got := int64(after.HeapAlloc) - int64(before.HeapAlloc); got > 8<<20 {
				t.Errorf("the event of a message of %d MiB holds %d MiB", 2000*len(piece)>>20, got>>20)
			}
			last := data.Issues[len(data.Issues)-1]
			if len(data.Attachments) != 2000 || last.Code != parse.IssueReportLimit || data.Attachments[1999].Size == 0 {
				t.Errorf("%d attachments, issue %v", len(data.Attachments), last)
			}
			if a := data.Attachments[0]; a.Message == nil && a.FilenameRaw == "" && len(a.ContentType) < 5000 {
				t.Errorf("the first says too little: %v", a)
			}
			runtime.KeepAlive(data)
		})
	}
}

// What is said of a part is a few words. They must not keep the header in memory that they stood in.
func TestLargeHeadersAreForgotten(t *testing.T) {
	large := strings.Repeat("X: "+strings.Repeat("y", 100_000)+"\r\n", 5)
	for name, part := range map[string]string{
		"attachments":   "Content-Disposition: attachment\r\n\r\nx\r\n",
		"bodies":        "Content-Type: text/plain; charset=ibm037\r\n\r\nx\r\n",
		"reports":       "Content-Type: message/delivery-status\r\n\r\nAction: failed\r\n",
		"messages":      "Content-Type: message/rfc822\r\n\r\n" + large + "Subject: x\r\n\r\nx\r\n",
		"external ones": "Content-Type: message/external-body; access-type=url; url=x\r\n\r\nx\r\n",
		"partial ones":  "Content-Type: message/partial; id=a; number=1; total=2\r\n\r\nx\r\n",
		"multiparts":    "Content-Type: multipart/mixed; boundary=b\r\n\r\n",
	} {
		data := new(publish.Data)
		var held, before runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		ends := &atEnd{r: &repeated{head: "Content-Type: multipart/mixed; boundary=b\r\n\r\n", piece: "--b\r\n" + large + part, n: 16}, do: func() {
			runtime.GC()
			runtime.ReadMemStats(&held)
		}}
		if err := new(ingest.Composer).Compose(t.Context(), ends, nil, data); err != nil {
			t.Fatal(err)
		}
		if n := int64(held.HeapAlloc) - int64(before.HeapAlloc); n > 5<<19 {
			t.Errorf("%s: %d KiB are held at the end of 8 MB", name, n>>10)
		}
		runtime.KeepAlive(data)
	}
}

// atEnd does something once all was read.
type atEnd struct {
	r  io.Reader
	do func()
}

func (a *atEnd) Read(b []byte) (int, error) {
	n, err := a.r.Read(b)
	if err == io.EOF {
		a.do()
	}
	return n, err
}
