// Package imapsource is an ingest.Source over IMAP4rev1 (RFC 3501, RFC 9051), on go-imap v2.
package imapsource
