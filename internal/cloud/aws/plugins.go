package aws

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"

	"freehold.dev/freehold/internal/cloud"
)

// sdks are the Go modules whose resources the programs make, by the plugin that
// serves them.
var sdks = []struct{ plugin, module string }{
	{"aws", "github.com/pulumi/pulumi-aws/sdk/v6"},
	{"eks", "github.com/pulumi/pulumi-eks/sdk/v3"},
	{"kubernetes", "github.com/pulumi/pulumi-kubernetes/sdk/v4"},
}

// attached is Pulumi's own variable: providers that are served already.
const attached = "PULUMI_DEBUG_PROVIDERS"

// Plugin is one provider plugin that the engine needs.
type Plugin struct {
	Name    string // "aws"
	Version string // "6.83.0", that of the SDK that the programs are built with
	Path    string // empty: not found
}

// Install is the command that installs the plugin.
func (p Plugin) Install() string {
	return fmt.Sprintf("pulumi plugin install resource %s %s", p.Name, p.Version)
}

// Plugins looks for the provider plugins as the engine does: attached, on PATH,
// or in Pulumi's cache in the version of the SDK.
func Plugins() ([]Plugin, error) {
	build, ok := debug.ReadBuildInfo()
	if !ok {
		return nil, errors.New("this binary was built without module information")
	}
	versions := map[string]string{}
	for _, m := range build.Deps {
		versions[m.Path] = strings.TrimPrefix(m.Version, "v")
	}
	cache, err := pluginCache()
	if err != nil {
		return nil, err
	}
	out := make([]Plugin, 0, len(sdks))
	for _, sdk := range sdks {
		p := Plugin{Name: sdk.plugin, Version: versions[sdk.module]}
		binary := "pulumi-resource-" + p.Name
		for spec := range strings.SplitSeq(os.Getenv(attached), ",") {
			if name, port, ok := strings.Cut(spec, ":"); ok && name == p.Name {
				p.Path = "attached at port " + port
			}
		}
		if p.Path == "" {
			if path, err := exec.LookPath(binary); err == nil {
				p.Path = path
			}
		}
		if p.Path == "" {
			path := filepath.Join(cache, fmt.Sprintf("resource-%s-v%s", p.Name, p.Version), binary)
			_, err := os.Stat(path)
			switch {
			case err == nil:
				p.Path = path
			case !errors.Is(err, fs.ErrNotExist):
				return nil, fmt.Errorf("look for the plugin %s: %w", p.Name, err)
			}
		}
		out = append(out, p)
	}
	return out, nil
}

// pluginCache is where Pulumi keeps plugins.
// https://www.pulumi.com/docs/iac/cli/environment-variables/
func pluginCache() (string, error) {
	if home := os.Getenv("PULUMI_HOME"); home != "" {
		return filepath.Join(home, "plugins"), nil
	}
	user, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("look for Pulumi's plugins: %w", err)
	}
	return filepath.Join(user, ".pulumi", "plugins"), nil
}

// ErrNoPlugin is wrapped when a provider plugin is not installed.
var ErrNoPlugin = errors.New("a provider plugin is missing")

// ProviderEnv looks for the plugins before a run is begun, and keeps the engine
// from fetching any in the middle of one: a run takes minutes of a session, a
// plugin hundreds of megabytes, and what runs with an org's credentials is for
// the operator to install. Nobody is asked before a change: the plugins are
// processes of their own, which end with the run that they work for.
func (c *Cloud) ProviderEnv(context.Context, cloud.May) (map[string]string, error) {
	plugins, err := Plugins()
	if err != nil {
		return nil, err
	}
	var missing []string
	for _, p := range plugins {
		if p.Path == "" {
			missing = append(missing, p.Install())
		}
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("%w: run %s", ErrNoPlugin, strings.Join(missing, " && "))
	}
	return map[string]string{"PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true"}, nil
}
