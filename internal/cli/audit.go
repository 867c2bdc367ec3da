package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/lifecycle"
	"freehold.dev/freehold/internal/render"
)

// auditGCPercent is GOGC while the process audits, as in its benchmark.
const auditGCPercent = 400

func (a *app) audit() *cobra.Command {
	var all, stored bool
	var sarif string
	cmd := &cobra.Command{
		Use:   "audit ORG... | --all",
		Short: "Hold the isolation rules against what was made, and find what two orgs share",
		Long: `Audit asks every isolation rule about what onboard made, from the stored states,
and then looks at all orgs together: a physical identity that two have, or a
trust, policy, grant, route or association that leads from one's resource to
another's, is told with both ends. It runs no engine and changes nothing.

What was changed by hand is in no state, so the accounts of the orgs are listed
as well; --stored leaves that out. With ORG named, the rules are asked about
these orgs, and what they share with any other org is told.

Exit status 3: something was found. Exit status 1: nothing was found, and
something could not be read; that is not the same as nothing.`,
		Example: `  freehold audit acme
  freehold audit --all -o json
  freehold audit --all --sarif audit.sarif
  freehold audit --all -o json | jq -r '.edges[] | [.kind, .from.org, .to.org, .value] | @tsv'`,
		ValidArgsFunction: a.completeOrgs,
		Annotations:       map[string]string{operation: "audit"},
		Args: func(cmd *cobra.Command, args []string) error {
			switch {
			case all && len(args) > 0:
				return usagef(cmd, "audit: name orgs or say --all, not both")
			case !all && len(args) == 0:
				return usagef(cmd, "audit: name an org or say --all")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := a.provisioner(cmd)
			if err != nil {
				return err
			}
			// What an audit keeps is bounded, and all else is garbage at once:
			// there is nothing in looking at what is kept so often.
			debug.SetGCPercent(auditGCPercent)
			about := finding.EveryOrg
			if !all {
				about = strings.Join(args, ",")
			}
			var out finding.Audit
			err = a.operate(cmd.Context(), "audit", about, func(event.Sink) (any, error) {
				var err error
				if out, err = p.Audit(cmd.Context(), lifecycle.AuditOptions{Orgs: args, Stored: stored}); err != nil {
					return known(out, out.Org), err
				}
				return out, auditVerdict(out)
			})
			if err != nil && !errors.Is(err, errViolated) && !errors.Is(err, errTold) {
				return err
			}
			if err := writeAuditSARIF(sarif, out); err != nil {
				return err
			}
			return errors.Join(a.printOperation(out, func(w io.Writer) error { return render.TextAudit(w, out) }), err)
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "every org that is not offboarded")
	cmd.Flags().BoolVar(&stored, "stored", false, "read stored states only, and list no account")
	cmd.Flags().StringVar(&sarif, "sarif", "", "also write what was found to this `file`, as SARIF 2.1.0")
	_ = cmd.MarkFlagFilename("sarif", "sarif", "json")
	return cmd
}

// writeAuditSARIF writes an audit to a file; "" is none. It is written when
// nothing was found as well: an old file would tell of what is mended.
func writeAuditSARIF(file string, found finding.Audit) (err error) {
	if file == "" {
		return nil
	}
	f, err := os.Create(file)
	if err != nil {
		return fmt.Errorf("write what the audit found: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return render.SARIFAudit(f, found)
}

// auditVerdict turns what was found into the command's outcome: a violation
// outranks what could not be read, which is never the same as nothing.
func auditVerdict(a finding.Audit) error {
	switch {
	case a.Violated():
		return errViolated
	case !a.Complete():
		return errTold
	default:
		return nil
	}
}
