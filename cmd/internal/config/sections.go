package config

import (
	"maps"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// sections checks everything but the mailboxes.
func (l *loader) sections(d *decoder) {
	s := &section{l, d}
	s.nats()
	s.stream()
	s.worker()
	s.blobs()
	s.limits()
	s.http()
	for _, name := range l.cfg.CredentialNames() {
		s.credential(name, l.cfg.Credentials[name])
	}
}

// section checks one section; keys are dotted paths from the top of the file.
type section struct {
	*loader
	d *decoder
}

// place is where a key stands, or the section that lacks it.
func (s *section) place(key string) place {
	for {
		if p, ok := s.d.places[key]; ok {
			return p
		}
		dot := strings.LastIndexByte(key, '.')
		if dot < 0 {
			return s.d.places[""]
		}
		key = key[:dot]
	}
}

// bad reports what is wrong with a key where it stands.
func (s *section) bad(key, message, hint string) { s.problems.at(s.place(key), message, hint) }

// nats checks the sign-in: NATS takes one way, and the embedded server makes its own.
func (s *section) nats() {
	n := &s.cfg.NATS
	if _, given := s.d.places["nats.url"]; given {
		for u := range strings.SplitSeq(n.URL, ",") {
			s.natsURL(strings.TrimSpace(u))
		}
	}
	var ways []string
	for key, set := range map[string]bool{
		"nats.credentials_file": !n.CredentialsFile.IsZero(),
		"nats.nkey_seed_file":   !n.NKeySeedFile.IsZero(),
		"nats.user":             n.User != "",
	} {
		if set {
			ways = append(ways, key)
		}
	}
	slices.Sort(ways)
	switch {
	case len(ways) > 1:
		s.bad(ways[1], "there are two ways to sign in to NATS", "keep one of credentials_file, nkey_seed_file, and user with password_file")
	case n.User != "" && n.PasswordFile.IsZero():
		s.bad("nats.user", "the NATS user has no password", "add password_file: with the path of a file that holds it")
	case n.User == "" && !n.PasswordFile.IsZero():
		s.bad("nats.password_file", "there is a NATS password, but no user", "add user:")
	case n.URL == "" && len(ways) > 0:
		s.bad(ways[0], "the embedded NATS server needs no sign-in", "add url: with your NATS server, or remove this key")
	}
	if (n.TLS.CertFile == "") != n.TLS.KeyFile.IsZero() {
		s.bad("nats.tls", "a client certificate needs both cert_file and key_file", "add the other one")
	}
}

// natsURL checks one server. The message does not repeat the URL: it may hold a password.
func (s *section) natsURL(text string) {
	const hint = "write for example nats://127.0.0.1:4222 or tls://nats.example.com:4222"
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || !slices.Contains([]string{"nats", "tls", "ws", "wss"}, u.Scheme) {
		s.bad("nats.url", "this is not the URL of a NATS server", hint)
		return
	}
	if u.User != nil {
		s.bad("nats.url", "a secret does not belong in the configuration", "remove what stands before @; use credentials_file, nkey_seed_file, or user with password_file")
	}
	if !validPort(u.Port()) {
		s.bad("nats.url", "the port is not a number from 1 to 65535", hint)
	}
}

// validPort accepts a port or none.
func validPort(p string) bool {
	n, err := strconv.Atoi(p)
	return p == "" || err == nil && n > 0 && n < 65536
}

// stream checks what the server would refuse late, or accept and lose mail.
func (s *section) stream() {
	st := &s.cfg.NATS.Stream
	// The server keeps the name as a folder and in subjects of its own.
	if !regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`).MatchString(st.Name) {
		s.bad("nats.stream.name", quote(st.Name)+" cannot name a stream", "use letters, digits, underscore and hyphen, for example MAIL")
	}
	if !regexp.MustCompile(`^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$`).MatchString(st.Prefix) || len(st.Prefix) > 128 {
		s.bad("nats.stream.prefix", quote(st.Prefix)+" cannot begin a subject", "use words of letters, digits, underscore and hyphen, joined by dots, for example mail.v1")
	}
	_, st.Chosen = s.d.places["nats.stream.replicas"]
	if s.cfg.NATS.Embedded() && st.Replicas > 1 {
		s.bad("nats.stream.replicas", "the embedded NATS server is only one server", "write replicas: 1, or add url: with your NATS cluster")
	}
	// A position is saved before the oldest entry after it reaches half of max_age.
	if st.MaxAge != 0 && st.MaxAge < Duration(time.Hour) {
		s.bad("nats.stream.max_age", "max_age is shorter than an hour: events would be gone before they are read", "write 1h or more, for example 30d, or 0 for ever")
	}
	if st.MaxBytes != 0 && st.MaxBytes < 1<<20 {
		s.bad("nats.stream.max_bytes", "max_bytes is smaller than one event may be", "write 1MiB or more, or 0 for no limit")
	}
}

// worker checks the name: it travels in headers and names a file.
func (s *section) worker() {
	if id := s.cfg.Worker.ID; !regexp.MustCompile(`^[A-Za-z0-9._-]{0,128}$`).MatchString(id) || id == "." || id == ".." {
		s.bad("worker.id", quote(id)+" cannot name a worker", "use letters, digits, dot, underscore and hyphen, at most 128 of them")
	}
}

// blobs checks the URL of the blob store.
func (s *section) blobs() {
	const hint = "write nats:, file:///var/lib/mailflume/blobs or s3://bucket?region=eu-central-1"
	u, err := url.Parse(s.cfg.Blobs.URL)
	if err != nil {
		s.bad("blobs.url", "this is not a URL", hint)
		return
	}
	if u.User != nil {
		s.bad("blobs.url", "a secret does not belong in the configuration", "remove what stands before @")
		return
	}
	switch {
	case s.cfg.Blobs.URL == "nats:":
	case u.Scheme == "file" && strings.HasPrefix(u.Path, "/") && u.Host == "" && u.Path != "/":
	case u.Scheme == "s3":
		s.s3(u)
		return
	default:
		s.bad("blobs.url", quote(s.cfg.Blobs.URL)+" names no place for blobs", hint)
	}
	for key, set := range map[string]bool{"blobs.credentials_file": !s.cfg.Blobs.CredentialsFile.IsZero(), "blobs.ca_file": s.cfg.Blobs.CAFile != ""} {
		if set {
			s.bad(key, "only a blob store on S3 has this key", "remove it, or write url: s3://bucket?region=eu-central-1")
		}
	}
}

// s3 checks the URL of a store on S3. A secret in it is not repeated.
func (s *section) s3(u *url.URL) {
	secret := false
	for pair := range strings.SplitSeq(u.RawQuery, "&") {
		if key, value, _ := strings.Cut(pair, "="); secretish(key) {
			secret = true
			s.d.src.conceal(value)
			s.bad("blobs.url", "a secret does not belong in the configuration", "remove "+key+"; keys come from credentials_file:, the environment or the role of the machine")
		}
	}
	if secret {
		return
	}
	if _, wrong, hint := parseS3(u); wrong != "" {
		s.bad("blobs.url", wrong, hint)
	}
}

// limits checks what is too small to work with.
func (s *section) limits() {
	lim := &s.cfg.Limits
	if lim.Memory < 16<<20 {
		s.bad("limits.memory", "memory is too little to work with", "write 16MiB or more, for example 256MiB")
	}
	if lim.MessageSize < 64<<10 {
		s.bad("limits.message_size", "message_size would set nearly every message aside", "write 64KiB or more, for example 150MiB")
	}
	if lim.ConnectionsPerMailbox > lim.ConnectionsPerHost {
		s.bad("limits.connections_per_mailbox", "one mailbox may not have more connections than its host", "write at most "+itoa(lim.ConnectionsPerHost))
	}
}

// http checks the address to listen on. Port 0 is allowed: the system chooses one.
func (s *section) http() {
	listen := s.cfg.HTTP.Listen
	if listen == "off" {
		return
	}
	_, port, err := net.SplitHostPort(listen)
	if n, bad := strconv.Atoi(port); err != nil || bad != nil || n < 0 || n > 65535 {
		s.bad("http.listen", quote(listen)+" is not an address with a port", "write for example 127.0.0.1:8025, :8025 for all addresses, or off")
	}
}

// CredentialNames lists the names of the credentials in order.
func (c *Config) CredentialNames() []string { return slices.Sorted(maps.Keys(c.Credentials)) }
