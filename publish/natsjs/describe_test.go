package natsjs_test

import (
	"encoding/json"
	"testing"

	"mailflume/publish/natsjs"
)

func TestTheServerDescribesAccountStreamAndWhatIsNotThere(t *testing.T) {
	s := startServer(t, serverOptions{})
	c := s.conn(t)
	for _, tt := range []struct{ stream, has string }{
		{"", "limits"}, {natsjs.DefaultStream, "state"}, {"NOTHING", "error"},
	} {
		b, err := c.Describe(deadline(t), tt.stream)
		var answer map[string]any
		if err != nil || json.Unmarshal(b, &answer) != nil || answer[tt.has] == nil {
			t.Errorf("%q: %v %s", tt.stream, err, b)
		}
	}
	got := natsjs.Streams("MAIL", "default", "a.b")
	if len(got) != 4 || got[0] != "MAIL" || got[1] != "KV_mailflume" || got[2] != "OBJ_mailflume-default" {
		t.Errorf("%q", got)
	}
	s.stop()
	if b, err := c.Describe(deadline(t), ""); err == nil {
		t.Errorf("a server that is gone says %s", b)
	}
}
