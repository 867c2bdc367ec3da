package cli

import (
	"io"
	"strings"

	"github.com/spf13/cobra"

	"freehold.dev/freehold/internal/render"
)

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "freehold",
		Short: "Give every customer a data plane of their own",
		Long: `Freehold gives every customer (an org) a data plane of their own: one AWS
account, one IAM boundary, one EKS cluster, and a controller in it that isolates
each project's namespace. Nothing is shared between orgs.

Exit status: 0 done; 1 failed; 2 differences found (plan, drift), or something
to prune (plan --prune); 3 blocked by a policy, or an audit found something;
4 invalid input; 5 busy: another operation holds the org; 6 pending on the
cloud: run again later.`,
		Example: `  freehold doctor
  freehold plan -f acme.yaml
  freehold onboard -f acme.yaml
  freehold --sandbox onboard -f acme.yaml    # no AWS account needed
  freehold --server https://acme.freehold.example.com get operations`,
		Args:          cobra.ArbitraryArgs,
		RunE:          group,
		SilenceErrors: true,
		SilenceUsage:  true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			return a.options(cmd)
		},
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		// The flags of a misspelled command are unknown only because of that.
		if args := cmd.Flags().Args(); len(args) > 0 && cmd.HasSubCommands() {
			return group(cmd, args)
		}
		return usagef(cmd, "%s: %v", cmd.Name(), err)
	})
	// A command that only has subcommands runs to report an unknown one, which
	// its usage does not show.
	root.SetUsageTemplate(strings.Replace(root.UsageTemplate(), "{{if .Runnable}}", "{{if and .Runnable (not .HasAvailableSubCommands)}}", 1))
	a.flags.add(root)
	root.AddCommand(
		a.doctor(),
		a.plan(),
		a.onboard(),
		a.status(),
		a.kubeconfig(),
		a.projects(),
		a.operations(),
		a.claims(),
		a.auditLog(),
		a.registry(),
		a.webhooks(),
		a.eksToken(),
		a.drift(),
		a.audit(),
		a.offboard(),
		a.serve(),
		a.sandbox(),
		a.get(),
		a.login(),
		a.logout(),
		a.version(),
		a.completion(),
	)
	root.InitDefaultHelpCmd()
	a.remotely(root)
	return root
}

// print writes one result in the format that was asked for.
func (a *app) print(v any, people func(io.Writer) error) error {
	switch a.output {
	case asJSON:
		return render.JSON(a.env.Stdout, v)
	case asNDJSON:
		return render.JSONLine(a.env.Stdout, v)
	default:
		return people(a.env.Stdout)
	}
}

// printList writes a list; as ndjson one document per line.
func printList[T any](a *app, list []T, people func(io.Writer) error) error {
	if a.output != asNDJSON {
		return a.print(list, people)
	}
	for _, v := range list {
		if err := render.JSONLine(a.env.Stdout, v); err != nil {
			return err
		}
	}
	return nil
}

// printOperation writes an operation's result. With ndjson the terminal event
// already has it.
func (a *app) printOperation(v any, people func(io.Writer) error) error {
	if a.output == asNDJSON {
		return nil
	}
	return a.print(v, people)
}

// completeOrgs offers the known orgs to a shell.
func (a *app) completeOrgs(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	const no = cobra.ShellCompDirectiveNoFileComp
	if err := a.options(cmd); err != nil {
		return nil, no
	}
	p, err := a.open(cmd)
	if err != nil {
		return nil, no
	}
	orgs, err := p.Orgs(cmd.Context())
	if err != nil {
		return nil, no
	}
	var names []string
	for _, s := range orgs {
		names = append(names, s.Org)
	}
	return names, no
}

// completeOfOrg offers orgs, and then what the one that was typed has.
func (a *app) completeOfOrg(cmd *cobra.Command, args []string, typed string, list func(p Lifecycle, org string) ([]string, error)) ([]string, cobra.ShellCompDirective) {
	const no = cobra.ShellCompDirectiveNoFileComp
	if len(args) == 0 {
		return a.completeOrgs(cmd, args, typed)
	}
	if len(args) > 1 || a.options(cmd) != nil {
		return nil, no
	}
	p, err := a.open(cmd)
	if err != nil {
		return nil, no
	}
	names, err := list(p, args[0])
	if err != nil {
		return nil, no
	}
	return names, no
}
