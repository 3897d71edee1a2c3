// Package sniff tells what a file is by its first octets. Mail says what it carries in Content-Type,
// and is often wrong: application/octet-stream for everything, image/png for a program. The result
// stands beside the declared type and does not replace it.
//
// The many formats are recognised by github.com/gabriel-vasile/mimetype. What mail is made of comes
// before it, because general sniffers miss it: TNEF, AppleDouble, iCalendar and vCard in any case and after blank
// lines, the kinds of PKCS #7, PGP armor, whole messages. Office documents are told apart by their own
// list of content types, the first entry of the file, which also says whether one carries macros; other
// containers by the media type that is their first entry.
//
//	head := make([]byte, sniff.Size)
//	n, _ := io.ReadFull(r, head)
//	detected := sniff.Detect(head[:n]) // "application/pdf"
//
// Detect is a guess: "a, b" in every line of a letter is a table in the eyes of a sniffer. What it
// says of text is worth less than what it says of binary files.
//
// At most Size octets are looked at, so the work is bounded whatever they are; nothing is kept.
package sniff
