//go:build unix

package home_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"freehold.dev/freehold/internal/home"
)

const stranger = 65534

func TestAHomeIsOneThatThisUserAloneCanChange(t *testing.T) {
	root := os.Geteuid() == 0
	for name, tc := range map[string]struct {
		change func(t *testing.T, dir string)
		root   bool   // only root can try it
		wrong  string // what is said, after the path; empty: it is accepted
	}{
		"its own folder":                  {change: func(*testing.T, string) {}},
		"one that is not there":           {change: func(t *testing.T, dir string) { must(t, os.RemoveAll(dir)) }},
		"one that others may read":        {change: func(t *testing.T, dir string) { must(t, os.Chmod(dir, 0o755)) }},
		"one that everybody may write to": {change: func(t *testing.T, dir string) { must(t, os.Chmod(dir, 0o777)) }, wrong: ": every user"},
		"one like /tmp":                   {change: func(t *testing.T, dir string) { must(t, os.Chmod(dir, 0o777|os.ModeSticky)) }, wrong: ": every user"},
		"one that a group may write to":   {change: func(t *testing.T, dir string) { must(t, os.Chmod(dir, 0o775), os.Chown(dir, -1, 1001)) }, root: true, wrong: ": group 1001"},
		"one of another user":             {change: func(t *testing.T, dir string) { must(t, os.Chown(dir, stranger, -1)) }, root: true, wrong: ": user 65534"},
		"a policy pack of another user": {change: func(t *testing.T, dir string) {
			must(t, os.Chown(filepath.Join(dir, "sandbox", "policy"), stranger, -1))
		}, root: true, wrong: "/sandbox/policy: user 65534"},
		"a link of another user": {change: func(t *testing.T, dir string) {
			must(t, os.Symlink("/bin/sh", filepath.Join(dir, "sh")), os.Lchown(filepath.Join(dir, "sh"), stranger, -1))
		}, root: true, wrong: "/sh: user 65534"},
		"a registry that others write to": {change: func(t *testing.T, dir string) {
			must(t, os.Chmod(dir, 0o755), os.Chmod(filepath.Join(dir, "registry.db"), 0o666))
		}, wrong: "/registry.db: every user"},
		"the same where nobody else gets in": {change: func(t *testing.T, dir string) { must(t, os.Chmod(filepath.Join(dir, "registry.db"), 0o666)) }},
		"a link to what everybody may read":  {change: func(t *testing.T, dir string) { must(t, os.Symlink("/bin/sh", filepath.Join(dir, "sh"))) }},
	} {
		t.Run(name, func(t *testing.T) {
			if tc.root && !root {
				t.Skip("only root can give a file to another user")
			}
			dir := filepath.Join(t.TempDir(), "home")
			must(t, os.MkdirAll(filepath.Join(dir, "sandbox", "policy"), 0o700), os.WriteFile(filepath.Join(dir, "registry.db"), nil, 0o600))
			tc.change(t, dir)
			link := filepath.Join(t.TempDir(), "link")
			must(t, os.Symlink(dir, link))
			for _, path := range []string{dir, link} {
				err := home.Check(path)
				if tc.wrong == "" && err != nil || tc.wrong != "" && (!errors.Is(err, home.ErrOpen) || !strings.Contains(err.Error(), dir+tc.wrong)) {
					t.Errorf("%s: got %v, want %q", path, err, tc.wrong)
				}
			}
		})
	}
}

func must(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}
