// Package submittest is a submission server for tests: EHLO, STARTTLS, AUTH, MAIL, RCPT and DATA over
// real sockets, with faults that are switched on while it runs.
//
// It is strict where real servers are: AUTH with the token on its own line is refused as too long, a
// refused XOAUTH2 token is told as JSON first and must be answered with an empty line, and in clear
// nothing but EHLO and STARTTLS is taken. It remembers every line that it heard. Its goroutines end
// with Close.
//
//	s, err := submittest.Start(submittest.Options{Deliver: func(m submittest.Message) { … }})
//	defer s.Close()
//	s.Answer("MAIL", "550 5.7.60 not as this one")
package submittest
