package main

import (
	"debug/buildinfo"
	"debug/elf"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/CycloneDX/cyclonedx-go"
	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// providers are the plugins that Freehold needs on AWS, by the module of the
// main go.mod whose version they must have.
var providers = []struct{ name, module string }{
	{"aws", "github.com/pulumi/pulumi-aws/sdk/v6"},
	{"eks", "github.com/pulumi/pulumi-eks/sdk/v3"},
	{"kubernetes", "github.com/pulumi/pulumi-kubernetes/sdk/v4"},
}

// plugins is where the plugins are in an image. Each folder is on its PATH.
const plugins = "usr/local/lib/pulumi/plugins/"

// A pluginFolder is a cache of Pulumi's, whose plugins are for one platform.
type pluginFolders map[string]string

func (f pluginFolders) String() string { return "" }

// Set takes PLATFORM=FOLDER.
func (f pluginFolders) Set(value string) error {
	platform, dir, ok := strings.Cut(value, "=")
	if !ok || dir == "" {
		return fmt.Errorf("%q must be PLATFORM=FOLDER, such as linux/amd64=$HOME/.pulumi/plugins", value)
	}
	if _, err := platformOf(platform); err != nil {
		return err
	}
	f[platform] = dir
	return nil
}

// pluginFiles are the files of the plugins for a platform, and the folders of
// theirs that have to be on the PATH.
func pluginFiles(dir string, p v1.Platform, versions map[string]string) (files []file, onPath []string, err error) {
	for at := range ancestors(plugins) {
		files = append(files, file{name: at, mode: 0o755})
	}
	for _, provider := range providers {
		version := strings.TrimPrefix(versions[provider.module], "v")
		folder := fmt.Sprintf("resource-%s-v%s", provider.name, version)
		binary := filepath.Join(dir, folder, "pulumi-resource-"+provider.name)
		if _, err := os.Stat(binary); err != nil {
			return nil, nil, fmt.Errorf("%w: on a machine with %s, run pulumi plugin install resource %s %s", err, p, provider.name, version)
		}
		if err := runsOn(binary, p); err != nil {
			return nil, nil, err
		}
		found, err := tree(filepath.Join(dir, folder), plugins+folder+"/")
		if err != nil {
			return nil, nil, fmt.Errorf("read the plugin %s: %w", provider.name, err)
		}
		files = append(files, found...)
		onPath = append(onPath, "/"+plugins+folder)
	}
	return files, onPath, nil
}

var machines = map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}

// runsOn reports an error for a program of another platform. A script runs
// wherever its interpreter does.
func runsOn(binary string, p v1.Platform) error {
	f, err := os.Open(binary)
	if err != nil {
		return err
	}
	defer f.Close()
	var magic [2]byte
	if _, err := f.ReadAt(magic[:], 0); err == nil && string(magic[:]) == "#!" {
		return nil
	}
	program, err := elf.NewFile(f)
	if err != nil {
		return fmt.Errorf("%s is not a program for %s: %w", binary, p, err)
	}
	if program.Machine != machines[p.Architecture] {
		return fmt.Errorf("%s is not a program for %s: it is for %s", binary, p, program.Machine)
	}
	return nil
}

// tree lists a folder and all below it. Owners, dates and umasks of the machine
// that it is on do not reach the image.
func tree(dir, at string) ([]file, error) {
	var out []file
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		below, err := filepath.Rel(dir, name)
		if err != nil {
			return err
		}
		f := file{name: path.Join(at, filepath.ToSlash(below)), mode: 0o644}
		info, err := d.Info()
		if err != nil {
			return err
		}
		switch {
		case d.IsDir():
			f.name, f.mode = f.name+"/", 0o755
		case d.Type() == fs.ModeSymlink:
			if f.link, err = os.Readlink(name); err != nil {
				return err
			}
			if filepath.IsAbs(f.link) || !filepath.IsLocal(filepath.Join(filepath.Dir(below), f.link)) {
				return fmt.Errorf("%s links to %s, which is not in the image", name, f.link)
			}
			f.mode = 0o777
		case d.Type().IsRegular():
			f.from = name
			if info.Mode()&0o111 != 0 {
				f.mode = 0o755
			}
		default:
			return errors.Join(fmt.Errorf("%s is neither a file, a folder nor a link", name))
		}
		out = append(out, f)
		return nil
	})
	return out, err
}

// ancestors are a folder and those above it, the topmost first.
func ancestors(dir string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for i := range len(dir) {
			if dir[i] == '/' && !yield(dir[:i+1]) {
				return
			}
		}
	}
}

// pluginComponents are the plugins in an image: their modules where they are
// programs of Go, and otherwise the program's name, version and hash.
func pluginComponents(c inside) ([]cyclonedx.Component, error) {
	var out []cyclonedx.Component
	for _, l := range c.layers {
		for _, f := range l.files {
			below, ok := strings.CutPrefix(f.name, plugins)
			if !ok || f.from == "" || !strings.HasPrefix(path.Base(below), "pulumi-resource-") || f.mode != 0o755 {
				continue
			}
			name, version, _ := strings.Cut(strings.TrimPrefix(path.Dir(below), "resource-"), "-v")
			hash, err := hashOf(f.from)
			if err != nil {
				return nil, err
			}
			out = append(out, cyclonedx.Component{
				BOMRef: "/" + f.name, Type: cyclonedx.ComponentTypeApplication, Name: "pulumi-resource-" + name, Version: version,
				Hashes: &[]cyclonedx.Hash{{Algorithm: cyclonedx.HashAlgoSHA256, Value: hash}},
			})
			// A program of another language has no list, and is listed itself.
			if info, err := buildinfo.ReadFile(f.from); err == nil {
				for _, m := range info.Deps {
					if m.Replace != nil {
						m = m.Replace
					}
					out = append(out, goModule(m.Path, m.Version))
				}
			}
		}
	}
	return out, nil
}

func hashOf(name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h, _, err := v1.SHA256(f)
	return h.Hex, err
}
