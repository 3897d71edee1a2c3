package ingest

import (
	"time"

	"mailflume/publish"
)

// Place returns each mailbox's worker among those of the given weights, all of which hold all of them,
// and how long the placing took.
func Place(weights map[string]int, boxes []publish.Key) ([]string, time.Duration) {
	want := make(map[publish.Key]Mailbox, len(boxes))
	for _, k := range boxes {
		want[k] = Mailbox{}
	}
	seats, list := map[string]seat{}, encodeList(want)
	for id, w := range weights {
		seats[id] = seat{w, list}
	}
	keys := make([]uint64, len(boxes))
	for i, k := range boxes {
		keys[i] = boxKey(k)
	}
	begin := time.Now()
	return place(seats, keys), time.Since(begin)
}
