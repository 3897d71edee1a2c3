package config

import (
	"strings"
	"unicode"

	"mailflume/ingest"
	"mailflume/ingest/imapsource"
)

// after checks the post-action against the protocol and against what is watched.
func (r *resolver) after() {
	m, key := r.m, r.afterKey()
	switch m.After.Action {
	case ingest.ActionSeen, ingest.ActionFlag, ingest.ActionMove:
		if m.Protocol == POP3 {
			r.bad(key, "POP3 cannot do "+quote(m.After.String()), "write action: none or action: delete, or use protocol: imap")
			return
		}
	}
	switch m.After.Action {
	case ingest.ActionFlag:
		if hint := flagHint(m.After.Flag); hint != "" {
			r.bad(key, quote(m.After.Flag)+" cannot be set as a flag", hint)
		}
	case ingest.ActionMove:
		if strings.ContainsFunc(m.After.Folder, unicode.IsControl) || strings.ContainsAny(m.After.Folder, "*?%") {
			r.bad(key, quote(m.After.Folder)+" is not the name of a folder", "write the name as the server has it")
		} else if imapsource.Selects(m.Folders, m.Exclude, m.After.Folder) {
			r.bad(key, "messages would be moved into the watched folder "+quote(m.After.Folder)+" and read again", "move to a folder that is not watched, or name it under exclude:")
		}
	}
}

// afterKey is where the action was named: the mailbox may set only the grace period.
func (r *resolver) afterKey() string {
	if r.given("after.action") {
		return "after.action"
	}
	return "after"
}

// flagHint says why a name cannot be set as a flag (RFC 3501 section 9, flag); "" if it can.
func flagHint(name string) string {
	switch strings.ToLower(name) {
	case `\seen`:
		return "write action: seen"
	case `\deleted`:
		return "write action: delete"
	case `\recent`:
		return "only the server sets it; write a keyword such as $Ingested"
	case `\flagged`, `\answered`, `\draft`:
		return ""
	}
	for _, c := range name {
		if c <= ' ' || c > '~' || strings.ContainsRune(`(){%*"\]`, c) {
			return `write \Flagged, \Answered, or a keyword of letters, digits and $ - _ such as $Ingested`
		}
	}
	return ""
}

// sameFolder compares names: INBOX is the same in any case (RFC 3501 section 5.1), special uses
// too (RFC 6154 section 2), other names are not.
func sameFolder(a, b string) bool {
	if a == b {
		return true
	}
	return strings.EqualFold(a, b) && (strings.EqualFold(a, "INBOX") || strings.HasPrefix(a, `\`))
}
