package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// write makes files in a new folder and returns it.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestKey(t *testing.T) {
	files := func(change ...string) map[string]string {
		f := map[string]string{
			"go.mod": "module m\n", "go.sum": "a v1 h1:x\n",
			"kube/main.go": "package main\n", "kube/main_test.go": "package main\n",
			"build/main.go": "package main\n",
		}
		for i := 0; i+1 < len(change); i += 2 {
			f[change[i]] = change[i+1]
		}
		return f
	}
	flags := func(s string) func(string) string { return func(v string) string { return s + v } }
	kube := tool{name: "kube", pkg: "./kube", source: "kube", ldflags: flags("-X v=")}
	other := kube
	other.ldflags = flags("-s -X v=")
	another := kube
	another.pkg = "./cube"

	key := func(t *testing.T, tl tool, version, platform string, f map[string]string) string {
		t.Helper()
		k, err := keyOf(tl, write(t, f), version, platform)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	base := key(t, kube, "v1.0.0", "linux/amd64 go1", files())
	if len(base) != 16 {
		t.Fatalf("key %q: prune knows builds by 16 characters", base)
	}
	cases := map[string]struct {
		reason   string
		tool     tool
		version  string
		platform string
		files    map[string]string
		same     bool
	}{
		"nothing":            {"equal content in another checkout is one build", kube, "v1.0.0", "linux/amd64 go1", files(), true},
		"a test":             {"tests are not in the binary", kube, "v1.0.0", "linux/amd64 go1", files("kube/main_test.go", "package x\n"), true},
		"another tool":       {"the control plane does not depend on the program that builds it", kube, "v1.0.0", "linux/amd64 go1", files("build/main.go", "package x\n"), true},
		"go.mod":             {"another version of a dependency", kube, "v1.0.0", "linux/amd64 go1", files("go.mod", "module n\n"), false},
		"go.sum":             {"other content of a dependency", kube, "v1.0.0", "linux/amd64 go1", files("go.sum", "a v1 h1:y\n"), false},
		"our source":         {"our own code", kube, "v1.0.0", "linux/amd64 go1", files("kube/main.go", "package x\n"), false},
		"a new source":       {"our own code", kube, "v1.0.0", "linux/amd64 go1", files("kube/sub/a.go", "package sub\n"), false},
		"linker flags":       {"the version is set by them", other, "v1.0.0", "linux/amd64 go1", files(), false},
		"the version":        {"it is in the linker's flags", kube, "v1.0.1", "linux/amd64 go1", files(), false},
		"the package":        {"another program", another, "v1.0.0", "linux/amd64 go1", files(), false},
		"the platform":       {"a home that two machines share", kube, "v1.0.0", "linux/arm64 go1", files(), false},
		"the version of Go":  {"fixes of the runtime must arrive", kube, "v1.0.0", "linux/amd64 go2", files(), false},
		"moved between both": {"content that moves to another file is other content", kube, "v1.0.0", "linux/amd64 go1", files("go.mod", "module m\na v1 h1:x\n", "go.sum", ""), false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := key(t, tc.tool, tc.version, tc.platform, tc.files)
			if (got == base) != tc.same {
				t.Errorf("key changed: %v, want %v: %s", got != base, !tc.same, tc.reason)
			}
		})
	}
}

func TestPruneKeepsTheLastUsed(t *testing.T) {
	cache := t.TempDir()
	now := time.Now()
	age := func(name string, hours int) {
		dir := filepath.Join(cache, name)
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		then := now.Add(-time.Duration(hours) * time.Hour)
		if err := os.Chtimes(dir, then, then); err != nil {
			t.Fatal(err)
		}
	}
	age("kube-aaaaaaaaaaaaaaaa", 3) // oldest
	age("kube-bbbbbbbbbbbbbbbb", 1)
	age("kube-cccccccccccccccc", 2)
	age("pulumi-dddddddddddddddd", 9)   // another tool
	age("kube-extra-eeeeeeeeeeeeee", 9) // no build of ours
	if err := prune(cache, "kube"); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(cache)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	want := []string{"kube-bbbbbbbbbbbbbbbb", "kube-cccccccccccccccc", "kube-extra-eeeeeeeeeeeeee", "pulumi-dddddddddddddddd"}
	if !slices.Equal(got, want) {
		t.Errorf("left %q, want %q", got, want)
	}
}

func TestCacheDir(t *testing.T) {
	override := t.TempDir()
	if got, err := cacheDir(override); err != nil || got != filepath.Join(override, "tools") {
		t.Errorf("with FREEHOLD_CACHE: %q, %v", got, err)
	}
}

// The pins that must be equal in both modules are those where a difference is
// more than a longer build: the CLI and the SDK speak one protocol, and the
// sandbox's API server serves the clients that the main module compiles.
func TestPinsAgree(t *testing.T) {
	ours, err := readPins("../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := readPins("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range []string{"github.com/pulumi/pulumi/sdk/v3", "k8s.io/apimachinery", "k8s.io/client-go", "google.golang.org/grpc", "google.golang.org/protobuf"} {
		if ours[m] != theirs[m] {
			t.Errorf("%s is %s in tools/go.mod and %s in go.mod", m, ours[m], theirs[m])
		}
	}
}
