// Package logtest holds what every implementation of the publish contracts is tested with, and what
// the code above them is tested against.
//
// [RunLog] is the conformance suite of a publish.Log: exactly once, in order, fenced, with a
// position that is complete. [Memory] is a Log without a server whose faults are asked for: errors,
// lost acknowledgements, a lost tail, another owner.
//
// Nothing here starts a goroutine that outlives the call it is part of. All of Memory's methods are
// safe for concurrent use.
//
//	log := logtest.NewMemory()
//	log.LoseAck(1) // the next write is stored, but its claim ends as if nobody had answered
//	… run the engine against log …
//	got := log.Events(box) // exactly once, in order
package logtest
