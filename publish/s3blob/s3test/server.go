package s3test

import (
	"encoding/xml"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"time"
)

// Options configures a Server. The zero value is one that refuses nothing it should not.
type Options struct {
	AccessKey, SecretKey string // default: AKIDTEST and its secret
	Region, Bucket       string // default: test-1 and mail
	TLS                  bool
	Page                 int  // entries of a listing's page; default 1000
	NoConditions         bool // answer If-None-Match with 501, as some servers do
}

// A Fault is what goes wrong with one request; its zero value is nothing.
type Fault struct {
	Status     int    // answer this instead of doing anything
	Code       string // S3's word for Status
	CutRequest int64  // end the connection after this many octets of the request's body
	LoseAnswer bool   // do what is asked, then end the connection without an answer
	CutAnswer  int64  // end the connection after this many octets of the answer's body
	Hang       bool   // answer nothing until the client goes
}

// Server is a running S3 server with one bucket.
type Server struct {
	URL  string // http://127.0.0.1:port
	HTTP *httptest.Server
	opt  Options

	mu      sync.Mutex
	dir     string
	next    int // numbers files and uploads
	objects map[string]*object
	uploads map[string]*upload
	fault   func(r *http.Request) Fault
	seen    []string
}

// Start runs a server that keeps its octets in dir.
func Start(dir string, o Options) (*Server, error) {
	for p, v := range map[*string]string{&o.AccessKey: "AKIDTEST", &o.SecretKey: "a-secret-for-tests", &o.Region: "test-1", &o.Bucket: "mail"} {
		if *p == "" {
			*p = v
		}
	}
	if o.Page <= 0 {
		o.Page = 1000
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return nil, fmt.Errorf("%s is no folder: %w", dir, err)
	}
	s := &Server{opt: o, dir: dir, objects: map[string]*object{}, uploads: map[string]*upload{}}
	s.HTTP = httptest.NewUnstartedServer(s)
	s.HTTP.Config.ErrorLog = log.New(io.Discard, "", 0) // cut connections are meant
	if o.TLS {
		s.HTTP.StartTLS()
	} else {
		s.HTTP.Start()
	}
	s.URL = s.HTTP.URL
	return s, nil
}

// Options returns the options as they took effect.
func (s *Server) Options() Options { return s.opt }

// Close ends the server and its connections.
func (s *Server) Close() {
	s.HTTP.CloseClientConnections()
	s.HTTP.Close()
}

// Inject asks f before each request; nil ends it.
func (s *Server) Inject(f func(r *http.Request) Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = f
}

// Requests returns what was asked since the last call: method, what for, and the key.
func (s *Server) Requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.seen
	s.seen = nil
	return out
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	ask := s.fault
	s.seen = append(s.seen, Kind(r)+" "+r.URL.Path)
	s.mu.Unlock()
	var f Fault
	if ask != nil {
		f = ask(r)
	}
	switch {
	case f.Hang:
		_, _ = io.Copy(io.Discard, r.Body) // only then does the server notice that the client goes
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	case f.CutRequest > 0:
		_, _ = io.CopyN(io.Discard, r.Body, f.CutRequest)
		panic(http.ErrAbortHandler)
	case f.LoseAnswer:
		s.serve(discard{}, r)
		panic(http.ErrAbortHandler)
	case f.CutAnswer > 0:
		w = &cutWriter{w, f.CutAnswer}
	case f.Status != 0:
		_, _ = io.Copy(io.Discard, r.Body)
		refuse(w, f.Status, f.Code)
		return
	}
	s.serve(w, r)
}

// Kind names what a request asks for: PUT, COPY, PART, INITIATE, COMPLETE, ABORT, LIST, UPLOADS, or
// its method.
func Kind(r *http.Request) string {
	q := r.URL.Query()
	switch {
	case q.Has("uploads") && r.Method == http.MethodPost:
		return "INITIATE"
	case q.Has("uploads"):
		return "UPLOADS"
	case q.Has("list-type"):
		return "LIST"
	case q.Has("uploadId"):
		return map[string]string{http.MethodPut: "PART", http.MethodPost: "COMPLETE", http.MethodDelete: "ABORT"}[r.Method]
	case r.Header.Get("X-Amz-Copy-Source") != "":
		return "COPY"
	}
	return r.Method
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	if code := s.verify(r); code != "" { // S3 repeats what was signed, too
		refuse(w, http.StatusForbidden, code, " to ", r.Header.Get("Authorization"), " with ", r.Header.Get("X-Amz-Security-Token"))
		return
	}
	bucket, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if bucket != s.opt.Bucket {
		refuse(w, http.StatusNotFound, "NoSuchBucket")
		return
	}
	handle := map[string]func(http.ResponseWriter, *http.Request, string){
		"LIST": s.list, "UPLOADS": s.listUploads, "INITIATE": s.initiate, "PART": s.part, "COMPLETE": s.complete, "ABORT": s.abort,
		"COPY": s.copy, http.MethodPut: s.put, http.MethodGet: s.get, http.MethodHead: s.get, http.MethodDelete: s.remove,
	}[Kind(r)]
	if handle == nil {
		refuse(w, http.StatusNotImplemented, "NotImplemented")
		return
	}
	handle(w, r, key)
}

// refuse answers with an error in S3's words.
func refuse(w http.ResponseWriter, status int, code string, more ...string) {
	answer(w, status, struct {
		XMLName       xml.Name `xml:"Error"`
		Code, Message string
	}{Code: code, Message: "the test server says " + code + strings.Join(more, "")})
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	_ = xml.NewEncoder(w).Encode(body) // the client may be gone
}

// discard is an answer that nobody gets.
type discard struct{}

func (discard) Header() http.Header         { return http.Header{} }
func (discard) Write(p []byte) (int, error) { return len(p), nil }
func (discard) WriteHeader(int)             {}

// cutWriter ends the connection in the middle of an answer.
type cutWriter struct {
	http.ResponseWriter
	left int64
}

func (c *cutWriter) Write(p []byte) (int, error) {
	n := min(c.left, int64(len(p)))
	c.left -= n
	if _, err := c.ResponseWriter.Write(p[:n]); err != nil || c.left > 0 {
		return int(n), err
	}
	_ = http.NewResponseController(c.ResponseWriter).Flush()
	panic(http.ErrAbortHandler)
}

// stamp is how S3 writes a time in XML.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
