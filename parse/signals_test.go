package parse

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestSignalsAreFacts(t *testing.T) {
	cases := []struct {
		name, fields, part, signals string
	}{
		{"none", "Subject: x\nFrom: ann@example.org\nX-Mailer: Mutt", "", ""},
		{"report", "Content-Type: multipart/report; report-type=delivery-status", "message/delivery-status", "report-type:delivery-status content-type:message/delivery-status"},
		{"calendar", "Subject: x", "text/calendar; method=REQUEST", "content-type:text/calendar method:request"},
		{"RFC 3834", "Auto-Submitted: (x) Auto-Generated (failure); a=b", "", "auto-submitted:auto-generated"},
		{"by hand", "Auto-Submitted: no", "", "auto-submitted:no"},
		{"precedence", "Precedence: Bulk\nPrecedence: bulk\nX-Precedence: junk", "", "precedence:bulk x-precedence:junk"},
		{"answers that are not wanted", "X-Auto-Response-Suppress: OOF, AutoReply", "", "x-auto-response-suppress:oof,autoreply"},
		{"answers that are", "X-Auto-Response-Suppress: None", "", ""},
		{"list", "List-Id: <a.b>\nList-Unsubscribe: <https://a.b>\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\nList-Post: NO (closed)", "",
			"list-id list-unsubscribe list-unsubscribe-post list-post:no"},
		{"certified mail", "X-Trasporto: posta-certificata\nX-Ricevuta: Avvenuta-Consegna", "", "x-trasporto:posta-certificata x-ricevuta:avvenuta-consegna"},
		{"field without value", "List-ID:\nX-Failed-Recipients: \nX-Loop: x", "", "x-loop"},
		{"return path", "Return-Path: <>\nReturn-Path: <mailer-daemon@x>", "", "return-path:null"},
		{"senders", "From: No-Reply@example.org, mailer-daemon@example.org", "", "from:no-reply"},
		{"sender inside of a name", "From: dmarc_noreply@example.org", "", "from:no-reply"},
		{"name that is no address", "From: postmaster <ann@example.org>", "", ""},
		{"subject by its beginning", "Subject: Re: Automatic reply: x", "", ""},
		{"subject in words", "Subject: =?utf-8?q?R=C3=89PONSE_automatique_:_x?=", "", "subject:out-of-office"},
		{"aggregate report", "Subject: [Preview] Report Domain: example.org Submitter: example.com", "", "subject:report-domain"},
		{"TLS report", "TLS-Report-Domain: example.org\nContent-Type: multipart/report; report-type=\"tlsrpt\"", "", "report-type:tlsrpt tls-report-domain"},
		{"came round", "Delivered-To: a@x\nDelivered-To: b@x\nDelivered-To: A@x", "", "delivered-to:repeated"},
		{"Exchange", "X-MS-Exchange-Generated-Message-Source: Mailbox Rules Agent\nX-MS-Journal-Report:", "",
			"x-ms-exchange-generated-message-source:mailbox-rules-agent x-ms-journal-report"},
		{"cron", "X-Cron-Env: <SHELL=/bin/sh>\nX-Cron-Env: <HOME=/>", "", "x-cron-env"},
		{"forges and trackers", "X-GitHub-Reason: mention\nX-GitHub-Sender: a\nX-JIRA-FingerPrint: f\nX-Bugzilla-Type: new", "", "system:github system:jira system:bugzilla"},
		{"ticket systems", "X-Zendesk-From-Account-Id: 1\nX-ServiceNow-Generated: true\nX-OTRS-Loop: yes\nRT-Ticket: x #1\nX-SFDC-LK: 1", "",
			"system:zendesk system:servicenow system:otrs system:request-tracker system:salesforce"},
		{"by its mailer", "X-Mailer: Znuny Mail Service", "", "system:otrs"},
		{"lists", "X-BeenThere: a@b\nX-Mailman-Version: 2\nX-Google-Group-Id: 1\nMailing-List: contact a@b", "", "system:mailman system:google-groups mailing-list"},
		{"bulk", "X-SES-Outgoing: 1\nFeedback-ID: 1:AmazonSES\nX-SG-EID: a\nX-MC-User: a\nX-MJ-Mid: a", "", "system:amazon-ses feedback-id system:sendgrid system:mailchimp system:mailjet"},
		{"what Mailgun took in", "X-Mailgun-Incoming: Yes\nX-Mailgun-Sid: a", "", "system:mailgun"},
		{"value of any kind", "Precedence: very  \"Ürgent\" -- indeed!", "", "precedence:very-rgent-indeed"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, signals := Classify(headerOf(t, c.fields), c.part)
			wantSignals(t, signals)
			if got := strings.Join(signals, " "); got != c.signals {
				t.Errorf("got  %s\nwant %s", got, c.signals)
			}
		})
	}
}

// wantSignals fails unless all signals are words in lower case, few, short and each there once.
func wantSignals(t *testing.T, signals []string) {
	t.Helper()
	if len(signals) > maxSignals {
		t.Errorf("%d signals", len(signals))
	}
	for i, s := range signals {
		name, value, found := strings.Cut(s, ":")
		if s != strings.ToLower(s) || strings.ContainsAny(s, " \t\r\n") || name == "" || found && value == "" {
			t.Errorf("signal %q", s)
		}
		if len(name) > maxSignalName || len(value) > maxSignalValue || slices.Contains(signals[:i], s) {
			t.Errorf("signal %q", s)
		}
	}
}

func TestSignalsAreFewWhateverIsSent(t *testing.T) {
	var b strings.Builder
	for i := range 4_000 {
		fmt.Fprintf(&b, "Precedence: %s%d\nDelivered-To: a%d\n", strings.Repeat("x", i%100), i, i)
	}
	kind, signals := Classify(headerOf(t, b.String()+"Auto-Submitted: auto-replied"))
	if kind != "auto_reply" || len(signals) != maxSignals {
		t.Errorf("got %s and %d signals", kind, len(signals))
	}
	wantSignals(t, signals)
}

func TestSubjectsAreKnownByTheirBeginning(t *testing.T) {
	for _, list := range []string{bounceSubjects, autoReplySubjects} {
		if list[0] != '|' {
			t.Errorf("%.20q… has no bar", list)
		}
		for prefix := range strings.SplitSeq(list[1:], "|") {
			if prefix != strings.ToLower(prefix) || !hasPrefixOf(prefix, list) || !hasPrefixOf(prefix+" x", list) || hasPrefixOf("re: "+prefix, list) {
				t.Errorf("%q is not found", prefix)
			}
		}
		for _, s := range []string{"", "und", "undo", "auto", "|", "||||", "autobahn closed"} {
			if hasPrefixOf(s, list) {
				t.Errorf("%q is found", s)
			}
		}
	}
}
