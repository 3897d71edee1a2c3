package sasl

import (
	"errors"
	"net"
	"strings"
)

// The names of the mechanisms as they stand in AUTH= capabilities.
const (
	MechXOAUTH2     = "XOAUTH2"
	MechOAUTHBEARER = "OAUTHBEARER"
	MechPlain       = "PLAIN"
)

// ErrForbiddenOctet: the user name or the secret holds an octet that would end the SASL message or
// the protocol line early.
var ErrForbiddenOctet = errors.New("user name or secret holds a control character (CR, LF, NUL or 0x01)")

// ErrEmpty: the user name or the secret is empty.
var ErrEmpty = errors.New("user name or secret is empty")

// XOAUTH2 returns the one client message of XOAUTH2, not yet in base64.
func XOAUTH2(user, token string) ([]byte, error) {
	if err := check(user, token); err != nil {
		return nil, err
	}
	return []byte("user=" + user + "\x01auth=Bearer " + token + "\x01\x01"), nil
}

// OAUTHBEARER returns the first client message of RFC 7628 section 3.1, not yet in base64. addr is
// host:port or empty: both fields are optional.
func OAUTHBEARER(user, token, addr string) ([]byte, error) {
	if err := check(user, token); err != nil {
		return nil, err
	}
	var b strings.Builder
	b.WriteString("n,a=" + saslName(user) + ",\x01")
	if host, port, err := net.SplitHostPort(addr); err == nil && forbidden(host+port) == nil {
		b.WriteString("host=" + host + "\x01port=" + port + "\x01")
	}
	b.WriteString("auth=Bearer " + token + "\x01\x01")
	return []byte(b.String()), nil
}

// Plain returns the one client message of RFC 4616, without an authorization identity, not yet in
// base64.
func Plain(user, password string) ([]byte, error) {
	if err := check(user, password); err != nil {
		return nil, err
	}
	return []byte("\x00" + user + "\x00" + password), nil
}

// saslName escapes a user name for a GS2 header (RFC 5801 section 4): "=" first, or it would escape
// the escapes.
func saslName(user string) string {
	return strings.NewReplacer("=", "=3D", ",", "=2C").Replace(user)
}

func check(user, secret string) error {
	if user == "" || secret == "" {
		return ErrEmpty
	}
	return forbidden(user + secret)
}

func forbidden(s string) error {
	if strings.ContainsAny(s, "\r\n\x00\x01") {
		return ErrForbiddenOctet
	}
	return nil
}
