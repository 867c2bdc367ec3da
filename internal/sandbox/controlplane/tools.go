package controlplane

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"freehold.dev/freehold/internal/environ"
)

// The binaries that a supervisor runs.
const (
	kubeBinary       = "freehold-kube"
	controllerBinary = "namespace-controller"
)

// ToolsVariable names the folder in which binaries are looked for first.
const ToolsVariable = "FREEHOLD_TOOLS"

// FindTool returns the path of a binary that is built beside freehold: in the
// folder that ToolsVariable names, else beside this executable, else on PATH.
func FindTool(name string) (string, error) {
	if dir := os.Getenv(ToolsVariable); dir != "" {
		file := filepath.Join(dir, name)
		if executable(file) {
			return file, nil
		}
	}
	if self, err := os.Executable(); err == nil {
		if file := filepath.Join(filepath.Dir(self), name); executable(file) {
			return file, nil
		}
	}
	file, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("%s is not there (looked in $%s, beside freehold and on PATH): run `make build`", name, ToolsVariable)
	}
	return filepath.Abs(file)
}

func executable(file string) bool {
	info, err := os.Stat(file)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

// environment is that of a supervisor and of its children. The caller's cloud
// credentials and Pulumi passphrase are not in it: a process that outlives its
// caller must not keep them. The authorities that the machine trusts are: an
// identity provider's certificate is held to them.
func environment(more ...string) []string {
	return append(environ.Passed(os.Environ()), more...)
}
