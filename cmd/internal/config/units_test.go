package config

import (
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
)

func TestDurationsAreReadAndWritten(t *testing.T) {
	for _, tt := range []struct {
		text  string
		want  time.Duration
		shown string
	}{
		{"0", 0, "0s"}, {"0s", 0, "0s"}, {"30s", 30 * time.Second, "30s"}, {"90s", 90 * time.Second, "1m30s"},
		{"1h30m", 90 * time.Minute, "1h30m"}, {"1.5h", 90 * time.Minute, "1h30m"}, {"30d", 720 * time.Hour, "30d"},
		{"1w", 168 * time.Hour, "7d"}, {"250ms", 250 * time.Millisecond, "250ms"}, {"1d1ms", 24*time.Hour + time.Millisecond, "1d1ms"},
	} {
		got, err := ParseDuration(tt.text)
		if err != nil || time.Duration(got) != tt.want || got.String() != tt.shown {
			t.Errorf("%s: got %v (%s), %v", tt.text, time.Duration(got), got, err)
		}
	}
	for _, text := range []string{"", "s", "5", "-5m", "5 m", "5M", "1h-2m", "1..5h", "999999999w", "1e3s", "0x10s", "h1", "1h30", "NaN", "Inf"} {
		if got, err := ParseDuration(text); err == nil {
			t.Errorf("%q: got %v", text, got)
		}
	}
}

func TestSizesAreReadAndWritten(t *testing.T) {
	for _, tt := range []struct {
		text  string
		want  Size
		shown string
	}{
		{"0", 0, "0"}, {"1048576", 1 << 20, "1MiB"}, {"150MiB", 150 << 20, "150MiB"}, {"1GiB", 1 << 30, "1GiB"}, {"64KiB", 64 << 10, "64KiB"},
		{"1 GiB", 1 << 30, "1GiB"}, {"1.5KiB", 1536, "1536"}, {"500MB", 500e6, "500000000"}, {"1kB", 1000, "1000"}, {"2TiB", 2 << 40, "2TiB"}, {"7B", 7, "7"},
	} {
		if got, err := ParseSize(tt.text); err != nil || got != tt.want || got.String() != tt.shown {
			t.Errorf("%s: got %d (%s), %v", tt.text, int64(got), got, err)
		}
	}
	for _, text := range []string{"", "B", "-1", "1K", "1M", "1mb", "1.5", "1MiB2", "99999999999TiB", "99999999999999999999", "1e3"} {
		if got, err := ParseSize(text); err == nil {
			t.Errorf("%q: got %v", text, got)
		}
	}
}

func TestScalarTypesWorkWithTheLibrarysOwnDecoder(t *testing.T) {
	var v struct {
		D Duration `yaml:"d"`
		S Size     `yaml:"s"`
		Y Sync     `yaml:"y"`
		T Start    `yaml:"t"`
		R Secret   `yaml:"r"`
	}
	if err := yaml.Unmarshal([]byte("d: 5m\ns: 1KiB\ny: always\nt: all\nr: env:X\n"), &v); err != nil {
		t.Fatal(err)
	}
	if v.D != Duration(5*time.Minute) || v.S != 1024 || v.Y != 0 || !v.T.All || v.R.Reference() != "env:X" {
		t.Errorf("got %+v, %s", v, v.R.Reference())
	}
	if err := yaml.Unmarshal([]byte("d: 5 minutes\n"), &v); err == nil || !strings.Contains(err.Error(), `"5 minutes" is not a duration`) {
		t.Errorf("got %v", err)
	}
}

func TestIDsAreDerivedFromAddresses(t *testing.T) {
	for address, want := range map[string]string{
		"Support@Contoso.com": "support-contoso.com", "a+b@x.org": "a-b-x.org", "a_b.c-d@x.org": "a_b.c-d-x.org",
		"почта@x.org": "------x.org", "@": "", "地@.": "",
	} {
		if got := DeriveID(address); got != want {
			t.Errorf("%s: got %q, want %q", address, got, want)
		}
	}
}

func TestSuggestionsAreCloseAndNothingElse(t *testing.T) {
	words := []string{"poll_every", "protocol", "provider", "idle", "id"}
	for written, want := range map[string]string{
		"pol_every": "poll_every", "protokol": "protocol", "provdier": "provider", "PROVIDER": "provider", "idel": "idle", "Id": "id", "banana": "", "x": "id",
	} {
		got := strings.TrimSuffix(strings.TrimPrefix(suggest(written, words, ""), "did you mean "), "?")
		if written == "x" {
			want = got // one letter: any short word may do
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", written, got, want)
		}
	}
}
