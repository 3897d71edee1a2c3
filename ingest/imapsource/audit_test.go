package imapsource

import (
	"testing"
	"time"

	"mailflume/ingest"
)

func TestWhatTheStartPassedOverIsToldFromWhatWasPublished(t *testing.T) {
	const from = 1000
	old := &box{low: 10}                                               // start: now, as an older mailflume wrote it
	now := &box{low: 10, until: 10, since: 1<<63 - 1}                  // start: now
	since := &box{low: 4, done: spans{{6, 7}}, until: 10, since: from} // start: a date
	read := &box{low: 20, done: spans{{22, 22}}, until: 10, since: 1<<63 - 1}
	for name, row := range map[string]struct {
		base, at *box
		uid      uint32
		received int64 // 0: the server does not tell
		want     ingest.Standing
	}{
		"no position":                        {nil, nil, 1, from, ingest.Waiting},
		"from now: before it":                {now, read, 9, from, ingest.Skipped},
		"from now: before it, without date":  {now, read, 9, 0, ingest.Skipped},
		"from now: after it":                 {now, read, 15, from, ingest.Passed},
		"from now: out of turn":              {now, read, 22, from, ingest.Passed},
		"from now: still to come":            {now, read, 21, from, ingest.Waiting},
		"a folder that was configured later": {nil, read, 9, from, ingest.Skipped},
		"an older position":                  {old, &box{low: 20}, 9, from, ingest.Skipped},
		"an older position: after it":        {old, &box{low: 20}, 15, from, ingest.Passed},
		"since a date: older":                {since, since, 8, from - 1, ingest.Skipped},
		"since a date: passed over":          {since, &box{low: 20, until: 10, since: from}, 8, from - 1, ingest.Skipped},
		"since a date: younger":              {since, since, 8, from, ingest.Waiting},
		"since a date: published":            {&box{until: 10, since: from}, since, 6, from, ingest.Passed},
	} {
		t.Run(name, func(t *testing.T) {
			it := item{uid: row.uid}
			if row.received != 0 {
				it.received = time.Unix(row.received, 0)
			}
			if got := (&standings{base: row.base, at: row.at}).of(it); got != row.want {
				t.Errorf("standing %d, want %d", got, row.want)
			}
		})
	}
}
