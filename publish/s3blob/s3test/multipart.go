package s3test

import (
	"crypto/md5" //nolint:gosec // the ETag of S3 is made of them
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// leastPart is the smallest part that may be followed by another.
const leastPart = 5 << 20

// upload is a multipart upload that is not complete.
type upload struct {
	key   string
	begun time.Time
	parts map[int]*object
}

// Uploads counts the multipart uploads that are neither complete nor aborted.
func (s *Server) Uploads() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.uploads)
}

// DropUploads forgets them, as a lifecycle rule does.
func (s *Server) DropUploads() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.uploads)
}

func (s *Server) initiate(w http.ResponseWriter, _ *http.Request, key string) {
	s.mu.Lock()
	s.next++
	id := fmt.Sprintf("upload-%06d", s.next)
	s.uploads[id] = &upload{key, time.Now(), map[int]*object{}}
	s.mu.Unlock()
	answer(w, http.StatusOK, struct {
		XMLName               xml.Name `xml:"InitiateMultipartUploadResult"`
		Bucket, Key, UploadId string
	}{Bucket: s.opt.Bucket, Key: key, UploadId: id})
}

// find returns the upload of a request or answers that there is none.
func (s *Server) find(w http.ResponseWriter, r *http.Request, key string) *upload {
	s.mu.Lock()
	u := s.uploads[r.URL.Query().Get("uploadId")]
	s.mu.Unlock()
	if u == nil || u.key != key {
		refuse(w, http.StatusNotFound, "NoSuchUpload")
		return nil
	}
	return u
}

func (s *Server) part(w http.ResponseWriter, r *http.Request, key string) {
	n, err := strconv.Atoi(r.URL.Query().Get("partNumber"))
	if err != nil || n < 1 || n > 10_000 {
		refuse(w, http.StatusBadRequest, "InvalidArgument")
		return
	}
	o := s.body(w, r)
	if o == nil {
		return
	}
	if u := s.find(w, r, key); u != nil {
		s.mu.Lock()
		u.parts[n] = o
		s.mu.Unlock()
		w.Header().Set("ETag", o.etag)
	}
}

func (s *Server) abort(w http.ResponseWriter, r *http.Request, key string) {
	if s.find(w, r, key) == nil {
		return
	}
	s.mu.Lock()
	delete(s.uploads, r.URL.Query().Get("uploadId"))
	s.mu.Unlock()
	w.WriteHeader(http.StatusNoContent)
}

func (s *Server) complete(w http.ResponseWriter, r *http.Request, key string) {
	var asked struct {
		Part []struct {
			PartNumber int
			ETag       string
		}
	}
	u := s.find(w, r, key)
	if u == nil {
		return
	}
	if err := xml.NewDecoder(r.Body).Decode(&asked); err != nil || len(asked.Part) == 0 {
		refuse(w, http.StatusBadRequest, "MalformedXML")
		return
	}
	var parts []*object
	for i, p := range asked.Part {
		s.mu.Lock()
		o := u.parts[p.PartNumber]
		s.mu.Unlock()
		switch {
		case o == nil || p.PartNumber != i+1 || strings.Trim(p.ETag, `"`) != strings.Trim(o.etag, `"`):
			refuse(w, http.StatusBadRequest, "InvalidPart")
			return
		case i < len(asked.Part)-1 && o.size < leastPart:
			refuse(w, http.StatusBadRequest, "EntityTooSmall")
			return
		}
		parts = append(parts, o)
	}
	o, err := s.join(parts)
	if err != nil {
		refuse(w, http.StatusInternalServerError, "InternalError")
		return
	}
	s.mu.Lock()
	s.objects[key] = o
	delete(s.uploads, r.URL.Query().Get("uploadId"))
	s.mu.Unlock()
	answer(w, http.StatusOK, struct {
		XMLName           xml.Name `xml:"CompleteMultipartUploadResult"`
		Bucket, Key, ETag string
	}{Bucket: s.opt.Bucket, Key: key, ETag: o.etag})
}

// join makes one object of the parts; its ETag is the digest of theirs and their number.
func (s *Server) join(parts []*object) (*object, error) {
	tag := md5.New() //nolint:gosec // the ETag of S3
	var all []io.Reader
	for _, p := range parts {
		f, err := os.Open(p.file)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		raw, _ := hex.DecodeString(strings.Trim(p.etag, `"`))
		_, _ = tag.Write(raw) // never fails
		all = append(all, f)
	}
	o, err := s.receive(io.MultiReader(all...), "")
	if o != nil {
		o.etag = fmt.Sprintf(`"%x-%d"`, tag.Sum(nil), len(parts))
	}
	return o, err
}

func (s *Server) listUploads(w http.ResponseWriter, r *http.Request, _ string) {
	q := r.URL.Query()
	type entry struct{ Key, UploadId, Initiated string }
	var out struct {
		XMLName            xml.Name `xml:"ListMultipartUploadsResult"`
		Bucket, Prefix     string
		NextKeyMarker      string
		NextUploadIdMarker string
		IsTruncated        bool
		Upload             []entry
	}
	out.Bucket, out.Prefix = s.opt.Bucket, q.Get("prefix")
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range slices.Sorted(maps.Keys(s.uploads)) { // ids grow, and a test's keys need no order
		if u := s.uploads[id]; strings.HasPrefix(u.key, out.Prefix) && id > q.Get("upload-id-marker") {
			if len(out.Upload) == s.opt.Page {
				last := out.Upload[s.opt.Page-1]
				out.IsTruncated, out.NextKeyMarker, out.NextUploadIdMarker = true, last.Key, last.UploadId
				break
			}
			out.Upload = append(out.Upload, entry{u.key, id, stamp(u.begun)})
		}
	}
	answer(w, http.StatusOK, out)
}
