package ingest_test

import (
	"fmt"
	"testing"
	"time"

	"mailflume/ingest"
)

// On a maildrop of any size a message is the same under a new UIDL, and a new one is new.
func TestFault_NewUIDLsInASmallMaildrop(t *testing.T) {
	letter := func(h *history, name string) string {
		return fmt.Sprintf("Received: from a by b; %s\r\nSubject: letter %s\r\n\r\nx\r\n", h.now.Format(time.RFC1123Z), name)
	}
	put := func(h *history, mail string) {
		if h.sent[mail]++; h.sent[mail] == 1 {
			h.order = append(h.order, mail)
		}
		h.add([]byte(mail))
	}
	puts := func(h *history, from, n int) {
		for i := range n {
			put(h, letter(h, fmt.Sprint(from+i)))
		}
	}
	empty := func(h *history, left int) {
		for len(h.held()) > left {
			h.remove(0)
		}
	}
	for name, play := range map[string]func(h *history){
		"one message":  func(h *history) { puts(h, 0, 1); h.read(); h.void() },
		"two messages": func(h *history) { puts(h, 0, 2); h.read(); h.void(); puts(h, 2, 1) },
		"two that are equal": func(h *history) {
			mail := letter(h, "0")
			put(h, mail)
			put(h, mail)
			h.read()
			h.void()
			h.read()
			put(h, mail)
		},
		"one that is equal to one that is there": func(h *history) { mail := letter(h, "0"); put(h, mail); h.read(); put(h, mail) },
		"nine of ten deleted, nine new":          func(h *history) { puts(h, 0, 10); h.read(); empty(h, 1); puts(h, 10, 9) },
		"some of many": func(h *history) {
			puts(h, 0, 30)
			h.read()
			for range 10 {
				mail := h.held()[0]
				h.remove(0)
				h.add([]byte(mail))
			}
		},
		"a list that is empty for two days": func(h *history) {
			puts(h, 0, 5)
			h.read()
			held := h.held()
			empty(h, 0)
			for range 5 {
				h.now = h.now.Add(10 * time.Hour)
				h.read()
			}
			for _, mail := range held {
				h.add([]byte(mail))
			}
		},
		"again and again, for weeks": func(h *history) {
			puts(h, 0, 3)
			for range 50 {
				h.read()
				h.void()
				h.now = h.now.Add(17 * time.Hour)
			}
		},
		"equal to one that we deleted": func(h *history) {
			h.after.Action = ingest.ActionDelete
			h.src = h.source(h.t, h.start, h.after, h.clock)
			mail := letter(h, "0")
			put(h, mail)
			h.read()
			put(h, mail)
			h.owed[mail] = 2
		},
		"before they are deleted": func(h *history) {
			h.after = ingest.After{Action: ingest.ActionDelete, Grace: time.Hour}
			h.src = h.source(h.t, h.start, h.after, h.clock)
			puts(h, 0, 3)
			h.read()
			held := h.held()
			empty(h, 0)
			h.now = h.now.Add(2 * time.Hour)
			h.read() // settled, as far as anybody can tell
			for _, mail := range held {
				h.add([]byte(mail))
			}
		},
		"what the start passed over": func(h *history) {
			h.start.All = false
			h.src = h.source(h.t, h.start, h.after, h.clock)
			puts(h, 0, 4)
			for _, mail := range h.held() {
				h.skipped[mail] = true
			}
			h.now = h.now.Add(time.Hour)
			h.read()
			h.void()
			h.read()
			h.void()
			puts(h, 4, 2)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHistory(t, onPOP3(t), 1)
			h.start.All = true
			h.src = h.source(t, h.start, h.after, h.clock)
			play(h)
			there := h.held()
			h.read()
			h.read()
			h.check(there)
			if _, resets := tally(h.log); resets != 0 {
				t.Errorf("%d resets", resets)
			}
		})
	}
}
