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
		above  bool   // it is wrong with the folder above
		wrong  string // what is said, after the path; empty: it is accepted
	}{
		"its own folder":                              {change: func(*testing.T, string) {}},
		"one that is not there":                       {change: func(t *testing.T, dir string) { must(t, os.RemoveAll(dir)) }},
		"one that others may read":                    {change: func(t *testing.T, dir string) { must(t, os.Chmod(dir, 0o755)) }},
		"one that everybody may write to":             {change: func(t *testing.T, dir string) { must(t, os.Chmod(dir, 0o777)) }, wrong: ": every user"},
		"one like /tmp":                               {change: func(t *testing.T, dir string) { must(t, os.Chmod(dir, 0o777|os.ModeSticky)) }, wrong: ": every user"},
		"one that a group may write to":               {change: func(t *testing.T, dir string) { must(t, os.Chmod(dir, 0o775), os.Chown(dir, -1, 1001)) }, root: true, wrong: ": group 1001"},
		"one of another user":                         {change: func(t *testing.T, dir string) { must(t, os.Chown(dir, stranger, -1)) }, root: true, wrong: ": user 65534"},
		"one in a folder that everybody may write to": {change: func(t *testing.T, dir string) { must(t, os.Chmod(filepath.Dir(dir), 0o777)) }, above: true, wrong: ": every user"},
		"one in a folder like /tmp":                   {change: func(t *testing.T, dir string) { must(t, os.Chmod(filepath.Dir(dir), 0o777|os.ModeSticky)) }},
		"one in a folder of another user":             {change: func(t *testing.T, dir string) { must(t, os.Chown(filepath.Dir(dir), stranger, -1)) }, above: true, root: true, wrong: ": user 65534"},
		"a plugin of another user in the policy pack": {change: func(t *testing.T, dir string) {
			plugin := filepath.Join(dir, "sandbox", "policy", "plugin")
			must(t, os.WriteFile(plugin, nil, 0o700), os.Chown(plugin, stranger, -1))
		}, root: true, wrong: "/sandbox/policy/plugin: user 65534"},
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
			at := dir
			if tc.above {
				at = filepath.Dir(dir)
				if err := home.CheckBelow(dir); err != nil {
					t.Errorf("got %v, and what is below is this user's", err)
				}
			}
			for _, path := range []string{dir, link} {
				err := home.Check(path)
				if tc.wrong == "" && err != nil || tc.wrong != "" && (!errors.Is(err, home.ErrOpen) || !strings.Contains(err.Error(), at+tc.wrong)) {
					t.Errorf("%s: got %v, want %q", path, err, tc.wrong)
				}
			}
			if tc.root || tc.above {
				return
			}
			stray := filepath.Join(t.TempDir(), "stray")
			must(t, os.Symlink(link, stray))
			if os.Geteuid() == 0 {
				must(t, os.Lchown(stray, stranger, -1))
				if err := home.Check(stray); !errors.Is(err, home.ErrOpen) {
					t.Errorf("by a link of another user: got %v", err)
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
