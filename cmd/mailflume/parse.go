package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"

	"encoding/json"

	"github.com/spf13/cobra"

	"mailflume/ingest"
	"mailflume/publish"
	"mailflume/publish/fileblob"
)

const (
	parseInline = 1 << 20  // of text are printed: there is no store to put a longer body into
	parseMemory = 40 << 20 // above which memory is collected more often
)

func parseCommand() *cobra.Command {
	var dir string
	var pretty bool
	cmd := &cobra.Command{
		Use:   "parse FILE...|-",
		Short: "Print the event data of messages in files",
		Long: "Prints one JSON line for each file: the data of the event that `run` would publish for it. Bad mail is not an\n" +
			"error: what had to be repaired stands in issues. --attachments keeps the attachments under their SHA-256.\n" +
			"Of a body, the first MiB is printed.",
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, files []string) error {
			debug.SetMemoryLimit(parseMemory)
			c := ingest.Composer{InlineText: parseInline}
			if dir != "" {
				store, err := fileblob.New(dir)
				if err != nil {
					return fail(exitFailed, err)
				}
				c.Blobs, c.Attachments = store, true
			}
			var errs []error
			for _, f := range files {
				if err := parseFile(cmd.Context(), &c, f, cmd.InOrStdin(), cmd.OutOrStdout(), pretty); err != nil {
					errs = append(errs, fmt.Errorf("%s: %w", f, err))
				}
			}
			return fail(exitFailed, errors.Join(errs...))
		},
	}
	cmd.Flags().StringVar(&dir, "attachments", "", "keep the attachments in this folder")
	cmd.Flags().BoolVar(&pretty, "pretty", false, "indent the JSON")
	return cmd
}

func parseFile(ctx context.Context, c *ingest.Composer, name string, stdin io.Reader, out io.Writer, pretty bool) error {
	r := stdin
	if name != "-" {
		f, err := os.Open(filepath.Clean(name))
		if err != nil {
			return err
		}
		defer f.Close()
		r = f
	}
	var data publish.Data
	if err := c.Compose(ctx, r, nil, &data); err != nil {
		return err
	}
	line, err := publish.Marshal(&data)
	if err != nil {
		return err
	}
	if pretty {
		var b bytes.Buffer
		if err := json.Indent(&b, line, "", "  "); err != nil {
			return err
		}
		line = b.Bytes()
	}
	_, err = fmt.Fprintf(out, "%s\n", line)
	return err
}
