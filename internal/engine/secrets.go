package engine

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Secrets says how the states of an org are encrypted.
type Secrets interface {
	// For returns Pulumi's secrets provider for the org's stacks and the
	// environment that it needs. No secret is in the environment's values.
	For(org string) (provider string, env map[string]string, err error)
}

// Passphrases keeps a generated passphrase for each org in a file of its own,
// readable by its owner only.
type Passphrases struct {
	// Dir holds one file an org.
	Dir string
}

// For makes the org's passphrase if there is none yet.
func (p Passphrases) For(org string) (string, map[string]string, error) {
	name := filepath.Join(p.Dir, org+".passphrase")
	if err := os.MkdirAll(p.Dir, 0o700); err != nil {
		return "", nil, fmt.Errorf("make the folder of passphrases: %w", err)
	}
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if err := writePassphrase(name); err != nil {
			return "", nil, err
		}
	case err != nil:
		return "", nil, fmt.Errorf("read the passphrase of %s: %w", org, err)
	case info.Mode().Perm()&0o077 != 0:
		return "", nil, fmt.Errorf("%s can be read by others (mode %04o): run chmod 600 on it", name, info.Mode().Perm())
	}
	return "passphrase", map[string]string{"PULUMI_CONFIG_PASSPHRASE_FILE": name}, nil
}

// writePassphrase creates the file whole or not at all: a link fails if
// another process was first, and then its passphrase is the one.
func writePassphrase(name string) error {
	var b [32]byte
	if _, err := rand.Read(b[:]); err != nil {
		return fmt.Errorf("make a passphrase: %w", err)
	}
	tmp, err := os.CreateTemp(filepath.Dir(name), ".passphrase-")
	if err != nil {
		return fmt.Errorf("write a passphrase: %w", err)
	}
	defer func() { _ = os.Remove(tmp.Name()) }()
	_, err = tmp.WriteString(base64.RawURLEncoding.EncodeToString(b[:]))
	err = errors.Join(err, tmp.Sync(), tmp.Close())
	if err != nil {
		return fmt.Errorf("write a passphrase: %w", err)
	}
	if err := os.Link(tmp.Name(), name); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("write a passphrase: %w", err)
	}
	return nil
}

// CloudKey encrypts the states of every org with a key of the operator's cloud.
type CloudKey struct {
	// URL is Pulumi's secrets provider, such as awskms://alias/freehold?region=eu-west-1.
	// "{org}" in it stands for the org, so that each has a key of its own.
	URL string
}

// For returns the key's URL with the org in its place.
func (k CloudKey) For(org string) (string, map[string]string, error) {
	return strings.ReplaceAll(k.URL, "{org}", org), nil, nil
}
