package cli

import (
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/render"
)

func (a *app) doctor() *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Check what freehold needs, and how to fix what is missing",
		Long: `Doctor checks what freehold needs on this machine and in the cloud, and prints
the exact command that fixes each problem. Exit status 1: there is a problem.`,
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
				return errReported
			}
			return nil
		},
	}
}

// checks are the services' own, after one for each failure to start them.
func (a *app) checks(cmd *cobra.Command) []event.Check {
	if err := a.homeIsOurs(); err != nil {
		return []event.Check{failedStart(err)}
	}
	s, err := a.wire(cmd)
	if err != nil {
		return []event.Check{failedStart(err)}
	}
	var checks []event.Check
	if _, err := a.open(cmd); err != nil {
		checks = append(checks, failedStart(err))
	}
	if s.Doctor != nil {
		checks = append(checks, s.Doctor(cmd.Context())...)
	}
	return checks
}

func failedStart(err error) event.Check {
	p := problemOf(err)
	return event.Check{Name: "start", Detail: strings.TrimPrefix(p.what+": "+p.why, ": "), Fix: nextStep(err)}
}
