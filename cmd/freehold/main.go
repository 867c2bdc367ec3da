// Command freehold gives every customer a data plane of their own. main wires
// and exits; it is the only place that knows every package.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"freehold.dev/freehold/internal/cli"
	"freehold.dev/freehold/internal/crossguard"
	"freehold.dev/freehold/internal/environ"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/watchdog"
	"freehold.dev/freehold/stacks"
)

// version and commit are set by the linker in a release.
var version, commit = "dev", ""

func main() {
	if crossguard.Serves(os.Args[0]) {
		os.Exit(serveRules(os.Args, os.Stdout, os.Stderr))
	}
	if watchdog.Serves(os.Args[0]) {
		os.Exit(watch(os.Stdin, os.Stdout, os.Stderr))
	}
	if layer, ok := programOf(os.Getenv); ok {
		pulumi.Run(stacks.Program(layer))
		return
	}
	if err := findable(); err != nil {
		fmt.Fprintf(os.Stderr, "freehold: %v\n", err)
		os.Exit(1)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The first signal asks for an end in order; after it, another one ends the
	// process as it would any other. One that comes along with the first is the
	// same request: some runners signal a whole group of processes, and a script
	// in it hands its signal on. Nothing else lets go of the signals, so that one
	// of these that comes as the process exits leaves its status what it is.
	context.AfterFunc(ctx, func() { time.AfterFunc(time.Second, stop) })
	dropped := withoutSettings(os.Environ())
	env := cli.OS()
	env.Wire = func(ctx context.Context, o cli.Options) (cli.Services, error) { return wire(ctx, o, dropped) }
	env.Records = openRecords
	env.Remote, env.ServerOrg, env.Logins = openRemote, serverOrg, openLogins
	env.Registry = func(o cli.Options) cli.RegistryAdmin { return registryAdmin{o} }
	env.Version = cli.VersionInfo{Version: version, Commit: commit, Pulumi: pulumiVersion}
	os.Exit(cli.Run(ctx, os.Args[1:], env))
}

// findable puts this program's folder on the PATH of all that it starts. A
// stack's state names it, as the plugin of a cluster's kubeconfig, without its
// folder: each machine that goes on with the stack finds its own.
func findable() error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this executable: %w", err)
	}
	return os.Setenv("PATH", filepath.Dir(self)+string(os.PathListSeparator)+os.Getenv("PATH"))
}

// withoutSettings takes Pulumi's settings out of this process's environment, but
// for those that say where something is, and returns their names. Programs run
// inside of this process, where the SDK would read them.
func withoutSettings(environment []string) []string {
	dropped := environ.Dropped(environment, environ.Pulumi, environ.Service)
	for _, name := range dropped {
		_ = os.Unsetenv(name) // it fails for what is no name, and then nothing has it
	}
	return dropped
}

// programOf reports whether the Pulumi CLI runs this binary as a stack's
// program, and of which layer: that is the escape hatch of Pulumi.yaml. The
// language host sets PULUMI_MONITOR for a program and for nothing else.
func programOf(getenv func(string) string) (plan.Layer, bool) {
	if getenv("PULUMI_MONITOR") == "" {
		return "", false
	}
	stack := getenv("PULUMI_STACK")
	return plan.Layer(stack[strings.LastIndex(stack, ".")+1:]), true
}
