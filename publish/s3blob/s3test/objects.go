package s3test

import (
	"crypto/md5" //nolint:gosec // the ETag of S3 is one
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// object is one stored object; its octets are a file's.
type object struct {
	file, etag string
	size       int64
	modified   time.Time
}

// Object is what a test sees of a stored object.
type Object struct {
	Key      string
	Size     int64
	Modified time.Time
}

// Objects lists what is stored, sorted by key.
func (s *Server) Objects() []Object {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Object
	for _, k := range slices.Sorted(maps.Keys(s.objects)) {
		out = append(out, Object{k, s.objects[k].size, s.objects[k].modified})
	}
	return out
}

// Octets returns what is stored under a key.
func (s *Server) Octets(key string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.objects[key]
	if o == nil {
		return nil, os.ErrNotExist
	}
	return os.ReadFile(o.file)
}

// Set stores octets under a key, as a foreign hand would.
func (s *Server) Set(key string, octets []byte) error {
	o, err := s.receive(strings.NewReader(string(octets)), "")
	if err == nil {
		s.keep(key, o)
	}
	return err
}

// Age makes everything stored, and every upload that is open, older by d.
func (s *Server) Age(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range s.objects {
		o.modified = o.modified.Add(-d)
	}
	for _, u := range s.uploads {
		u.begun = u.begun.Add(-d)
	}
}

func (s *Server) keep(key string, o *object) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.objects[key] = o
}

func (s *Server) lookup(key string) *object {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.objects[key]
}

var errDigest = errors.New("XAmzContentSHA256Mismatch")

// receive writes a body to a file and checks the digest that was signed.
func (s *Server) receive(body io.Reader, digest string) (*object, error) {
	s.mu.Lock()
	s.next++
	name := filepath.Join(s.dir, fmt.Sprintf("octets-%d", s.next))
	s.mu.Unlock()
	f, err := os.Create(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	tag, sha := md5.New(), sha256.New() //nolint:gosec // the ETag of S3 is one
	n, err := io.Copy(io.MultiWriter(f, tag, sha), body)
	if err == nil && digest != "" && digest != "UNSIGNED-PAYLOAD" && digest != hex.EncodeToString(sha.Sum(nil)) {
		err = errDigest
	}
	return &object{name, `"` + hex.EncodeToString(tag.Sum(nil)) + `"`, n, time.Now()}, err
}

// body receives the body of a request, or answers with what is wrong with it.
func (s *Server) body(w http.ResponseWriter, r *http.Request) *object {
	o, err := s.receive(r.Body, r.Header.Get("X-Amz-Content-Sha256"))
	if err == nil && (r.ContentLength < 0 || o.size == r.ContentLength) {
		return o
	}
	refuse(w, http.StatusBadRequest, "XAmzContentSHA256Mismatch")
	return nil
}

func (s *Server) put(w http.ResponseWriter, r *http.Request, key string) {
	create := r.Header.Get("If-None-Match") == "*"
	if create && s.opt.NoConditions {
		refuse(w, http.StatusNotImplemented, "NotImplemented")
		return
	}
	o := s.body(w, r)
	if o == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if create && s.objects[key] != nil {
		refuse(w, http.StatusPreconditionFailed, "PreconditionFailed")
		return
	}
	s.objects[key] = o
	w.Header().Set("ETag", o.etag)
}

// copy makes a new object of an old one's octets. Onto itself it must change something, as on AWS.
func (s *Server) copy(w http.ResponseWriter, r *http.Request, key string) {
	source, err := url.PathUnescape(r.Header.Get("X-Amz-Copy-Source"))
	from := strings.TrimPrefix(strings.TrimPrefix(source, "/"), s.opt.Bucket+"/")
	o := s.lookup(from)
	switch {
	case err != nil || o == nil:
		refuse(w, http.StatusNotFound, "NoSuchKey")
		return
	case from == key && r.Header.Get("X-Amz-Metadata-Directive") != "REPLACE":
		refuse(w, http.StatusBadRequest, "InvalidRequest")
		return
	}
	made := *o
	made.modified = time.Now()
	s.keep(key, &made)
	answer(w, http.StatusOK, struct {
		XMLName            xml.Name `xml:"CopyObjectResult"`
		ETag, LastModified string
	}{ETag: made.etag, LastModified: stamp(made.modified)})
}

func (s *Server) get(w http.ResponseWriter, r *http.Request, key string) {
	o := s.lookup(key)
	if o == nil {
		refuse(w, http.StatusNotFound, "NoSuchKey")
		return
	}
	f, err := os.Open(o.file)
	if err != nil {
		refuse(w, http.StatusInternalServerError, "InternalError")
		return
	}
	defer f.Close()
	w.Header().Set("ETag", o.etag)
	w.Header().Set("Content-Type", "application/octet-stream")
	http.ServeContent(w, r, "", o.modified, f) // ranges and conditions as in RFC 9110
}

func (s *Server) remove(w http.ResponseWriter, _ *http.Request, key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.objects, key)
	w.WriteHeader(http.StatusNoContent)
}

// list is ListObjectsV2.
func (s *Server) list(w http.ResponseWriter, r *http.Request, _ string) {
	q := r.URL.Query()
	type content struct {
		Key, LastModified, ETag string
		Size                    int64
	}
	var out struct {
		XMLName               xml.Name `xml:"ListBucketResult"`
		Name, Prefix          string
		EncodingType          string `xml:",omitempty"`
		KeyCount              int
		IsTruncated           bool
		NextContinuationToken string `xml:",omitempty"`
		Contents              []content
	}
	out.Name, out.Prefix, out.EncodingType = s.opt.Bucket, q.Get("prefix"), q.Get("encoding-type")
	last := ""
	for _, o := range s.Objects() {
		if !strings.HasPrefix(o.Key, out.Prefix) || o.Key <= q.Get("continuation-token") {
			continue
		}
		if len(out.Contents) == s.opt.Page {
			out.IsTruncated, out.NextContinuationToken = true, last
			break
		}
		key := o.Key
		last = key
		if out.EncodingType == "url" {
			key = url.QueryEscape(key)
		}
		out.Contents = append(out.Contents, content{key, stamp(o.Modified), "", o.Size})
	}
	out.KeyCount = len(out.Contents)
	answer(w, http.StatusOK, out)
}
