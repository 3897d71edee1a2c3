package worker

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestWhatHasChangedIsToldOnceItRestsAndNotMoreThanOnceAMinute(t *testing.T) {
	first, half, whole := []stamp{{size: 0}}, []stamp{{size: 3}}, []stamp{{size: 6}}
	for name, tc := range map[string]struct {
		looks [][]stamp // one each 15 s; the last one stays
		want  []int     // looks at which it was told
	}{
		"nothing":               {[][]stamp{first}, nil},
		"at once":               {[][]stamp{first, whole}, []int{2}},
		"in two parts":          {[][]stamp{half, whole}, []int{2}},
		"in two parts, slowly":  {[][]stamp{half, half, whole}, []int{1, 5}},
		"written all the time":  {[][]stamp{half, half, whole, whole, half, half, whole, whole, half}, []int{1, 5, 9}},
		"away and here again":   {[][]stamp{{{gone: true}}, whole}, []int{2}},
		"as it was once before": {[][]stamp{half, first}, []int{2}},
	} {
		synctest.Test(t, func(t *testing.T) {
			c, told := changes{seen: first}, []int(nil)
			for n := range 20 {
				c.look(tc.looks[min(n, len(tc.looks)-1)], func() { told = append(told, n) })
				<-time.After(15 * time.Second)
			}
			if !slices.Equal(told, tc.want) {
				t.Errorf("%s: told at looks %v, want %v", name, told, tc.want)
			}
		})
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
