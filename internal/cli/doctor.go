package cli

import (
	"io"
	"slices"

	"github.com/spf13/cobra"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/render"
)

func (a *app) doctor() *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Check what freehold needs, and say how to mend what is missing",
		Long: `Doctor checks what freehold needs on this machine and in the cloud, and prints
the exact command that mends each thing that is missing. Exit status 1 when
anything is.`,
		Example: `  freehold doctor
  freehold --sandbox doctor
  freehold doctor -o json | jq -r '.[] | select(.ok | not) | .fix'`,
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			checks := a.checks(cmd)
			if err := printList(a, checks, func(w io.Writer) error { return render.TextChecks(w, checks) }); err != nil {
				return err
			}
			if slices.ContainsFunc(checks, func(c event.Check) bool { return !c.OK }) {
				return errTold
			}
			return nil
		},
	}
}

// checks are the services' own; services that cannot even be wired are the finding.
func (a *app) checks(cmd *cobra.Command) []event.Check {
	s, err := a.wire(cmd)
	switch {
	case err != nil:
		return []event.Check{{Name: "start", Detail: err.Error(), Fix: nextStep(err)}}
	case s.Doctor == nil:
		return nil
	default:
		return s.Doctor(cmd.Context())
	}
}
