// Package parse reads mail that nobody vouches for: a streaming MIME reader (RFC 5322, 2045-2049,
// 2047, 2231, 6532) that never fails on what a message says.
package parse
