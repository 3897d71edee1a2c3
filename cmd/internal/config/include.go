package config

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// include reads the files that mailboxes_from names, each once, in the order of the patterns and
// within a pattern by name.
func (l *loader) include(d *decoder) {
	read := map[string]bool{}
	main := filepath.Clean(d.src.name)
	for i, pattern := range l.raw.MailboxesFrom {
		at := d.places[fmt.Sprintf("mailboxes_from[%d]", i)]
		paths, err := l.glob(d.src.beside(pattern))
		if err != nil {
			l.problems.at(at, quote(pattern)+" is not a pattern", "write a path in which * stands for any part of a name")
			continue
		}
		if len(paths) == 0 && !strings.ContainsAny(pattern, "*?[") {
			l.problems.add(unreadable(at, os.ErrNotExist))
		}
		for _, path := range paths {
			switch {
			case read[path]:
				continue // two patterns may match the same file
			case path == main:
				l.problems.at(at, "this matches the configuration file itself", "put the mailboxes into a folder of their own: mailboxes.d/*.yaml")
				continue
			case len(read) >= MaxFiles:
				l.problems.at(at, fmt.Sprintf("these are more than %d files", MaxFiles), "put more mailboxes into each")
				return
			}
			read[path] = true
			l.includeFile(at, path)
		}
	}
}

// includeFile reads one file; its ending says how.
func (l *loader) includeFile(at place, path string) {
	ext, limit := strings.ToLower(filepath.Ext(path)), int64(MaxYAMLSize)
	if ext == ".csv" {
		limit = MaxCSVSize
	}
	switch ext {
	case ".yaml", ".yml", ".json", ".csv":
	default:
		l.problems.at(at, "it is not clear how to read "+quote(path), "name files that end in .yaml or .csv")
		return
	}
	text, err := l.read(path, limit)
	if err != nil {
		e := unreadable(at, err)
		e.Message = path + ": " + e.Message
		l.problems.add(e)
		return
	}
	src := l.source(path, text)
	if ext == ".csv" {
		l.csv(src, text)
		return
	}
	l.includeYAML(src, text)
}

// includeYAML reads a list of mailboxes, or a mapping whose only key is mailboxes.
func (l *loader) includeYAML(src *source, text []byte) {
	root, problem := parseYAML(src, text)
	if problem != nil && errors.Is(problem.Err, errEmpty) {
		return // a fragment may be empty, a configuration may not
	}
	if problem != nil {
		l.problems.add(problem)
		return
	}
	d := l.decoder(src, root)
	if _, list := d.resolve(root).(*ast.SequenceNode); list {
		l.mailboxes(d, root)
		return
	}
	for _, kv := range d.pairs(d.resolve(root), []string{"mailboxes"}) {
		l.mailboxes(d, kv.value)
	}
}

// csv reads a table of mailboxes. The header names the keys; after.grace and labels.queue reach
// into a key; a list is separated by semicolons; an empty cell leaves the default.
func (l *loader) csv(src *source, text []byte) {
	if problem := checkText(src, text); problem != nil {
		l.problems.add(problem)
		return
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	r := csv.NewReader(bytes.NewReader(text))
	// Rows may be shorter than the header: what is missing is empty. Longer ones are reported with
	// their place, which the reader's own check would not give.
	r.TrimLeadingSpace = true
	r.FieldsPerRecord = -1
	r.Comma = separator(src.lines[0])
	r.Comment = '#'
	header, err := l.record(src, r)
	if err != nil {
		return
	}
	keys := make([]*ast.StringNode, len(header))
	for i, cell := range header {
		keys[i] = cell.node()
		keys[i].Value = strings.TrimSpace(keys[i].Value)
	}
	d := l.decoder(src, nil)
	d.text = true
	for len(l.problems.list) < maxCollected {
		row, err := l.record(src, r)
		if err != nil {
			return
		}
		if len(row) > len(keys) {
			src.veilRow(row[0].line)
			l.problems.at(src.at(row[len(keys)].token()), fmt.Sprintf("this row has %d cells, the header has %d", len(row), len(keys)), "put a cell that holds the separator into double quotes")
			continue
		}
		if n := rowNode(keys, row); n != nil {
			l.mailbox(d, n)
		}
	}
}

// separator: programs for tables write semicolons or tabs in many countries.
func separator(header string) rune {
	for _, c := range ",;\t" {
		if strings.ContainsRune(header, c) {
			return c
		}
	}
	return ','
}

// cell is one cell of a table with its place.
type cell struct {
	text      string
	line, col int
}

// token makes of a cell what the YAML scanner would have made of the same text.
func (c cell) token() *token.Token {
	return &token.Token{Type: token.StringType, Value: c.text, Origin: c.text, Position: &token.Position{Line: c.line, Column: c.col}}
}

// node is the cell as a YAML scalar.
func (c cell) node() *ast.StringNode { return ast.String(c.token()) }

// record reads the next row; io.EOF or an error that it has reported ends the table.
func (l *loader) record(src *source, r *csv.Reader) ([]cell, error) {
	fields, err := r.Read()
	if errors.Is(err, io.EOF) {
		return nil, err
	}
	if err != nil {
		at := place{src: src}
		var pe *csv.ParseError
		if errors.As(err, &pe) {
			at = place{src, pe.Line, src.column(pe.Line, pe.Column)}
			err = pe.Err
			src.veilRow(pe.Line)
		}
		l.problems.at(at, "this is not CSV: "+err.Error(), "put a cell with quotes, commas or line ends into double quotes, and double the quotes in it")
		return nil, err
	}
	out := make([]cell, len(fields))
	for i, f := range fields {
		line, col := r.FieldPos(i)
		out[i] = cell{text: strings.TrimSpace(f), line: line, col: src.column(line, col)}
	}
	return out, nil
}

// veilRow hides all but the first cell of a row whose cells may not be what their columns say.
func (s *source) veilRow(line int) {
	row := []rune(s.lines[line-1])
	if i := slices.IndexFunc(row, func(r rune) bool { return strings.ContainsRune(",;\t", r) }); i >= 0 {
		place{s, line, i + 1}.veil(string(row[i:]))
	}
}

// rowNode makes of a row what the same mailbox would be in YAML.
func rowNode(keys []*ast.StringNode, row []cell) ast.Node {
	var entries []*ast.MappingValueNode
	groups := map[string]*ast.MappingNode{}
	for i, c := range row {
		if c.text == "" {
			continue
		}
		outer, inner, nested := strings.Cut(keys[i].Value, ".")
		if !nested {
			entries = append(entries, ast.MappingValue(keys[i].Token, keys[i], c.node()))
			continue
		}
		key := ast.String(keys[i].Token)
		key.Value = inner
		entry := ast.MappingValue(keys[i].Token, key, c.node())
		if g := groups[outer]; g != nil {
			g.Values = append(g.Values, entry)
			continue
		}
		groups[outer] = ast.Mapping(keys[i].Token, true, entry)
		name := ast.String(keys[i].Token)
		name.Value = outer
		entries = append(entries, ast.MappingValue(keys[i].Token, name, groups[outer]))
	}
	if len(entries) == 0 {
		return nil
	}
	// The row as a whole stands where its first cell does.
	return ast.Mapping(row[0].token(), true, entries...)
}
