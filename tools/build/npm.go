package main

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
)

// An npmPackage is a program that its authors build for each platform and
// publish in the npm registry. Only npm itself knows which registry, proxy and
// credentials a machine uses, so npm fetches it. That it is the package that we
// tried is decided by the hash.
type npmPackage struct {
	name      string            // of the package, without the platform
	version   string            // pinned
	integrity map[string]string // by npm's name of the platform, as in a package-lock.json
	program   string            // path of the program in the package
	links     string            // a JSON list of the symbolic links that a tarball cannot hold
}

// npmPlatforms are npm's names of Go's platforms.
var npmPlatforms = map[string]string{
	"linux/amd64": "linux-x64", "linux/arm64": "linux-arm64", "darwin/amd64": "darwin-x64", "darwin/arm64": "darwin-arm64",
}

// fetch puts the content of the package for a platform, as "linux/amd64", into
// a folder that does not exist yet.
func (p npmPackage) fetch(ctx context.Context, platform, out string, say *printer) (err error) {
	on := npmPlatforms[platform]
	want, pinned := p.integrity[on]
	if !pinned {
		return fmt.Errorf("%s is not published for %s", p.name, platform)
	}
	spec := p.name + on + "@" + p.version
	npm, err := exec.LookPath("npm")
	if err != nil {
		return fmt.Errorf("npm is needed to fetch %s: %w", spec, err)
	}
	dir, err := os.MkdirTemp(filepath.Dir(out), "half-npm-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	say.line("fetching %s by npm", spec)
	cmd := exec.CommandContext(ctx, npm, "pack", "--silent", "--ignore-scripts", "--pack-destination", dir, spec)
	cmd.Dir = dir // a .npmrc of the checkout is nobody's intention
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("npm pack %s: %w\n%s", spec, err, strings.TrimSpace(string(text)))
	}
	found, err := filepath.Glob(filepath.Join(dir, "*.tgz"))
	if err != nil || len(found) != 1 {
		return errors.Join(fmt.Errorf("npm pack %s left %d packages, expected one", spec, len(found)), err)
	}
	if err := verified(found[0], want); err != nil {
		return fmt.Errorf("%s: %w", spec, err)
	}
	if err := unpack(found[0], out); err != nil {
		return fmt.Errorf("unpack %s: %w", spec, err)
	}
	return p.link(out)
}

// verified fails unless the file has the hash, "sha512-" and base64.
func verified(file, want string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	h := sha512.New()
	if _, err := io.Copy(h, f); err != nil {
		return err
	}
	if got := "sha512-" + base64.StdEncoding.EncodeToString(h.Sum(nil)); got != want {
		return fmt.Errorf("its hash is %s, expected %s: the registry serves something else than what was pinned", got, want)
	}
	return nil
}

// unpack writes the files of a package to a folder. It knows what npm packs:
// files and folders below "package/".
func unpack(file, out string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	zip, err := gzip.NewReader(f)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	root, err := os.OpenRoot(out) // whatever a name says, it stays in there
	if err != nil {
		return err
	}
	defer root.Close()
	for r := tar.NewReader(zip); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		_, name, ok := strings.Cut(path.Clean(h.Name), "/")
		if !ok || h.Typeflag != tar.TypeReg {
			continue
		}
		if err := root.MkdirAll(path.Dir(name), 0o755); err != nil {
			return err
		}
		if err := unpackFile(root, name, h.FileInfo().Mode().Perm()&0o755|0o644, r); err != nil {
			return err
		}
	}
}

func unpackFile(root *os.Root, name string, mode fs.FileMode, content io.Reader) (err error) {
	to, err := root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	_, err = io.Copy(to, content)
	return err
}

// link makes the symbolic links that the package lists, which its install
// script would make.
func (p npmPackage) link(out string) error {
	text, err := os.ReadFile(filepath.Join(out, p.links))
	if err != nil {
		return err
	}
	var links []struct{ Source, Target string }
	if err := json.Unmarshal(text, &links); err != nil {
		return fmt.Errorf("read %s: %w", p.links, err)
	}
	root, err := os.OpenRoot(out)
	if err != nil {
		return err
	}
	defer root.Close()
	for _, l := range links {
		to, err := filepath.Rel(path.Dir(l.Target), l.Source)
		if err != nil {
			return err
		}
		if err := root.Symlink(to, l.Target); err != nil {
			return err
		}
	}
	return nil
}
