package wholefile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestAFileIsReplacedOrCreatedAndNothingElseIsLeft(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	holds := func(want string) {
		t.Helper()
		text, err := os.ReadFile(file)
		if err != nil || string(text) != want {
			t.Errorf("it holds %q (%v), want %q", text, err, want)
		}
		info, err := os.Stat(file)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("its mode is %v (%v)", info.Mode(), err)
		}
		if all, err := os.ReadDir(dir); err != nil || len(all) != 1 {
			t.Errorf("the folder has %v (%v)", all, err)
		}
	}
	if err := Create(file, []byte("one")); err != nil {
		t.Fatal(err)
	}
	holds("one")
	if err := Create(file, []byte("two")); !errors.Is(err, fs.ErrExist) {
		t.Errorf("created again: %v, want fs.ErrExist", err)
	}
	holds("one")
	if err := Replace(file, []byte("three")); err != nil {
		t.Fatal(err)
	}
	holds("three")
	if err := Replace(filepath.Join(dir, "none", "file"), nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("in a folder that is not there: %v, want fs.ErrNotExist", err)
	}
}
