package submit

import (
	"fmt"
	"strings"

	"github.com/emersion/go-smtp"

	"mailflume/ingest"
	"mailflume/ingest/sasl"
)

// exchange is a sign-in in two steps: AUTH with the mechanism alone, and the token on its own line when
// the server asks for it. Its method set is that of go-sasl's Client.
type exchange struct {
	mech   string
	client *sasl.Client
	sent   bool
}

func newExchange(m ingest.Mechanism, user, secret, addr string) (x *exchange, err error) {
	x = &exchange{mech: sasl.MechXOAUTH2}
	switch m {
	case ingest.OAUTHBEARER:
		x.mech = sasl.MechOAUTHBEARER
		x.client, err = sasl.NewOAUTHBEARER(user, secret, addr)
	case ingest.Password:
		x.mech = sasl.MechPlain
		x.client, err = sasl.NewPlain(user, secret)
	default:
		x.client, err = sasl.NewXOAUTH2(user, secret)
	}
	return x, err
}

// Start names the mechanism and nothing else.
func (x *exchange) Start() (mech string, ir []byte, err error) { return x.mech, nil, nil }

// Next sends the token, once. A challenge after it tells as JSON why it was refused; the refusal itself
// comes when it is answered: with an empty line for XOAUTH2 as Google documents it, with 0x01 for
// OAUTHBEARER (RFC 7628 section 3.2.3).
func (x *exchange) Next(challenge []byte) ([]byte, error) {
	if !x.sent {
		x.sent = true
		_, ir, err := x.client.Start()
		return ir, err
	}
	answer, err := x.client.Next(challenge)
	if x.mech == sasl.MechXOAUTH2 {
		answer = []byte{}
	}
	return answer, err
}

// authenticate signs in. Where the configuration leaves it open, with XOAUTH2 unless the server offers only
// OAUTHBEARER.
func authenticate(c *smtp.Client, opt Options, secret string) error {
	m := opt.Login.Mechanism
	if m == ingest.Bearer && !c.SupportsAuth(sasl.MechXOAUTH2) && c.SupportsAuth(sasl.MechOAUTHBEARER) {
		m = ingest.OAUTHBEARER
	}
	x, err := newExchange(m, opt.Login.User, secret, opt.Endpoint.Addr)
	if err != nil {
		return classify("smtp sign-in", atAuth, err)
	}
	if ok, offered := c.Extension("AUTH"); !ok || !c.SupportsAuth(x.mech) {
		if offered == "" {
			offered = "nothing"
		}
		return &ingest.Error{
			Fault: ingest.Fault{Class: ingest.Config, Code: ingest.CodeMechanism}, Op: "smtp sign-in",
			Err: fmt.Errorf("%s is wanted, the server offers %s", x.mech, strings.TrimSpace(offered)),
		}
	}
	if err := c.Auth(x); err != nil {
		if c := x.client.Challenge(); len(c) > 0 {
			err = fmt.Errorf("%w; it says: %q", short(err), cut(string(c)))
		}
		return classify("smtp sign-in", atAuth, err)
	}
	return nil
}
