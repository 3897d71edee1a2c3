// Package s3blob keeps blobs in a bucket of Amazon S3 or of a server that speaks its protocol (MinIO,
// Ceph, R2, B2, …), under their SHA-256.
//
// The octets whose digest is 9f86d0… are the object <prefix>/sha256-9f86d0…; a prefix belongs to one
// tenant. The server checks the digest of everything it is sent before it keeps it.
//
// # How octets get their name
//
// S3 cannot rename, and a multipart upload must name its object before the first octet is sent. So:
//
//   - what ends within 5 MiB (the least size of a part, and nearly every message and attachment) is
//     read and hashed first, looked up, and sent only if it is not there: one request, which creates
//     or fails (If-None-Match: *; where the server does not know that header, one more look-up);
//   - what is longer is streamed as a multipart upload to <prefix>/tmp/<random>, 5 MiB at a time, and
//     copied to its name by the server. The octets cross the network once, no disk of this machine is
//     needed, and Put holds 5 MiB whatever the length. A spool file would save the copy, but needs
//     room for the largest message times the mailboxes, in containers that often have none.
//
// A name is only ever given to whole octets: until the copy, nothing has the name; equal content that
// comes twice is equal, so that no order of two writers can go wrong. The part in hand is sent again
// until it is known to be there; the stream before it never is. What a writer that died left behind is
// removed by [Store.Sweep]: temporary objects and uploads that were never completed.
//
// # Age
//
// Nothing expires by itself. A lifecycle rule may delete objects by their age, if its days are more
// than the stream's max_age and a day: content that is stored again and older than a day is made as
// young as new, by a copy onto itself. A rule that aborts incomplete multipart uploads after a day or
// more is harmless. In a versioned bucket let noncurrent versions expire: temporary objects and
// renewals leave some behind.
//
// # Rights and keys
//
// Reading and writing need s3:GetObject, s3:PutObject and s3:ListBucket (without it S3 answers 403
// for what is not there); temporary objects s3:DeleteObject and s3:AbortMultipartUpload; the sweeper
// s3:ListBucketMultipartUploads. Keys come from a credentials file, the environment or the role of
// the machine, and are read again when the server refuses them.
//
// A full bucket or disk is ErrFull, refused keys or rights ErrDenied, everything else ErrUnavailable,
// each with ErrBlobs. A Store is safe for concurrent use and starts no goroutines that outlive a call.
//
//	store, err := s3blob.New(s3blob.Options{Region: "eu-central-1", Bucket: "mail", Prefix: "contoso"})
//	…
//	blob, err := store.Put(ctx, "message/rfc822", r) // blob.Ref: s3://mail/contoso/sha256-…
package s3blob
