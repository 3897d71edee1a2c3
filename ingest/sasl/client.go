package sasl

// maxChallenge bounds what is kept of a server's challenge.
const maxChallenge = 4 << 10

// Client is one sign-in. Its method set is that of go-sasl's Client. It is good for one exchange
// and not safe for concurrent use.
type Client struct {
	mech      string
	initial   []byte
	challenge []byte
}

// NewXOAUTH2 returns a Client that signs in with XOAUTH2.
func NewXOAUTH2(user, token string) (*Client, error) {
	ir, err := XOAUTH2(user, token)
	return newClient(MechXOAUTH2, ir, err)
}

// NewOAUTHBEARER returns a Client that signs in with OAUTHBEARER. addr is host:port or empty.
func NewOAUTHBEARER(user, token, addr string) (*Client, error) {
	ir, err := OAUTHBEARER(user, token, addr)
	return newClient(MechOAUTHBEARER, ir, err)
}

// NewPlain returns a Client that signs in with PLAIN.
func NewPlain(user, password string) (*Client, error) {
	ir, err := Plain(user, password)
	return newClient(MechPlain, ir, err)
}

func newClient(mech string, ir []byte, err error) (*Client, error) {
	if err != nil {
		return nil, err
	}
	return &Client{mech: mech, initial: ir}, nil
}

// Start returns the mechanism and the initial response.
func (c *Client) Start() (mech string, ir []byte, err error) {
	return c.mech, c.initial, nil
}

// Next keeps the server's challenge and answers with the single octet 0x01. It never fails.
//
// A token mechanism is only challenged to be told why the token was refused, as JSON; RFC 7628
// section 3.2.3 answers with 0x01, and Dovecot takes that for XOAUTH2 too. The empty answer that
// XOAUTH2 documents is written as "=" by go-imap v2.0.0-beta.8, which Dovecot 2.3 calls BAD base64,
// and an error from here would leave go-imap's command open for ever (emersion/go-imap#646).
func (c *Client) Next(challenge []byte) ([]byte, error) {
	c.challenge = append([]byte(nil), challenge[:min(len(challenge), maxChallenge)]...)
	return []byte{1}, nil
}

// Challenge returns what the server said when it refused, nil if it said nothing: the JSON of
// XOAUTH2 or of RFC 7628 section 3.2.2. Nobody keeps a server from repeating the secret in it.
func (c *Client) Challenge() []byte { return c.challenge }

// Size is the length of the initial response in base64, as it goes over the wire.
func (c *Client) Size() int { return (len(c.initial) + 2) / 3 * 4 }

// String names the mechanism and hides the rest.
func (c *Client) String() string { return c.mech + " ***" }

// GoString hides what String hides.
func (c *Client) GoString() string { return c.String() }
