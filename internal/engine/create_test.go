package engine

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestAStackIsMadeInAFileAsTheCLIBeginsIt(t *testing.T) {
	dir := t.TempDir()
	b := &fileBackend{dir: dir, project: "freehold"}
	for _, when := range []string{"made", "made again"} {
		if made, err := b.create("acme.account"); !made || err != nil {
			t.Fatalf("%s: %v, %v", when, made, err)
		}
		raw, err := os.ReadFile(filepath.Join(b.root(), "freehold", "acme.account.json"))
		if err != nil || string(raw) != beginning {
			t.Errorf("%s: %s, %v; want %s", when, raw, err, beginning)
		}
	}
	if left, err := filepath.Glob(filepath.Join(dir, ".pulumi", ".new-*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestAStackThatIsThereIsNotMadeAnew(t *testing.T) {
	dir := t.TempDir()
	file := store(t, dir, "acme.account.json", []byte(one))
	if made, err := (&fileBackend{dir: dir, project: "freehold"}).create("acme.account"); !made || err != nil {
		t.Fatal(made, err)
	}
	if raw, err := os.ReadFile(file); err != nil || string(raw) != one {
		t.Errorf("its state is now %s, %v", raw, err)
	}
}

// A CLI that finds stacks in the layout before projects keeps to it, and would
// not see one in another.
func TestInTheLayoutBeforeProjectsTheCLIMakesTheStack(t *testing.T) {
	dir := t.TempDir()
	b := &fileBackend{dir: dir, project: "freehold"}
	if err := os.MkdirAll(b.root(), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(b.root(), "old.json"), []byte(one), 0o600); err != nil {
		t.Fatal(err)
	}
	if made, err := b.create("acme.account"); made || err != nil {
		t.Errorf("%v, %v", made, err)
	}
}

func TestAStackThatCannotBeMadeSaysWhatToDo(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, ".pulumi"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := (&fileBackend{dir: dir, project: "freehold"}).create("acme.account")
	failed, ok := errors.AsType[*Error](err)
	if !ok || !errors.Is(err, ErrFailed) || failed.Stack != "acme.account" || failed.Next == "" {
		t.Errorf("got %v", err)
	}
}
