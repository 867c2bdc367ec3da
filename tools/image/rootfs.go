package main

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// nonroot is the user and the group that distroless images have, by number, as
// Kubernetes' runAsNonRoot cannot read names.
const (
	nonroot   = "65532"
	nonrootID = 65532
)

// inside are the files that a recipe adds for one platform, a layer each.
type inside struct {
	scratch  bool // nothing is below
	layers   []layer
	programs []string // files on this machine whose modules are listed, the image's own program last
	onPath   []string // folders of the image
}

type layer struct {
	comment string
	files   []file
}

// contents compiles the programs of a recipe, and lists what else is in it.
func (r recipe) contents(ctx context.Context, o options, p v1.Platform, dir string, stderr io.Writer) (inside, error) {
	c := inside{scratch: o.base == ""}
	if c.scratch {
		c.layers = append(c.layers, layer{"users and authorities", rootfs()})
	}
	if len(r.files) > 0 {
		c.layers = append(c.layers, layer{"folders that are written to", r.files})
	}
	if from := o.plugins[p.String()]; from != "" {
		versions, err := modules(ctx, o.repo)
		if err != nil {
			return c, err
		}
		files, onPath, err := pluginFiles(from, p, versions)
		if err != nil {
			return c, err
		}
		c.layers = append(c.layers, layer{"provider plugins", files})
		c.onPath = onPath
	}
	for _, pr := range r.programs {
		made, err := pr.file(ctx, o, p, dir, stderr)
		if err != nil {
			return c, err
		}
		var files []file
		for above := range ancestors(pr.at) {
			files = append(files, file{name: above, mode: 0o755})
		}
		c.layers = append(c.layers, layer{"the program", append(files, file{name: pr.at, mode: 0o755, from: made})})
		c.programs = append(c.programs, made)
	}
	return c, nil
}

// assemble adds what a recipe consists of to a base.
func assemble(base v1.Image, p v1.Platform, r recipe, c inside, dir string, labels map[string]string) (v1.Image, error) {
	var layers []mutate.Addendum
	for _, l := range c.layers {
		made, err := layerOf(l.files, dir)
		if err != nil {
			return nil, err
		}
		layers = append(layers, mutate.Addendum{Layer: made, History: v1.History{CreatedBy: "freehold tools/image", Comment: l.comment}})
	}
	image, err := mutate.Append(base, layers...)
	if err != nil {
		return nil, err
	}
	config, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	config.Created = v1.Time{}
	config.OS, config.Architecture, config.Variant = p.OS, p.Architecture, p.Variant
	config.Config.User = nonroot + ":" + nonroot
	config.Config.WorkingDir = r.config.WorkingDir
	config.Config.Entrypoint = r.config.Entrypoint
	config.Config.Cmd = r.config.Cmd
	if r.config.ExposedPorts != nil {
		config.Config.ExposedPorts = r.config.ExposedPorts
	}
	config.Config.Env = environment(config.Config.Env, r.config.Env, c.onPath)
	config.Config.Labels = labels
	if image, err = mutate.ConfigFile(image, config); err != nil {
		return nil, err
	}
	return mutate.Annotations(image, labels).(v1.Image), nil
}

// environment is that of a base with ours in front: our PATH before the base's,
// which may lead to what plugins need, and our value of any other variable.
func environment(base, ours, onPath []string) []string {
	if len(ours) == 0 {
		return base
	}
	var out []string
	below := ""
	for _, v := range base {
		name, value, _ := strings.Cut(v, "=")
		if name == "PATH" {
			below = value
		} else if !slices.ContainsFunc(ours, func(o string) bool { return strings.HasPrefix(o, name+"=") }) {
			out = append(out, v)
		}
	}
	for _, v := range ours {
		if value, ok := strings.CutPrefix(v, "PATH="); ok {
			folders := append(strings.Split(value, ":"), onPath...)
			for f := range strings.SplitSeq(below, ":") {
				if f != "" && !slices.Contains(folders, f) {
					folders = append(folders, f)
				}
			}
			v = "PATH=" + strings.Join(folders, ":")
		}
		out = append(out, v)
	}
	return out
}

// A file of the image belongs to root, who nobody in the image is, unless owned
// says otherwise: a program cannot change itself. A name that ends in a slash is
// a folder.
type file struct {
	name  string
	mode  int64
	body  []byte
	from  string // a file on this machine, instead of body
	link  string // what a symbolic link leads to
	owned bool   // belongs to the user of the image
}

func rootfs() []file {
	return []file{
		{name: "etc/", mode: 0o755},
		{name: "etc/group", mode: 0o644, body: []byte("root:x:0:\nnonroot:x:" + nonroot + ":\n")},
		{name: "etc/passwd", mode: 0o644, body: []byte("root:x:0:0:root:/:/sbin/nologin\n" +
			"nonroot:x:" + nonroot + ":" + nonroot + ":nonroot:/:/sbin/nologin\n")},
		{name: "etc/ssl/", mode: 0o755},
		{name: "etc/ssl/certs/", mode: 0o755},
		{name: "etc/ssl/certs/ca-certificates.crt", mode: 0o644, body: authorities()},
	}
}

// authorities are Mozilla's roots, from the module that Go's authors keep. A
// root with conditions that a file of certificates cannot state is left out.
func authorities() []byte {
	var out bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint != nil {
			continue
		}
		// A bytes.Buffer takes all that it is given.
		_ = pem.Encode(&out, &pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate})
	}
	return out.Bytes()
}

// layerOf makes a layer of files, each with the same owner and date wherever
// and whenever it is made. Programs are large: the layer is kept in a file of dir.
func layerOf(files []file, dir string) (_ v1.Layer, err error) {
	out, err := os.CreateTemp(dir, "layer-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	w := tar.NewWriter(out)
	for _, f := range files {
		if err := f.write(w); err != nil {
			return nil, fmt.Errorf("add %s: %w", f.name, err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return tarball.LayerFromOpener(
		func() (io.ReadCloser, error) { return os.Open(out.Name()) },
		tarball.WithMediaType(types.OCILayer), tarball.WithCompressedCaching,
	)
}

func (f file) write(w *tar.Writer) error {
	header := &tar.Header{Typeflag: tar.TypeReg, Name: f.name, Mode: f.mode, Size: int64(len(f.body)), ModTime: time.Unix(0, 0)}
	if f.owned {
		header.Uid, header.Gid = nonrootID, nonrootID
	}
	var body io.Reader = bytes.NewReader(f.body)
	switch {
	case strings.HasSuffix(f.name, "/"):
		header.Typeflag = tar.TypeDir
	case f.link != "":
		header.Typeflag, header.Linkname = tar.TypeSymlink, f.link
	case f.from != "":
		in, err := os.Open(f.from)
		if err != nil {
			return err
		}
		defer in.Close()
		info, err := in.Stat()
		if err != nil {
			return err
		}
		header.Size, body = info.Size(), in
	}
	if err := w.WriteHeader(header); err != nil {
		return err
	}
	_, err := io.Copy(w, body)
	return err
}
