package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/blang/semver"

	"freehold.dev/freehold/internal/environ"
	"freehold.dev/freehold/internal/sandbox/controlplane"
)

// oldest is the first Pulumi CLI that the engine is tested with.
var oldest = semver.MustParse("3.250.0")

// findPulumi returns the CLI that make build made or linked, or the one on PATH.
func findPulumi(ctx context.Context) (string, semver.Version, error) {
	return pulumiCLI{}.find(ctx)
}

// pulumiCLI finds the Pulumi CLI. Starting it only to ask for its version costs
// every command a fifth of a second, so the answer is kept in a file.
type pulumiCLI struct {
	// file keeps the last answer; empty: the CLI is always asked.
	file string
}

// pulumiIn finds the CLI for what runs in a home, which keeps the answer.
func pulumiIn(home string) pulumiCLI {
	return pulumiCLI{file: filepath.Join(home, "pulumi-version.json")}
}

// identity is what tells one CLI from another.
type identity struct {
	Path     string `json:"path"`
	Size     int64  `json:"size"`
	Modified int64  `json:"modified"` // in nanoseconds since 1970
}

// answer is what a CLI said of its version, and which CLI that was.
type answer struct {
	identity
	Version string `json:"version"`
}

// find returns the CLI's path and version. It fails for a CLI that is too old.
func (p pulumiCLI) find(ctx context.Context) (string, semver.Version, error) {
	path, err := controlplane.FindTool("pulumi")
	if err != nil {
		return "", semver.Version{}, err
	}
	said, err := p.version(ctx, path)
	if err != nil {
		return "", semver.Version{}, fmt.Errorf("ask %s for its version: %w", path, err)
	}
	v, err := semver.ParseTolerant(said)
	if err != nil {
		return "", semver.Version{}, fmt.Errorf("read the version of %s: %w", path, err)
	}
	if v.LT(oldest) || v.Major != oldest.Major {
		return "", v, fmt.Errorf("%s is version %s; freehold needs %s or newer, below 4: run make build", path, v, oldest)
	}
	return path, v, nil
}

// version is the CLI's own answer, or the kept one where it is the same file.
func (p pulumiCLI) version(ctx context.Context, path string) (string, error) {
	cli, ok := identify(path)
	keeps := ok && p.file != ""
	if keeps {
		var kept answer
		raw, err := os.ReadFile(p.file)
		if err == nil && json.Unmarshal(raw, &kept) == nil && kept.identity == cli && kept.Version != "" {
			return kept.Version, nil
		}
	}
	cmd := exec.CommandContext(ctx, path, "version")
	cmd.Env = append(environ.Passed(os.Environ(), environ.Pulumi), "PULUMI_SKIP_UPDATE_CHECK=true")
	out, err := cmd.Output()
	if err != nil {
		return "", err
	}
	said := strings.TrimSpace(string(out))
	if keeps {
		if raw, err := json.Marshal(answer{cli, said}); err == nil {
			_ = os.WriteFile(p.file, raw, 0o600) // without it, the next command asks again
		}
	}
	return said, nil
}

// identify reports false for a file that starts another program, as those of
// version managers do: it stays the same when the version changes.
func identify(path string) (identity, bool) {
	actual, err := filepath.EvalSymlinks(path)
	if err != nil || strings.TrimSuffix(filepath.Base(actual), ".exe") != "pulumi" {
		return identity{}, false
	}
	f, err := os.Open(actual)
	if err != nil {
		return identity{}, false
	}
	defer func() { _ = f.Close() }()
	magic := make([]byte, 2)
	if _, err := io.ReadFull(f, magic); err != nil || string(magic) == "#!" {
		return identity{}, false
	}
	info, err := f.Stat()
	if err != nil {
		return identity{}, false
	}
	return identity{Path: actual, Size: info.Size(), Modified: info.ModTime().UnixNano()}, true
}
