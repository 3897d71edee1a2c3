package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTheRestOfABrokenConfigurationSaysHowToReachWorkers(t *testing.T) {
	for name, c := range map[string]struct {
		text, url, listen string
		bad               bool
	}{
		"nothing but an unfinished list":   {"mailboxes:\n  - {id: x, \n", "", "127.0.0.1:8025", false},
		"sections before and behind":       {"credentials: [\nnats:\n  # ours\n  url: nats://a:4222\n\n  stream: {name: M}\nmailboxes: }\nhttp: {listen: \"off\"}\n", "nats://a:4222", "off", false},
		"keys in quotes, lines of Windows": {"mailboxes: }\r\n\"nats\": {url: nats://a:4222}\r\n'http' : {listen: ':9'}\r\n", "nats://a:4222", ":9", false},
		"a broken nats section":            {"nats: {url: [}\nmailboxes: []\n", "", "", true},
		"a wrong key in it":                {"nats: {urll: x}\n", "", "", true},
		"JSON":                             {"{\"nats\": {\"url\": \"nats://a:4222\"},\n \"mailboxes\": [}\n", "", "", true},
		"an alias of another section":      {"x: &u nats://a:4222\nnats: {url: *u}\n", "", "", true},
		"nothing":                          {"", "", "127.0.0.1:8025", false},
	} {
		path := filepath.Join(t.TempDir(), "mailflume.yaml")
		if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		cfg, err := LoadRest(path)
		if (err != nil) != c.bad {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err == nil && (cfg.NATS.URL != c.url || cfg.HTTP.Listen != c.listen || !cfg.Partial || len(cfg.Mailboxes) > 0) {
			t.Errorf("%s: %+v %+v", name, cfg.NATS, cfg.HTTP)
		}
	}
}

func FuzzReachable(f *testing.F) {
	f.Add([]byte("nats: {url: x}\nmailboxes: }\n"))
	f.Add([]byte("\"nats\" :\r\n  x\r\n\tnats:\r\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		out := string(reachable(text))
		if !strings.HasPrefix(out, "nats: {}") && strings.Count(out, "\n") != strings.Count(string(text), "\n") {
			t.Errorf("lines moved: %q becomes %q", text, out)
		}
	})
}
