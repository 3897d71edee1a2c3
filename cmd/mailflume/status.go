package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/spf13/cobra"

	"mailflume/cmd/internal/config"
	"mailflume/cmd/internal/worker"
	"mailflume/ingest"
	"mailflume/publish/natsjs"
)

func statusCommand() *cobra.Command {
	var format string
	var watch bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Print the table of mailboxes of all workers",
		Long: "Asks all workers, on whatever machine they run, and prints one table: of each mailbox, what the worker that has it says.\n" +
			"If NATS does not answer, the worker at http.listen is asked, which knows only its own mailboxes; the exit code says so (5).",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !slices.Contains([]string{"table", "wide", "json", "yaml"}, format) {
				return fail(exitUsage, fmt.Errorf("output format %q: write table, wide, json or yaml", format))
			}
			cfg, err := loadReach(cmd)
			if err != nil {
				return err
			}
			v := viewer{cfg: cfg}
			defer v.close()
			for {
				o, partial, err := v.look(cmd.Context())
				if err == nil {
					err = printOverview(cmd, o, format)
				}
				if !watch {
					return cmp.Or(err, partial)
				}
				if err := cmp.Or(err, partial); err != nil {
					explain(cmd.ErrOrStderr(), err)
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

// viewer looks at the mailboxes of all workers, again and again.
type viewer struct {
	cfg  *config.Config
	conn *natsjs.Conn // nil until NATS was there
}

func (v *viewer) close() {
	if v.conn != nil {
		_ = v.conn.Close()
	}
}

// look asks all workers, or, if they cannot be asked, the one at http.listen. partial says why there is only that.
func (v *viewer) look(ctx context.Context) (o worker.Overview, partial, err error) {
	if o, err = v.survey(ctx); err == nil || ctx.Err() != nil {
		return o, nil, err
	}
	rows, local := fetchRows(ctx, v.cfg)
	switch {
	case local == nil && v.cfg.NATS.Embedded():
		return worker.Overview{Rows: rows}, nil, nil // there are no others
	case local == nil:
		return worker.Overview{Rows: rows}, about(err, "these are the mailboxes of one worker only, the one at "+v.cfg.HTTP.Listen+": %s"), nil
	case ingest.FaultOf(local).Code == ingest.CodeFrozen:
		return o, nil, local
	}
	return o, nil, about(err, "%s; and "+strings.ReplaceAll(plain(local), "%", "%%"))
}

// about is err with more around its text.
func about(err error, format string) error {
	return fail(exitCode(err), &ingest.Error{Fault: ingest.FaultOf(err), Err: fmt.Errorf(format, plain(err))})
}

// plain is an error's text without the code before it.
func plain(err error) string {
	return strings.TrimLeft(strings.TrimPrefix(err.Error(), string(ingest.FaultOf(err).Code)), ": ")
}

func (v *viewer) survey(ctx context.Context) (worker.Overview, error) {
	if v.conn == nil {
		var err error
		if v.conn, err = dial(ctx, v.cfg); err != nil {
			return worker.Overview{}, err
		}
	}
	return worker.Survey(ctx, v.conn, v.cfg.NATS.Stream.Name)
}

// dial connects to the NATS of running workers.
func dial(ctx context.Context, cfg *config.Config) (*natsjs.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	opt, _, err := natsFor(ctx, cfg, true)
	if err != nil {
		return nil, err
	}
	return natsjs.Connect(ctx, opt)
}

// fetchRows asks the HTTP listener of the worker on this machine.
func fetchRows(ctx context.Context, cfg *config.Config) ([]worker.Row, error) {
	listen := cfg.HTTP.Listen
	if _, port, _ := net.SplitHostPort(listen); !cfg.HTTP.Enabled() || port == "0" {
		return nil, fmt.Errorf("no other way to ask a worker: http.listen is %s", listen)
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+listen+"/api/v1/mailboxes", http.NoBody)
	if err != nil {
		return nil, err
	}
	res, err := http.DefaultClient.Do(req)
	if errors.Is(err, context.DeadlineExceeded) {
		return nil, coded(ingest.CodeFrozen, fmt.Errorf("what listens on %s does not answer", listen))
	}
	if err != nil {
		return nil, coded(ingest.CodeNoWorker, fmt.Errorf("no worker answers on %s (http.listen)", listen))
	}
	defer res.Body.Close()
	var answer struct {
		Mailboxes []worker.Row `json:"mailboxes"`
	}
	err = json.NewDecoder(io.LimitReader(res.Body, 256<<20)).Decode(&answer)
	if err != nil || res.StatusCode != http.StatusOK || answer.Mailboxes == nil {
		return nil, fmt.Errorf("what answers on %s is not a mailflume worker, or refuses (%s): see who listens there, and that http.listen is the worker's own address", listen, res.Status)
	}
	return answer.Mailboxes, nil
}

// printOverview prints the mailboxes to stdout; what is wrong with workers goes below the table, or beside it.
func printOverview(cmd *cobra.Command, o worker.Overview, format string) error {
	err := printRows(cmd.OutOrStdout(), o.Rows, format)
	below := cmd.OutOrStdout()
	if format == "json" || format == "yaml" {
		below = cmd.ErrOrStderr()
	}
	worker.WriteWorkers(below, o.Workers)
	return err
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
	return nil
}
