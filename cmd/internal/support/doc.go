// Package support makes the zip of `mailflume support-bundle`: what somebody needs who is asked for help
// and cannot look at the machine.
//
// A bundle is made when things are broken, so nothing in it depends on anything else: each [Part] has
// its own time, its panics are its own, and one that fails leaves its reason in its place. The files are
// plain text, to be read before they are sent. Secrets are in none of them by construction; package
// redact masks them a second time, and index.txt says how often it had to.
//
//	failed, err := support.Write(ctx, file, masker, support.Parts(support.Options{…}))
//
// [Tail] keeps the last lines of a worker's log for it, in memory. Nothing here starts goroutines.
package support
