package ingest_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"text/tabwriter"
	"time"

	"mailflume/ingest"
	"mailflume/ingest/sourcetest"
	"mailflume/publish"
	"mailflume/publish/logtest"
)

var simulate = flag.Bool("sim", false, "simulate up to 100 workers and 100,000 mailboxes, and print the table")

// run is one line of the simulation.
type run struct {
	workers, boxes int
	maxMean        float64       // the largest share by the mean one
	moved, fair    float64       // of the mailboxes, when one worker leaves; and that worker's even share
	stray          int           // moved although their worker stayed
	cpu            time.Duration // to place all mailboxes once
}

func simulateRun(workers, boxes int) run {
	weights := map[string]int{}
	for i := range workers {
		weights[fmt.Sprintf("worker-%d.example.com-%d", i, 1000+7*i)] = 1
	}
	keys := make([]publish.Key, boxes)
	for i := range keys {
		keys[i] = publish.Key{Tenant: "default", Mailbox: fmt.Sprintf("user.%d@example.com", i)}
	}
	before, took := ingest.Place(weights, keys)
	r := run{workers: workers, boxes: boxes, cpu: took, fair: 1 / float64(workers)}
	count := map[string]int{}
	for _, id := range before {
		count[id]++
		r.maxMean = max(r.maxMean, float64(count[id]*workers)/float64(boxes))
	}
	gone := slices.Max(before)
	delete(weights, gone)
	after, _ := ingest.Place(weights, keys)
	for i, id := range after {
		if id != before[i] {
			r.moved += 1 / float64(boxes)
			if before[i] != gone {
				r.stray++
			}
		}
	}
	return r
}

// traffic is how many messages a second the bucket of so many workers takes and delivers, at rest.
func traffic(t *testing.T, workers int) (written, delivered float64) {
	synctest.Test(t, func(t *testing.T) {
		cluster, box := sourcetest.NewCluster(12*time.Second), sourcetest.NewMailbox(ingest.Start{}, ingest.After{})
		var fleets []*ingest.Fleet
		for i := range workers {
			id := fmt.Sprint("w", i)
			f := ingest.New(ingest.Options{Log: logtest.NewMemory(), Worker: id, Members: cluster.Member(id, 1)})
			if err := f.Apply([]ingest.Mailbox{{Key: key, Host: "h", Source: box, PollEvery: time.Minute}}); err != nil {
				t.Fatal(err)
			}
			fleets = append(fleets, f)
		}
		pass(30 * time.Second)
		w0, d0 := cluster.Traffic()
		pass(time.Minute)
		w1, d1 := cluster.Traffic()
		written, delivered = float64(w1-w0)/60, float64(d1-d0)/60
		for _, f := range fleets {
			if err := f.Stop(t.Context()); err != nil {
				t.Error(err)
			}
		}
	})
	return written, delivered
}

// TestTheSharesOfManyWorkers is the simulation behind `make sim`, small unless -sim is given.
func TestTheSharesOfManyWorkers(t *testing.T) {
	workers, boxes := []int{1, 3, 10}, []int{10, 1000}
	if *simulate {
		workers, boxes = []int{1, 2, 3, 5, 10, 30, 100}, []int{10, 100, 1000, 10_000, 100_000}
	}
	var table strings.Builder
	tw := tabwriter.NewWriter(&table, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tw, "workers\tmailboxes\tlargest/mean\tmoved per leave\teven share\tstray\tplacing all (CPU)\tKV written/s\tKV delivered/s\t")
	for _, n := range workers {
		written, delivered := traffic(t, n)
		if want := float64(n) / 3; written < 0.9*want || written > 1.2*want {
			t.Errorf("%d workers write %.1f messages a second, want about %.1f", n, written, want)
		}
		for _, m := range boxes {
			r := simulateRun(n, m)
			fmt.Fprintf(tw, "%d\t%d\t%.2f\t%.2f %%\t%.2f %%\t%d\t%s\t%.1f\t%.0f\t\n",
				n, m, r.maxMean, 100*r.moved, 100*r.fair, r.stray, r.cpu.Round(10*time.Microsecond), written, delivered)
			if r.stray > 0 {
				t.Errorf("%d workers, %d mailboxes: %d moved although their worker stayed", n, m, r.stray)
			}
			if mean := m / n; mean >= 100 && r.maxMean > 1.4 {
				t.Errorf("%d workers, %d mailboxes: the largest share is %.2f times the mean", n, m, r.maxMean)
			}
		}
	}
	if err := tw.Flush(); err != nil {
		t.Fatal(err)
	}
	if *simulate {
		_, _ = os.Stdout.WriteString(table.String())
	}
}
