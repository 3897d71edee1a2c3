package s3blob_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"go.uber.org/goleak"

	"mailflume/publish"
	"mailflume/publish/logtest"
	"mailflume/publish/s3blob"
	"mailflume/publish/s3blob/s3test"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const prefix = "mail=2Eflume/contoso"

// fixture is a server and a store on it.
type fixture struct {
	*s3blob.Store
	srv *s3test.Server
}

// Leftovers implements logtest.Leftovers.
func (f fixture) Leftovers(t testing.TB) int {
	n := f.srv.Uploads()
	for _, o := range f.srv.Objects() {
		sum, ok := strings.CutPrefix(o.Key, prefix+"/sha256-")
		octets, err := f.srv.Octets(o.Key)
		if err != nil {
			t.Fatal(err)
		}
		if !ok || hexSum(octets) != sum {
			n++
		}
	}
	return n
}

func hexSum(p []byte) string {
	s := sha256.Sum256(p)
	return hex.EncodeToString(s[:])
}

func octets(n int, seed byte) []byte {
	p := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{seed}).Read(p)
	return p
}

func keysFile(t testing.TB, o s3test.Options) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "credentials")
	text := "[default]\naws_access_key_id = " + o.AccessKey + "\naws_secret_access_key = " + o.SecretKey + "\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func start(t *testing.T, so s3test.Options, change ...func(*s3blob.Options)) fixture {
	t.Helper()
	srv, err := s3test.Start(t.TempDir(), so)
	if err != nil {
		t.Fatal(err)
	}
	o := s3blob.Options{
		Endpoint: srv.URL, Region: srv.Options().Region, Bucket: srv.Options().Bucket, Prefix: prefix,
		CredentialsFile: keysFile(t, srv.Options()), RetryFor: 5 * time.Second,
	}
	for _, c := range change {
		c(&o)
	}
	s, err := s3blob.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = s.Close()
		srv.Close()
	})
	return fixture{s, srv}
}

func put(t *testing.T, f fixture, data []byte) publish.Blob {
	t.Helper()
	b, err := f.Put(context.Background(), "application/pdf", bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestConformance(t *testing.T) {
	logtest.RunBlobs(t, func(t *testing.T) logtest.Blobs { return start(t, s3test.Options{}) })
}

const part = 5 << 20

func TestLongContentOfEveryLengthComesBack(t *testing.T) {
	f := start(t, s3test.Options{})
	for i, n := range []int{part - 1, part, part + 1, 2 * part, 2*part + 17} {
		data := octets(n, byte(i))
		b := put(t, f, data)
		if b.SHA256 != hexSum(data) || b.Size != int64(n) || b.Ref != "s3://mail/"+prefix+"/sha256-"+hexSum(data) {
			t.Errorf("%d octets: %+v", n, b)
		}
		logtest.CheckBlob(t, f, data)
		if again := put(t, f, data); again != b {
			t.Errorf("%d octets again: %+v, first %+v", n, again, b)
		}
	}
	if n := f.Leftovers(t); n != 0 {
		t.Errorf("%d pieces are left behind", n)
	}
}

func TestLongContentThatFailsLeavesNothing(t *testing.T) {
	f := start(t, s3test.Options{})
	data := octets(2*part+9, 1)
	hungUp := errors.New("the mail server hung up")
	_, err := f.Put(t.Context(), "", io.MultiReader(bytes.NewReader(data), iotest.ErrReader(hungUp)))
	if !errors.Is(err, hungUp) || errors.Is(err, publish.ErrBlobs) {
		t.Errorf("a reader's error: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	_, err = f.Put(ctx, "", io.MultiReader(bytes.NewReader(data), readFunc(func([]byte) (int, error) {
		cancel()
		return 0, io.EOF
	}), bytes.NewReader(data)))
	if !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if n := len(f.srv.Objects()) + f.srv.Uploads(); n != 0 {
		t.Errorf("%d pieces are left behind", n)
	}
}

type readFunc func(p []byte) (int, error)

func (f readFunc) Read(p []byte) (int, error) { return f(p) }

func TestOnlyWhatIsNotThereIsSent(t *testing.T) {
	for name, c := range map[string]struct {
		o          s3test.Options
		mediaType  string
		first, two []string
	}{
		"a mail is created or there":         {s3test.Options{}, "message/rfc822", []string{"PUT"}, []string{"PUT", "HEAD"}},
		"an attachment is looked up":         {s3test.Options{}, "image/png", []string{"HEAD", "PUT"}, []string{"HEAD"}},
		"a server without If-None-Match":     {s3test.Options{NoConditions: true}, "message/rfc822", []string{"PUT", "HEAD", "PUT"}, []string{"HEAD"}},
		"a server without it, an attachment": {s3test.Options{NoConditions: true}, "image/png", []string{"HEAD", "PUT", "HEAD", "PUT"}, []string{"HEAD"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := start(t, c.o)
			for _, want := range [][]string{c.first, c.two} {
				if _, err := f.Put(t.Context(), c.mediaType, strings.NewReader("a signature's logo")); err != nil {
					t.Fatal(err)
				}
				if got := kinds(f.srv.Requests()); !slices.Equal(got, want) {
					t.Errorf("asked %v, want %v", got, want)
				}
			}
		})
	}
}

// kinds drops the paths.
func kinds(requests []string) []string {
	for i, r := range requests {
		requests[i], _, _ = strings.Cut(r, " ")
	}
	return requests
}

func TestWhatIsStoredAgainAfterADayIsAsYoungAsNew(t *testing.T) {
	for _, n := range []int{100, part + 100} {
		f := start(t, s3test.Options{})
		data := octets(n, 1)
		put(t, f, data)
		for _, age := range []time.Duration{23 * time.Hour, 2 * time.Hour} {
			f.srv.Age(age)
			before := f.srv.Objects()[0].Modified
			put(t, f, data)
			o := f.srv.Objects()
			if renewed := o[0].Modified.After(before); len(o) != 1 || renewed != (age == 2*time.Hour) {
				t.Errorf("%d octets, %s later: renewed %t, %d objects", n, age, renewed, len(o))
			}
		}
		logtest.CheckBlob(t, f, data)
	}
}

func TestADamagedBlobIsWrittenAnew(t *testing.T) {
	for mediaType, n := range map[string]int{"message/rfc822": 100, "image/png": 1000, "application/zip": part + 1} {
		f := start(t, s3test.Options{})
		data := octets(n, 1)
		if err := f.srv.Set(prefix+"/sha256-"+hexSum(data), data[:n/2]); err != nil {
			t.Fatal(err)
		}
		if _, err := f.Put(t.Context(), mediaType, bytes.NewReader(data)); err != nil {
			t.Fatal(err)
		}
		logtest.CheckBlob(t, f, data)
	}
}

func TestSweepRemovesWhatDeadWritersLeft(t *testing.T) {
	f := start(t, s3test.Options{Page: 2})
	put(t, f, []byte("kept"))
	f.srv.Inject(func(r *http.Request) s3test.Fault { // cut off before it could clean up
		switch k := s3test.Kind(r); {
		case k == "ABORT" || k == "DELETE":
			return s3test.Fault{Status: http.StatusForbidden, Code: "AccessDenied"}
		case k == "PART" && r.URL.Query().Get("partNumber") == "2", k == "COPY" && r.ContentLength == 0:
			return s3test.Fault{Status: http.StatusForbidden, Code: "AccessDenied"}
		}
		return s3test.Fault{}
	})
	for i := range 3 {
		for _, n := range []int{part, part + 1} { // one that fails at its copy, one in its second part
			if _, err := f.Put(t.Context(), "", bytes.NewReader(octets(n, byte(i)))); !errors.Is(err, publish.ErrDenied) {
				t.Fatal(err)
			}
		}
	}
	f.srv.Inject(nil)
	if n := f.Leftovers(t); n != 6 {
		t.Fatalf("%d leftovers, want 3 uploads and 3 temporary objects", n)
	}
	if n, err := f.Sweep(t.Context(), 0); n != 0 || err != nil {
		t.Errorf("young ones: removed %d, %v", n, err)
	}
	f.srv.Age(25 * time.Hour)
	if n, err := f.Sweep(t.Context(), 0); n != 6 || err != nil || f.Leftovers(t) != 0 {
		t.Errorf("removed %d of 6, %d are left: %v", n, f.Leftovers(t), err)
	}
	logtest.CheckBlob(t, f, []byte("kept"))
}

func TestTLSNeedsAKnownAuthority(t *testing.T) {
	o := func(o *s3blob.Options) { o.RetryFor = time.Millisecond }
	f := start(t, s3test.Options{TLS: true}, o)
	if err := f.Check(t.Context()); !errors.Is(err, publish.ErrUnavailable) {
		t.Errorf("an unknown authority: %v", err)
	}
	known, err := s3blob.New(s3blob.Options{
		Endpoint: f.srv.URL, Region: f.srv.Options().Region, Bucket: "mail", CredentialsFile: keysFile(t, f.srv.Options()),
		RootCAs: f.srv.HTTP.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer known.Close()
	if err := known.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestAnEndpointIsAHost(t *testing.T) {
	for text, ok := range map[string]bool{
		"": true, "s3.example.com": true, "https://s3.example.com:9000/": true, "http://127.0.0.1:9000": true,
		"https://key:secret@s3.example.com": false, "https://s3.example.com/bucket": false, "ftp://s3.example.com": false, "https://": false,
	} {
		_, err := s3blob.New(s3blob.Options{Endpoint: text, Bucket: "mail"})
		if (err == nil) != ok || err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", text, err)
		}
	}
}
