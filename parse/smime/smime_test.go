package smime

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"errors"
	"io"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/smallstep/pkcs7"

	"mailflume/testdata"
)

// tlv writes an object of definite length.
func tlv(tag byte, parts ...string) string {
	b, err := asn1.Marshal(asn1.RawValue{Class: int(tag >> 6), IsCompound: tag&constructed != 0, Tag: int(tag & longNumber), Bytes: []byte(strings.Join(parts, ""))})
	if err != nil {
		panic(err)
	}
	return string(b)
}

// open writes an object of indefinite length.
func open(tag byte, parts ...string) string {
	return string([]byte{tag, 0x80}) + strings.Join(parts, "") + "\x00\x00"
}

// wrap makes signed-data around what stands for the octet string.
func wrap(octets string) string {
	return tlv(tagSequence, tlv(tagOID, oidPKCS7+"\x02"), tlv(tagExplicit, tlv(tagSequence, tlv(tagInteger, "\x01"),
		tlv(tagSet), tlv(tagSequence, tlv(tagOID, oidPKCS7+"\x01"), tlv(tagExplicit, octets)), tlv(tagSet))))
}

// wrapOpen is wrap as a streaming encoder writes it.
func wrapOpen(octets string) string {
	return open(tagSequence, tlv(tagOID, oidPKCS7+"\x02"), open(tagExplicit, open(tagSequence, tlv(tagInteger, "\x01"),
		open(tagSet, open(tagSequence, tlv(tagOID, "\x2b"), "\x05\x00")), open(tagSequence, tlv(tagOID, oidPKCS7+"\x01"), open(tagExplicit, octets)), tlv(tagSet))))
}

func TestEveryWayToWriteTheContent(t *testing.T) {
	deep := func(n int, s string) string {
		for range n {
			s = open(tagChunks, s)
		}
		return s
	}
	cases := []struct {
		name, octets, want string
		err                error
	}{
		{"primitive", tlv(tagOctets, "mail"), "mail", nil},
		{"empty", tlv(tagOctets), "", nil},
		{"length with leading zeros", "\x04\x84\x00\x00\x00\x04mail", "mail", nil},
		{"chunks", tlv(tagChunks, tlv(tagOctets, "ma"), tlv(tagOctets, "il")), "mail", nil},
		{"chunks until the end", open(tagChunks, tlv(tagOctets, "ma"), tlv(tagOctets), tlv(tagOctets, "il")), "mail", nil},
		{"no chunk", open(tagChunks), "", nil},
		{"chunks of chunks", open(tagChunks, tlv(tagChunks, open(tagChunks, tlv(tagOctets, "m")), tlv(tagOctets, "ai")), tlv(tagOctets, "l")), "mail", nil},
		{"content that looks like the end", open(tagChunks, tlv(tagOctets, "\x00\x00"), tlv(tagOctets, "\x00")), "\x00\x00\x00", nil},
		{"as deep as allowed", deep(maxDepth, tlv(tagOctets, "mail")), "mail", nil},
		{"deeper", deep(maxDepth+1, tlv(tagOctets, "mail")), "", ErrMalformed},
		{"chunk that leaves its string", tlv(tagChunks, tlv(tagOctets, "ma"), "\x04\x7fil"), "ma", ErrMalformed},
		{"something else between", tlv(tagChunks, tlv(tagOctets, "ma"), tlv(tagInteger, "il")), "ma", ErrMalformed},
		{"no string", tlv(tagSequence, "mail"), "", ErrMalformed},
		{"primitive without length", "\x04\x80mail\x00\x00", "", ErrMalformed},
		{"length of the universe", "\x04\x88\x7f\xff\xff\xff\xff\xff\xff\xff", "", ErrMalformed},
	}
	for _, c := range cases {
		for how, object := range map[string]string{"definite": wrap(c.octets), "indefinite": wrapOpen(c.octets)} {
			got, err := unwrap([]byte(object))
			if string(got) != c.want || !errors.Is(err, c.err) || err != nil && c.err == nil {
				t.Errorf("%s, %s: %q, %v; want %q, %v", c.name, how, got, err, c.want, c.err)
			}
		}
	}
}

func TestWhatIsNoOpaqueSignedObject(t *testing.T) {
	sd := func(parts ...string) string {
		return tlv(tagSequence, tlv(tagOID, oidPKCS7+"\x02"), tlv(tagExplicit, tlv(tagSequence, parts...)))
	}
	version, digests, data := tlv(tagInteger, "\x01"), tlv(tagSet), tlv(tagOID, oidPKCS7+"\x01")
	cases := []struct {
		name, object string
		err          error
	}{
		{"nothing", "", ErrMalformed},
		{"text", "Content-Type: text/plain\r\n", ErrMalformed},
		{"base64", "MIICwAYJKoZIhvcNAQcDbqaHdm6s", ErrMalformed},
		{"no type", tlv(tagSequence), ErrMalformed},
		{"another type", tlv(tagSequence, tlv(tagOID, "\x2a\x03")), ErrNotSigned},
		{"encrypted", tlv(tagSequence, tlv(tagOID, oidPKCS7+"\x03"), tlv(tagExplicit, "whatever")), ErrNotSigned},
		{"compressed", tlv(tagSequence, tlv(tagOID, oidSMIME+"\x09"), tlv(tagExplicit)), ErrNotSigned},
		{"endless type", tlv(tagSequence, tlv(tagOID, strings.Repeat("\x2a", 1000))), ErrMalformed},
		{"no content", sd(version, digests, tlv(tagSequence, data), tlv(tagSet)), ErrNoContent},
		{"no content until the end", sd(version, digests, open(tagSequence, data), tlv(tagSet)), ErrNoContent},
		{"empty content", sd(version, digests, tlv(tagSequence, data, tlv(tagExplicit)), tlv(tagSet)), ErrNoContent},
		{"empty content until the end", sd(version, digests, tlv(tagSequence, data, open(tagExplicit)), tlv(tagSet)), ErrNoContent},
		{"no version", sd(digests, tlv(tagSequence, data)), ErrMalformed},
		{"long tag", "\x3f\xff\xff\x7f\x00", ErrMalformed},
	}
	for _, c := range cases {
		if got, err := unwrap([]byte(c.object)); len(got) > 0 || !errors.Is(err, c.err) {
			t.Errorf("%s: %q, %v; want %v", c.name, got, err, c.err)
		}
	}
}

func TestLengthsAroundTheContentDoNotMatter(t *testing.T) {
	object := []byte(wrap(tlv(tagOctets, "mail")))
	object[1], object[14] = 0x7f, 0x03 // of the ContentInfo and of its [0]
	if got, err := unwrap(object); string(got) != "mail" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

func TestACutObjectGivesWhatItHas(t *testing.T) {
	for _, object := range []string{wrap(tlv(tagOctets, "The valve is closed.")), wrapOpen(open(tagChunks, tlv(tagOctets, "The valve "), tlv(tagOctets, "is closed.")))} {
		whole, err := unwrap([]byte(object))
		if err != nil {
			t.Fatal(err)
		}
		last := 0
		for n := range len(object) {
			got, err := unwrap([]byte(object[:n]))
			if !bytes.HasPrefix(whole, got) || len(got) < last {
				t.Errorf("%d octets give %q", n, got)
			}
			if err == nil != (len(got) == len(whole)) && !errors.Is(err, ErrMalformed) {
				t.Errorf("%d octets: %v", n, err)
			}
			last = len(got)
		}
	}
}

func TestErrorsOfTheTransportComeAsTheyAre(t *testing.T) {
	object := wrapOpen(open(tagChunks, tlv(tagOctets, "The valve is closed.")))
	for n := range object {
		r, err := Open(io.MultiReader(strings.NewReader(object[:n]), iotest.ErrReader(io.ErrUnexpectedEOF)))
		if err == nil {
			_, err = io.Copy(io.Discard, r)
		}
		if want := io.ErrUnexpectedEOF; err != want && err != nil {
			t.Fatalf("after %d octets: %v", n, err)
		}
	}
}

func TestTheSampleMailUnwraps(t *testing.T) {
	mail, err := fs.ReadFile(testdata.Mail(), "smime-opaque.eml")
	if err != nil {
		t.Fatal(err)
	}
	_, body, _ := strings.Cut(string(mail), "\r\n\r\n")
	r, err := Open(base64.NewDecoder(base64.StdEncoding, strings.NewReader(body)))
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(r)
	if err != nil || !strings.HasPrefix(string(got), "MIME-Version: 1.0\r\nContent-Type: multipart/mixed") || !strings.HasSuffix(string(got), "\r\n--inner--41--\r\n") {
		t.Errorf("%q, %v", got, err)
	}
}

// TestTheLibraryReadsTheSame lets others build what Open reads.
func TestTheLibraryReadsTheSame(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	who := &x509.Certificate{SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: "Signer"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, who, who, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{1, 127, 128, 255, 256, 4095, 4096, 65535, 65536, 1 << 20} {
		content := bytes.Repeat([]byte{'x'}, n)
		sd, err := pkcs7.NewSignedData(content)
		if err != nil {
			t.Fatal(err)
		}
		if err := sd.AddSigner(cert, key, pkcs7.SignerInfoConfig{}); err != nil {
			t.Fatal(err)
		}
		octets, err := sd.Finish()
		if err != nil {
			t.Fatal(err)
		}
		got, err := unwrap(octets)
		if err != nil || !bytes.Equal(got, content) {
			t.Errorf("%d octets: got %d, %v", n, len(got), err)
		}
	}
}

func TestHostileObjectsCostLittle(t *testing.T) {
	const size = 4 << 20
	for name, object := range map[string]string{
		"brackets":              strings.Repeat("\x30\x80", size/2),
		"brackets to pass over": wrapOpen("")[:24] + strings.Repeat("\x31\x80", size/2),
		"chunks of nothing":     wrapOpen("\x24\x80" + strings.Repeat("\x04\x00", size/2)),
		"chunks of one":         wrapOpen("\x24\x80" + strings.Repeat("\x04\x01a", size/3)),
		"strings of nothing":    wrapOpen("\x24\x80" + strings.Repeat("\x24\x00", size/2)),
		"endless tag":           "\x3f" + strings.Repeat("\xff", size),
		"one string":            wrap(tlv(tagOctets, strings.Repeat("a", size))),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if r, err := Open(strings.NewReader(object)); err == nil {
			_, _ = io.Copy(io.Discard, r)
		}
		runtime.ReadMemStats(&after)
		if got := after.TotalAlloc - before.TotalAlloc; got > 64<<10 {
			t.Errorf("%s: %d octets allocated for %d", name, got, len(object))
		}
	}
}

// FuzzOpen: nothing panics, no cut of the input changes the result, and what the library can read
// has the same content. The library does not read chunks of chunks, so two of them are one too many.
func FuzzOpen(f *testing.F) {
	files, err := filepath.Glob("testdata/*.p7?")
	if err != nil || len(files) == 0 {
		f.Fatal("no fixtures", err)
	}
	for _, name := range files {
		octets, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(octets)
	}
	f.Add([]byte(wrapOpen(open(tagChunks, tlv(tagChunks, tlv(tagOctets, "ma")), tlv(tagOctets, "il")))))
	f.Fuzz(func(t *testing.T, octets []byte) {
		got, err := unwrap(octets)
		if len(got) > len(octets) {
			t.Fatalf("%d octets from %d", len(got), len(octets))
		}
		r, again := Open(iotest.OneByteReader(bytes.NewReader(octets)))
		var slow []byte
		if again == nil {
			slow, again = io.ReadAll(r)
		}
		if !bytes.Equal(got, slow) || (err == nil) != (again == nil) {
			t.Fatalf("%q, %v; octet by octet %q, %v", got, err, slow, again)
		}
		if err != nil || len(octets) > 4<<10 || bytes.Count(octets, []byte{tagChunks}) > 1 {
			return
		}
		if p7, err := pkcs7.Parse(octets); err == nil && len(p7.Content) > 0 && !bytes.Equal(p7.Content, got) {
			t.Errorf("%q, the library %q", got, p7.Content)
		}
	})
}

// unwrap returns the content of an object, as far as it can be read.
func unwrap(object []byte) ([]byte, error) {
	r, err := Open(bytes.NewReader(object))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}
