package pgtest

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// asNobody says as whom the server and its watcher run, gives them the folders
// dir and data, and returns where they find the programs of bin. PostgreSQL refuses to run
// as root, so root's server runs as nobody. In a session of its own the watcher
// outlives what ends the test's group of processes.
func asNobody(bin, dir, data string) (*syscall.SysProcAttr, string, error) {
	a := &syscall.SysProcAttr{Setsid: true}
	if os.Geteuid() != 0 {
		return a, bin, nil
	}
	u, err := user.Lookup("nobody")
	if err != nil {
		return nil, "", fmt.Errorf("PostgreSQL does not run as root, and there is no other user to run it as: %w", err)
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, "", err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, "", err
	}
	a.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		return nil, "", err
	}
	for _, f := range append(files, dir, data) {
		err = errors.Join(err, os.Chown(f, int(uid), int(gid)))
	}
	if err != nil || everybody(bin) {
		return a, bin, err
	}
	// The tools' cache is in root's home. The server looks for its libraries and
	// its catalogues beside its own folder, wherever that is. The folders are
	// nobody's, who has to remove them.
	return a, filepath.Join(dir, "program", filepath.Base(bin)), mirror(filepath.Dir(bin), filepath.Join(dir, "program"), func(dir string) error {
		return errors.Join(os.Mkdir(dir, 0o755), os.Chown(dir, int(uid), int(gid)))
	})
}

// enough is how much memory has to be free for a server's files to be there:
// 40 MB of its own and 8 for each database that tests use at the same time.
const enough = 2 << 30

// inMemory is a folder in memory, "" if there is none that is large enough.
func inMemory() string {
	const dir = "/dev/shm"
	var at syscall.Statfs_t
	if err := syscall.Statfs(dir, &at); err != nil || at.Bavail*uint64(at.Bsize) < enough {
		return ""
	}
	if info, err := os.Stat(dir); err != nil || info.Mode()&os.ModeSticky == 0 {
		return ""
	}
	return dir
}

// everybody reports whether all users can get to a folder.
func everybody(dir string) bool {
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if info, err := os.Stat(dir); err != nil || info.Mode()&0o001 == 0 {
			return false
		}
	}
	return true
}

// mirror makes the files below one folder the files below another: by links
// where both are on one disk.
func mirror(from, to string, mkdir func(string) error) error {
	return filepath.WalkDir(from, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(from, file)
		if err != nil {
			return err
		}
		out := filepath.Join(to, name)
		switch {
		case d.IsDir():
			return mkdir(out)
		case d.Type() == fs.ModeSymlink:
			target, err := os.Readlink(file)
			if err != nil {
				return err
			}
			return os.Symlink(target, out)
		}
		if os.Link(file, out) == nil {
			return nil
		}
		return copyFile(file, out)
	})
}

func copyFile(from, to string) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, info.Mode().Perm())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	_, err = io.Copy(out, in)
	return err
}
