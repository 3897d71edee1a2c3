package s3blob

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"mailflume/publish"
	"mailflume/publish/redact"
)

const (
	partSize   = 5 << 20          // the least that S3 takes for a part that is not the last
	renewAfter = 24 * time.Hour   // a blob that is stored again and older than this is made young
	retryFor   = 15 * time.Second // then the caller says that it waits, and comes back
	rawMail    = "message/rfc822" // new nearly every time: not looked up first
)

// Holds is how many octets of its content one Put keeps in memory at most: a part, until the server has it.
const Holds = partSize

// Options names a tenant's place in a bucket, and says how to reach it.
type Options struct {
	// Endpoint is the URL of the server, https unless it says http; empty: Amazon S3 in Region.
	Endpoint string
	// Region signs the requests; empty: us-east-1, which most other servers take for theirs.
	Region string
	// Bucket must exist.
	Bucket string
	// Prefix of the objects' keys, without slashes at its ends; empty: none.
	Prefix string
	// PathStyle puts the bucket into the path (true) or the host name (false); nil: into the path
	// unless the endpoint is known to want it otherwise.
	PathStyle *bool
	// CredentialsFile is an AWS credentials file; empty: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY,
	// else ~/.aws/credentials, else the role of the container or machine.
	CredentialsFile string
	// Profile of the credentials file; empty: AWS_PROFILE, else default.
	Profile string
	// RootCAs are trusted instead of the system's.
	RootCAs *x509.CertPool
	// RetryFor bounds the waiting for an unavailable server inside one request; zero means 15 s.
	RetryFor time.Duration
}

// Store is a tenant's blobs in a bucket. It implements publish.BlobStore and publish.BlobOpener.
type Store struct {
	o         Options
	api       minio.Core
	keys      *credentials.Credentials
	sent      *redact.Memory
	transport *http.Transport
	plain     atomic.Bool // the server does not know If-None-Match
}

// New makes a Store; it does no I/O. Check asks the server.
func New(o Options) (*Store, error) {
	if o.RetryFor <= 0 {
		o.RetryFor = retryFor
	}
	if o.Region == "" {
		o.Region = "us-east-1"
	}
	host, secure, err := endpoint(o.Endpoint)
	if err != nil {
		return nil, err
	}
	own := &keys{file: o.CredentialsFile, profile: o.Profile, region: o.Region}
	s := &Store{o: o, keys: credentials.New(own), sent: &own.sent}
	if s.transport, err = minio.DefaultTransport(secure); err != nil {
		return nil, fmt.Errorf("set up S3: %w", err)
	}
	s.transport.Proxy = s.proxy
	if o.RootCAs != nil {
		s.transport.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: o.RootCAs}
	}
	lookup := minio.BucketLookupAuto
	if o.PathStyle != nil {
		lookup = map[bool]minio.BucketLookupType{true: minio.BucketLookupPath, false: minio.BucketLookupDNS}[*o.PathStyle]
	}
	client, err := minio.New(host, &minio.Options{
		Creds: s.keys, Secure: secure, Transport: s.transport, Region: o.Region, BucketLookup: lookup,
		MaxRetries: 1, // persist knows what may be sent again, and for how long
	})
	if err != nil {
		return nil, fmt.Errorf("set up S3: %w", err)
	}
	s.api = minio.Core{Client: client}
	return s, nil
}

// endpoint splits an URL into host and port, and whether TLS is spoken there.
func endpoint(text string) (host string, secure bool, err error) {
	if text == "" {
		return "s3.amazonaws.com", true, nil
	}
	if !strings.Contains(text, "://") {
		text = "https://" + text
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || (u.Scheme != "https" && u.Scheme != "http") {
		return "", false, errors.New("the S3 endpoint is not a host with an optional port: write for example https://minio.example.com:9000")
	}
	return u.Host, u.Scheme == "https", nil
}

// Close ends the idle connections.
func (s *Store) Close() error {
	s.transport.CloseIdleConnections()
	return nil
}

// Bucket returns the bucket and prefix, for people.
func (s *Store) Bucket() string { return strings.TrimSuffix(s.o.Bucket+"/"+s.o.Prefix, "/") }

// Check stores the empty blob, which is nothing but a name: it proves that the bucket is there and
// takes octets with these keys.
func (s *Store) Check(ctx context.Context) error {
	_, err := s.Put(ctx, "", http.NoBody)
	return err
}

// key is the name of an object below the prefix.
func (s *Store) key(name string) string { return strings.TrimPrefix(s.o.Prefix+"/"+name, "/") }

func (s *Store) blobKey(sum string) string { return s.key("sha256-" + sum) }

// Put implements publish.BlobStore. The media type is not kept: the event has it, and a browser that
// is shown an object runs nothing in it.
func (s *Store) Put(ctx context.Context, mediaType string, r io.Reader) (publish.Blob, error) {
	in := &source{ctx: ctx, r: r}
	head, err := in.fill(nil, partSize)
	if err != nil {
		return publish.Blob{}, fmt.Errorf("store blob: %w", err)
	}
	var b publish.Blob
	if in.ended {
		digest := sha256.Sum256(head)
		b = publish.Blob{SHA256: hex.EncodeToString(digest[:]), Size: int64(len(head))}
		err = s.small(ctx, b.SHA256, head, mediaType != rawMail)
	} else {
		b, err = s.large(ctx, in, head)
	}
	if err != nil {
		return publish.Blob{}, fmt.Errorf("store blob: %w", err)
	}
	b.Ref = (&url.URL{Scheme: "s3", Host: s.o.Bucket, Path: "/" + s.blobKey(b.SHA256)}).String()
	return b, nil
}

// small stores octets that are in memory.
func (s *Store) small(ctx context.Context, sum string, octets []byte, look bool) error {
	size := int64(len(octets))
	if look || s.plain.Load() {
		if have, err := s.renew(ctx, sum, size); have || err != nil {
			return err
		}
	}
	err := s.send(ctx, sum, octets, !s.plain.Load())
	switch {
	case errors.Is(err, errNotKnown):
		s.plain.Store(true)
		return s.small(ctx, sum, octets, look)
	case errors.Is(err, errExists): // or an earlier attempt whose answer was lost
		if have, err := s.renew(ctx, sum, size); have || err != nil {
			return err
		}
		return s.send(ctx, sum, octets, false) // damaged: written anew
	}
	return err
}

// send sends octets under their name; the server keeps them only if they have that digest.
func (s *Store) send(ctx context.Context, sum string, octets []byte, create bool) error {
	opt := minio.PutObjectOptions{DisableContentSha256: true} // no digest chunk by chunk: the whole one is signed
	if create {
		opt.SetMatchETagExcept("*")
	}
	return s.persist(ctx, func(ctx context.Context) error {
		_, err := s.api.PutObject(ctx, s.o.Bucket, s.blobKey(sum), bytes.NewReader(octets), int64(len(octets)), "", sum, opt)
		return err
	})
}

// renew says whether the content is there, and makes it young if it is older than a day. The
// server's clock is ours but for minutes, or it would refuse our signatures.
func (s *Store) renew(ctx context.Context, sum string, size int64) (have bool, err error) {
	info, err := s.stat(ctx, s.blobKey(sum))
	switch {
	case errors.Is(err, publish.ErrNotFound):
		return false, nil
	case err != nil || info.Size != size:
		return false, err
	case time.Since(info.LastModified) < renewAfter:
		return true, nil
	}
	err = s.copy(ctx, s.blobKey(sum), s.blobKey(sum), size)
	if errors.Is(err, publish.ErrNotFound) { // expired in between
		return false, nil
	}
	return err == nil, err
}

func (s *Store) stat(ctx context.Context, key string) (info minio.ObjectInfo, err error) {
	err = s.persist(ctx, func(ctx context.Context) error {
		info, err = s.api.StatObject(ctx, s.o.Bucket, key, minio.StatObjectOptions{})
		return err
	})
	return info, err
}

// maxCopy is the largest object that one request copies.
const maxCopy = 5 << 30

// copy copies an object inside the server; onto itself it renews its age.
func (s *Store) copy(ctx context.Context, to, from string, size int64) error {
	dst := minio.CopyDestOptions{Bucket: s.o.Bucket, Object: to, ReplaceMetadata: true, ContentType: "application/octet-stream"}
	src := minio.CopySrcOptions{Bucket: s.o.Bucket, Object: from}
	return s.persist(ctx, func(ctx context.Context) error {
		var err error
		if size > maxCopy {
			_, err = s.api.ComposeObject(ctx, dst, src)
		} else {
			_, err = s.api.Client.CopyObject(ctx, dst, src)
		}
		return err
	})
}
