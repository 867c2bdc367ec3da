package cli

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

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
place, so that the next onboard agrees.

Projects that were added through Freehold's API are not in the spec. The org's
cluster pulls them, onboard keeps them, and remove removes them too.`,
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
		Long: `List shows an org's projects and their state in its cluster. SOURCE is spec for a
project in the org's spec, and api for one that was added through Freehold's API.
With -o ndjson each project is one line.`,
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
			return a.printProject(all, args[1])
		},
	}
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
	a.requestFlag(cmd)
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
Without it the next onboard creates the project again. A project that was added
through Freehold's API is in no spec, and needs no --spec.`,
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
				if err := a.showRemoval(cmd.Context(), p, org, change); err != nil {
					return err
				}
				if err := a.ask(cmd.Context(), name, "remove the project"); err != nil {
					return &lifecycle.Error{Org: org, Doing: "projects remove", Err: err, Next: "nothing was removed; run freehold projects remove" + a.ofOrg(org) + " " + name + " again"}
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
	a.requestFlag(cmd)
	cmd.Flags().StringVar(&yes, "yes", "", "the project's name, instead of being asked")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "show what would change, without changing it")
	return cmd
}

// showRemoval shows what a removal would do. A server does not plan it.
func (a *app) showRemoval(ctx context.Context, p ProjectManager, org string, change lifecycle.ProjectChange) error {
	if a.opt.Server != "" {
		_, err := fmt.Fprintf(a.env.Stderr, "project %s of %s would be removed, with its namespace if its deletionPolicy is Delete\n", change.Remove, org)
		return err
	}
	planned, err := p.PlanProjects(ctx, org, change)
	if err != nil {
		return err
	}
	return render.TextPlan(a.env.Stderr, planned)
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
		result, err = p.ChangeProjects(cmd.Context(), org, change, lifecycle.Call{RequestID: a.opt.RequestID}, sink)
		return known(result, result.Org), err
	})
	err = a.finish(result, result.Org, err, func(w io.Writer) error { return render.TextOnboarding(w, result) })
	if err != nil {
		return err
	}
	if len(result.Layers) == 0 {
		return nil // the project was added through the API: no spec lists it
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

// completeProjects offers orgs, and then the projects of the one that was typed.
func (a *app) completeProjects(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	return a.completeOfOrg(cmd, args, typed, func(p Lifecycle, org string) ([]string, error) {
		return recordedProjects(cmd.Context(), p, org)
	})
}
