package cli

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/lifecycle"
	"freehold.dev/freehold/internal/render"
)

func (a *app) sandbox() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "sandbox",
		Short: "Inspect and change the sandbox cloud out of band",
		Long: `The sandbox is an embedded cloud: freehold --sandbox uses it instead of AWS, and
runs a real Kubernetes control plane for each cluster. These commands change it
without the engine's knowledge, to rehearse drift and repair. They always use
the sandbox; --sandbox is not needed.

The sandbox cloud is kept in freehold's home. Several homes share one cloud, as
several machines share AWS, when FREEHOLD_SANDBOX_DIR (--sandbox-dir) names the
same folder for each.

ORG is an org or a 12-digit account id. TYPE is a Pulumi type, which may be
shortened: aws:iam/role:Role, iam/role:Role or Role. Resources are identified by
id or name.`,
		Example: `  freehold sandbox ls acme --type Role
  freehold sandbox edit acme SecurityGroup sg-0123 description=changed
  freehold drift acme --sandbox`,
		Args: cobra.ArbitraryArgs,
		RunE: group,
	}
	cmd.AddCommand(
		a.sandboxList(),
		a.sandboxShow(),
		a.sandboxEdit(),
		a.sandboxRemove(),
		a.sandboxCreate(),
		a.sandboxAccount(),
		a.sandboxStop(),
		a.sandboxReset(),
		a.sandboxExec(),
		a.sandboxServeCluster(),
		a.sandboxToken(),
	)
	return cmd
}

// isSandboxCommand reports whether cmd is under "freehold sandbox", which
// implies --sandbox.
func isSandboxCommand(cmd *cobra.Command) bool {
	for c := cmd; c != nil && c.HasParent(); c = c.Parent() {
		if c.Name() == "sandbox" && !c.Parent().HasParent() {
			return true
		}
	}
	return false
}

func (a *app) wireSandbox(cmd *cobra.Command) (Sandbox, error) {
	s, err := a.wire(cmd)
	if err != nil {
		return nil, err
	}
	if s.Sandbox == nil {
		return nil, errors.New("this build does not include the sandbox")
	}
	return s.Sandbox, nil
}

func (a *app) sandboxList() *cobra.Command {
	var short string
	cmd := &cobra.Command{
		Use:   "ls [ORG]",
		Short: "List the resources in the sandbox cloud",
		Example: `  freehold sandbox ls
  freehold sandbox ls acme
  freehold sandbox ls acme --type Role -o json`,
		Args:              between(0, "ORG"),
		ValidArgsFunction: a.completeOrgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := a.wireSandbox(cmd)
			if err != nil {
				return err
			}
			typ := ""
			if short != "" {
				if typ, err = fullType(cmd, s.Types(), short); err != nil {
					return err
				}
			}
			items, err := s.List(cmd.Context(), strings.Join(args, ""), typ)
			if err != nil {
				return err
			}
			return printList(a, items, func(w io.Writer) error { return render.TextSandboxItems(w, items) })
		},
	}
	cmd.Flags().StringVar(&short, "type", "", "only this type")
	return cmd
}

func (a *app) sandboxShow() *cobra.Command {
	return &cobra.Command{
		Use:   "show ORG TYPE ID|NAME",
		Short: "Show a resource with all its properties",
		Example: `  freehold sandbox show acme Role freehold-acme-read
  freehold sandbox show acme ec2/vpc:Vpc vpc-0123 -o json`,
		Args:              exactly("ORG", "TYPE", "ID or NAME"),
		ValidArgsFunction: a.completeOrgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			s, typ, err := a.typed(cmd, args[1])
			if err != nil {
				return err
			}
			item, err := s.Show(cmd.Context(), args[0], typ, args[2])
			if err != nil {
				return err
			}
			return a.printItem(item)
		},
	}
}

func (a *app) sandboxEdit() *cobra.Command {
	return &cobra.Command{
		Use:   "edit ORG TYPE ID|NAME PATH=VALUE...",
		Short: "Change properties of a resource",
		Long: `Edit changes properties of a resource, either all of them or none. A value is
parsed as JSON, or else taken as a string; null removes the property.`,
		Example: `  freehold sandbox edit acme SecurityGroup sg-0123 'ingress[0].fromPort=22'
  freehold sandbox edit acme Vpc vpc-0123 'tags["team"]=red' 'tags["freehold.dev/org"]=null'`,
		Args:              assignments("ORG", "TYPE", "ID or NAME"),
		ValidArgsFunction: a.completeOrgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			sets, err := parseAssignments(cmd, args[3:])
			if err != nil {
				return err
			}
			s, typ, err := a.typed(cmd, args[1])
			if err != nil {
				return err
			}
			item, err := s.Edit(cmd.Context(), args[0], typ, args[2], func(p map[string]any) error { return assign(cmd, p, sets) })
			if err != nil {
				return err
			}
			return a.printItem(item)
		},
	}
}

func (a *app) sandboxRemove() *cobra.Command {
	var force bool
	cmd := &cobra.Command{
		Use:   "rm ORG TYPE ID|NAME",
		Short: "Remove a resource",
		Example: `  freehold sandbox rm acme Role freehold-acme-read
  freehold sandbox rm acme Vpc vpc-0123 --force   # even if AWS would refuse`,
		Args:              exactly("ORG", "TYPE", "ID or NAME"),
		ValidArgsFunction: a.completeOrgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			s, typ, err := a.typed(cmd, args[1])
			if err != nil {
				return err
			}
			if err := s.Remove(cmd.Context(), args[0], typ, args[2], force); err != nil {
				return err
			}
			fmt.Fprintf(a.env.Stderr, "removed %s %s\n", typ, args[2])
			return nil
		},
	}
	cmd.Flags().BoolVar(&force, "force", false, "remove it even if AWS would refuse")
	return cmd
}

func (a *app) sandboxCreate() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "create ORG TYPE NAME [PATH=VALUE...]",
		Short: "Create a resource that no layer declares",
		Example: `  freehold sandbox create acme SecurityGroup stray vpcId=vpc-0123 description=stray
  freehold sandbox create acme Role stray -f role.json`,
		Args:              cobra.ArbitraryArgs,
		ValidArgsFunction: a.completeOrgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			names := []string{"ORG", "TYPE", "NAME"}
			if len(args) < len(names) {
				return usagef(cmd, "create: %s is missing", names[len(args)])
			}
			properties, err := a.readProperties(cmd, file)
			if err != nil {
				return err
			}
			sets, err := parseAssignments(cmd, args[3:])
			if err != nil {
				return err
			}
			if err := assign(cmd, properties, sets); err != nil {
				return err
			}
			s, typ, err := a.typed(cmd, args[1])
			if err != nil {
				return err
			}
			item, err := s.Create(cmd.Context(), args[0], typ, args[2], properties)
			if err != nil {
				return err
			}
			return a.printItem(item)
		},
	}
	cmd.Flags().StringVarP(&file, "file", "f", "", "`file` with the properties as a JSON object; - reads standard input")
	_ = cmd.MarkFlagFilename("file", "json")
	return cmd
}

func (a *app) sandboxStop() *cobra.Command {
	return &cobra.Command{
		Use:   "stop [ORG]",
		Short: "Stop the control planes; they start again on demand",
		Example: `  freehold sandbox stop
  freehold sandbox stop acme`,
		Args:              between(0, "ORG"),
		ValidArgsFunction: a.completeOrgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := a.wireSandbox(cmd)
			if err != nil {
				return err
			}
			return s.Stop(cmd.Context(), strings.Join(args, ""))
		},
	}
}

func (a *app) sandboxReset() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "reset",
		Short: "Delete everything in the sandbox cloud, after asking",
		Example: `  freehold sandbox reset
  freehold sandbox reset --yes`,
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := a.wireSandbox(cmd)
			if err != nil {
				return err
			}
			if !yes {
				if !a.env.Interactive {
					return usagef(cmd, "reset: cannot ask for confirmation here; add --yes")
				}
				if err := a.ask(cmd.Context(), "reset", "delete every account, cluster and record of the sandbox"); err != nil {
					return &lifecycle.Error{Doing: "reset", Err: err, Next: "nothing was removed"}
				}
			}
			if err := s.Reset(cmd.Context()); err != nil {
				return err
			}
			fmt.Fprintln(a.env.Stderr, "the sandbox is empty")
			return nil
		},
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask for confirmation")
	return cmd
}

func (a *app) sandboxExec() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "exec -- COMMAND [ARG...]",
		Short: "Run a command, such as pulumi, against the sandbox",
		Long: `Exec runs a command with the environment that connects the plain pulumi command
line to the sandbox's providers and to freehold's programs and state.
$FREEHOLD_STACKS, also in the command's arguments, is the folder with the
stacks' settings. Signals are passed on to the command, and freehold exits with
its exit status.

Commands that run a program, such as pulumi preview, need a project: run them in
a folder with freehold's Pulumi.yaml.`,
		Example: `  freehold sandbox exec -- pulumi stack ls
  freehold sandbox exec -- pulumi stack --stack acme.cluster --show-urns
  freehold sandbox exec -- pulumi preview --stack acme.boundary \
    --config-file '$FREEHOLD_STACKS/acme/boundary/Pulumi.acme.boundary.yaml'`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef(cmd, "exec: COMMAND is missing")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := a.wireSandbox(cmd)
			if err != nil {
				return err
			}
			status, err := s.Exec(cmd.Context(), args, a.env.Stdin, unescaped(a.env.Stdout), unescaped(a.env.Stderr))
			if err == nil && status != 0 {
				err = childError{status}
			}
			return err
		},
	}
	cmd.Flags().SetInterspersed(false)
	return cmd
}

func (a *app) sandboxServeCluster() *cobra.Command {
	var dir string
	var idle time.Duration
	cmd := &cobra.Command{
		Use:     "serve-cluster --dir DIR",
		Short:   "Run the control plane in a folder",
		Example: `  freehold sandbox serve-cluster --dir DIR --idle 15m`,
		Hidden:  true,
		Args:    exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if dir == "" {
				return usagef(cmd, "serve-cluster: --dir is missing")
			}
			s, err := a.wireSandbox(cmd)
			if err != nil {
				return err
			}
			return s.ServeCluster(cmd.Context(), dir, idle)
		},
	}
	cmd.Flags().StringVar(&dir, "dir", "", "the cluster's folder")
	cmd.Flags().DurationVar(&idle, "idle", 15*time.Minute, "stop after this time without use; 0: never")
	return cmd
}

func (a *app) sandboxToken() *cobra.Command {
	var dir, as, role string
	cmd := &cobra.Command{
		Use:   "token ORG --as USER",
		Short: "Print a token of the trial login, for a script",
		Long: `Token prints an ID token of the identity provider that freehold serve --sandbox
has for an org, as a browser would get it. It is valid for 15 minutes.

The users of an org are ada (an admin), oscar (an operator), vera (a viewer) and
nobody. ORG "op" is the operators' host, with the user olga.`,
		Example: `  FREEHOLD_TOKEN="$(freehold sandbox token acme --as ada)" freehold --server https://acme.freehold.localhost:8443 get caller`,
		Args:    between(0, "ORG"),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case dir == "" && len(args) == 0:
				return usagef(cmd, "token: ORG is missing")
			case dir == "" && as == "":
				return usagef(cmd, "token: --as is missing: want ada, oscar, vera or nobody, and for op olga")
			case dir == "":
				return a.printIDToken(cmd, args[0], as)
			case as != "bootstrap" && as != "reader":
				return usagef(cmd, "token: --as %q: want bootstrap or reader", as)
			}
			s, err := a.wireSandbox(cmd)
			if err != nil {
				return err
			}
			credential, err := s.Token(cmd.Context(), dir, as, role)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(a.env.Stdout, "%s\n", credential)
			return err
		},
	}
	cmd.Flags().StringVar(&as, "as", "", "the `user` that the token is for")
	// The kubeconfigs of the sandbox's clusters name these: an ExecCredential for
	// the cluster in a folder, as bootstrap or reader.
	cmd.Flags().StringVar(&dir, "dir", "", "the cluster's folder")
	cmd.Flags().StringVar(&role, "role", "", "the role that the identity comes from, which the cluster must know")
	for _, name := range []string{"dir", "role"} {
		_ = cmd.Flags().MarkHidden(name)
	}
	return cmd
}

func (a *app) printIDToken(cmd *cobra.Command, org, user string) error {
	s, err := a.wireSandbox(cmd)
	if err != nil {
		return err
	}
	token, err := s.IDToken(cmd.Context(), org, user)
	if err != nil {
		return &lifecycle.Error{Org: org, Doing: "sandbox token", Err: err}
	}
	_, err = fmt.Fprintln(a.env.Stdout, token)
	return err
}

func (a *app) printItem(item event.SandboxItem) error {
	return a.print(item, func(w io.Writer) error { return render.TextSandboxItem(w, item) })
}
