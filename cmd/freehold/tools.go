package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"freehold.dev/freehold/internal/cli"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/lifecycle"
	"freehold.dev/freehold/internal/localhost"
	"freehold.dev/freehold/internal/sandbox/controlplane"
)

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
	add("other users", "", otherUsers(localhost.GuardKnown()), nil)
	add("home", "mkdir -p "+home+" && chmod 700 "+home, home, writable(home))
	return out
}

// otherUsers says whether users of this machine are kept away from what a run serves.
// It is no problem of a machine that has one user, so nothing is missing.
func otherUsers(err error) string {
	if err != nil {
		return fmt.Sprintf("NOT kept away from what a run serves here: do not run Freehold where anybody else can log in (docs/aws.md, section 3): %v", err)
	}
	return "kept away from what a run serves on this machine"
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
