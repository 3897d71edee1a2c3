package oauth

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"mailflume/ingest"
)

func TestAStoredSignInOpensWithItsKeyAndInItsPlaceOnly(t *testing.T) {
	key, other := newKey(t), newKey(t)
	rec := record{Account: "a@b", Refresh: canary, Signed: time.Now().UTC().Round(time.Second)}
	label := newVault(nil, TokenKeys{}, "sales", "MAIL").label
	value, err := seal(rec, label, key)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := unseal(value, label, [][]byte{other, key}); err != nil || !reflect.DeepEqual(got, rec) {
		t.Fatalf("unseal = %+v, %v", got, err)
	}
	for _, c := range []struct {
		name  string
		value []byte
		label []byte
		key   []byte
		want  error
	}{
		{"another key", value, label, other, errSealKey},
		{"another name", value, newVault(nil, TokenKeys{}, "sale", "MAIL").label, key, errSealBroken},
		{"another stream", value, newVault(nil, TokenKeys{}, "sales", "MAIL2").label, key, errSealBroken},
		{"a changed octet", append(bytes.Clone(value[:len(value)-1]), value[len(value)-1]^1), label, key, errSealBroken},
		{"cut", value[:len(value)-1], label, key, errSealBroken},
		{"a stub", value[:20], label, key, errSealFormat},
		{"a newer version", append([]byte{2}, value[1:]...), label, key, errSealVersion},
		{"something else", []byte(`{"refresh":"token","and":"so on"}`), label, key, errSealVersion},
		{"nothing", nil, label, key, errSealFormat},
	} {
		if _, err := unseal(c.value, c.label, [][]byte{c.key}); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
	if newVault(nil, TokenKeys{}, "b", "a 1").label == nil || bytes.Equal(newVault(nil, TokenKeys{}, "1:b", "a").label, newVault(nil, TokenKeys{}, "b", "a 3:1:").label) {
		t.Error("two places have the same label")
	}
}

func TestAKeyIs32OctetsAsTheyAreOrInBase64(t *testing.T) {
	key := newKey(t)
	for _, good := range []string{
		string(key), base64.StdEncoding.EncodeToString(key) + "\n", base64.RawURLEncoding.EncodeToString(key), "  " + base64.URLEncoding.EncodeToString(key) + "\r\n",
	} {
		if got, err := parseTokenKey([]byte(good)); err != nil || !bytes.Equal(got, key) {
			t.Errorf("%q is refused: %v", good, err)
		}
	}
	for _, bad := range []string{"", "correct horse battery staple 1234", strings.Repeat("a", 32), base64.StdEncoding.EncodeToString(key[:16]), string(key[:31]), "-----BEGIN PRIVATE KEY-----"} {
		if _, err := parseTokenKey([]byte(bad)); err == nil || bad != "" && strings.Contains(err.Error(), bad) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestAKeyIsRotatedWithTwoKeys(t *testing.T) {
	p := startPerson(t, ada())
	if _, _, err := p.browser(t); err != nil {
		t.Fatal(err)
	}
	old, fresh := p.opt.Keys.Current, newKey(t)
	p.opt.Keys = TokenKeys{Current: keyOf(fresh)}
	_, err := p.source(t).Token(t.Context(), "")
	wantFault(t, err, ingest.Config, ingest.CodeLoginSealed)

	p.opt.Keys.Previous = old
	s := p.source(t)
	mustToken(t, s)
	p.clock.pass(time.Hour)
	mustToken(t, s) // stores the new refresh token under the new key

	p.opt.Keys.Previous = nil
	mustToken(t, p.source(t))
}

func TestAKeyThatCannotBeReadIsToldAndHealsByItself(t *testing.T) {
	p := startPerson(t, ada())
	if _, _, err := p.browser(t); err != nil {
		t.Fatal(err)
	}
	good := p.opt.Keys.Current
	lost := &ingest.Error{Fault: ingest.Fault{Class: ingest.Config, Code: ingest.CodeSecretMissing}, Err: errors.New("no such file")}
	var err error = lost
	p.opt.Keys.Current = func(ctx context.Context) ([]byte, error) {
		key, _ := good(ctx)
		return key, err
	}
	s := p.source(t)
	_, got := s.Token(t.Context(), "")
	wantFault(t, got, ingest.Config, ingest.CodeLoginKey)
	if !strings.Contains(got.Error(), "token_key: ") || !strings.Contains(got.Error(), "no such file") {
		t.Errorf("error = %v", got)
	}
	err = nil
	p.clock.pass(10 * time.Minute)
	mustToken(t, s)
}

func FuzzUnseal(f *testing.F) {
	key, label := bytes.Repeat([]byte{0xaa}, sealKey), []byte("label")
	want := record{Refresh: "r", Access: "a"}
	value, err := seal(want, label, key)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(value)
	f.Add(value[:sealHead+sealNonce])
	f.Add([]byte{sealVersion})
	f.Fuzz(func(t *testing.T, b []byte) {
		rec, err := unseal(b, label, [][]byte{bytes.Repeat([]byte{0xbb}, sealKey), key})
		switch {
		case err == nil && rec != want: // each of the fuzzer's processes has sealed it anew
			t.Errorf("a value that nobody sealed opens: %x", b)
		case err != nil && rec != (record{}):
			t.Error("a value that does not open gives a record")
		}
	})
}
