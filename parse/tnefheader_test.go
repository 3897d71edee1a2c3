package parse

import (
	"reflect"
	"testing"
	"time"

	"mailflume/parse/tnef"
)

func TestAMessageInAWinmailDatHasTheHeaderThatItWouldHaveAsMail(t *testing.T) {
	h := tnefHeader(&tnef.Message{
		Subject: " Größe:\r\nBcc: x@y \x00", MessageID: "<1@example.org>", Sent: time.Date(2026, 11, 10, 9, 0, 0, 5, time.UTC),
		From: tnef.Person{Name: `Jeff "J" \ Doe, Esq. <x@y>`, Address: "jeff@example.org"},
		To:   []tnef.Person{{Name: "Anna"}, {Name: "Doe, John"}, {Address: "bob@example.org"}},
		Cc:   []tnef.Person{{Name: "Müller", Address: "a b\r\n>@example.org"}},
	})
	if h.Subject() != "Größe: Bcc: x@y" && h.Subject() != "Größe:  Bcc: x@y" || h.MessageID() != "1@example.org" {
		t.Errorf("%q %q", h.Subject(), h.MessageID())
	}
	if at, _, ok := h.Date(); !ok || !at.Equal(time.Date(2026, 11, 10, 9, 0, 0, 0, time.UTC)) {
		t.Error(at, ok)
	}
	for name, want := range map[string][]Address{
		"From": {{Name: `Jeff "J" \ Doe, Esq. <x@y>`, Address: "jeff@example.org"}},
		"To":   {{Name: "Anna"}, {Name: "Doe, John"}, {Address: "bob@example.org"}},
		"Cc":   {{Name: "Müller", Address: "ab@example.org"}},
		"Bcc":  nil,
	} {
		if got := h.Addresses(name); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if h := tnefHeader(&tnef.Message{Class: "IPM.Note"}); h != nil {
		t.Errorf("%+v", h.Fields())
	}
}
