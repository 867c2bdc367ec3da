package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// platforms are those of the machines that a spec may choose.
var platforms = []v1.Platform{
	{OS: "linux", Architecture: "amd64"},
	{OS: "linux", Architecture: "arm64"},
}

type options struct {
	image      string        // a key of recipes
	repo       string        // folder of the main module
	out        string        // folder that becomes the layout
	base       string        // an image by digest, or empty: from scratch
	version    string        // of the release, or empty
	controller string        // layout of the controller's image, for the server
	platforms  []v1.Platform // empty: all
	plugins    pluginFolders // for the server
	keychain   authn.Keychain
}

// platformOf is one of platforms.
func platformOf(name string) (v1.Platform, error) {
	for _, p := range platforms {
		if p.String() == name {
			return p, nil
		}
	}
	return v1.Platform{}, fmt.Errorf("platform %q must be linux/amd64 or linux/arm64", name)
}

// build writes the layout, and returns the digest of the index in it: what a
// Deployment names.
func build(ctx context.Context, o options, stderr io.Writer) (v1.Hash, error) {
	r, err := recipeOf(o.image)
	if err == nil {
		err = checkRepo(o.repo, r)
	}
	if err != nil {
		return v1.Hash{}, err
	}
	// The order is always the same, and with it the digest.
	o.platforms = slices.DeleteFunc(slices.Clone(platforms), func(p v1.Platform) bool {
		return len(o.platforms) > 0 && !slices.ContainsFunc(o.platforms, p.Equals)
	})
	if err := check(o); err != nil {
		return v1.Hash{}, err
	}
	based, err := readBase(ctx, o.base, o.keychain)
	if err != nil {
		return v1.Hash{}, err
	}
	tmp, err := os.MkdirTemp("", "freehold-image-")
	if err != nil {
		return v1.Hash{}, err
	}
	defer os.RemoveAll(tmp)

	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	var boms []v1.Image
	for _, p := range o.platforms {
		below, err := based.image(p)
		if err != nil {
			return v1.Hash{}, err
		}
		c, err := r.contents(ctx, o, p, tmp, stderr)
		if err != nil {
			return v1.Hash{}, err
		}
		image, err := assemble(below, p, r, c, tmp, r.labels(o.version))
		if err != nil {
			return v1.Hash{}, fmt.Errorf("make the image for %s: %w", p, err)
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: image, Descriptor: v1.Descriptor{Platform: &p}})
		bom, err := bomOf(c, image)
		if err != nil {
			return v1.Hash{}, fmt.Errorf("list what is in the image for %s: %w", p, err)
		}
		boms = append(boms, bom)
	}
	index = mutate.Annotations(index, r.labels(o.version)).(v1.ImageIndex)
	if err := write(o.out, index, boms); err != nil {
		return v1.Hash{}, fmt.Errorf("write %s: %w", o.out, err)
	}
	return index.Digest()
}

// check refuses what would fail minutes later, plugins for no image, and an image
// without plugins beside one that has them.
func check(o options) error {
	if len(o.plugins) > 0 && o.image != "server" {
		return errors.New("-plugins are for the server's image")
	}
	for _, p := range o.platforms {
		if len(o.plugins) > 0 && o.plugins[p.String()] == "" {
			return fmt.Errorf("-plugins %s=FOLDER is missing: the image for %s would have none", p, p)
		}
	}
	if len(o.plugins) > len(o.platforms) {
		return errors.New("-plugins name a platform that -platforms does not")
	}
	if o.image == "server" {
		if _, err := digestOf(o.controller); err != nil {
			return fmt.Errorf("-controller %s, which the server installs in clusters: %w", o.controller, err)
		}
	}
	return nil
}

// A base is what an image is built on.
type base struct {
	index v1.ImageIndex // nil: scratch
	ref   string
}

func readBase(ctx context.Context, ref string, keychain authn.Keychain) (base, error) {
	if ref == "" {
		return base{}, nil
	}
	// A tag is another image tomorrow.
	digest, err := name.NewDigest(ref)
	if err != nil {
		return base{}, fmt.Errorf("-base %s must name a digest: %w", ref, err)
	}
	index, err := remote.Index(digest, remote.WithContext(ctx), remote.WithAuthFromKeychain(keychain))
	if err != nil {
		return base{}, fmt.Errorf("read the index of -base %s: %w", ref, err)
	}
	return base{index: index, ref: ref}, nil
}

// image returns the base for a platform.
func (b base) image(p v1.Platform) (v1.Image, error) {
	if b.index == nil {
		return mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON), nil
	}
	manifest, err := b.index.IndexManifest()
	if err != nil {
		return nil, fmt.Errorf("read -base %s: %w", b.ref, err)
	}
	for _, m := range manifest.Manifests {
		if m.Platform == nil || !m.Platform.Satisfies(p) {
			continue
		}
		image, err := b.index.Image(m.Digest)
		if err != nil {
			return nil, fmt.Errorf("read -base %s for %s: %w", b.ref, p, err)
		}
		return mutate.Annotations(image, map[string]string{
			"org.opencontainers.image.base.name":   b.ref,
			"org.opencontainers.image.base.digest": m.Digest.String(),
		}).(v1.Image), nil
	}
	return nil, fmt.Errorf("-base %s has no image for %s", b.ref, p)
}

// write puts the layout in place of one that may be there: the index first,
// then the lists of what is in its images, which refer to them.
func write(dir string, index v1.ImageIndex, boms []v1.Image) error {
	if err := replaceable(dir); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	next, err := os.MkdirTemp(filepath.Dir(dir), filepath.Base(dir)+".new-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(next)
	path, err := layout.Write(next, empty.Index)
	if err != nil {
		return err
	}
	if err := path.AppendIndex(index); err != nil {
		return err
	}
	for _, bom := range boms {
		if err := path.AppendImage(bom); err != nil {
			return err
		}
	}
	if err := os.Chmod(next, 0o755); err != nil {
		return err
	}
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	return os.Rename(next, dir)
}

// replaceable reports an error for a folder that this program did not write:
// a mistyped -out must not cost somebody their files.
func replaceable(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) || err == nil && len(entries) == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	if _, err := layout.FromPath(dir); err != nil {
		return fmt.Errorf("it is there, and is not an OCI layout: %w", err)
	}
	return nil
}
