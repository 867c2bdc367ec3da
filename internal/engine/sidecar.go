package engine

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// The CLI's library for files keeps what an object store would know of a file,
// its type and its hash, in a second one beside it, which it writes in place. A
// kill in that moment leaves it empty, and no later run can read the state:
// "failed to load checkpoint: EOF". Nobody reads what is in it, so none is
// written, and what an earlier run left is taken away.
// https://pkg.go.dev/gocloud.dev/blob/fileblob#hdr-URLs
const (
	sidecar    = ".attrs"
	noSidecars = "metadata=skip"
)

// withoutSidecars is the backend's URL for the CLI.
func withoutSidecars(url string) string {
	_, query, asked := strings.Cut(url, "?")
	switch {
	case !strings.HasPrefix(url, "file://") || strings.Contains(query, "metadata="):
		return url
	case asked:
		return url + "&" + noSidecars
	default:
		return url + "?" + noSidecars
	}
}

// mend takes away the sidecars that a kill left half-written, of the stack's
// state and of what the backend says about itself.
func (b *fileBackend) mend(s Stack) error {
	found, err := filepath.Glob(filepath.Join(b.root(), b.project, s.Name+".json*"+sidecar))
	if err != nil {
		return err
	}
	for _, file := range append(found, filepath.Join(b.dir, ".pulumi", "meta.yaml"+sidecar)) {
		text, err := os.ReadFile(file)
		if errors.Is(err, fs.ErrNotExist) || err == nil && json.Valid(text) {
			continue
		}
		if err == nil {
			err = os.Remove(file)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("mend the state of stack %s: %w", s.Name, err)
		}
	}
	return nil
}
