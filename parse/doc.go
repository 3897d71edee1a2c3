// Package parse reads mail that nobody vouches for. It is a streaming MIME reader (RFC 5322 and 6532
// headers, RFC 2045-2049 structure, RFC 2047 words, RFC 2231 parameters) with one promise: a message
// is never refused. Whatever is wrong with it is repaired as far as it can be, reported as an Issue
// with a stable code, and its octets still flow. The only errors are those of the transport that the
// message comes from, unwrapped.
//
// # How it works
//
// A Reader pulls the message through a window of 64 KiB and holds nothing else of it, so a message of
// a gigabyte costs the memory of a small one. Header reads the message's header. Next walks the tree
// of parts in document order and returns the leaves: the texts (RoleText, RoleHTML), which Part.Read
// delivers in UTF-8, the envelope of a journal report (RoleEnvelope), and everything else as an
// attachment, whose decoded octets Part.Read delivers exactly as they were sent, text attachments
// too: their digest is that of the file. Next drains what was not read, and reads the input to its
// end before it returns io.EOF; Digest is then that of the whole message. A message that is shown says
// everything once: all its bodies in document order, but of those in different choices of one
// multipart/alternative (Part.Choices) one. Part.Range says where the encoded octets of a part lie,
// for who verifies a signature over them.
//
// # What lies inside of parts
//
// A message inside of the message, a winmail.dat (package tnef) and an opaque-signed S/MIME object
// (package smime) hold parts. Each is returned as an attachment of its own; if the caller does not
// read it, the next call of Next goes into it, streaming, and Part.Tee gives the caller the octets of
// the whole all the same. Part.Origin, Path and Parent say where a part comes from. The texts of a
// message inside are its own affair and not returned; Part.Message is its header. Files that are
// uuencoded in the midst of a text are parts between the pieces of that text. The message in an Exchange journal
// report takes the place of the report: Message is its header, its texts are the texts.
//
// What is structured is read while it goes by: Summary has delivery status and disposition
// notifications, feedback reports, calendars (package ical) and the envelope of a journal report, and
// Classify says from all that what kind of message it is. List and AuthResults read more of the
// header. Text that was sent as format=flowed is joined to paragraphs. Packages htmltext and reply
// find the text in HTML and the quoted part of a text.
//
// # Several texts
//
// A message may have more than one text: around files, and in parts that lists and gateways add.
// The rule by which they become one (package ingest makes an event's text and html by it) is: all
// bodies in document order, with a line break between two of different Path; pieces of one part,
// which have the same, follow each other as they are. The text and the HTML of one alternative stand
// for each other. Any other body that was sent in one form only takes its place in the other form
// too: as the text in its HTML (package htmltext), as HTML that shows its text.
//
// # What holds for every message
//
// The result depends on the octets and never on how the transport cut them into reads. All work is
// linear in the size of the message, and Limits bound what a header, a field, a tree may cost; over a
// limit there is an Issue and the rest of the message is still read. IssueCodes is the table of all
// that can be wrong.
//
// Header fields are decoded when they are asked for. Undeclared 8-bit octets in them are read in the
// charset of the message's text, which is known once its part was reached: ask at the end for the
// best answer. Nothing is invented: a date that cannot be read is reported, not replaced.
//
// The package starts no goroutine, keeps no state outside of a Reader but spare memory, and never logs. A Reader and
// its parts belong to one goroutine at a time.
//
//	r := parse.NewReader(body, parse.Limits{})
//	subject := r.Header().Subject()
//	for {
//		part, err := r.Next()
//		if err == io.EOF {
//			break
//		}
//		if err != nil {
//			return err // the transport's: fetch the message again
//		}
//		// read part, or leave it
//	}
package parse
