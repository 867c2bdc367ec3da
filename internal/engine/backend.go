package engine

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"
)

// Info is what the backend holds of a stack.
type Info struct {
	Exists bool
	// Resources counts those that a provider made, without the providers themselves.
	Resources int
	// Pending counts the operations that a killed run had begun and not recorded.
	Pending int
	// Fresh is true for a backend of files in which no stack was ever made: a
	// new one, or a folder on which the shared file system is not mounted.
	Fresh bool
}

// Stat asks the backend about a stack. It runs no CLI for a backend of files.
// An error means that nobody can tell, never that there is no stack, and wraps
// ErrUnreachable.
func (e *Engine) Stat(ctx context.Context, s Stack) (Info, error) {
	c, exists, err := e.storedAlone(ctx, s)
	if err != nil {
		return Info{}, err
	}
	info := Info{Exists: exists, Resources: c.Custom - c.Providers, Pending: c.Pending}
	if e.files != nil {
		info.Fresh = !exists && e.files.fresh()
	}
	return info, nil
}

// Types returns the types of what the stack holds, and of what a killed run may
// have made of it, in order and without providers. An error means that nobody
// can tell.
func (e *Engine) Types(ctx context.Context, s Stack) ([]string, error) {
	c, _, err := e.storedAlone(ctx, s)
	return slices.Sorted(maps.Keys(c.Types)), err
}

// storedAlone is stored for a caller that has no slot.
func (e *Engine) storedAlone(ctx context.Context, s Stack) (checkpoint, bool, error) {
	if e.files == nil {
		release, err := e.slot(ctx, s, nil)
		if err != nil {
			return checkpoint{}, false, err
		}
		defer release()
	}
	return e.stored(ctx, s)
}

// stored reads what the backend holds of a stack, and whether it has it.
func (e *Engine) stored(ctx context.Context, s Stack) (_ checkpoint, exists bool, err error) {
	r, err := e.openState(ctx, s)
	if errors.Is(err, ErrNoStack) {
		return checkpoint{}, false, nil
	}
	if err != nil {
		return checkpoint{}, false, err
	}
	defer func() { _ = r.Close() }()
	c, err := readCheckpoint(r)
	if err != nil {
		return checkpoint{}, false, unreachable(s, fmt.Errorf("its stored state is damaged: %w", err),
			"restore it from the backend's own backups or versions")
	}
	return c, true, nil
}

// State opens the stack's stored state: the checkpoint as it lies in a backend
// of files, which may be larger than memory and is not read here, or the
// deployment as the CLI exports it from another backend. Secrets in it are
// encrypted. It locks nothing. It wraps ErrNoStack when the backend has no such
// stack, and ErrUnreachable when nobody can tell.
func (e *Engine) State(ctx context.Context, s Stack) (io.ReadCloser, error) {
	if e.files == nil {
		release, err := e.slot(ctx, s, nil)
		if err != nil {
			return nil, err
		}
		defer release()
	}
	return e.openState(ctx, s)
}

func (e *Engine) openState(ctx context.Context, s Stack) (io.ReadCloser, error) {
	if e.files != nil {
		return e.files.open(s)
	}
	out, err := e.ask(ctx, s, "export the state", "stack", "export", "--stack", s.Name)
	if err != nil {
		return nil, err
	}
	return io.NopCloser(strings.NewReader(out)), nil
}

// stacksOf returns the names of the org's stacks in the backend.
func (e *Engine) stacksOf(ctx context.Context, s Stack) ([]string, error) {
	var all []string
	var err error
	if e.files != nil {
		all, err = e.files.stacks(s)
	} else {
		all, err = e.listed(ctx, s)
	}
	var own []string
	for _, name := range all {
		if strings.HasPrefix(name, s.Org+".") {
			own = append(own, name)
		}
	}
	return own, err
}

func (e *Engine) listed(ctx context.Context, s Stack) ([]string, error) {
	out, err := e.ask(ctx, s, "list the stacks", "stack", "ls", "--json")
	if err != nil {
		return nil, err
	}
	var list []struct {
		Name string `json:"name"`
	}
	if err := json.Unmarshal([]byte(out), &list); err != nil {
		return nil, unreachable(s, fmt.Errorf("the pulumi CLI's list of stacks is not readable: %w", err), "")
	}
	var names []string
	for _, l := range list {
		// A service names the stacks of another organization with it.
		names = append(names, l.Name[strings.LastIndex(l.Name, "/")+1:])
	}
	return names, nil
}

// ask runs a CLI command that reads the backend, in a throw-away folder. The
// caller has a slot. Whatever fails, it is not known what the backend has:
// only the CLI's own words say that there is no such stack.
func (e *Engine) ask(ctx context.Context, s Stack, doing string, args ...string) (string, error) {
	dir, closeIt, err := e.throwAway(ctx, s)
	if err != nil {
		return "", err
	}
	defer closeIt()
	ws, err := e.workspace(ctx, s, dir, e.opts.BackendURL, access{}, nil)
	if err != nil {
		return "", err
	}
	out, err := cliOf(ctx, ws, args...)
	if err == nil {
		return out, nil
	}
	err = e.classify(ctx, s, doing, err, nil)
	if failed, ok := errors.AsType[*Error](err); ok && !errors.Is(err, ErrNoStack) && !errors.Is(err, ErrCancelled) {
		failed.Kind = ErrUnreachable
	}
	return "", err
}

func unreachable(s Stack, err error, next string) error {
	return &Error{Stack: s.Name, Doing: "read", Kind: ErrUnreachable, Detail: err.Error(), Next: next}
}

// fileBackend is a backend of files.
// https://www.pulumi.com/docs/iac/concepts/state-and-backends/#local-filesystem
type fileBackend struct{ dir, project string }

// filesOf returns the backend of a file:// URL with its folder made absolute,
// as the CLI does, which runs in folders of its own. Any other URL has none.
func filesOf(url, project string) (*fileBackend, string, error) {
	rest, files := strings.CutPrefix(url, "file://")
	if !files {
		return nil, url, nil
	}
	dir, query, asked := strings.Cut(rest, "?")
	dir = filepath.FromSlash(dir)
	if below, tilde := strings.CutPrefix(dir, "~"); tilde {
		home, err := os.UserHomeDir()
		if err != nil {
			return nil, "", fmt.Errorf("backend %s: %w", url, err)
		}
		dir = filepath.Join(home, below)
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, "", fmt.Errorf("backend %s: %w", url, err)
	}
	url = "file://" + filepath.ToSlash(dir)
	if asked {
		url += "?" + query
	}
	return &fileBackend{dir: dir, project: project}, url, nil
}

func (b *fileBackend) root() string { return filepath.Join(b.dir, ".pulumi", "stacks") }

// fresh reports whether no CLI has ever written to the folder.
func (b *fileBackend) fresh() bool {
	_, err := os.Stat(filepath.Join(b.dir, ".pulumi"))
	return errors.Is(err, fs.ErrNotExist)
}

// there fails unless the folder is: a stack in a folder that is not mounted
// still exists.
func (b *fileBackend) there(s Stack) error {
	info, err := os.Stat(b.dir)
	if err == nil && !info.IsDir() {
		err = fmt.Errorf("%s is not a folder", b.dir)
	}
	if err != nil {
		return unreachable(s, fmt.Errorf("the backend's folder cannot be read: %w", err),
			"check --backend, and that the file system is mounted; then run the same command again")
	}
	return nil
}

// open opens the newest of the forms in which the CLI may have left a state:
// PULUMI_DIY_BACKEND_COMPRESSION chooses it.
func (b *fileBackend) open(s Stack) (io.ReadCloser, error) {
	if err := b.there(s); err != nil {
		return nil, err
	}
	plain := filepath.Join(b.root(), b.project, s.Name+".json")
	var newest string
	var written time.Time
	for _, ext := range []string{"", ".gz", ".zst"} {
		info, err := os.Stat(plain + ext)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return nil, b.unreadable(s, err)
		case newest == "" || !info.ModTime().Before(written):
			newest, written = plain+ext, info.ModTime()
		}
	}
	if newest == "" {
		return nil, b.missing(s, plain)
	}
	f, err := os.Open(newest)
	if err != nil {
		return nil, b.unreadable(s, err)
	}
	var unpacked io.Reader
	switch filepath.Ext(newest) {
	case ".gz":
		unpacked, err = gzip.NewReader(f)
	case ".zst":
		var z *zstd.Decoder
		if z, err = zstd.NewReader(f, zstd.WithDecoderConcurrency(1)); err == nil {
			unpacked = z.IOReadCloser()
		}
	default:
		return f, nil
	}
	if err != nil {
		return nil, b.unreadable(s, errors.Join(err, f.Close()))
	}
	return unpackedFile{unpacked, f}, nil
}

// missing is a stack that is not there, unless it lies where CLIs before 3.61
// put it: then the current one may see it, or not, by the backend's own settings.
func (b *fileBackend) missing(s Stack, file string) error {
	old := filepath.Join(b.root(), s.Name+".json")
	if _, err := os.Stat(old); !errors.Is(err, fs.ErrNotExist) {
		return unreachable(s, fmt.Errorf("the backend has %s, in the layout of an earlier pulumi", old), "run: pulumi state upgrade")
	}
	return &Error{
		Stack: s.Name, Doing: "read", Kind: ErrNoStack, Detail: "there is no file " + file, Next: "onboard the org first",
	}
}

func (b *fileBackend) unreadable(s Stack, err error) error {
	return unreachable(s, fmt.Errorf("its stored state cannot be read: %w", err), "make it readable, then run the same command again")
}

// stacks returns the names of the project's stacks.
func (b *fileBackend) stacks(s Stack) ([]string, error) {
	if err := b.there(s); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(filepath.Join(b.root(), b.project))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, b.unreadable(s, err)
	}
	var names []string
	for _, e := range entries {
		name := strings.TrimSuffix(strings.TrimSuffix(e.Name(), ".gz"), ".zst")
		if name, ok := strings.CutSuffix(name, ".json"); ok {
			names = append(names, name)
		}
	}
	return names, nil
}

type unpackedFile struct {
	io.Reader
	file io.Closer
}

func (u unpackedFile) Close() error {
	var err error
	if c, ok := u.Reader.(io.Closer); ok {
		err = c.Close()
	}
	return errors.Join(err, u.file.Close())
}
