package engine

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
)

// create makes the stack, and reports whether a CLI did. One that another run
// has made meanwhile is as good.
//
// In a backend of files it is one small file, the first of the two that "stack
// init" writes. A stack that has no more gets its key from its first up, which
// asks for the passphrase anyway: a CLI process less, and half of what a key
// costs. A key of a cloud is chosen by "stack init" alone.
func (e *Engine) create(ctx context.Context, s Stack, ws quietWorkspace, files *fileBackend, how access) (byCLI bool, err error) {
	if files != nil && how.env[passphraseFile] != "" {
		if made, err := files.create(s.Name); made || err != nil {
			return false, err
		}
	}
	return true, e.pastDeadLock(ctx, s, ws, "create the stack", func() error {
		if err := ws.CreateStack(ctx, s.Name); !auto.IsCreateStack409Error(err) {
			return err
		}
		return nil
	})
}

// create makes a stack whole or not at all, and leaves alone one that is there.
// It reports false, and makes nothing, where the CLI may keep stacks in the
// layout that it had before projects.
func (b *fileBackend) create(name string) (made bool, err error) {
	defer func() {
		if err != nil {
			err = &Error{
				Stack: name, Doing: "create", Kind: ErrFailed, Detail: err.Error(),
				Next: "make the backend's folder writable, then run the same command again",
			}
		}
	}()
	old, err := filepath.Glob(filepath.Join(b.root(), "*.json*"))
	if err != nil || len(old) > 0 {
		return false, err
	}
	checkpoint, err := json.Marshal(apitype.CheckpointV3{Stack: tokens.QName("organization/" + b.project + "/" + name)})
	if err != nil {
		return false, err
	}
	content, err := json.Marshal(apitype.VersionedCheckpoint{Version: 3, Checkpoint: checkpoint})
	if err != nil {
		return false, err
	}
	file := filepath.Join(b.root(), b.project, name+".json")
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil { //nolint:gosec // as the CLI makes it: the umask says who else may
		return false, err
	}
	// The folder above has no stacks: what a kill leaves there is taken for none.
	tmp := filepath.Join(b.dir, ".pulumi", ".new-"+rand.Text())
	f, err := os.OpenFile(tmp, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o666) //nolint:gosec // as above
	if err != nil {
		return false, err
	}
	defer func() { _ = os.Remove(tmp) }()
	_, err = f.Write(content)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return false, err
	}
	if err := os.Link(tmp, file); err != nil && !errors.Is(err, fs.ErrExist) {
		return false, err
	}
	return true, nil
}
