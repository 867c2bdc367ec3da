package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/render"
)

func (a *app) operations() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "operations ORG",
		Short: "List, follow, wait for, resume or cancel what is run for an org",
		Long: `Operations are what was run for an org: onboard, offboard, projects, release. All
of this reads the registry, from any machine that shares it, and asks no cloud.
An operation that is not named is the org's newest.

"freehold operations ORG" is short for "freehold operations list ORG".`,
		Example: `  freehold operations list acme
  freehold operations show acme -o json
  freehold operations events acme --follow
  freehold operations wait acme --timeout 90m`,
		Args:              exactly("ORG"),
		ValidArgsFunction: a.completeOrgs,
		RunE:              a.listOperations,
	}
	cmd.AddCommand(a.operationList(), a.operationShow(), a.operationEvents(), a.operationWait(), a.operationResume(), a.operationCancel())
	return cmd
}

func (a *app) listOperations(cmd *cobra.Command, args []string) error {
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
}

func (a *app) operationList() *cobra.Command {
	return &cobra.Command{
		Use:   "list ORG",
		Short: "List an org's operations, the newest first",
		Long: `List says of each operation of an org when it ran, for how long, and how it
ended, the newest first.

With -o json the list is in one document; with -o ndjson each operation is one
line.`,
		Example: `  freehold operations list acme
  freehold operations list acme -o json | jq -r '.operations[] | select(.state == "failed") | .id'`,
		Args:              exactly("ORG"),
		ValidArgsFunction: a.completeOrgs,
		RunE:              a.listOperations,
	}
}

// openOperation returns the use cases, and the org and the operation that were
// named; an empty operation is the newest.
func (a *app) openOperation(cmd *cobra.Command, args []string) (p Lifecycle, org, operation string, err error) {
	org = args[0]
	if len(args) > 1 {
		operation = args[1]
	}
	p, err = a.open(cmd)
	return p, org, operation, err
}

func (a *app) operationShow() *cobra.Command {
	return &cobra.Command{
		Use:   "show ORG [OPERATION]",
		Short: "Show one operation: who runs it, or how it ended",
		Long: `Show says what is known of one operation: what it was, when it began, by which
request, the process that runs it or the terminal event that it ended with.

The exit status is 0 however the operation ended.`,
		Example: `  freehold operations show acme
  freehold operations show acme -o json | jq .terminal.message`,
		Args:              between(1, "ORG", "OPERATION"),
		ValidArgsFunction: a.completeOperations,
		RunE: func(cmd *cobra.Command, args []string) error {
			p, org, op, err := a.openOperation(cmd, args)
			if err != nil {
				return err
			}
			detail, err := p.Operation(cmd.Context(), org, op)
			if err != nil {
				return err
			}
			return a.print(detail, func(w io.Writer) error { return render.TextOperation(w, detail) })
		},
	}
}

func (a *app) operationEvents() *cobra.Command {
	var after int64
	var follow bool
	cmd := &cobra.Command{
		Use:   "events ORG [OPERATION]",
		Short: "Replay the stored events of an operation",
		Long: `Events replays what the registry stored of an operation, as far as it got. With
-o ndjson these are the same CloudEvents, with the same ids, that the operation's
own stream gave: a consumer that lost the connection asks for those after the last
sequence number that it has.

--follow goes on until the terminal event. It ends with status 1 when the
operation does not go on because its process is gone; "operations resume" goes on
with it.

The exit status is 0 however the operation ended: its terminal event says that,
and "operations wait" makes an exit status of it.`,
		Example: `  freehold operations events acme
  freehold operations events acme OPERATION -o ndjson
  freehold operations events acme --after 120 --follow -o ndjson`,
		Args:              between(1, "ORG", "OPERATION"),
		ValidArgsFunction: a.completeOperations,
		RunE: func(cmd *cobra.Command, args []string) error {
			if after < 0 {
				return usagef(cmd, "events: --after %d: want a sequence number, 0 or more", after)
			}
			if follow && a.output == asJSON {
				return usagef(cmd, "events: --follow has no one document to write: use -o ndjson")
			}
			p, org, op, err := a.openOperation(cmd, args)
			if err != nil {
				return err
			}
			if follow {
				return a.followEvents(cmd.Context(), p, org, op, after)
			}
			return a.replayEvents(cmd.Context(), p, org, op, after)
		},
	}
	cmd.Flags().Int64Var(&after, "after", 0, "only events with a higher sequence `number`")
	cmd.Flags().BoolVar(&follow, "follow", false, "go on until the terminal event")
	return cmd
}

func (a *app) replayEvents(ctx context.Context, p OperationLog, org, op string, after int64) error {
	log := event.Log{Org: org, Operation: op}
	stored, err := p.Events(ctx, org, op, after)
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
}

func (a *app) followEvents(ctx context.Context, p OperationControl, org, op string, after int64) error {
	show := (&eventLines{w: a.env.Stdout}).event
	if a.output != asNDJSON {
		show = func(e event.Event) { _ = render.TextEvent(a.env.Stdout, e) }
	}
	return p.Follow(ctx, org, op, after, show)
}

func (a *app) operationWait() *cobra.Command {
	var within time.Duration
	cmd := &cobra.Command{
		Use:   "wait ORG [OPERATION]",
		Short: "Wait until an operation has ended, and exit as it did",
		Long: `Wait waits until an operation has ended, from any machine, and exits with the
status that the operation itself had: 0, 1, 3 or 6. It exits with 5 when the
operation still runs after --timeout, and with 1 when it does not go on because
its process is gone.

With -o json or -o ndjson the terminal event is written, as a CloudEvent.`,
		Example: `  freehold operations wait acme
  freehold operations wait acme OPERATION --timeout 90m -o json | jq .data.result`,
		Args:              between(1, "ORG", "OPERATION"),
		ValidArgsFunction: a.completeOperations,
		RunE: func(cmd *cobra.Command, args []string) error {
			if within <= 0 {
				return usagef(cmd, "wait: --timeout %s: want more than 0", within)
			}
			p, org, op, err := a.openOperation(cmd, args)
			if err != nil {
				return err
			}
			last, err := p.Wait(cmd.Context(), org, op, within)
			if !last.Type.Terminal() {
				return err
			}
			if a.output != asText {
				(&eventLines{w: a.env.Stdout}).event(last)
				return err
			}
			return errors.Join(render.TextEvent(a.env.Stdout, last), err)
		},
	}
	cmd.Flags().DurationVar(&within, "timeout", 2*time.Hour, "how long to wait at most")
	return cmd
}

func (a *app) operationResume() *cobra.Command {
	return &cobra.Command{
		Use:   "resume ORG [OPERATION]",
		Short: "Go on with an operation whose process is gone",
		Long: `Resume goes on with an operation that runs no more because its process was
killed or its machine is gone, on this machine and to its one end: with the same
id, the same document and options, and the numbers of its events going on. Its
output and its exit status are those of the command that began it.

While the process lives, it exits with status 5. To know that of a process on
another machine takes up to 15 seconds.`,
		Example: `  freehold operations resume acme
  freehold operations resume acme OPERATION -o ndjson`,
		Args:              between(1, "ORG", "OPERATION"),
		ValidArgsFunction: a.completeOperations,
		RunE: func(cmd *cobra.Command, args []string) error {
			p, org, op, err := a.openOperation(cmd, args)
			if err != nil {
				return err
			}
			detail, err := p.Operation(cmd.Context(), org, op)
			if err != nil {
				return err
			}
			var result any
			err = a.operate(cmd.Context(), detail.Operation.Kind, org, func(sink event.Sink) (any, error) {
				var err error
				result, err = p.Resume(cmd.Context(), org, detail.Operation.ID, sink)
				return result, err
			})
			return a.finish(result, org, err, func(w io.Writer) error { return textResult(w, result) })
		},
	}
}

// textResult writes the result of whatever operation it is.
func textResult(w io.Writer, result any) error {
	switch r := result.(type) {
	case event.Onboarding:
		return render.TextOnboarding(w, r)
	case event.Offboarding:
		return render.TextOffboarding(w, r)
	case event.Claims:
		return render.TextClaims(w, r)
	default:
		return fmt.Errorf("no text for a result of type %T", result)
	}
}

func (a *app) operationCancel() *cobra.Command {
	return &cobra.Command{
		Use:   "cancel ORG [OPERATION]",
		Short: "Ask an operation to stop, wherever it runs",
		Long: `Cancel asks a running operation to stop, as Ctrl-C would where it runs: what is
under way comes to an end in order, and the terminal event says that it was
cancelled. The process hears it within 5 seconds; "operations wait" waits for the
end. An operation whose process is gone is ended at once.

Running the command again that began it goes on where it stopped.`,
		Example: `  freehold operations cancel acme && freehold operations wait acme`,
		Args:    between(1, "ORG", "OPERATION"),

		ValidArgsFunction: a.completeOperations,
		RunE: func(cmd *cobra.Command, args []string) error {
			p, org, op, err := a.openOperation(cmd, args)
			if err != nil {
				return err
			}
			cancelled, err := p.Cancel(cmd.Context(), org, op, nil)
			if err != nil {
				return err
			}
			return a.print(cancelled, func(w io.Writer) error {
				text := "was asked to stop; wait for its end with: freehold operations wait" + a.ofOrg(org)
				if cancelled.State != event.OperationStarted.State() {
					text = "is ended: its process was gone"
				}
				_, err := fmt.Fprintf(w, "%s: %s %s %s\n", org, cancelled.Kind, cancelled.ID, text)
				return err
			})
		},
	}
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
