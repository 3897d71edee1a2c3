package imapsource

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/emersion/go-imap/v2"

	"mailflume/ingest"
)

const (
	maxFolders    = 20_000
	listBudget    = 64 << 20
	maxNamed      = 20 // folders named in an error
	specialPrefix = `\`
)

// folderInfo is a folder as LIST shows it.
type folderInfo struct {
	name string
	use  string // special use (RFC 6154), "" if none or not told
}

// chooser is a configured selection of folders.
type chooser struct{ folders, exclude []string }

// isName says whether a pattern can only mean one folder: then LIST is not needed.
func isName(pattern string) bool {
	return !strings.HasPrefix(pattern, specialPrefix) && !strings.ContainsAny(pattern, "*?")
}

// needsList says whether the server has to name its folders. LIST is avoided where it can be: one
// name in broken modified UTF-7 ends a go-imap session.
func (c chooser) needsList() bool {
	return slices.ContainsFunc(slices.Concat(c.folders, c.exclude), func(p string) bool { return !isName(p) })
}

// takes says whether the selection wants a folder.
func (c chooser) takes(f folderInfo) bool {
	matches := func(p string) bool { return matchFolder(p, f) }
	return slices.ContainsFunc(c.folders, matches) && !slices.ContainsFunc(c.exclude, matches)
}

// Selects says whether lists of names, globs and special uses, as in Options, take a folder that is known
// by its name, or by its special use, alone.
func Selects(folders, exclude []string, name string) bool {
	f := folderInfo{name: canonical(name)}
	if strings.HasPrefix(name, specialPrefix) {
		f.use = name
	}
	return chooser{folders: folders, exclude: exclude}.takes(f)
}

// choose returns the wanted folders in the order of the patterns, by name within one.
func (c chooser) choose(there []folderInfo) []folderInfo {
	var out []folderInfo
	seen := map[string]bool{}
	for _, p := range c.folders {
		for _, f := range there {
			if matchFolder(p, f) && !seen[f.name] && c.takes(f) {
				seen[f.name] = true
				out = append(out, f)
			}
		}
	}
	return out
}

func matchFolder(pattern string, f folderInfo) bool {
	switch {
	case strings.HasPrefix(pattern, specialPrefix):
		return strings.EqualFold(pattern, f.use)
	case isName(pattern):
		return canonical(pattern) == f.name
	default:
		return glob(pattern, f.name)
	}
}

// canonical spells INBOX as the protocol does: it alone is case-insensitive (RFC 9051 section 5.1).
func canonical(name string) string {
	if strings.EqualFold(name, "INBOX") {
		return "INBOX"
	}
	return name
}

// glob matches * (any run, hierarchy included) and ? (one character) in linear time and memory.
func glob(pattern, name string) bool {
	p, n := []rune(pattern), []rune(name)
	i, j, star, mark := 0, 0, -1, 0
	for j < len(n) {
		switch {
		case i < len(p) && p[i] == '*':
			star, mark = i, j
			i++
		case i < len(p) && (p[i] == '?' || p[i] == n[j]):
			i++
			j++
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

// wanted returns the folders to read. Without globs and special uses the server is not asked.
func (s *session) wanted(ctx context.Context) ([]folderInfo, error) {
	c := s.src.chooser()
	if c.needsList() {
		there, err := s.listFolders(ctx)
		if err != nil {
			return nil, err
		}
		out := c.choose(there)
		for _, p := range c.folders { // one that is not listed is asked for, and its absence reported
			if name := canonical(p); isName(p) && !slices.ContainsFunc(there, func(f folderInfo) bool { return f.name == name }) {
				out = append(out, folderInfo{name: name})
			}
		}
		return out, nil
	}
	var out []folderInfo
	for _, p := range c.folders {
		f := folderInfo{name: canonical(p)}
		if c.takes(f) && !slices.Contains(out, f) {
			out = append(out, f)
		}
	}
	return out, nil
}

func (s *Source) chooser() chooser { return chooser{folders: s.opt.Folders, exclude: s.opt.Exclude} }

// listFolders asks for all selectable folders.
func (s *session) listFolders(ctx context.Context) ([]folderInfo, error) {
	var opt *imap.ListOptions
	if s.has("SPECIAL-USE") && s.has("LIST-EXTENDED") { // others may tell unasked (RFC 6154 section 2)
		opt = &imap.ListOptions{ReturnSpecialUse: true}
	}
	var out []folderInfo
	err := s.command(ctx, listBudget, func() error {
		cmd := s.c.List("", "*", opt)
		for d := cmd.Next(); d != nil; d = cmd.Next() {
			if f, ok := selectable(d); ok && len(out) < maxFolders {
				out = append(out, f)
			}
		}
		return s.fault("imap list folders", atInbox, cmd.Close())
	})
	slices.SortFunc(out, func(a, b folderInfo) int { return strings.Compare(a.name, b.name) })
	return slices.CompactFunc(out, func(a, b folderInfo) bool { return a.name == b.name }), err
}

// selectable reads one LIST answer; ok is false for names that hold no messages.
func selectable(d *imap.ListData) (folderInfo, bool) {
	f := folderInfo{name: canonical(d.Mailbox)}
	for _, a := range d.Attrs {
		switch strings.ToLower(string(a)) {
		case `\noselect`, `\nonexistent`:
			return f, false
		case `\all`, `\archive`, `\drafts`, `\flagged`, `\junk`, `\sent`, `\trash`, `\important`:
			f.use = string(a)
		}
	}
	return f, f.name != "" && len(f.name) <= maxNameBytes
}

// absent tells a folder that does not exist from one that may not be opened. Few servers say so by a
// response code; their list does.
func (s *session) absent(ctx context.Context, name string, err error) error {
	if ingest.FaultOf(err).Code != ingest.CodeNotConnected || s.ended(ctx) != nil {
		return err
	}
	there, lerr := s.listFolders(ctx)
	if lerr != nil || slices.ContainsFunc(there, func(f folderInfo) bool { return f.name == canonical(name) }) {
		return err
	}
	return s.trouble().fault(ingest.Fault{Class: ingest.Config, Code: ingest.CodeFolderMissing}, "imap open folder "+printable(name), errors.Unwrap(err))
}

// noFolder is the error of a mailbox of which no configured folder can be read. It names the
// folders that exist.
func (s *session) noFolder(ctx context.Context) error {
	if len(s.skipped) > 0 && ingest.FaultOf(s.skipped[0]).Code != ingest.CodeFolderMissing {
		return s.skipped[0]
	}
	cause := errors.New("no configured folder exists")
	if len(s.skipped) > 0 {
		cause = s.skipped[0]
	}
	cause = s.instead(ctx, cause, s.src.opt.Folders...)
	return s.trouble().fault(ingest.Fault{Class: ingest.Config, Code: ingest.CodeFolderMissing}, "imap folders", cause)
}

// instead adds to a cause what folders there are, the likeliest for each name that is missing first.
func (s *session) instead(ctx context.Context, cause error, wanted ...string) error {
	there, err := s.listFolders(ctx)
	if err != nil {
		return cause
	}
	for _, name := range wanted {
		if !isName(name) || slices.ContainsFunc(there, func(f folderInfo) bool { return f.name == canonical(name) }) {
			continue
		}
		if like := near(name, there); len(like) > 0 {
			cause = fmt.Errorf("%w; did you mean, for %q: %s", cause, printable(name), strings.Join(like, ", "))
		}
	}
	var names []string
	for _, f := range there[:min(len(there), maxNamed)] {
		names = append(names, printable(f.name))
	}
	cause = fmt.Errorf("%w; there are: %s", cause, strings.Join(names, ", "))
	if len(there) > maxNamed {
		cause = fmt.Errorf("%w and %d more", cause, len(there)-maxNamed)
	}
	return cause
}
