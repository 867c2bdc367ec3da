package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/lifecycle"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/render"
	"freehold.dev/freehold/internal/spec"
)

func (a *app) plan() *cobra.Command {
	var file, sarif string
	var offline bool
	var o lifecycle.PlanOptions
	cmd := &cobra.Command{
		Use:   "plan -f FILE",
		Short: "Show what onboard would change, without changing it",
		Long: `Plan shows what freehold decides for a spec (names, ranges, versions, tags)
and, layer by layer, what onboard would create, update, replace or delete.
It changes nothing.

--prune also lists what onboard --prune would remove: everything in the org's
account that no layer declares.

Exit status 2: onboard would change something, or prune something. Exit status
3: the isolation policies do not allow what it would create. --offline shows the
decisions only, without asking the cloud, and exits with 0. It refuses (4) what
the spec and this machine's registry show to be impossible, such as a skip of a
Kubernetes version, and lists what it did not check.

With -o ndjson the preview's events are streamed, and the plan is the result on
the terminal event; with --offline the plan is the only line.`,
		Example: `  freehold plan -f acme.yaml
  freehold plan -f acme.yaml --prune
  freehold plan -f acme.yaml --offline
  freehold plan -f acme.yaml -o json | jq '.changes[].name'`,
		Args:        exactly(),
		Annotations: map[string]string{operation: "plan"},
		RunE: func(cmd *cobra.Command, _ []string) error {
			if offline && o.Prune {
				return usagef(cmd, "plan: --prune asks the cloud and --offline does not; use one of them")
			}
			s, err := a.readSpec(cmd, file)
			if err != nil {
				return err
			}
			if offline {
				result, err := a.planOffline(cmd.Context(), s)
				if err != nil {
					return err
				}
				return a.print(result, func(w io.Writer) error { return textOffline(w, result) })
			}
			p, err := a.open(cmd)
			if err != nil {
				return err
			}
			var result event.Plan
			err = a.operate(cmd.Context(), "plan", s.Org, func(sink event.Sink) (any, error) {
				var err error
				result, err = p.Plan(cmd.Context(), s, o, sink)
				return known(result, result.Org), err
			})
			err = withSARIF(err, sarif, s.Org, result.Policy)
			if errors.Is(err, lifecycle.ErrBlocked) {
				return a.finish(result, result.Org, err, nil)
			}
			if err != nil {
				return a.placed(err)
			}
			if err := a.printOperation(result, func(w io.Writer) error { return textPlan(w, result, o) }); err != nil {
				return err
			}
			if result.Different() {
				return errDifferent
			}
			return nil
		},
	}
	fileFlag(cmd, &file)
	a.policyFlags(cmd, &sarif)
	cmd.Flags().BoolVar(&offline, "offline", false, "show the decisions only, without asking the cloud")
	cmd.Flags().BoolVar(&o.Prune, "prune", false, "also list what onboard --prune would remove")
	return cmd
}

// placedError is a refusal of what a document asks for, with the places in it.
type placedError struct {
	err    error
	places spec.Mistakes
}

func (e *placedError) Error() string { return e.err.Error() }
func (e *placedError) Unwrap() error { return e.err }

// placed adds to a refusal the places of the fields that are at fault. A field
// that the document leaves out has none.
func (a *app) placed(err error) error { return a.doc.placed(err) }

func (d document) placed(err error) error {
	failed, ok := errors.AsType[*lifecycle.Error](err)
	if !ok {
		return err
	}
	var places spec.Mistakes
	for _, r := range failed.Refusals {
		places = append(places, spec.Places(d.name, d.text, r.Field)...)
	}
	if len(places) == 0 {
		return err
	}
	return &placedError{err, places}
}

// planOffline is the plan as far as the document and the registry show it, or
// what they refuse.
func (a *app) planOffline(ctx context.Context, s spec.Spec) (event.Plan, error) {
	var records *lifecycle.Records
	if a.env.Records != nil && a.opt.Home != "" {
		opened, closeIt, err := a.env.Records(ctx, a.opt)
		if err != nil {
			return event.Plan{}, err
		}
		if closeIt != nil {
			defer func() { _ = closeIt() }() // it was only read
		}
		records = opened
	}
	result, refusals, err := lifecycle.PlanOffline(ctx, records, s, a.env.Now())
	if err != nil {
		return event.Plan{}, err
	}
	var all []error
	for _, r := range refusals {
		all = append(all, spec.Refuse(a.doc.name, a.doc.text, r.Field, r.Message, r.Next))
	}
	return result, errors.Join(all...)
}

// textOffline writes the decisions, and what nobody has checked.
func textOffline(w io.Writer, p event.Plan) error {
	decided, ok := p.Decided.(plan.Plan)
	if !ok {
		return fmt.Errorf("the plan of %s is a %T", p.Org, p.Decided)
	}
	if err := plan.Text(w, decided); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(w, "\nNot checked without the cloud\n"); err != nil {
		return err
	}
	for _, u := range p.Unchecked {
		if _, err := fmt.Fprintf(w, "  %s\n", u); err != nil {
			return err
		}
	}
	return nil
}

// textPlan writes the decisions and then the changes. A note is written once.
func textPlan(w io.Writer, p event.Plan, o lifecycle.PlanOptions) error {
	if decided, ok := p.Decided.(plan.Plan); ok {
		if err := plan.Text(w, decided); err != nil {
			return err
		}
		p.Notes = slices.DeleteFunc(slices.Clone(p.Notes), func(n string) bool { return slices.Contains(decided.Notes, n) })
	}
	if _, err := fmt.Fprintf(w, "\nwhat onboard would change:\n\n"); err != nil {
		return err
	}
	if err := render.TextPlan(w, p); err != nil {
		return err
	}
	if !o.Prune {
		return nil
	}
	if _, err := fmt.Fprintln(w); err != nil {
		return err
	}
	return render.TextPrune(w, p)
}

// known returns a result that names its org, and nil for the empty value that
// a use case returns beside an error.
func known(result any, org string) any {
	if org == "" {
		return nil
	}
	return result
}
