package controlplane

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
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

// inherited are the variables that reach a supervisor and its children. The
// caller's cloud credentials and Pulumi passphrase are not among them: a
// process that outlives its caller must not keep them.
// The authorities that the machine trusts are: an identity provider's
// certificate is held to them.
var inherited = []string{
	"PATH", "HOME", "TMPDIR", "LANG", "USER", "GOCOVERDIR", "XDG_DATA_HOME", "XDG_CACHE_HOME", "SSL_CERT_FILE", "SSL_CERT_DIR", "GOGC", ToolsVariable,
}

func environment(more ...string) []string {
	var env []string
	for _, name := range inherited {
		if v, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+v)
		}
	}
	return append(env, more...)
}
