package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

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
		Long: "Prints one JSON line for each file: the data of the event that `run` would publish for it, without what only a\n" +
			"mailbox knows (mailbox.id, ingest, folder, flags). Bad mail is not an error: what had to be repaired stands in\n" +
			"issues. --attachments keeps the attachments under their SHA-256. Of text and html, the first MiB is printed each.\n" +
			"A file that cannot be read does not stop the others; the exit code is then 3.",
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, files []string) error {
			debug.SetMemoryLimit(parseMemory)
			done := make(chan error, 1)
			go func() { done <- parseFiles(cmd, files, dir, pretty) }()
			select {
			case err := <-done:
				return err
			case <-cmd.Context().Done(): // whatever it waits for: a read, the other end of a FIFO, a full pipe
				return cmd.Context().Err()
			}
		},
	}
	cmd.Flags().StringVar(&dir, "attachments", "", "keep the attachments in this folder")
	cmd.Flags().BoolVar(&pretty, "pretty", false, "indent the JSON")
	return cmd
}

// parseFiles prints what is in files, and tells of each that it cannot read.
func parseFiles(cmd *cobra.Command, files []string, dir string, pretty bool) error {
	c := ingest.Composer{InlineText: parseInline}
	if dir != "" {
		store, err := fileblob.New(dir)
		if err != nil {
			return fileError("", err)
		}
		c.Blobs, c.Attachments = store, true
	}
	bad := 0
	for _, name := range files {
		data, err := parseFile(cmd.Context(), &c, name, cmd.InOrStdin())
		switch {
		case cmd.Context().Err() != nil:
			return cmd.Context().Err()
		case err != nil && len(files) == 1:
			return fileError(name, err)
		case err != nil:
			bad++
			explain(cmd.ErrOrStderr(), fileError(name, err))
			continue
		}
		if err := printData(cmd.OutOrStdout(), data, pretty); err != nil {
			return coded(ingest.CodeFileWrite, err)
		}
	}
	if bad > 0 {
		return fail(exitFailed, fmt.Errorf("%d of %d files are not printed; the lines above say why", bad, len(files)))
	}
	return nil
}

// fileError gives an error its code and names what it is about once: the path that the system refused,
// and, if that is in the folder of the attachments, the file they came from.
func fileError(name string, err error) error {
	code := ingest.CodeFileRead
	if errors.Is(err, publish.ErrBlobs) {
		code = ingest.CodeFileFolder
	}
	path, ok := errors.AsType[*fs.PathError](err)
	if ok {
		err = &fs.PathError{Op: path.Op, Path: printable(path.Path), Err: path.Err}
	}
	if name != "" && (!ok || code == ingest.CodeFileFolder) {
		err = fmt.Errorf("%s: %w", printable(name), err)
	}
	return coded(code, err)
}

// printable returns the name of a file so that it can be shown: in quotes if it has something in it that a
// terminal would not show but do.
func printable(name string) string {
	odd := func(r rune) bool { return !unicode.IsPrint(r) }
	if name == "" || !utf8.ValidString(name) || strings.ContainsFunc(name, odd) {
		return strconv.Quote(name)
	}
	return name
}

func coded(code ingest.Code, err error) error {
	return fail(exitFailed, &ingest.Error{Fault: ingest.Fault{Class: ingest.Permanent, Code: code}, Err: err})
}

// parseFile returns the data of one file.
func parseFile(ctx context.Context, c *ingest.Composer, name string, stdin io.Reader) (*publish.Data, error) {
	r := stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		r = f
	}
	data := new(publish.Data)
	err := c.Compose(ctx, r, nil, data)
	if data.Raw != nil && data.Raw.Size > parseInline {
		debug.FreeOSMemory() // what reading took, printing may take again
	}
	return data, err
}

// printData prints what publish.Marshal would return, which may be tens of MiB, without a second copy.
func printData(w io.Writer, data *publish.Data, pretty bool) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	if pretty {
		enc.SetIndent("", "  ")
	}
	return enc.Encode(data)
}
