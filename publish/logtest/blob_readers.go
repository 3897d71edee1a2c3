package logtest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"
	"testing/iotest"

	"mailflume/publish"
)

func blobReaders(t *testing.T, b Blobs) {
	for i, n := range []int{0, 1, 70_000, 3<<19 + 17} {
		data := blobOctets(n, byte(i))
		for name, wrap := range map[string]func(io.Reader) io.Reader{
			"one byte": iotest.OneByteReader, "half": iotest.HalfReader, "data with EOF": iotest.DataErrReader,
			"empty reads": func(r io.Reader) io.Reader { return &emptyReads{r: r} },
			"747 bytes":   func(r io.Reader) io.Reader { return &atMost{r, 747} },
		} {
			putBlob(t, b, data, wrap(bytes.NewReader(data)))
			r, err := b.Open(context.Background(), hexSum(data))
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if n < 100_000 { // it reads them many times over
				err = iotest.TestReader(r, data)
			}
			if err != nil {
				t.Errorf("%s, %d octets: %v", name, n, err)
			}
			_ = r.Close()
		}
	}
	nothingLeft(t, b)
}

// emptyReads answers every second Read with nothing, which io.Reader allows.
type emptyReads struct {
	r   io.Reader
	odd bool
}

func (e *emptyReads) Read(p []byte) (int, error) {
	if e.odd = !e.odd; e.odd {
		return 0, nil
	}
	return e.r.Read(p)
}

type atMost struct {
	r io.Reader
	n int
}

func (a *atMost) Read(p []byte) (int, error) { return a.r.Read(p[:min(a.n, len(p))]) }

// errRead is a session's own error.
var errRead = errors.New("the mail server hung up")

func blobReaderErrors(t *testing.T, b Blobs) {
	for i, n := range []int{0, 1, 4096, 256 << 10, 700_000, 1 << 20, 3 << 20} {
		data := blobOctets(n, byte(i))
		for name, r := range map[string]io.Reader{
			"after the data":   io.MultiReader(bytes.NewReader(data), iotest.ErrReader(errRead)),
			"with the data":    &lastRead{data: data, err: errRead},
			"as a timeout":     io.MultiReader(bytes.NewReader(data), iotest.ErrReader(iotest.ErrTimeout)),
			"with a cut in it": io.MultiReader(bytes.NewReader(data[:n/2]), iotest.ErrReader(errRead), bytes.NewReader(data[n/2:])),
		} {
			blob, err := b.Put(context.Background(), "", r)
			if !errors.Is(err, errRead) && !errors.Is(err, iotest.ErrTimeout) {
				t.Errorf("%d octets, error %s: put = %+v, %v", n, name, blob, err)
			}
			for _, kind := range []error{publish.ErrUnavailable, publish.ErrFull, publish.ErrDenied} {
				if errors.Is(err, kind) {
					t.Errorf("%d octets, error %s: a reader's error is called the store's: %v", n, name, err)
				}
			}
		}
		mustBeAbsent(t, b, data)
		mustBeAbsent(t, b, data[:n/2])
	}
	nothingLeft(t, b)
}

// lastRead returns its error with its last octets.
type lastRead struct {
	data []byte
	err  error
}

func (l *lastRead) Read(p []byte) (int, error) {
	n := copy(p, l.data)
	l.data = l.data[n:]
	if len(l.data) == 0 {
		return n, l.err
	}
	return n, nil
}

func mustBeAbsent(t testing.TB, b Blobs, data []byte) {
	t.Helper()
	if r, err := b.Open(context.Background(), hexSum(data)); !errors.Is(err, publish.ErrNotFound) {
		t.Errorf("%d octets that were never stored: open = %v, want ErrNotFound", len(data), err)
		if r != nil {
			_ = r.Close()
		}
	}
}

// blobTruncated: io.ErrUnexpectedEOF is how a message that was cut off ends. Mistaken for the end,
// half a mail would be stored as a whole one.
func blobTruncated(t *testing.T, b Blobs) {
	for i, n := range []int{0, 1, 4096, 300_000, 2 << 20} {
		data := blobOctets(n, byte(i))
		for _, r := range []io.Reader{
			io.MultiReader(bytes.NewReader(data), iotest.ErrReader(io.ErrUnexpectedEOF)),
			&lastRead{data: data, err: io.ErrUnexpectedEOF},
		} {
			if blob, err := b.Put(context.Background(), "", r); !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("%d octets, then cut off: put = %+v, %v", n, blob, err)
			}
		}
		mustBeAbsent(t, b, data)
	}
	nothingLeft(t, b)
}

type readFunc func(p []byte) (int, error)

func (f readFunc) Read(p []byte) (int, error) { return f(p) }

func blobBrokenReaders(t *testing.T, b Blobs) {
	for name, r := range map[string]readFunc{
		"nothing for ever":    func([]byte) (int, error) { return 0, nil },
		"more than asked":     func(p []byte) (int, error) { return len(p) + 1, nil },
		"less than nothing":   func([]byte) (int, error) { return -1, nil },
		"negative at the end": func([]byte) (int, error) { return -1, io.EOF },
	} {
		if blob, err := b.Put(context.Background(), "", r); err == nil {
			t.Errorf("%s: put = %+v, no error", name, blob)
		}
	}
	nothingLeft(t, b)
}
