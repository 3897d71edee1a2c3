package s3blob_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"mailflume/publish"
	"mailflume/publish/logtest"
	"mailflume/publish/s3blob"
	"mailflume/publish/s3blob/s3test"
)

// times injects a fault into the first n requests of a kind.
func times(n int, kind string, fault s3test.Fault) func(r *http.Request) s3test.Fault {
	var mu sync.Mutex
	return func(r *http.Request) s3test.Fault {
		mu.Lock()
		defer mu.Unlock()
		if s3test.Kind(r) != kind || n == 0 {
			return s3test.Fault{}
		}
		n--
		return fault
	}
}

// onceEach fails the first request of every kind.
func onceEach(fault s3test.Fault, kinds ...string) func(r *http.Request) s3test.Fault {
	var mu sync.Mutex
	left := slices.Clone(kinds)
	return func(r *http.Request) s3test.Fault {
		mu.Lock()
		defer mu.Unlock()
		i := slices.Index(left, s3test.Kind(r))
		if i < 0 {
			return s3test.Fault{}
		}
		left = slices.Delete(left, i, i+1)
		return fault
	}
}

func TestAFaultOfAnyRequestIsRiddenOut(t *testing.T) {
	kindsOf := map[int][]string{1000: {"HEAD", "PUT"}, part + 5: {"INITIATE", "PART", "COMPLETE", "HEAD", "COPY", "DELETE"}}
	for name, fault := range map[string]s3test.Fault{
		"503 SlowDown":              {Status: 503, Code: "SlowDown"},
		"500 InternalError":         {Status: 500, Code: "InternalError"},
		"409 conflict":              {Status: 409, Code: "ConditionalRequestConflict"},
		"cut in the middle":         {CutRequest: 700},
		"the answer is lost":        {LoseAnswer: true},
		"the answer ends too early": {CutAnswer: 20},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // they wait most of the time
			f := start(t, s3test.Options{})
			seed := byte(0)
			for n, kinds := range kindsOf {
				seed++
				f.srv.Inject(onceEach(fault, kinds...))
				data := octets(n, seed)
				put(t, f, data)
				logtest.CheckBlob(t, f, data)
			}
			f.srv.Inject(nil)
			left := f.Leftovers(t)
			if left > 0 && (fault.LoseAnswer || fault.CutAnswer > 0) {
				f.srv.DropUploads() // of an INITIATE that nobody got: the sweeper's
				left = f.Leftovers(t)
			}
			if left != 0 || len(f.srv.Objects()) != int(seed) {
				t.Errorf("%d objects, want %d; %d leftovers", len(f.srv.Objects()), seed, left)
			}
		})
	}
}

func TestRefusalsSayWhatTheyAre(t *testing.T) {
	refuse := func(status int, code string) func(f fixture, o *s3blob.Options) {
		return func(f fixture, _ *s3blob.Options) {
			f.srv.Inject(func(r *http.Request) s3test.Fault {
				if k := s3test.Kind(r); code == "XMinioAdminBucketQuotaExceeded" && k != "PUT" && k != "PART" {
					return s3test.Fault{} // only what writes has a quota
				}
				return s3test.Fault{Status: status, Code: code}
			})
		}
	}
	for name, c := range map[string]struct {
		breaks func(f fixture, o *s3blob.Options)
		want   error
	}{
		"a right is missing":    {refuse(403, "AccessDenied"), publish.ErrDenied},
		"the token has expired": {refuse(400, "ExpiredToken"), publish.ErrDenied},
		"the disk is full":      {refuse(507, "XMinioStorageFull"), publish.ErrFull},
		"the quota is used up":  {refuse(400, "XMinioAdminBucketQuotaExceeded"), publish.ErrFull},
		"it is down":            {refuse(502, "BadGateway"), publish.ErrUnavailable},
		"the secret is wrong": {func(f fixture, o *s3blob.Options) {
			o.CredentialsFile = keysFile(t, s3test.Options{AccessKey: "AKIDTEST", SecretKey: "wrong"})
		}, publish.ErrDenied},
		"the region is wrong":     {func(_ fixture, o *s3blob.Options) { o.Region = "mars-1" }, publish.ErrDenied},
		"the bucket is not there": {func(_ fixture, o *s3blob.Options) { o.Bucket = "other" }, publish.ErrUnavailable},
		"nothing listens":         {func(_ fixture, o *s3blob.Options) { o.Endpoint = "http://127.0.0.1:1" }, publish.ErrUnavailable},
		"the keys are not there":  {func(_ fixture, o *s3blob.Options) { o.CredentialsFile += ".none" }, publish.ErrDenied},
	} {
		t.Run(name, func(t *testing.T) {
			f := start(t, s3test.Options{})
			o := s3blob.Options{
				Endpoint: f.srv.URL, Region: "test-1", Bucket: "mail", CredentialsFile: keysFile(t, f.srv.Options()), RetryFor: 300 * time.Millisecond,
			}
			c.breaks(f, &o)
			s, err := s3blob.New(o)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			for _, n := range []int{10, part + 1} {
				_, err := s.Put(t.Context(), "", bytes.NewReader(octets(n, 1)))
				if !errors.Is(err, c.want) || !errors.Is(err, publish.ErrBlobs) || errors.Is(err, publish.ErrNotFound) {
					t.Errorf("%d octets: %v, want %v", n, err, c.want)
				}
			}
			if n := len(f.srv.Objects()) + f.srv.Uploads(); n != 0 {
				t.Errorf("%d pieces are stored", n)
			}
		})
	}
}

func TestRotatedKeysArePickedUp(t *testing.T) {
	var file string
	f := start(t, s3test.Options{}, func(o *s3blob.Options) { file = o.CredentialsFile })
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, bytes.ReplaceAll(good, []byte("a-secret"), []byte("an-older-secret")), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := f.Check(t.Context()); !errors.Is(err, publish.ErrDenied) {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, good, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := f.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestKeysOfAFileThatChangedAreUsedNoMore(t *testing.T) {
	var file string
	f := start(t, s3test.Options{}, func(o *s3blob.Options) { file = o.CredentialsFile })
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	replace := func(text []byte) error {
		t.Helper()
		if err := errors.Join(os.WriteFile(file+".new", text, 0o600), os.Rename(file+".new", file)); err != nil {
			t.Fatal(err)
		}
		return f.Check(t.Context())
	}
	if err := f.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := replace([]byte("[default]\n")); err != nil {
		t.Errorf("while the file is not whole: %v", err)
	}
	if err := replace(bytes.ReplaceAll(good, []byte("a-secret"), []byte("a-newer-secret"))); !errors.Is(err, publish.ErrDenied) {
		t.Errorf("the old keys are still used: %v", err)
	}
	if err := replace(good); err != nil {
		t.Error(err)
	}
}

func TestKeysOfTheEnvironment(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIDTEST")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "a-secret-for-tests")
	f := start(t, s3test.Options{}, func(o *s3blob.Options) { o.CredentialsFile = "" })
	if err := f.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestAReadThatBreaksGoesOnWhereItBroke(t *testing.T) {
	f := start(t, s3test.Options{})
	data := octets(3<<20, 1)
	put(t, f, data)
	f.srv.Requests()
	f.srv.Inject(func(*http.Request) s3test.Fault { return s3test.Fault{CutAnswer: 1 << 20} })
	logtest.CheckBlob(t, f, data)
	if got := kinds(f.srv.Requests()); !slices.Equal(got, []string{"GET", "GET", "GET"}) {
		t.Errorf("asked %v", got)
	}
	f.srv.Inject(times(2, "GET", s3test.Fault{Status: 503, Code: "SlowDown"}))
	logtest.CheckBlob(t, f, data)
}

func TestAReadThatNeverGoesOnIsAnError(t *testing.T) {
	f := start(t, s3test.Options{}, func(o *s3blob.Options) { o.RetryFor = 300 * time.Millisecond })
	data := octets(1<<20, 1)
	put(t, f, data)
	first := times(1, "GET", s3test.Fault{CutAnswer: 1000})
	f.srv.Inject(func(r *http.Request) s3test.Fault {
		if fault := first(r); fault != (s3test.Fault{}) {
			return fault
		}
		return s3test.Fault{Status: 503, Code: "SlowDown"}
	})
	r, err := f.Open(t.Context(), hexSum(data))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := io.Copy(io.Discard, r); !errors.Is(err, publish.ErrUnavailable) {
		t.Error(err)
	}
}

func TestOctetsThatChangedAreCorrupt(t *testing.T) {
	f := start(t, s3test.Options{})
	data := octets(100_000, 1)
	b := put(t, f, data)
	for name, wrong := range map[string][]byte{"a bit": append([]byte{data[0] ^ 1}, data[1:]...), "cut": data[:99_999], "longer": append(data[:100_000:100_000], 0)} {
		if err := f.srv.Set(prefix+"/sha256-"+b.SHA256, wrong); err != nil {
			t.Fatal(err)
		}
		r, err := f.Open(t.Context(), b.SHA256)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, r); !errors.Is(err, publish.ErrCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
		_ = r.Close()
	}
}

func TestAServerThatHangsEndsWithTheContext(t *testing.T) {
	f := start(t, s3test.Options{})
	for _, n := range []int{10, part + 1} {
		ctx, cancel := context.WithCancel(t.Context())
		f.srv.Inject(func(r *http.Request) s3test.Fault {
			switch s3test.Kind(r) {
			case "HEAD", "PART":
				cancel()
				return s3test.Fault{Hang: true}
			}
			return s3test.Fault{}
		})
		if _, err := f.Put(ctx, "", bytes.NewReader(octets(n, 1))); !errors.Is(err, context.Canceled) {
			t.Errorf("%d octets: %v", n, err)
		}
	}
	if n := len(f.srv.Objects()) + f.srv.Uploads(); n != 0 {
		t.Errorf("%d pieces are left", n)
	}
}
