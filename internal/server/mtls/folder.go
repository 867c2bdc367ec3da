package mtls

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"freehold.dev/freehold/internal/wholefile"
	"github.com/gofrs/flock"
	"github.com/spiffe/go-spiffe/v2/spiffeid"
)

// folder is where the authorities of a machine's trust domain are kept: one
// file, so that it is replaced in one step. Whoever can read it can be any
// service, so nobody else may.
type folder struct {
	dir string
	td  spiffeid.TrustDomain
}

func (f folder) file() string { return filepath.Join(f.dir, "authorities.pem") }

// read returns the authorities, the oldest first; none if the file is not there.
func (f folder) read() ([]authority, error) {
	if err := onlyOurs(f.dir, "700"); err != nil {
		return nil, err
	}
	if err := onlyOurs(f.file(), "600"); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(f.file())
	if err != nil {
		return nil, err
	}
	all, err := decode(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.file(), err)
	}
	for _, a := range all {
		if len(a.cert.URIs) != 1 || a.cert.URIs[0].String() != f.td.IDString() {
			return nil, fmt.Errorf("%s holds an authority of another trust domain than %s: use a folder for each", f.file(), f.td)
		}
	}
	return all, nil
}

// ready returns the authorities after it has made those that are due. Only one
// process makes them, and the others wait for it.
func (f folder) ready(ctx context.Context, now time.Time) ([]authority, error) {
	all, err := f.read()
	if err != nil || !due(all, now) {
		return all, err
	}
	lock := flock.New(filepath.Join(f.dir, "lock"), flock.SetPermissions(0o600))
	if ok, err := lock.TryLockContext(ctx, 10*time.Millisecond); err != nil || !ok {
		return nil, fmt.Errorf("lock %s: %w", f.dir, errors.Join(err, ctx.Err()))
	}
	defer func() { _ = lock.Unlock() }() // the file is closed with it, and the lock ends then
	// Another process may have made them meanwhile.
	if all, err = f.read(); err != nil || !due(all, now) {
		return all, err
	}
	next, err := newAuthority(f.td, now)
	if err != nil {
		return nil, err
	}
	all = append(retired(all, now), next)
	text, err := encode(all)
	if err != nil {
		return nil, err
	}
	return all, wholefile.Replace(f.file(), text)
}

// signer is the index of the authority that signs: the newest that has been in
// the bundle for long enough, or the oldest that is left.
func signer(all []authority, now time.Time) int {
	for i := len(all) - 1; i > 0; i-- {
		if !now.Before(all[i].cert.NotBefore.Add(overlap)) {
			return i
		}
	}
	return 0
}

// due reports whether an authority has to be made: the newest has lived for half
// of its life.
func due(all []authority, now time.Time) bool {
	if len(all) == 0 {
		return true
	}
	return now.After(all[len(all)-1].cert.NotBefore.Add(authorityLife / 2))
}

// retired leaves out those that have ended, and the keys of those that will not
// sign again.
func retired(all []authority, now time.Time) []authority {
	var out []authority
	signs := signer(all, now)
	for i, a := range all {
		if now.After(a.cert.NotAfter) {
			continue
		}
		if i < signs {
			a.key = nil
		}
		out = append(out, a)
	}
	return out
}

// onlyOurs refuses a file or folder that others than its owner can reach.
func onlyOurs(name, mode string) error {
	info, err := os.Lstat(name)
	if err != nil {
		return err
	}
	if info.Mode()&os.ModeSymlink != 0 {
		return fmt.Errorf("%s is a symbolic link: name the folder itself", name)
	}
	if open := info.Mode().Perm() & 0o077; open != 0 {
		return fmt.Errorf("%s has mode %#o, so others than its owner can become any service: remove the folder's contents and run chmod %s %s",
			name, info.Mode().Perm(), mode, name)
	}
	return nil
}

const (
	certificateBlock = "CERTIFICATE"
	keyBlock         = "PRIVATE KEY"
)

// encode writes each certificate, and after it the key if there is one.
func encode(all []authority) ([]byte, error) {
	var out bytes.Buffer
	for _, a := range all {
		if err := pem.Encode(&out, &pem.Block{Type: certificateBlock, Bytes: a.cert.Raw}); err != nil {
			return nil, err
		}
		if a.key == nil {
			continue
		}
		der, err := x509.MarshalPKCS8PrivateKey(a.key)
		if err != nil {
			return nil, err
		}
		if err := pem.Encode(&out, &pem.Block{Type: keyBlock, Bytes: der}); err != nil {
			return nil, err
		}
	}
	return out.Bytes(), nil
}

func decode(text []byte) ([]authority, error) {
	var all []authority
	for {
		block, rest := pem.Decode(text)
		if block == nil {
			break
		}
		text = rest
		switch {
		case block.Type == certificateBlock:
			cert, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				return nil, err
			}
			all = append(all, authority{cert: cert})
		case block.Type == keyBlock && len(all) > 0:
			key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
			if err != nil {
				return nil, err
			}
			last := &all[len(all)-1]
			private, ok := key.(*ecdsa.PrivateKey)
			if !ok || !private.PublicKey.Equal(last.cert.PublicKey) {
				return nil, errors.New("a key is not that of the certificate before it")
			}
			last.key = private
		default:
			return nil, fmt.Errorf("it holds a %s, which does not belong there", block.Type)
		}
	}
	if len(bytes.TrimSpace(text)) > 0 || len(all) == 0 {
		return nil, errors.New("it is damaged: remove it, and restart all services")
	}
	if !slices.IsSortedFunc(all, func(a, b authority) int { return a.cert.NotBefore.Compare(b.cert.NotBefore) }) {
		return nil, errors.New("its authorities are not in the order of their ages")
	}
	return all, nil
}
