package cli

import (
	"errors"
	"io"

	"github.com/spf13/cobra"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/render"
)

func (a *app) drift() *cobra.Command {
	cmd := a.driftRun("drift")
	cmd.AddCommand(a.driftRun("run"))
	return cmd
}

// driftRun is the command that looks for drift now, by either of its names.
func (a *app) driftRun(name string) *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   name + " ORG... | --all",
		Short: "Show what differs from what onboard left, without changing it",
		Long: `Drift reads the cloud and shows every property that differs from what onboard
left. It changes nothing, and neither waits for an onboard nor delays one.

Exit status 2: something differs. Exit status 1: nothing that could be read
differs, but something could not be read, so there may be drift.

With -o json one ORG is an object; several orgs or --all are a list. With
-o ndjson the events of each org end in a terminal event of its own, which
carries the findings.

"freehold drift ORG" is short for "freehold drift run ORG".`,
		Example: `  freehold drift acme
  freehold drift --all -o json
  freehold drift acme -o json | jq -r '.findings[] | [.kind, .type, .name] | @tsv'`,
		ValidArgsFunction: a.completeOrgs,
		Annotations:       map[string]string{operation: "drift"},
		Args: func(cmd *cobra.Command, args []string) error {
			switch {
			case all && len(args) > 0:
				return usagef(cmd, "drift: name orgs or use --all, not both")
			case !all && len(args) == 0:
				return usagef(cmd, "drift: name an org or use --all")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := a.open(cmd)
			if err != nil {
				return err
			}
			if all {
				if args, err = ownedOrgs(cmd, p); err != nil {
					return err
				}
			}
			results, err := a.driftEach(cmd, p, args)
			if a.output == asJSON {
				if err := a.printDrift(results, len(args) == 1 && !all); err != nil {
					return err
				}
			}
			return driftVerdict(results, err)
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "every org that is not offboarded")
	return cmd
}

// ownedOrgs are the orgs that have anything that can drift.
func ownedOrgs(cmd *cobra.Command, p Inspector) ([]string, error) {
	orgs, err := p.Orgs(cmd.Context())
	if err != nil {
		return nil, err
	}
	var names []string
	for _, s := range orgs {
		if s.State != "offboarded" {
			names = append(names, s.Org)
		}
	}
	return names, nil
}

// driftEach checks one org after the other. An org that fails does not keep the
// others from being checked; text is written as each is done.
func (a *app) driftEach(cmd *cobra.Command, p Inspector, orgs []string) ([]event.Drift, error) {
	var results []event.Drift
	var failed error
	for _, org := range orgs {
		if err := cmd.Context().Err(); err != nil {
			return results, errors.Join(failed, err)
		}
		var d event.Drift
		err := a.operate(cmd.Context(), "drift", org, func(sink event.Sink) (any, error) {
			var err error
			d, err = p.Drift(cmd.Context(), org, sink)
			return known(d, d.Org), err
		})
		if err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		results = append(results, d)
		if a.output == asText {
			if err := render.TextDrift(a.env.Stdout, d); err != nil {
				return results, errors.Join(failed, err)
			}
		}
	}
	return results, failed
}

func (a *app) printDrift(results []event.Drift, one bool) error {
	if one {
		if len(results) == 0 {
			return nil
		}
		return render.JSON(a.env.Stdout, results[0])
	}
	return a.print(results, func(io.Writer) error { return nil })
}

// driftVerdict turns findings into the command's outcome: differences outrank
// what could not be read, which never counts as no drift.
func driftVerdict(results []event.Drift, failed error) error {
	incomplete := failed
	different := false
	for _, d := range results {
		different = different || d.Drifted()
		if !d.Complete() && incomplete == nil {
			incomplete = errReported
		}
	}
	if different {
		return &differentError{failed}
	}
	return incomplete
}
