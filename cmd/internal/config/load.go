package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"

	"github.com/goccy/go-yaml/ast"
)

// file is a configuration as it is written.
type file struct {
	NATS          NATS                   `yaml:"nats,omitempty" jsonschema_description:"Where events go. Left out: JetStream runs inside mailflume."`
	Worker        Worker                 `yaml:"worker,omitempty" jsonschema_description:"What this process is among the workers that share the mailboxes."`
	Blobs         Blobs                  `yaml:"blobs,omitempty" jsonschema_description:"Where originals and attachments go."`
	Credentials   map[string]*Credential `yaml:"credentials,omitempty" jsonschema_description:"Ways to sign in, by name."`
	Defaults      Settings               `yaml:"defaults,omitempty" jsonschema_description:"What holds for every mailbox that does not say otherwise."`
	Mailboxes     []*Mailbox             `yaml:"mailboxes,omitempty" jsonschema_description:"The mailboxes to watch."`
	MailboxesFrom []string               `yaml:"mailboxes_from,omitempty" jsonschema_description:"More mailboxes: YAML files (a list, or mailboxes: with a list) or CSV files with a header row. Globs are allowed; paths are relative to this file."`
	Limits        Limits                 `yaml:"limits,omitempty" jsonschema_description:"Bounds on what the process uses."`
	HTTP          HTTP                   `yaml:"http,omitempty" jsonschema_description:"Status page, API, metrics and health checks."`
	Log           Log                    `yaml:"log,omitempty" jsonschema_description:"What is logged."`
}

// Bounds on what is read. A mailbox takes about 130 bytes of YAML, and YAML takes fifty times its
// size while it is read: fleets of more than some ten thousand mailboxes do better with CSV.
const (
	MaxYAMLSize  = 16 << 20
	MaxCSVSize   = 64 << 20
	MaxMailboxes = 200_000
	MaxFiles     = 10_000
)

// files is how the loader reaches other files; tests and fuzzing replace it.
type files struct {
	glob func(pattern string) ([]string, error)
	read func(path string, limit int64) ([]byte, error)
}

// diskFiles reaches the real files.
func diskFiles() files { return files{glob: filepath.Glob, read: readFile} }

// Load reads the configuration in path, with the files that mailboxes_from names, and checks it.
// Its error is an Errors. No secret is read: CheckSecrets does that.
func Load(path string) (*Config, error) {
	disk := diskFiles()
	text, err := disk.read(path, MaxYAMLSize)
	if err != nil {
		e := unreadable(place{src: &source{name: path}}, err)
		if errors.Is(err, os.ErrNotExist) {
			e.Hint = "run mailflume init to write one, or name yours with -c FILE"
		}
		return nil, Errors{e}
	}
	return parse(path, text, disk)
}

// Parse reads a configuration from src; name is its file name, from whose folder relative paths
// start. Its error is an Errors.
func Parse(name string, src []byte) (*Config, error) { return parse(name, src, diskFiles()) }

// loader carries one configuration from its files to a Config.
type loader struct {
	files
	problems problems
	budget   int
	types    shapes
	cfg      *Config
	raw      file
	defaults map[string]place // where each key of defaults stands
	sources  []*source
	ids      map[string]place // tenant/id of each mailbox
	drops    map[string]place // host and user of each maildrop
}

// parse is Parse with a choice of what the other files are.
func parse(name string, text []byte, from files) (*Config, error) {
	return newLoader(name, from).load(name, text)
}

func newLoader(name string, from files) *loader {
	return &loader{
		files: from, budget: freeNodes, types: shapes{}, ids: map[string]place{}, drops: map[string]place{},
		cfg: &Config{Path: name},
		raw: file{NATS: DefaultNATS(), Worker: DefaultWorker(), Blobs: DefaultBlobs(), Defaults: DefaultSettings(), Limits: DefaultLimits(), HTTP: DefaultHTTP(), Log: DefaultLog()},
	}
}

// load reads the main file and those that it names.
func (l *loader) load(name string, text []byte) (*Config, error) {
	src := l.source(name, text)
	root, err := parseYAML(src, text)
	if err != nil {
		l.problems.add(err)
		return nil, l.problems.err()
	}
	l.root(l.decoder(src, root), root)
	if err := l.problems.err(); err != nil {
		return nil, err
	}
	for _, m := range l.cfg.Mailboxes {
		m.definition = m.digest(l.types)
	}
	return l.cfg, nil
}

// source registers one file. Each adds its size to the budget of nodes.
func (l *loader) source(name string, text []byte) *source {
	s := newSource(name, len(l.sources), text)
	l.budget += len(text)
	l.sources = append(l.sources, s)
	l.cfg.Files = append(l.cfg.Files, name)
	return s
}

// decoder makes a decoder for one file; problems, budget and shapes are shared by all.
func (l *loader) decoder(src *source, root ast.Node) *decoder {
	return &decoder{
		src: src, problems: &l.problems, budget: &l.budget, types: l.types,
		places: map[string]place{}, anchors: anchors(root),
	}
}

// root decodes the main file: first what mailboxes refer to, then the mailboxes.
func (l *loader) root(d *decoder, n ast.Node) {
	v := reflect.ValueOf(&l.raw).Elem()
	s := d.types.of(v.Type())
	d.places[""] = d.at(n)
	// The order of the keys is free, so mailboxes wait until defaults and credentials are known.
	var boxes *pair
	for _, kv := range d.pairs(d.resolve(n), s.names) {
		if kv.key == "mailboxes" {
			boxes = &kv
			d.places["mailboxes"] = d.at(kv.node)
			continue
		}
		f := s.fields[kv.key]
		d.value(kv.value, v.FieldByIndex(f.index), f, kv.key)
	}
	l.defaults = d.places
	l.cfg.NATS, l.cfg.Worker, l.cfg.Blobs, l.cfg.Limits, l.cfg.HTTP, l.cfg.Log = l.raw.NATS, l.raw.Worker, l.raw.Blobs, l.raw.Limits, l.raw.HTTP, l.raw.Log
	l.cfg.Credentials = l.raw.Credentials
	l.cfg.NATS.DataDir = d.src.abs(l.cfg.NATS.DataDir)
	l.sections(d)
	if boxes != nil {
		l.mailboxes(d, boxes.value)
	}
	l.include(d)
	// An empty folder of mailboxes is how a fleet begins; a file without any is a mistake.
	if len(l.cfg.Mailboxes) == 0 && len(l.problems.list) == 0 && len(l.raw.MailboxesFrom) == 0 && !l.cfg.Partial {
		at := d.places[""]
		if boxes != nil {
			at = d.places["mailboxes"]
		}
		l.problems.at(at, "there is no mailbox to watch", "add one: mailboxes: [{address: support@example.com}]")
	}
}

// mailboxes decodes a list of mailboxes.
func (l *loader) mailboxes(d *decoder, n ast.Node) {
	at := d.at(n)
	n = d.resolve(n)
	if _, null := n.(*ast.NullNode); null {
		return
	}
	seq, ok := n.(*ast.SequenceNode)
	if !ok {
		l.problems.at(at, "mailboxes is a list", "begin each mailbox with a dash: - address: support@example.com")
		return
	}
	for _, item := range seq.Values {
		if len(l.problems.list) >= maxCollected {
			return
		}
		l.mailbox(d, item)
	}
}

// mailbox decodes one mailbox over the defaults, resolves and checks it.
func (l *loader) mailbox(d *decoder, item ast.Node) {
	if len(l.cfg.Mailboxes) >= MaxMailboxes {
		l.problems.at(d.at(item), fmt.Sprintf("there are more than %d mailboxes", MaxMailboxes), "spread them over several workers' configurations")
		return
	}
	m := &Mailbox{Settings: l.raw.Defaults}
	// A copy for each: what one mailbox's owner does to its lists must not reach the defaults.
	m.Folders, m.Exclude = slices.Clone(m.Folders), slices.Clone(m.Exclude)
	// Its own table of places, dropped when the mailbox is checked: a fleet has very many keys.
	own := *d
	own.places = make(map[string]place, 8)
	before := len(l.problems.list) + l.problems.more
	own.value(item, reflect.ValueOf(m).Elem(), nil, "")
	l.cfg.Mailboxes = append(l.cfg.Mailboxes, m)
	r := &resolver{loader: l, m: m, own: own.places}
	if len(l.problems.list)+l.problems.more > before {
		return // what follows from a wrong value would only distract
	}
	r.resolve()
}

// unreadable explains why a file could not be read.
func unreadable(at place, err error) *Error {
	message, hint := "this file cannot be read: "+err.Error(), ""
	switch {
	case errors.Is(err, os.ErrNotExist):
		message, hint = "there is no such file", "correct the path; it starts at the folder of the file that names it"
	case errors.Is(err, os.ErrPermission):
		message, hint = "mailflume may not read this file", "make it readable for the user that runs mailflume"
	case errors.Is(err, errDirectory):
		message, hint = "this is a folder, not a file", "name a file in it, for example mailflume.yaml"
	case errors.Is(err, errTooLarge):
		message, hint = "this file is too large: "+err.Error(), "split it, and put mailboxes into CSV files named under mailboxes_from"
	}
	e := at.problem(message, hint)
	e.Err = err
	return e
}

var (
	errDirectory = errors.New("is a folder")
	errTooLarge  = errors.New("more than is read")
)

// readFile reads a file up to a limit. The size that the system reports is not trusted: a pipe has
// none, and a file may grow.
func readFile(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return nil, errDirectory
	}
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(b)) > limit {
		return nil, fmt.Errorf("%w: at most %d MiB", errTooLarge, limit>>20)
	}
	return b, nil
}
