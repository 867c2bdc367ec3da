package cli

import (
	"io"

	"github.com/spf13/cobra"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/render"
)

// orgClaim is a claim by itself, as one line of ndjson.
type orgClaim struct {
	Org string `json:"org"`
	event.Claim
}

func (a *app) claims() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "claims ORG",
		Short: "List what an org owns in the ledger, or release what was never created",
		Long: `Claims lists the physical identities that an org owns: its account, e-mail
address, cluster, VPC, keys and so on. Each has one owner, so a second org that
asks for the same is refused. A claim is reserved from the moment that a spec
asks for it, and in use once the thing exists.

It reads the registry and asks no cloud. With -o json the list is in one document;
with -o ndjson each claim is one line.`,
		Example: `  freehold claims acme
  freehold claims acme -o json | jq -r '.claims[] | select(.made | not) | .value'
  freehold claims release acme`,
		Args:              exactly("ORG"),
		ValidArgsFunction: a.completeOrgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := a.open(cmd)
			if err != nil {
				return err
			}
			all, err := p.Claims(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if a.output == asNDJSON {
				lines := make([]orgClaim, 0, len(all.Claims))
				for _, c := range all.Claims {
					lines = append(lines, orgClaim{Org: all.Org, Claim: c})
				}
				return printList(a, lines, nil)
			}
			return a.print(all, func(w io.Writer) error { return render.TextClaims(w, all) })
		},
	}
	cmd.AddCommand(a.claimsRelease())
	return cmd
}

func (a *app) claimsRelease() *cobra.Command {
	return &cobra.Command{
		Use:   "release ORG",
		Short: "Release what an org reserved and never created",
		Long: `Release frees the claims that an org reserved and never used, so that another org
can have them: after an onboarding with a misspelled name, for example. It does
not ask, because it never releases what exists; an org for which anything was
created is offboarded instead.

The result lists what was released. With -o ndjson it is on the terminal event.`,
		Example: `  freehold claims release acmee
  freehold claims release acmee -o json`,
		Args:              exactly("ORG"),
		ValidArgsFunction: a.completeOrgs,
		Annotations:       map[string]string{operation: "release"},
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := a.open(cmd)
			if err != nil {
				return err
			}
			var result event.Claims
			err = a.operate(cmd.Context(), "release", args[0], func(sink event.Sink) (any, error) {
				var err error
				result, err = p.ReleaseClaims(cmd.Context(), args[0], sink)
				return known(result, result.Org), err
			})
			return a.finish(result, result.Org, err, func(w io.Writer) error { return render.TextReleased(w, result) })
		},
	}
}
