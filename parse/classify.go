package parse

import "strings"

// List returns what a mailing list says about itself: its id (RFC 2919), the places to unsubscribe
// at (RFC 2369), and whether one POST to the https one of them is enough (RFC 8058).
func List(h *Header) (id string, unsubscribe []string, oneClick bool) {
	id = h.Get("List-ID")
	if i := strings.LastIndexByte(id, '<'); i >= 0 {
		id, _, _ = strings.Cut(id[i+1:], ">")
	}
	id = strings.TrimSpace(stripComments(id))
	https := false
	for _, v := range h.Values("List-Unsubscribe") {
		for _, u := range listURLs(v) {
			unsubscribe = append(unsubscribe, u)
			https = https || strings.HasPrefix(strings.ToLower(u), "https:")
		}
	}
	post := strings.ToLower(compact(h.Get("List-Unsubscribe-Post")))
	return id, unsubscribe, https && post == "list-unsubscribe=one-click"
}

// listURLs returns the URLs in angle brackets of an RFC 2369 field; a bare one alone is taken too.
func listURLs(v string) []string {
	var out []string
	rest := v
	for len(out) < 16 {
		i := strings.IndexByte(rest, '<')
		if i < 0 {
			break
		}
		u, after, _ := strings.Cut(rest[i+1:], ">")
		if u = compact(u); u != "" {
			out = append(out, u)
		}
		rest = after
	}
	if v = strings.TrimSpace(v); out == nil && strings.ContainsRune(v, ':') && !strings.ContainsAny(v, " ,") {
		out = append(out, v)
	}
	return out
}

// Classify says what kind of message this is and which fields say so. The kinds are message,
// auto_reply, bounce, complaint, receipt and calendar. contentType is the Content-Type of the
// message, or of the part that makes it what it is: text/calendar, message/delivery-status.
func Classify(h *Header, contentType string) (kind string, signals []string) {
	top := h.Get("Content-Type")
	for _, ct := range [...]string{contentType, top} {
		if kind := kindOfType(parseMedia(ct, h), h); kind != "" {
			return kind, []string{"Content-Type"}
		}
	}
	if kind, signals = bounceByFields(h); kind != "" {
		return kind, signals
	}
	if signals = autoReplySignals(h); len(signals) > 0 {
		return "auto_reply", signals
	}
	for _, name := range [...]string{"Auto-Submitted", "X-Auto-Response-Suppress", "List-ID", "List-Unsubscribe", "List-Post", "Precedence"} {
		if h.Get(name) != "" {
			signals = append(signals, name)
		}
	}
	return "message", signals
}

// kindOfType reads the media type: reports (RFC 3462, 3464, 8098, 5965) and calendars (RFC 6047).
func kindOfType(m media, h *Header) string {
	typ, _ := mediaType(m.head, "")
	report := strings.ToLower(m.text("report-type", h))
	switch {
	case typ == "message/feedback-report", typ == "multipart/report" && report == "feedback-report":
		return "complaint"
	case typ == "message/disposition-notification", typ == "multipart/report" && report == "disposition-notification":
		return "receipt"
	case typ == "message/delivery-status", typ == "message/global-delivery-status",
		typ == "multipart/report" && (report == "delivery-status" || report == "global-delivery-status"):
		return "bounce"
	case typ == "text/calendar", typ == "application/ics":
		return "calendar"
	}
	return ""
}

// bounceByFields recognises bounces that are no RFC 3464 reports.
func bounceByFields(h *Header) (kind string, signals []string) {
	if h.Get("X-Failed-Recipients") != "" {
		return "bounce", []string{"X-Failed-Recipients"}
	}
	raw, ok := h.first("Return-Path")
	if !ok || cleanAddress(strings.Trim(strings.TrimSpace(stripComments(raw)), "<>")) != "" {
		return "", nil
	}
	from := h.Addresses("From")
	if len(from) == 0 {
		return "", nil
	}
	local, _, _ := strings.Cut(strings.ToLower(from[0].Address), "@")
	if local == "mailer-daemon" || local == "postmaster" {
		return "bounce", []string{"Return-Path", "From"}
	}
	return "", nil
}

// autoReplySignals returns the fields that say no person sent this in answer (RFC 3834 and what was
// there before it). Auto-Submitted: auto-generated is a notice, not a reply, but nobody wrote it.
func autoReplySignals(h *Header) []string {
	var out []string
	first := func(name string) string {
		v, _, _ := strings.Cut(strings.ToLower(stripComments(h.Get(name))), ";")
		return strings.TrimSpace(v)
	}
	auto := first("Auto-Submitted")
	if strings.HasPrefix(auto, "auto-replied") {
		out = append(out, "Auto-Submitted")
	}
	switch first("Precedence") {
	case "auto_reply", "auto-reply":
		out = append(out, "Precedence")
	}
	for _, name := range [...]string{"X-Autoreply", "X-Autorespond", "X-Auto-Reply", "X-Autoresponder", "X-Vacation"} {
		if v := first(name); v != "" && v != "no" {
			out = append(out, name)
		}
	}
	if len(out) == 0 && strings.HasPrefix(auto, "auto-generated") && (h.Get("In-Reply-To") != "" || h.Get("References") != "") {
		out = append(out, "Auto-Submitted")
	}
	if v := first("X-Auto-Response-Suppress"); len(out) > 0 && v != "" && v != "none" {
		out = append(out, "X-Auto-Response-Suppress")
	}
	return out
}
