package house

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path"
	"slices"
	"strings"
)

const module = "mailflume"

// Package is what the rules need of one package that go list prints.
type Package struct {
	ImportPath                         string
	Standard                           bool
	Imports, TestImports, XTestImports []string
}

// List asks the go command for the packages of the module in dir and all they depend on.
func List(ctx context.Context, dir string) ([]Package, error) {
	cmd := exec.CommandContext(ctx, "go", "list", "-deps", "-json=ImportPath,Standard,Imports,TestImports,XTestImports", "./...", "./testdata")
	cmd.Dir = dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list -deps: %w\n%s", err, stderr.Bytes())
	}
	var pkgs []Package
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p Package
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return pkgs, nil
		} else if err != nil {
			return nil, fmt.Errorf("read what go list printed: %w", err)
		}
		pkgs = append(pkgs, p)
	}
}

// room is a part of the house and the rooms it may import. A room without a row of its own is
// covered by the nearest one above it.
type room struct {
	path    string
	imports []string
}

// rooms is the plan. Imports run one way. A Source also names publish, because the folder of a
// message and its Ref are the contract's types; nothing else is seen through a wall. parse reads the
// formats that have a room below it through that room, which never looks back.
func rooms() []room {
	return []room{
		{"cmd", []string{"*"}},
		{"ingest", []string{"parse", "parse/htmltext", "parse/ical", "parse/reply", "publish"}},
		{"ingest/imapsource", []string{"ingest", "ingest/sasl", "publish", "publish/redact"}},
		{"ingest/imapsource/imaptest", []string{"ingest/sasl"}},
		{"ingest/pop3source", []string{"ingest", "ingest/sasl", "pop3", "publish", "publish/redact"}},
		{"ingest/oauth", []string{"ingest", "publish/redact"}},
		{"ingest/oauth/oauthtest", nil},
		{"ingest/sourcetest", []string{"ingest", "publish"}},
		{"ingest/sasl", nil},
		{"pop3", nil},
		{"pop3/pop3test", nil},
		{"parse", []string{"parse/ical", "parse/smime", "parse/sniff", "parse/tnef"}},
		{"parse/htmltext", nil},
		{"parse/ical", nil},
		{"parse/reply", nil},
		{"parse/smime", nil},
		{"parse/sniff", nil},
		{"parse/tnef", nil},
		{"publish", nil},
		{"publish/redact", nil},
		{"publish/schema", nil},
		{"publish/logtest", []string{"publish"}},
		{"publish/natsjs", []string{"publish", "publish/redact"}},
		{"publish/natsjs/embed", []string{"publish/natsjs", "publish"}},
		{"publish/fileblob", []string{"publish"}},
		{"publish/s3blob", []string{"publish", "publish/redact"}},
		{"testdata", nil},
	}
}

// guest is a module of others and the rooms that may import it. The loop that mailflume is compared
// with (cmd/internal/peers) is built of the same libraries.
type guest struct {
	path    string
	rooms   []string
	inTests bool // any test may import it
}

func guests() []guest {
	return []guest{
		{"github.com/nats-io/nats.go", []string{"publish/natsjs", "cmd/internal/peers"}, true},
		{"github.com/nats-io/nkeys", []string{"publish/natsjs", "cmd"}, true},
		{"github.com/nats-io/nats-server", []string{"publish/natsjs/embed"}, true},
		{"github.com/emersion/go-imap", []string{"ingest/imapsource", "cmd/internal/peers/loop"}, false},
		{"github.com/emersion/go-sasl", []string{"ingest/imapsource", "ingest/sasl"}, true},
		{"github.com/emersion/go-smtp", []string{"cmd/internal/submit"}, false},
		{"github.com/emersion/go-message", []string{"ingest/imapsource/imaptest"}, true},
		{"github.com/AzureAD/microsoft-authentication-library-for-go", []string{"ingest/oauth"}, false},
		{"github.com/goccy/go-yaml", []string{"cmd"}, false},
		{"github.com/rs/zerolog", []string{"cmd"}, false},
		{"github.com/spf13/cobra", []string{"cmd"}, false},
		{"github.com/jedib0t/go-pretty", []string{"cmd"}, false},
		{"github.com/prometheus", []string{"cmd"}, false},
		{"github.com/gabriel-vasile/mimetype", []string{"parse/sniff"}, false},
		{"github.com/smallstep/pkcs7", nil, true},
		{"github.com/minio/minio-go", []string{"publish/s3blob"}, false},
		{"github.com/santhosh-tekuri/jsonschema", []string{"cmd"}, true},
		{"go.uber.org/goleak", nil, true},
	}
}

// Arrows reports every import that runs against the plan.
func Arrows(pkgs []Package) (out []Finding) {
	for _, p := range pkgs {
		at, ours := inModule(p.ImportPath)
		if !ours {
			continue
		}
		for _, imp := range p.Imports {
			if f, bad := against(at, imp, false); bad {
				out = append(out, f)
			}
		}
		for _, imp := range slices.Concat(p.TestImports, p.XTestImports) {
			if _, ours := inModule(imp); ours {
				continue // a test may look anywhere: the compiler already forbids cycles
			}
			if f, bad := against(at, imp, true); bad {
				out = append(out, f)
			}
		}
	}
	return out
}

func against(at, imp string, test bool) (Finding, bool) {
	if to, ours := inModule(imp); ours {
		r, known := roomOf(at)
		switch {
		case !known:
			return Finding{at, "imports", "the package is in no room of the plan: add it to the table in package house, and say why"}, true
		case !mayImport(r, to):
			return Finding{at, "imports", fmt.Sprintf("imports %s; %s may import only %v", to, r.path, r.imports)}, true
		}
		return Finding{}, false
	}
	for _, g := range guests() {
		if !within(imp, g.path) || test && g.inTests {
			continue
		}
		if !slices.ContainsFunc(g.rooms, func(r string) bool { return within(at, r) }) {
			return Finding{at, "imports", fmt.Sprintf("imports %s, which only %v may", imp, g.rooms)}, true
		}
	}
	return Finding{}, false
}

func mayImport(r room, to string) bool {
	return slices.Contains(r.imports, "*") || slices.Contains(r.imports, to) || within(to, r.path+"/internal")
}

// roomOf finds the row that at belongs to: its own, or that of a folder above it.
func roomOf(at string) (room, bool) {
	for dir := at; dir != "." && dir != "/"; dir = path.Dir(dir) {
		for _, r := range rooms() {
			if r.path == dir {
				return r, true
			}
		}
	}
	return room{}, false
}

// inModule returns the package's folder if it is one of ours.
func inModule(importPath string) (string, bool) {
	return strings.CutPrefix(importPath, module+"/")
}

// within reports whether p is root or lies below it.
func within(p, root string) bool {
	rest, ok := strings.CutPrefix(p, root)
	return ok && (rest == "" || rest[0] == '/')
}
