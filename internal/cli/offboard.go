package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/lifecycle"
	"freehold.dev/freehold/internal/render"
)

func (a *app) offboard() *cobra.Command {
	var yes string
	var dryRun bool
	var o lifecycle.OffboardOptions
	cmd := &cobra.Command{
		Use:   "offboard ORG",
		Short: "Remove an org's data plane, after asking",
		Long: `Offboard removes what an org owns, layer by layer in reverse order, and then
closes the org's account or keeps it empty, as its spec or a flag says. It first
shows what it would remove and asks for the org's name; --yes=ORG answers where
nobody can be asked. It refuses while deletion protection is on, and it is safe
to run again.`,
		Example: `  freehold offboard acme --dry-run
  freehold offboard acme
  freehold offboard acme --yes=acme --close-account`,
		Args:              exactly("ORG"),
		ValidArgsFunction: a.completeOrgs,
		Annotations:       map[string]string{operation: "offboard"},
		RunE: func(cmd *cobra.Command, args []string) error {
			org := args[0]
			switch {
			case o.CloseAccount && o.KeepAccount:
				return usagef(cmd, "offboard: use --close-account or --keep-account, not both")
			case yes != "" && yes != org:
				return usagef(cmd, "offboard: --yes=%s does not match org %s; nothing was removed", yes, org)
			case yes == "" && !dryRun && !a.env.Interactive:
				return usagef(cmd, "offboard: cannot ask for confirmation here; add --yes=%s", org)
			}
			p, err := a.open(cmd)
			if err != nil {
				return err
			}
			if dryRun {
				planned, err := p.OffboardPlan(cmd.Context(), org, o)
				if err == nil || errors.Is(err, lifecycle.ErrProtected) {
					err = errors.Join(a.print(planned, func(w io.Writer) error { return render.TextOffboardPlan(w, planned) }), err)
				}
				return err
			}
			if yes == "" {
				planned, err := p.OffboardPlan(cmd.Context(), org, o)
				if err != nil {
					return err
				}
				if err := render.TextOffboardPlan(a.env.Stderr, planned); err != nil {
					return err
				}
				if err := a.ask(cmd.Context(), org, "remove all of this"); err != nil {
					return &lifecycle.Error{Org: org, Doing: "offboard", Err: err, Next: "nothing was removed; run freehold offboard " + org + " again"}
				}
			}
			var result event.Offboarding
			err = a.operate(cmd.Context(), "offboard", org, func(sink event.Sink) (any, error) {
				var err error
				o.RequestID = a.opt.RequestID
				result, err = p.Offboard(cmd.Context(), org, o, sink)
				return known(result, result.Org), err
			})
			return a.finish(result, result.Org, err, func(w io.Writer) error { return render.TextOffboarding(w, result) })
		},
	}
	a.requestFlag(cmd)
	cmd.Flags().StringVar(&yes, "yes", "", "the org's name, instead of being asked")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "show what would be removed, without removing it")
	cmd.Flags().BoolVar(&o.CloseAccount, "close-account", false, "close the account, whatever the spec says")
	cmd.Flags().BoolVar(&o.KeepAccount, "keep-account", false, "keep the account, whatever the spec says")
	return cmd
}

// ask wants word typed before anything is removed.
func (a *app) ask(ctx context.Context, word, what string) error {
	fmt.Fprintf(a.env.Stderr, "\nType %s to %s: ", word, what)
	answer := make(chan string, 1)
	go func() {
		line, err := bufio.NewReader(a.env.Stdin).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			line = ""
		}
		answer <- strings.TrimSpace(line)
	}()
	select {
	case typed := <-answer:
		if typed == word {
			return nil
		}
		return fmt.Errorf("%w: typed %q, expected %q", lifecycle.ErrCancelled, typed, word)
	case <-ctx.Done():
		fmt.Fprintln(a.env.Stderr)
		return fmt.Errorf("%w: no answer", lifecycle.ErrCancelled)
	}
}
