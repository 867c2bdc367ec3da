package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"freehold.dev/freehold/internal/sandbox/controlplane"
)

func TestAVersionManagersCLIIsAskedEachTime(t *testing.T) {
	dir := t.TempDir()
	t.Setenv(controlplane.ToolsVariable, dir)
	p := pulumiIn(t.TempDir())
	cli, asked := filepath.Join(dir, "pulumi"), filepath.Join(dir, "asked")
	script := fmt.Sprintf("#!/bin/sh\necho asked >>%s\necho v3.250.0\n", asked)
	if err := os.WriteFile(cli, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	want := func(times int) {
		t.Helper()
		path, v, err := p.find(t.Context())
		if err != nil || v.String() != "3.250.0" || path != cli {
			t.Errorf("%s %s (%v), want version 3.250.0 of %s", path, v, err, cli)
		}
		raw, err := os.ReadFile(asked)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Count(string(raw), "asked"); got != times {
			t.Errorf("it was asked %d times, want %d", got, times)
		}
		if _, err := os.Stat(p.file); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("its answer is kept (%v)", err)
		}
	}

	// A script stays as it is when the version changes.
	want(1)
	want(2)

	// So does another program that is called by the name.
	manager := filepath.Join(dir, "manager")
	if err := errors.Join(os.Rename(cli, manager), os.Symlink(manager, cli)); err != nil {
		t.Fatal(err)
	}
	want(3)
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
	p := pulumiIn(dir)
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
