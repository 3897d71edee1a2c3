// Command corpus reads a folder of mail as `mailflume parse` does and says how it went: messages that
// failed, repairs by their code and, if the folder has an expected.jsonl, how far what was read agrees
// with it.
//
// An expectation is what most of several other readers say of a message: a JSON line with its file and any
// of subject, from, to, date, message_id, attachment_sha256 and attachment_names. Two readers can be right in
// different ways, so differences that are there on purpose are put into named classes, each with its
// reason. A class decides from what was read, from the octets and from the expected value, never from the
// name of a file, so that it holds for mail nobody here has seen. What no class explains is printed.
//
// It exits with 1 if a message failed or was not there, or if less than 97 % of a field agrees after the
// classes. The messages are other people's: nothing of them is kept. It starts no goroutines.
//
//	make corpus CORPUS=DIR
package main
