package session

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/zalando/go-keyring"

	"freehold.dev/freehold/internal/remote/dial"
	"freehold.dev/freehold/internal/wholefile"
)

// Keyring keeps secrets by name.
type Keyring interface {
	Set(service, user, secret string) error
	Get(service, user string) (string, error)
	Delete(service, user string) error
}

// service names Freehold in the keyring; the user is the server's host.
const service = "freehold"

// patience bounds a keyring that asks a person who is not there.
const patience = 5 * time.Second

// osKeyring is that of the operating system.
type osKeyring struct{}

func (osKeyring) Set(service, user, secret string) error {
	return within(func() error { return keyring.Set(service, user, secret) })
}

func (osKeyring) Get(service, user string) (secret string, err error) {
	type got struct {
		secret string
		err    error
	}
	done := make(chan got, 1)
	go func() {
		secret, err := keyring.Get(service, user)
		done <- got{secret, err}
	}()
	select {
	case g := <-done:
		return g.secret, g.err
	case <-time.After(patience):
		return "", errNoAnswer
	}
}

func (osKeyring) Delete(service, user string) error {
	return within(func() error { return keyring.Delete(service, user) })
}

var errNoAnswer = errors.New("the keyring does not answer")

func within(do func() error) error {
	done := make(chan error, 1)
	go func() { done <- do() }()
	select {
	case err := <-done:
		return err
	case <-time.After(patience):
		return errNoAnswer
	}
}

func (s *Sessions) ring() Keyring {
	if s.Keyring != nil {
		return s.Keyring
	}
	return osKeyring{}
}

func (s *Sessions) dir() string { return filepath.Join(s.Home, "logins") }

func (s *Sessions) file(server dial.Server) string {
	return filepath.Join(s.dir(), strings.ReplaceAll(server.Host(), ":", "_")+".json")
}

// load returns the login to a server. It wraps ErrLoggedOut when there is none.
func (s *Sessions) load(server dial.Server) (entry, error) {
	var e entry
	text, err := s.readFile(server)
	if errors.Is(err, fs.ErrNotExist) {
		var secret string
		// A keyring that cannot be asked holds no login of ours: save says so.
		if secret, err = s.ring().Get(service, server.Host()); err != nil {
			return e, fmt.Errorf("%w to %s", ErrLoggedOut, server.Name())
		}
		text = []byte(secret)
	}
	if err != nil {
		return e, err
	}
	if err := json.Unmarshal(text, &e); err != nil {
		return e, fmt.Errorf("%w to %s: the login that is kept cannot be read: %w", ErrLoggedOut, server.Name(), err)
	}
	return e, nil
}

// readFile reads a login that no keyring keeps. A file that others can read may
// have been copied, and is not used.
func (s *Sessions) readFile(server dial.Server) ([]byte, error) {
	f, err := os.Open(s.file(server))
	if err != nil {
		return nil, fmt.Errorf("the login to %s: %w", server.Name(), err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("the login to %s: %w", server.Name(), err)
	}
	if loose := info.Mode().Perm() & 0o077; loose != 0 {
		return nil, fmt.Errorf("%w to %s: others can read %s (%v), so it is not used: run freehold logout %s, then log in again",
			ErrLoggedOut, server.Name(), f.Name(), info.Mode().Perm(), server.URL())
	}
	text := make([]byte, info.Size())
	_, err = f.ReadAt(text, 0)
	return text, err
}

// save keeps a login: in the keyring, or else in a file.
func (s *Sessions) save(server dial.Server, e entry) error {
	text, err := json.Marshal(e)
	if err != nil {
		return err
	}
	kept := s.ring().Set(service, server.Host(), string(text))
	if kept == nil {
		return s.forgetFile(server)
	}
	if err := os.MkdirAll(s.dir(), 0o700); err != nil {
		return fmt.Errorf("keep the login: %w", err)
	}
	if err := wholefile.Replace(s.file(server), text); err != nil {
		return fmt.Errorf("keep the login: %w", err)
	}
	s.Warn(fmt.Sprintf("this machine has no keyring that can be used (%v); the login is kept in %s", kept, s.file(server)))
	return nil
}

func (s *Sessions) forgetFile(server dial.Server) error {
	if err := os.Remove(s.file(server)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove the login that was kept before: %w", err)
	}
	return nil
}

// forget removes a login from wherever it is kept, and reports whether there was one.
func (s *Sessions) forget(server dial.Server) (bool, error) {
	_, missing := os.Lstat(s.file(server))
	err := s.forgetFile(server)
	gone := s.ring().Delete(service, server.Host())
	return missing == nil || gone == nil, err
}
