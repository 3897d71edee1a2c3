// Package probe sends a message through a mailbox and waits for its event: the whole way that mail
// takes, measured leg by leg. `check --send` uses [Send]; a canary submits the same [Message] and hears
// of its event from the engine itself.
//
// A probe is an ordinary message from the mailbox to itself. It is published as such, with the signal
// mailflume-probe by which consumers pass it over. Its header fields ask other programs not to answer.
//
//	legs, err := probe.Send(ctx, probe.Options{
//		Box: m.Key(), Address: m.Address, Submit: opt, Stream: conn, // *natsjs.Conn
//	})
package probe
