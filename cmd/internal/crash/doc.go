// Package crash lets a worker kill itself at a named point on a message's way, for the tests that
// show that nothing is lost or doubled wherever a process ends.
//
// A binary built with the tag crashpoints takes the point from the environment:
//
//	MAILFLUME_CRASH_AT=append.after:25
//
// is SIGKILL when the 25th event has been appended and nobody was told yet. [Points] lists them. Those
// of the NATS connection are counted in writes: with nats.write the process dies right after that many
// writes to the socket, wherever that is (between two pieces of a snapshot, between an object's last
// chunk and its name); with nats.half in the middle of one.
//
// [Plan] stands around what the worker is made of, so no package on the way knows of it. Without the
// tag it is empty and its methods return what they are given.
package crash
