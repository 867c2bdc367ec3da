package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/blang/semver"

	"freehold.dev/freehold/internal/cli"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/lifecycle"
	"freehold.dev/freehold/internal/sandbox/controlplane"
)

// oldest is the first Pulumi CLI that the engine is tested with.
var oldest = semver.MustParse("3.250.0")

// findPulumi returns the CLI that make build made or linked, or the one on PATH.
func findPulumi(ctx context.Context) (string, semver.Version, error) {
	path, err := controlplane.FindTool("pulumi")
	if err != nil {
		return "", semver.Version{}, err
	}
	out, err := exec.CommandContext(ctx, path, "version").Output()
	if err != nil {
		return "", semver.Version{}, fmt.Errorf("ask %s for its version: %w", path, err)
	}
	v, err := semver.ParseTolerant(strings.TrimSpace(string(out)))
	if err != nil {
		return "", semver.Version{}, fmt.Errorf("read the version of %s: %w", path, err)
	}
	if v.LT(oldest) || v.Major != oldest.Major {
		return "", v, fmt.Errorf("%s is version %s; freehold needs %s or newer, below 4: run make build", path, v, oldest)
	}
	return path, v, nil
}

func pulumiVersion(ctx context.Context) string {
	path, v, err := findPulumi(ctx)
	if err != nil {
		return ""
	}
	return "v" + v.String() + " (" + path + ")"
}

// doctor looks at everything that a run needs.
func doctor(ctx context.Context, o cli.Options, home string, cl lifecycle.Management) []event.Check {
	var out []event.Check
	add := func(name, fix, detail string, err error) { out = append(out, check(name, fix, detail, err)) }
	path, v, err := findPulumi(ctx)
	add("Pulumi CLI", "make build", fmt.Sprintf("v%s, %s", v, path), err)
	switch o.Cloud {
	case cli.CloudAWS:
		out = append(out, doctorAWS(ctx, cl)...)
	case cli.CloudSandbox:
		for _, name := range []string{"freehold-kube", "namespace-controller"} {
			path, err := controlplane.FindTool(name)
			add(name, "make build", path, err)
		}
	}
	add("home", "mkdir -p "+home+" && chmod 700 "+home, home, writable(home))
	return out
}

// check is one finding of doctor: a detail, or what is wrong and the command that fixes it.
func check(name, fix, detail string, err error) event.Check {
	if err != nil {
		return event.Check{Name: name, Detail: err.Error(), Fix: fix}
	}
	return event.Check{Name: name, OK: true, Detail: detail}
}

// writable tries what every run does: write a file, and read it back.
func writable(dir string) error {
	f, err := os.CreateTemp(dir, ".doctor-")
	if err != nil {
		return fmt.Errorf("%s cannot be written: %w", dir, err)
	}
	return errors.Join(f.Close(), os.Remove(filepath.Join(dir, filepath.Base(f.Name()))))
}
