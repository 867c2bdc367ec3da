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
		Short: "Check what was created against the isolation rules, and find what two orgs share",
		Long: `Audit checks every isolation rule against what onboard created, using the stored
states, and then compares all orgs. A physical identity that two orgs have, or a
trust, policy, grant, route or association that leads from one org's resource to
another's, is reported with both ends. It does not run the engine and changes
nothing.

Manual changes are not in the states, so the orgs' accounts are listed as well;
--stored skips that. With ORG, the rules are checked for these orgs, and anything
that they share with any other org is reported.

Exit status 3: something was found. Exit status 1: nothing was found, but
something could not be read, so the audit is incomplete.`,
		Example: `  freehold audit acme
  freehold audit --all -o json
  freehold audit --all --sarif audit.sarif
  freehold audit --all -o json | jq -r '.edges[] | [.kind, .from.org, .to.org, .value] | @tsv'`,
		ValidArgsFunction: a.completeOrgs,
		Annotations:       map[string]string{operation: "audit"},
		Args: func(cmd *cobra.Command, args []string) error {
			switch {
			case all && len(args) > 0:
				return usagef(cmd, "audit: name orgs or use --all, not both")
			case !all && len(args) == 0:
				return usagef(cmd, "audit: name an org or use --all")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := a.open(cmd)
			if err != nil {
				return err
			}
			// What an audit keeps is bounded and everything else is garbage at
			// once, so looking for it often finds little.
			debug.SetGCPercent(auditGCPercent)
			scope := finding.EveryOrg
			if !all {
				scope = strings.Join(args, ",")
			}
			var out finding.Audit
			err = a.operate(cmd.Context(), "audit", scope, func(event.Sink) (any, error) {
				var err error
				if out, err = p.Audit(cmd.Context(), lifecycle.AuditOptions{Orgs: args, Stored: stored}); err != nil {
					return known(out, out.Org), err
				}
				return out, auditVerdict(out)
			})
			if err != nil && !errors.Is(err, errViolated) && !errors.Is(err, errReported) {
				return err
			}
			if err := writeAuditSARIF(sarif, out); err != nil {
				return err
			}
			return errors.Join(a.printOperation(out, func(w io.Writer) error { return render.TextAudit(w, out) }), err)
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "every org that is not offboarded")
	cmd.Flags().BoolVar(&stored, "stored", false, "read the stored states only, without listing accounts")
	cmd.Flags().StringVar(&sarif, "sarif", "", "also write the findings to this `file`, as SARIF 2.1.0")
	_ = cmd.MarkFlagFilename("sarif", "sarif", "json")
	return cmd
}

// writeAuditSARIF writes an audit to a file; "" is none. It is also written when
// nothing was found: an old file would report what has been fixed.
func writeAuditSARIF(file string, found finding.Audit) (err error) {
	if file == "" {
		return nil
	}
	f, err := os.Create(file)
	if err != nil {
		return fmt.Errorf("write the audit's findings: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return render.SARIFAudit(f, found)
}

// auditVerdict turns the findings into the command's outcome: a violation
// outranks what could not be read, which never counts as nothing found.
func auditVerdict(a finding.Audit) error {
	switch {
	case a.Violated():
		return errViolated
	case !a.Complete():
		return errReported
	default:
		return nil
	}
}
