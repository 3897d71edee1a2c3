package rig

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"strings"
	"text/template"
	"time"
)

// conf is Dovecot 2.3's language (2.4 renamed half of it). The order is: where things are, who we
// are, what is offered, where mail and accounts are, and then the services.
//
//   - chroot is cleared for the services that have one: only root could enter it.
//   - service_count 0 lets one login process serve many clients, 256 lets a mail process serve one
//     session after another: starting a process per connection would be what a benchmark measures.
//   - the limits that protect a real server from a client's errors (connections per address,
//     delays after a failed login, the penalty counter) would only slow tests down: off.
const conf = `base_dir = {{.Dir}}/run
state_dir = {{.Dir}}/state
log_path = {{.Dir}}/log/dovecot.log
instance_name = mfrig

default_internal_user = {{.User}}
default_internal_group = {{.Group}}
default_login_user = {{.User}}
mail_uid = {{.User}}
mail_gid = {{.Group}}
first_valid_uid = 1
first_valid_gid = 1

protocols = imap pop3
listen = 127.0.0.1
ssl = required
ssl_cert = <{{.Dir}}/tls/cert.pem
ssl_key = <{{.Dir}}/tls/key.pem
ssl_min_protocol = TLSv1.2
disable_plaintext_auth = yes
auth_mechanisms = plain login{{range .Mechanisms}} {{.}}{{end}}
auth_username_chars =
auth_failure_delay = 0
auth_verbose = yes
mail_max_userip_connections = 0
shutdown_clients = yes

mail_location = maildir:~/Maildir
mailbox_list_index = yes
mail_fsync = never
pop3_uidl_format = %08Xu%08Xv
pop3_fast_size_lookups = yes
namespace inbox {
  inbox = yes
  separator = /
  mailbox Archive {
    auto = create
    special_use = \Archive
  }
}

passdb {
  driver = passwd-file
  mechanisms = plain login
  args = scheme=PLAIN username_format=%Lu {{.Dir}}/users
}
{{- if .OAuth}}
passdb {
  driver = oauth2
  mechanisms ={{range .Mechanisms}} {{.}}{{end}}
  args = {{.Dir}}/oauth2.conf
}
{{- end}}
userdb {
  driver = passwd-file
  args = username_format=%Lu {{.Dir}}/users
}

default_process_limit = {{.Sessions}}
default_client_limit = {{.Clients}}
default_vsz_limit = 1 G
service anvil {
  chroot =
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service stats {
  chroot =
}
service imap {
  process_limit = {{.Sessions}}
  service_count = 256
}
service pop3 {
  process_limit = {{.Sessions}}
  service_count = 256
}
{{- range .Logins}}
service {{.Name}}-login {
  chroot =
  service_count = 0
  process_limit = 4
  client_limit = {{$.Sessions}}
  inet_listener {{.Name}} {
    port = {{.Upgrade}}
  }
  inet_listener {{.Name}}s {
    port = {{.Implicit}}
    ssl = yes
  }
}
{{- end}}
{{.More}}
`

// oauthConf: Dovecot compares username_format, filled from the token's username_attribute, with the
// same format filled from the SASL user. A constant makes every token fit every mailbox.
const oauthConf = `{{if .Introspect}}introspection_mode = post
introspection_url = {{.Introspect}}
force_introspection = yes
active_attribute = {{if .Audience}}aud{{else}}active{{end}}
active_value = {{or .Audience "true"}}
tls_ca_cert_file = {{.Dir}}/tls/cert.pem
{{else}}introspection_mode = local
local_validation_key_dict = fs:posix:prefix={{.Dir}}/keys/
issuers = {{.Issuer}}
{{end}}{{with .Scope}}scope = {{.}}
{{end}}openid_configuration_url = {{.Discovery}}
username_attribute = upn
username_format = {{if .AppOnly}}any-mailbox{{else}}%Lu{{end}}
`

type login struct{ Name, Upgrade, Implicit string }

type settings struct {
	Dir, User, Group  string
	OAuth, AppOnly    bool
	Mechanisms        []string
	Issuer, Discovery string
	Introspect        string
	Scope, Audience   string
	More              string
	Sessions, Clients int
	Logins            []login
}

// prepare makes what does not depend on the ports.
func (d *Dovecot) prepare(o Options) error {
	for _, name := range []string{"run", "state", "log", "tls", "keys", "mail"} {
		if err := os.Mkdir(d.path(name), 0o755); err != nil {
			return fmt.Errorf("dovecot's folder: %w", err)
		}
	}
	cert, key := o.TLSCert, o.TLSKey
	if len(cert) == 0 {
		var err error
		if cert, key, err = selfSigned(); err != nil {
			return err
		}
	}
	d.Cert = cert
	if o.WriteKey != nil {
		if err := o.WriteKey(d.path("keys")); err != nil {
			return fmt.Errorf("write the issuer's key: %w", err)
		}
	}
	for name, b := range map[string][]byte{"tls/cert.pem": cert, "tls/key.pem": key, "users": nil} {
		if err := os.WriteFile(d.path(name), b, 0o600); err != nil {
			return fmt.Errorf("dovecot's folder: %w", err)
		}
	}
	return d.owner.ownAll(d.dir)
}

func (d *Dovecot) writeConf(o Options) error {
	port := func(addr string) string { return addr[strings.LastIndexByte(addr, ':')+1:] }
	s := settings{
		Dir: d.dir, User: d.owner.user, Group: d.owner.group,
		OAuth: o.Issuer != "", Mechanisms: o.mechanisms(), AppOnly: o.AppOnly, Issuer: o.Issuer,
		Discovery:  strings.TrimSuffix(o.Issuer, "/") + "/.well-known/openid-configuration",
		Introspect: o.Introspect, Scope: o.Scope, Audience: o.Audience, More: o.More,
		Sessions: 1024, Clients: 4096,
		Logins: []login{{"imap", port(d.IMAP), port(d.IMAPS)}, {"pop3", port(d.POP3), port(d.POP3S)}},
	}
	for name, text := range map[string]string{"dovecot.conf": conf, "oauth2.conf": oauthConf} {
		var b bytes.Buffer
		if err := template.Must(template.New(name).Parse(text)).Execute(&b, s); err != nil {
			return fmt.Errorf("write %s: %w", name, err)
		}
		if err := os.WriteFile(d.path(name), b.Bytes(), 0o644); err != nil {
			return fmt.Errorf("write %s: %w", name, err)
		}
	}
	return nil
}

// selfSigned makes a certificate that is its own authority, for clients that trust it by name.
func selfSigned() (cert, key []byte, err error) {
	priv, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("make a key: %w", err)
	}
	t := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()),
		Subject:      pkix.Name{CommonName: "localhost"},
		NotBefore:    time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(0, 0, 30),
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		IsCA:        true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, t, t, &priv.PublicKey, priv)
	if err != nil {
		return nil, nil, fmt.Errorf("make a certificate: %w", err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(priv)
	if err != nil {
		return nil, nil, fmt.Errorf("encode a key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}), nil
}
