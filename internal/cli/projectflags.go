package cli

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"
)

// projectFlags describe a project without a file.
type projectFlags struct {
	file, name, display  string
	cpu, memory, storage string
	ephemeral            string
	pods, gpus           int
	members, registries  []string
}

func (f *projectFlags) add(cmd *cobra.Command) {
	fs := cmd.Flags()
	fs.StringVarP(&f.file, "filename", "f", "", `the project's YAML `+"`FILE`"+`, as under projects in the spec; "-" reads standard input`)
	fs.StringVar(&f.name, "name", "", "the project's name, instead of a file")
	fs.StringVar(&f.display, "display-name", "", "its display name")
	fs.StringVar(&f.cpu, "cpu", "", "CPU quota, such as 4")
	fs.StringVar(&f.memory, "memory", "", "memory quota, such as 8Gi")
	fs.StringVar(&f.storage, "storage", "", "storage quota, such as 50Gi")
	fs.StringVar(&f.ephemeral, "ephemeral-storage", "", "quota of the nodes' disks, such as 100Gi")
	fs.IntVar(&f.pods, "pods", 0, "pod quota")
	fs.IntVar(&f.gpus, "gpus", 0, "GPU quota")
	fs.StringArrayVar(&f.members, "member", nil, "`ROLE=group:NAME` or ROLE=user:NAME, with role admin, editor or viewer; repeatable")
	fs.StringArrayVar(&f.registries, "registry-allowed", nil, "another image `registry` to allow, besides the org's own; repeatable")
	_ = cmd.MarkFlagFilename("filename", "yaml", "yml")
}

// document is the project as YAML.
func (f projectFlags) document() ([]byte, error) {
	type object = map[string]any
	quota := object{}
	set := func(o object, name string, value any, given bool) {
		if given {
			o[name] = value
		}
	}
	set(quota, "cpu", f.cpu, f.cpu != "")
	set(quota, "memory", f.memory, f.memory != "")
	set(quota, "storage", f.storage, f.storage != "")
	set(quota, "ephemeralStorage", f.ephemeral, f.ephemeral != "")
	set(quota, "pods", f.pods, f.pods != 0)
	set(quota, "gpus", f.gpus, f.gpus != 0)
	var members []object
	for _, m := range f.members {
		role, who, _ := strings.Cut(m, "=")
		kind, name, ok := strings.Cut(who, ":")
		if !ok || kind != "group" && kind != "user" {
			return nil, fmt.Errorf("--member %s: want ROLE=group:NAME or ROLE=user:NAME", m)
		}
		members = append(members, object{kind: name, "role": role})
	}
	var text bytes.Buffer
	e := yaml.NewEncoder(&text)
	e.SetIndent(2)
	for _, part := range []struct {
		name  string
		value any
		given bool
	}{
		{"name", f.name, true},
		{"displayName", f.display, f.display != ""},
		{"quota", quota, len(quota) > 0},
		{"members", members, len(members) > 0},
		{"registries", f.registries, len(f.registries) > 0},
	} {
		if !part.given {
			continue
		}
		if err := e.Encode(object{part.name: part.value}); err != nil {
			return nil, fmt.Errorf("write the project: %w", err)
		}
	}
	// One mapping with its fields in the order of the documentation.
	return []byte(strings.ReplaceAll(text.String(), "---\n", "")), nil
}

// read returns the project's YAML, and its name for messages.
func (f projectFlags) read(a *app, cmd *cobra.Command) (text []byte, name string, err error) {
	if (f.file == "") == (f.name == "") {
		return nil, "", usagef(cmd, "projects add: use either -f FILE or --name NAME")
	}
	if f.file == "" {
		text, err := f.document()
		if err != nil {
			return nil, "", usagef(cmd, "%v", err)
		}
		return text, "flags", nil
	}
	for _, flag := range []string{"display-name", "cpu", "memory", "storage", "ephemeral-storage", "pods", "gpus", "member", "registry-allowed"} {
		if cmd.Flags().Changed(flag) {
			return nil, "", usagef(cmd, "projects add: --%s works with --name only; set it in the file", flag)
		}
	}
	return a.readText(cmd, f.file)
}
