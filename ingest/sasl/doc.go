// Package sasl builds what a client says to sign in with a bearer token or a password: XOAUTH2 (as
// Microsoft and Google document it), OAUTHBEARER (RFC 7628) and PLAIN (RFC 4616).
//
// It gives each message twice: as octets, for protocols that are written by hand, and as a [Client],
// which has the method set that go-imap's Authenticate asks for. It promises that a user name or
// token with an octet that could end the message (CR, LF, NUL, 0x01) is refused before anything is
// sent, and that no secret appears in an error or in a printed Client. It starts no goroutine and
// imports none of our packages.
//
//	ir, err := sasl.XOAUTH2("anna@example.com", token)
//	if err != nil {
//		return err
//	}
//	fmt.Fprintf(conn, "AUTH XOAUTH2\r\n") // wait for "+ ", then:
//	fmt.Fprintf(conn, "%s\r\n", base64.StdEncoding.EncodeToString(ir))
package sasl
