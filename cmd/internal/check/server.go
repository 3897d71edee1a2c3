package check

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"mailflume/cmd/internal/config"
	"mailflume/ingest"
)

// serverSteps is a mail server that mailboxes share.
type serverSteps struct {
	sasl   *Step              // the last one
	auth   []ingest.Mechanism // of its mailboxes
	silent atomic.Int32       // sign-ins in a row that it did not answer
}

// silence is how many sign-ins a server may leave without an answer before no more are tried: each takes half a
// minute, and a fleet has very many.
const silence = 16

// heard takes note of what became of a sign-in.
func (s *serverSteps) heard(err error) {
	if ingest.FaultOf(err).Code == ingest.CodeTimeout {
		s.silent.Add(1)
		return
	}
	s.silent.Store(0)
}

func serverKey(m *config.Mailbox) string {
	return fmt.Sprint(m.Host, ":", m.Port, " ", m.TLS, " ", m.Protocol, " ", m.CAFile)
}

// mailServers are the servers of the mailboxes, in the order of the first of each.
func (r *run) mailServers() []*Section {
	var out []*Section
	for _, m := range r.opt.Mailboxes {
		key := serverKey(m)
		if known := r.servers[key]; known != nil {
			known.auth = append(known.auth, m.Auth)
			continue
		}
		steps := &serverSteps{auth: []ingest.Mechanism{m.Auth}}
		s := &Section{Kind: Server, Name: fmt.Sprint(m.Host, ":", m.Port), About: fmt.Sprint(m.Protocol, ", TLS ", cmp.Or(m.TLS, ingest.ImplicitTLS))}
		dns := s.add("dns", func(ctx context.Context) Outcome { return lookUp(ctx, m.Host) })
		tcp := s.add("tcp", func(ctx context.Context) Outcome { return dial(ctx, m.Host, fmt.Sprint(m.Port)) }, dns)
		secure := s.add("tls", func(ctx context.Context) Outcome { return r.handshake(ctx, m) }, tcp)
		steps.sasl = s.add("sasl", func(ctx context.Context) Outcome { return r.mechanisms(ctx, m, steps.auth) }, secure)
		r.servers[key] = steps
		out = append(out, s)
	}
	return out
}

// networkTime bounds a name or a connection.
const networkTime = 15 * time.Second

// lookUp resolves a name.
func lookUp(ctx context.Context, host string) Outcome {
	if net.ParseIP(host) != nil {
		return fine("an address, no name")
	}
	ctx, cancel := context.WithTimeout(ctx, networkTime)
	defer cancel()
	addrs, err := net.DefaultResolver.LookupHost(ctx, host)
	if err != nil {
		return failed(err)
	}
	slices.Sort(addrs)
	const few = 4
	text := strings.Join(addrs[:min(len(addrs), few)], ", ")
	if len(addrs) > few {
		text += fmt.Sprintf(" and %d more", len(addrs)-few)
	}
	return fine(text)
}

// dial opens a connection and closes it.
func dial(ctx context.Context, host, port string) Outcome {
	ctx, cancel := context.WithTimeout(ctx, networkTime)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort(host, port))
	if err != nil {
		return failed(err)
	}
	defer conn.Close()
	return fine("connected to " + conn.RemoteAddr().String())
}

// handshake secures a connection as the mailbox's source does, STARTTLS included.
func (r *run) handshake(ctx context.Context, m *config.Mailbox) Outcome {
	src, err := r.parts.Source(m, ingest.Login{User: m.User, Mechanism: m.Auth, Tokens: fixed{}})
	if err != nil {
		return failed(err)
	}
	h, ok := src.(ingest.Handshaker)
	if !ok {
		return fine("looked at with the sign-in")
	}
	state, err := h.Handshake(ctx)
	if err != nil {
		return distrusted(err, "ca_file: of the mailbox")
	}
	return chain(state)
}

// mechanisms asks the server how one may sign in. One that names none, or not all, is tried all the same over POP3:
// servers are known to hide what they know there.
func (r *run) mechanisms(ctx context.Context, m *config.Mailbox, wanted []ingest.Mechanism) Outcome {
	src, err := r.parts.Source(m, ingest.Login{User: m.User, Mechanism: m.Auth, Tokens: fixed{}})
	if err != nil {
		return failed(err)
	}
	o, ok := src.(ingest.Offerer)
	if !ok {
		return fine("looked at with the sign-in")
	}
	offered, err := o.Offers(ctx)
	if err != nil {
		return failed(err)
	}
	slices.Sort(wanted)
	wanted = slices.Compact(wanted)
	lacking := slices.DeleteFunc(slices.Clone(wanted), func(w ingest.Mechanism) bool { return offers(offered, w) })
	if len(offered) == 0 && m.Protocol == config.POP3 {
		return fine("the server does not say what it offers")
	}
	text := "the server offers " + list(offered)
	switch {
	case len(lacking) == 0:
		return fine(text)
	case m.Protocol == config.POP3, len(lacking) < len(wanted):
		return doubtful(text, fmt.Sprintf("mailboxes with auth: %s want something else; it is tried all the same", joined(lacking)))
	}
	_, next := ingest.Explain(ingest.CodeMechanism)
	return Outcome{
		Level: Failed, Code: ingest.CodeMechanism, Text: fmt.Sprintf("%s, and %s is wanted", text, joined(lacking)), Next: []string{next},
		Fault: ingest.Fault{Class: ingest.Config, Code: ingest.CodeMechanism},
	}
}

// offers says whether a server takes a configured way to sign in.
func offers(offered []string, m ingest.Mechanism) bool {
	ways := map[ingest.Mechanism][]string{
		ingest.Bearer: {"XOAUTH2", "OAUTHBEARER"}, ingest.XOAUTH2: {"XOAUTH2"}, ingest.OAUTHBEARER: {"OAUTHBEARER"}, ingest.Password: {"PLAIN", "LOGIN", "USER"},
	}[m]
	return slices.ContainsFunc(ways, func(w string) bool { return slices.Contains(offered, w) })
}

func joined(all []ingest.Mechanism) string {
	var out []string
	for _, m := range all {
		out = append(out, string(m))
	}
	return strings.Join(out, ", ")
}

// distrusted is a handshake that failed. Why a certificate is not trusted shows in what the server sent with it.
func distrusted(err error, key string) Outcome {
	out := failed(err)
	if h, ok := errors.AsType[x509.HostnameError](err); ok && len(h.Certificate.DNSNames) > 0 {
		names := h.Certificate.DNSNames
		out.Next = []string{"the certificate is for " + strings.Join(names[:min(len(names), 5)], ", ") + ", and " + h.Host + " was asked for: set host: to a name that is in the certificate"}
	}
	v, ok := errors.AsType[*tls.CertificateVerificationError](err)
	if !ok || out.Code != ingest.CodeCertUnknownCA || len(v.UnverifiedCertificates) == 0 {
		return out
	}
	own, last := v.UnverifiedCertificates[0], v.UnverifiedCertificates[len(v.UnverifiedCertificates)-1]
	switch {
	case bytes.Equal(own.RawIssuer, own.RawSubject):
		out.Next = []string{fmt.Sprintf("the server's certificate (%s) is signed by itself: if it is the one you know (SHA-256 %X), put it into a file and name that in %s", name(own), sha256.Sum256(own.Raw), key)}
	case bytes.Equal(last.RawIssuer, last.RawSubject):
		out.Next = []string{fmt.Sprintf("its authority is %s: put that one's certificate into a file and name it in %s (a private authority, or TLS inspection on the way)", name(last), key)}
	default:
		out.Next = []string{
			fmt.Sprintf("the chain that the server sends ends with %s, issued by %q. If that is an intermediate authority, the chain is incomplete: the server has to send its certificate too", name(last), last.Issuer.CommonName),
			"if it is a private authority, or TLS inspection on the way, put its certificate into a file and name it in " + key,
		}
	}
	return out
}

// chain judges the certificates that a server was trusted for. The root's end matters to nobody.
func chain(state tls.ConnectionState) Outcome {
	certs := state.PeerCertificates
	if len(state.VerifiedChains) > 0 {
		if certs = state.VerifiedChains[0]; len(certs) > 1 {
			certs = certs[:len(certs)-1]
		}
	}
	if len(certs) == 0 {
		return fine(tls.VersionName(state.Version))
	}
	first := slices.MinFunc(certs, func(a, b *x509.Certificate) int { return a.NotAfter.Compare(b.NotAfter) })
	out := ends("certificate "+name(first)+" by "+first.Issuer.CommonName, first.NotAfter, ingest.CodeCertExpired, "have the server's certificate renewed before that day")
	out.Text = tls.VersionName(state.Version) + ", " + out.Text
	return out
}

func name(c *x509.Certificate) string {
	return cmp.Or(c.Subject.CommonName, strings.Join(c.DNSNames, " "))
}

// errNoToken is for a source that is not supposed to sign in.
var errNoToken = errors.New("there is no token")

// fixed is the one token that a check uses for all mailboxes of a credential: another one would only
// be refused as well, and asking for one per mailbox would be a storm.
type fixed struct{ token func() ingest.Token }

// Token implements ingest.TokenSource.
func (f fixed) Token(context.Context, string) (ingest.Token, error) {
	if f.token == nil {
		return ingest.Token{}, errNoToken
	}
	return f.token(), nil
}
