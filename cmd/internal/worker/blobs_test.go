package worker_test

import (
	"encoding/pem"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"mailflume/cmd/internal/config"
	"mailflume/cmd/internal/demo"
	"mailflume/cmd/internal/worker"
	"mailflume/ingest"
	"mailflume/publish"
	"mailflume/publish/s3blob/s3test"
)

// s3 runs a server and returns the configuration that names it, with keys that are good or not.
func s3(t *testing.T, secret string) (*s3test.Server, string) {
	t.Helper()
	srv, err := s3test.Start(t.TempDir(), s3test.Options{TLS: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(srv.Close)
	dir := t.TempDir()
	keys, ca := filepath.Join(dir, "keys"), filepath.Join(dir, "ca.pem")
	authority := pemOf(srv.HTTP.Certificate().Raw)
	if err := errors.Join(os.WriteFile(keys, []byte("[mail]\naws_access_key_id=AKIDTEST\naws_secret_access_key="+secret+"\n"), 0o600), os.WriteFile(ca, authority, 0o600)); err != nil {
		t.Fatal(err)
	}
	return srv, "\nblobs: {url: \"s3://mail/flume?endpoint=" + srv.URL + "&region=test-1&profile=mail\", credentials_file: " + keys + ", ca_file: " + ca + "}\n"
}

func TestAWorkerKeepsBlobsOnS3(t *testing.T) {
	t.Parallel()
	srv, conf := s3(t, "a-secret-for-tests")
	var mu sync.Mutex
	failed := map[string]bool{}
	srv.Inject(func(r *http.Request) s3test.Fault { // every key fails once
		mu.Lock()
		defer mu.Unlock()
		if s3test.Kind(r) == "PUT" && !failed[r.URL.Path] {
			failed[r.URL.Path] = true
			return s3test.Fault{Status: http.StatusServiceUnavailable, Code: "SlowDown"}
		}
		return s3test.Fault{}
	})
	w, log, file := start(t, conf)
	log.await(t, `"mailbox":"invoices","tenant":"default","state":"polling_wait"`)
	log.await(t, `"mailbox":"support","tenant":"default","state":"idle"`)
	for _, r := range w.Board().Rows() {
		if r.Published == 0 || r.Quarantined != 0 || r.Code != "" {
			t.Errorf("%+v", r)
		}
	}
	objects := srv.Objects()
	for _, o := range objects {
		if !strings.HasPrefix(o.Key, "flume/default/sha256-") {
			t.Errorf("object %s", o.Key)
		}
	}
	cfg, err := config.Load(file)
	if err != nil || len(objects) < 60 {
		t.Fatalf("%d objects, %v", len(objects), err)
	}
	store, err := worker.OpenBlobs(cfg, nil, "default")
	if err != nil {
		t.Fatal(err)
	}
	r, err := store.Open(t.Context(), strings.TrimPrefix(objects[0].Key, "flume/default/sha256-"))
	if err != nil {
		t.Fatal(err)
	}
	_ = r.Close()
	_ = store.(interface{ Close() error }).Close()
}

func TestAWorkerDoesNotStartWithKeysThatS3Refuses(t *testing.T) {
	_, conf := s3(t, "another-secret-CANARY")
	stage, err := demo.Start()
	if err != nil {
		t.Fatal(err)
	}
	defer stage.Close()
	add(t, stage.ConfigFile(), conf)
	cfg, err := config.Load(stage.ConfigFile())
	if err != nil {
		t.Fatal(err)
	}
	log := &lines{new: make(chan struct{}, 1)}
	before := time.Now()
	_, err = worker.Start(t.Context(), cfg, worker.Options{Log: zerolog.New(log), Version: "test"})
	if !errors.Is(err, publish.ErrDenied) || ingest.FaultOf(err).Code != ingest.CodeBlobStore || strings.Contains(err.Error()+log.text(), "CANARY") {
		t.Errorf("after %s: %v", time.Since(before), err)
	}
}

func pemOf(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func TestReadingBlobsMakesNoFolder(t *testing.T) {
	dir := t.TempDir()
	cfg := &config.Config{}
	cfg.Blobs.URL = "file://" + filepath.ToSlash(dir)
	r, err := worker.ReadBlobs(cfg, nil, "typo")
	if err == nil {
		_, err = r.Open(t.Context(), strings.Repeat("0", 64))
	}
	if !errors.Is(err, publish.ErrNotFound) {
		t.Errorf("got %v", err)
	}
	if made, err := os.ReadDir(dir); err != nil || len(made) > 0 {
		t.Errorf("in the folder there is now %v, %v", made, err)
	}
}
