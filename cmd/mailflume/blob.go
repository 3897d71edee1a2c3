package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"mailflume/cmd/internal/config"
	"mailflume/cmd/internal/worker"
	"mailflume/ingest"
	"mailflume/publish"
	"mailflume/publish/natsjs"
)

func blobCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "blob", Short: "Read stored octets", Args: cobra.NoArgs, RunE: needsCommand}
	var out, tenant string
	get := &cobra.Command{
		Use:   "get SHA256",
		Short: "Fetch stored octets and verify their digest",
		Args:  named("the SHA-256 of what you want"),
		RunE: func(cmd *cobra.Command, args []string) error {
			sum := strings.TrimPrefix(strings.ToLower(args[0]), "sha256-")
			if !regexp.MustCompile(`^[0-9a-f]{64}$`).MatchString(sum) {
				return fail(exitUsage, fmt.Errorf("%q is not a SHA-256: 64 hexadecimal digits, as in attachments[].sha256 of an event", args[0]))
			}
			cfg, err := loadConfig(cmd)
			if err != nil {
				return err
			}
			return getBlob(cmd, cfg, tenant, sum, out)
		},
	}
	get.Flags().StringVarP(&out, "output", "o", "", "write to this file instead of stdout")
	get.Flags().StringVar(&tenant, "tenant", "", "only this tenant's store")
	cmd.AddCommand(get)
	return cmd
}

func getBlob(cmd *cobra.Command, cfg *config.Config, tenant, sum, out string) error {
	var conn *natsjs.Conn
	if cfg.Blobs.URL == "nats:" { // the other stores are reached without it
		var done func()
		var err error
		if conn, done, err = reach(cmd.Context(), cfg, false); err != nil {
			return err
		}
		defer done()
	}
	for _, t := range tenants(cfg, tenant) {
		store, err := worker.ReadBlobs(cfg, conn, t)
		if err != nil {
			return err
		}
		r, err := store.Open(cmd.Context(), sum)
		if errors.Is(err, publish.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		return errors.Join(copyBlob(cmd.OutOrStdout(), out, r), r.Close())
	}
	return fmt.Errorf("no octets with the SHA-256 %s in %s of %s: %w\n  next: use the configuration of the worker that wrote the event; its ref names the store",
		sum, cfg.Blobs.URL, strings.Join(tenants(cfg, tenant), ", "), publish.ErrNotFound)
}

// tenants lists the stores to look in.
func tenants(cfg *config.Config, only string) []string {
	if only != "" {
		return []string{only}
	}
	out := []string{config.DefaultTenant}
	for _, m := range cfg.Mailboxes {
		if !slices.Contains(out, m.Tenant) {
			out = append(out, m.Tenant)
		}
	}
	return out
}

// copyBlob copies r to stdout or to a file that appears only when it is whole.
func copyBlob(stdout io.Writer, path string, r io.Reader) error {
	if path == "" {
		_, err := io.Copy(stdout, r)
		return err
	}
	if err := copyFile(path, r); err != nil {
		return coded(ingest.CodeFileWrite, fmt.Errorf("write %s: %w", path, err))
	}
	return nil
}

func copyFile(path string, r io.Reader) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), ".mailflume-*")
	if named, ok := errors.AsType[*fs.PathError](err); ok {
		return named.Err // that of the temporary file tells nobody anything
	}
	if err != nil {
		return err
	}
	_, err = io.Copy(tmp, r)
	if err = errors.Join(err, tmp.Close()); err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	return nil
}
