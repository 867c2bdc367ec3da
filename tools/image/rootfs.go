package main

import (
	"archive/tar"
	"bytes"
	"encoding/pem"
	"fmt"
	"io"
	"os"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// nonroot is the user and the group that distroless images have, by number, as
// Kubernetes' runAsNonRoot cannot read names.
const nonroot = "65532"

// assemble adds the program to a base: on scratch with the files that a static
// program may look for, on another base alone.
func assemble(base v1.Image, p v1.Platform, program string, scratch bool, labels map[string]string) (v1.Image, error) {
	var layers []mutate.Addendum
	add := func(comment string, files []file) error {
		layer, err := layerOf(files)
		if err != nil {
			return err
		}
		layers = append(layers, mutate.Addendum{Layer: layer, History: v1.History{CreatedBy: "freehold tools/image", Comment: comment}})
		return nil
	}
	if scratch {
		if err := add("users and authorities", rootfs()); err != nil {
			return nil, err
		}
	}
	body, err := os.ReadFile(program)
	if err != nil {
		return nil, err
	}
	if err := add("the program", []file{{name: "namespace-controller", mode: 0o755, body: body}}); err != nil {
		return nil, err
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
	config.Config.WorkingDir = "/"
	config.Config.Entrypoint = []string{"/namespace-controller"}
	config.Config.Cmd = nil
	config.Config.Labels = labels
	if image, err = mutate.ConfigFile(image, config); err != nil {
		return nil, err
	}
	return mutate.Annotations(image, labels).(v1.Image), nil
}

// A file of the image belongs to root, who nobody in the image is: the program
// cannot change itself. A name that ends in a slash is a folder.
type file struct {
	name string
	mode int64
	body []byte
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
// and whenever it is made.
func layerOf(files []file) (v1.Layer, error) {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, f := range files {
		header := &tar.Header{
			Typeflag: tar.TypeReg, Name: f.name, Mode: f.mode, Size: int64(len(f.body)),
			ModTime: time.Unix(0, 0), Format: tar.FormatUSTAR,
		}
		if f.body == nil {
			header.Typeflag = tar.TypeDir
		}
		if err := w.WriteHeader(header); err != nil {
			return nil, fmt.Errorf("add %s: %w", f.name, err)
		}
		if _, err := w.Write(f.body); err != nil {
			return nil, fmt.Errorf("add %s: %w", f.name, err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return tarball.LayerFromOpener(
		func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(out.Bytes())), nil },
		tarball.WithMediaType(types.OCILayer), tarball.WithCompressedCaching,
	)
}
