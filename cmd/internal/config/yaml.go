package config

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// parseYAML reads the only document of a YAML file.
func parseYAML(src *source, text []byte) (ast.Node, *Error) {
	if err := checkText(src, text); err != nil {
		return nil, err
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	f, err := parseTree(src, string(text))
	if err != nil {
		return nil, err
	}
	// Comments and an end mark make documents without a body: those do not count.
	var body ast.Node
	for _, doc := range f.Docs {
		if doc == nil || doc.Body == nil {
			continue
		}
		if body != nil {
			return nil, src.at(start(doc.Body)).problem("a second document begins here", "keep one document per file: remove the line with ---")
		}
		body = doc.Body
	}
	if _, null := body.(*ast.NullNode); body == nil || null {
		e := place{src: src}.problem("the file is empty", "run mailflume init to write one to start from")
		e.Err = errEmpty
		return nil, e
	}
	return body, nil
}

var errEmpty = errors.New("empty file")

// parseTree guards the library: its parser recurses without bound, in quadratic time, and a file
// of rubbish can make it panic.
func parseTree(src *source, text string) (f *ast.File, problem *Error) {
	defer func() {
		if r := recover(); r != nil {
			f, problem = nil, place{src: src}.problem("this is not YAML", "check indentation, colons, brackets and quotes")
		}
	}()
	tokens := lexer.Tokenize(text)
	if deep := tooDeep(tokens); deep != nil {
		return nil, src.at(deep).problem("this is nested too deeply", "no key of a configuration lies that deep: check the indentation")
	}
	f, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err == nil {
		return f, nil
	}
	at, message := place{src: src}, err.Error()
	// Only an error with a token knows its place.
	var ye yaml.Error
	if errors.As(err, &ye) {
		at, message = src.at(ye.GetToken()), ye.GetMessage()
	}
	if tab := src.tabAbove(at.line); tab.known() {
		return nil, tab.problem("a tab stands in the indentation", "YAML takes only spaces there: replace it by two")
	}
	// The library's error is not kept as the cause: its text shows the lines as they are.
	return nil, at.problem("this is not YAML: "+message, src.syntaxHint(at.line))
}

// syntaxHint says what is usually wrong with a line that is not YAML.
func (s *source) syntaxHint(line int) string {
	// action: move: Done is the form that people write from the documentation of the action.
	twoColons := regexp.MustCompile(`^[\s-]*[\w.-]+:\s+[^\s"'{\[|>&*#][^"']*:(\s|$)`)
	if line > 0 && line <= len(s.lines) && twoColons.MatchString(s.lines[line-1]) {
		return "put a value that holds a colon into double quotes, for example \"move: Done\""
	}
	if line > 0 && line <= len(s.lines) && regexp.MustCompile(`^[\s-]*[\w.-]+:[^\s:][^{}]*$`).MatchString(s.lines[line-1]) {
		return "put a space after the colon: key: value"
	}
	return "check indentation, colons, brackets and quotes here and on the line above"
}

// maxNesting is ten times what the deepest key needs, and far below what costs time or stack.
const maxNesting = 64

// tooDeep returns the first token that is nested more deeply than maxNesting.
func tooDeep(tokens token.Tokens) *token.Token {
	flow, prefixes := 0, 0
	var columns []int // of the dashes, question marks and keys that enclose the token
	for _, t := range tokens {
		switch t.Type {
		case token.SequenceStartType, token.MappingStartType:
			flow++
		case token.SequenceEndType, token.MappingEndType:
			flow = max(flow-1, 0) // more closed than opened: the parser will say so
		case token.AnchorType, token.TagType:
			prefixes++
		case token.SequenceEntryType, token.MappingKeyType, token.MappingValueType:
			at := t
			if t.Type == token.MappingValueType && t.Prev != nil {
				at = t.Prev
			}
			// A token further left closes everything that began right of it.
			for len(columns) > 0 && columns[len(columns)-1] >= at.Position.Column {
				columns = columns[:len(columns)-1]
			}
			if flow == 0 {
				columns = append(columns, at.Position.Column)
			}
		case token.StringType:
			if t.Prev == nil || t.Prev.Type != token.AnchorType { // an anchor's name is such a token too
				prefixes = 0
			}
		}
		if flow > maxNesting || len(columns) > maxNesting || prefixes > maxNesting {
			return t
		}
	}
	return nil
}

// checkText reports a file that is not UTF-8 text.
func checkText(src *source, text []byte) *Error {
	if bytes.HasPrefix(text, []byte{0xff, 0xfe}) || bytes.HasPrefix(text, []byte{0xfe, 0xff}) {
		return place{src: src}.problem("this file is UTF-16", "save it as UTF-8 (Windows PowerShell 5: Out-File -Encoding utf8)")
	}
	// A NUL is valid UTF-8, yet no text: it is what a binary file or UTF-16 without a mark holds.
	bad := bytes.IndexByte(text, 0)
	for i := 0; i < len(text) && bad < 0; {
		r, n := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && n == 1 {
			bad = i
		}
		i += n
	}
	if bad < 0 {
		return nil
	}
	before := string(text[:bad])
	line := strings.Count(before, "\n")
	column := utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:])
	return place{src, line + 1, column + 1}.problem(fmt.Sprintf("the byte %#02x is not text", text[bad]), "save the file as UTF-8")
}

// tabAbove finds a tab in the indentation of a line up to and including the given one.
func (s *source) tabAbove(line int) place {
	for i, text := range s.lines {
		if line > 0 && i >= line {
			break
		}
		if tab := strings.IndexByte(leadingSpace().FindString(text), '\t'); tab >= 0 && strings.TrimSpace(text) != "" {
			return place{s, i + 1, tab + 1}
		}
	}
	return place{}
}

// anchors lists the values that aliases can stand for.
func anchors(root ast.Node) map[string]ast.Node {
	found := collector{}
	if root != nil {
		ast.Walk(found, root)
	}
	return found
}

// collector gathers anchors by name.
type collector map[string]ast.Node

// Visit implements ast.Visitor.
func (c collector) Visit(n ast.Node) ast.Visitor {
	if a, ok := n.(*ast.AnchorNode); ok && a.Name != nil {
		c[a.Name.GetToken().Value] = a.Value
	}
	return c
}
