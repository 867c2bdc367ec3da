//go:build unix

package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestAHomeThatAnotherUserCanChangeIsRefusedBeforeAnythingIsRead(t *testing.T) {
	const stranger = 65534
	analyzer := filepath.Join("aws", "policy")
	for _, tc := range []struct {
		name   string
		change func(home string) error
		root   bool // only root can try it
		says   string
	}{
		{"another user owns it", func(home string) error { return os.Chown(home, stranger, -1) }, true, "user 65534 owns it"},
		{"everybody may write to it", func(home string) error { return os.Chmod(home, 0o777) }, false, "every user of this machine may write to it"},
		{"a group may write to it", func(home string) error {
			if err := os.Chown(home, -1, stranger); err != nil {
				return err
			}
			return os.Chmod(home, 0o775)
		}, true, "group 65534 may write to it"},
		{"it is in a folder in which everybody may put another in its place", func(home string) error { return os.Chmod(filepath.Dir(home), 0o777) }, false, "every user of this machine may write to it"},
		{"the folder of the rules was swapped for another user's", func(home string) error {
			if err := os.RemoveAll(filepath.Join(home, analyzer)); err != nil {
				return err
			}
			if err := os.Mkdir(filepath.Join(home, analyzer), 0o755); err != nil {
				return err
			}
			return os.Chown(filepath.Join(home, analyzer), stranger, stranger)
		}, true, analyzer + ": user 65534 owns it"},
		{"the rules' plugin was swapped for another user's", func(home string) error {
			return os.Lchown(filepath.Join(home, analyzer, "pulumi-analyzer-policy-freehold"), stranger, stranger)
		}, true, "pulumi-analyzer-policy-freehold: user 65534 owns it"},
	} {
		for _, args := range [][]string{
			{"onboard", "-f", "-"}, {"offboard", "acme", "--yes", "acme"}, {"status", "acme"}, {"plan", "-f", "-"}, {"operations", "acme"},
			{"doctor"}, {"sandbox", "reset"}, {"registry", "migrate"}, {"serve"},
		} {
			t.Run(tc.name+", "+strings.Join(args, " "), func(t *testing.T) {
				if tc.root && os.Geteuid() != 0 {
					t.Skip("NOT TRIED: only root can give a file to another user")
				}
				home := filepath.Join(t.TempDir(), "home")
				for _, err := range []error{
					os.MkdirAll(filepath.Join(home, analyzer), 0o700),
					os.Chmod(home, 0o755),
					os.Symlink("/bin/true", filepath.Join(home, analyzer, "pulumi-analyzer-policy-freehold")),
					tc.change(home),
				} {
					if err != nil {
						t.Fatal(err)
					}
				}
				before := listed(t, home)
				var stdout, stderr bytes.Buffer
				status := Run(t.Context(), args, Env{
					Stdin: strings.NewReader(""), Stdout: &stdout, Stderr: &stderr, Width: func() int { return 200 }, Now: time.Now,
					Getenv: func(name string) string { return map[string]string{"FREEHOLD_HOME": home}[name] },
					Wire: func(context.Context, Options) (Services, error) {
						t.Error("the home was opened")
						return Services{}, nil
					},
				})
				want := exitInvalid
				if args[0] == "doctor" {
					want = exitFailed
				}
				if said := stdout.String() + stderr.String(); status != want || !strings.Contains(said, tc.says) || !strings.Contains(said, "chown -hR") {
					t.Errorf("exit %d, want %d with %q:\n%s", status, want, tc.says, said)
				}
				if d := cmp.Diff(before, listed(t, home)); d != "" {
					t.Errorf("it changed the home (-before +after):\n%s", d)
				}
			})
		}
	}
}

// listed says of each file in a folder what it is and when it was changed.
func listed(t *testing.T, dir string) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		raw, err := json.Marshal([]any{path, info.Mode().String(), info.ModTime(), info.Size()})
		out = append(out, string(raw))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}
