// Package s3test is an S3 server for tests: the protocol of the real ones, in one process, with
// faults on request.
//
// It speaks path-style S3 over HTTP or TLS: PUT (also with If-None-Match), GET (also of a range),
// HEAD, DELETE, server-side copy, multipart upload, both listings in pages. It checks what the real
// ones check and a careless client gets wrong: signature version 4 of every request, the digest of
// every body, the least size of a part, a copy of an object onto itself. Octets lie in a folder, not
// in memory, so that a client's memory can be measured beside it.
//
// A [Fault] is asked for request by request: a status and code of S3, a connection cut in the middle
// of a body, an answer that is lost after the work was done, an answer that ends too early.
//
// The server owns its goroutines; Close waits for them.
//
//	srv, err := s3test.Start(t.TempDir(), s3test.Options{})
//	…
//	srv.Inject(func(r *http.Request) s3test.Fault { return s3test.Fault{Status: 503, Code: "SlowDown"} })
package s3test
