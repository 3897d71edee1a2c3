package parse

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"

	"mailflume/parse/smime"
)

// nest writes a message with what is in it.
func nest(seed uint64, depth int) (msg string, want []nested) {
	g := &nester{Rand: rand.New(rand.NewPCG(seed, 1))}
	return g.message(depth, "", OriginMIME, true), g.want
}

func TestWhatIsNestedIsFoundWhereItLies(t *testing.T) {
	for seed := range uint64(300 / underRace) {
		msg, want := nest(seed, 6)
		m, err := walkFrom(strings.NewReader(msg), Limits{Nesting: 50})
		if err != nil {
			t.Fatal(err)
		}
		if len(m.parts) != len(want) || len(m.issues) > 0 {
			t.Fatalf("seed %d: %d parts, want %d; issues %v", seed, len(m.parts), len(want), m.issues)
		}
		for i, p := range m.parts {
			if got := (nested{p.Path, p.Parent, p.Origin, p.body}); got != want[i] {
				t.Fatalf("seed %d: got %q\nwant %q\nof\n%s", seed, got, want[i], m.places())
			}
		}
	}
}

func TestWhatIsNestedLiesWhereRangeSays(t *testing.T) {
	for seed := range uint64(200 / underRace) {
		msg, _ := nest(seed, 6)
		m, err := walkFrom(strings.NewReader(msg), Limits{Nesting: 50})
		if err != nil {
			t.Fatal(err)
		}
		around := map[string]string{"": msg} // the message or entity by the part that holds it
		for _, p := range m.parts {
			around[p.Path] = p.body
			if p.ContentType == "application/pkcs7-mime" {
				in, err := smime.Open(strings.NewReader(p.body))
				if err != nil {
					t.Fatal(err)
				}
				content, err := io.ReadAll(in)
				if err != nil {
					t.Fatal(err)
				}
				around[p.Path] = string(content)
			}
			if p.Role != RoleAttachment {
				continue // it may have files in it
			}
			start, end := p.Range()
			if p.Part.body == nil { // out of TNEF, of a text, or a signed file
				if start != 0 || end != 0 {
					t.Errorf("seed %d: part %s of %s has a range", seed, p.Path, p.Origin)
				}
				continue
			}
			dec, _ := transferFor(p.Encoding)
			if got := string(dec.decode([]byte(around[p.r.base][start:end]), true)); got != p.body {
				t.Errorf("seed %d: part %s from %d to %d is %q, want %q", seed, p.Path, start, end, got, p.body)
			}
		}
	}
}

// callers read all parts, none, or ten octets of each, or listen to every other one.
func callers() []func(i int, p *Part) error {
	return []func(i int, p *Part) error{
		func(_ int, p *Part) error { _, err := io.Copy(io.Discard, p); return err },
		func(int, *Part) error { return nil },
		func(_ int, p *Part) error {
			if _, err := io.ReadFull(p, make([]byte, 10)); !errors.Is(err, io.ErrUnexpectedEOF) {
				return transportError(err)
			}
			return p.err
		},
		func(i int, p *Part) error {
			if i%2 == 0 {
				p.Tee(io.Discard)
			}
			return nil
		},
	}
}

// leave reads a message in the manner of a caller, and shows what it leaves behind.
func leave(in io.Reader, lim Limits, use func(int, *Part) error) (string, error) {
	r := NewReader(in, lim)
	var seen []*Part
	for {
		p, err := r.Next()
		if err == nil {
			seen = append(seen, p)
			err = use(len(seen), p)
		}
		if err = transportError(err); err != nil {
			return "", err
		}
		if p == nil {
			break
		}
	}
	var b strings.Builder
	for _, p := range seen {
		start, end := p.Range()
		fmt.Fprintln(&b, p.Path, p.Parent, p.Origin, p.ContentType, p.DetectedType(), p.UsedCharset, p.Filename, p.Inline, start, end, p.Message() != nil)
	}
	for _, is := range r.Issues() {
		fmt.Fprintln(&b, is)
	}
	return b.String(), nil
}

// spoil cuts a message off, or overwrites some octets of it, or leaves it alone.
func spoil(seed uint64, msg string) string {
	rng, b := rand.New(rand.NewPCG(seed, 2)), []byte(msg)
	switch seed % 3 {
	case 1:
		b = b[:rng.IntN(len(b)+1)]
	case 2:
		for range 1 + rng.IntN(5) {
			b[rng.IntN(len(b))] = "\x00\n=-a\x80*"[rng.IntN(7)]
		}
	}
	return string(b)
}

func TestWhatIsNestedAndLeftDoesNotDependOnHowTheInputIsCut(t *testing.T) {
	garbage := "Content-Type: application/x-y\r\nContent-Transfer-Encoding: base64\r\n\r\n" + strings.Repeat("QUFB", 8_000) + "***"
	msgs := []string{garbage, strings.Replace(garbage, "x-y", "ms-tnef", 1), strings.Replace(garbage, "application/x-y", "message/rfc822", 1)}
	for seed := range uint64(80 / underRace) {
		if seed < 2 {
			seed = [...]uint64{2054, 2807}[seed] // whose issues once came in another order
		}
		msg, _ := nest(seed, 5)
		msgs = append(msgs, spoil(seed, msg))
	}
	for i, msg := range msgs {
		lim := Limits{Nesting: 50}
		if i%5 == 0 && i < 80 {
			lim = Limits{Nesting: 2, Parts: 4, Depth: 2}
		}
		for j, use := range callers() {
			want, err := leave(strings.NewReader(msg), lim, use)
			if err != nil {
				t.Fatal(err)
			}
			for _, n := range []int{1, 37, 5000} {
				if got, err := leave(pieces{strings.NewReader(msg), n}, lim, use); got != want {
					t.Fatalf("message %d, caller %d: pieces of %d octets leave\n%swhole\n%s%v", i, j, n, got, want, err)
				}
			}
		}
	}
}

func TestTransportErrorsInWhatIsNestedComeBackAsTheyAre(t *testing.T) {
	for i, broken := range []error{errors.New("connection reset"), io.ErrUnexpectedEOF, fmt.Errorf("connection closed: %w", io.EOF)} {
		for seed := range uint64(10) {
			msg, _ := nest(seed*3+uint64(i), 5)
			step := 1 + len(msg)*underRace/60
			for at := int(seed) * step / 10; at <= len(msg); at += step {
				for j, use := range callers() {
					in := io.MultiReader(strings.NewReader(msg[:at]), iotest.ErrReader(broken))
					if _, err := leave(in, Limits{Nesting: 50}, use); err != broken {
						t.Fatalf("seed %d, cut at %d, caller %d: error %v, want %v", seed, at, j, err, broken)
					}
				}
			}
		}
	}
}

// cutWriter fails after n octets.
type cutWriter struct {
	n   int
	err error
}

func (w *cutWriter) Write(b []byte) (int, error) {
	if w.n -= len(b); w.n < 0 {
		return 0, w.err
	}
	return len(b), nil
}

func TestTeeErrorsInWhatIsNestedComeBackAsTheyAre(t *testing.T) {
	full := fmt.Errorf("disk full: %w", io.EOF)
	for seed := range uint64(60 / underRace) {
		msg, want := nest(seed, 5)
		for i, w := range want {
			n := 0
			_, err := leave(strings.NewReader(msg), Limits{Nesting: 50}, func(_ int, p *Part) error {
				if n++; n == i+1 {
					p.Tee(&cutWriter{len(w.body) / 2, full})
				}
				return nil
			})
			if err != full && len(w.body) > 0 {
				t.Fatalf("seed %d, part %s: error %v, want %v", seed, w.path, err, full)
			}
		}
	}
}

// lazyWriter takes nothing, and gives an error or does not even say so.
type lazyWriter struct{ err error }

func (w lazyWriter) Write([]byte) (int, error) { return 0, w.err }

func TestAWriterThatTakesNothingIsNeverTheEndOfTheMessage(t *testing.T) {
	for _, c := range []struct{ says, want error }{{nil, io.ErrShortWrite}, {io.EOF, io.ErrUnexpectedEOF}} {
		for name, use := range map[string]func(*Reader, *Part) error{
			"Read": func(_ *Reader, p *Part) error { _, err := io.ReadAll(p); return err },
			"Next": func(r *Reader, _ *Part) error { _, err := r.Next(); return err },
		} {
			r := NewReader(strings.NewReader("Content-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\nhi"), Limits{})
			p, err := r.Next()
			if err != nil {
				t.Fatal(err)
			}
			p.Tee(lazyWriter{c.says})
			if err := use(r, p); err != c.want {
				t.Errorf("a Tee says %v: %s gives %v, want %v", c.says, name, err, c.want)
			}
		}
	}
	r := NewReader(strings.NewReader("Subject: x\r\n\r\nhi"), Limits{})
	p, err := r.Next()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.WriteTo(lazyWriter{}); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("WriteTo gives %v", err)
	}
}

func TestWhatIsKeptOfAMessageOutlivesItsMemory(t *testing.T) {
	var kept []*Part
	msg, _ := nest(7, 6)
	r := NewReader(strings.NewReader(msg), Limits{Nesting: 50})
	for p, err := r.Next(); err == nil; p, err = r.Next() {
		kept = append(kept, p)
	}
	show := func() string {
		var b strings.Builder
		for _, p := range kept {
			fmt.Fprintln(&b, p.Header.Fields(), p.Filename, p.DetectedType())
			if h := p.Message(); h != nil {
				fmt.Fprintln(&b, h.Fields())
			}
		}
		return b.String()
	}
	before := show()
	for range 20 {
		mem := newScratch() // all that was given back
		copy(mem[:], bytes.Repeat([]byte("poison: "), len(mem)/8))
	}
	if show() != before {
		t.Error("what the caller kept has changed")
	}
}
