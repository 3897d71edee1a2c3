package worker

import (
	"os"
	"path/filepath"
	"testing"
)

func TestAWorkersNameIsItsOwnAfterARestart(t *testing.T) {
	dir, elsewhere := t.TempDir(), t.TempDir()
	mustIdentify := func(dir, chosen string) identity {
		t.Helper()
		id, err := identify(dir, chosen)
		if err != nil || id.mark == "" {
			t.Fatalf("%+v, %v", id, err)
		}
		t.Cleanup(func() { _ = id.lock.Close() })
		return id
	}
	first, second, other := mustIdentify(dir, ""), mustIdentify(dir, ""), mustIdentify(elsewhere, "")
	if first.name == second.name || first.name == other.name || first.mark == second.mark {
		t.Errorf("%+v, beside it %+v, in another data directory %+v", first, second, other)
	}
	_ = first.lock.Close() // as the kernel does
	if again := mustIdentify(dir, ""); again.name != first.name || again.mark != first.mark {
		t.Errorf("%+v comes back as %+v", first, again)
	}
	chosen := mustIdentify(dir, "mail-1")
	if chosen.name != "mail-1" {
		t.Errorf("%+v", chosen)
	}
	if same, err := identify(dir, "mail-1"); err == nil || same.name != "mail-1" || same.mark != "" {
		t.Errorf("a second one of a name: %+v, %v", same, err)
	}
}

func TestAMarkThatIsCutOffIsDrawnAnew(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "workers"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "workers", "#1"), []byte("ABC"), 0o600); err != nil {
		t.Fatal(err)
	}
	var marks [2]string
	for i := range marks {
		id, err := identify(dir, "")
		if err != nil {
			t.Fatal(err)
		}
		marks[i] = id.mark
		_ = id.lock.Close()
	}
	if marks[0] != marks[1] || len(marks[0]) < 20 {
		t.Errorf("%q", marks)
	}
}

func TestAWorkerWithoutADataDirectoryHasANameAllTheSame(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if id, err := identify(file, ""); err == nil || id.name == "" || id.mark != "" {
		t.Errorf("%+v, %v", id, err)
	}
}
