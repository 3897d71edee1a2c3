package config

import (
	"bytes"
	"regexp"
)

// LoadRest reads of a configuration that Load refuses what says where NATS and the workers are: a file is edited
// while they run, and whoever wants to look at them or pause a mailbox needs no more. All else has its default,
// and no mailbox is known. Its error is an Errors.
func LoadRest(path string) (*Config, error) {
	disk := diskFiles()
	text, err := disk.read(path, MaxYAMLSize)
	if err != nil {
		return nil, Errors{unreadable(place{src: &source{name: path}}, err)}
	}
	l := newLoader(path, disk)
	l.cfg.Partial = true
	return l.load(path, reachable(text))
}

// reachable blanks out the sections that do not say how to reach anybody. Lines keep their numbers.
func reachable(text []byte) []byte {
	key := regexp.MustCompile(`^["']?([a-z_]+)["']?[ \t]*:`)
	lines := bytes.Split(text, []byte("\n"))
	keep := false
	for i, line := range lines {
		if len(line) > 0 && !bytes.ContainsRune([]byte(" \t\r#"), rune(line[0])) {
			found := key.FindSubmatch(line)
			keep = found == nil && i == 0 || found != nil && (string(found[1]) == "nats" || string(found[1]) == "http")
		}
		if !keep {
			lines[i] = nil
		}
	}
	if text = bytes.Join(lines, []byte("\n")); len(bytes.TrimSpace(text)) == 0 {
		return []byte("nats: {}") // NATS inside mailflume, in the usual folder
	}
	return text
}
