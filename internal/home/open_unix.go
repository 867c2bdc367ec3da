//go:build unix

package home

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// open says how somebody else than this user and root can change a file, if they can
// get to it at all; "": they cannot.
func open(info fs.FileInfo, closed bool) string {
	stat := info.Sys().(*syscall.Stat_t)
	mode := info.Mode()
	switch {
	case stat.Uid != 0 && int(stat.Uid) != os.Geteuid():
		return fmt.Sprintf("user %d owns it", stat.Uid)
	case closed, mode.Type() == fs.ModeSymlink: // a link has no mode of its own
		return ""
	case mode.Perm()&0o002 != 0:
		return "every user of this machine may write to it"
	// By convention, a group of a user's number has that user alone.
	case mode.Perm()&0o020 != 0 && stat.Gid != stat.Uid && stat.Gid != 0:
		return fmt.Sprintf("group %d may write to it", stat.Gid)
	}
	return ""
}
