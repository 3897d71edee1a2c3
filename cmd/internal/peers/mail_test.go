package main

import (
	"bytes"
	"testing"
)

func TestADeliveredMessageIsRecognised(t *testing.T) {
	unix := bytes.ReplaceAll(text(7), []byte("\r\n"), []byte("\n"))
	for _, tc := range []struct {
		name string
		b    []byte
		want received
	}{
		{"as it was sent", text(7), received{n: 7, whole: true}},
		{"with fields above and line ends of its own", append([]byte("Received: by somebody\n"), unix...), received{n: 7, whole: true}},
		{"cut", text(7)[:9000], received{n: 7}},
		{"another's body", append(append([]byte(nil), text(7)[:200]...), text(8)[200:]...), received{n: 7}},
		{"nothing", nil, received{n: -1}},
	} {
		if got := read(tc.b); got != tc.want {
			t.Errorf("%s: %+v, want %+v", tc.name, got, tc.want)
		}
	}
}

func TestCopiesAreCounted(t *testing.T) {
	ok := func(n int) received { return received{n: n, whole: true} }
	for _, tc := range []struct {
		name    string
		got     []received
		refused int
		want    string
	}{
		{"everything once", []received{ok(1), ok(2), ok(3), ok(4)}, 0, "all once"},
		{"order does not matter", []received{ok(4), ok(3), ok(1), ok(2)}, 0, "all once"},
		{"one is missing", []received{ok(1), ok(3), ok(4)}, 0, "**1 lost**"},
		{"one came three times", []received{ok(1), ok(2), ok(2), ok(2), ok(3), ok(4)}, 0, "**2 doubled**"},
		{"half a message is altered, not lost", []received{ok(1), {n: 2}, ok(3), ok(4)}, 0, "**1 altered**"},
		{"half a message and then the whole", []received{ok(1), {n: 2}, ok(2), ok(3), ok(4)}, 0, "**1 doubled**, **1 altered**"},
		{"set aside is not lost", []received{ok(1), {n: 2, aside: true}, ok(3), ok(4)}, 0, "1 set aside"},
		{"set aside and given later after all", []received{ok(1), {n: 2, aside: true}, ok(2), ok(3), ok(4)}, 0, "all once"},
		{"nothing after the fault", []received{ok(1), ok(2), ok(3)}, 0, "**1 lost**, **stopped**"},
		{"what nobody can have is left out", []received{ok(1), ok(3), ok(4)}, 2, "1 left out"},
		{"nothing", nil, 0, "**4 lost**, **stopped**"},
	} {
		if got := count(tc.got, 4, 4, tc.refused).String(); got != tc.want {
			t.Errorf("%s: %s, want %s", tc.name, got, tc.want)
		}
	}
}
