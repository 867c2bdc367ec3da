// Package wholefile writes files of which no reader, and nobody after a kill, sees
// half.
package wholefile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Replace writes a file, in the place of the one that may be there. It is readable
// and writable by its owner only.
func Replace(file string, text []byte) error { return write(file, text, os.Rename) }

// Create writes a file, and wraps fs.ErrExist if there is one already: of several that
// create it at the same time, one does. It is readable and writable by its owner only.
func Create(file string, text []byte) error { return write(file, text, os.Link) }

// write gives the text its name once all of it is on the disk.
func write(file string, text []byte, publish func(from, to string) error) error {
	tmp, err := os.CreateTemp(filepath.Dir(file), ".tmp-*") // with mode 0600
	if err != nil {
		return fmt.Errorf("write %s: %w", file, err)
	}
	// After a rename there is nothing to remove.
	defer func() { _ = os.Remove(tmp.Name()) }()
	_, err = tmp.Write(text)
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err == nil {
		err = publish(tmp.Name(), file)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", file, err)
	}
	return nil
}
