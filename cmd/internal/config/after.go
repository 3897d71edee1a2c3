package config

import (
	"strings"
	"unicode"

	"mailflume/ingest"
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
		} else if watched(m.After.Folder, m.Folders, m.Exclude) {
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

// watched says whether a folder is one of those that the lists select.
func watched(folder string, folders, exclude []string) bool {
	in := func(list []string) bool {
		for _, pattern := range list {
			if sameFolder(pattern, folder) || globMatch(pattern, folder) {
				return true
			}
		}
		return false
	}
	return in(folders) && !in(exclude)
}

// sameFolder compares names: INBOX is the same in any case (RFC 3501 section 5.1), special uses
// too (RFC 6154 section 2), other names are not.
func sameFolder(a, b string) bool {
	if a == b {
		return true
	}
	return strings.EqualFold(a, b) && (strings.EqualFold(a, "INBOX") || strings.HasPrefix(a, `\`))
}

// globMatch matches * (any text) and ? (one character). It takes time proportional to the product
// of the lengths, whatever the pattern.
func globMatch(pattern, name string) bool {
	p, s := []rune(pattern), []rune(name)
	star, mark, i, j := -1, 0, 0, 0
	for j < len(s) {
		switch {
		case i < len(p) && p[i] == '*':
			star, mark = i, j
			i++
		case i < len(p) && (p[i] == '?' || p[i] == s[j]):
			i, j = i+1, j+1
		case star >= 0:
			mark++
			i, j = star+1, mark
		default:
			return false
		}
	}
	for i < len(p) && p[i] == '*' {
		i++
	}
	return i == len(p)
}
