// Package house keeps the house rules that a compiler does not: sizes, documentation, the
// direction of imports, what may lie at the top of the repository.
//
// Taste is argued about, a failing test is not. So each rule is a function from the parsed tree to
// findings, and the tests of this package run all of them over the repository as it stands, the
// top-level package testdata included (the pattern ./... passes it over). Every rule is also shown
// to be able to fail, with a planted violation.
//
// What it promises: a finding names the file and the line, the rule, what was found and what would
// be right; no rule depends on the network or on anything outside the repository.
//
// The package starts no goroutines; the one child process (go list) ends before [List] returns.
// Nothing imports it; it is run by its own tests:
//
//	tree, err := house.Load(os.DirFS(root))
//	for _, f := range house.Check(tree) {
//		t.Error(f)
//	}
package house
