package parse

import (
	"reflect"
	"slices"
	"testing"
)

func TestListFields(t *testing.T) {
	cases := []struct {
		name, fields, id string
		unsubscribe      []string
		oneClick         bool
	}{
		{"none", "Subject: x", "", nil, false},
		{"id with phrase", "List-ID: News <news.example.org>", "news.example.org", nil, false},
		{"bare id", "List-Id: news.example.org", "news.example.org", nil, false},
		{"two ways out", "List-Unsubscribe: <mailto:u@example.org?subject=x>,\n <https://example.org/u>", "", []string{"mailto:u@example.org?subject=x", "https://example.org/u"}, false},
		{"folded inside a URL", "List-Unsubscribe: <https://example.org/\n u>", "", []string{"https://example.org/u"}, false},
		{"one click", "List-Unsubscribe: <https://example.org/u>\nList-Unsubscribe-Post: List-Unsubscribe=One-Click", "", []string{"https://example.org/u"}, true},
		{"one click needs https", "List-Unsubscribe: <mailto:u@example.org>\nList-Unsubscribe-Post: List-Unsubscribe=One-Click", "", []string{"mailto:u@example.org"}, false},
		{"bare URL", "List-Unsubscribe: https://example.org/u", "", []string{"https://example.org/u"}, false},
		{"never closed", "List-Unsubscribe: <https://example.org/u", "", []string{"https://example.org/u"}, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			id, unsubscribe, oneClick := List(headerOf(t, c.fields))
			if id != c.id || oneClick != c.oneClick {
				t.Errorf("got %q %v, want %q %v", id, oneClick, c.id, c.oneClick)
			}
			if !slices.Equal(unsubscribe, c.unsubscribe) {
				t.Errorf("got %q, want %q", unsubscribe, c.unsubscribe)
			}
		})
	}
}

func TestKindsOfMail(t *testing.T) {
	cases := []struct {
		name, fields, contentType, kind string
		signals                         []string
	}{
		{"message", "Subject: x", "text/plain", "message", nil},
		{"list", "List-ID: <a.example.org>\nPrecedence: list", "text/plain", "message", []string{"List-ID", "Precedence"}},
		{"bounce report", "Subject: x", "multipart/report; report-type=delivery-status; boundary=b", "bounce", []string{"Content-Type"}},
		{"bounce report by its own field", "Content-Type: multipart/report; report-type=\"delivery-status\"; boundary=b", "", "bounce", []string{"Content-Type"}},
		{"delivery status part", "Subject: x", "message/delivery-status", "bounce", []string{"Content-Type"}},
		{"bounce by Exim", "X-Failed-Recipients: a@example.org", "text/plain", "bounce", []string{"X-Failed-Recipients"}},
		{"bounce by qmail", "Return-Path: <>\nFrom: MAILER-DAEMON@example.org", "text/plain", "bounce", []string{"Return-Path", "From"}},
		{"receipt", "Subject: x", "multipart/report; report-type=disposition-notification", "receipt", []string{"Content-Type"}},
		{"complaint", "Subject: x", "multipart/report; report-type=feedback-report", "complaint", []string{"Content-Type"}},
		{"calendar", "Subject: x", "text/calendar; method=REQUEST", "calendar", []string{"Content-Type"}},
		{"vacation", "Auto-Submitted: auto-replied (vacation)", "text/plain", "auto_reply", []string{"Auto-Submitted"}},
		{"vacation with parameters", "Auto-Submitted: auto-replied; owner-email=a@example.org", "text/plain", "auto_reply", []string{"Auto-Submitted"}},
		{"vacation by Exchange", "Auto-Submitted: auto-generated\nIn-Reply-To: <a@x>\nX-Auto-Response-Suppress: All", "text/plain", "auto_reply", []string{"Auto-Submitted", "X-Auto-Response-Suppress"}},
		{"old vacation", "Precedence: auto_reply\nX-Autoreply: yes", "text/plain", "auto_reply", []string{"Precedence", "X-Autoreply"}},
		{"notice is no reply", "Auto-Submitted: auto-generated", "text/plain", "message", []string{"Auto-Submitted"}},
		{"suppressing answers is no answer", "X-Auto-Response-Suppress: All", "text/plain", "message", []string{"X-Auto-Response-Suppress"}},
		{"by hand", "Auto-Submitted: no", "text/plain", "message", []string{"Auto-Submitted"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			kind, signals := Classify(headerOf(t, c.fields), c.contentType)
			if kind != c.kind || len(signals)+len(c.signals) > 0 && !reflect.DeepEqual(signals, c.signals) {
				t.Errorf("got %s %v, want %s %v", kind, signals, c.kind, c.signals)
			}
		})
	}
}
