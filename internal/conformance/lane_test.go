package conformance_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The lane is skipped, with the reason, where a machine lacks something, and in
// CI for no other reason.
func TestTheLaneIsSkippedForWhatIsMissingOnly(t *testing.T) {
	builds := map[string]string{ // a kit's build.sh
		"works":             "touch \"$1/pulumi-resource-aws\"; chmod +x \"$1/pulumi-resource-aws\"",
		"fails":             "echo 'undefined: x' >&2; exit 1",
		"lacks a Terraform": "echo 'no Terraform mirror' >&2; exit 3",
	}
	const (
		skipped = "conformance: SKIPPED: genuine AWS provider code was not asked\n"
		notRun  = "conformance: NOT RUN: "
		failed  = "conformance: FAILED: "
	)
	for name, tc := range map[string]struct {
		ci   string
		kit  string // which build; empty: there is no kit
		has  []string
		code int
		says string // the start of standard error's last line
	}{
		"without a provider":                         {ci: "true", says: notRun + "there is no pulumi-resource-aws"},
		"with a kit for which there is no Terraform": {ci: "true", kit: "lacks a Terraform", says: notRun + "there is no terraform-provider-aws"},
		"with a provider and no emulator":            {ci: "true", kit: "works", says: notRun + "there is no AWS emulator"},
		"with both and without the aws command":      {ci: "true", kit: "works", has: []string{"moto_server"}, says: notRun + "there is no aws command"},
		"with a kit that cannot be built":            {kit: "fails", says: notRun + "pulumi-resource-aws could not be built"},
		"with a kit that cannot be built, in CI":     {ci: "true", kit: "fails", code: 1, says: failed + "pulumi-resource-aws could not be built"},
		"with everything, and no test that asks it":  {ci: "true", kit: "works", has: []string{"moto_server", "aws"}, code: 1, says: failed + "provider and emulator are here, and no test asked them"},
		"with everything, out of CI":                 {kit: "works", has: []string{"moto_server", "aws"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			bin, kit := filepath.Join(dir, "bin"), filepath.Join(dir, "kit")
			if err := errors.Join(os.Mkdir(bin, 0o700), os.MkdirAll(filepath.Join(kit, "awsbridge"), 0o700)); err != nil {
				t.Fatal(err)
			}
			// Of this machine the script gets a shell and its usual tools. Its go
			// knows the provider's version, and runs no test.
			for _, tool := range []string{"sh", "dirname", "mkdir", "cat", "touch", "chmod", "mktemp", "rm"} {
				path, err := exec.LookPath(tool)
				if err != nil {
					t.Fatal(err)
				}
				if err := os.Symlink(path, filepath.Join(bin, tool)); err != nil {
					t.Fatal(err)
				}
			}
			script := func(file, text string) {
				t.Helper()
				if err := os.WriteFile(file, []byte("#!/bin/sh\n"+text+"\n"), 0o700); err != nil { //nolint:gosec // it is run
					t.Fatal(err)
				}
			}
			script(filepath.Join(bin, "go"), `[ "$1" != list ] || echo v6.0.0`)
			for _, tool := range tc.has {
				script(filepath.Join(bin, tool), "exit 1")
			}
			if tc.kit != "" {
				script(filepath.Join(kit, "awsbridge", "build.sh"), builds[tc.kit])
			}
			c := exec.CommandContext(t.Context(), filepath.Join(bin, "sh"), filepath.Join("..", "..", "tools", "conformance.sh"))
			c.Env = []string{
				"PATH=" + bin, "HOME=" + dir, "TMPDIR=" + dir, "CI=" + tc.ci, "FREEHOLD_CONFORMANCE_KIT=" + kit, "FREEHOLD_CACHE=" + filepath.Join(dir, "cache"),
			}
			var stdout, stderr strings.Builder
			c.Stdout, c.Stderr = &stdout, &stderr
			if err := c.Run(); err != nil && c.ProcessState == nil {
				t.Fatal(err)
			}
			lines := strings.Split(strings.TrimSpace(stderr.String()), "\n")
			if code, last := c.ProcessState.ExitCode(), lines[len(lines)-1]; code != tc.code || !strings.HasPrefix(last, tc.says) {
				t.Errorf("exit %d, want %d and %q; stderr:\n%s", code, tc.code, tc.says, &stderr)
			}
			if got, want := strings.HasSuffix(stdout.String(), skipped), strings.HasPrefix(tc.says, notRun); got != want {
				t.Errorf("it says that it was skipped: %t, want %t; stdout:\n%s", got, want, &stdout)
			}
		})
	}
}
