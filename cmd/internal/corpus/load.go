package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// corpus is a folder of messages and what is expected of them.
type corpus struct {
	messages []message
	expected map[string]expectation // by file name
}

// message is one file.
type message struct{ name, path string }

// expectation is the expected value of each field that has one. A value that is no list counts as a list
// of one.
type expectation map[string][]string

// load finds the messages of a folder. With an expected.jsonl they are the *.eml files wherever they lie
// and whatever an expectation names; without one every file is a message.
func load(dir string) (*corpus, error) {
	c := &corpus{expected: map[string]expectation{}}
	b, err := os.ReadFile(filepath.Join(dir, "expected.jsonl"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for n, line := range bytes.Split(b, []byte("\n")) {
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		if err := c.expect(line); err != nil {
			return nil, fmt.Errorf("expected.jsonl, line %d: %w", n+1, err)
		}
	}
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		_, named := c.expected[d.Name()]
		if len(c.expected) == 0 || named || filepath.Ext(path) == ".eml" {
			c.messages = append(c.messages, message{d.Name(), path})
		}
		return nil
	})
	if err == nil && len(c.messages) == 0 {
		err = fmt.Errorf("no message in %s: %w", dir, fs.ErrNotExist)
	}
	return c, err
}

// expect takes in one line of expected.jsonl.
func (c *corpus) expect(line []byte) error {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(line, &raw); err != nil {
		return err
	}
	var file string
	if err := json.Unmarshal(raw["file"], &file); err != nil {
		return fmt.Errorf("file: %w", err)
	}
	e := expectation{}
	for _, f := range fields() {
		v, ok := raw[f.name]
		if !ok {
			continue
		}
		var list []string
		var one string
		if err := json.Unmarshal(v, &one); err == nil {
			list = []string{one}
		} else if err := json.Unmarshal(v, &list); err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
		e[f.name] = list
	}
	c.expected[filepath.Base(file)] = e
	return nil
}

// unread names the expected files that are no message of the folder.
func (c *corpus) unread() (names []string) {
	seen := map[string]bool{}
	for _, m := range c.messages {
		seen[m.name] = true
	}
	for name := range c.expected {
		if !seen[name] {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
