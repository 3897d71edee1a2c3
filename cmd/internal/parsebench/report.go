package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
)

// The targets.
const (
	corpusTarget     = 1.7  // times go-message
	attachmentTarget = 3.0  // times go-message
	ceilingShare     = 0.85 // of a reader that does nothing but read and hash
	memoryTarget     = 16.0 // MiB at 50 MB
	fastHash         = 1000 // MB per CPU second: what SHA-256 does with instructions of the processor and not without
	hashWith         = 1600 // MB per CPU second that it does with them, on the processor that the targets were set on
)

// row is a kind of mail and what everybody was measured at on it.
type row struct {
	name    string
	mb      int64 // of the attachment; 0: a folder of messages
	pack    *pack
	digests bool
	samples map[string][]sample
}

func newRow(name string, mb int64, p *pack, digests bool) *row {
	return &row{name: name, mb: mb, pack: p, digests: digests, samples: map[string][]sample{}}
}

// contestants are those who take part in a row, ours first.
func (r *row) contestants() []string {
	who := []string{"mailflume", "go-message", "enmime"}
	if r.digests {
		who = append(who, hashing)
	}
	if r.digests && r.mb > 0 {
		who = append(who, floor)
	}
	return who
}

// hashed is how many octets of a message bare SHA-256 takes: the attachment, or all there is.
func (r *row) hashed() int64 {
	if r.mb > 0 {
		return r.mb * 1e6
	}
	return r.pack.bytes() / int64(len(r.pack.Sizes))
}

// median returns the median of values and their range.
func median(values []float64) (mid, least, most float64) {
	slices.Sort(values)
	return values[len(values)/2], values[0], values[len(values)-1]
}

// rates are those of a contestant, round by round.
func (r *row) rates(name string) []float64 {
	out := make([]float64, len(r.samples[name]))
	for i, s := range r.samples[name] {
		out[i] = float64(s.Bytes) / 1e6 / s.CPU.Seconds()
	}
	return out
}

// ratio is how many times as fast as another one a contestant is: the median over the rounds.
func (r *row) ratio(name, other string) float64 {
	rates := r.rates(name)
	for i, o := range r.rates(other) {
		rates[i] /= o
	}
	mid, _, _ := median(rates)
	return mid
}

// memory is the highest peak RSS of a contestant in MiB.
func (r *row) memory(name string) float64 {
	most := int64(0)
	for _, s := range r.samples[name] {
		most = max(most, s.RSS)
	}
	return float64(most) / (1 << 20)
}

// what names the row.
func (r *row) what() string {
	if r.digests {
		return r.name + ", with SHA-256"
	}
	return r.name + ", without SHA-256"
}

// report prints the row.
func (r *row) report(out io.Writer) {
	fmt.Fprintf(out, "%s: %d messages, %.1f MB\n", r.what(), len(r.pack.Sizes), float64(r.pack.bytes())/1e6)
	for _, name := range r.contestants() {
		mid, least, most := median(r.rates(name))
		fmt.Fprintf(out, "  %-13s %7.1f (%.1f-%.1f) %6.2f x go-message", name, mid, least, most, r.ratio(name, "go-message"))
		switch name {
		case hashing:
			fmt.Fprintf(out, ": hashing %s and nothing else; %.0f MB of octets\n", r.part(), r.hashRate())
		case floor:
			fmt.Fprintf(out, ": the ceiling; ours is at %.0f %% of it\n", 100*r.ratio("mailflume", floor))
		default:
			fmt.Fprintf(out, " %6.1f MiB peak %5d errors\n", r.memory(name), r.samples[name][0].Errors)
		}
	}
}

// part names what bare SHA-256 hashes.
func (r *row) part() string {
	if r.mb > 0 {
		return "the attachment"
	}
	return "all that is there"
}

// hashRate is how many MB of octets per CPU second SHA-256 does.
func (r *row) hashRate() float64 {
	mid, _, _ := median(r.rates(hashing))
	return mid * float64(r.hashed()) * float64(len(r.pack.Sizes)) / float64(r.pack.bytes())
}

// computed is the ratio to go-message if hashing were as fast as instructions make it. It takes what a MB
// costs without digests, and adds the octets that it has to hash: as many as the digests cost here.
func (r *row) computed(plain *row) float64 {
	cost := func(r *row, name string) float64 {
		mid, _, _ := median(r.rates(name))
		return 1 / mid
	}
	hashing := (cost(r, "mailflume") - cost(plain, "mailflume")) * r.hashRate() / hashWith
	return (cost(plain, "go-message") + hashing) / (cost(plain, "mailflume") + hashing)
}

// twin returns the row without digests.
func (r *row) twin(rows []*row) *row {
	return rows[slices.IndexFunc(rows, func(o *row) bool { return o.name == r.name && !o.digests })]
}

// explain prints what a processor without instructions for SHA-256 hides.
func explain(out io.Writer, rows []*row) {
	for _, r := range rows {
		if r.hidden() {
			fmt.Fprintf(out, "%s at %d MB/s, as with instructions for it: %.2f x go-message (computed, not measured)\n", r.what(), hashWith, r.computed(r.twin(rows)))
		}
	}
}

// judge names every target that was missed.
func judge(rows []*row) error {
	var missed []error
	miss := func(r *row, what string, got, want float64) {
		missed = append(missed, fmt.Errorf("%s: %s is %.2f, the target %.2f", r.what(), what, got, want))
	}
	for _, r := range rows {
		switch got := r.ratio("mailflume", "go-message"); {
		case r.hidden():
			if got := r.computed(r.twin(rows)); got < r.target() {
				miss(r, "the computed ratio to go-message", got, r.target())
			}
			if share := r.ratio("mailflume", floor); r.mb >= 10 && share < ceilingShare {
				miss(r, "the share of the ceiling", share, ceilingShare)
			}
		case got < r.target():
			miss(r, "the ratio to go-message", got, r.target())
		}
		if got := r.memory("mailflume"); r.mb == 50 && got >= memoryTarget {
			miss(r, "the peak RSS in MiB", got, memoryTarget)
		}
		if n := r.samples["mailflume"][0].Errors; n > 0 {
			miss(r, "the number of messages refused", float64(n), 0)
		}
	}
	return errors.Join(missed...)
}

// hidden tells whether the digests cost so much that they hide the rest: no instructions for them.
func (r *row) hidden() bool { return r.digests && r.hashRate() < fastHash }

// target is the ratio to go-message that is wanted.
func (r *row) target() float64 {
	switch {
	case r.mb == 0:
		return corpusTarget
	case r.mb < 10:
		return 0
	}
	return attachmentTarget
}
