package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"
)

// writeNew writes a file that must not exist yet and says what comes next. Others may read it: it holds no
// secret, and the worker of a container or a systemd unit is somebody else.
func writeNew(cmd *cobra.Command, path string, text []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644) //nolint:gosec // G302: see above
	if errors.Is(err, os.ErrExist) {
		return fail(exitUsage, fmt.Errorf("%s exists; name another file with -c, or -c - to print", path))
	}
	if err != nil {
		return fail(exitConfig, fmt.Errorf("%w: make the folder, or name a file in one that is yours with -c", err))
	}
	_, err = f.Write(text)
	if err := errors.Join(err, f.Close()); err != nil {
		return fail(exitConfig, err)
	}
	_, err = fmt.Fprintf(cmd.ErrOrStderr(), "wrote %s; fill it in as it says, then: mailflume check -c %s && mailflume run -c %s\n", path, path, path)
	return err
}
