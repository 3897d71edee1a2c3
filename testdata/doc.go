// Package testdata holds the messages that tests, benchmarks and `mailflume demo` read.
//
// All of them were written for this project: the people and the companies do not exist, every
// address is under example.com, example.org or example.net, and every server address is from the
// documentation ranges. So they may be shown, shipped and changed.
//
// What it promises: a file's octets are those that a mail server would send, CRLF included (git is
// told not to touch them); the name says what the message is about, and those whose name starts
// with "broken-" are broken on purpose, one thing at a time.
//
// The package starts no goroutines and depends on nothing. A test walks the messages like this:
//
//	names, _ := fs.Glob(testdata.Mail(), "*.eml")
//	for _, name := range names {
//		raw, err := fs.ReadFile(testdata.Mail(), name)
//		…
//	}
package testdata
