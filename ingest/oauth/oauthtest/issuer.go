package oauthtest

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// DefaultAudience is the audience of tokens for Exchange Online.
const DefaultAudience = "https://outlook.office365.com"

// Options say what issuer Start starts. The zero value works.
type Options struct {
	Addr        string          // default 127.0.0.1:0; loopback only
	Host        string          // the host name in URL(); default is the address
	Secret      string          // the client secret; default is a random one, see Secret()
	ClientID    string          // the only client that is known; default: every client is
	Tenant      string          // the only tenant that is known; default: every tenant is
	Roles       []string        // of applications' tokens; default IMAP.AccessAsApp and POP.AccessAsApp
	Public      bool            // the generic endpoint takes refresh tokens without a secret
	TTL         time.Duration   // of tokens; default an hour
	Key         *rsa.PrivateKey // signs tokens; default: a new one. The same key keeps tokens good over a restart
	CA          *CA             // default: an authority of its own
	Certificate tls.Certificate // of the server; default: one that the CA makes
	Now         func() time.Time

	DeviceInterval time.Duration // between two questions about a device code; default 5 s
}

// Issuer is a running issuer.
type Issuer struct {
	opt    Options
	url    string
	key    *rsa.PrivateKey
	kid    string
	server *http.Server
	served chan struct{}
	forger func() *rsa.PrivateKey // the key of BadSignature, made when first needed
	ctx    context.Context        // ends with Close: delayed answers end with it
	cancel context.CancelFunc
	busy   sync.WaitGroup // handlers that run

	platform string // the IDENTITY_HEADER

	mu       sync.Mutex
	secret   string
	certs    map[string]*x509.Certificate // registered client certificates by SHA-256
	revoked  map[string]bool
	refresh  map[string]string // refresh token to client id
	seen     map[string]int64  // jti of assertions to their end: each is good once (RFC 7523 section 3)
	faults   []*Fault
	requests map[string]int

	trusted   []federated
	delegated map[string][]string // service account to scopes
	suspended map[string]bool     // mailboxes without tokens
	signIns
}

// Start listens and serves until Close.
func Start(o Options) (*Issuer, error) {
	if o.Addr == "" {
		o.Addr = "127.0.0.1:0"
	}
	if o.TTL == 0 {
		o.TTL = time.Hour
	}
	if o.CA == nil {
		o.CA = NewCA()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Roles == nil {
		o.Roles = []string{"IMAP.AccessAsApp", "POP.AccessAsApp"}
	}
	if o.Key == nil {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			return nil, fmt.Errorf("issuer key: %w", err)
		}
		o.Key = key
	}
	l, err := listen(o.Addr)
	if err != nil {
		return nil, err
	}
	i := newIssuer(o, l.Addr().(*net.TCPAddr))
	go i.serve(l)
	return i, nil
}

// listen refuses addresses that others can reach: the issuer believes everybody.
func listen(addr string) (net.Listener, error) {
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("issuer: %w", err)
	}
	if a, ok := l.Addr().(*net.TCPAddr); !ok || !a.IP.IsLoopback() {
		return nil, errors.Join(fmt.Errorf("issuer: %s is not a loopback address", l.Addr()), l.Close())
	}
	return l, nil
}

// newIssuer derives the key id from the key, so a restarted issuer never reuses one for another key.
func newIssuer(o Options, addr *net.TCPAddr) *Issuer {
	host := or(o.Host, addr.IP.String())
	if o.Certificate.PrivateKey == nil {
		o.Certificate = o.CA.Server(host, "localhost", "127.0.0.1", "::1")
	}
	sum := sha256.Sum256(x509.MarshalPKCS1PublicKey(&o.Key.PublicKey))
	i := &Issuer{
		opt: o, key: o.Key, kid: hex.EncodeToString(sum[:8]),
		url:    "https://" + net.JoinHostPort(host, fmt.Sprint(addr.Port)),
		forger: sync.OnceValue(func() *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, 2048)) }),
		served: make(chan struct{}), secret: or(o.Secret, rand.Text()),
		certs: map[string]*x509.Certificate{}, revoked: map[string]bool{}, refresh: map[string]string{},
		seen: map[string]int64{}, requests: map[string]int{}, platform: rand.Text(),
		delegated: map[string][]string{}, suspended: map[string]bool{}, signIns: newSignIns(),
	}
	i.ctx, i.cancel = context.WithCancel(context.Background())
	i.server = &http.Server{
		Handler:           i.handler(),
		TLSConfig:         &tls.Config{Certificates: []tls.Certificate{o.Certificate}, MinVersion: tls.VersionTLS12},
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          log.New(io.Discard, "", 0), // clients that refuse the certificate are the tests' business
	}
	return i
}

func (i *Issuer) serve(l net.Listener) {
	defer close(i.served)
	_ = i.server.ServeTLS(l, "", "") // ErrServerClosed after Close; the listener's own end is seen by clients
}

// Close ends the server, cuts its connections and waits for its goroutines.
func (i *Issuer) Close() error {
	i.mu.Lock()
	i.cancel()
	i.mu.Unlock() // from here on enter lets nobody in
	err := i.server.Close()
	<-i.served
	i.busy.Wait()
	return err
}

// enter reports whether a request may still be handled; the caller then owes busy.Done.
func (i *Issuer) enter() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.ctx.Err() != nil {
		return false
	}
	i.busy.Add(1)
	return true
}

// URL is the issuer's base: https://host:port. It is the iss of its tokens.
func (i *Issuer) URL() string { return i.url }

// TokenURL is the generic token endpoint.
func (i *Issuer) TokenURL() string { return i.url + "/token" }

// CAPool returns a pool with the authority that signed the server's certificate.
func (i *Issuer) CAPool() *x509.CertPool { return i.opt.CA.Pool() }

// CAPEM returns that authority's certificate.
func (i *Issuer) CAPEM() []byte { return i.opt.CA.PEM() }

// CA returns that authority.
func (i *Issuer) CA() *CA { return i.opt.CA }

// Secret returns the client secret that is accepted now.
func (i *Issuer) Secret() string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.secret
}

// SetSecret rotates the client secret.
func (i *Issuer) SetSecret(s string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.secret = s
}

// Register uploads a client certificate: assertions signed with its key are accepted.
func (i *Issuer) Register(cert *x509.Certificate) {
	sum := sha256.Sum256(cert.Raw)
	i.mu.Lock()
	defer i.mu.Unlock()
	i.certs[string(sum[:])] = cert
}

// Requests counts the requests to paths that end in suffix, those that met a fault included.
func (i *Issuer) Requests(suffix string) int {
	i.mu.Lock()
	defer i.mu.Unlock()
	n := 0
	for path, c := range i.requests {
		if strings.HasSuffix(path, suffix) {
			n += c
		}
	}
	return n
}

// handler counts every request and plays faults before anything else sees it.
func (i *Issuer) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{tenant}/v2.0/.well-known/openid-configuration", i.discovery)
	mux.HandleFunc("GET /.well-known/openid-configuration", i.discovery)
	mux.HandleFunc("GET /{tenant}/discovery/v2.0/keys", i.jwks)
	mux.HandleFunc("GET /jwks", i.jwks)
	mux.HandleFunc("POST /{tenant}/oauth2/v2.0/token", i.entraToken)
	mux.HandleFunc("POST /token", i.genericToken)
	mux.HandleFunc("GET /authorize", i.authorize)
	mux.HandleFunc("GET /{tenant}/oauth2/v2.0/authorize", i.authorize)
	mux.HandleFunc("POST /devicecode", i.deviceCode)
	mux.HandleFunc("POST /{tenant}/oauth2/v2.0/devicecode", i.deviceCode)
	mux.HandleFunc("POST /introspect", i.introspect)
	mux.HandleFunc("GET /msi/token", i.platformToken)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !i.enter() {
			panic(http.ErrAbortHandler)
		}
		defer i.busy.Done()
		w.Header().Set("Date", i.opt.Now().UTC().Format(http.TimeFormat))
		r.Body = http.MaxBytesReader(w, r.Body, 256<<10)
		if f := i.count(r.URL.Path); f != nil && i.fail(w, r, f) {
			return
		}
		mux.ServeHTTP(w, r)
	})
}
