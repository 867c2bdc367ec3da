package engine

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAPassphraseIsMadeOncePerOrgAndIsItsOwnersOnly(t *testing.T) {
	p := Passphrases{Dir: filepath.Join(t.TempDir(), "secrets")}
	if err := p.Make("acme"); err != nil {
		t.Fatal(err)
	}
	provider, env, err := p.For("acme")
	if err != nil || provider != "passphrase" {
		t.Fatalf("%q, %v", provider, err)
	}
	file := env[passphraseFile]
	first, err := os.ReadFile(file)
	if err != nil || len(first) < 40 {
		t.Fatalf("a passphrase of %d characters, %v", len(first), err)
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v, want 0600", info.Mode(), err)
	}
	for _, v := range env {
		if strings.Contains(v, string(first)) {
			t.Error("the environment holds the passphrase itself")
		}
	}
	if err := p.Make("acme"); err != nil {
		t.Fatal(err)
	}
	if again, err := os.ReadFile(file); err != nil || string(again) != string(first) {
		t.Errorf("it was made anew: %v", err)
	}
	if err := p.Make("globex"); err != nil {
		t.Fatal(err)
	}
	if _, env, err = p.For("globex"); err != nil || env[passphraseFile] == file {
		t.Errorf("two orgs have one passphrase: %v", err)
	}
	if err := os.Chmod(file, 0o644); err != nil { //nolint:gosec // the mistake that is refused
		t.Fatal(err)
	}
	if _, _, err := p.For("acme"); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("a passphrase that others can read: %v", err)
	}
}

func TestAskingForAPassphraseMakesNone(t *testing.T) {
	p := Passphrases{Dir: filepath.Join(t.TempDir(), "secrets")}
	for reason, ask := range map[string]func() error{
		"for a new stack":       func() error { _, _, err := p.For("acme"); return err },
		"for an existing stack": func() error { _, err := p.Open("acme", Key{Type: "passphrase"}); return err },
	} {
		err := ask()
		l, ok := errors.AsType[lacking](err)
		if !errors.Is(err, ErrSecrets) || !ok {
			t.Fatalf("%s: got %v", reason, err)
		}
		file := filepath.Join(p.Dir, "acme.passphrase")
		if !strings.Contains(l.what, file) || !strings.Contains(l.what, "acme") || !strings.Contains(l.next, "copy "+file) {
			t.Errorf("%s: it does not name the org, the file and what to do:\n%s\n%s", reason, l.what, l.next)
		}
	}
	if _, err := os.Stat(p.Dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("something was made: %v", err)
	}
}

func TestAFileIsNotCalledByANameThatIsNoOrg(t *testing.T) {
	for _, org := range []string{"", "ab", "../../etc", "a/b/c", "Acme", "acme.corp", "-acme", "acme-", strings.Repeat("a", 41), "ac\x00me", "ac me"} {
		p := Passphrases{Dir: filepath.Join(t.TempDir(), "secrets")}
		_, _, ferr := p.For(org)
		_, oerr := p.Open(org, Key{Type: "passphrase"})
		for asked, err := range map[string]error{"For": ferr, "Open": oerr, "Make": p.Make(org)} {
			if err == nil || errors.Is(err, ErrSecrets) || !strings.Contains(err.Error(), "DNS label") {
				t.Errorf("%s(%q): got %v", asked, org, err)
			}
		}
		if _, err := os.Stat(p.Dir); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%q: something was made: %v", org, err)
		}
		if _, _, err := (CloudKey{URL: "awskms://alias/freehold-{org}"}).For(org); err == nil {
			t.Errorf("%q is in the name of a key", org)
		}
	}
	for _, org := range []string{"abc", "acme", "a-b", "4chan", strings.Repeat("a", 40)} {
		if err := (Passphrases{Dir: t.TempDir()}).Make(org); err != nil {
			t.Errorf("%q: %v", org, err)
		}
	}
}

// A folder that is not mounted would get passphrases that no other machine has.
func TestASharedFolderThatIsNotThereIsNotMade(t *testing.T) {
	p := Passphrases{Dir: filepath.Join(t.TempDir(), "shared"), Shared: true}
	if err := p.Make("acme"); !errors.Is(err, ErrSecrets) {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(p.Dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it was made: %v", err)
	}
	if err := os.Mkdir(p.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := p.Make("acme"); err != nil {
		t.Error(err)
	}
	if _, _, err := (Passphrases{Dir: p.Dir, Shared: true}).For("acme"); err != nil {
		t.Errorf("the other machine: %v", err)
	}
}

func TestManyAtOnceAgreeOnOnePassphrase(t *testing.T) {
	p := Passphrases{Dir: t.TempDir()}
	var wg sync.WaitGroup
	seen := make([]string, 16)
	for i := range seen {
		wg.Go(func() {
			if err := p.Make("acme"); err != nil {
				return
			}
			if _, env, err := p.For("acme"); err == nil {
				b, _ := os.ReadFile(env[passphraseFile])
				seen[i] = string(b)
			}
		})
	}
	wg.Wait()
	for _, s := range seen {
		if s == "" || s != seen[0] {
			t.Fatalf("not one passphrase: %q", seen)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(p.Dir, ".passphrase-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestACloudKeyCanBeOnePerOrg(t *testing.T) {
	url, env, err := CloudKey{URL: "awskms://alias/freehold-{org}?region=eu-west-1"}.For("acme")
	if url != "awskms://alias/freehold-acme?region=eu-west-1" || len(env) > 0 || err != nil {
		t.Errorf("%q, %v, %v", url, env, err)
	}
}

// A stack keeps what it was made with, whatever new ones get.
func TestAStateIsOpenedWithWhatItWasEncryptedWith(t *testing.T) {
	had, none := Passphrases{Dir: t.TempDir()}, Passphrases{Dir: t.TempDir()}
	if err := had.Make("acme"); err != nil {
		t.Fatal(err)
	}
	file := map[string]string{passphraseFile: filepath.Join(had.Dir, "acme.passphrase")}
	const kms = "awskms://alias/freehold"
	for reason, tc := range map[string]struct {
		secrets Secrets
		key     string
		env     map[string]string
		lacks   bool
	}{
		"a passphrase, and it is here":                  {had, "passphrase", file, false},
		"a passphrase, and it is elsewhere":             {none, "passphrase", nil, true},
		"a key, and new stacks get passphrases":         {none, "cloud", nil, false},
		"Pulumi Cloud's key":                            {none, "service", nil, false},
		"nothing is encrypted yet":                      {had, "", file, false},
		"a key":                                         {CloudKey{URL: kms}, "cloud", nil, false},
		"a passphrase of before there was a key":        {CloudKey{URL: kms, Before: had}, "passphrase", file, false},
		"a passphrase of before that is elsewhere":      {CloudKey{URL: kms, Before: none}, "passphrase", nil, true},
		"a passphrase in the environment of the person": {CloudKey{URL: "passphrase"}, "passphrase", nil, false},
	} {
		t.Run(reason, func(t *testing.T) {
			env, err := tc.secrets.Open("acme", Key{Type: tc.key})
			if d := cmp.Diff(tc.env, env); d != "" || errors.Is(err, ErrSecrets) != tc.lacks || (err != nil) != tc.lacks {
				t.Errorf("error %v, environment (-want +got):\n%s", err, d)
			}
		})
	}
}
