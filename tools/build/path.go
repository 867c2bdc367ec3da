package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/semver"
)

// findOnPath looks for a tool that the user already has: the first on the PATH
// that is not one of our own links. It serves if it has the same major version
// and is not older than the pin. Otherwise why says what is wrong with it; it
// is empty when there is none.
func findOnPath(ctx context.Context, t tool, pin, path string, ours []string,
	ask func(ctx context.Context, file string, args []string) (string, error),
) (file, version, why string) {
	for _, dir := range filepath.SplitList(path) {
		// An empty entry or a relative one means "here", and here is the checkout.
		if !filepath.IsAbs(dir) {
			continue
		}
		candidate := filepath.Join(dir, t.file()+exe())
		if !executable(candidate) || isOurs(candidate, ours) {
			continue
		}
		v, err := ask(ctx, candidate, t.version)
		if err != nil {
			return "", "", fmt.Sprintf("%s does not say its version: %v", candidate, err)
		}
		if err := serves(v, pin); err != nil {
			return "", "", fmt.Sprintf("%s %v", candidate, err)
		}
		return candidate, v, ""
	}
	return "", "", ""
}

// serves says why a version cannot stand in for the pinned one, or nil.
func serves(version, pin string) error {
	switch {
	case !semver.IsValid(version):
		return fmt.Errorf("reports %q, which is not a version", version)
	case semver.Major(version) != semver.Major(pin):
		return fmt.Errorf("is %s, and not %s", version, semver.Major(pin))
	case semver.Compare(version, pin) < 0:
		return fmt.Errorf("is %s, and at least %s is needed", version, pin)
	}
	return nil
}

func executable(file string) bool {
	info, err := os.Stat(file)
	return err == nil && info.Mode().IsRegular() && (info.Mode()&0o111 != 0 || exe() != "")
}

func isOurs(file string, ours []string) bool {
	// Where the file leads to counts, and where it lies: bin/ may hold a link
	// to a Pulumi from elsewhere, which is then found there.
	target, err := filepath.EvalSymlinks(file)
	if err != nil {
		return true // it leads nowhere, or not yet
	}
	place, err := filepath.EvalSymlinks(filepath.Dir(file))
	if err != nil {
		return true
	}
	for _, dir := range ours {
		if dir == "" {
			continue
		}
		if r, err := filepath.EvalSymlinks(dir); err == nil {
			dir = r
		}
		if within(target, dir) || within(place, dir) {
			return true
		}
	}
	return false
}

func within(file, dir string) bool {
	rel, err := filepath.Rel(dir, file)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}
