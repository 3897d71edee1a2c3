// Package fileblob keeps blobs in a folder, under their SHA-256.
//
// The layout is made for people and their tools: the octets whose digest is 9f86d0… lie in
// 9f/86/sha256-9f86d0…, byte for byte, so that sha256sum can check them and rsync can copy them.
// A folder belongs to one tenant.
//
// What it promises: Put returns when the octets and their name are on the disk (temporary file,
// fsync, rename, fsync of every folder that changed). A file under its final name is whole: what
// a crash leaves is a temporary file, which New removes when it is a day old. Equal content is
// kept once, however many processes store it. A full disk or quota is ErrFull, a refused access
// ErrDenied, everything else ErrUnavailable. Files are 0600, folders 0700.
//
// Nothing expires: delete old files by their modification time, which every Put of the same
// content renews.
//
// The package starts no goroutines. A Store is safe for concurrent use.
//
//	store, err := fileblob.New("/var/lib/mailflume/blobs/contoso")
//	…
//	blob, err := store.Put(ctx, "message/rfc822", r) // blob.Ref: file:///var/lib/…/sha256-…
package fileblob
