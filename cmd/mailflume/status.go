package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/spf13/cobra"

	"mailflume/cmd/internal/config"
	"mailflume/cmd/internal/worker"
	"mailflume/ingest"
)

func statusCommand() *cobra.Command {
	var format string
	var watch bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Print the table of mailboxes of the running worker",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := loadConfig(cmd)
			if err != nil {
				return err
			}
			for {
				rows, err := fetchRows(cmd.Context(), cfg)
				if err != nil {
					return fail(exitFailed, err)
				}
				if err := printRows(cmd.OutOrStdout(), rows, format); err != nil || !watch {
					return err
				}
				select {
				case <-cmd.Context().Done():
					return nil
				case <-time.After(2 * time.Second):
				}
			}
		},
	}
	cmd.Flags().StringVarP(&format, "output", "o", "table", "table, wide, json or yaml")
	cmd.Flags().BoolVarP(&watch, "watch", "w", false, "print again every two seconds")
	return cmd
}

// fetchRows asks the running worker's HTTP listener.
func fetchRows(ctx context.Context, cfg *config.Config) ([]worker.Row, error) {
	if !cfg.HTTP.Enabled() {
		return nil, fmt.Errorf("http.listen is off in %s: switch it on so that status can ask the worker", cfg.Path)
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+cfg.HTTP.Listen+"/api/v1/mailboxes", http.NoBody)
	if err != nil {
		return nil, err
	}
	res, err := http.DefaultClient.Do(req)
	if errors.Is(err, context.DeadlineExceeded) {
		return nil, fmt.Errorf("%s does not answer: if it is the worker, it is frozen or starved of CPU; look at its process and its log, and restart it if it does not come back (%w)", cfg.HTTP.Listen, err)
	}
	if err != nil {
		return nil, coded(ingest.CodeNoWorker, fmt.Errorf("no worker answers on %s; start it: mailflume run -c %s (%w)", cfg.HTTP.Listen, cfg.Path, err))
	}
	defer res.Body.Close()
	var answer struct {
		Mailboxes []worker.Row `json:"mailboxes"`
	}
	err = json.NewDecoder(io.LimitReader(res.Body, 256<<20)).Decode(&answer)
	if err != nil || res.StatusCode != http.StatusOK || answer.Mailboxes == nil {
		return nil, fmt.Errorf("what answers on %s is not a mailflume worker, or refuses (%s): see who listens there, and that http.listen is the worker's own address", cfg.HTTP.Listen, res.Status)
	}
	return answer.Mailboxes, nil
}

func printRows(w io.Writer, rows []worker.Row, format string) error {
	switch format {
	case "table", "wide":
		worker.WriteTable(w, rows, format == "wide")
		return nil
	case "json":
		return json.NewEncoder(w).Encode(rows)
	case "yaml":
		for i := range rows { // YAML has no place for control characters, and its encoder lets them through
			rows[i].Error, rows[i].Unsettled, rows[i].Probe = worker.Visible(rows[i].Error), worker.Visible(rows[i].Unsettled), worker.Visible(rows[i].Probe)
		}
		b, err := yaml.MarshalWithOptions(rows, yaml.UseJSONMarshaler())
		if err != nil {
			return err
		}
		_, err = w.Write(b)
		return err
	}
	return fail(exitUsage, fmt.Errorf("output format %q: write table, wide, json or yaml", format))
}
