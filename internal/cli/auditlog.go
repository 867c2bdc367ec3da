package cli

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/render"
)

func (a *app) auditLog() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "audit-log",
		Short: "Show and verify the record of who did what",
		Long: `The audit log says who did what for an org: actor, request, what, and with which
result. Entries are only ever added. Each holds the hash of the one before: SHA-256
of the entry without its own hash, as canonical JSON (RFC 8785). Each org has a log
of its own; --fleet is the log of every read over all orgs.`,
		Example: `  freehold audit-log show acme
  freehold audit-log verify acme`,
		RunE: group,
		Args: cobra.ArbitraryArgs,
	}
	cmd.AddCommand(a.auditLogShow(), a.auditLogVerify())
	return cmd
}

// openLog returns the use cases, and the org whose log is meant, empty for the
// fleet's.
func (a *app) openLog(cmd *cobra.Command, args []string, fleet bool) (p Lifecycle, org string, err error) {
	switch {
	case a.opt.Server != "" && len(args) == 0: // the operators' host
	case fleet && len(args) > 0:
		return nil, "", usagef(cmd, "%s: name an org or give --fleet, not both", cmd.Name())
	case !fleet && len(args) == 0:
		return nil, "", usagef(cmd, "%s: ORG is missing", cmd.Name())
	case !fleet:
		org = args[0]
	}
	p, err = a.open(cmd)
	return p, org, err
}

func (a *app) auditLogShow() *cobra.Command {
	var fleet bool
	var after int64
	cmd := &cobra.Command{
		Use:   "show ORG",
		Short: "Show an org's audit log",
		Example: `  freehold audit-log show acme
  freehold audit-log show acme --after 120 -o ndjson`,
		Args:              between(0, "ORG"),
		ValidArgsFunction: a.completeOrgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if after < 0 {
				return usagef(cmd, "show: --after %d: want the number of an entry, 0 or more", after)
			}
			p, org, err := a.openLog(cmd, args, fleet)
			if err != nil {
				return err
			}
			log, err := p.AuditLog(cmd.Context(), org, after)
			if err != nil {
				return err
			}
			if a.output == asNDJSON {
				return printList(a, log.Entries, nil)
			}
			return a.print(log, func(w io.Writer) error { return render.TextAuditLog(w, log) })
		},
	}
	cmd.Flags().BoolVar(&fleet, "fleet", false, "the log of every read over all orgs")
	cmd.Flags().Int64Var(&after, "after", 0, "only entries with a higher `number`")
	return cmd
}

func (a *app) auditLogVerify() *cobra.Command {
	var fleet bool
	var hash string
	cmd := &cobra.Command{
		Use:   "verify ORG",
		Short: "Check that an audit log is as it was written",
		Long: `Verify checks every entry of an org's audit log against its hash and against the
entry before it, and prints the hash of the newest one. It exits with 1 when
anything was changed, removed or put in between.

That the newest entries are missing shows only to somebody who kept a hash: with
--contains, the log must still have the entry with that hash.`,
		Example: `  freehold audit-log verify acme
  freehold audit-log verify acme -o json | jq -r .head > acme.head
  freehold audit-log verify acme --contains "$(cat acme.head)"`,
		Args:              between(0, "ORG"),
		ValidArgsFunction: a.completeOrgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			p, org, err := a.openLog(cmd, args, fleet)
			if err != nil {
				return err
			}
			verdict, err := p.VerifyAuditLog(cmd.Context(), org, hash)
			if err != nil {
				return err
			}
			err = a.print(verdict, func(w io.Writer) error { return textVerdict(w, verdict) })
			if err == nil && !verdict.OK {
				err = errReported
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&fleet, "fleet", false, "the log of every read over all orgs")
	cmd.Flags().StringVar(&hash, "contains", "", "the log must have the entry with this `hash`")
	return cmd
}

func textVerdict(w io.Writer, v event.AuditVerdict) error {
	name := v.Org
	if name == "" {
		name = "the fleet"
	}
	text := fmt.Sprintf("%s: %d entries, each as it was written; the newest is %s\n", name, v.Entries, v.Head)
	switch {
	case !v.OK:
		text = fmt.Sprintf("%s: NOT as it was written: %s\n", name, v.Problem)
	case v.Entries == 0:
		text = name + ": no entries\n"
	}
	_, err := io.WriteString(w, text)
	return err
}
