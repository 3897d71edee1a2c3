package support

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"mailflume/publish/redact"
)

const (
	partTime = 15 * time.Second
	maxPart  = 16 << 20
)

// Part is one file of a bundle.
type Part struct {
	Name  string
	About string // what it is, for the index
	Make  func(ctx context.Context, w io.Writer) error
}

// Write makes the zip, with an index.txt of what is in it. It names the parts that could not be had, or
// not all of them; its error is that of w.
func Write(ctx context.Context, w io.Writer, mask *redact.Masker, parts []Part) (failed []string, err error) {
	z := zip.NewWriter(w)
	var index strings.Builder
	for _, p := range parts {
		content, problem := gather(ctx, p)
		text, found := mask.Mask(string(content))
		fmt.Fprintf(&index, "%-24s %s\n", p.Name, p.About)
		if found > 0 {
			fmt.Fprintf(&index, "%24s masked in it: %d\n", "", found)
		}
		if problem != nil {
			failed = append(failed, p.Name)
			reason, _ := mask.Mask(problem.Error())
			fmt.Fprintf(&index, "%24s NOT COMPLETE: %s\n", "", reason)
			text += "\nNOT COMPLETE: " + reason + "\n"
		}
		if err := add(z, p.Name, text); err != nil {
			return failed, err
		}
	}
	if err := add(z, "index.txt", index.String()); err != nil {
		return failed, err
	}
	return failed, z.Close()
}

// gather makes one part in its own time. What came before it failed is kept.
func gather(ctx context.Context, p Part) (content []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, partTime)
	defer cancel()
	b := &bounded{}
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("making it failed: %v", v)
		}
		content = b.buf.Bytes()
	}()
	return nil, p.Make(ctx, b)
}

// bounded is a buffer that takes no more than maxPart.
type bounded struct{ buf bytes.Buffer }

func (b *bounded) Write(p []byte) (int, error) {
	if b.buf.Len()+len(p) > maxPart {
		return 0, fmt.Errorf("cut at %d octets", b.buf.Len())
	}
	return b.buf.Write(p)
}

func add(z *zip.Writer, name, text string) error {
	f, err := z.CreateHeader(&zip.FileHeader{Name: "mailflume-support/" + name, Method: zip.Deflate, Modified: time.Now()})
	if err != nil {
		return err
	}
	_, err = io.WriteString(f, text)
	return err
}
