package main

import (
	"context"
	"debug/buildinfo"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

const (
	pulumiPackage = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
	pulumiModule  = "github.com/pulumi/pulumi/pkg/v3"
)

// pulumiVersion puts the version into the CLI. The Automation API asks for it, and
// refuses a CLI without one.
func pulumiVersion(ctx context.Context, o options) (string, error) {
	modules, err := modules(ctx, filepath.Join(o.repo, "tools"))
	if err != nil {
		return "", err
	}
	return "-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=" + modules[pulumiModule], nil
}

// goCommand is the go command, with everything said that the environment may
// say about the code that it makes.
func goCommand(ctx context.Context, dir string, p v1.Platform, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+p.OS, "GOARCH="+p.Architecture)
	for _, s := range generation {
		cmd.Env = append(cmd.Env, s.name+"="+s.value)
	}
	return cmd
}

var generation = []struct{ name, value string }{
	{"GOFLAGS", "-mod=readonly"}, {"GOAMD64", "v1"}, {"GOARM64", "v8.0"}, {"GOEXPERIMENT", ""}, {"GODEBUG", ""}, {"GOFIPS140", "off"}, {"GOWORK", "off"},
}

// modules are the versions that a module is built with.
func modules(ctx context.Context, dir string) (map[string]string, error) {
	cmd := goCommand(ctx, dir, platforms[0], "list", "-m", "-f", `{{.Path}} {{if .Replace}}{{or .Replace.Version .Version}}{{else}}{{.Version}}{{end}}`, "all")
	out, err := cmd.Output()
	if err != nil {
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			err = fmt.Errorf("%w: %s", err, exit.Stderr)
		}
		return nil, fmt.Errorf("list the modules of %s: %w", dir, err)
	}
	all := map[string]string{}
	for line := range strings.Lines(string(out)) {
		if path, version, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			all[path] = version
		}
	}
	return all, nil
}

// differs returns in what a program that is there differs from the one that
// compile would make; empty if in nothing.
func (pr program) differs(ctx context.Context, o options, p v1.Platform, file string) (string, error) {
	info, err := buildinfo.ReadFile(file)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return "it does not exist", nil
		}
		return err.Error(), nil
	}
	version, err := goCommand(ctx, filepath.Join(o.repo, pr.module), p, "env", "GOVERSION").Output()
	if err != nil {
		return "", fmt.Errorf("ask Go for its version: %w", err)
	}
	if want := strings.TrimSpace(string(version)); info.GoVersion != want {
		return fmt.Sprintf("it was built by %s, not %s", info.GoVersion, want), nil
	}
	if info.Path != pr.pkg {
		return fmt.Sprintf("it was built from %s, not from %s", info.Path, pr.pkg), nil
	}
	got := map[string]string{}
	for _, s := range info.Settings {
		got[s.Key] = s.Value
	}
	want := []struct{ name, value string }{
		{"GOOS", p.OS}, {"GOARCH", p.Architecture}, {"-trimpath", "true"}, {"CGO_ENABLED", "0"},
	}
	for _, s := range generation {
		// A program says the generation of its own processor only.
		if s.name == "GO"+strings.ToUpper(p.Architecture) {
			want = append(want, s)
		}
	}
	for _, w := range want {
		if got[w.name] != w.value {
			return fmt.Sprintf("it was built with %s=%q, not %q", w.name, got[w.name], w.value), nil
		}
	}
	pinned, err := modules(ctx, filepath.Join(o.repo, pr.module))
	if err != nil {
		return "", err
	}
	for _, m := range append(info.Deps, &info.Main) {
		at := m.Version
		if m.Replace != nil {
			if at = m.Replace.Version; at == "" || at == "(devel)" {
				return fmt.Sprintf("it was built with %s from a folder", m.Path), nil
			}
		}
		if pinned[m.Path] != at {
			return fmt.Sprintf("it was built with %s %s, not %s", m.Path, at, pinned[m.Path]), nil
		}
	}
	return "", nil
}
