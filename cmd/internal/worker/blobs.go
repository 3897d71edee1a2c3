package worker

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"path"
	"path/filepath"
	"time"

	"mailflume/cmd/internal/config"
	"mailflume/ingest"
	"mailflume/publish"
	"mailflume/publish/fileblob"
	"mailflume/publish/natsjs"
	"mailflume/publish/s3blob"
)

// Blobs is a store that can be read too.
type Blobs interface {
	publish.BlobStore
	publish.BlobOpener
}

// OpenBlobs returns the tenant's blob store as the configuration says.
func OpenBlobs(cfg *config.Config, conn *natsjs.Conn, tenant string) (Blobs, error) {
	if s3, ok := cfg.Blobs.S3(); ok {
		return openS3(cfg, s3, tenant)
	}
	u, err := url.Parse(cfg.Blobs.URL)
	if err != nil {
		return nil, fmt.Errorf("blobs.url: %w", err)
	}
	switch u.Scheme {
	case "nats":
		return conn.Blobs(tenant, natsjs.BlobOptions{Replicas: cfg.NATS.Stream.Replicas}), nil
	case "file":
		return fileblob.New(blobFolder(u, tenant))
	}
	return nil, fmt.Errorf("blobs.url: %s is not supported; use nats:, file:///path or s3://bucket?region=…", u.Scheme)
}

// ReadBlobs returns the tenant's blob store for reading: one that is not there is not made.
func ReadBlobs(cfg *config.Config, conn *natsjs.Conn, tenant string) (publish.BlobOpener, error) {
	if u, err := url.Parse(cfg.Blobs.URL); err == nil && u.Scheme == "file" {
		return fileblob.Reader(blobFolder(u, tenant))
	}
	return OpenBlobs(cfg, conn, tenant)
}

func blobFolder(u *url.URL, tenant string) string {
	return filepath.Join(u.Path, natsjs.Token(tenant))
}

func openS3(cfg *config.Config, s3 config.S3, tenant string) (Blobs, error) {
	o := s3blob.Options{
		Endpoint: s3.Endpoint, Region: s3.Region, Bucket: s3.Bucket, Prefix: path.Join(s3.Prefix, natsjs.Token(tenant)),
		PathStyle: s3.PathStyle, Profile: s3.Profile, CredentialsFile: cfg.Blobs.CredentialsFile.Path(),
	}
	if cfg.Blobs.CAFile != "" {
		var pool *x509.CertPool
		pool, err := certPool(cfg.Blobs.CAFile)
		if err != nil {
			return nil, fmt.Errorf("blobs.ca_file: %w", err)
		}
		o.RootCAs = pool
	}
	return s3blob.New(o)
}

// checkWait is how long the start waits for a store's answer. One that is away later is waited for.
const checkWait = 15 * time.Second

// checkBlobs tries a store on S3 before any mail is fetched: refused keys end the start, a store that
// is away is only reported.
func (w *Worker) checkBlobs(ctx context.Context) error {
	tenant := config.DefaultTenant
	if len(w.cfg.Mailboxes) > 0 {
		tenant = w.cfg.Mailboxes[0].Tenant
	}
	w.boxes.mu.Lock()
	store, err := w.boxes.store(w.cfg, tenant)
	w.boxes.mu.Unlock()
	s3, ok := store.(*s3blob.Store)
	if err != nil || !ok {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, checkWait)
	defer cancel()
	err = s3.Check(ctx)
	if err == nil || errors.Is(err, publish.ErrDenied) {
		return err
	}
	code := ingest.FaultOf(err).Code
	_, next := ingest.Explain(code)
	w.log.Warn().Str("code", string(code)).Err(err).Str("next", next).Msg("the blob store does not answer; fetching waits for it")
	return nil
}

// store returns the tenant's blob store; b.mu is held.
func (b *builder) store(cfg *config.Config, tenant string) (publish.BlobStore, error) {
	if s := b.stores[tenant]; s != nil {
		return s, nil
	}
	s, err := OpenBlobs(cfg, b.w.conn, tenant)
	if err == nil {
		b.stores[tenant] = s
	}
	return s, err
}

// sweeper is a store in which a writer that died leaves something behind.
type sweeper interface {
	Bucket() string
	Sweep(ctx context.Context, olderThan time.Duration) (removed int, err error)
}

// sweepers lists the tenants' stores that need it.
func (b *builder) sweepers() []sweeper {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []sweeper
	for _, s := range b.stores {
		if s, ok := s.(sweeper); ok {
			out = append(out, s)
		}
	}
	return out
}
