// Package pop3 is a POP3 client (RFC 1939) with CAPA (RFC 2449), STLS (RFC 2595), response codes
// (RFC 3206) and SASL (RFC 5034): XOAUTH2 and OAUTHBEARER besides USER and PASS.
//
// What it promises:
//
//   - octets are exact: a message is delivered as the server sent it, CRLF kept, dots unstuffed,
//     bare CR and LF untouched. io.EOF comes only after the terminator; a connection lost before it
//     is io.ErrUnexpectedEOF;
//   - a refusal is data: an *[Error] with the command, the response code and the server's text. Any
//     other error ends the connection, and every later call returns it again;
//   - everything that waits has a deadline, renewed with each read and write, and a minimum rate;
//     a context that ends closes the connection;
//   - everything is bounded: lines, lists, numbers, challenges; message bodies are streams;
//   - credentials are sent over TLS only, without CR, LF or NUL. An error has none of them, unless the
//     server repeats them: its words are in there as it said them.
//
// A Client belongs to one goroutine; only Close may be called from another. The package starts no
// goroutines of its own.
//
//	c := pop3.New(conn, nil)
//	defer c.Close()
//	if err := c.Greet(ctx); err != nil {
//		return err
//	}
//	if err := c.AuthXOAUTH2(ctx, "ann@example.org", token); err != nil {
//		return err
//	}
//	list, err := c.List(ctx)
//	if err != nil {
//		return err
//	}
//	for body, err := range c.RetrEach(ctx, list, pop3.Window{Count: 16, Bytes: 1 << 20}) {
//		…
//	}
//	return c.Quit(ctx)
package pop3
