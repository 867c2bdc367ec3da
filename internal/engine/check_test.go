package engine

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAPassphraseOpensItsOwnSaltOnly(t *testing.T) {
	for reason, tc := range map[string]struct {
		phrase, salt string
		want         bool
		wrong        bool
	}{
		"the one that pulumi 3.250 made it with": {"secret", salt, true, false},
		"another one":                            {"another", salt, false, false},
		"none":                                   {"", salt, false, false},
		"a salt with a changed verifier":         {"secret", salt[:len(salt)-4] + "AAA=", false, false},
		"a salt of a version to come":            {"secret", "v2" + salt[2:], false, true},
		"a salt that is not base64":              {"secret", "v1:***:v1:a:b", false, true},
		"a salt without its verifier":            {"secret", "v1:c2FsdA==", false, true},
		"no salt":                                {"secret", "", false, true},
	} {
		t.Run(reason, func(t *testing.T) {
			got, err := opensSalt(t.Context(), tc.phrase, tc.salt)
			if got != tc.want || (err != nil) != tc.wrong {
				t.Errorf("%v, %v", got, err)
			}
		})
	}
}

// checked is an engine over a stack that is encrypted with the passphrase
// "secret", and the file in which this machine may have it.
func checked(t *testing.T) (e *Engine, file string) {
	t.Helper()
	backend := t.TempDir()
	store(t, backend, "acme.account.json", []byte(initial))
	e = noCLI(t, "file://"+backend)
	secrets := t.TempDir()
	e.opts.Secrets = Passphrases{Dir: secrets}
	return e, filepath.Join(secrets, "acme.passphrase")
}

func TestACheckNamesThePassphraseThatIsNotHere(t *testing.T) {
	for reason, tc := range map[string]struct {
		has  string // "": no file
		says string // "": it passes
		next string
	}{
		"it is here":                     {"secret\n", "", ""},
		"there is no file":               {"", "the passphrase file of org acme does not exist", "copy "},
		"there is another one in it":     {"another", "the state of org acme is encrypted with another passphrase", "replace "},
		"there is an empty one, by hand": {"\n", "the state of org acme is encrypted with another passphrase", "replace "},
	} {
		t.Run(reason, func(t *testing.T) {
			e, file := checked(t)
			if tc.has != "" {
				if err := os.WriteFile(file, []byte(tc.has), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			err := e.Check(t.Context(), account)
			if tc.says == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			var failed *Error
			if !errors.Is(err, ErrSecrets) || !errors.As(err, &failed) {
				t.Fatalf("got %v", err)
			}
			if failed.Stack != "acme.account" || !strings.Contains(failed.Detail, tc.says) || !strings.Contains(failed.Detail, file) ||
				!strings.HasPrefix(failed.Next, tc.next+file) {
				t.Errorf("stack %q: %v\nnext: %s", failed.Stack, err, failed.Next)
			}
			if left, _ := os.ReadDir(filepath.Dir(file)); tc.has == "" && len(left) > 0 {
				t.Errorf("a check has made %v", left)
			}
		})
	}
}

func TestACheckThatPassedIsRememberedForThatFileOnly(t *testing.T) {
	e, file := checked(t)
	if err := os.WriteFile(file, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := e.Check(t.Context(), account); err != nil {
		t.Fatal(err)
	}
	seen := filepath.Join(e.stackDir(account), ".opened")
	raw, err := os.ReadFile(seen)
	if err != nil || strings.Contains(string(raw), "secret") || len(raw) != 64 {
		t.Errorf("it is remembered as %q, %v", raw, err)
	}
	// As long: only the time of its last change differs.
	if err := os.WriteFile(file, []byte("terces"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := e.Check(t.Context(), account); !errors.Is(err, ErrSecrets) {
		t.Errorf("another passphrase in its place: %v", err)
	}
}

func TestACheckPassesWhereNoPassphraseOfOursIsAsked(t *testing.T) {
	for reason, state := range map[string]string{
		"there is no stack":            "",
		"its creation was killed":      beginning,
		"the key is of a cloud":        `{"checkpoint":{"latest":{"secrets_providers":{"type":"cloud","state":{"url":"awskms://x","encryptedkey":"eA=="}}}}}`,
		"the key is the backend's own": `{"checkpoint":{"latest":{"secrets_providers":{"type":"service","state":{}}}}}`,
	} {
		t.Run(reason, func(t *testing.T) {
			backend := t.TempDir()
			if state != "" {
				store(t, backend, "acme.account.json", []byte(state))
			}
			e := noCLI(t, "file://"+backend)
			if state == beginning {
				if err := e.opts.Secrets.Make("acme"); err != nil {
					t.Fatal(err)
				}
			}
			if err := e.Check(t.Context(), account); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestANewPassphraseIsMadeForTheFirstStackOfAnOrgOnly(t *testing.T) {
	backend := t.TempDir()
	e := noCLI(t, "file://"+backend)
	store(t, backend, "acme-two.account.json", []byte(one))
	boundary := Stack{Org: "acme", Layer: "boundary", Name: "acme.boundary"}
	other := store(t, backend, "acme.account.json", []byte(one))
	if _, err := e.newAccess(t.Context(), boundary); !errors.Is(err, ErrSecrets) {
		t.Errorf("the org has another stack: %v", err)
	}
	if err := os.Remove(other); err != nil {
		t.Fatal(err)
	}
	how, err := e.newAccess(t.Context(), boundary)
	if err != nil || how.provider != "passphrase" || how.env[passphraseFile] == "" {
		t.Errorf("the org has no stack: %+v, %v", how, err)
	}
	// It is there now, whatever else the org has.
	store(t, backend, "acme.account.json", []byte(one))
	if again, err := e.newAccess(t.Context(), boundary); err != nil || again.env[passphraseFile] != how.env[passphraseFile] {
		t.Errorf("the org's next stack: %+v, %v", again, err)
	}
	if err := os.RemoveAll(backend); err != nil {
		t.Fatal(err)
	}
	if _, err := e.newAccess(t.Context(), Stack{Org: "globex", Name: "globex.account"}); !errors.Is(err, ErrUnreachable) {
		t.Errorf("nobody can tell whether the org has stacks: %v", err)
	}
}
