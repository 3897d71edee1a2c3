package ingest_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"runtime"
	"strings"
	"testing"

	"mailflume/ingest"
	"mailflume/parse"
	"mailflume/publish"
	"mailflume/testdata"
)

// attached walks a message by itself: the octets of everything but the bodies, in document order.
func attached(t *testing.T, raw []byte) (parts []string, octets []*bytes.Buffer) {
	t.Helper()
	r := parse.NewReader(bytes.NewReader(raw), parse.Limits{})
	for {
		p, err := r.Next()
		if errors.Is(err, io.EOF) {
			return parts, octets
		}
		if err != nil {
			t.Fatal(err)
		}
		if p.Role == parse.RoleAttachment {
			parts, octets = append(parts, p.Path), append(octets, new(bytes.Buffer))
			p.Tee(octets[len(octets)-1])
		}
	}
}

func TestAttachmentsAreStoredInOrderAndWhole(t *testing.T) {
	names, err := fs.Glob(testdata.Mail(), "*.eml")
	if err != nil {
		t.Fatal(err)
	}
	mails := map[string][]byte{"layered": []byte(layered())}
	for _, name := range names {
		if mails[name], err = fs.ReadFile(testdata.Mail(), name); err != nil {
			t.Fatal(err)
		}
	}
	for name, raw := range mails {
		store, data := newBlobs(), new(publish.Data)
		c := &ingest.Composer{Blobs: store, Raw: true, Attachments: true}
		if err := c.Compose(t.Context(), bytes.NewReader(raw), nil, data); err != nil {
			t.Fatal(err)
		}
		if !store.has(data.Raw.SHA256, raw) || data.Raw.SHA256 != hexSum(raw) {
			t.Errorf("%s: the raw message is stored otherwise", name)
		}
		parts, octets := attached(t, raw)
		if len(parts) != len(data.Attachments) {
			t.Errorf("%s: %d attachments, want %v", name, len(data.Attachments), parts)
			continue
		}
		for i, a := range data.Attachments {
			want := octets[i].Bytes()
			if a.Part != parts[i] || a.SHA256 != hexSum(want) || a.Size != int64(len(want)) || !store.has(a.SHA256, want) || a.Ref != "mem:"+a.SHA256 {
				t.Errorf("%s: attachment %d is %v, want part %s of %d octets", name, i, a, parts[i], len(want))
			}
		}
	}
}

func TestALargeFileInAMessageInsideTakesLittleMemory(t *testing.T) {
	in := &repeated{head: "Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\nContent-Type: message/rfc822\r\n\r\nSubject: in\r\n" +
		"Content-Type: application/zip\r\nContent-Transfer-Encoding: base64\r\n\r\n", piece: strings.Repeat(strings.Repeat("QUFB", 19)+"\r\n", 100), n: 64 << 20 / 7800}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	data := new(publish.Data)
	c := &ingest.Composer{Blobs: &nthStore{nth: -1}, Raw: true, Attachments: true}
	if err := c.Compose(t.Context(), in, nil, data); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if got := (after.TotalAlloc - before.TotalAlloc) >> 20; got > 4 {
		t.Errorf("64 MiB allocated %d MiB", got)
	}
	if len(data.Attachments) != 2 || data.Attachments[1].Size != int64(64<<20/7800*100*57) {
		t.Errorf("attachments %v", data.Attachments)
	}
}
