package reply

import "testing"

func TestSubjectsOfForwardedMail(t *testing.T) {
	for subject, want := range map[string]bool{
		"Fwd: pump": true, "FW: pump": true, "fw : pump": true, "WG: Pumpe": true, "TR: pompe": true, "İLT: pompa": true, "转发: 泵": true,
		"Re: pump": false, "AW: Pumpe": false, "Re: Fwd: pump": false, "forward": false, "": false, "Forwarding the pump: how?": false,
	} {
		if got := Forwarded(subject); got != want {
			t.Errorf("%q: %v", subject, got)
		}
	}
}
