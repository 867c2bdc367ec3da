package cli

import (
	"io"

	"github.com/spf13/cobra"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/render"
)

func (a *app) operations() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "operations ORG",
		Short: "List an org's operations, or replay the events of one",
		Long: `Operations lists what was run for an org (onboard, offboard, projects, release),
the newest first: when, for how long, and how it ended. It reads the registry and
asks no cloud.

With -o json the list is in one document; with -o ndjson each operation is one
line.`,
		Example: `  freehold operations acme
  freehold operations acme -o json | jq -r '.operations[] | select(.state == "failed") | .id'
  freehold operations events acme`,
		Args:              exactly("ORG"),
		ValidArgsFunction: a.completeOrgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := a.open(cmd)
			if err != nil {
				return err
			}
			all := event.Operations{Org: args[0]}
			if all.Operations, err = p.Operations(cmd.Context(), args[0]); err != nil {
				return err
			}
			if a.output == asNDJSON {
				return printList(a, all.Operations, nil)
			}
			return a.print(all, func(w io.Writer) error { return render.TextOperations(w, all) })
		},
	}
	cmd.AddCommand(a.operationEvents())
	return cmd
}

func (a *app) operationEvents() *cobra.Command {
	var after int64
	cmd := &cobra.Command{
		Use:   "events ORG [OPERATION]",
		Short: "Replay the stored events of an operation, by default the newest",
		Long: `Events replays what the registry stored of an operation of an org, by default its
newest, as far as it got. With -o ndjson these are the same CloudEvents, with the
same ids, that the operation's own stream gave: a consumer that lost the
connection asks for those after the last sequence number that it has.

The exit status is 0 however the operation ended; its terminal event says that.`,
		Example: `  freehold operations events acme
  freehold operations events acme OPERATION -o ndjson
  freehold operations events acme --after 120 -o ndjson`,
		Args:              between(1, "ORG", "OPERATION"),
		ValidArgsFunction: a.completeOperations,
		RunE: func(cmd *cobra.Command, args []string) error {
			if after < 0 {
				return usagef(cmd, "events: --after %d: want a sequence number, 0 or more", after)
			}
			log := event.Log{Org: args[0]}
			if len(args) > 1 {
				log.Operation = args[1]
			}
			p, err := a.open(cmd)
			if err != nil {
				return err
			}
			stored, err := p.Events(cmd.Context(), log.Org, log.Operation, after)
			if err != nil {
				return err
			}
			for _, e := range stored {
				if e, err = e.Restored(); err != nil {
					return err
				}
				log.Operation = e.Operation
				log.Events = append(log.Events, e)
			}
			if a.output == asNDJSON {
				lines := &eventLines{w: a.env.Stdout}
				for _, e := range log.Events {
					lines.event(e)
				}
				return nil
			}
			return a.print(log, func(w io.Writer) error { return render.TextLog(w, log) })
		},
	}
	cmd.Flags().Int64Var(&after, "after", 0, "only events with a higher sequence `number`")
	return cmd
}

// completeOperations offers orgs, and then the operations of the one that was typed.
func (a *app) completeOperations(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	ids, how := a.completeOfOrg(cmd, args, typed, func(p Lifecycle, org string) ([]string, error) {
		all, err := p.Operations(cmd.Context(), org)
		ids := make([]string, 0, len(all))
		for _, o := range all {
			ids = append(ids, cobra.CompletionWithDesc(o.ID, o.Kind+" "+o.State))
		}
		return ids, err
	})
	if len(args) > 0 {
		how |= cobra.ShellCompDirectiveKeepOrder // the newest first
	}
	return ids, how
}
