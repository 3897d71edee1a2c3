package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mailflume/testdata"
)

const plain = "From: A <a@example.org>\r\nTo: b@example.org\r\nSubject: hello\r\nDate: Tue, 10 Nov 2026 09:00:00 +0100\r\nMessage-ID: <1@example.org>\r\n\r\nhi\r\n"

// folder writes files and, for expectations, an expected.jsonl.
func folder(t *testing.T, files map[string]string, expected ...map[string]any) string {
	t.Helper()
	dir := t.TempDir()
	var lines bytes.Buffer
	for _, e := range expected {
		if err := json.NewEncoder(&lines).Encode(e); err != nil {
			t.Fatal(err)
		}
	}
	if expected != nil {
		files["expected.jsonl"] = lines.String()
	}
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// agrees reads a folder and returns what was printed and whether it was good enough.
func agrees(t *testing.T, dir string) (string, bool) {
	t.Helper()
	var out bytes.Buffer
	err := run(t.Context(), &out, dir, "")
	t.Logf("%s\n%v", &out, err)
	return out.String(), err == nil
}

func sum(s string) string {
	b := sha256.Sum256([]byte(s))
	return hex.EncodeToString(b[:])
}

func TestAPlainFolderIsReadAndItsRepairsAreCounted(t *testing.T) {
	dir := folder(t, map[string]string{"one": plain, "sub/two": "From x Tue Nov 10\r\n" + plain})
	lines := filepath.Join(t.TempDir(), "lines")
	var out bytes.Buffer
	if err := run(t.Context(), &out, dir, lines); err != nil {
		t.Fatal(err)
	}
	if got := out.String(); !strings.HasPrefix(got, "2 of 2 messages read") || !strings.Contains(got, "1 mbox-from-line") || strings.Contains(got, "agree") {
		t.Error(got)
	}
	if b, err := os.ReadFile(lines); err != nil || bytes.Count(b, []byte("\n")) != 2 || !bytes.Contains(b, []byte(`"subject":"hello"`)) {
		t.Errorf("%q, %v", b, err)
	}
}

func TestWhatIsAsExpectedAgrees(t *testing.T) {
	want := map[string]any{
		"file": "a.eml", "subject": "hello", "from": []string{"A@example.org"}, "to": []string{"b@example.org"}, "date": "2026-11-10T08:00:00Z",
		"message_id": "1@example.org", "attachment_sha256": []string{}, "attachment_names": []string{}, "votes": map[string]string{"subject": "9/9"},
	}
	for _, where := range []string{"a.eml", "open/a.eml"} {
		out, ok := agrees(t, folder(t, map[string]string{where: plain, "MANIFEST.tsv": "no message"}, want))
		if !ok || !strings.HasPrefix(out, "1 of 1") || strings.Count(out, "100.00%") != 14 {
			t.Errorf("%s: %s", where, out)
		}
	}
}

func TestADifferenceNobodyExplainedFails(t *testing.T) {
	for field, want := range map[string]any{
		"subject": "other", "from": []string{}, "to": []string{"b@example.org", "c@example.org"}, "date": "2026-11-10T09:00:00Z",
		"message_id": "2@example.org", "attachment_sha256": []string{sum("")}, "attachment_names": []string{"x"},
	} {
		out, ok := agrees(t, folder(t, map[string]string{"a.eml": plain}, map[string]any{"file": "a.eml", field: want}))
		if ok || !strings.Contains(out, "nobody has explained") || !strings.Contains(out, "a.eml "+field) {
			t.Errorf("%s: accepted or not shown", field)
		}
	}
}

func TestAddressesInAnotherOrderDoNotAgree(t *testing.T) {
	msg := strings.Replace(plain, "To: b@", "To: c@example.org, b@", 1)
	want := map[string]any{"file": "a.eml", "to": []string{"b@example.org", "c@example.org"}}
	if _, ok := agrees(t, folder(t, map[string]string{"a.eml": msg}, want)); ok {
		t.Error("accepted")
	}
}

func TestAFailureFails(t *testing.T) {
	t.Run("a message that cannot be read", func(t *testing.T) {
		dir := folder(t, map[string]string{"a.eml": plain})
		if err := os.Symlink("nowhere", filepath.Join(dir, "b.eml")); err != nil {
			t.Fatal(err)
		}
		if out, ok := agrees(t, dir); ok || !strings.Contains(out, "FAILED b.eml") || !strings.HasPrefix(out, "1 of 2") {
			t.Error("accepted or not shown")
		}
	})
	t.Run("a message that is not there", func(t *testing.T) {
		dir := folder(t, map[string]string{"a.eml": plain}, map[string]any{"file": "a.eml"}, map[string]any{"file": "b.eml"})
		if out, ok := agrees(t, dir); ok || !strings.Contains(out, "FAILED b.eml") {
			t.Error("accepted or not shown")
		}
	})
	t.Run("a folder without a message", func(t *testing.T) {
		if _, ok := agrees(t, t.TempDir()); ok {
			t.Error("accepted")
		}
	})
	t.Run("an expectation that is no JSON", func(t *testing.T) {
		if _, ok := agrees(t, folder(t, map[string]string{"a.eml": plain, "expected.jsonl": "{"})); ok {
			t.Error("accepted")
		}
	})
}

// mixed is a multipart of a text and the given part.
func mixed(part string) string {
	return "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\nhi\r\n--x\r\n" + part + "\r\n--x--\r\n"
}

func TestEachClassExplainsItsDifference(t *testing.T) {
	deep := "end\r\n"
	for i := range 102 {
		b := strings.Repeat("b", i+1)
		deep = "Content-Type: multipart/mixed; boundary=" + b + "\r\n\r\n--" + b + "\r\n" + deep + "\r\n--" + b + "--\r\n"
	}
	uu := "begin 600 x\r\n#86)C\r\n`\r\nend"
	for _, tc := range []struct {
		class, message, field string
		want                  any
	}{
		{"message part", mixed("Content-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\ny"), digests, []string{}},
		{"message part", mixed("Content-Type: message/rfc822; name=x\r\n\r\nSubject: x\r\n\r\ny"), names, []string{}},
		{"opened by us", "\r\nhi\r\n" + uu + "\r\n", digests, []string{}},
		{"opened by us", "\r\nhi\r\n" + uu + "\r\n", names, []string{}},
		{"depth", deep, digests, []string{}},
		{"transfer encoding", mixed("Content-Type: image/png\r\nContent-Transfer-Encoding: x-uuencode\r\n\r\n" + uu), digests, []string{sum(uu)}},
		{"broken base64", mixed("Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\nYWJjZA"), digests, []string{sum("abc")}},
		{"type without subtype", "Content-Type: text\r\n\r\nhi\r\n", digests, []string{sum("hi\r\n")}},
		{"raw 8-bit", "Subject: gr\xfcn und bl\xe4u\r\n\r\nhi\r\n", "subject", "gr\uFFFDn und bl\uFFFDu"},
		{"raw 8-bit", mixed("Content-Type: image/png; name=\"gr\xfcn.png\"\r\n\r\nx"), names, []string{"gr\uFFFDn.png"}},
		{"word without charset", "Subject: =??Q?gr=FCn?=\r\n\r\nhi\r\n", "subject", "=??Q?gr=FCn?="},
		{"date others refuse", "Date: Tue, 10 Nov 2026 09:00:00\r\n\r\nhi\r\n", "date", ""},
		{"year of three digits", "Date: Tue, 10 Nov 0102 09:00:00 +0000\r\n\r\nhi\r\n", "date", "0102-11-10T09:00:00Z"},
		{"zone name", "Date: Tue, 10 Nov 2026 09:00:00 JST\r\n\r\nhi\r\n", "date", "2026-11-10T09:00:00Z"},
		{"junk in the message-id", "Message-ID: <1@example.org> (by x)\r\n\r\nhi\r\n", "message_id", "1@example.org> (by x)"},
		{"junk in the message-id", "Message-ID: <1@ example.org>\r\n\r\nhi\r\n", "message_id", "1@ example.org"},
	} {
		t.Run(tc.class+" "+tc.field, func(t *testing.T) {
			out, ok := agrees(t, folder(t, map[string]string{"a.eml": tc.message}, map[string]any{"file": "a.eml", tc.field: tc.want}))
			if !ok || !strings.Contains(out, tc.field+": "+tc.class+" (") {
				t.Error("not explained")
			}
		})
	}
}

func TestTheEventOfAJournalReportIsThatOfItsMessage(t *testing.T) {
	report, err := fs.ReadFile(testdata.Mail(), "journal-report.eml")
	if err != nil {
		t.Fatal(err)
	}
	out, ok := agrees(t, folder(t, map[string]string{"a.eml": string(report)}, map[string]any{"file": "a.eml", "subject": "the report", "to": []string{}}))
	if !ok || !strings.Contains(out, "subject: journal (") {
		t.Error("not explained")
	}
}

func TestAClassExplainsNothingElse(t *testing.T) {
	for name, tc := range map[string]struct {
		message, field string
		want           any
	}{
		"another attachment beside a message part": {mixed("Content-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\ny"), digests, []string{sum("z")}},
		"whole base64 with another digest":         {mixed("Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\nYWJj"), digests, []string{sum("abd")}},
		"8-bit text with another ASCII letter":     {"Subject: gr\xfcn\r\n\r\nhi\r\n", "subject", "gr\uFFFDm"},
		"a zone name with another clock":           {"Date: Tue, 10 Nov 2026 09:00:00 JST\r\n\r\nhi\r\n", "date", "2026-11-10T08:30:00Z"},
		"a date invented of nothing":               {"\r\nhi\r\n", "date", "2026-11-10T08:30:00Z"},
		"another id":                               {"Message-ID: <1@example.org>\r\n\r\nhi\r\n", "message_id", "2@example.org> x"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, ok := agrees(t, folder(t, map[string]string{"a.eml": tc.message}, map[string]any{"file": "a.eml", tc.field: tc.want})); ok {
				t.Error("accepted")
			}
		})
	}
}
