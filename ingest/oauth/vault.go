package oauth

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"mailflume/ingest"
)

// TokenStore keeps one value for each delegated credential, for all workers. It is safe for concurrent
// use. Values are sealed: whoever can read the store learns nothing from it.
type TokenStore interface {
	// Load returns the newest value and its revision. value is nil if there is none; the revision then
	// is 0, or that of a deletion. It never answers with a value that was replaced before the call.
	Load(ctx context.Context, name string) (value []byte, revision uint64, err error)
	// Save stores a value if revision is still the newest (0: there is none), and returns the new
	// revision. It returns 0 without an error if somebody else has written since.
	Save(ctx context.Context, name string, value []byte, revision uint64) (saved uint64, err error)
}

// TokenKeys read the keys that stored sign-ins are sealed with: 32 random octets, as they are or in
// base64. Both are read anew whenever the store is.
type TokenKeys struct {
	Current  func(ctx context.Context) ([]byte, error)
	Previous func(ctx context.Context) ([]byte, error) // opens what was sealed before the key was changed; nil: there was none
}

// A sealed value is: version (1 octet), key id (8), nonce (12), ciphertext with its tag.
const (
	sealVersion = 1
	sealKey     = 32 // AES-256
	sealIDSize  = 8
	sealHead    = 1 + sealIDSize
	sealNonce   = 12
	maxSealed   = 256 << 10
)

// record is the sign-in of one account.
type record struct {
	Account string    `json:"account,omitempty"` // as the issuer names it
	Signed  time.Time `json:"signed"`            // when somebody last signed in
	Refresh string    `json:"refresh"`
	Access  string    `json:"access,omitempty"`
	Expires time.Time `json:"expires,omitzero"` // of Access
	Claim   string    `json:"claim,omitempty"`  // of the worker that exchanges Refresh at the moment
	Refused time.Time `json:"refused,omitzero"` // when the issuer last refused Refresh
	Why     string    `json:"why,omitempty"`    // in its words
}

// String hides the tokens.
func (record) String() string { return "***" }

// GoString hides the tokens.
func (record) GoString() string { return "***" }

// vault is the place of one record.
type vault struct {
	store TokenStore
	keys  TokenKeys
	name  string // of the credential
	label []byte // what a value is bound to: moved to another name or stream, it does not open
}

func newVault(store TokenStore, keys TokenKeys, name, stream string) *vault {
	return &vault{store: store, keys: keys, name: name, label: fmt.Appendf(nil, "mailflume sign-in %d:%s %d:%s", len(stream), stream, len(name), name)}
}

// load reads the record; the zero record is none. The revision is valid with an error
// of opening, too: a value that cannot be opened may still be replaced.
func (v *vault) load(ctx context.Context) (record, uint64, *ingest.Error) {
	value, revision, err := v.store.Load(ctx, v.name)
	if err != nil {
		return record{}, 0, storeError(err)
	}
	if value == nil {
		return record{}, revision, nil
	}
	keys, e := v.ring(ctx)
	if e != nil {
		return record{}, revision, e
	}
	rec, err := unseal(value, v.label, keys)
	if err != nil {
		return record{}, revision, loginError(ingest.Config, ingest.CodeLoginSealed, "the stored sign-in %s: %w", v.name, err)
	}
	return rec, revision, nil
}

// save stores the record, sealed with the current key. saved is 0 if somebody else wrote meanwhile.
func (v *vault) save(ctx context.Context, rec record, revision uint64) (saved uint64, e *ingest.Error) {
	keys, e := v.ring(ctx)
	if e != nil {
		return 0, e
	}
	value, err := seal(rec, v.label, keys[0])
	if err != nil {
		return 0, loginError(ingest.Config, ingest.CodeLoginKey, "seal the sign-in %s: %w", v.name, err)
	}
	saved, err = v.store.Save(ctx, v.name, value, revision)
	if err != nil {
		return 0, storeError(err)
	}
	return saved, nil
}

// ring reads the keys, the current one first.
func (v *vault) ring(ctx context.Context) ([][]byte, *ingest.Error) {
	var keys [][]byte
	for _, k := range []struct {
		name string
		read func(context.Context) ([]byte, error)
	}{{"token_key", v.keys.Current}, {"token_key_previous", v.keys.Previous}} {
		if k.read == nil {
			continue
		}
		text, err := k.read(ctx)
		if err != nil {
			return nil, loginError(ingest.Config, ingest.CodeLoginKey, "%s: %w", k.name, err)
		}
		key, err := parseTokenKey(text)
		if err != nil {
			return nil, loginError(ingest.Config, ingest.CodeLoginKey, "%s: %w", k.name, err)
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// parseTokenKey reads a key. A passphrase of 32 letters would pass for one, were it not refused.
func parseTokenKey(text []byte) ([]byte, error) {
	if len(text) == sealKey && bytes.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' }) {
		return text, nil
	}
	line := bytes.TrimRight(bytes.TrimSpace(text), "=")
	for _, enc := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		if key, err := enc.AppendDecode(nil, line); err == nil && len(key) == sealKey {
			return key, nil
		}
	}
	return nil, errors.New("it is not 32 random octets, as they are or in base64: make one with openssl rand -base64 32")
}

// sealID tells keys apart without saying anything about them.
func sealID(key []byte) []byte {
	sum := sha256.Sum256(append([]byte("mailflume token key id\x00"), key...))
	return sum[:sealIDSize]
}

func newAEAD(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// seal encrypts a record with AES-256-GCM. Random nonces are safe for 2^32 values under one key (NIST
// SP 800-38D section 8.3), which at two an hour is never reached.
func seal(rec record, label, key []byte) ([]byte, error) {
	aead, err := newAEAD(key)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(rec)
	if err != nil {
		return nil, err
	}
	value := append([]byte{sealVersion}, sealID(key)...)
	bound := append(bytes.Clone(value), label...)
	nonce := make([]byte, sealNonce)
	_, _ = rand.Read(nonce) // never fails
	return aead.Seal(append(value, nonce...), nonce, text, bound), nil
}

// What is wrong with a value that cannot be opened.
var (
	errSealFormat  = errors.New("it is no value that mailflume has written")
	errSealVersion = errors.New("it was written by a newer mailflume")
	errSealKey     = errors.New("it is sealed with a key that is neither token_key nor token_key_previous")
	errSealBroken  = errors.New("it was changed, or moved here from another name or stream")
)

// unseal opens a value with the key that its id names.
func unseal(value, label []byte, keys [][]byte) (record, error) {
	switch {
	case len(value) < sealHead+sealNonce || len(value) > maxSealed || value[0] == 0:
		return record{}, errSealFormat
	case value[0] != sealVersion:
		return record{}, errSealVersion
	}
	for _, key := range keys {
		if !bytes.Equal(sealID(key), value[1:sealHead]) {
			continue
		}
		aead, err := newAEAD(key)
		if err != nil {
			return record{}, err
		}
		bound := append(bytes.Clone(value[:sealHead]), label...)
		text, err := aead.Open(nil, value[sealHead:sealHead+sealNonce], value[sealHead+sealNonce:], bound)
		if err != nil {
			return record{}, errSealBroken
		}
		var rec record
		if json.Unmarshal(text, &rec) != nil {
			return record{}, errSealFormat
		}
		return rec, nil
	}
	return record{}, errSealKey
}

// storeError is a store that does not answer: what its error means is known to the engine.
func storeError(err error) *ingest.Error {
	return &ingest.Error{Fault: ingest.FaultOf(err), Op: "stored sign-in", Err: err}
}

// loginError is a fault of a delegated sign-in. Its text holds no secret.
func loginError(class ingest.Class, code ingest.Code, format string, args ...any) *ingest.Error {
	return &ingest.Error{Fault: ingest.Fault{Class: class, Code: code}, Op: "sign-in", Err: fmt.Errorf(format, args...)}
}
