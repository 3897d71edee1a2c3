// Package interop proves the program against servers that nobody here wrote: the built binary, a
// real Dovecot with OAuth2, a real nats-server, real kills.
//
// [Stage] holds what a worker needs around it and writes its configuration; [Front] stands before a Dovecot
// and counts who signs in, and ends sessions as large providers do; [NATS] is a nats-server
// in a process of its own; [Worker] is the program. The tests have the build tag interop (`make
// interop`); `make bench` stands on the same stage.
//
//	s, err := interop.NewStage(dir)
//	if err != nil { … }
//	defer s.Close()
//	cfg, err := s.Config(interop.Setup{Boxes: []interop.Box{{ID: "a", User: "a@rig.test", Protocol: "imap"}}})
//
// Every process that it starts is a child that it ends by its id and waits for.
package interop
