package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
	"time"
)

// reader is a contestant: it reads one message and hands what it finds to the job.
type reader func(j *job, r *bufio.Reader) error

// readerOf returns the contestant of a name; octets are those of the attachment.
func readerOf(name string, octets int64) (reader, error) {
	switch name {
	case "mailflume":
		return readMailflume, nil
	case "go-message":
		return readGoMessage, nil
	case "enmime":
		return newEnmime(), nil
	case hashing:
		return bareHash(octets), nil
	case floor:
		return readFloor(octets), nil
	}
	return nil, fmt.Errorf("nobody is called %q", name)
}

// job is what has to be done with every message, the same for all. It reuses its buffers, as a
// program that reads much mail would.
type job struct {
	digests bool
	head    head
	leaves  []leaf
	text    bytes.Buffer // bodies in UTF-8
	html    bytes.Buffer
	sum     hash.Hash
	size    int64
	buf     []byte
}

// head is what is wanted of the header.
type head struct {
	subject, id string
	from, to    []string
	date        time.Time
}

// leaf is what is wanted of everything that is no body.
type leaf struct {
	filename, mediaType string
	size                int64
	sum                 [sha256.Size]byte
}

// newJob returns a job; without digests the octets of a leaf are only counted.
func newJob(digests bool) *job {
	return &job{digests: digests, sum: sha256.New(), buf: make([]byte, 32<<10)}
}

// begin forgets the message before.
func (j *job) begin() {
	j.head, j.leaves = head{}, j.leaves[:0]
	j.text.Reset()
	j.html.Reset()
}

// isBody tells whether a part is shown as the message's text, by the rule that all follow.
func isBody(mediaType, disposition, filename string) bool {
	return (mediaType == "text/plain" || mediaType == "text/html") && disposition != "attachment" && filename == ""
}

// body takes in a text.
func (j *job) body(mediaType string, r io.Reader) error {
	dst := &j.text
	if mediaType == "text/html" {
		dst = &j.html
	}
	_, err := io.CopyBuffer(writeOnly{dst}, r, j.buf)
	return err
}

// leaf takes in everything else.
func (j *job) leaf(filename, mediaType string, r io.Reader) error {
	j.sum.Reset()
	j.size = 0
	_, err := io.CopyBuffer(writeOnly{j}, r, j.buf)
	l := leaf{filename: filename, mediaType: mediaType, size: j.size}
	j.sum.Sum(l.sum[:0])
	j.leaves = append(j.leaves, l)
	return err
}

// Write counts and hashes the octets of a leaf.
func (j *job) Write(b []byte) (int, error) {
	j.size += int64(len(b))
	if j.digests {
		j.sum.Write(b)
	}
	return len(b), nil
}

// writeOnly hides ReadFrom, so that every reader's octets take the same way.
type writeOnly struct{ io.Writer }
