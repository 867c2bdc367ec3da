package engine

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// State opens the stack's stored state: the checkpoint as it lies in a backend
// of files, which may be larger than memory and is not read here, or the
// deployment as the CLI exports it from another backend. Secrets in it are
// encrypted. It runs nothing and locks nothing; it wraps ErrNoStack when the
// backend has no such stack.
func (e *Engine) State(ctx context.Context, s Stack) (io.ReadCloser, error) {
	dir, files := strings.CutPrefix(e.opts.BackendURL, "file://")
	if !files {
		return e.exported(ctx, s)
	}
	if rest, below := strings.CutPrefix(dir, "~"); below {
		home, err := os.UserHomeDir()
		if err != nil {
			return nil, fmt.Errorf("read the state of stack %s: %w", s.Name, err)
		}
		dir = filepath.Join(home, rest)
	}
	// Where a backend of files keeps a stack; PULUMI_DIY_BACKEND_GZIP compresses it.
	// https://www.pulumi.com/docs/iac/concepts/state-and-backends/#local-filesystem
	file := filepath.Join(filepath.FromSlash(dir), ".pulumi", "stacks", e.opts.Project, s.Name+".json")
	f, err := os.Open(file)
	if err == nil {
		return f, nil
	}
	zipped, zerr := os.Open(file + ".gz")
	switch {
	case errors.Is(err, fs.ErrNotExist) && errors.Is(zerr, fs.ErrNotExist):
		return nil, fmt.Errorf("read the state of stack %s: %w: %w", s.Name, ErrNoStack, err)
	case !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("read the state of stack %s: %w", s.Name, err)
	case zerr != nil:
		return nil, fmt.Errorf("read the state of stack %s: %w", s.Name, zerr)
	}
	unzipped, err := gzip.NewReader(zipped)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("read the state of stack %s: %w", s.Name, err), zipped.Close())
	}
	return unzippedFile{unzipped, zipped}, nil
}

// exported reads the state through the CLI, which knows every backend.
func (e *Engine) exported(ctx context.Context, s Stack) (io.ReadCloser, error) {
	release, err := e.slot(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	st, closeIt, err := e.openToRead(ctx, s)
	if err != nil {
		return nil, err
	}
	defer closeIt()
	d, err := st.Export(ctx)
	if err != nil {
		return nil, e.classify(ctx, s, "export the state", err, nil)
	}
	return io.NopCloser(io.MultiReader(strings.NewReader(`{"deployment":`), bytes.NewReader(d.Deployment), strings.NewReader(`}`))), nil
}

type unzippedFile struct {
	*gzip.Reader
	file io.Closer
}

func (u unzippedFile) Close() error { return errors.Join(u.Reader.Close(), u.file.Close()) }
