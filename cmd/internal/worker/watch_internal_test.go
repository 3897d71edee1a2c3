package worker

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestWhatHasChangedIsToldOnceItRestsAndUntilItIsHeard(t *testing.T) {
	half, whole, first := []stamp{{size: 3}}, []stamp{{size: 6}}, []stamp{{size: 0}}
	for name, tc := range map[string]struct {
		looks [][]stamp
		heard []bool // of those that were told
		want  []int  // looks at which it was told
	}{
		"nothing":               {[][]stamp{first, first, first}, nil, nil},
		"at once":               {[][]stamp{first, whole, whole, whole}, []bool{true}, []int{2}},
		"in two parts":          {[][]stamp{half, whole, whole, whole}, []bool{true}, []int{2}},
		"in two parts, slowly":  {[][]stamp{half, half, whole, whole, whole}, []bool{true, true}, []int{1, 3}},
		"not heard twice":       {[][]stamp{whole, whole, whole, whole, whole}, []bool{false, false, true}, []int{1, 2, 3}},
		"away and here again":   {[][]stamp{{{gone: true}}, whole, whole}, []bool{true}, []int{2}},
		"as it was once before": {[][]stamp{half, first, first}, []bool{true}, []int{2}},
	} {
		c, told := changes{seen: first}, []int(nil)
		for n, now := range tc.looks {
			c.look(now, func() bool {
				told = append(told, n)
				return tc.heard[len(told)-1]
			})
		}
		if !slices.Equal(told, tc.want) {
			t.Errorf("%s: told at looks %v, want %v", name, told, tc.want)
		}
	}
}

// TestASecretOfKubernetesChangesWithItsLink: kubelet writes a new folder and turns the link ..data to it.
func TestASecretOfKubernetesChangesWithItsLink(t *testing.T) {
	dir := t.TempDir()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, version := range []string{"..1", "..2"} {
		must(os.Mkdir(filepath.Join(dir, version), 0o700))
		must(os.WriteFile(filepath.Join(dir, version, "secret"), []byte("same size "+version), 0o600))
		must(os.Chtimes(filepath.Join(dir, version, "secret"), time.Unix(1e9, 0), time.Unix(1e9, 0)))
	}
	must(os.Symlink("..1", filepath.Join(dir, "..data")))
	must(os.Symlink("..data/secret", filepath.Join(dir, "secret")))
	file := []string{filepath.Join(dir, "secret")}
	before := stamps(file)
	must(os.Symlink("..2", filepath.Join(dir, "..data_tmp")))
	must(os.Rename(filepath.Join(dir, "..data_tmp"), filepath.Join(dir, "..data")))
	if same(before, stamps(file)) {
		t.Error("another file of the same size and time is taken for the old one")
	}
}

func TestSourcesHearOfARereadOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, heard := newBuilder(nil), 0
		for range 121 {
			if b.reread() {
				heard++
			}
			<-time.After(time.Second)
		}
		if heard != 3 {
			t.Errorf("heard %d times in two minutes", heard)
		}
	})
}
