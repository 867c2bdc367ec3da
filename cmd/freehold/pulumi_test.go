package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"freehold.dev/freehold/internal/sandbox/controlplane"
)

func TestThePulumiCLIIsAskedForItsVersionOnce(t *testing.T) {
	dir, home := t.TempDir(), t.TempDir()
	t.Setenv(controlplane.ToolsVariable, dir)
	p := pulumiCLI{file: filepath.Join(home, "pulumi-version.json")}
	cli, asked := filepath.Join(dir, "pulumi"), filepath.Join(dir, "asked")
	write := func(file, version string) {
		t.Helper()
		script := fmt.Sprintf("#!/bin/sh\necho asked >>%s\necho v%s\n", asked, version)
		if err := os.WriteFile(file, []byte(script), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	times := func() int {
		raw, err := os.ReadFile(asked)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Count(string(raw), "asked")
	}
	want := func(version string, n int) {
		t.Helper()
		path, v, err := p.find(t.Context())
		if err != nil || v.String() != version || path != cli {
			t.Errorf("%s %s (%v), want version %s of %s", path, v, err, version, cli)
		}
		if got := times(); got != n {
			t.Errorf("it was asked %d times, want %d", got, n)
		}
	}

	// A version manager's script stays as it is when the version changes.
	write(cli, "3.250.0")
	want("3.250.0", 1)
	want("3.250.0", 2)
	if _, err := os.Stat(p.file); !os.IsNotExist(err) {
		t.Errorf("a script's answer is kept (%v)", err)
	}

	// So does another program that is called by the name.
	manager := filepath.Join(dir, "manager")
	if err := os.Rename(cli, manager); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(manager, cli); err != nil {
		t.Fatal(err)
	}
	want("3.250.0", 3)
	if _, err := os.Stat(p.file); !os.IsNotExist(err) {
		t.Errorf("another program's answer is kept (%v)", err)
	}
}

func TestAKeptVersionIsThatOfTheSameFileOnly(t *testing.T) {
	echo, err := exec.LookPath("echo")
	if err != nil {
		t.Skip("NOT TESTED: there is no program echo to stand for the CLI")
	}
	program, err := os.ReadFile(echo)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cli := filepath.Join(dir, "pulumi")
	if err := os.WriteFile(cli, program, 0o700); err != nil {
		t.Fatal(err)
	}
	p := pulumiCLI{file: filepath.Join(dir, "pulumi-version.json")}
	if v, err := p.version(t.Context(), cli); v != "version" || err != nil { // echo says what it is asked
		t.Fatalf("it says %q (%v)", v, err)
	}
	same, err := os.Stat(cli)
	if err != nil {
		t.Fatal(err)
	}
	kept, err := os.ReadFile(p.file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(cli, 0o600); err != nil { // from now on it cannot be asked
		t.Fatal(err)
	}
	if v, err := p.version(t.Context(), cli); v != "version" || err != nil {
		t.Errorf("the kept version is %q (%v)", v, err)
	}
	for reason, change := range map[string]func() error{
		"the file was written again": func() error { return os.Chtimes(cli, time.Time{}, same.ModTime().Add(time.Second)) },
		"the file has another size":  func() error { return os.Truncate(cli, same.Size()-1) },
		"what was kept is cut off":   func() error { return os.WriteFile(p.file, kept[:len(kept)/2], 0o600) },
		"no version was kept": func() error {
			return os.WriteFile(p.file, []byte(strings.Replace(string(kept), `"version":"version"`, `"version":""`, 1)), 0o600)
		},
	} {
		t.Run(reason, func(t *testing.T) {
			if err := errors.Join(
				os.WriteFile(cli, program, 0o600), os.Chtimes(cli, time.Time{}, same.ModTime()), os.WriteFile(p.file, kept, 0o600), change(),
			); err != nil {
				t.Fatal(err)
			}
			if v, err := p.version(t.Context(), cli); err == nil {
				t.Errorf("it was not asked again: %q", v)
			}
		})
	}
}
