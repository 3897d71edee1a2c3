package support

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"mailflume/publish/redact"
)

// unzip returns the files of a bundle.
func unzip(t *testing.T, b []byte) map[string]string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		out[strings.TrimPrefix(f.Name, "mailflume-support/")] = string(text)
	}
	return out
}

func TestAPartThatFailsSaysWhyAndStopsNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		say := func(text string, err error) func(context.Context, io.Writer) error {
			return func(_ context.Context, w io.Writer) error {
				_, _ = io.WriteString(w, text)
				return err
			}
		}
		var b bytes.Buffer
		failed, err := Write(t.Context(), &b, redact.New("hunter2-CANARY"), []Part{
			{"good.txt", "a good one", say("fine", nil)},
			{"error.txt", "fails", say("half of it", errors.New("no room for hunter2-CANARY"))},
			{"panic.txt", "panics", func(context.Context, io.Writer) error { panic("hunter2-CANARY") }},
			{"hang.txt", "hangs", func(ctx context.Context, _ io.Writer) error { <-ctx.Done(); return context.Cause(ctx) }},
			{"huge.txt", "has no end", func(_ context.Context, w io.Writer) error {
				_, err := io.Copy(w, io.LimitReader(endless{}, maxPart+1))
				return err
			}},
			{"leak.txt", "should not say it", say("aHVudGVyMi1DQU5BUlk= hunter2-CANARY", nil)},
			{"last.txt", "comes all the same", say("here", nil)},
		})
		if err != nil || !slices.Equal(failed, []string{"error.txt", "panic.txt", "hang.txt", "huge.txt"}) {
			t.Fatalf("failed %v, %v", failed, err)
		}
		files := unzip(t, b.Bytes())
		for name, want := range map[string]string{
			"good.txt": "fine", "error.txt": "half of it\nNOT COMPLETE: no room for ***\n", "panic.txt": "\nNOT COMPLETE: making it failed: ***\n",
			"hang.txt": "\nNOT COMPLETE: context deadline exceeded\n", "last.txt": "here",
		} {
			if files[name] != want || !strings.Contains(files["index.txt"], name) {
				t.Errorf("%s: %q, want %q", name, files[name], want)
			}
		}
		if len(redact.Find(files["leak.txt"], "hunter2-CANARY")) > 0 || !strings.Contains(files["index.txt"], "masked in it: 2") {
			t.Errorf("%q, index %s", files["leak.txt"], files["index.txt"])
		}
	})
}

// endless is a stream of empty lines.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = '\n'
	}
	return len(p), nil
}

func TestTheTailKeepsTheLastWholeLines(t *testing.T) {
	tail := NewTail(100)
	for i := range 1000 {
		_, _ = fmt.Fprintf(tail, "line %d\n", i)
		if got := string(tail.Bytes()); !strings.HasPrefix(got, "line ") || !strings.HasSuffix(got, fmt.Sprintf("line %d\n", i)) || len(got) > 200 {
			t.Fatalf("%q", got)
		}
	}
	if len(tail.Bytes()) < 90 {
		t.Errorf("only %q", tail.Bytes())
	}
}
