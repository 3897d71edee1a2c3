package check

// Unasked is unasked.
var Unasked = unasked
