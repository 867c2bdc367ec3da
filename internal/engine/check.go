package engine

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/config"
)

// Check reports, before anything is touched, whether this machine can run the
// stack. It wraps ErrSecrets when it lacks the passphrase of an existing one,
// and ErrUnreachable when nobody can tell whether there is one. A stack that
// does not exist passes.
func (e *Engine) Check(ctx context.Context, s Stack) error {
	c, exists, err := e.storedAlone(ctx, s)
	if err != nil || !exists {
		return err
	}
	env, err := e.opts.Secrets.Open(s.Org, c.Key)
	if err != nil {
		return e.classify(ctx, s, "check", err, nil)
	}
	file := env[passphraseFile]
	if c.Key.Type != "passphrase" || file == "" {
		return nil
	}
	if err := e.opens(ctx, s, file, c.Key); err != nil {
		return e.classify(ctx, s, "check", err, nil)
	}
	return nil
}

// opens tries the passphrase. That takes a third of a second by design, so what
// opened the stack before is remembered by the file's looks in the stack's folder.
func (e *Engine) opens(ctx context.Context, s Stack, file string, k Key) error {
	salt, err := k.salt()
	if err != nil {
		return unreachable(s, fmt.Errorf("its stored state is damaged: %w", err), "")
	}
	mark := looks(file, salt)
	if was, err := os.ReadFile(e.openedFile(s)); err == nil && mark != "" && string(was) == mark {
		return nil
	}
	phrase, err := os.ReadFile(file)
	if err != nil {
		return lacking{
			fmt.Sprintf("the passphrase of org %s cannot be read: %v", s.Org, err), "make it readable, then run the same command again",
		}
	}
	ok, err := opensSalt(ctx, strings.TrimSpace(string(phrase)), salt)
	if err != nil {
		return unreachable(s, fmt.Errorf("its stored state is damaged: %w", err), "")
	}
	if !ok {
		return lacking{
			fmt.Sprintf("the state of org %s is encrypted with another passphrase than the one in %s", s.Org, file),
			fmt.Sprintf("replace %s with the file of that name from the machine that made the stack", file),
		}
	}
	e.remember(s, file, salt)
	return nil
}

// remember writes down that the passphrase in the file opens the stack. Only
// time is lost without it.
func (e *Engine) remember(s Stack, file, salt string) {
	if err := os.MkdirAll(e.stackDir(s), 0o700); err == nil {
		_ = os.WriteFile(e.openedFile(s), []byte(looks(file, salt)), 0o600)
	}
}

// rememberNew does so for a stack that a run has just made with the passphrase
// in the file.
func (e *Engine) rememberNew(ctx context.Context, s Stack, file string) {
	if _, err := os.Stat(e.openedFile(s)); file == "" || err == nil {
		return
	}
	if c, exists, err := e.stored(ctx, s); err == nil && exists && c.Key.Type == "passphrase" {
		if salt, err := c.Key.salt(); err == nil {
			e.remember(s, file, salt)
		}
	}
}

func (e *Engine) openedFile(s Stack) string { return filepath.Join(e.stackDir(s), ".opened") }

// looks tells a file that was tried from another one, without its content.
func looks(file, salt string) string {
	info, err := os.Stat(file)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%d\n%d", salt, file, info.Size(), info.ModTime().UnixNano()))
	return hex.EncodeToString(sum[:])
}

// opensSalt reports whether the passphrase is the one with which the salt was
// made: behind it lies the word "pulumi", encrypted. As pkg/v3/secrets/passphrase
// does; we do not depend on that module for three lines.
func opensSalt(ctx context.Context, phrase, salt string) (bool, error) {
	version, rest, _ := strings.Cut(salt, ":")
	encoded, verifier, ok := strings.Cut(rest, ":")
	if version != "v1" || !ok {
		return false, errors.New("the passphrase's salt is not of a form that is known")
	}
	raw, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return false, fmt.Errorf("the passphrase's salt: %w", err)
	}
	word, err := config.NewSymmetricCrypterFromPassphrase(phrase, raw).DecryptValue(ctx, verifier)
	return err == nil && word == "pulumi", nil
}
