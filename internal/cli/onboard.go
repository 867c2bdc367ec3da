package cli

import (
	"io"
	"strings"

	"github.com/spf13/cobra"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/lifecycle"
	"freehold.dev/freehold/internal/render"
	"freehold.dev/freehold/internal/spec"
)

func (a *app) onboard() *cobra.Command {
	var files []string
	var sarif, yes string
	var parallel int
	var o lifecycle.OnboardOptions
	cmd := &cobra.Command{
		Use:   "onboard -f FILE | -f FOLDER",
		Short: "Create or update an org's data plane from its spec",
		Long: `Onboard creates or changes an org's data plane until it matches the spec:
account, boundary, cluster, bootstrap. It is safe to run again, also after it
was killed: it continues where it stopped, and changes nothing when nothing
differs.

Freehold's isolation policies check everything in a layer before it is created.
A violation ends the command with exit status 3; exceptions are listed in the
spec.

--prune also removes everything in the org's account that no layer declares,
buckets and volumes with their data included. It lists what it would remove and
asks for the org's name; --yes=ORG answers where nobody can be asked. Without
anything to remove it does not ask.

--request-id names the request. Made again, it is the same operation: while its
process lives, the command ends with status 5; if that was killed, the operation
goes on to its one end; and after the end, its events and its result are shown
again, with the same exit status. Another document under the same id is refused.

A folder stands for every *.yaml and *.yml directly in it, and -f may be given
several times: then --parallel orgs are onboarded at the same time, in the order
of their names. All documents must be valid, one per org, before the first org
is started. After that one org that fails does not stop the others. The exit
status is the worst of all orgs': 1, 4, 3, 5, 6, 0. With -o json the result is
one document with a result per org, and with -o ndjson the events of all orgs
are in one stream, with one terminal event per org.

Progress is written to standard error and the result to standard output. With
-o ndjson every event is a CloudEvents 1.0 document, one per line on standard
output. The last one is always exactly one of
dev.freehold.operation.succeeded, .failed, .blocked or .pending, and carries the
result. Its subject is the org that the document names; without one the event
has no subject.`,
		Example: `  freehold onboard -f acme.yaml
  freehold onboard -f acme.yaml -o ndjson | tee acme.events
  freehold onboard -f - < acme.yaml
  freehold onboard -f customers/ --parallel 8
  freehold onboard -f acme.yaml --prune      # also remove what no layer declares, after asking
  freehold onboard -f acme.yaml --prune --yes=acme`,
		Args:        exactly(),
		Annotations: map[string]string{operation: "onboard"},
		RunE: func(cmd *cobra.Command, _ []string) error {
			if parallel < 1 || parallel > mostParallel {
				return usagef(cmd, "onboard: --parallel %d: want 1 to %d", parallel, mostParallel)
			}
			if several(files) && a.opt.Server != "" {
				return usagef(cmd, "onboard: a server takes one document at a time")
			}
			if several(files) {
				if o.Prune || yes != "" {
					return usagef(cmd, "onboard: --prune removes things from one org at a time; give it one document")
				}
				return a.onboardMany(cmd, files, parallel, sarif, o)
			}
			file := strings.Join(files, "")
			s, err := a.readSpec(cmd, file)
			if err != nil {
				return err
			}
			if err := a.checkPruneFlags(cmd, s.Org, file, yes, o.Prune); err != nil {
				return err
			}
			p, err := a.open(cmd)
			if err != nil {
				return err
			}
			if o.Prune && yes == "" {
				if o.Prune, err = a.confirmPrune(cmd, p, s); err != nil {
					return err
				}
			}
			var result event.Onboarding
			err = a.operate(cmd.Context(), "onboard", s.Org, func(sink event.Sink) (any, error) {
				var err error
				o.RequestID = a.opt.RequestID
				result, err = p.Onboard(cmd.Context(), s, o, sink)
				return known(result, result.Org), err
			})
			err = a.placed(withSARIF(err, sarif, s.Org, result.Policy))
			return a.finish(result, result.Org, err, func(w io.Writer) error { return render.TextOnboarding(w, result) })
		},
	}
	a.requestFlag(cmd)
	cmd.Flags().StringArrayVarP(&files, "file", "f", nil, "the spec, a YAML `document`, or a folder of them; repeatable; - reads standard input")
	_ = cmd.MarkFlagFilename("file", "yaml", "yml")
	cmd.Flags().IntVar(&parallel, "parallel", usualParallel, "with several documents: the `number` of orgs that are onboarded at the same time")
	a.policyFlags(cmd, &sarif)
	cmd.Flags().BoolVar(&o.Prune, "prune", false, "also remove what no layer declares from the org's account, after asking")
	cmd.Flags().StringVar(&yes, "yes", "", "with --prune: the org's name, instead of being asked")
	return cmd
}

// checkPruneFlags refuses a removal that nobody confirmed or could confirm.
func (a *app) checkPruneFlags(cmd *cobra.Command, org, file, yes string, prune bool) error {
	switch {
	case yes != "" && !prune:
		return usagef(cmd, "onboard: --yes confirms --prune, which is missing")
	case !prune:
		return nil
	case yes != "" && yes != org:
		return usagef(cmd, "onboard: --yes=%s does not match org %s; nothing was changed", yes, org)
	case yes == "" && !a.env.Interactive:
		return usagef(cmd, "onboard: --prune cannot ask for confirmation here; add --yes=%s", org)
	case yes == "" && file == "-":
		return usagef(cmd, "onboard: --prune cannot ask for confirmation while the spec is on standard input; add --yes=%s", org)
	}
	return nil
}

// confirmPrune shows what would be pruned and asks for the org's name. It
// reports whether to prune: not when there was nothing to show, since nobody
// agreed to the removal of what appears afterwards.
func (a *app) confirmPrune(cmd *cobra.Command, p Onboarder, s spec.Spec) (bool, error) {
	var planned event.Plan
	err := a.preview(cmd.Context(), s.Org, func(sink event.Sink) (any, error) {
		var err error
		planned, err = p.Plan(cmd.Context(), s, lifecycle.PlanOptions{Prune: true}, sink)
		return known(planned, planned.Org), err
	})
	if err != nil || len(planned.Prune) == 0 {
		return false, err
	}
	if err := render.TextPrune(a.env.Stderr, planned); err != nil {
		return false, err
	}
	if err := a.ask(cmd.Context(), s.Org, "remove all of this and onboard"); err != nil {
		return false, &lifecycle.Error{Org: s.Org, Doing: "onboard", Err: err, Next: "nothing was changed; run freehold onboard again"}
	}
	return true, nil
}

// finish prints an operation's result. A failed one has a result for programs
// only: how each layer ended. People read the error.
func (a *app) finish(result any, org string, err error, people func(io.Writer) error) error {
	if err == nil || (a.output == asJSON && org != "") {
		if failed := a.printOperation(result, people); err == nil {
			err = failed
		}
	}
	return err
}
