package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/lifecycle"
	"freehold.dev/freehold/internal/render"
	"freehold.dev/freehold/internal/spec"
)

func (a *app) projects() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "projects",
		Short: "Show an org's projects, add one or remove one",
		Long: `A project belongs to a team of an org: it has a namespace of its own in the org's
cluster, with a quota, members and network policies.

The spec is the source of truth: onboard creates the projects that it lists, and
no others. Add and remove change the registry's record of the org and run its
bootstrap layer. With --spec FILE they first change the org's spec file in
place, so that the next onboard agrees.`,
		Example: `  freehold projects list acme
  freehold projects add acme -f lab.yaml --spec acme.yaml`,
		RunE: group,
	}
	cmd.AddCommand(a.projectsList(), a.projectsShow(), a.projectsAdd(), a.projectsRemove())
	return cmd
}

func (a *app) projectsList() *cobra.Command {
	return &cobra.Command{
		Use:   "list ORG",
		Short: "List an org's projects and their state in its cluster",
		Long: `List shows the projects in the org's spec and their state in its cluster. With
-o ndjson each project is one line.`,
		Example: `  freehold projects list acme
  freehold projects list acme -o json | jq '.projects[] | select(.ready | not)'`,
		Args:              exactly("ORG"),
		ValidArgsFunction: a.completeOrgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := a.open(cmd)
			if err != nil {
				return err
			}
			all, err := p.Projects(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if a.output == asNDJSON {
				return printList(a, all.Projects, nil)
			}
			return a.print(all, func(w io.Writer) error { return render.TextProjects(w, all) })
		},
	}
}

func (a *app) projectsShow() *cobra.Command {
	return &cobra.Command{
		Use:               "show ORG NAME",
		Short:             "Show one project: its members, its usage, what it waits for",
		Example:           `  freehold projects show acme billing`,
		Args:              exactly("ORG", "NAME"),
		ValidArgsFunction: a.completeProjects,
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := a.open(cmd)
			if err != nil {
				return err
			}
			all, err := p.Projects(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			i := slices.IndexFunc(all.Projects, func(one event.Project) bool { return one.Name == args[1] })
			if i < 0 {
				return &lifecycle.Error{
					Org: args[0], Doing: "projects show", Next: "list the projects with freehold projects list " + args[0],
					Err: fmt.Errorf("%w: project %s does not exist", lifecycle.ErrInvalid, args[1]),
				}
			}
			return a.print(all.Projects[i], func(w io.Writer) error { return render.TextProject(w, all.Projects[i]) })
		},
	}
}

// projectFlags describe a project without a file.
type projectFlags struct {
	file, name, display  string
	cpu, memory, storage string
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
	for _, flag := range []string{"display-name", "cpu", "memory", "storage", "pods", "gpus", "member", "registry-allowed"} {
		if cmd.Flags().Changed(flag) {
			return nil, "", usagef(cmd, "projects add: --%s works with --name only; set it in the file", flag)
		}
	}
	return a.readText(cmd, f.file)
}

func (a *app) projectsAdd() *cobra.Command {
	var f projectFlags
	var file string
	var dryRun bool
	cmd := &cobra.Command{
		Use:   "add ORG",
		Short: "Add a project to an org",
		Long: `Add creates a project for an org: it changes the registry's record of the org,
runs its bootstrap layer as onboard does, and waits until the project is ready.
Where service accounts of the project have roles in AWS, the cluster layer runs
first.

With --spec FILE the project is first added to the org's spec file, in place;
the rest of the file stays as it is written. Without it the command prints what
to add to the spec: the next onboard removes projects that the spec does not
list.

Adding an existing project with the same settings changes nothing.`,
		Example: `  freehold projects add acme --name lab --cpu 2 --member editor=group:acme:lab --spec acme.yaml
  freehold projects add acme -f lab.yaml --spec acme.yaml
  freehold projects add acme -f lab.yaml --dry-run`,
		Args:              exactly("ORG"),
		ValidArgsFunction: a.completeOrgs,
		Annotations:       map[string]string{operation: "projects"},
		RunE: func(cmd *cobra.Command, args []string) error {
			org := args[0]
			text, name, err := f.read(a, cmd)
			if err != nil {
				return err
			}
			p, err := a.open(cmd)
			if err != nil {
				return err
			}
			others, err := recordedProjects(cmd.Context(), p, org)
			if err != nil {
				return err
			}
			one, err := spec.ParseProject(name, bytes.NewReader(text), others)
			if err != nil {
				return err
			}
			change := lifecycle.ProjectChange{Add: &one}
			var into *specFile
			if file != "" {
				if into, err = a.openSpec(cmd, org, file); err != nil {
					return err
				}
				if err := into.add(one, text); err != nil {
					return err
				}
			}
			if dryRun {
				return a.planProjects(cmd, p, org, change)
			}
			if err := into.save(); err != nil {
				return err
			}
			hint := fmt.Sprintf("add this to projects in the spec of %s, or the next onboard removes the project:\n\n%s",
				org, indented(string(text)))
			return a.changeProjects(cmd, p, org, change, into, hint)
		},
	}
	f.add(cmd)
	specFlag(cmd, &file)
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "show what would change, without changing it")
	return cmd
}

func (a *app) projectsRemove() *cobra.Command {
	var file, yes string
	var dryRun bool
	cmd := &cobra.Command{
		Use:   "remove ORG NAME",
		Short: "Remove a project from an org, after asking",
		Long: `Remove removes a project from an org. It shows what would change and asks for the
project's name; --yes=NAME answers where nobody can be asked.

With deletionPolicy: Retain, the default, the namespace stays, with its policies
and everything in it. With deletionPolicy: Delete the namespace is deleted too;
typing the name confirms that.

With --spec FILE the project is first removed from the org's spec file, in place.
Without it the next onboard creates the project again.`,
		Example: `  freehold projects remove acme lab --dry-run
  freehold projects remove acme lab --spec acme.yaml
  freehold projects remove acme lab --yes=lab`,
		Args:              exactly("ORG", "NAME"),
		ValidArgsFunction: a.completeProjects,
		Annotations:       map[string]string{operation: "projects"},
		RunE: func(cmd *cobra.Command, args []string) error {
			org, name := args[0], args[1]
			switch {
			case yes != "" && yes != name:
				return usagef(cmd, "projects remove: --yes=%s does not match project %s; nothing was removed", yes, name)
			case yes == "" && !dryRun && !a.env.Interactive:
				return usagef(cmd, "projects remove: cannot ask for confirmation here; add --yes=%s", name)
			}
			p, err := a.open(cmd)
			if err != nil {
				return err
			}
			change := lifecycle.ProjectChange{Remove: name}
			var into *specFile
			if file != "" {
				if into, err = a.openSpec(cmd, org, file); err != nil {
					return err
				}
				if err := into.remove(name); err != nil {
					return err
				}
			}
			if dryRun {
				return a.planProjects(cmd, p, org, change)
			}
			if yes == "" {
				planned, err := p.PlanProjects(cmd.Context(), org, change)
				if err != nil {
					return err
				}
				if err := render.TextPlan(a.env.Stderr, planned); err != nil {
					return err
				}
				if err := a.ask(cmd.Context(), name, "remove the project"); err != nil {
					return &lifecycle.Error{Org: org, Doing: "projects remove", Err: err, Next: "nothing was removed; run freehold projects remove " + org + " " + name + " again"}
				}
			}
			if err := into.save(); err != nil {
				return err
			}
			hint := fmt.Sprintf("remove project %s from the spec of %s too, or the next onboard creates it again\n", name, org)
			return a.changeProjects(cmd, p, org, change, into, hint)
		},
	}
	specFlag(cmd, &file)
	cmd.Flags().StringVar(&yes, "yes", "", "the project's name, instead of being asked")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "show what would change, without changing it")
	return cmd
}

func specFlag(cmd *cobra.Command, file *string) {
	cmd.Flags().StringVar(file, "spec", "", "also change the org's spec `FILE`, in place")
	_ = cmd.MarkFlagFilename("spec", "yaml", "yml")
}

// planProjects shows what a change would do, as plan does and with its exit status.
func (a *app) planProjects(cmd *cobra.Command, p ProjectManager, org string, change lifecycle.ProjectChange) error {
	planned, err := p.PlanProjects(cmd.Context(), org, change)
	if err != nil {
		return err
	}
	if err := a.print(planned, func(w io.Writer) error { return render.TextPlan(w, planned) }); err != nil {
		return err
	}
	a.streamed = true // the plan is the only line of ndjson
	if planned.Different() {
		return errDifferent
	}
	return nil
}

// changeProjects makes a change. The hint says what the spec file needs when it
// was not changed too.
func (a *app) changeProjects(cmd *cobra.Command, p ProjectManager, org string, change lifecycle.ProjectChange, into *specFile, hint string) error {
	var result event.Onboarding
	err := a.operate(cmd.Context(), "projects", org, func(sink event.Sink) (any, error) {
		var err error
		result, err = p.ChangeProjects(cmd.Context(), org, change, sink)
		return known(result, result.Org), err
	})
	err = a.finish(result, result.Org, err, func(w io.Writer) error { return render.TextOnboarding(w, result) })
	if err != nil {
		return err
	}
	if into != nil {
		_, err = fmt.Fprintf(a.env.Stderr, "%s is updated\n", into.name)
		return err
	}
	_, err = io.WriteString(a.env.Stderr, hint)
	return err
}

func indented(text string) string {
	var b strings.Builder
	for i, line := range strings.Split(strings.TrimRight(text, "\n"), "\n") {
		lead := "    "
		if i == 0 {
			lead = "  - "
		}
		b.WriteString(strings.TrimRight(lead+line, " ") + "\n")
	}
	return b.String()
}

// recordedProjects are the names of the org's projects.
func recordedProjects(ctx context.Context, p ProjectManager, org string) ([]string, error) {
	s, err := p.Status(ctx, org)
	return s.DataPlane.Projects, err
}

// specFile is an org's spec file while a project is added or removed; nil stands
// for none.
type specFile struct {
	name  string
	mode  os.FileMode
	text  []byte
	parse spec.Spec
}

func (a *app) openSpec(cmd *cobra.Command, org, file string) (*specFile, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, usagef(cmd, "%v", err)
	}
	if !info.Mode().IsRegular() {
		return nil, usagef(cmd, "--spec %s is not a regular file", file)
	}
	text, _, err := a.readText(cmd, file)
	if err != nil {
		return nil, err
	}
	s, err := spec.Parse(file, bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	if s.Org != org {
		return nil, usagef(cmd, "--spec %s is the spec of %s, expected %s", file, s.Org, org)
	}
	return &specFile{name: file, mode: info.Mode().Perm(), text: text, parse: s}, nil
}

// add adds a project, unless the file has it with the same settings.
func (f *specFile) add(one spec.Project, text []byte) error {
	if i := slices.IndexFunc(f.parse.Projects, func(p spec.Project) bool { return p.Name == one.Name }); i >= 0 {
		if reflect.DeepEqual(f.parse.Projects[i], one) {
			return nil
		}
		return fmt.Errorf("%s: %w: project %s already exists with different settings", f.name, spec.ErrInvalid, one.Name)
	}
	changed, err := spec.AddProject(f.text, text)
	if err != nil {
		return f.notEdited(err)
	}
	f.text = changed
	return nil
}

// remove removes a project, unless the file does not have it.
func (f *specFile) remove(name string) error {
	if !slices.ContainsFunc(f.parse.Projects, func(p spec.Project) bool { return p.Name == name }) {
		return nil
	}
	changed, err := spec.RemoveProject(f.text, name)
	if err != nil {
		return f.notEdited(err)
	}
	f.text = changed
	return nil
}

func (f *specFile) notEdited(err error) error {
	if _, ok := errors.AsType[spec.Mistakes](err); ok {
		return err
	}
	return fmt.Errorf("%s: %w: %w", f.name, spec.ErrInvalid, err)
}

// save replaces the file in one step, so that it is never half written.
func (f *specFile) save() error {
	if f == nil {
		return nil
	}
	name, err := filepath.EvalSymlinks(f.name)
	if err != nil {
		return fmt.Errorf("write %s: %w", f.name, err)
	}
	next := name + ".new"
	if err := os.WriteFile(next, f.text, f.mode); err != nil {
		return fmt.Errorf("write %s: %w", f.name, err)
	}
	if err := os.Rename(next, name); err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", f.name, err), os.Remove(next))
	}
	return nil
}

// completeProjects offers orgs, and then the projects of the one that was typed.
func (a *app) completeProjects(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	return a.completeOfOrg(cmd, args, typed, func(p Lifecycle, org string) ([]string, error) {
		return recordedProjects(cmd.Context(), p, org)
	})
}
