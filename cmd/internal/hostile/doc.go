// Command hostile attacks `mailflume parse` with messages made to exhaust it: deep nesting, millions of
// parts, addresses, parameters and encoded words, endless lines, bombs inside of containers. Each
// attack is made at one, two and four times its size and read by a process of its own; the table
// shows the CPU seconds and the peak memory of the largest and how the time grew per doubling.
//
//	go run ./cmd/internal/hostile -bin bin/mailflume
//
// It exits with 1 if a message is refused, takes more than a second of CPU or 64 MiB, or if its time
// grows faster than its size. Growth is judged where there is enough time to measure; the least of
// several runs counts, since other programs share the machine.
package main
