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
	"time"

	"github.com/blang/semver"

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

// answer is what a CLI said of its version, and which file that CLI was.
type answer struct {
	Path     string    `json:"path"`
	Size     int64     `json:"size"`
	Modified time.Time `json:"modified"`
	Version  string    `json:"version"`
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
	now, same := identify(path)
	if same && p.file != "" {
		var kept answer
		raw, err := os.ReadFile(p.file)
		if err == nil && json.Unmarshal(raw, &kept) == nil && kept.Version != "" {
			if now.Version = kept.Version; now == kept {
				return kept.Version, nil
			}
		}
	}
	out, err := exec.CommandContext(ctx, path, "version").Output()
	if err != nil {
		return "", err
	}
	now.Version = strings.TrimSpace(string(out))
	if same && p.file != "" {
		if raw, err := json.Marshal(now); err == nil {
			_ = os.WriteFile(p.file, raw, 0o600) // without it, the next command asks again
		}
	}
	return now.Version, nil
}

// identify returns what tells one CLI from another. It reports false for a file
// that starts another program, as those of version managers do: it stays the
// same when the version changes.
func identify(path string) (answer, bool) {
	actual, err := filepath.EvalSymlinks(path)
	if err != nil || strings.TrimSuffix(filepath.Base(actual), ".exe") != "pulumi" {
		return answer{}, false
	}
	f, err := os.Open(actual)
	if err != nil {
		return answer{}, false
	}
	defer func() { _ = f.Close() }()
	magic := make([]byte, 2)
	if _, err := io.ReadFull(f, magic); err != nil || string(magic) == "#!" {
		return answer{}, false
	}
	info, err := f.Stat()
	if err != nil {
		return answer{}, false
	}
	return answer{Path: actual, Size: info.Size(), Modified: info.ModTime().UTC()}, true
}
