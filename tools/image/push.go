package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// digestOf returns the digest of the index that build wrote into a layout.
func digestOf(dir string) (v1.Hash, error) {
	index, _, err := open(dir)
	if err != nil {
		return v1.Hash{}, err
	}
	return index.Digest()
}

// open reads a layout: its one index, and what refers to images of it.
func open(dir string) (v1.ImageIndex, []v1.Image, error) {
	all, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		return nil, nil, fmt.Errorf("read the layout %s; \"make image\" writes it: %w", dir, err)
	}
	manifest, err := all.IndexManifest()
	if err != nil {
		return nil, nil, fmt.Errorf("read the layout %s: %w", dir, err)
	}
	var index v1.ImageIndex
	var others []v1.Image
	for _, m := range manifest.Manifests {
		switch {
		case m.MediaType.IsIndex() && index != nil:
			return nil, nil, fmt.Errorf("the layout %s holds two indexes, and build writes one", dir)
		case m.MediaType.IsIndex():
			index, err = all.ImageIndex(m.Digest)
		default:
			var other v1.Image
			other, err = all.Image(m.Digest)
			others = append(others, other)
		}
		if err != nil {
			return nil, nil, fmt.Errorf("read %s of the layout %s: %w", m.Digest, dir, err)
		}
	}
	if index == nil {
		return nil, nil, fmt.Errorf("the layout %s holds no index", dir)
	}
	return index, others, nil
}

// push writes a layout's index to a tag, then what refers to it, and returns
// the reference by digest. A second push sends nothing that is there. A tag
// that leads elsewhere is refused: registries of Freehold do not move tags, and
// one that does must not be used to.
func push(ctx context.Context, dir, to string, keychain authn.Keychain) (string, error) {
	tag, err := name.NewTag(to, name.StrictValidation)
	if err != nil {
		return "", fmt.Errorf("push to %q: it must be REPOSITORY:TAG: %w", to, err)
	}
	index, others, err := open(dir)
	if err != nil {
		return "", err
	}
	digest, err := index.Digest()
	if err != nil {
		return "", err
	}
	how := []remote.Option{remote.WithContext(ctx), remote.WithAuthFromKeychain(keychain)}
	there, err := remote.Head(tag, how...)
	switch {
	case err == nil && there.Digest != digest:
		return "", fmt.Errorf("push to %s: the tag is %s, and a tag is not moved; use another", tag, there.Digest)
	case err != nil && !notFound(err):
		return "", fmt.Errorf("ask for %s: %w", tag, err)
	case err != nil:
		if err := remote.WriteIndex(tag, index, how...); err != nil {
			return "", fmt.Errorf("push to %s: %w", tag, err)
		}
	}
	for _, other := range others {
		d, err := other.Digest()
		if err != nil {
			return "", err
		}
		if err := remote.Write(tag.Digest(d.String()), other, how...); err != nil {
			return "", fmt.Errorf("push the list of components to %s: %w", tag.Repository, err)
		}
	}
	return tag.Digest(digest.String()).String(), nil
}

func notFound(err error) bool {
	var answer *transport.Error
	return errors.As(err, &answer) && answer.StatusCode == http.StatusNotFound
}
