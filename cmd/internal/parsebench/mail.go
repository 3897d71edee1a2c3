package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// pack is a file of messages, one after the other, and beside it their sizes: reading one costs a
// system call and no look into a folder.
type pack struct {
	Sizes []int64
	path  string
}

// bytes is the size of all messages.
func (p *pack) bytes() int64 { return p.at(len(p.Sizes)) }

// at is where a message begins.
func (p *pack) at(message int) (n int64) {
	for _, s := range p.Sizes[:message] {
		n += s
	}
	return n
}

// turns cuts a pack into pieces of two megabytes or one message; a smaller pack is read more than once.
func (p *pack) turns() (out []turn) {
	const enough = 2e6
	from, size := 0, int64(0)
	for i, s := range p.Sizes {
		if size += s; size >= enough || i == len(p.Sizes)-1 {
			out = append(out, turn{From: from, To: i + 1, Times: 1})
			from, size = i+1, 0
		}
	}
	if n := p.bytes(); n < 2*enough {
		out[0].Times = int(2*enough/n) + 1
	}
	return out
}

// writePack makes a pack in dir of what each hands to add.
func writePack(dir, name string, each func(add func(io.Reader) error) error) (p *pack, err error) {
	p = &pack{path: filepath.Join(dir, name)}
	f, err := os.Create(p.path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	err = each(func(r io.Reader) error {
		n, err := io.Copy(f, r)
		p.Sizes = append(p.Sizes, n)
		return err
	})
	if err != nil {
		return nil, err
	}
	index, err := json.Marshal(p)
	if err != nil {
		return nil, err
	}
	return p, os.WriteFile(p.path+".json", index, 0o600)
}

// openPack reads the index of a pack and opens its messages.
func openPack(path string) (*pack, *os.File, error) {
	index, err := os.ReadFile(path + ".json")
	if err != nil {
		return nil, nil, err
	}
	p := &pack{path: path}
	if err := json.Unmarshal(index, p); err != nil {
		return nil, nil, fmt.Errorf("read the index of %s: %w", path, err)
	}
	f, err := os.Open(path)
	return p, f, err
}

// packFolder packs the messages of a folder: all files, or the *.eml if there are some. The mbox
// line that some begin with is left out for everybody: go-message would refuse the message.
func packFolder(dir, name string, fsys fs.FS) (*pack, error) {
	return writePack(dir, name, func(add func(io.Reader) error) error {
		files, err := messages(fsys)
		if err != nil {
			return err
		}
		for _, f := range files {
			b, err := fs.ReadFile(fsys, f)
			if err != nil {
				return err
			}
			if bytes.HasPrefix(b, []byte("From ")) {
				_, b, _ = bytes.Cut(b, []byte("\n"))
			}
			if err := add(bytes.NewReader(b)); err != nil {
				return err
			}
		}
		return nil
	})
}

// messages names the messages below a folder.
func messages(fsys fs.FS) (files []string, err error) {
	var eml []string
	err = fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files = append(files, name)
		if filepath.Ext(name) == ".eml" {
			eml = append(eml, name)
		}
		return nil
	})
	if len(eml) > 0 {
		files = eml
	}
	if err == nil && len(files) == 0 {
		err = fmt.Errorf("no message in the folder: %w", fs.ErrNotExist)
	}
	return files, err
}

// packAttachment packs a message with an attachment of n octets in base64, 76 characters a line. It
// holds none of it: a child's peak RSS would begin with that of its parent.
func packAttachment(dir string, n int64) (*pack, error) {
	return writePack(dir, fmt.Sprint(n), func(add func(io.Reader) error) error {
		r, w := io.Pipe()
		go func() { w.CloseWithError(writeAttachment(w, n)) }()
		return add(r)
	})
}

// writeAttachment writes the message of packAttachment.
func writeAttachment(to io.Writer, n int64) error {
	w := bufio.NewWriterSize(to, 64<<10)
	fmt.Fprint(w, "From: A <a@example.org>\r\nTo: b@example.org\r\nSubject: =?utf-8?q?gr=C3=B6=C3=9Fer?=\r\nDate: Tue, 10 Nov 2026 09:00:00 +0100\r\n"+
		"Message-ID: <1@example.org>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"=_x\"\r\n\r\n--=_x\r\nContent-Type: text/plain\r\n\r\nhi\r\n"+
		"--=_x\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=\"a.pdf\"\r\nContent-Transfer-Encoding: base64\r\n\r\n")
	octets := rand.NewChaCha8([32]byte{1})
	for line := make([]byte, 57); n > 0; n -= int64(len(line)) {
		line = line[:min(int64(len(line)), n)]
		_, _ = octets.Read(line) // never fails
		fmt.Fprintf(w, "%s\r\n", base64.StdEncoding.EncodeToString(line))
	}
	fmt.Fprint(w, "--=_x--\r\n")
	return w.Flush()
}
