// Package tnef reads TNEF, the winmail.dat that Outlook and Exchange wrap a message's attachments
// and bodies in ([MS-OXTNEF]). It is a streaming reader for octets that nobody vouches for, with the
// promise of package parse: a stream is never refused. What is wrong with it is a Flaw with a stable
// code, what could be read is given, and the only errors are those of the transport, as they are.
//
// # How it works
//
// A TNEF stream is a flat sequence of attributes, first those of the message, then those of each
// attachment; two of them hold lists of MAPI properties. Next walks it in one pass and returns what
// carries octets: attachments, embedded messages and bodies. Object.Read delivers the octets straight
// from the stream, so an attachment of a gigabyte costs no more than a small one. TNEF writes an
// attachment's name after its data: what an Object says of itself is final once Read gave io.EOF.
//
// An embedded message is again a TNEF stream: open it with another Reader, to the depth you allow.
// Reader.Message then says whom it is from and to, and when it was sent.
//
// # Bodies
//
// Plain text and HTML come as the stream has them, with the charset it names. A body in compressed
// RTF ([MS-OXRTFCP]) is held until the message's own attributes ended, and given only if there was no
// HTML: as the HTML or the text that it encapsulates ([MS-OXRTFEX]), in UTF-8, or else as the RTF it
// is, preceded by its plain text if the message has no other.
//
// # Bounds
//
// A Reader holds a window of 16 KiB, one string property (Options.Value), 256 KiB of the names and
// addresses of at most 1,000 recipients, and one RTF body (Options.Body, compressed; ten times that at
// most while it is unpacked). Time is linear in the stream;
// lengths are believed only as far as octets come. The result depends on the octets and never on
// how they were cut into reads. There are no goroutines, and a Reader belongs to one at a time.
//
//	r := tnef.NewReader(winmail, tnef.Options{})
//	for {
//		o, err := r.Next()
//		if err == io.EOF {
//			break
//		}
//		if err != nil {
//			return err // the transport's
//		}
//		// read o to its end, then look at o.Name
//	}
//	for _, flaw := range r.Flaws() {
//		// report it
//	}
package tnef
