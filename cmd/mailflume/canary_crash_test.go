//go:build unix

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"mailflume/cmd/internal/config"
	"mailflume/cmd/internal/support"
	"mailflume/ingest"
)

// asPanic, in the environment, names a configuration in the midst of which the test binary panics.
const asPanic = "MAILFLUME_TEST_PANIC"

// crashWithSecrets ends the process by a panic whose value, stack and message have hold of secrets.
func crashWithSecrets(path string) {
	cfg, err := config.Load(path)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	text, err := cfg.Credentials["pw"].Password.Read(context.Background())
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	func(held string, token ingest.Token) {
		panic(errors.Join(fmt.Errorf("%+v %#v", cfg, cfg.Credentials["pw"]), fmt.Errorf("%v %+v %#v %x %d %q %s", token, token, token, token, token, &token, []any{token})))
	}(text, ingest.Token{Value: text})
}

func TestAPanicShowsNoSecretThatItHolds(t *testing.T) {
	var a aviary
	dir := t.TempDir()
	for name, text := range map[string]string{
		"password":       a.plant("password", canarySecret("panic")),
		"mailflume.yaml": "credentials: {pw: {type: password, password: \"file:password\"}}\nmailboxes: [{address: a@example.com, provider: generic, host: mail.example.com}]\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), asPanic+"="+filepath.Join(dir, "mailflume.yaml"), "GOTRACEBACK=all")
	out, err := cmd.CombinedOutput()
	if err == nil || !bytes.Contains(out, []byte("crashWithSecrets")) {
		t.Fatalf("%v: %s", err, out)
	}
	a.clean(t, "panic", string(out))
}

func TestTheWorkerRemembersItsLogWhateverItPrints(t *testing.T) {
	var shown bytes.Buffer
	tail := support.NewTail(1 << 10)
	for _, format := range []string{"json", "console"} {
		log := newLogger(&shown, config.Log{Level: "warn", Format: format}, tail)
		log.Debug().Str("mailbox", format).Msg("small")
		log.WithLevel(zerolog.WarnLevel).Str("mailbox", format).Msg("large")
		if got := string(tail.Bytes()); !strings.Contains(got, `"level":"debug","mailbox":"`+format) || !strings.Contains(got, `"level":"warn","mailbox":"`+format) {
			t.Errorf("it remembers %s", got)
		}
	}
	if strings.Contains(shown.String(), "small") || strings.Count(shown.String(), "large") != 2 {
		t.Errorf("it prints %s", shown.String())
	}
}
