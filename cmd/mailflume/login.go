package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"mailflume/cmd/internal/config"
	"mailflume/cmd/internal/worker"
	"mailflume/ingest/oauth"
	"mailflume/publish/natsjs"
)

func loginCommand() *cobra.Command {
	var device, noBrowser bool
	cmd := &cobra.Command{
		Use: "login NAME", Short: "Sign in to the account of delegated credentials",
		Long: "Sign in to the account of the credentials NAME (type: delegated), in a browser on this machine or, with --device,\n" +
			"by typing a code on any other. The sign-in is sealed with token_key and kept in NATS for all workers.",
		Args: named("credentials"),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := loadConfig(cmd)
			if err != nil {
				return err
			}
			c, err := delegatedCredential(cfg, args[0])
			if err != nil {
				return fail(exitUsage, err)
			}
			open := openBrowser
			if noBrowser {
				open = nil
			}
			got, noticed, err := login(cmd.Context(), cfg, c, device, open, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			return signedIn(cmd.OutOrStdout(), cmd.ErrOrStderr(), c, got, noticed)
		},
	}
	cmd.Flags().BoolVar(&device, "device", false, "print a code to type in a browser on any device")
	cmd.Flags().BoolVar(&noBrowser, "no-browser", false, "print the address and open no browser")
	return cmd
}

// delegatedCredential finds the credentials that people mean.
func delegatedCredential(cfg *config.Config, name string) (*config.Credential, error) {
	var names []string
	for _, n := range slices.Sorted(maps.Keys(cfg.Credentials)) {
		if cfg.Credentials[n].Type == config.TypeDelegated {
			names = append(names, n)
		}
	}
	known := "there are none: add some, type: delegated"
	if len(names) > 0 {
		known = "there are " + strings.Join(names, ", ")
	}
	c := cfg.Credentials[name]
	switch {
	case c == nil:
		return nil, fmt.Errorf("%s has no credentials %q; of those to sign in to, %s", cfg.Path, name, known)
	case c.Type != config.TypeDelegated:
		return nil, fmt.Errorf("nobody signs in to the credentials %q: they are of type %s; of type delegated, %s", name, c.Type, known)
	}
	return c, nil
}

// login lets a person sign in, and has the workers know. What the person needs is printed to out.
func login(ctx context.Context, cfg *config.Config, c *config.Credential, device bool, open func(string) error, out io.Writer) (got oauth.SignedIn, noticed bool, err error) {
	conn, done, err := reachStream(ctx, cfg, false, worker.StreamConfig(cfg))
	if err != nil {
		return got, false, err
	}
	defer done()
	s, err := worker.OpenSignIn(cfg, conn, c)
	if err != nil {
		return got, false, fail(exitConfig, err)
	}
	if device {
		got, err = s.Device(ctx, func(d oauth.DeviceCode) { showCode(out, d) })
	} else {
		got, err = s.Browser(ctx, func(page string) { showPage(out, c, page, open) })
	}
	if err != nil {
		return got, false, err
	}
	return got, pollAll(ctx, conn, cfg, c), nil
}

// showCode and showPage print for a person; a terminal that has gone reads nothing.
func showCode(out io.Writer, d oauth.DeviceCode) {
	_, _ = fmt.Fprintf(out, "Open %s on any device and type the code %s; it ends in %v.\n", d.Page, d.Code, time.Until(d.Expires).Round(time.Minute))
	if d.WithCode != "" {
		_, _ = fmt.Fprintf(out, "With the code in it: %s\n", d.WithCode)
	}
}

func showPage(out io.Writer, c *config.Credential, page string, open func(string) error) {
	as := ""
	if c.Account != "" {
		as = " as " + c.Account
	}
	_, _ = fmt.Fprintf(out, "Open this address in a browser on this machine and sign in%s:\n\n  %s\n\n", as, page)
	if open == nil {
		return
	}
	if err := open(page); err != nil {
		_, _ = fmt.Fprintf(out, "No browser could be started here: %v. If there is none on this machine: mailflume login %s --device\n", err, c.Name)
	}
}

// pollAll has the mailboxes of the credentials looked at now, and reports whether a worker does. Without
// it workers would find out by their next try, which is rare by then.
func pollAll(ctx context.Context, conn *natsjs.Conn, cfg *config.Config, c *config.Credential) bool {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	polled := false
	for _, m := range cfg.Mailboxes {
		if m.Credential == c {
			_, err := worker.Ask(ctx, conn, natsjs.Request{Box: m.Key(), Verb: worker.VerbPoll}, natsjs.Asking{})
			polled = polled || err == nil
		}
	}
	return polled
}

// signedIn tells what came of it, and what to look after.
func signedIn(stdout, stderr io.Writer, c *config.Credential, got oauth.SignedIn, noticed bool) error {
	who, again, next := got.Account, "", "no running worker has its mailboxes yet"
	if who == "" {
		who = "somebody"
		_, _ = fmt.Fprintf(stderr, "note: the issuer does not say who signed in; make sure that it was %s\n", c.Account)
	}
	if got.Replaced {
		again = " again"
	}
	if noticed {
		next = "its mailboxes are being looked at"
	}
	_, err := fmt.Fprintf(stdout, "%s: %s is signed in%s; %s\n", c.Name, who, again, next)
	return err
}

// openBrowser starts the browser of this machine's desktop and does not wait for it.
func openBrowser(page string) error {
	name, args := "xdg-open", []string{page}
	switch runtime.GOOS {
	case "darwin":
		name = "open"
	case "windows":
		name, args = "rundll32", []string{"url.dll,FileProtocolHandler", page}
	default:
		// xdg-open would start a browser in the terminal.
		if os.Getenv("DISPLAY") == "" && os.Getenv("WAYLAND_DISPLAY") == "" {
			return errors.New("there is no desktop")
		}
	}
	cmd := exec.Command(name, args...) //nolint:gosec,noctx // G204: the page is ours; the browser stays when the command ends
	if err := cmd.Start(); err != nil {
		return err
	}
	return cmd.Process.Release()
}
