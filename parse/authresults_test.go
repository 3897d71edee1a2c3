package parse

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"
)

// authLines shows results one a line: instance id method=result "reason" properties.
func authLines(results []AuthResult) string {
	var b strings.Builder
	for _, r := range results {
		fmt.Fprintf(&b, "%d %s %s=%s %q", r.ARC, r.AuthservID, r.Method, r.Result, r.Reason)
		for _, line := range strings.Split(strings.TrimSuffix(strings.TrimPrefix(fmt.Sprint(r.Properties), "map["), "]"), " ") {
			b.WriteString(" " + line)
		}
		b.WriteString("\n")
	}
	return strings.ReplaceAll(b.String(), " \n", "\n")
}

func TestAuthResults(t *testing.T) {
	cases := []struct{ name, value, want string }{
		{"nothing was checked", "mx.example.org 1; none", ""},
		{"only an id", "mx.example.org", ""},
		{"one result", "mx.example.org; spf=pass smtp.mailfrom=example.net", `0 mx.example.org spf=pass "" smtp.mailfrom:example.net` + "\n"},
		{"version of the field and of the method", "mx.example.org 1; dkim/1 = PASS header.d = a.b", `0 mx.example.org dkim=pass "" header.d:a.b` + "\n"},
		{"version apart", "mx.example.org; dkim / 1 = pass", `0 mx.example.org dkim=pass ""` + "\n"},
		{"id in quotes", `"mx (1)"; spf=none`, `0 mx (1) spf=none ""` + "\n"},
		{"reason", `a; dkim=fail reason="bad; (very) \"bad\"" header.i=@b.c`, `0 a dkim=fail "bad; (very) \"bad\"" header.i:@b.c` + "\n"},
		{"comments everywhere", "(a (b)) a (c) 1 (d); (e) spf (f) = (g) fail (h; i=pass) reason (j) = (k) x (l) smtp.mailfrom = (m) b.c (n)",
			`0 a spf=fail "x" smtp.mailfrom:b.c` + "\n"},
		{"several", "a; spf=pass; dkim=pass header.d=b.c; dkim=fail header.d=d.e", "0 a spf=pass \"\"\n0 a dkim=pass \"\" header.d:b.c\n0 a dkim=fail \"\" header.d:d.e\n"},
		{"names in capitals", "a; SPF=Pass SMTP.MailFrom=B@c.d", `0 a spf=pass "" smtp.mailfrom:B@c.d` + "\n"},
		{"quoted local part", `a; spf=pass smtp.mailfrom="b c"@d.e`, `0 a spf=pass "" smtp.mailfrom:b c@d.e` + "\n"},
		{"empty values", `a; spf=pass smtp.mailfrom="" smtp.helo=`, `0 a spf=pass "" smtp.helo: smtp.mailfrom:` + "\n"},
		{"signature with equals signs", "a; dkim=pass header.b=b/V+c==", `0 a dkim=pass "" header.b:b/V+c==` + "\n"},
		{"property twice", "a; dkim=pass header.d=b header.d=c", `0 a dkim=pass "" header.d:b` + "\n"},
		{"end in the middle", "a; dkim=", ""},
		{"result that is none", "a; from=b.c; =; dkim; ;;; spf==pass; spf=pass", `0 a spf=pass ""` + "\n"},
		{"comment that is never closed", "a; spf=pass (of b(c; dkim=fail header.d=d", "0 a spf=pass \"\"\n0 a dkim=fail \"\" header.d:d\n"},
		{"comment that is closed too often", "a; spf=pass (b)) smtp.mailfrom=c; dkim=fail", "0 a spf=pass \"\" smtp.mailfrom:c\n0 a dkim=fail \"\"\n"},
		{"quote that is never closed", `a; spf=fail reason="b c; dkim=pass`, "0 a spf=fail \"\\\"b\"\n0 a dkim=pass \"\"\n"},
		{"Google", "mx.google.com;\n       dkim=pass header.i=@a.b header.s=s1 header.b=\"oV/NU\";\n       arc=pass (i=1);\n" +
			"       spf=pass (google.com: domain of c@a.b designates 192.0.2.1 as permitted sender) smtp.mailfrom=c@a.b;\n       dmarc=pass (p=NONE sp=QUARANTINE dis=NONE) header.from=a.b",
			"0 mx.google.com dkim=pass \"\" header.b:oV/NU header.i:@a.b header.s:s1\n0 mx.google.com arc=pass \"\"\n" +
				"0 mx.google.com spf=pass \"\" smtp.mailfrom:c@a.b\n0 mx.google.com dmarc=pass \"\" header.from:a.b\n"},
		{"Exchange Online", "spf=pass (sender IP is 192.0.2.1)\n smtp.mailfrom=a.b; c.d; dkim=none (message not signed)\n header.d=none;c.d; dmarc=bestguesspass action=none\n header.from=a.b;compauth=pass reason=100",
			"0  spf=pass \"\" smtp.mailfrom:a.b\n0  dkim=none \"\" header.d:none\n0  dmarc=bestguesspass \"\" action:none header.from:a.b\n0  compauth=pass \"100\"\n"},
		{"Yahoo of old", "mta1.mail.yahoo.com  from=a.b; domainkeys=neutral (no sig);  from=a.b; dkim=pass (ok)",
			"0 mta1.mail.yahoo.com domainkeys=neutral \"\"\n0 mta1.mail.yahoo.com dkim=pass \"\"\n"},
		{"property before its result", "a.b header.from=c@d; sender-id=pass", `0 a.b sender-id=pass ""` + "\n"},
		{"semicolons forgotten", "a.b spf=pass smtp.mailfrom=c dkim=fail header.d=d", "0 a.b spf=pass \"\" smtp.mailfrom:c\n0 a.b dkim=fail \"\" header.d:d\n"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := authLines(AuthResults(headerOf(t, "Authentication-Results: "+c.value))); got != c.want {
				t.Errorf("got\n%swant\n%s", got, c.want)
			}
		})
	}
}

func TestAuthResultsOfChains(t *testing.T) {
	cases := []struct{ name, fields, want string }{
		{"in the order of the fields", "ARC-Seal: i=2; a=rsa-sha256; t=1; cv=pass;\n d=a.b; s=s1; b=x\n y==\nARC-Authentication-Results: i=2; a.b 1; arc=pass (i=1); spf=none\n" +
			"Authentication-Results: a.b; dkim=pass\nARC-Seal: a=rsa-sha256; b=xyz; cv=None; d=c.d; i=1; s=s2\nARC-Authentication-Results: i=1; c.d; none",
			"2  arc=pass \"\" header.d:a.b header.s:s1\n2 a.b arc=pass \"\"\n2 a.b spf=none \"\"\n0 a.b dkim=pass \"\"\n1  arc=none \"\" header.d:c.d header.s:s2\n"},
		{"without instance", "ARC-Authentication-Results: a.b; dkim=pass\nARC-Seal: cv=pass; d=a.b", ""},
		{"instances that cannot be", "ARC-Authentication-Results: i=0; a.b; dkim=pass\nARC-Authentication-Results: i=51; a.b; dkim=pass\nARC-Seal: i=-1; cv=pass", ""},
		{"instance and nothing else", "ARC-Authentication-Results: i=1\nARC-Seal: i=1; cv=", ""},
		{"instance with a comment", "ARC-Authentication-Results: i (x) = 1 (y); a.b; dkim=pass", "1 a.b dkim=pass \"\"\n"},
		{"other fields", "X-Original-Authentication-Results: a.b; dkim=pass\nAuthentication-Results-Original: a.b; dkim=pass\nARC-Message-Signature: i=1; cv=pass", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := authLines(AuthResults(headerOf(t, c.fields))); got != c.want {
				t.Errorf("got\n%swant\n%s", got, c.want)
			}
		})
	}
}

func TestAuthResultsAreFewAndTheFirst(t *testing.T) {
	var fields strings.Builder
	for i := range 300 {
		fmt.Fprintf(&fields, "Authentication-Results: mx%d; spf=pass; dkim=pass; dmarc=pass\n", i)
	}
	got := AuthResults(headerOf(t, fields.String()))
	if len(got) != maxAuthResults || got[0].AuthservID != "mx0" || got[99].AuthservID != "mx33" {
		t.Errorf("got %d results, the last of %s", len(got), got[len(got)-1].AuthservID)
	}
	long := strings.Repeat("x", maxAuthValue+1)
	got = AuthResults(headerOf(t, "Authentication-Results: "+long+"; dkim=pass header.d="+long+" header.s=a reason="+long+"; "+long+"=pass"))
	if want := "0  dkim=pass \"\" header.s:a\n"; authLines(got) != want {
		t.Errorf("got %s", authLines(got))
	}
}

func TestAuthResultsTakeTimeInProportion(t *testing.T) {
	for _, piece := range []string{"(", "((a)", `"`, `a="`, ";", "=", "a=b ", "a.b=c ", "/", `\(`, "dkim=pass ", "i=1;"} {
		value := strings.Repeat(piece, (200<<10)/len(piece))
		if got := AuthResults(headerOf(t, "Authentication-Results: a; "+value+"\nARC-Seal: "+value+"\nARC-Authentication-Results: i=1;"+value)); len(got) > maxAuthResults {
			t.Errorf("%q: %d results", piece, len(got))
		}
	}
}

// FuzzAuthResults: whatever is sent gives few results, and each has the right form.
func FuzzAuthResults(f *testing.F) {
	for _, s := range []string{"mx.example.org 1; dkim/1=pass reason=\"a b\" header.d=a.b (c); none", "spf=pass (x smtp.mailfrom=a;b; compauth=pass reason=100", "i=1; a; arc=none", "i=2; cv=pass; d=a"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, name := range []string{"Authentication-Results", "ARC-Authentication-Results", "ARC-Seal"} {
			got := AuthResults(fuzzHeader(name, s))
			if len(got) > maxAuthResults {
				t.Errorf("%d results", len(got))
			}
			for _, r := range got {
				if !isAuthKeyword(r.Method) || !isAuthKeyword(r.Result) || (r.ARC == 0) != (name == "Authentication-Results") || r.ARC > maxARCInstance {
					t.Errorf("%s: %+v", name, r)
				}
				wantAuthText(t, r.AuthservID)
				wantAuthText(t, r.Reason)
				if len(r.Properties) > maxAuthProperties {
					t.Errorf("%d properties", len(r.Properties))
				}
				for k, v := range r.Properties {
					wantAuthText(t, v)
					if k == "" || k != strings.ToLower(k) || len(k) > maxAuthKeyword {
						t.Errorf("property %q", k)
					}
				}
			}
		}
	})
}

// wantAuthText fails unless s is short UTF-8 without control characters.
func wantAuthText(t *testing.T, s string) {
	t.Helper()
	if len(s) > maxAuthValue || !utf8.ValidString(s) || strings.IndexFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }) >= 0 {
		t.Errorf("%q", s)
	}
}
