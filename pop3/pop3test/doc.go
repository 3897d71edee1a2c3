// Package pop3test is a real POP3 server inside the process, for tests and for `mailflume demo`.
//
// It promises what a well-behaved server promises, so that a client which passes against it has met
// the protocol: one session at a time per maildrop ([IN-USE] otherwise), a maildrop that stands still
// while a session has it, stable UIDLs, deletion at QUIT and only there, exact octets. Everything
// else can be switched off or broken on purpose: capabilities by [Options], single answers by
// [Hooks], and both while it runs.
//
// The Server owns one goroutine for its listener and one for each connection; Close ends them all
// and waits for them.
//
//	srv, err := pop3test.Start(pop3test.Options{})
//	if err != nil {
//		return err
//	}
//	defer srv.Close()
//	srv.Add("ann@example.org", []byte("Subject: hello\r\n\r\nhello\r\n"))
//	conn, err := tls.Dial("tcp", srv.Addr(), srv.ClientTLS())
package pop3test
