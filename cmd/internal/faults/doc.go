// Command faults runs every test of the fault matrix and prints what was measured as a table in
// Markdown: `make faults`.
//
// It ends with 1 if a test fails, mail was lost or doubled, or a fault of the matrix has no test.
package main
