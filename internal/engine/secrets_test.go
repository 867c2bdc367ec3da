package engine

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func TestAPassphraseIsMadeOncePerOrgAndIsItsOwnersOnly(t *testing.T) {
	p := Passphrases{Dir: filepath.Join(t.TempDir(), "secrets")}
	provider, env, err := p.For("acme")
	if err != nil || provider != "passphrase" {
		t.Fatalf("%q, %v", provider, err)
	}
	file := env["PULUMI_CONFIG_PASSPHRASE_FILE"]
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
	if _, _, err := p.For("acme"); err != nil {
		t.Fatal(err)
	}
	if again, err := os.ReadFile(file); err != nil || string(again) != string(first) {
		t.Errorf("it was made anew: %v", err)
	}
	if _, env, err = p.For("globex"); err != nil || env["PULUMI_CONFIG_PASSPHRASE_FILE"] == file {
		t.Errorf("two orgs have one passphrase: %v", err)
	}
	if err := os.Chmod(file, 0o644); err != nil { //nolint:gosec // the mistake that is refused
		t.Fatal(err)
	}
	if _, _, err := p.For("acme"); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("a passphrase that others can read: %v", err)
	}
}

func TestManyAtOnceAgreeOnOnePassphrase(t *testing.T) {
	p := Passphrases{Dir: t.TempDir()}
	var wg sync.WaitGroup
	seen := make([]string, 16)
	for i := range seen {
		wg.Go(func() {
			if _, env, err := p.For("acme"); err == nil {
				b, _ := os.ReadFile(env["PULUMI_CONFIG_PASSPHRASE_FILE"])
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
