package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"golang.org/x/mod/semver"
)

// A tool is one program of another project (or, for kube, our few lines around
// theirs), built from the sources that a go.mod of this repository pins.
type tool struct {
	name    string                      // what people call it, and its part of the cache
	binary  string                      // file name, when it is not the name
	aliases []string                    // further names to link; the program looks at the name it is called by
	module  string                      // folder of the go.mod that pins it, in the tools module
	pkg     string                      // the main package
	source  string                      // folder of our own code in it, which is a part of the key
	pin     string                      // the required module whose version is the tool's version
	ldflags func(version string) string // what the linker is told
	version []string                    // arguments that print the version
	onPath  bool                        // one that is on the PATH serves as well, if it is new enough
	fetched bool                        // it is not built, and nothing that Freehold runs needs it: see postgres.go
}

var tools = []tool{
	{
		name: "pulumi",
		pkg:  "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
		pin:  "github.com/pulumi/pulumi/pkg/v3",
		ldflags: func(v string) string {
			// The Automation API asks for the version, and refuses a CLI without one.
			return "-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=" + v
		},
		version: []string{"version"},
		onPath:  true,
	},
	{
		name:    "kube",
		binary:  "freehold-kube",
		aliases: []string{"kubectl"},
		pkg:     "./kube",
		source:  "kube",
		pin:     "k8s.io/kubernetes",
		ldflags: kubeLDFlags,
		version: []string{"version"},
	},
	// The linters live in a module of their own: they share hundreds of modules
	// with the tools above at other versions, and a newer linter must not
	// change, or rebuild, a control plane.
	{
		name:    "lint",
		binary:  "golangci-lint",
		module:  "lint",
		pkg:     "github.com/golangci/golangci-lint/v2/cmd/golangci-lint",
		pin:     "github.com/golangci/golangci-lint/v2",
		ldflags: func(v string) string { return "-s -w -X main.version=" + strings.TrimPrefix(v, "v") },
		version: []string{"version"},
	},
	{
		name:    "vuln",
		binary:  "govulncheck",
		module:  "lint",
		pkg:     "golang.org/x/vuln/cmd/govulncheck",
		pin:     "golang.org/x/vuln",
		ldflags: stripped,
	},
	// What reads protobuf definitions and writes code.
	{name: "buf", module: "proto", pkg: "github.com/bufbuild/buf/cmd/buf", pin: "github.com/bufbuild/buf", ldflags: stripped, version: []string{"--version"}},
	{name: "protoc-gen-go", module: "proto", pkg: "google.golang.org/protobuf/cmd/protoc-gen-go", pin: "google.golang.org/protobuf", ldflags: stripped},
	{name: "protoc-gen-connect-go", module: "proto", pkg: "connectrpc.com/connect/v2/cmd/protoc-gen-connect-go", pin: "connectrpc.com/connect/v2", ldflags: stripped},
	{
		name: "protoc-gen-openapiv2", module: "proto", pkg: "github.com/grpc-ecosystem/grpc-gateway/v2/protoc-gen-openapiv2",
		pin: "github.com/grpc-ecosystem/grpc-gateway/v2", ldflags: stripped,
	},
	{name: "postgres", fetched: true},
}

// stripped leaves out the tables of a debugger.
func stripped(string) string { return "-s -w" }

// kubeLDFlags sets the versions that the API server reports and that clients
// branch on; without them it says v0.0.0-master.
func kubeLDFlags(v string) string {
	major, minor, _ := strings.Cut(strings.TrimPrefix(semver.MajorMinor(v), "v"), ".")
	return strings.Join([]string{
		"-s -w",
		"-X k8s.io/component-base/version.gitVersion=" + v,
		"-X k8s.io/component-base/version.gitMajor=" + major,
		"-X k8s.io/component-base/version.gitMinor=" + minor,
		"-X k8s.io/client-go/pkg/version.gitVersion=" + v,
	}, " ")
}

func (t tool) file() string {
	if t.binary != "" {
		return t.binary
	}
	return t.name
}

// smoke runs a binary that was just built: it starts, and is what was asked for.
func smoke(ctx context.Context, t tool, file, version string) error {
	if t.version == nil {
		return nil // it has no command that works without a network
	}
	out, err := askVersion(ctx, file, t.version)
	if err != nil {
		return err
	}
	if !strings.Contains(out, strings.TrimPrefix(version, "v")) {
		return fmt.Errorf("%s was built as %s, and reports %q", t.name, version, out)
	}
	return nil
}

// askVersion runs a program with the arguments that print its version.
func askVersion(ctx context.Context, file string, args []string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, file, args...)
	// Pulumi would ask its service whether there is a newer one.
	cmd.Env = append(os.Environ(), "PULUMI_SKIP_UPDATE_CHECK=true")
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("running %s %s: %w", file, strings.Join(args, " "), err)
	}
	return strings.TrimSpace(string(out)), nil
}
