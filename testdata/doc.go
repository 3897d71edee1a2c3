// Package testdata holds the messages that tests and the demonstration read, embedded as files.
package testdata
