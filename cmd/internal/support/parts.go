package support

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"mailflume/cmd/internal/config"
	"mailflume/cmd/internal/worker"
	"mailflume/publish/natsjs"
)

// Options are where a bundle's parts come from.
type Options struct {
	Config  *config.Config // nil if it cannot be loaded:
	Problem error          // then why
	Version string
	Wait    time.Duration // between the two looks at the metrics

	// NATS is how to reach it; it must start no server.
	NATS func(ctx context.Context) (natsjs.Options, error)
}

// Parts lists what goes into a bundle. A worker is asked over HTTP; without one its parts say so.
func Parts(o Options) []Part {
	return []Part{
		{"about.txt", "version, build, environment (names of variables, values of Go's own)", o.about},
		{"config.yaml", "the configuration as it takes effect, secrets as ***", o.config},
		{"files.txt", "files that the configuration refers to: mode and time; room on the disk of data_dir", o.files},
		{"state.txt", "the table of mailboxes with their errors", o.state},
		{"mailboxes.json", "the same for machines", o.page("/api/v1/mailboxes")},
		{"metrics-1.txt", "the metrics", o.page("/metrics")},
		{"ready.txt", "/readyz", o.page("/readyz")},
		{"nats.json", "account, stream and buckets, as the NATS server tells them", o.nats},
		{"goroutines.txt", "what the worker's goroutines are at", o.page("/api/v1/support/goroutines")},
		{"metrics-2.txt", "the metrics again, " + o.Wait.String() + " later: what moves and what does not", o.later(o.page("/metrics"))},
		{"log.jsonl", "the last lines of the worker's log, level debug included", o.page("/api/v1/support/log")},
	}
}

func (o Options) about(_ context.Context, w io.Writer) error {
	_, _ = fmt.Fprintf(w, "mailflume %s\nmade %s\n\n", o.Version, time.Now().UTC().Format(time.RFC3339))
	for _, name := range []string{"GOGC", "GOMEMLIMIT", "GOMAXPROCS", "GODEBUG", "GOTRACEBACK", "TZ"} {
		if v, ok := os.LookupEnv(name); ok {
			_, _ = fmt.Fprintf(w, "%s=%s\n", name, v)
		}
	}
	for _, name := range []string{
		"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR", "MSAL_FORCE_REGION", "CREDENTIALS_DIRECTORY",
		"AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_AUTHORITY_HOST", "AZURE_FEDERATED_TOKEN_FILE", "IDENTITY_ENDPOINT",
	} {
		if _, ok := os.LookupEnv(name); ok {
			_, _ = fmt.Fprintln(w, name, "is set")
		}
	}
	if b, ok := debug.ReadBuildInfo(); ok {
		_, _ = fmt.Fprintf(w, "\n%s", b)
	}
	return nil
}

func (o Options) config(_ context.Context, w io.Writer) error {
	if o.Config == nil {
		return o.Problem // the file itself stays out: what is wrong in it may be a secret
	}
	return o.Config.Show(w)
}

func (o Options) files(ctx context.Context, w io.Writer) error {
	if o.Config == nil {
		return o.Problem
	}
	look := func(path, of string) {
		info, err := os.Stat(path)
		if err != nil {
			_, _ = fmt.Fprintf(w, "%s  %s: %v\n", of, path, err)
			return
		}
		_, _ = fmt.Fprintf(w, "%s  %s  %s  %s\n", of, info.Mode(), info.ModTime().UTC().Format(time.RFC3339), path)
	}
	for _, f := range o.Config.Files {
		look(f, "configuration")
	}
	for _, ref := range o.Config.SecretReferences() {
		if path, ok := strings.CutPrefix(ref, "file:"); ok {
			look(path, "secret       ")
		} else {
			_, _ = fmt.Fprintln(w, "secret        ", ref)
		}
	}
	if err := o.Config.CheckSecrets(ctx); err != nil {
		_, _ = fmt.Fprintf(w, "\n%v\n\n", err)
	}
	if o.Config.NATS.Embedded() {
		return dataDir(w, o.Config.NATS.DataDir)
	}
	return nil
}

// dataDir says what lies in data_dir and how much room there is.
func dataDir(w io.Writer, dir string) error {
	size, files := int64(0), 0
	err := filepath.WalkDir(dir, func(_ string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if info, err := d.Info(); err == nil {
			size, files = size+info.Size(), files+1
		}
		return nil
	})
	_, _ = fmt.Fprintf(w, "data_dir %s: %d octets in %d files%s\n", dir, size, files, room(dir))
	return err
}

func (o Options) state(ctx context.Context, w io.Writer) error {
	var b bytes.Buffer
	if err := o.get(ctx, "/api/v1/mailboxes", &b); err != nil {
		return err
	}
	var answer struct {
		Mailboxes []worker.Row `json:"mailboxes"`
	}
	if err := json.Unmarshal(b.Bytes(), &answer); err != nil {
		return err
	}
	worker.WriteTable(w, answer.Mailboxes, true)
	return nil
}

// page is a part that a worker has.
func (o Options) page(path string) func(context.Context, io.Writer) error {
	return func(ctx context.Context, w io.Writer) error { return o.get(ctx, path, w) }
}

func (o Options) later(do func(context.Context, io.Writer) error) func(context.Context, io.Writer) error {
	return func(ctx context.Context, w io.Writer) error {
		select {
		case <-time.After(o.Wait):
			return do(ctx, w)
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// get asks the worker. Without a configuration it may still be where it is by default.
func (o Options) get(ctx context.Context, path string, w io.Writer) error {
	addr := config.DefaultListen
	if o.Config != nil {
		addr = o.Config.HTTP.Listen
	}
	if addr == "off" {
		return errors.New("http.listen is off: nothing can be asked of the worker")
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+path, http.NoBody)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("no worker answers on %s: %w", addr, err)
	}
	defer res.Body.Close()
	if _, err := io.Copy(w, res.Body); err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK && path != "/readyz" {
		return fmt.Errorf("what answers on %s says %s to %s", addr, res.Status, path)
	}
	return nil
}

// nats asks the server; each answer by itself, since a permission may lack for one of them only.
func (o Options) nats(ctx context.Context, w io.Writer) error {
	if o.Config == nil {
		return o.Problem
	}
	opt, err := o.NATS(ctx)
	if err != nil {
		return err
	}
	begin, cancel := context.WithTimeout(ctx, partTime/2)
	defer cancel()
	conn, err := natsjs.Connect(begin, opt)
	if err != nil {
		return err
	}
	var tenants []string
	for _, m := range o.Config.Mailboxes {
		tenants = append(tenants, m.Tenant)
	}
	slices.Sort(tenants)
	var lacking []error
	answers := map[string]json.RawMessage{}
	for _, stream := range append([]string{""}, natsjs.Streams(o.Config.NATS.Stream.Name, slices.Compact(tenants)...)...) {
		one, cancel := context.WithTimeout(ctx, 3*time.Second)
		answer, err := conn.Describe(one, stream)
		cancel()
		if err != nil {
			lacking = append(lacking, fmt.Errorf("%s: %w", cmp.Or(stream, "account"), err))
			continue
		}
		answers[cmp.Or(stream, "account")] = answer
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return errors.Join(append(lacking, enc.Encode(answers), conn.Close())...)
}
