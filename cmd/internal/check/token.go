package check

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"mailflume/cmd/internal/config"
	"mailflume/cmd/internal/worker"
	"mailflume/ingest"
	"mailflume/ingest/oauth"
)

// tokenSteps is a token and what was found in it.
type tokenSteps struct {
	token, claims *Step

	got  ingest.Token
	says oauth.Claims // zero if the token is opaque
}

// credentials are the credentials whose token opens every mailbox. One with a token for each mailbox
// is looked at with the mailbox.
func (r *run) credentials() []*Section {
	var out []*Section
	for _, name := range r.cfg.CredentialNames() {
		c := r.cfg.Credentials[name]
		at := slices.IndexFunc(r.opt.Mailboxes, func(m *config.Mailbox) bool { return m.Credential == c })
		if !slices.Contains([]config.CredentialType{config.TypeEntra, config.TypeOAuth2, config.TypeDelegated}, c.Type) || at < 0 {
			continue
		}
		s := &Section{Kind: Credential, Name: name, About: fmt.Sprintf("%s, client %s", c.Type, c.ClientID)}
		if c.Tenant != "" {
			s.About = fmt.Sprintf("%s, tenant %s, client %s", c.Type, c.Tenant, c.ClientID)
		}
		needs := r.issuer(s, c)
		if c.Type == config.TypeDelegated {
			needs = append(needs, r.linked) // its sign-in is kept there
		}
		r.tokens[name] = r.token(s, r.opt.Mailboxes[at], needs...)
		out = append(out, s)
	}
	return out
}

// issuer looks at the way to the token endpoint. Behind a proxy it is the proxy's.
func (r *run) issuer(s *Section, c *config.Credential) []*Step {
	u, err := url.Parse(cmp.Or(c.TokenURL, c.Authority))
	if err != nil || u.Hostname() == "" || c.ManagedIdentity { // the platform's own endpoint
		return nil
	}
	port := cmp.Or(u.Port(), "443")
	p, err := http.ProxyFromEnvironment(&http.Request{URL: u})
	target := net.JoinHostPort(u.Hostname(), port)
	switch {
	case p != nil:
		return []*Step{s.add("proxy", func(ctx context.Context) Outcome { return throughProxy(ctx, p, target) })}
	case err != nil || malformedProxy():
		s.add("proxy", func(context.Context) Outcome {
			return doubtful("HTTPS_PROXY is no address, so that requests go around the proxy", "write http://HOST:PORT into it where mailflume starts; a password with # / or % in it is URL-encoded")
		})
	}
	dns := s.add("dns", func(ctx context.Context) Outcome { return ofIssuer(c, lookUp(ctx, u.Hostname())) })
	tcp := s.add("tcp", func(ctx context.Context) Outcome { return ofIssuer(c, dial(ctx, u.Hostname(), port)) }, dns)
	return []*Step{s.add("tls", func(ctx context.Context) Outcome { return ofIssuer(c, issuerTLS(ctx, c, target)) }, tcp)}
}

// ofIssuer is what a worker would say, with the keys of the credentials: mailboxes that have a token do not notice.
func ofIssuer(c *config.Credential, o Outcome) Outcome {
	key := "authority:"
	if c.Authority == "" {
		key = "token_url:"
	}
	switch key += " of credentials." + c.Name; o.Code {
	case ingest.CodeHostUnknown:
		o.Next = []string{"check " + key + " (and cloud:), and the resolver of this machine; behind a proxy set HTTPS_PROXY"}
	case ingest.CodeConnRefused, ingest.CodeTimeout, ingest.CodeConnLost:
		_, next := ingest.Explain(ingest.CodeTokenDown)
		o.Code, o.Next = ingest.CodeTokenDown, []string{next, "if it never worked: check " + key + "; behind a proxy set HTTPS_PROXY"}
	case ingest.CodeCertName:
		for i, line := range o.Next {
			o.Next[i] = strings.Replace(line, "host:", key, 1)
		}
	}
	return o
}

func issuerTLS(ctx context.Context, c *config.Credential, addr string) Outcome {
	ctx, cancel := context.WithTimeout(ctx, networkTime)
	defer cancel()
	cfg := &tls.Config{MinVersion: tls.VersionTLS12}
	if c.CAFile != "" {
		pool, err := worker.CertPool(c.CAFile)
		if err != nil {
			return failed(err)
		}
		cfg.RootCAs = pool
	}
	conn, err := (&tls.Dialer{Config: cfg}).DialContext(ctx, "tcp", addr)
	if err != nil {
		out := distrusted(err, "ca_file: of credentials."+c.Name)
		out.Fault.Lasting = out.Code == ingest.CodeCertUnknownCA // as for the worker: nothing but ca_file ends it
		return out
	}
	defer conn.Close()
	return chain(conn.(*tls.Conn).ConnectionState()) // tls.Dialer makes nothing else
}

// token adds the steps of one token, which is that of mailbox m and of all that share its credential.
func (r *run) token(s *Section, m *config.Mailbox, needs ...*Step) *tokenSteps {
	t := &tokenSteps{}
	t.token = s.add("token", func(ctx context.Context) Outcome { return r.askToken(ctx, m, t) }, needs...)
	t.claims = s.add("claims", func(context.Context) Outcome { return r.judge(m, t) }, t.token)
	return t
}

// askToken asks for the token.
func (r *run) askToken(ctx context.Context, m *config.Mailbox, t *tokenSteps) Outcome {
	if m.Credential.Type == config.TypeDelegated && r.link.conn == nil {
		return r.toSignIn(failed(&ingest.Error{Fault: ingest.Fault{Class: ingest.Auth, Code: ingest.CodeLoginNeeded}, Err: errors.New("nobody has signed in yet")}), m.Credential)
	}
	login, err := r.parts.Login(m)
	if err != nil {
		return failed(err)
	}
	if t.got, err = login.Tokens.Token(ctx, ""); err != nil {
		return r.toSignIn(tokenAdvice(failed(err), m.Credential), m.Credential)
	}
	return fine(fmt.Sprintf("%d characters, good for %s", len(t.got.Value), time.Until(t.got.Expires).Round(time.Minute)))
}

// toSignIn writes the command down for which a person is needed.
func (r *run) toSignIn(o Outcome, c *config.Credential) Outcome {
	if o.Code == ingest.CodeLoginNeeded || o.Code == ingest.CodeLoginEnded {
		o.Next = append(o.Next, fmt.Sprintf("mailflume login %s -c %s", c.Name, r.cfg.Path))
	}
	return o
}

// protocols are those for which the credential of m is used.
func (r *run) protocols(m *config.Mailbox) (out []config.Protocol) {
	for _, other := range r.opt.Mailboxes {
		if other.Credential == m.Credential && !slices.Contains(out, other.Protocol) {
			out = append(out, other.Protocol)
		}
	}
	slices.Sort(out)
	return out
}
