package cli

import (
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/lifecycle"
	"freehold.dev/freehold/internal/render"
)

func (a *app) status() *cobra.Command {
	var compare bool
	cmd := &cobra.Command{
		Use:   "status [ORG]",
		Short: "Show what is recorded about all orgs, or about one",
		Long: `Status shows what is recorded about all orgs, or about one in detail. It does not
ask the cloud.

--compare shows orgs side by side (accounts, boundaries, clusters, VPCs, keys)
and what they have in common; exit status 1: they share something. It takes any
number of orgs.

With -o json one ORG is an object and all orgs are a list; with -o ndjson each
org is one line.`,
		Example: `  freehold status
  freehold status acme
  freehold status --compare
  freehold status --compare acme globex
  freehold status acme -o json | jq -r .dataPlane.accountId`,
		ValidArgsFunction: a.completeOrgs,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 && !compare {
				return usagef(cmd, "status: unexpected argument %q; --compare takes several orgs", args[1])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := a.open(cmd)
			if err != nil {
				return err
			}
			if compare {
				return a.compare(cmd, p, args)
			}
			if len(args) == 0 {
				orgs, err := p.Orgs(cmd.Context())
				if err != nil {
					return err
				}
				return printList(a, orgs, func(w io.Writer) error { return render.TextStatuses(w, orgs) })
			}
			s, err := p.Status(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return a.print(s, func(w io.Writer) error { return render.TextStatus(w, s) })
		},
	}
	cmd.Flags().BoolVar(&compare, "compare", false, "show orgs side by side and what they have in common")
	return cmd
}

// compare shows the named orgs, or all, side by side. The command fails when two
// of them have something in common.
func (a *app) compare(cmd *cobra.Command, p Fleet, names []string) error {
	all, err := p.Orgs(cmd.Context())
	if err != nil {
		return err
	}
	for _, name := range names {
		if !slices.ContainsFunc(all, func(s event.Status) bool { return s.Org == name }) {
			return &lifecycle.Error{
				Org: name, Doing: "compare", Next: "list the orgs with freehold status",
				Err: fmt.Errorf("%w: no such org", lifecycle.ErrInvalid),
			}
		}
	}
	wanted := func(org string) bool { return len(names) == 0 || slices.Contains(names, org) }
	shared, err := p.Shared(cmd.Context())
	if err != nil {
		return err
	}
	c := event.Comparison{
		Orgs: slices.DeleteFunc(all, func(s event.Status) bool { return !wanted(s.Org) }),
		Shared: slices.DeleteFunc(shared, func(s finding.Shared) bool {
			return len(slices.DeleteFunc(slices.Clone(s.Owners), func(o string) bool { return !wanted(o) })) < 2
		}),
	}
	if err := a.print(c, func(w io.Writer) error { return render.TextComparison(w, c, a.env.Width()) }); err != nil {
		return err
	}
	if len(c.Shared) > 0 {
		return errReported
	}
	return nil
}
