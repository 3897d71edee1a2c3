package publish_test

import (
	"strings"
	"testing"

	"mailflume/publish"
)

func TestAContentIsReadAsItWasWritten(t *testing.T) {
	sum := strings.Repeat("0123456789abcdef", 4)
	c := publish.ContentOf(&publish.Data{Raw: &publish.Stored{SHA256: sum, Size: 1234}})
	if c.String() != "1234-"+sum[:32] {
		t.Errorf("String() = %s", c)
	}
	if back, ok := publish.ParseContent(c.String()); !ok || back != c {
		t.Errorf("ParseContent(%s) = %v, %t", c, back, ok)
	}
	for _, d := range []*publish.Data{nil, {}, {Raw: &publish.Stored{Size: 3}}, {Raw: &publish.Stored{SHA256: strings.Repeat("x", 64), Size: 3}}} {
		if c := publish.ContentOf(d); c != (publish.Content{}) {
			t.Errorf("ContentOf(%+v) = %v", d, c)
		}
	}
}

func FuzzParseContent(f *testing.F) {
	f.Add("1234-" + strings.Repeat("0f", 16))
	f.Add("-1-")
	f.Fuzz(func(t *testing.T, s string) {
		if c, ok := publish.ParseContent(s); ok && (c.String() != s || c.Size < 0) {
			t.Errorf("%q reads as %s", s, c)
		}
	})
}
