// Package redact knows a secret again in every form in which a program, a server or a library prints it:
// as it is, escaped for URLs, JSON, Go or HTML, in hex, as a list of octets, and inside of base64 wherever
// it begins there.
//
//	m := redact.New(redact.Words(contentOfSecretFile)...)
//	masked, n := m.Mask(text) // n places became ***
//
// Two things are built on it. The support bundle masks whatever goes into it: it is the one file that is
// meant for strangers. And the canary test plants secrets, makes everything fail that can fail, and asks
// Find of every octet that the program leaves behind. What prints a secret by its own code is Secret's
// affair (package config), not of this package: nothing here makes a leak right.
package redact
