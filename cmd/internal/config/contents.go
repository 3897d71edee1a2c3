package config

import (
	"context"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// SecretContents reads every secret that the configuration refers to, wherever in it, for whoever has to
// keep them out of something. What cannot be read is left out: it cannot leak either.
func (c *Config) SecretContents(ctx context.Context) []string {
	var out []string
	seen := map[string]bool{}
	eachSecret(reflect.ValueOf(c), func(s Secret) {
		if ref := s.Reference(); !seen[ref] {
			seen[ref] = true
			if text, err := s.read(ctx); err == nil {
				out = append(out, strings.TrimRight(text, "\r\n"))
			}
		}
	})
	return out
}

// eachSecret visits the secrets below v. It goes by type, not by name: a key that is added later is
// not forgotten.
func eachSecret(v reflect.Value, visit func(Secret)) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			eachSecret(v.Elem(), visit)
		}
	case reflect.Struct:
		switch s := v.Interface().(type) {
		case Secret:
			if !s.IsZero() {
				visit(s)
			}
			return
		case SecretFile:
			if !s.IsZero() {
				visit(s.secret())
			}
			return
		}
		for f, value := range v.Fields() {
			if f.IsExported() {
				eachSecret(value, visit)
			}
		}
	case reflect.Map:
		for it := v.MapRange(); it.Next(); {
			eachSecret(it.Value(), visit)
		}
	case reflect.Slice:
		for i := range v.Len() {
			eachSecret(v.Index(i), visit)
		}
	}
}

// SecretReferences lists the references to secrets in the words of the file, sorted. They are no secrets.
func (c *Config) SecretReferences() []string {
	seen := map[string]bool{}
	eachSecret(reflect.ValueOf(c), func(s Secret) { seen[s.Reference()] = true })
	return slices.Sorted(maps.Keys(seen))
}
