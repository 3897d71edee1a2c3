package ingest_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mailflume/ingest"
	"mailflume/publish"
	"mailflume/testdata"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestGoldenMail reads every testdata message and compares its event data with the file beside it.
func TestGoldenMail(t *testing.T) {
	names, err := fs.Glob(testdata.Mail(), "*.eml")
	if err != nil || len(names) < 25 {
		t.Fatalf("%d messages, %v", len(names), err)
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			raw, err := fs.ReadFile(testdata.Mail(), name)
			if err != nil {
				t.Fatal(err)
			}
			var data publish.Data
			if err := new(ingest.Composer).Compose(t.Context(), bytes.NewReader(raw), nil, &data); err != nil {
				t.Fatal(err)
			}
			got, err := json.MarshalIndent(&data, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, '\n')
			golden := filepath.Join("..", "testdata", "mail", strings.TrimSuffix(name, ".eml")+".golden.json")
			if *update {
				if err := os.WriteFile(golden, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatalf("%v; run: make golden", err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("differs from %s; if that is meant, run: make golden\n%s", golden, got)
			}
		})
	}
}
