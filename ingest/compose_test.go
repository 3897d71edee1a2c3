package ingest_test

import (
	"strings"
	"testing"

	"mailflume/ingest"
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
