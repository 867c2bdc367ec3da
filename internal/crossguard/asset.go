package crossguard

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/archive"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/asset"

	"freehold.dev/freehold/policies"
)

// What is read of one asset, at most: Lambda takes no more than 250 MB of code, and
// nothing else that a data plane is made of takes as much.
//
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const (
	assetBytes = 256 << 20
	assetFiles = 50_000
)

// errTooBig is the answer where an asset has more than is read of one.
var errTooBig = errors.New("it is larger than what is read of an asset")

// assetOf reads a file. A text is an input like any other. What cannot be read is not
// known; an address is not followed, as another answer may be there when it is made.
func assetOf(a *asset.Asset) any {
	if a.IsText() {
		return a.Text
	}
	if !a.IsPath() {
		return policies.Unknown{}
	}
	blob, err := a.Read()
	if err != nil {
		return policies.Unknown{}
	}
	r := newAssetReader()
	if err := r.file("", blob); err != nil {
		return policies.Unknown{}
	}
	return r.asset()
}

// archiveOf reads the files of an archive: a folder, a zip or tar file, or assets under
// names of a program's choice.
func archiveOf(a *archive.Archive) any {
	if remote(a) {
		return policies.Unknown{}
	}
	files, err := a.Open()
	if err != nil {
		return policies.Unknown{}
	}
	defer func() { _ = files.Close() }() // it was read only
	r := newAssetReader()
	for range assetFiles {
		name, blob, err := files.Next()
		if errors.Is(err, io.EOF) {
			return r.asset()
		}
		if err != nil {
			return policies.Unknown{}
		}
		if err := r.file(name, blob); err != nil {
			return policies.Unknown{}
		}
	}
	return policies.Unknown{}
}

// remote reports whether an archive, or a part of one, is an address.
func remote(a *archive.Archive) bool {
	if a.IsURI() {
		return true
	}
	for _, part := range a.Assets {
		switch part := part.(type) {
		case *asset.Asset:
			if part.IsURI() {
				return true
			}
		case *archive.Archive:
			if remote(part) {
				return true
			}
		}
	}
	return false
}

// assetReader hashes the files of an asset, and gathers the accounts that they name.
type assetReader struct {
	left     int64
	files    map[string]string // the digests, by name
	accounts map[string]bool
}

func newAssetReader() *assetReader {
	return &assetReader{left: assetBytes, files: map[string]string{}, accounts: map[string]bool{}}
}

// file reads a file to its end and closes it.
func (r *assetReader) file(name string, blob *asset.Blob) error {
	defer func() { _ = blob.Close() }() // it was read only
	digest, window := sha256.New(), make([]byte, 0, 64<<10)
	chunk := make([]byte, 32<<10)
	for {
		n, err := blob.Read(chunk)
		if r.left -= int64(n); r.left < 0 {
			return errTooBig
		}
		digest.Write(chunk[:n])
		window = append(window, chunk[:n]...)
		last := errors.Is(err, io.EOF)
		window = r.gather(window, last)
		switch {
		case last:
			r.files[name] = hex.EncodeToString(digest.Sum(nil))
			return nil
		case err != nil:
			return fmt.Errorf("read %q: %w", name, err)
		}
	}
}

// gather notes the numbers of twelve digits in a part of a file, and returns its end,
// in which one may begin.
func (r *assetReader) gather(part []byte, last bool) (rest []byte) {
	digit := func(c byte) bool { return c >= '0' && c <= '9' }
	i := 0
	for i < len(part) {
		at := bytes.IndexFunc(part[i:], func(c rune) bool { return c >= '0' && c <= '9' })
		if at < 0 {
			return part[:0]
		}
		i += at
		end := i
		for end < len(part) && digit(part[end]) {
			end++
		}
		if end == len(part) && !last && end-i <= policies.AccountDigits {
			return append(part[:0], part[i:]...)
		}
		if end-i == policies.AccountDigits {
			r.accounts[string(part[i:end])] = true
		}
		i = end
	}
	return part[:0]
}

func (r *assetReader) asset() policies.Asset {
	a := policies.Asset{}
	digest := sha256.New()
	names := make([]string, 0, len(r.files))
	for name := range r.files {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		fmt.Fprintf(digest, "%q %s\n", name, r.files[name])
	}
	a.SHA256 = hex.EncodeToString(digest.Sum(nil))
	for account := range r.accounts {
		a.Accounts = append(a.Accounts, account)
	}
	slices.Sort(a.Accounts)
	return a
}
