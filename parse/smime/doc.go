// Package smime takes the content out of an opaque-signed S/MIME object: application/pkcs7-mime with
// smime-type=signed-data, the file smime.p7m (RFC 8551 section 3.5.2). The message that a human wrote
// lies inside of it as one octet string (RFC 5652 section 5.2); this package finds it in DER and in
// BER, where the string comes in chunks of chunks and nothing says how long it is.
//
// Unwrapping is not trusting: no signature is verified, no certificate is looked at. Whoever could
// change the object could change the content. Nothing here needs a key either, because opaque-signed
// is not encrypted; of an encrypted object there is only ErrNotSigned.
//
//	content, err := smime.Open(part)
//	if errors.Is(err, smime.ErrNotSigned) {
//		return nil // encrypted or compressed: it stays an attachment
//	}
//	if err != nil {
//		return err
//	}
//	inner := parse.NewReader(content, parse.Limits{})
//
// # What it costs
//
// Open walks straight down to the content and streams it: an object of any size costs one buffer of
// 4 KiB and linear time, skipped structures are counted and not recursed into, and chunks may be
// nested 16 deep. Lengths are promises of a stranger: none of them makes anything allocate, and those
// of the structures around the content are not even read, so that a broken one costs nothing. What
// comes after the content (certificates, signatures) is left unread.
//
// A general PKCS #7 parser was measured for this and not taken: converting BER to DER first, it needs
// 6 octets of memory per octet of honest mail and 50 of hostile mail, 9.5 s for 16 MB in chunks of
// 1,000 octets as Outlook writes them, and overflows the stack on 20 MB of opening brackets, which no
// recover catches. It is the oracle of the tests.
package smime
