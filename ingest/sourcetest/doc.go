// Package sourcetest proves that a Source keeps its promises, and holds one that needs no server.
//
// [Run] is the conformance suite: IMAP, POP3 and memory pass the same tests, each through a small
// [Server] that can be given mail and asked what is left of it. A new Source is thirty lines of
// test:
//
//	func TestSource(t *testing.T) {
//		sourcetest.Run(t, func(t *testing.T) sourcetest.Server { return startMyServer(t) })
//	}
//
// [Mailbox] is the in-memory Source, with faults on demand; the engine's own tests run on it.
// [Cluster] is workers' knowledge of each other in memory, with workers that are cut off. They
// start no goroutines.
package sourcetest
