package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestServes(t *testing.T) {
	const pin = "v3.250.0"
	cases := map[string]struct {
		reason string
		want   string // part of the error; empty when it serves
	}{
		"v3.250.0":       {"the pin itself", ""},
		"v3.250.1":       {"a fix", ""},
		"v3.301.0":       {"newer, and 301 is more than 250 as a number only", ""},
		"v3.1000.0":      {"four digits", ""},
		"v3.249.9":       {"older", "at least v3.250.0 is needed"},
		"v3.99.0":        {"older, though 99 is more than 250 as text", "at least v3.250.0 is needed"},
		"v3.250.0-alpha": {"built before the pin was released", "at least v3.250.0 is needed"},
		"v4.0.0":         {"another major version may drop what we call", "and not v3"},
		"v2.25.2":        {"another major version", "and not v3"},
		"3.250.0":        {"no release prints it so", "not a version"},
		"":               {"a program that prints nothing", "not a version"},
		"v3.250.0\nhi":   {"a wrapper that talks", "not a version"},
	}
	for version, tc := range cases {
		t.Run(version, func(t *testing.T) {
			err := serves(version, pin)
			switch {
			case tc.want == "" && err != nil:
				t.Errorf("%s: refused: %v", tc.reason, err)
			case tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)):
				t.Errorf("%s: got %v, want %q", tc.reason, err, tc.want)
			}
		})
	}
}

func TestFindOnPath(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("makes symlinks")
	}
	dir := write(t, map[string]string{
		"old/pulumi": "v3.100.0", "good/pulumi": "v3.260.0", "mute/pulumi": "",
		"cache/pulumi-0123456789abcdef/pulumi": "v3.250.0", "data/pulumi": "v3.260.0", "empty/readme": "",
	})
	in := func(names ...string) string {
		for i, n := range names {
			names[i] = filepath.Join(dir, n)
		}
		return strings.Join(names, string(filepath.ListSeparator))
	}
	for _, name := range []string{"old", "good", "mute", "cache/pulumi-0123456789abcdef"} {
		must(t, os.Chmod(filepath.Join(dir, name, "pulumi"), 0o755))
	}
	must(t, os.Mkdir(filepath.Join(dir, "bin"), 0o755))
	must(t, os.Symlink(filepath.Join(dir, "good", "pulumi"), filepath.Join(dir, "bin", "pulumi")))
	must(t, os.Mkdir(filepath.Join(dir, "elsewhere"), 0o755))
	must(t, os.Symlink(filepath.Join(dir, "cache/pulumi-0123456789abcdef/pulumi"), filepath.Join(dir, "elsewhere", "pulumi")))
	must(t, os.Mkdir(filepath.Join(dir, "dead"), 0o755))
	must(t, os.Symlink(filepath.Join(dir, "gone"), filepath.Join(dir, "dead", "pulumi")))

	// The files hold what they would print.
	ask := func(_ context.Context, file string, _ []string) (string, error) {
		content, err := os.ReadFile(file)
		if err == nil && len(content) == 0 {
			err = errors.New("exit status 1")
		}
		return string(content), err
	}
	cases := map[string]struct {
		reason string
		path   string
		want   string // folder of the one that is found
		why    string
	}{
		"recent":           {reason: "nothing to build", path: in("good"), want: "good"},
		"none":             {reason: "a bare machine", path: in("empty")},
		"no PATH":          {reason: "a cron job"},
		"too old":          {reason: "it says so and builds", path: in("old"), why: "at least v3.250.0"},
		"too old first":    {reason: "the one that the user's shell runs decides", path: in("old", "good"), why: "at least v3.250.0"},
		"does not run":     {reason: "of another platform, or broken", path: in("mute"), why: "does not say its version"},
		"our link":         {reason: "bin/ on the PATH holds a link that we made, and a link to itself would run nothing", path: in("bin", "good"), want: "good"},
		"our link alone":   {reason: "what bin/ leads to is not on the PATH any more", path: in("bin")},
		"our build":        {reason: "a link of another checkout into the cache is ours too", path: in("elsewhere")},
		"a file, no tool":  {reason: "not executable", path: in("data", "good"), want: "good"},
		"a dead link":      {reason: "left by an uninstalled package", path: in("dead", "good"), want: "good"},
		"a relative entry": {reason: "the checkout is not a place to take programs from", path: "good" + string(filepath.ListSeparator) + ""},
	}
	t.Chdir(dir)
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			ours := []string{filepath.Join(dir, "cache"), filepath.Join(dir, "bin"), ""}
			file, version, why := findOnPath(t.Context(), tools[0], "v3.250.0", tc.path, ours, ask)
			want := ""
			if tc.want != "" {
				want = filepath.Join(dir, tc.want, "pulumi")
			}
			if file != want || (file != "") != (version != "") {
				t.Errorf("%s: found %q %q, want %q", tc.reason, file, version, want)
			}
			if (tc.why == "") != (why == "") || !strings.Contains(why, tc.why) {
				t.Errorf("%s: says %q, want %q", tc.reason, why, tc.why)
			}
		})
	}
}

func TestKubeLDFlags(t *testing.T) {
	want := "-s -w -X k8s.io/component-base/version.gitVersion=v1.35.4" +
		" -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=35" +
		" -X k8s.io/client-go/pkg/version.gitVersion=v1.35.4"
	if got := kubeLDFlags("v1.35.4"); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
