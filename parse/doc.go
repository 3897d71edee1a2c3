// Package parse reads mail: an io.Reader in; header, parts, issues and digest out.
package parse
