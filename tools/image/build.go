package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// program is the main package of the image, and its file at the image's root.
const program = "namespace-controller"

// platforms are those of the machines that a spec may choose.
var platforms = []v1.Platform{
	{OS: "linux", Architecture: "amd64"},
	{OS: "linux", Architecture: "arm64"},
}

type options struct {
	repo     string // folder of the main module
	out      string // folder that becomes the layout
	base     string // an image by digest, or empty: from scratch
	version  string // of the release, or empty
	keychain authn.Keychain
}

// build writes the layout, and returns the digest of the index in it: what a
// Deployment names.
func build(ctx context.Context, o options, stderr io.Writer) (v1.Hash, error) {
	if err := checkRepo(o.repo); err != nil {
		return v1.Hash{}, err
	}
	based, err := readBase(ctx, o.base, o.keychain)
	if err != nil {
		return v1.Hash{}, err
	}
	tmp, err := os.MkdirTemp("", "controller-image-")
	if err != nil {
		return v1.Hash{}, err
	}
	defer os.RemoveAll(tmp)

	labels := labels(o.version)
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	var boms []v1.Image
	for _, p := range platforms {
		image, err := based.image(p)
		if err != nil {
			return v1.Hash{}, err
		}
		file := filepath.Join(tmp, program+"-"+p.Architecture)
		fmt.Fprintf(stderr, "image: compiling %s for %s\n", program, p)
		if err := compile(ctx, o.repo, p, file, stderr); err != nil {
			return v1.Hash{}, err
		}
		if image, err = assemble(image, p, file, o.base == "", labels); err != nil {
			return v1.Hash{}, fmt.Errorf("make the image for %s: %w", p, err)
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: image, Descriptor: v1.Descriptor{Platform: &p}})
		bom, err := bomOf(file, image)
		if err != nil {
			return v1.Hash{}, fmt.Errorf("list what is in the program for %s: %w", p, err)
		}
		boms = append(boms, bom)
	}
	index = mutate.Annotations(index, labels).(v1.ImageIndex)
	if err := write(o.out, index, boms); err != nil {
		return v1.Hash{}, fmt.Errorf("write %s: %w", o.out, err)
	}
	return index.Digest()
}

// labels say what the image is. None holds a date or a commit: a release that
// changes nothing in the controller leaves the digest, and no cluster restarts it.
func labels(version string) map[string]string {
	all := map[string]string{
		"org.opencontainers.image.title":       "Freehold namespace controller",
		"org.opencontainers.image.description": "Gives every Project of a customer's cluster its own fenced namespace",
		"org.opencontainers.image.vendor":      "Freehold",
		"org.opencontainers.image.licenses":    "Apache-2.0",
	}
	if version != "" {
		all["org.opencontainers.image.version"] = version
	}
	return all
}

func checkRepo(dir string) error {
	if _, err := os.Stat(filepath.Join(dir, "cmd", program, "main.go")); err != nil {
		return fmt.Errorf("-repo %s is not Freehold's main module: run \"go run -C tools/image .\" in the repository: %w", dir, err)
	}
	return nil
}

// compile builds the program so that only sources, Go and go.mod decide its
// bytes. What the environment may say about code generation is said here.
func compile(ctx context.Context, repo string, p v1.Platform, out string, stderr io.Writer) error {
	out, err := filepath.Abs(out)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", out, "./cmd/"+program)
	cmd.Dir = repo
	cmd.Env = append(os.Environ(),
		"CGO_ENABLED=0", "GOOS="+p.OS, "GOARCH="+p.Architecture,
		"GOFLAGS=-mod=readonly", "GOAMD64=v1", "GOARM64=v8.0", "GOEXPERIMENT=", "GODEBUG=", "GOFIPS140=off", "GOWORK=off",
	)
	cmd.Stderr = stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("compile %s for %s: %w", program, p, err)
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
