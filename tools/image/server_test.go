package main

import (
	"bytes"
	"debug/buildinfo"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/CycloneDX/cyclonedx-go"
	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// smallRepo is a repository with the modules, packages and variables of this one
// that decide what is in the server's image, and programs that compile at once.
func smallRepo(t *testing.T, root string) {
	t.Helper()
	for name, text := range map[string]string{
		"go.mod": `module freehold.dev/freehold

go 1.26.0

require (
	github.com/pulumi/pulumi-aws/sdk/v6 v6.83.0
	github.com/pulumi/pulumi-eks/sdk/v3 v3.9.1
	github.com/pulumi/pulumi-kubernetes/sdk/v4 v4.28.0
)

replace (
	github.com/pulumi/pulumi-aws/sdk/v6 v6.83.0 => ./sdk/aws
	github.com/pulumi/pulumi-eks/sdk/v3 v3.9.1 => ./sdk/eks
	github.com/pulumi/pulumi-kubernetes/sdk/v4 v4.28.0 => ./sdk/kubernetes
)
`,
		"sdk/aws/go.mod":        "module github.com/pulumi/pulumi-aws/sdk/v6\n",
		"sdk/eks/go.mod":        "module github.com/pulumi/pulumi-eks/sdk/v3\n",
		"sdk/kubernetes/go.mod": "module github.com/pulumi/pulumi-kubernetes/sdk/v4\n",
		"internal/plan/plan.go": "package plan\n\nvar DefaultControllerDigest string\n",
		"cmd/freehold/main.go": `package main

import (
	"fmt"
	"os"

	"freehold.dev/freehold/internal/plan"
)

var version = "dev"

func main() {
	fmt.Println(version, os.Args[1:], plan.DefaultControllerDigest, os.WriteFile("written", nil, 0o600))
}
`,
		"tools/go.mod": `module freehold.dev/freehold/tools

go 1.26.0

require github.com/pulumi/pulumi/pkg/v3 v3.250.0

require github.com/pulumi/pulumi/sdk/v3 v3.250.0 // indirect

replace (
	github.com/pulumi/pulumi/pkg/v3 v3.250.0 => ../pulumi/pkg
	github.com/pulumi/pulumi/sdk/v3 v3.250.0 => ../pulumi/sdk
)
`,
		"tools/tools.go":                               "package tools\n\nimport _ \"github.com/pulumi/pulumi/pkg/v3/version\"\n",
		"pulumi/pkg/go.mod":                            "module github.com/pulumi/pulumi/pkg/v3\n\ngo 1.26.0\n\nrequire github.com/pulumi/pulumi/sdk/v3 v3.250.0\n",
		"pulumi/pkg/version/version.go":                "package version\n\nimport _ \"github.com/pulumi/pulumi/sdk/v3/go/common/version\"\n",
		"pulumi/pkg/cmd/pulumi/main.go":                "package main\n\nimport (\n\t\"fmt\"\n\n\t\"github.com/pulumi/pulumi/sdk/v3/go/common/version\"\n)\n\nfunc main() { fmt.Println(version.Version) }\n",
		"pulumi/sdk/go.mod":                            "module github.com/pulumi/pulumi/sdk/v3\n\ngo 1.26.0\n",
		"pulumi/sdk/go/common/version/version.go":      "package version\n\nvar Version string\n",
		"cmd/namespace-controller/main.go":             "package main\n\nfunc main() {}\n",
		"plugins/resource-aws-v6.83.0/LICENSE":         "free",
		"plugins/resource-eks-v3.9.1/package.json":     "{}",
		"plugins/resource-eks-v3.9.1/node_modules/a/b": "b",
	} {
		write := filepath.Join(root, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(write), 0o755), os.WriteFile(write, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
}

// smallServer builds a server's image from a small repository, for the platform
// of this machine's processor.
func smallServer(t *testing.T, root string, flags ...string) (string, error) {
	t.Helper()
	var out, said bytes.Buffer
	controller, server := filepath.Join(t.TempDir(), "controller"), filepath.Join(t.TempDir(), "server")
	if err := run(t.Context(), []string{"build", "-repo", root, "-out", controller}, nil, &out, &said); err != nil {
		t.Fatalf("%v: %s", err, &said)
	}
	args := append([]string{"build", "-image", "server", "-repo", root, "-controller", controller, "-out", server, "-platforms", here()}, flags...)
	if err := run(t.Context(), args, nil, &out, &said); err != nil {
		return "", fmt.Errorf("%w: %s", err, &said)
	}
	return server, nil
}

func here() string { return "linux/" + runtime.GOARCH }

// onlyImage is the image of a layout that has one.
func onlyImage(t *testing.T, layout string) (v1.Image, []v1.Image) {
	t.Helper()
	index, boms, err := open(layout)
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	if len(manifest.Manifests) != 1 || manifest.Manifests[0].Platform.String() != here() {
		t.Fatalf("it is for %v, want %s", manifest.Manifests, here())
	}
	image, err := index.Image(manifest.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	return image, boms
}

func TestTheServersImageHoldsFreeholdAndThePulumiCLI(t *testing.T) {
	root := t.TempDir()
	smallRepo(t, root)
	controller := filepath.Join(t.TempDir(), "controller")
	if err := run(t.Context(), []string{"build", "-repo", root, "-out", controller}, nil, io.Discard, os.Stderr); err != nil {
		t.Fatal(err)
	}
	layout, err := smallServer(t, root, "-controller", controller, "-version", "v1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	image, boms := onlyImage(t, layout)
	config, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	want := v1.Config{
		User: "65532:65532", WorkingDir: "/var/lib/freehold/", Entrypoint: []string{"/usr/local/bin/freehold"}, Cmd: []string{"serve"},
		ExposedPorts: map[string]struct{}{"8443/tcp": {}},
		Env: []string{
			"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/var/lib/freehold", "FREEHOLD_HOME=/var/lib/freehold/home",
			"PULUMI_HOME=/var/lib/freehold/pulumi", "PULUMI_SKIP_UPDATE_CHECK=true",
		},
		Labels: recipes["server"].labels("v1.2.3"),
	}
	if diff := cmp.Diff(want, config.Config); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	entries, bodies := contents(t, image)
	folder := entry{Mode: 0o755}
	wantEntries := map[string]entry{
		"etc/": folder, "etc/group": {Mode: 0o644}, "etc/passwd": {Mode: 0o644}, "etc/ssl/": folder,
		"etc/ssl/certs/": folder, "etc/ssl/certs/ca-certificates.crt": {Mode: 0o644},
		"tmp/": {Mode: 0o1777}, "var/": folder, "var/lib/": folder, "var/lib/freehold/": {Mode: 0o700, UID: 65532, GID: 65532},
		"usr/": folder, "usr/local/": folder, "usr/local/bin/": folder, "usr/local/bin/freehold": folder, "usr/local/bin/pulumi": folder,
	}
	if diff := cmp.Diff(wantEntries, entries); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	for _, program := range []string{"freehold", "pulumi"} {
		checkProgram(t, &v1.Platform{OS: "linux", Architecture: runtime.GOARCH}, bodies["usr/local/bin/"+program])
	}
	checkAuthorities(t, bodies["etc/ssl/certs/ca-certificates.crt"])

	if len(boms) != 1 {
		t.Fatalf("%d lists of components", len(boms))
	}
	list := listOf(t, boms[0])
	if got := list.Metadata.Component.Name; got != "freehold.dev/freehold/cmd/freehold" {
		t.Errorf("it lists %s", got)
	}
	cli := "pkg:golang/github.com/pulumi/pulumi/pkg/v3@v3.250.0#cmd/pulumi"
	var found []string
	for _, c := range *list.Components {
		found = append(found, string(c.Type)+" "+c.Name)
	}
	for _, component := range []string{"library stdlib", "application github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"} {
		if !slices.Contains(found, component) {
			t.Errorf("%v: %s is missing", found, component)
		}
	}
	var users []string
	for _, d := range *list.Dependencies {
		users = append(users, d.Ref)
	}
	if diff := cmp.Diff([]string{"program", cli}, users); diff != "" {
		t.Errorf("programs whose modules are listed (-want +got):\n%s", diff)
	}

	if runtime.GOOS != "linux" || os.Getuid() != 0 {
		t.Skip("only root on Linux can start a program in its image")
	}
	digest, err := digestOf(controller)
	if err != nil {
		t.Fatal(err)
	}
	if out, err := started(t, image, "/usr/local/bin/freehold", "serve"); err != nil || out != "v1.2.3 [serve] "+digest.String()+" <nil>\n" {
		t.Errorf("freehold in its image: %v: %s", err, out)
	}
	if out, err := started(t, image, "/usr/local/bin/pulumi"); err != nil || out != "v3.250.0\n" {
		t.Errorf("pulumi in its image: %v: %q", err, out)
	}
}

// listOf reads a list of components.
func listOf(t *testing.T, bom v1.Image) cyclonedx.BOM {
	t.Helper()
	layers, err := bom.Layers()
	if err != nil {
		t.Fatal(err)
	}
	r, err := layers[0].Uncompressed()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var list cyclonedx.BOM
	if err := cyclonedx.NewBOMDecoder(r, cyclonedx.BOMFileFormatJSON).Decode(&list); err != nil {
		t.Fatal(err)
	}
	return list
}

// started runs a program of an image, which sees nothing but the image and can
// write to no file of root's, and returns what it prints.
func started(t *testing.T, image v1.Image, program string, args ...string) (string, error) {
	t.Helper()
	root := t.TempDir()
	entries, bodies := contents(t, image)
	for name, body := range bodies {
		to := filepath.Join(root, name)
		var err error
		if strings.HasSuffix(name, "/") {
			err = os.MkdirAll(to, 0o755)
		} else if err = os.MkdirAll(filepath.Dir(to), 0o755); err == nil {
			err = os.WriteFile(to, body, fs.FileMode(entries[name].Mode))
		}
		if err == nil && entries[name].UID != 0 {
			err = os.Chown(to, entries[name].UID, entries[name].GID)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	config, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), filepath.Join(root, program), args...)
	cmd.Path, cmd.Dir, cmd.Env = program, config.Config.WorkingDir, config.Config.Env
	confine(cmd, root)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func TestTheServersDigestDependsOnNeitherFolderNorEnvironmentNorTime(t *testing.T) {
	build := func(place string) map[string]string {
		root := filepath.Join(t.TempDir(), place)
		smallRepo(t, root)
		layout, err := smallServer(t, root)
		if err != nil {
			t.Fatal(err)
		}
		return hashes(t, layout)
	}
	checkBuiltTwice(t, build)
}

// The same with the programs themselves, which take a minute to link and to
// compress twice: where a release is made.
func TestTheServersOwnDigestIsTheSameTwice(t *testing.T) {
	if os.Getenv("FREEHOLD_TEST_SERVER_IMAGE") == "" {
		t.Skip("FREEHOLD_TEST_SERVER_IMAGE=1 builds the server's image twice")
	}
	build := func(root string) map[string]string {
		layout := filepath.Join(t.TempDir(), "layout")
		args := []string{"build", "-image", "server", "-repo", root, "-controller", layoutOfThis(t), "-platforms", here(), "-out", layout}
		if err := run(t.Context(), args, nil, io.Discard, os.Stderr); err != nil {
			t.Fatal(err)
		}
		return hashes(t, layout)
	}
	other := filepath.Join(t.TempDir(), "place")
	copyModule(t, other, "go.mod", "go.sum", "cmd", "components", "docs", "internal", "policies", "stacks", "tools/go.mod", "tools/go.sum")
	// There is no bin beside the copy, so the CLI is compiled: its bytes are those
	// of the one that make build made.
	if diff := cmp.Diff(build(repo), build(other)); diff != "" {
		t.Errorf("two builds differ (-first +second):\n%s", diff)
	}
}

func TestACLIThatWouldBeCompiledOtherwiseIsNotTaken(t *testing.T) {
	root := t.TempDir()
	smallRepo(t, root)
	made := filepath.Join(t.TempDir(), "pulumi")
	pr, o := recipes["server"].programs[0], options{repo: root}
	p, err := platformOf(here())
	if err != nil {
		t.Fatal(err)
	}
	if err := pr.compile(t.Context(), o, p, made, os.Stderr); err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(t.TempDir(), "freehold")
	if err := (program{pkg: "./cmd/freehold", ldflags: stripped}).compile(t.Context(), o, p, other, os.Stderr); err != nil {
		t.Fatal(err)
	}
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	against := platforms[0]
	if against.Equals(p) {
		against = platforms[1]
	}
	for name, c := range map[string]struct {
		file string
		p    v1.Platform
		says string
	}{
		"no file":                  {filepath.Join(root, "none"), p, "does not exist"},
		"a script":                 {text, p, "could not read Go build info"},
		"another program":          {other, p, "built from freehold.dev/freehold/cmd/freehold"},
		"another platform":         {made, against, "GOARCH"},
		"modules that are not it":  {made, p, "github.com/pulumi/pulumi"},
		"this machine's test file": {mustExecutable(t), p, "it was built"},
	} {
		t.Run(name, func(t *testing.T) {
			why, err := pr.differs(t.Context(), o, c.p, c.file)
			if err != nil || !strings.Contains(why, c.says) {
				t.Errorf("%q, %v", why, err)
			}
		})
	}
	// The one of bin is taken, if it is there and Go is the one that built it.
	cli := filepath.Join(repo, "bin", "pulumi")
	info, err := buildinfo.ReadFile(cli)
	if err != nil || info.GoVersion != runtime.Version() || info.Main.Version == "(devel)" {
		t.Skipf("bin/pulumi was not built by make build with this Go: %v", err)
	}
	if why, err := pr.differs(t.Context(), options{repo: repo}, p, cli); why != "" || err != nil {
		t.Errorf("bin/pulumi: %q, %v", why, err)
	}
}

func mustExecutable(t *testing.T) string {
	t.Helper()
	file, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func TestPluginsAreThoseOfGoMod(t *testing.T) {
	root := t.TempDir()
	smallRepo(t, root)
	cache := filepath.Join(root, "plugins")
	flag := here() + "=" + cache
	_, err := smallServer(t, root, "-plugins", flag)
	if err == nil || !strings.Contains(err.Error(), "pulumi plugin install resource aws 6.83.0") {
		t.Errorf("without a plugin it ended with %v", err)
	}
	platform, err := platformOf(here())
	if err != nil {
		t.Fatal(err)
	}
	program := program{pkg: "./cmd/freehold", ldflags: stripped}
	aws := filepath.Join(cache, "resource-aws-v6.83.0", "pulumi-resource-aws")
	kubernetes := filepath.Join(cache, "resource-kubernetes-v4.28.0", "pulumi-resource-kubernetes")
	eks := filepath.Join(cache, "resource-eks-v3.9.1")
	if err := errors.Join(
		program.compile(t.Context(), options{repo: root}, platform, aws, os.Stderr),
		program.compile(t.Context(), options{repo: root}, platform, kubernetes, os.Stderr),
		os.WriteFile(filepath.Join(eks, "pulumi-resource-eks"), []byte("#!/usr/bin/env node\n"), 0o700),
		os.Symlink("../a/b", filepath.Join(eks, "node_modules", "a", "link")),
		os.MkdirAll(filepath.Join(cache, "resource-random-v1.0.0"), 0o755),
	); err != nil {
		t.Fatal(err)
	}
	layout, err := smallServer(t, root, "-plugins", flag)
	if err != nil {
		t.Fatal(err)
	}
	image, boms := onlyImage(t, layout)
	entries, bodies := contents(t, image)
	got := map[string]entry{}
	for name, e := range entries {
		if below, ok := strings.CutPrefix(name, plugins); ok && below != "" {
			got[below] = e
		}
	}
	want := map[string]entry{
		"resource-aws-v6.83.0/": {Mode: 0o755}, "resource-aws-v6.83.0/LICENSE": {Mode: 0o644}, "resource-aws-v6.83.0/pulumi-resource-aws": {Mode: 0o755},
		"resource-kubernetes-v4.28.0/": {Mode: 0o755}, "resource-kubernetes-v4.28.0/pulumi-resource-kubernetes": {Mode: 0o755},
		"resource-eks-v3.9.1/": {Mode: 0o755}, "resource-eks-v3.9.1/package.json": {Mode: 0o644}, "resource-eks-v3.9.1/pulumi-resource-eks": {Mode: 0o755},
		"resource-eks-v3.9.1/node_modules/": {Mode: 0o755}, "resource-eks-v3.9.1/node_modules/a/": {Mode: 0o755},
		"resource-eks-v3.9.1/node_modules/a/b": {Mode: 0o644}, "resource-eks-v3.9.1/node_modules/a/link": {Mode: 0o777},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("plugins (-want +got):\n%s", diff)
	}
	if string(bodies[plugins+"resource-eks-v3.9.1/package.json"]) != "{}" {
		t.Error("a file of a plugin is not the one of the folder")
	}
	config, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	const path = "PATH=/usr/local/bin:/usr/bin:/bin:/usr/local/lib/pulumi/plugins/resource-aws-v6.83.0" +
		":/usr/local/lib/pulumi/plugins/resource-eks-v3.9.1:/usr/local/lib/pulumi/plugins/resource-kubernetes-v4.28.0"
	if config.Config.Env[0] != path {
		t.Errorf("%s, want %s", config.Config.Env[0], path)
	}
	var listed []string
	for _, c := range *listOf(t, boms[0]).Components {
		if strings.HasPrefix(c.Name, "pulumi-resource-") && len(*c.Hashes) == 1 {
			listed = append(listed, c.Name+" "+c.Version)
		}
	}
	if diff := cmp.Diff([]string{"pulumi-resource-aws 6.83.0", "pulumi-resource-eks 3.9.1", "pulumi-resource-kubernetes 4.28.0"}, listed); diff != "" {
		t.Errorf("plugins in the list of components (-want +got):\n%s", diff)
	}

	for name, c := range map[string]struct {
		spoil func(t *testing.T) error
		says  string
	}{
		"a link out of the image": {func(t *testing.T) error {
			link := filepath.Join(eks, "passwd")
			t.Cleanup(func() { _ = os.Remove(link) })
			return os.Symlink("/etc/passwd", link)
		}, "links to /etc/passwd"},
		"a program of another platform": {func(t *testing.T) error {
			other := platforms[0]
			if other.Equals(platform) {
				other = platforms[1]
			}
			whole := aws + ".whole"
			t.Cleanup(func() { _ = os.Rename(whole, aws) })
			return errors.Join(os.Rename(aws, whole), program.compile(t.Context(), options{repo: root}, other, aws, os.Stderr))
		}, "is not a program for " + here()},
	} {
		t.Run(name, func(t *testing.T) {
			if err := c.spoil(t); err != nil {
				t.Fatal(err)
			}
			if _, err := smallServer(t, root, "-plugins", flag); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("it ended with %v", err)
			}
		})
	}
}

func TestABasesPathIsBehindOurs(t *testing.T) {
	got := environment(
		[]string{"PATH=/usr/bin:/nodejs/bin", "SSL_CERT_FILE=/a", "HOME=/root"},
		[]string{"PATH=/usr/local/bin:/usr/bin", "HOME=/var/lib/freehold"}, []string{"/plugins/aws"},
	)
	want := []string{"SSL_CERT_FILE=/a", "PATH=/usr/local/bin:/usr/bin:/plugins/aws:/nodejs/bin", "HOME=/var/lib/freehold"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
