package controlplane

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"freehold.dev/freehold/internal/wholefile"
)

// record is what is kept of a cluster: cluster.json.
type record struct {
	Cluster
	Version string `json:"version"`
	Issuer  string `json:"issuer"`
	// Port is the public endpoint's, the same for as long as the cluster exists.
	Port int `json:"port"`
	// IdentityProvider is whose tokens are believed beside the cluster's own.
	IdentityProvider *IdentityProvider `json:"identityProvider,omitempty"`
}

func (r record) url() string { return fmt.Sprintf("https://127.0.0.1:%d", r.Port) }

// phase is what a supervisor is doing.
type phase string

const (
	phaseStarting phase = "starting"
	phaseReady    phase = "ready"
	phaseAsleep   phase = "asleep" // it listens, and its children are ended or about to be
	phaseStopping phase = "stopping"
	phaseFailed   phase = "failed"
)

// status is what a supervisor tells of itself: supervisor.json. It is true
// while its process lives, and after a kill -9 it names the leftovers.
type status struct {
	process
	Phase phase `json:"phase"`
	// Unused is since when nobody has used the cluster; zero: somebody does.
	Unused   time.Time `json:"unused,omitzero"`
	Message  string    `json:"message,omitempty"`
	Children []process `json:"children,omitempty"`
}

// readJSON reads a file that writeJSON wrote; a missing one wraps fs.ErrNotExist.
func readJSON[T any](file string) (T, error) {
	var v T
	b, err := os.ReadFile(file)
	if err != nil {
		return v, err
	}
	if err := json.Unmarshal(b, &v); err != nil {
		return v, fmt.Errorf("read %s: %w", file, err)
	}
	return v, nil
}

func readRecord(f files) (record, error) {
	r, err := readJSON[record](f.record())
	if errors.Is(err, fs.ErrNotExist) {
		return r, fmt.Errorf("%w: %s", ErrNotFound, f.dir)
	}
	return r, err
}

func writeJSON(file string, v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("encode %s: %w", file, err)
	}
	return writeFile(file, append(b, '\n'))
}

// writeFile replaces a file whole, and makes its folder.
func writeFile(file string, b []byte) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	return wholefile.Replace(file, b)
}
