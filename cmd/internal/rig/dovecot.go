package rig

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Options say what kind of server is wanted. The zero value is a server with passwords only.
type Options struct {
	// Dir is the folder in which the server's own temporary folder is made: short (socket paths end
	// at 108 octets) and open to every user. Empty: the system's, or /tmp if that is neither.
	Dir string
	// Issuer is the iss claim that tokens must have. Empty: no OAuth2.
	Issuer string
	// WriteKey puts the public keys that sign tokens into dir, each as a PEM file (PKIX) named
	// default/RS256/KEYID; for tokens with an azp claim its value stands in place of default. A
	// token must have iss, sub and exp, and upn unless AppOnly.
	WriteKey func(dir string) error
	// TLSCert and TLSKey are the server's certificate and key in PEM. Empty: a new self-signed pair
	// for localhost and 127.0.0.1, which Dovecot.Cert then holds.
	TLSCert, TLSKey []byte
	// AppOnly lets a token open every mailbox, as Entra ID application tokens do. Otherwise its upn
	// claim must be the mailbox.
	AppOnly bool
	// Mechanisms for tokens that are offered. Empty: xoauth2 and oauthbearer.
	Mechanisms []string
	// Introspect is where the server asks about each token (RFC 7662), an https URL with the server's name and
	// password. TLSCert has to hold the authority of that place too. Empty: it validates tokens itself.
	Introspect string
	// Scope and Audience are what the answer about a token must name. Empty: anything.
	Scope, Audience string
	// More is put behind the server's configuration, in its own language, and overrides it.
	More string
}

func (o *Options) mechanisms() []string {
	switch {
	case o.Issuer == "":
		return nil
	case len(o.Mechanisms) == 0:
		return []string{"xoauth2", "oauthbearer"}
	}
	return o.Mechanisms
}

// Dovecot is a running server.
type Dovecot struct {
	IMAPS, IMAP, POP3S, POP3 string // addresses, host:port
	Cert                     []byte // the server's certificate in PEM

	dir   string
	owner owner
	child *child
	users map[string]string // name to password
}

// ErrMissing says that Dovecot is not installed.
var ErrMissing = errors.New("dovecot is not installed: apt-get install dovecot-core dovecot-imapd dovecot-pop3d")

const startTimeout = 20 * time.Second

// Available reports whether a Dovecot is installed here.
func Available() bool {
	_, err := executable()
	return err == nil
}

// executable finds the server also for users whose PATH has no sbin.
func executable() (string, error) {
	if p, err := exec.LookPath("dovecot"); err == nil {
		return p, nil
	}
	const usual = "/usr/sbin/dovecot"
	if st, err := os.Stat(usual); err == nil && st.Mode().IsRegular() && st.Mode()&0o111 != 0 {
		return usual, nil
	}
	return "", ErrMissing
}

// Start makes a folder, writes the configuration into it and starts a server that answers on all
// four ports when Start returns.
func Start(o Options) (*Dovecot, error) {
	bin, err := executable()
	if err != nil {
		return nil, err
	}
	d := &Dovecot{users: map[string]string{}}
	if d.owner, err = whoRuns(); err != nil {
		return nil, err
	}
	if d.dir, err = ownFolder(o.Dir); err != nil {
		return nil, err
	}
	if err := d.prepare(o); err != nil {
		return nil, errors.Join(err, os.RemoveAll(d.dir))
	}
	// a free port can be taken by somebody else before Dovecot binds it: then other ports will do
	for range 3 {
		if err = d.listenAnew(o, bin); err == nil {
			return d, nil
		}
	}
	return nil, errors.Join(err, os.RemoveAll(d.dir))
}

func (d *Dovecot) listenAnew(o Options, bin string) error {
	addrs, err := freeAddrs(4)
	if err != nil {
		return err
	}
	d.IMAPS, d.IMAP, d.POP3S, d.POP3 = addrs[0], addrs[1], addrs[2], addrs[3]
	if err := d.writeConf(o); err != nil {
		return err
	}
	return d.run(bin)
}

func (d *Dovecot) run(bin string) error {
	c, err := startChild(bin, []string{"-F", "-c", d.path("dovecot.conf")}, d.path("log/stderr"), d.owner)
	if err != nil {
		return err
	}
	d.child = c
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	if err := c.waitFor(ctx, d.ready); err != nil {
		c.stop()
		return fmt.Errorf("start dovecot: %w\n%s", err, d.Log())
	}
	return nil
}

// ready wants a greeting of both protocols and the file that the master writes last. Dovecot dies
// badly (its master hangs) of a SIGTERM that its children get before they are ready for one.
func (d *Dovecot) ready(ctx context.Context) error {
	if err := greets(ctx, d.IMAP); err != nil {
		return err
	}
	if err := greets(ctx, d.POP3); err != nil {
		return err
	}
	_, err := os.Stat(d.path("run/master.pid"))
	return err
}

// Stop ends the server and all of its processes and removes its folder with all mail in it.
func (d *Dovecot) Stop() error {
	d.child.stop()
	if err := os.RemoveAll(d.dir); err != nil {
		return fmt.Errorf("remove dovecot's folder: %w", err)
	}
	return nil
}

// Restart ends the server, which breaks every connection, and starts it again: same addresses,
// same users, same mail.
func (d *Dovecot) Restart() error {
	bin, err := executable()
	if err != nil {
		return err
	}
	d.child.stop()
	_ = os.Remove(d.path("run/master.pid")) // a killed one leaves it behind
	return d.run(bin)
}

// Pid returns the process id of the master; its process group has the same number.
func (d *Dovecot) Pid() int { return d.child.pid }

// Log returns the end of what the server has logged, for the message of a failed test.
func (d *Dovecot) Log() string {
	var out strings.Builder
	for _, name := range []string{"log/stderr", "log/dovecot.log"} {
		b, err := os.ReadFile(d.path(name))
		if err != nil {
			continue
		}
		out.Write(b[max(0, len(b)-4096):])
	}
	return out.String()
}

func (d *Dovecot) path(name string) string { return filepath.Join(d.dir, name) }

// freeAddrs holds all listeners open until the last one is known, so that they differ.
func freeAddrs(n int) ([]string, error) {
	var addrs []string
	for range n {
		l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("find a free port: %w", err)
		}
		defer l.Close()
		addrs = append(addrs, l.Addr().String())
	}
	return addrs, nil
}
