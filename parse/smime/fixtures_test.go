package smime

import (
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// text is the content of every fixture. Without -binary openssl writes CRLF itself.
const text = "Content-Type: text/plain\r\n\r\nThe valve is closed.\r\n"

// TestMain makes the fixtures anew: go test ./parse/smime -update. It needs openssl and writes
// objects and certificates; the key is made for the run and goes with its folder.
func TestMain(m *testing.M) {
	update := flag.Bool("update", false, "make testdata with openssl")
	flag.Parse()
	if *update {
		if err := makeFixtures("testdata"); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

func makeFixtures(to string) error {
	to, err := filepath.Abs(to)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "smime")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := os.WriteFile(filepath.Join(dir, "text"), []byte(text), 0o600); err != nil {
		return err
	}
	long := strings.Repeat(text, 200) // three chunks of openssl's 4 KiB
	if err := os.WriteFile(filepath.Join(dir, "long"), []byte(long), 0o600); err != nil {
		return err
	}
	const who = " -signer cert -inkey key -outform DER -binary"
	for _, args := range []string{
		"req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 36500 -subj /CN=Fixture -keyout key -out cert",
		"smime -sign -nodetach -in text -out " + to + "/signed.p7m" + who,
		"cms -sign -nodetach -stream -in long -out " + to + "/signed-stream.p7m" + who,
		"cms -sign -nodetach -nocerts -noattr -in text -out " + to + "/signed-nocerts.p7m" + who,
		"cms -sign -nodetach -econtent_type pkcs7-envelopedData -in text -out " + to + "/signed-other.p7m" + who,
		"smime -sign -in text -out " + to + "/detached.p7s" + who,
		"cms -encrypt -in text -outform DER -out " + to + "/enveloped.p7m cert",
		"cms -digest_create -in text -outform DER -out " + to + "/digested.p7m",
		"crl2pkcs7 -nocrl -certfile cert -outform DER -out " + to + "/certs-only.p7c",
	} {
		cmd := exec.Command("openssl", strings.Fields(args)...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			return errors.Join(err, errors.New(args), errors.New(string(out)))
		}
	}
	return nil
}

func TestObjectsOfOpenSSL(t *testing.T) {
	cases := []struct {
		file, want string
		err        error
	}{
		{"signed.p7m", text, nil},
		{"signed-stream.p7m", strings.Repeat(text, 200), nil},
		{"signed-nocerts.p7m", text, nil},
		{"signed-other.p7m", "", ErrNoContent},
		{"detached.p7s", "", ErrNoContent},
		{"certs-only.p7c", "", ErrNoContent},
		{"enveloped.p7m", "", ErrNotSigned},
		{"digested.p7m", "", ErrNotSigned},
	}
	for _, c := range cases {
		octets, err := os.ReadFile(filepath.Join("testdata", c.file))
		if err != nil {
			t.Fatal(err)
		}
		got, err := unwrap(octets)
		if string(got) != c.want || !errors.Is(err, c.err) || err != nil && c.err == nil {
			t.Errorf("%s: %d octets %.60q, %v; want %d octets, %v", c.file, len(got), got, err, len(c.want), c.err)
		}
	}
}
