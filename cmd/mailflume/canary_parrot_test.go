//go:build unix

package main

import (
	"bufio"
	"crypto/tls"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"io"
	stdlog "log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"software.sslmate.com/src/go-pkcs12"
)

// parrot is a server that refuses every sign-in and repeats it, in one form after the other.
func parrot(t *testing.T, certificate tls.Certificate, repeat func(c net.Conn, n int)) (port string) {
	t.Helper()
	ln, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for n := 0; ; n++ {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer c.Close()
				_ = c.SetDeadline(time.Now().Add(20 * time.Second))
				repeat(c, n)
			})
		}
	})
	t.Cleanup(func() {
		_ = ln.Close()
		wg.Wait()
	})
	_, port, _ = net.SplitHostPort(ln.Addr().String())
	return port
}

// manners is how many ways of repeating there are.
const manners = 9

// repeated is a line with what it says inside, in the n-th way.
func repeated(line string, n int) string {
	inside, err := base64.StdEncoding.DecodeString(line[strings.LastIndexByte(line, ' ')+1:])
	if err != nil {
		_, said, _ := strings.Cut(line, " ")
		inside = []byte(said)
	}
	text := strings.Map(func(r rune) rune {
		if r < ' ' {
			return '|'
		}
		return r
	}, string(inside))
	return [manners]string{
		line, text, url.QueryEscape(text), hex.EncodeToString(inside), base64.URLEncoding.EncodeToString(inside), fmt.Sprintf("%q", text), text[max(0, len(text)-200):],
		base64.StdEncoding.EncodeToString([]byte("x" + url.QueryEscape(text))), html.EscapeString(strings.ToUpper(text)),
	}[n%manners]
}

func repeatIMAP(c net.Conn, n int) {
	_, _ = fmt.Fprint(c, "* OK polly\r\n")
	lines := bufio.NewScanner(c)
	for lines.Scan() {
		tag, command, _ := strings.Cut(lines.Text(), " ")
		verb, _, _ := strings.Cut(strings.ToUpper(command), " ")
		switch verb {
		case "CAPABILITY":
			_, _ = fmt.Fprintf(c, "* CAPABILITY IMAP4rev1 SASL-IR AUTH=XOAUTH2 AUTH=PLAIN\r\n%s OK done\r\n", tag)
		case "AUTHENTICATE", "LOGIN":
			said := repeated(command, n)
			_, _ = fmt.Fprintf(c, "* BYE you said %s\r\n%s NO [AUTHENTICATIONFAILED] %s\r\n", said, tag, said)
		default:
			_, _ = fmt.Fprintf(c, "%s BAD %s\r\n", tag, command)
		}
	}
}

func repeatPOP3(c net.Conn, n int) {
	_, _ = fmt.Fprint(c, "+OK polly\r\n")
	lines := bufio.NewScanner(c)
	for lines.Scan() {
		verb, _, _ := strings.Cut(strings.ToUpper(lines.Text()), " ")
		switch verb {
		case "CAPA":
			_, _ = fmt.Fprint(c, "+OK\r\nUIDL\r\nUSER\r\nSASL XOAUTH2 PLAIN\r\n.\r\n")
		case "AUTH":
			_, _ = fmt.Fprint(c, "+ \r\n")
		case "USER":
			_, _ = fmt.Fprint(c, "+OK\r\n")
		case "QUIT":
			_, _ = fmt.Fprint(c, "+OK\r\n")
			return
		default:
			_, _ = fmt.Fprintf(c, "%s you said %s\r\n", []string{"-ERR [AUTH]", "what is"}[n%2], repeated(lines.Text(), n))
		}
	}
}

func repeatSMTP(c net.Conn, n int) {
	_, _ = fmt.Fprint(c, "220 polly\r\n")
	lines := bufio.NewScanner(c)
	for lines.Scan() {
		verb, _, _ := strings.Cut(strings.ToUpper(lines.Text()), " ")
		switch verb {
		case "EHLO":
			_, _ = fmt.Fprint(c, "250-polly\r\n250 AUTH XOAUTH2 PLAIN\r\n")
		case "AUTH":
			_, _ = fmt.Fprint(c, "334 \r\n")
		default:
			_, _ = fmt.Fprintf(c, "%s you said %s\r\n", []string{"535 5.7.3", "535-5.7.3 well,\r\n535 5.7.3", "what is"}[n%3], repeated(lines.Text(), n))
		}
	}
}

// parrotNATS is a NATS server that repeats how somebody connects.
func parrotNATS(t *testing.T) (address string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for n := 0; ; n++ {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			_ = c.SetDeadline(time.Now().Add(5 * time.Second))
			_, _ = fmt.Fprint(c, "INFO {\"server_id\":\"polly\",\"version\":\"2.15.0\",\"proto\":1,\"max_payload\":1048576,\"auth_required\":true}\r\n")
			said, _ := bufio.NewReader(c).ReadString('\n')
			_, _ = fmt.Fprintf(c, "-ERR 'you said %s'\r\n", repeated(strings.TrimSpace(said), n))
			_ = c.Close()
		}
	})
	t.Cleanup(func() {
		_ = ln.Close()
		wg.Wait()
	})
	return ln.Addr().String()
}

// issuerParrot is an issuer that refuses every request for a token and repeats it. It plants what it is
// sent, and one sign-in of a person that it grants.
func (c *cage) issuerParrot() (address string) {
	var n atomic.Int64
	var s *httptest.Server
	s = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		for name, values := range r.PostForm {
			if strings.Contains(name, "assertion") && !strings.Contains(name, "type") || name == "refresh_token" {
				c.plantToken(values[0])
			}
		}
		switch {
		case strings.HasSuffix(r.URL.Path, "/openid-configuration"):
			at := s.URL + "/" + strings.Split(r.URL.Path, "/")[1]
			_, _ = fmt.Fprintf(w, `{"issuer":"%[1]s/v2.0","token_endpoint":"%[1]s/token","authorization_endpoint":"%[1]s/authorize"}`, at)
		case strings.HasSuffix(r.URL.Path, "/devicecode"):
			_, _ = fmt.Fprintf(w, `{"device_code":%q,"user_code":"WDJB-MJHT","verification_uri":"https://polly.example/device","interval":1,"expires_in":60}`,
				c.plant("device code", "GmRh-"+strings.Repeat("device_code.", 4)))
		case strings.HasSuffix(r.PostForm.Get("grant_type"), "device_code") && n.Add(1) == 1:
			w.WriteHeader(http.StatusBadRequest)
			_, _ = fmt.Fprintf(w, `{"error":"authorization_pending","error_description":%q}`, r.PostForm.Encode())
		case strings.HasSuffix(r.PostForm.Get("grant_type"), "device_code"):
			_, _ = fmt.Fprintf(w, `{"token_type":"Bearer","expires_in":1,"access_token":%[1]q,"refresh_token":%[2]q,"scope":"mail %[1]s"}`,
				c.plant("delegated access token", "Ew-"+strings.Repeat("delegated.access~", 4)), c.plant("delegated refresh token", "0.A-"+strings.Repeat("delegated.refresh~", 4)))
		default:
			line, at := "x "+r.Header.Get("Authorization")+"&"+r.PostForm.Encode(), int(n.Add(1))
			said := repeated(line, at)
			w.WriteHeader(http.StatusBadRequest)
			_ = json.NewEncoder(w).Encode(map[string]any{
				"error": "invalid_grant", "error_description": "you said " + said[max(0, len(said)-400):], "trace_id": repeated(line, at+1), "correlation_id": r.PostForm.Get("client_secret") + r.PostForm.Get("client_assertion"),
			})
		}
	}))
	s.TLS = &tls.Config{Certificates: []tls.Certificate{c.certificate}, MinVersion: tls.VersionTLS12}
	s.Config.ErrorLog = stdlog.New(io.Discard, "", 0) // of clients that only look at the certificate
	s.StartTLS()
	c.t.Cleanup(s.Close)
	return s.URL
}

// everyKind adds a credential of every kind whose issuer repeats it, with a mailbox each.
func (c *cage) everyKind(certificate []byte) {
	polly := c.issuerParrot()
	for name, text := range map[string]string{
		"assertion": c.issuer.Workload("system:serviceaccount:mail:mailflume", "api://AzureADTokenExchange", time.Hour), "google.json": string(c.issuer.ServiceAccount("mail@project.iam.example.com", "x")),
		"secret": c.plant("secret of an OAuth2 client", canarySecret("oauth2")), "refresh": c.plant("refresh token of an OAuth2 client", "1//0g-"+strings.Repeat("Refresh.token~", 4)),
		"bearer": "Authorization: Bearer " + c.plant("static bearer token", "ya29.a0-"+strings.Repeat("static.token~", 4)) + "\n", "pfx-password": c.plant("PFX password", canarySecret("pfx")),
		"pfx": string(c.pfx(certificate, canarySecret("pfx"))), "wrong-pfx-password": c.plant("wrong PFX password", canarySecret("wrong pfx")), "key": c.plant("vault key", base64.StdEncoding.EncodeToString([]byte(strings.Repeat("vault-key", 4)[:32]))),
	} {
		c.file(name, text)
	}
	c.plantToken(strings.TrimSpace(c.read("assertion")))
	var account struct {
		Key string `json:"private_key"`
	}
	if err := json.Unmarshal([]byte(c.read("google.json")), &account); err != nil {
		c.t.Fatal(err)
	}
	c.plantKey(c.t, "service account", []byte(account.Key))
	c.t.Setenv("MAILFLUME_CANARY", c.plant("secret in the environment", canarySecret("environment")))
	entra := "type: entra, tenant: polly.example, client_id: app, ca_file: issuer.pem, authority: " + polly
	oauth2 := "type: oauth2, client_id: app, scope: mail, ca_file: issuer.pem, token_url: " + polly + "/token"
	for name, keys := range map[string]string{
		"p-secret": entra + ", client_secret: env:MAILFLUME_CANARY", "p-pfx": entra + ", certificate: file:pfx, certificate_password: file:pfx-password",
		"p-wrong-pfx": entra + ", certificate: file:pfx, certificate_password: file:wrong-pfx-password", "p-federated": entra + ", federated_token: file:assertion",
		"p-google": "type: google, service_account: file:google.json, ca_file: issuer.pem, token_url: " + polly + "/token",
		"p-basic":  oauth2 + ", client_secret: file:secret", "p-post": oauth2 + ", client_auth: post, client_secret: file:secret", "p-refresh": oauth2 + ", refresh_token: file:refresh",
		"p-person": "type: delegated, provider: generic, client_id: app, client_secret: file:secret, scope: mail, ca_file: issuer.pem, token_key: file:key, token_url: " + polly + "/token, device_url: " + polly + "/devicecode, auth_url: " + polly + "/authorize",
	} {
		fmt.Fprintf(&c.config, "  %s: {%s}\n", name, keys)
		c.box(name, "credentials: "+name+", ca_file: imap.pem, port: "+c.imapPort)
	}
	c.config.WriteString("  bearer: {type: oauth2, token: \"file:bearer\"}\n")
	for n := range manners {
		c.box(fmt.Sprint("bearer", n), "credentials: bearer, ca_file: issuer.pem, port: "+c.parrot[0])
	}
}

// pfx puts a certificate and its key in PEM behind a password.
func (c *cage) pfx(pemText []byte, password string) []byte {
	c.t.Helper()
	pair, err := tls.X509KeyPair(pemText, pemText)
	if err != nil {
		c.t.Fatal(err)
	}
	b, err := pkcs12.Modern2023.Encode(pair.PrivateKey, pair.Leaf, nil, password)
	if err != nil {
		c.t.Fatal(err)
	}
	return b
}
