package conformance_test

import (
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
			m := newMachine(t)
			kit := filepath.Join(m.dir, "kit")
			if err := os.MkdirAll(filepath.Join(kit, "awsbridge"), 0o700); err != nil {
				t.Fatal(err)
			}
			for _, tool := range tc.has {
				m.script(filepath.Join(m.bin, tool), "exit 1")
			}
			if tc.kit != "" {
				m.script(filepath.Join(kit, "awsbridge", "build.sh"), builds[tc.kit])
			}
			code, stdout, stderr := m.run("conformance.sh", "CI="+tc.ci, "FREEHOLD_CONFORMANCE_KIT="+kit)
			if last := stderr[len(stderr)-1]; code != tc.code || !strings.HasPrefix(last, tc.says) {
				t.Errorf("exit %d, want %d and %q; stderr:\n%s", code, tc.code, tc.says, strings.Join(stderr, "\n"))
			}
			if got, want := strings.HasSuffix(stdout, skipped), strings.HasPrefix(tc.says, notRun); got != want {
				t.Errorf("it says that it was skipped: %t, want %t; stdout:\n%s", got, want, stdout)
			}
		})
	}
}

// The independent IAM simulator is skipped for want of node or of a registry, and in
// CI for no other reason.
func TestTheSimulatorIsSkippedForWhatIsMissingOnly(t *testing.T) {
	const (
		skipped = "conformance: SKIPPED: no independent IAM simulator was asked\n"
		notRun  = "conformance: NOT RUN: the independent IAM simulator: "
		failed  = "conformance: FAILED: the independent IAM simulator: "
	)
	for name, tc := range map[string]struct {
		ci   string
		has  map[string]string
		code int
		says string // the start of standard error's last line
		asks bool
	}{
		"without node":                        {ci: "true", says: notRun + "there is no node"},
		"without npm":                         {ci: "true", has: map[string]string{"node": "exit 1"}, says: notRun + "there is no npm"},
		"without a registry":                  {ci: "true", has: map[string]string{"node": "exit 1", "npm": "exit 1"}, says: notRun + "no npm registry can be reached"},
		"with a registry that lacks it":       {has: map[string]string{"node": "exit 1", "npm": `[ "$1" = ping ]`}, says: notRun + "npm ci failed"},
		"with a registry that lacks it in CI": {ci: "true", has: map[string]string{"node": "exit 1", "npm": `[ "$1" = ping ]`}, code: 1, says: failed + "npm ci failed"},
		"with everything":                     {ci: "true", has: map[string]string{"node": "exit 1", "npm": "exit 0"}, asks: true},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t)
			asked := filepath.Join(m.dir, "asked")
			m.script(filepath.Join(m.bin, "go"), `[ -d "$FREEHOLD_ORACLE" ] && echo "$@" >'`+asked+`'`)
			for tool, text := range tc.has {
				m.script(filepath.Join(m.bin, tool), text)
			}
			code, stdout, stderr := m.run("oracle.sh", "CI="+tc.ci)
			if last := stderr[len(stderr)-1]; code != tc.code || !strings.HasPrefix(last, tc.says) {
				t.Errorf("exit %d, want %d and %q; stderr:\n%s", code, tc.code, tc.says, strings.Join(stderr, "\n"))
			}
			if got, want := strings.HasSuffix(stdout, skipped), strings.HasPrefix(tc.says, notRun); got != want {
				t.Errorf("it says that it was skipped: %t, want %t; stdout:\n%s", got, want, stdout)
			}
			if _, err := os.Stat(asked); (err == nil) != tc.asks {
				t.Errorf("it was asked: %t, want %t", err == nil, tc.asks)
			}
		})
	}
}

// machine is a user's machine, of which a script sees what a test puts on it.
type machine struct {
	t        *testing.T
	dir, bin string
}

// newMachine has a shell and its usual tools. Its go knows the provider's version,
// and runs no test.
func newMachine(t *testing.T) machine {
	t.Helper()
	m := machine{t: t, dir: t.TempDir()}
	m.bin = filepath.Join(m.dir, "bin")
	if err := os.Mkdir(m.bin, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, tool := range []string{"sh", "dirname", "mkdir", "cat", "touch", "chmod", "mktemp", "rm", "cp", "mv", "cksum", "cut"} {
		path, err := exec.LookPath(tool)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(path, filepath.Join(m.bin, tool)); err != nil {
			t.Fatal(err)
		}
	}
	m.script(filepath.Join(m.bin, "go"), `[ "$1" != list ] || echo v6.0.0`)
	return m
}

func (m machine) script(file, text string) {
	m.t.Helper()
	if err := os.WriteFile(file, []byte("#!/bin/sh\n"+text+"\n"), 0o700); err != nil { //nolint:gosec // it is run
		m.t.Fatal(err)
	}
}

// run runs a script of tools/, and returns what it wrote, by lines where that counts.
func (m machine) run(name string, env ...string) (code int, stdout string, stderr []string) {
	m.t.Helper()
	c := exec.CommandContext(m.t.Context(), filepath.Join(m.bin, "sh"), filepath.Join("..", "..", "tools", name))
	c.Env = append([]string{"PATH=" + m.bin, "HOME=" + m.dir, "TMPDIR=" + m.dir, "FREEHOLD_CACHE=" + filepath.Join(m.dir, "cache")}, env...)
	var out, err strings.Builder
	c.Stdout, c.Stderr = &out, &err
	if err := c.Run(); err != nil && c.ProcessState == nil {
		m.t.Fatal(err)
	}
	return c.ProcessState.ExitCode(), out.String(), strings.Split(strings.TrimSpace(err.String()), "\n")
}
