package cli

import (
	"io"

	"github.com/spf13/cobra"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/lifecycle"
	"freehold.dev/freehold/internal/render"
)

func (a *app) onboard() *cobra.Command {
	var file, sarif string
	var o lifecycle.OnboardOptions
	cmd := &cobra.Command{
		Use:   "onboard -f FILE",
		Short: "Make an org's data plane as its spec says",
		Long: `Onboard makes or changes an org's data plane until it is as the spec says:
account, boundary, cluster, bootstrap. It is safe to run again, also after it
was killed: it goes on where it stopped, and changes nothing when nothing
differs.

Before a layer makes anything, Freehold's isolation policies look at all of it.
What they do not allow ends the command with exit status 3; an exception is a
line in the spec.

Progress goes to standard error and the result to standard output. With
-o ndjson every event is a CloudEvents 1.0 document on a line of standard
output, and the last one, always exactly one of dev.freehold.operation.succeeded,
.failed, .blocked or .pending, carries the result. Its subject is the org that
the document states; a document that states none gives an event without subject.`,
		Example: `  freehold onboard -f acme.yaml
  freehold onboard -f acme.yaml -o ndjson | tee acme.events
  freehold onboard -f - < acme.yaml
  freehold onboard -f acme.yaml --prune      # also remove what no layer declares`,
		Args:        exactly(),
		Annotations: map[string]string{operation: "onboard"},
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := a.readSpec(cmd, file)
			if err != nil {
				return err
			}
			p, err := a.provisioner(cmd)
			if err != nil {
				return err
			}
			var result event.Onboarding
			err = a.operate(cmd.Context(), "onboard", s.Org, func(sink event.Sink) (any, error) {
				var err error
				result, err = p.Onboard(cmd.Context(), s, o, sink)
				return known(result, result.Org), err
			})
			err = withSARIF(err, sarif, s.Org, result.Policy)
			return a.finish(result, result.Org, err, func(w io.Writer) error { return render.TextOnboarding(w, result) })
		},
	}
	fileFlag(cmd, &file)
	a.policyFlags(cmd, &sarif)
	cmd.Flags().BoolVar(&o.Prune, "prune", false, "remove what no layer declares from the org's account, after the layers are done")
	return cmd
}

// finish prints an operation's result. A failed one has a result for programs
// only: what became of each layer. People read the error.
func (a *app) finish(result any, org string, err error, people func(io.Writer) error) error {
	if err == nil || (a.output == asJSON && org != "") {
		if failed := a.printOperation(result, people); err == nil {
			err = failed
		}
	}
	return err
}
