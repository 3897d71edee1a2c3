// Command loop is no part of the product: it is what mailflume is compared with in package peers.
//
// It is the IMAP to JetStream loop that one writes in an afternoon with go-imap: look for UIDs above
// the highest one seen, publish each message, mark it as read, write the UID into a file. What such
// loops often get wrong is done right here: the state is written after each message, only after the
// acknowledgement, and by renaming, so that a kill finds the old file or the new one; "n:*" is
// filtered; an error starts the session over after a second; nothing is given up. With -stream a message is published as it is read (the library's example of that);
// without, a whole answer is collected first.
package main
