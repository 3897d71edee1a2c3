package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestAFileThatCannotBeReadSaysTheNextStep(t *testing.T) {
	dir := t.TempDir()
	locked := filepath.Join(dir, "locked.yaml")
	writeFile(t, locked, "{}", 0o000)
	large := filepath.Join(dir, "large.yaml")
	writeFile(t, large, strings.Repeat("#\n", MaxYAMLSize/2+1), 0o600)
	for path, want := range map[string]string{
		filepath.Join(dir, "mailflume.yaml"): "mailflume init",
		dir:                                  "this is a folder, not a file",
		locked:                               "mailflume may not read this file",
		large:                                "this file is too large",
	} {
		_, err := Load(path)
		if path == locked && os.Geteuid() == 0 {
			continue // root reads everything
		}
		var all Errors
		if !errors.As(err, &all) || !strings.Contains(err.Error(), want) || all[0].Hint == "" {
			t.Errorf("%s: got %v, want %s", path, err, want)
		}
	}
	if _, err := Load(filepath.Join(dir, "mailflume.yaml")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the cause is lost: %v", err)
	}
}

const valid = "credentials: {c: {type: password, password: env:P}}\ndefaults: {host: mail.example.com}\nmailboxes: [{address: a@example.com}]\n"

func TestTextInOtherFormsIsReadOrExplained(t *testing.T) {
	utf16 := []byte{0xff, 0xfe}
	for _, b := range []byte(valid) {
		utf16 = append(utf16, b, 0)
	}
	for _, tt := range []struct{ name, text, want string }{
		{"byte order mark", "\ufeff" + valid, ""},
		{"CRLF", strings.ReplaceAll(valid, "\n", "\r\n"), ""},
		{"no last line end", strings.TrimSpace(valid), ""},
		{"document marks", "---\n" + valid + "...\n", ""},
		{"comments", "# a\n" + valid + "# b\n", ""},
		{"UTF-16", string(utf16), "this file is UTF-16"},
		{"Latin-1", "# caf\xe9\n" + valid, "mailflume.yaml:1:6: the byte 0xe9 is not text"},
		{"NUL", valid + "\x00", ":4:1: the byte 0x00 is not text"},
		{"nothing", "", "the file is empty"},
		{"spaces", " \n\n", "the file is empty"},
		{"null", "~\n", "the file is empty"},
		{"a word", "hello\n", "keys with values are wanted here"},
		{"escape codes", "a\x1b[31m: 1\n", "unknown key"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Parse("mailflume.yaml", []byte(tt.text))
			if tt.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.ContainsAny(err.Error(), "\x1b\x00\r") || !utf8.ValidString(err.Error()) {
				t.Errorf("got %q, want %s", err, tt.want)
			}
		})
	}
}

func TestTheCaretStandsUnderThePlaceInLongAndForeignLines(t *testing.T) {
	gap := strings.Repeat(" ", 500)
	for _, tt := range []struct{ text, before, under string }{
		{"log: {level: ünïcode}", "log: {level: ", "ünïcode}"},
		{"http: {listen: 'ünï:1'}\nlog: {level: 1}", "log: {level: ", "1}"},
		{"log: {format: 'json', level: \"日本語\"}", "log: {format: 'json', level: ", "\"日本語\"}"},
		{"log: {level:\tverbose}", "log: {level: ", "verbose}"},
		{"log:\r\n  format: json\r\n  level: verbose\r\n", "  level: ", "verbose"},
		{"\ufefflog: {level: verbose}", "log: {level: ", "verbose}"},
		{"{" + gap + "bogus: 1" + gap + "}", "..." + gap[:50], "bogus: ***" + gap[:37] + "..."},
	} {
		_, err := Parse("mailflume.yaml", []byte(tt.text))
		var all Errors
		if !errors.As(err, &all) || !all[0].at.known() {
			t.Fatalf("%q: %v", tt.text, err)
		}
		top, bottom, _ := strings.Cut(all[0].Snippet, "\n")
		_, top, _ = strings.Cut(top, " | ")
		_, bottom, _ = strings.Cut(bottom, " | ")
		if top != tt.before+tt.under || len([]rune(bottom)) != len([]rune(tt.before))+1 {
			t.Errorf("%q: got\n%s\n%s", tt.text, top, bottom)
		}
	}
}

// TestWhatAliasesExpandToIsBounded: each line doubles the work of the one before.
func TestWhatAliasesExpandToIsBounded(t *testing.T) {
	var b strings.Builder
	b.WriteString("mailboxes:\n  - &m0 {address: a@example.com}\n")
	for i := 1; i < 60; i++ {
		fmt.Fprintf(&b, "  - &m%d {<<: [*m%d, *m%d]}\n", i, i-1, i-1)
	}
	for name, text := range map[string]string{
		"doubling merges": b.String(),
		"cycle":           "mailboxes: &a [*a]\n",
		"cycle of merges": "defaults: &a {<<: [*a, *a, *a, *a]}\n",
		"cycle in a list": "defaults: {folders: &f [*f]}\n",
		"deep flow":       "a: " + strings.Repeat("[", 1e4),
		"deep block":      strings.Repeat("- ", 1e4),
		"deep keys":       strings.Repeat("? ", 1e4),
		"deep maps":       strings.Repeat("{a: ", 1e4),
		"tags":            strings.Repeat("!a ", 1e4),
		"anchors":         strings.Repeat("&a ", 1e4),
		"indentation":     indented(500),
	} {
		t.Run(name, func(t *testing.T) {
			begin := time.Now()
			if _, err := Parse("mailflume.yaml", []byte(text)); err == nil {
				t.Error("accepted")
			}
			if took := time.Since(begin); took > 20*time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
}

func indented(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	return b.String()
}

func TestThousandsOfErrorsCostNoMoreThanTheFirst(t *testing.T) {
	text := "mailboxes:\n" + strings.Repeat("  - {addr: x, bogus: [1, 2], port: y}\n", 3000)
	_, err := Parse("mailflume.yaml", []byte(text))
	var all Errors
	if !errors.As(err, &all) || len(all) != maxReported+1 {
		t.Errorf("got %d errors", len(all))
	}
}

func TestCSVTablesOfEveryKindAreRead(t *testing.T) {
	const main = "credentials: {c: {type: password, password: env:P}}\ndefaults: {host: mail.example.com}\nmailboxes_from: [m.csv]\n"
	for _, tt := range []struct{ name, table, want, problem string }{
		{"commas", "address,port\na@example.com,993\nb@example.com,\n", "a-example.com:993 b-example.com:993", ""},
		{"semicolons and a mark", "\ufeffaddress;port;folders\r\na@example.com;1993;\"INBOX;Sent\"\r\n", "a-example.com:1993", ""},
		{"tabs", "address\tport\na@example.com\t1993\n", "a-example.com:1993", ""},
		{"one column", "address\na@example.com\n\n# retired@example.com\nb@example.com\n", "a-example.com:993 b-example.com:993", ""},
		{"quotes", "address,labels.note\na@example.com,\"x, \"\"y\"\"\"\n", "a-example.com:993", ""},
		{"empty rows", "address,id\n,\na@example.com,a\n", "a:993", ""},
		{"idle", "address,idle\na@example.com,maybe\n", "", "m.csv:2:15: \"maybe\" is neither true nor false"},
		{"secret column", "address,password\na@example.com," + canary + "\n", "", "m.csv:1:9: unknown key \"password\""},
		{"other alphabets", "address,labels.ä,idle\na@example.com,日本,maybe\n", "", "m.csv:2:18: \"maybe\""},
		{"twice", "address,port,port\na@example.com,1,2\n", "", "m.csv:1:14: the key \"port\" stands here twice"},
		{"quote", "address\n\"a@example.com\n", "", "this is not CSV"},
		{"deep", "address,after.action.x\na@example.com,none\n", "", "unknown key \"action.x\""},
		{"not a section", "address,port.x\na@example.com,1\n", "", "m.csv:1:9: a single value is wanted here"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			writeFile(t, filepath.Join(dir, "m.csv"), tt.table, 0o600)
			c, err := Parse(filepath.Join(dir, "mailflume.yaml"), []byte(main))
			if tt.problem != "" {
				if err == nil || !strings.Contains(err.Error(), tt.problem) || strings.Contains(err.Error(), canary) {
					t.Errorf("got %v, want %s", err, tt.problem)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, m := range c.Mailboxes {
				got = append(got, fmt.Sprintf("%s:%d", m.ID, m.Port))
			}
			if strings.Join(got, " ") != tt.want {
				t.Errorf("got %v, want %s", got, tt.want)
			}
		})
	}
}

// TestALargeFleetLoadsFromCSV: what a table of 5,000 mailboxes costs is printed with -v.
func TestALargeFleetLoadsFromCSV(t *testing.T) {
	dir := t.TempDir()
	var b strings.Builder
	b.WriteString("id,address,poll_every,labels.queue\n")
	for i := range 5000 {
		fmt.Fprintf(&b, "box%d,box%d@example.com,%ds,q\n", i, i, i%50+10)
	}
	writeFile(t, filepath.Join(dir, "m.csv"), b.String(), 0o600)
	begin := time.Now()
	c, err := Parse(filepath.Join(dir, "mailflume.yaml"), []byte("credentials: {c: {type: password, password: env:P}}\ndefaults: {host: mail.example.com}\nmailboxes_from: [m.csv]\n"))
	took := time.Since(begin)
	if err != nil || len(c.Mailboxes) != 5000 {
		t.Fatal(err)
	}
	runtime.GC()
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	t.Logf("5,000 mailboxes in %v, heap afterwards %d MiB", took, mem.HeapAlloc>>20)
	runtime.KeepAlive(c)
}

func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"*.yaml", "mailboxes.d/*"} {
		files, err := filepath.Glob(filepath.Join(samples, pattern))
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		// The same octets are the file, and a table and a list that it includes.
		from := files{
			glob: func(p string) ([]string, error) { return []string{p + ".csv", p + ".yaml"}, nil },
			read: func(string, int64) ([]byte, error) { return text, nil },
		}
		c, err := parse("mailflume.yaml", text, from)
		if (c == nil) == (err == nil) {
			t.Fatalf("config %v with error %v", c, err)
		}
		if err == nil {
			for _, m := range c.Mailboxes {
				if m.ID == "" || m.Host == "" || m.Credential == nil || m.Port == 0 {
					t.Fatalf("not resolved: %+v", m)
				}
			}
			return
		}
		var all Errors
		if !errors.As(err, &all) || len(all) == 0 || len(all) > maxReported+1 {
			t.Fatalf("got %T %v", err, err)
		}
		for _, e := range all {
			if !utf8.ValidString(e.Error()) || strings.ContainsAny(e.Snippet, "\x1b\x00") {
				t.Fatalf("not printable: %q", e.Error())
			}
		}
	})
}

func TestAnActionWithTwoColonsIsToldToUseQuotes(t *testing.T) {
	_, err := Parse("mailflume.yaml", []byte("defaults:\n  after:\n    action: move: Done\n"))
	if err == nil || !strings.Contains(err.Error(), `mailflume.yaml:3:13: this is not YAML`) || !strings.Contains(err.Error(), `"move: Done"`) {
		t.Errorf("got %v", err)
	}
}
