//go:build !race

package parse

const underRace = 1
