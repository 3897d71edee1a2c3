// Package fault keeps what the tests of the fault matrix measured.
//
// Each fault has an id (P of processes, N of NATS, D of disks and stores) and a test named
// TestFault_<id>_…, which lets it strike in the middle of work and notes what came of it:
//
//	fault.Note(t, fault.Row{ID: "N2", Fault: "NATS is killed", Outcome: "publishing waits, then goes on", Recovery: took})
//
// With MAILFLUME_FAULTS=FILE in the environment each note is one line of JSON at the end of the file,
// whichever process it comes from. `make faults` runs all of them and prints the table.
package fault
