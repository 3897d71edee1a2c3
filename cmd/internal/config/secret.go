package config

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"

	"github.com/goccy/go-yaml/ast"

	"mailflume/ingest"
)

const (
	hidden        = "***"
	maxSecretSize = 1 << 20
)

// Secret is a reference to a secret: file:PATH, env:NAME, or credential:NAME for a credential that
// systemd hands over ($CREDENTIALS_DIRECTORY/NAME). It never holds the secret itself, and prints
// as *** in every form all the same.
type Secret struct {
	ref *secretRef // behind a pointer: fmt shows it to nobody, not even under a verb that does not fit
}

// secretRef is what a Secret refers to, and where that stands.
type secretRef struct {
	scheme string // file, env or credential
	name   string // path (absolute once the configuration is loaded), variable or credential
	shared bool   // others may read the file: whoever put it there decides
	at     place
}

// newSecret makes a reference whose place is not known.
func newSecret(scheme, name string) Secret { return Secret{&secretRef{scheme: scheme, name: name}} }

// The ways to refer to a secret.
const (
	schemeFile       = "file"
	schemeEnv        = "env"
	schemeCredential = "credential"
)

// ParseSecret reads a reference. A relative path stays relative to the working directory.
func ParseSecret(s string) (Secret, error) {
	scheme, name, ok := strings.Cut(s, ":")
	if !ok || name == "" || strings.ContainsAny(name, "\n\r\x00") {
		return Secret{}, errNoReference
	}
	switch scheme {
	case schemeFile:
		return newSecret(scheme, strings.TrimPrefix(name, "//")), nil
	case schemeEnv:
		// POSIX allows any character but = in a name; a space is a sentence, not a name.
		if strings.ContainsAny(name, "= ") {
			return Secret{}, errNoReference
		}
		return newSecret(scheme, name), nil
	case schemeCredential:
		// The name must stay inside the folder that systemd made.
		if strings.ContainsAny(name, "/\\") || name == "." || name == ".." {
			return Secret{}, errNoReference
		}
		return newSecret(scheme, name), nil
	}
	return Secret{}, errNoReference
}

var errNoReference = errors.New("a secret must be a reference: file:PATH, env:NAME or credential:NAME")

// IsZero says that no reference is set.
func (s Secret) IsZero() bool { return s.ref == nil }

// Path is the file that the reference leads to, empty if it is none.
func (s Secret) Path() string {
	switch {
	case s.IsZero():
	case s.ref.scheme == schemeFile:
		return s.ref.name
	case s.ref.scheme == schemeCredential:
		return filepath.Join(os.Getenv("CREDENTIALS_DIRECTORY"), s.ref.name)
	}
	return ""
}

// Reference returns the reference in the words of the file, for errors. It is no secret.
func (s Secret) Reference() string {
	if s.IsZero() {
		return ""
	}
	return s.ref.scheme + ":" + s.ref.name
}

// String hides the reference.
func (Secret) String() string { return hidden }

// GoString hides the reference.
func (Secret) GoString() string { return hidden }

// Format hides the reference under every verb.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// MarshalText hides the reference.
func (Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// MarshalJSON hides the reference.
func (Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + hidden + `"`), nil }

// MarshalYAML hides the reference.
func (Secret) MarshalYAML() (any, error) { return hidden, nil }

// UnmarshalYAML reads a reference. Its error never repeats the value: it may be a secret.
func (s *Secret) UnmarshalYAML(n ast.Node) error {
	text, err := scalar(n)
	if err != nil {
		return err
	}
	v, err := ParseSecret(text)
	if err != nil {
		return wrongSecret(n, text)
	}
	*s = v
	return nil
}

// wrongSecret refuses a literal secret where a reference belongs.
func wrongSecret(n ast.Node, text string) error {
	return literalSecret(n, text, "put it into a file of mode 0600 and write file:/path/to/it, or env:NAME, or credential:NAME (systemd)")
}

// literalSecret refuses a secret and has it masked wherever the file is shown.
func literalSecret(n ast.Node, text, hint string) error {
	e := wrong(n, "a secret does not belong in the configuration", hint)
	e.hide = text
	return e
}

// secretName says whether what stands under a free name (a parameter, a label, a key in a URL) must be a secret.
func secretName(name string) bool {
	return regexp.MustCompile(`(?i)secret|passw|pwd|token$|api.?key|access.?key|^key$|signature|assertion|credential`).MatchString(name)
}

// secretInURL returns the name of a secret in the query of a URL, and the query: both would be shown wherever
// the URL is.
func secretInURL(text string) (key, query string) {
	_, query, ok := strings.Cut(text, "?")
	if !ok || !strings.Contains(text, "://") {
		return "", ""
	}
	for pair := range strings.SplitSeq(query, "&") {
		if key, value, _ := strings.Cut(pair, "="); secretName(key) && value != "" {
			return key, query
		}
	}
	return "", ""
}

// Read returns the secret, without one trailing newline. It is read anew each time, so that a
// rotated file is picked up. Its errors carry the code MF-CFG-002 and say what to do.
func (s Secret) Read(ctx context.Context) (string, error) {
	text, err := s.read(ctx)
	// Editors end a file with one newline; a second one belongs to the secret.
	return strings.TrimSuffix(strings.TrimSuffix(text, "\n"), "\r"), s.refused(err)
}

// ReadBytes is Read for files that are not text: every octet is part of them.
func (s Secret) ReadBytes(ctx context.Context) ([]byte, error) {
	text, err := s.read(ctx)
	return []byte(text), s.refused(err)
}

// refused gives an error its code.
func (s Secret) refused(err error) error {
	if err == nil {
		return nil
	}
	return &ingest.Error{
		Fault: ingest.Fault{Class: ingest.Config, Code: ingest.CodeSecretMissing},
		Op:    "secret " + s.Reference(), Err: err,
	}
}

// read reads what the reference leads to, all of it.
func (s Secret) read(ctx context.Context) (text string, err error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	if s.IsZero() {
		return "", errNoReference
	}
	switch name := s.ref.name; s.ref.scheme {
	case schemeEnv:
		v, ok := os.LookupEnv(name)
		if !ok {
			return "", fmt.Errorf("the environment variable %s is not set: set it where mailflume starts", name)
		}
		text = v
	case schemeFile:
		text, err = readPrivate(name, !s.ref.shared)
	case schemeCredential:
		dir := os.Getenv("CREDENTIALS_DIRECTORY")
		if dir == "" {
			return "", fmt.Errorf("systemd handed over no credentials: add LoadCredential=%s:/path to the unit", name)
		}
		// systemd itself guards that folder; with an ACL on it the mode looks wider than it is.
		text, err = readPrivate(s.Path(), false)
	}
	if err == nil && strings.TrimSpace(text) == "" {
		err = errors.New("it is empty: write the secret into it")
	}
	if err != nil {
		return "", err
	}
	return text, nil
}

// readPrivate reads a small regular file that, if strict, only its owner may read.
func readPrivate(path string, strict bool) (string, error) {
	// O_NONBLOCK: opening a named pipe without a writer must not hang.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return "", fileProblem(path, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() {
		return "", errors.New("it is not a regular file: name a file that holds the secret")
	}
	if mode := info.Mode().Perm(); strict && runtime.GOOS != "windows" && mode&0o077 != 0 {
		// Checked on the open file: a name could mean another one a moment later.
		return "", fmt.Errorf("its mode %#o lets other users at it: run chmod 600 %s", mode, path)
	}
	b, err := io.ReadAll(io.LimitReader(f, maxSecretSize+1))
	if err != nil {
		return "", err
	}
	if len(b) > maxSecretSize {
		return "", errors.New("it is larger than 1 MiB: that is no secret")
	}
	return string(b), nil
}

// fileProblem says what to do about a file that cannot be opened.
func fileProblem(path string, err error) error {
	switch {
	case errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("%w: create it, with mode 0600: umask 077; mkdir -p %s; cat >%s   (paste, Enter, Ctrl-D)", err, filepath.Dir(path), path)
	case errors.Is(err, os.ErrPermission):
		return fmt.Errorf("mailflume may not read it: make the user that runs mailflume its owner: %w", err)
	}
	return err
}

// SecretFile is the path of a file that holds a secret. The path is no secret, the content is.
type SecretFile struct {
	path string
	at   place
}

// Path is the file, absolute once the configuration is loaded, or empty.
func (s SecretFile) Path() string { return s.path }

// IsZero says that no file is set.
func (s SecretFile) IsZero() bool { return s.path == "" }

// String returns the path.
func (s SecretFile) String() string { return s.path }

// GoString returns the path.
func (s SecretFile) GoString() string { return s.path }

// MarshalText writes the path.
func (s SecretFile) MarshalText() ([]byte, error) { return []byte(s.path), nil }

// MarshalYAML writes the path.
func (s SecretFile) MarshalYAML() (any, error) { return s.path, nil }

// UnmarshalYAML reads a path, with or without file: before it.
func (s *SecretFile) UnmarshalYAML(n ast.Node) error {
	text, err := scalar(n)
	if err != nil {
		return err
	}
	path := strings.TrimPrefix(text, "file:")
	// An nkey seed or a whole .creds file pasted where its path belongs.
	if path == "" || strings.ContainsAny(path, "\n\x00") || len(path) == 58 && strings.HasPrefix(path, "SU") {
		return wrongSecret(n, text)
	}
	s.path = path
	return nil
}

// Read returns the content as Secret.Read does.
func (s SecretFile) Read(ctx context.Context) (string, error) {
	return s.secret().Read(ctx)
}

// secret is the same file as a Secret.
func (s SecretFile) secret() Secret {
	return Secret{&secretRef{scheme: schemeFile, name: s.path, at: s.at}}
}

// setPlace also makes the path absolute: it starts at the folder of the file that it stands in.
func (s *Secret) setPlace(p place) {
	if s.ref == nil {
		return
	}
	s.ref.at = p
	if s.ref.scheme == schemeFile && p.src != nil {
		s.ref.name = p.src.abs(s.ref.name)
	}
}

// setPlace also makes the path absolute.
func (s *SecretFile) setPlace(p place) {
	s.at = p
	if p.src != nil {
		s.path = p.src.abs(s.path)
	}
}
