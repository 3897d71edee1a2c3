package testdata_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"io/fs"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"mailflume/testdata"
)

func messages(t *testing.T) map[string][]byte {
	t.Helper()
	names, err := fs.Glob(testdata.Mail(), "*.eml")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]byte{}
	for _, name := range names {
		b, err := fs.ReadFile(testdata.Mail(), name)
		if err != nil {
			t.Fatal(err)
		}
		out[name] = b
	}
	return out
}

func TestThereIsMailOfEveryKind(t *testing.T) {
	mail := messages(t)
	broken, total := 0, 0
	for name, b := range mail {
		total += len(b)
		if strings.HasPrefix(name, "broken-") {
			broken++
		}
	}
	if len(mail) < 28 || broken < 5 {
		t.Errorf("%d messages, %d of them broken; want at least 28 and 5", len(mail), broken)
	}
	if total > 1_500_000 {
		t.Errorf("%d octets in all: they travel in the binary, keep them under 1.5 MB", total)
	}
}

func TestLinesEndAsAServerSendsThem(t *testing.T) {
	for name, b := range messages(t) {
		lf, crlf := bytes.Count(b, []byte("\n")), bytes.Count(b, []byte("\r\n"))
		if name == "broken-bare-lf.eml" {
			if crlf != 0 || lf == 0 {
				t.Errorf("%s: %d CRLF, %d LF; it is about bare LF", name, crlf, lf)
			}
			continue
		}
		if lf != crlf {
			t.Errorf("%s: %d line feeds without a carriage return: has git changed the file?", name, lf-crlf)
		}
	}
}

func TestEverybodyIsFictional(t *testing.T) {
	domain := regexp.MustCompile(`@([A-Za-z0-9.-]+\.[A-Za-z]{2,})`)
	id := regexp.MustCompile(`(?im)^Message-ID: *(<[^>\r\n]+>)`)
	seen := map[string]string{}
	for name, b := range messages(t) {
		for _, m := range domain.FindAllSubmatch(b, -1) {
			d := strings.ToLower(string(m[1]))
			if !regexp.MustCompile(`(^|\.)example\.(com|org|net)$`).MatchString(d) {
				t.Errorf("%s: %s is somebody's domain", name, d)
			}
		}
		if m := id.FindSubmatch(b); m != nil {
			if other := seen[string(m[1])]; other != "" {
				t.Errorf("%s and %s have the same Message-ID", name, other)
			}
			seen[string(m[1])] = name
		}
	}
}

// attachment decodes the first base64 body after the given text.
func attachment(t *testing.T, name, after string) []byte {
	t.Helper()
	_, rest, ok := bytes.Cut(messages(t)[name], []byte(after))
	if !ok {
		t.Fatalf("%s does not contain %q", name, after)
	}
	_, rest, _ = bytes.Cut(rest, []byte("\r\n\r\n"))
	body, _, _ := bytes.Cut(rest, []byte("\r\n--"))
	out, err := base64.StdEncoding.DecodeString(string(bytes.ReplaceAll(body, []byte("\r\n"), nil)))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return out
}

func TestThePDFIsOne(t *testing.T) {
	pdf := attachment(t, "invoice-pdf.eml", "Content-Type: application/pdf")
	m := regexp.MustCompile(`startxref\n(\d+)\n%%EOF\n$`).FindSubmatch(pdf)
	if !bytes.HasPrefix(pdf, []byte("%PDF-1.4\n")) || m == nil {
		t.Fatalf("no head or no end: %q…", pdf[:min(len(pdf), 20)])
	}
	at, _ := strconv.Atoi(string(m[1]))
	if at >= len(pdf) || !bytes.HasPrefix(pdf[at:], []byte("xref\n")) {
		t.Fatalf("startxref %d does not point at the table", at)
	}
	for i, entry := range regexp.MustCompile(`(?m)^(\d{10}) 00000 n `).FindAllSubmatch(pdf[at:], -1) {
		off, _ := strconv.Atoi(string(entry[1]))
		if want := strconv.Itoa(i+1) + " 0 obj\n"; !bytes.HasPrefix(pdf[off:], []byte(want)) {
			t.Errorf("object %d is not where the table says", i+1)
		}
	}
}

func TestTheCSVIsLatin1ByteForByte(t *testing.T) {
	csv := attachment(t, "invoice-csv.eml", "text/csv")
	if !bytes.Contains(csv, []byte("Schraubenschl\xfcssel")) || !bytes.HasSuffix(csv, []byte("15,00\r\n")) {
		t.Errorf("octets changed: %q", csv)
	}
	if !bytes.Contains(messages(t)["invoice-csv.eml"], csv) {
		t.Error("the 8bit part does not hold the same octets as the base64 part")
	}
}

// TestTheWinmailIsWellFormed walks the attributes of MS-OXTNEF and checks their sums.
func TestTheWinmailIsWellFormed(t *testing.T) {
	b := attachment(t, "winmail-dat.eml", "Content-Type: application/ms-tnef")
	if len(b) < 6 || binary.LittleEndian.Uint32(b) != 0x223E9F78 {
		t.Fatal("no TNEF signature")
	}
	files := 0
	for b = b[6:]; len(b) > 0; {
		if len(b) < 11 {
			t.Fatalf("%d octets after the last attribute", len(b))
		}
		id, n := binary.LittleEndian.Uint32(b[1:]), int(binary.LittleEndian.Uint32(b[5:]))
		data, sum := b[9:9+n], uint16(0)
		for _, c := range data {
			sum += uint16(c)
		}
		if got := binary.LittleEndian.Uint16(b[9+n:]); got != sum {
			t.Errorf("attribute %08x: checksum %04x, want %04x", id, got, sum)
		}
		if id == 0x0006800F {
			files++
		}
		b = b[11+n:]
	}
	if files != 2 {
		t.Errorf("%d attached files, want 2", files)
	}
}
