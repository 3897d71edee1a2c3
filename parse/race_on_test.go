//go:build race

package parse

// underRace is how much less the largest tests read under the race detector, which makes this
// package, one goroutine, ten times slower and finds nothing in it. make test runs them whole without it.
const underRace = 8
