// Package embed runs a NATS server with JetStream inside the process, for users who have none.
//
// It keeps its streams in a data directory that one process at a time may use: a second one gets
// [ErrLocked], whose text names the directory and says what to do. The kernel releases the lock
// with its process, so nothing has to be cleaned up after a crash, and the streams recover by
// themselves. The server listens on the loopback interface only and asks for a token that only
// the directory's owner can read; [Attach] gives other processes what they need to connect.
//
// The server's goroutines are owned by [Server], whose Shutdown waits for them. It writes nothing to
// standard error and handles no signals.
//
//	srv, err := embed.Start(ctx, embed.Options{DataDir: "/var/lib/mailflume"})
//	if err != nil { … }
//	defer srv.Shutdown()
//	conn, err := natsjs.Connect(ctx, srv.Options())
package embed
