package rig

import "testing"

// BenchmarkCompose is what filling costs besides the disk: it must stay far below the time that
// reading the mailbox takes.
func BenchmarkCompose(b *testing.B) {
	o := FillOptions{}.withDefaults()
	c := newComposer(1)
	var total int64
	for i := 0; b.Loop(); i++ {
		total += int64(len(c.message(i, c.size(o), o.First)))
	}
	b.ReportMetric(float64(total)/1e6/b.Elapsed().Seconds(), "MB/s")
}
