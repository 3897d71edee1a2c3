package rig

import (
	"bufio"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const issuerURL = "https://issuer.example.org"

// issuer signs tokens as an identity provider does.
type issuer struct{ key *rsa.PrivateKey }

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return &issuer{key}
}

func (i *issuer) writeKey(dir string) error {
	der, err := x509.MarshalPKIXPublicKey(&i.key.PublicKey)
	if err != nil {
		return err
	}
	dir = filepath.Join(dir, "default", "RS256")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "k1"), pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), 0o644)
}

func (i *issuer) token(t *testing.T, upn string, life time.Duration) string {
	t.Helper()
	enc := func(v any) string {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(b)
	}
	now := time.Now()
	text := enc(map[string]string{"alg": "RS256", "typ": "JWT", "kid": "k1"}) + "." + enc(map[string]any{
		"iss": issuerURL, "sub": "rig", "aud": "mail", "upn": upn, "iat": now.Add(-time.Hour).Unix(), "nbf": now.Add(-time.Hour).Unix(), "exp": now.Add(life).Unix(),
	})
	sum := sha256.Sum256([]byte(text))
	sig, err := rsa.SignPKCS1v15(rand.Reader, i.key, crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(sig)
}

func xoauth2(user, token string) string {
	return base64.StdEncoding.EncodeToString([]byte("user=" + user + "\x01auth=Bearer " + token + "\x01\x01"))
}

// start gives a server with the users a@ and b@ or skips; where everything has to be proven it fails.
func start(t *testing.T, o Options) *Dovecot {
	t.Helper()
	if !Available() {
		if os.Getenv("MAILFLUME_CI") == "1" {
			t.Fatal(ErrMissing)
		}
		t.Skip(ErrMissing)
	}
	begin := time.Now()
	d, err := Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("started in %v", time.Since(begin))
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("dovecot says:\n%s", d.Log())
		}
		if err := d.Stop(); err != nil {
			t.Error(err)
		}
	})
	for _, u := range []string{"a@example.org", "b@example.org"} {
		if err := d.AddUser(u, "pw of "+u); err != nil {
			t.Fatal(err)
		}
	}
	return d
}

// client is a hand-written dialogue: what is proven here must not depend on a mail library.
type client struct {
	t    *testing.T
	conn net.Conn
	r    *bufio.Reader
	tag  int
}

func (d *Dovecot) tlsConfig(t *testing.T) *tls.Config {
	t.Helper()
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(d.Cert) {
		t.Fatal("the server's certificate is not PEM")
	}
	return &tls.Config{RootCAs: pool, ServerName: "localhost", MinVersion: tls.VersionTLS12}
}

func dial(t *testing.T, d *Dovecot, addr string, implicit bool) *client {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	if implicit {
		conn = tls.Client(conn, d.tlsConfig(t))
	}
	return &client{t: t, conn: conn, r: bufio.NewReader(conn)}
}

func (c *client) upgrade(d *Dovecot) {
	c.conn = tls.Client(c.conn, d.tlsConfig(c.t))
	c.r = bufio.NewReader(c.conn)
}

func (c *client) send(line string) {
	c.t.Helper()
	if _, err := io.WriteString(c.conn, line+"\r\n"); err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) line(prefix string) string {
	c.t.Helper()
	s, err := c.r.ReadString('\n')
	if err != nil {
		c.t.Fatalf("waiting for %q: %v", prefix, err)
	}
	s = strings.TrimRight(s, "\r\n")
	if !strings.HasPrefix(s, prefix) {
		c.t.Fatalf("got %q, want %q", s, prefix)
	}
	return s
}

// imap sends a command and returns the untagged answers up to a tagged OK.
func (c *client) imap(command string) []string {
	c.t.Helper()
	c.tag++
	tag := fmt.Sprintf("t%d ", c.tag)
	c.send(tag + command)
	for untagged := []string(nil); ; {
		s := c.line("")
		if strings.HasPrefix(s, tag) {
			if !strings.HasPrefix(s, tag+"OK") {
				c.t.Fatalf("%s: %s", command, s)
			}
			return untagged
		}
		untagged = append(untagged, s)
	}
}

// body fetches one message's octets over IMAP.
func (c *client) body(seq int) []byte {
	c.t.Helper()
	c.tag++
	c.send(fmt.Sprintf("t%d FETCH %d BODY.PEEK[]", c.tag, seq))
	head := c.line("* ")
	var n int
	if _, err := fmt.Sscanf(head[strings.LastIndexByte(head, '{'):], "{%d}", &n); err != nil {
		c.t.Fatalf("%q: %v", head, err)
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(c.r, b); err != nil {
		c.t.Fatal(err)
	}
	c.line(")")
	c.line(fmt.Sprintf("t%d OK", c.tag))
	return b
}

// retr fetches one message's octets over POP3, with the dots taken out again.
func (c *client) retr(n int) []byte {
	c.t.Helper()
	c.send(fmt.Sprintf("RETR %d", n))
	c.line("+OK")
	var out []byte
	for {
		s, err := c.r.ReadString('\n')
		if err != nil {
			c.t.Fatal(err)
		}
		if s == ".\r\n" {
			return out
		}
		out = append(out, strings.TrimPrefix(s, ".")...)
	}
}
