// Package catalogue reproduces the failures that a mailbox can meet at its provider: an issuer that
// refuses in one of Entra's ways, a mail server that answers in the words of Exchange, Gmail or
// Dovecot. It is `mailflume demo --fault N` and the test that every one of them is recognised.
//
// A [Row] is data: how the issuer and the mail server misbehave. [Reproduce] plays it on loopback with
// real protocols, runs the real check against it, and, for what shows only later, the mailbox's real
// session, and returns what an operator is told.
//
//	found, err := catalogue.Reproduce(ctx, catalogue.Find(47)[0], nil)
//	if err != nil { … } // the stage could not be built
//	fmt.Println(found.Fault.Code, found.Text)
//
// Reproduce owns its servers and ends them before it returns; those of [Stand] wait for commands of other
// processes until they are ended. [Codes] and [Of] tell which failure shows under which code.
package catalogue
