//go:build interop

package main

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"mailflume/cmd/internal/interop"
)

// stopper ends a run some time after its first line.
type stopper struct {
	bytes.Buffer
	after time.Duration
	stop  func()
}

// Write implements io.Writer.
func (s *stopper) Write(p []byte) (int, error) {
	if s.Len() == 0 && s.stop != nil {
		time.AfterFunc(s.after, s.stop)
	}
	return s.Buffer.Write(p)
}

func TestInteropAShortSoakThatIsInterruptedLosesNothing(t *testing.T) {
	dir := t.TempDir()
	bin, err := interop.Build(t.Context(), t.TempDir(), "mailflume/cmd/mailflume", "mailflume")
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Seed: uint64(time.Now().UnixNano()), Rounds: 15, Messages: 1600, Boxes: 8, Workers: 3}
	o.fill(15 * time.Second)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	first := &stopper{after: 6 * time.Second, stop: stop}
	if _, err := run(ctx, first, dir, bin, false, o); err == nil || ctx.Err() == nil {
		t.Fatalf("it was not interrupted: %v\n%s", err, first)
	}
	var second stopper
	ok, err := run(t.Context(), &second, dir, bin, false, o)
	t.Logf("%s%s", first, &second)
	if err != nil || !ok {
		t.Fatalf("%v, %v", ok, err)
	}
	for _, want := range []string{"rounds 15 ", "messages 1600 in 8 mailboxes, lost 0, doubled 0, out of order 0", "resumed 1"} {
		if !strings.Contains(second.String(), want) {
			t.Errorf("the line does not say %q", want)
		}
	}
}
