//go:build unix

package main

import (
	"archive/zip"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"mailflume/publish/redact"
)

// aviary is the secrets that were planted, by name. Whatever the program leaves behind is held against
// all of them.
type aviary struct {
	mu      sync.Mutex
	planted map[string]string
	forms   []redact.Form // of their parts, named after them
}

// window is how much of a long secret makes a leak: servers and logs cut what they show.
const window = 24

func (a *aviary) plant(name, secret string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.planted == nil {
		a.planted = map[string]string{}
	}
	if a.planted[name] == secret {
		return secret
	}
	a.planted[name] = secret
	for at := 0; at == 0 || at+window <= len(secret); at += window {
		for _, f := range redact.Forms(secret[at:min(at+window, len(secret))]) {
			a.forms = append(a.forms, redact.Form{Name: name + ", " + f.Name, Text: f.Text})
		}
	}
	return secret
}

// secret is one that was planted; all is how many were. Servers plant while the test goes on.
func (a *aviary) secret(name string) (planted string, all int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.planted[name], len(a.planted)
}

// leaks names what of the planted secrets stands in text, in any form.
func (a *aviary) leaks(text string) []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	var out []string
	for _, f := range a.forms {
		if strings.Contains(text, f.Text) {
			out = append(out, f.Name)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// clean reports what leaks into text, with what stands around the place.
func (a *aviary) clean(t *testing.T, where, text string) {
	t.Helper()
	if text == "" {
		t.Errorf("%s: there is nothing to look at", where)
	}
	found := a.leaks(text)
	if len(found) == 0 {
		return
	}
	for line := range strings.Lines(text) {
		if here := a.leaks(line); len(here) > 0 {
			t.Errorf("%s: %s\n  in %.800s", where, strings.Join(here, "; "), line)
		}
	}
}

// cleanFolder looks at every file below dir but those that are allowed, and that they are their owner's only.
func (a *aviary) cleanFolder(t *testing.T, dir string, allowed ...string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if info, err := d.Info(); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s is open to others: %v", path, info.Mode())
		}
		if d.IsDir() || slices.Contains(allowed, d.Name()) {
			return nil
		}
		b, err := os.ReadFile(path)
		if len(b) > 0 {
			a.clean(t, path, string(b))
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// read returns what was written into a file.
func (c *cage) read(name string) string {
	c.t.Helper()
	b, err := os.ReadFile(filepath.Join(c.dir, name))
	if err != nil {
		c.t.Fatal(err)
	}
	return string(b)
}

// plantKey plants a private key as PEM lines and as the numbers that fmt would print.
func (a *aviary) plantKey(t *testing.T, name string, pemText []byte) {
	t.Helper()
	for block, rest := pem.Decode(pemText); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "PRIVATE KEY" {
			a.plant(name, string(block.Bytes))
			for i, line := range strings.Fields(string(pem.EncodeToMemory(block)))[4:10] {
				a.plant(fmt.Sprint(name, " line ", i), line)
			}
			key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
			if err != nil {
				t.Fatal(err)
			}
			number := strings.Fields(fmt.Sprintf("%+v", key))
			a.plant(name+" as numbers", slices.MaxFunc(number[1:], func(x, y string) int { return len(x) - len(y) }))
			return
		}
	}
	t.Fatal("no key")
}

// commands runs commands and looks at what they print. How they end is not the point here.
func (c *cage) commands(file string, lines ...string) {
	c.t.Helper()
	for _, line := range lines {
		code, out, errOut := call(c.t, append(strings.Fields(line), "-c", file)...)
		c.clean(c.t, fmt.Sprintf("mailflume %s (exit %d)", line, code), out+errOut+"\n")
	}
}

// bundle makes a support bundle, looks at each file in it, and wants that nothing had to be masked.
func (c *cage) bundle(file string) (files map[string]string) {
	c.t.Helper()
	path := filepath.Join(c.t.TempDir(), "bundle.zip")
	code, out, errOut := call(c.t, "support-bundle", "-c", file, "-o", path, "--wait", "0s")
	c.clean(c.t, "support-bundle", out+errOut)
	z, err := zip.OpenReader(path)
	if code != 0 || err != nil {
		c.t.Fatalf("exit %d, %v: %s", code, err, errOut)
	}
	defer z.Close()
	files = map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			c.t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			c.t.Fatal(err)
		}
		c.clean(c.t, "bundle: "+f.Name, string(b))
		files[filepath.Base(f.Name)] = string(b)
		if strings.Contains(string(b), "masked in it") {
			c.t.Errorf("the bundle had something to mask:\n%s", b)
		}
	}
	return files
}
