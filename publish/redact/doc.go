// Package redact takes secrets out of texts that others write: servers, issuers and libraries repeat what they
// were sent, whole or in part, and write it as they like.
//
//	m := redact.New(password, token)
//	err = m.Error(err)                // the same error, with *** in its text
//	masked, n := m.Mask(text)         // and what looks like a secret besides; n places became ***
//
// A [Masker] reads a text in every way that is known to it, one in the other: as it stands, with the escapes of
// URLs, HTML, JSON and quoted-printable undone, out of hex, lists of numbers and base64, wherever it begins there.
// White space, NUL and the case of letters count for nothing. What stems from a secret in any of these views
// is blotted out where it stands in the text: twelve characters of it are enough, of one shorter than that less,
// of one of eight characters and fewer it takes all.
//
// Whoever shows what a server says gives a Masker the secrets that the server was given. What the program itself
// holds of secrets prints as *** by its type (Token in package ingest, Secret of the configuration), and the
// support bundle masks all of itself once more, being the one file that is meant for strangers. [Forms] is for
// the tests that plant secrets and look for them in every octet that is left behind. The package imports none of
// ours, and starts no goroutine.
package redact
