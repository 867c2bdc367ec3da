package engine

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"freehold.dev/freehold/internal/wholefile"
)

// Secrets says how the states of an org are encrypted. What it returns wraps
// ErrSecrets where this machine lacks what it takes.
type Secrets interface {
	// For returns Pulumi's secrets provider for a stack that is about to be made
	// and the environment that it needs. It makes nothing. No secret is in the
	// environment's values.
	For(org string) (provider string, env map[string]string, err error)
	// Make makes what For lacks. The org has no stack yet: one that is encrypted
	// with what another machine has would be lost.
	Make(org string) error
	// Open returns the environment in which the CLI opens a state that is
	// encrypted already. It makes nothing.
	Open(org string, k Key) (env map[string]string, err error)
}

// passphraseFile is the environment variable that names the file to the CLI.
const passphraseFile = "PULUMI_CONFIG_PASSPHRASE_FILE"

// lacking is what this machine does not have, and what to do about it.
type lacking struct{ what, next string }

func (l lacking) Error() string { return l.what }
func (l lacking) Unwrap() error { return ErrSecrets }

// Passphrases keeps a generated passphrase for each org in a file of its own,
// readable by its owner only.
type Passphrases struct {
	// Dir holds one file per org.
	Dir string
	// Shared says that several machines have Dir. It must be there: one that is
	// not mounted would be made, with passphrases that no other machine has.
	Shared bool
}

// orgName is what a name must be before a file is called by it: a DNS label of
// 3 to 40 characters.
var orgName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{1,38})[a-z0-9]$`)

func checkOrg(org string) error {
	if !orgName.MatchString(org) {
		return fmt.Errorf("%q is not an org: want a DNS label of 3 to 40 lower-case letters, digits and hyphens, such as acme", org)
	}
	return nil
}

func (p Passphrases) file(org string) string { return filepath.Join(p.Dir, org+".passphrase") }

// For names the file of the org's passphrase.
func (p Passphrases) For(org string) (string, map[string]string, error) {
	env, err := p.env(org)
	return "passphrase", env, err
}

// Open names the file of the org's passphrase to a state that has one.
func (p Passphrases) Open(org string, k Key) (map[string]string, error) {
	if k.Type == "cloud" || k.Type == "service" {
		return nil, nil // the key is elsewhere, and the state says where
	}
	return p.env(org)
}

func (p Passphrases) env(org string) (map[string]string, error) {
	if err := checkOrg(org); err != nil {
		return nil, err
	}
	name := p.file(org)
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, lacking{
			fmt.Sprintf("the passphrase file of org %s does not exist: %s", org, name),
			fmt.Sprintf("copy %s from the machine that has it, or set FREEHOLD_SECRETS_PROVIDER=passphrase:///FOLDER to a folder "+
				"that holds it; new orgs need no file with a key such as awskms://alias/freehold-{org}", name),
		}
	case err != nil:
		return nil, lacking{
			fmt.Sprintf("the passphrase of org %s cannot be read: %v", org, err), "make it readable, then run the same command again",
		}
	case info.Mode().Perm()&0o077 != 0:
		return nil, fmt.Errorf("%s can be read by others (mode %04o): run chmod 600 on it", name, info.Mode().Perm())
	}
	return map[string]string{passphraseFile: name}, nil
}

// Make makes the org's passphrase, unless there is one.
func (p Passphrases) Make(org string) error {
	if err := checkOrg(org); err != nil {
		return err
	}
	if p.Shared {
		if info, err := os.Stat(p.Dir); err != nil || !info.IsDir() {
			return lacking{
				fmt.Sprintf("the folder of passphrases %s is not there", p.Dir),
				"make it, or mount what the machines share; then run the same command again",
			}
		}
	} else if err := os.MkdirAll(p.Dir, 0o700); err != nil {
		return fmt.Errorf("make the folder of passphrases: %w", err)
	}
	if _, err := os.Stat(p.file(org)); err == nil {
		return nil
	}
	return writePassphrase(p.file(org))
}

// writePassphrase creates the file, unless another process was first: then its
// passphrase is the one.
func writePassphrase(name string) error {
	var b [32]byte
	if _, err := rand.Read(b[:]); err != nil {
		return fmt.Errorf("make a passphrase: %w", err)
	}
	text := base64.RawURLEncoding.EncodeToString(b[:])
	if err := wholefile.Create(name, []byte(text)); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("write a passphrase: %w", err)
	}
	return nil
}

// CloudKey encrypts the states of every org with a key of the operator's cloud.
type CloudKey struct {
	// URL is Pulumi's secrets provider, such as awskms://alias/freehold?region=eu-west-1.
	// "{org}" in it stands for the org, so that each has a key of its own.
	URL string
	// Before are the passphrases of stacks that were made before there was a
	// key: a stack keeps what it was made with.
	Before Passphrases
}

// For returns the key's URL with the org in its place.
func (k CloudKey) For(org string) (string, map[string]string, error) {
	if err := checkOrg(org); err != nil {
		return "", nil, err
	}
	return strings.ReplaceAll(k.URL, "{org}", org), nil, nil
}

// Make does nothing: the operator has made the key.
func (CloudKey) Make(string) error { return nil }

// Open needs nothing for a state with a key: the state names it.
func (k CloudKey) Open(org string, stored Key) (map[string]string, error) {
	if stored.Type != "passphrase" || !strings.Contains(k.URL, "://") {
		// "passphrase" and "default" leave it to Pulumi's own environment.
		return nil, checkOrg(org)
	}
	return k.Before.env(org)
}
