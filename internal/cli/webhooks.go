package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/lifecycle"
	"freehold.dev/freehold/internal/render"
)

// WebhookManager names the endpoints that an org's events are sent to, and sends.
type WebhookManager interface {
	Webhooks(ctx context.Context, org string) (event.Webhooks, error)
	AllWebhooks(ctx context.Context) ([]event.Webhooks, error)
	// AddWebhook names an endpoint. The notes say what is not an error, and
	// should be known.
	AddWebhook(ctx context.Context, org string, w lifecycle.Webhook) (added event.Webhook, notes []string, err error)
	// RemoveWebhook returns the endpoint as it was.
	RemoveWebhook(ctx context.Context, org, name string) (event.Webhook, error)
	EnableWebhook(ctx context.Context, org, name string) (event.Webhook, error)
	// DeliverWebhooks sends what is due, or with early everything that waits; no
	// orgs: of all that have something due.
	DeliverWebhooks(ctx context.Context, orgs []string, early bool) ([]event.Deliveries, error)
	// FollowWebhooks sends whatever becomes due until ctx ends; no orgs: of all.
	FollowWebhooks(ctx context.Context, orgs []string, heard func(event.Deliveries)) error
	// DeadLetters are those of an endpoint, or of all.
	DeadLetters(ctx context.Context, org, endpoint string) (event.DeadLetters, error)
	// ResendWebhooks makes dead letters wait again and returns them; no ids: all
	// of the endpoint, or of all endpoints.
	ResendWebhooks(ctx context.Context, org, endpoint string, ids []string) (event.DeadLetters, error)
}

func (a *app) webhooks() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "webhooks",
		Short: "Send an org's events to endpoints over HTTPS, signed and in order",
		Long: `Webhooks manages the endpoints that an org's events are sent to. Each event is a
CloudEvents 1.0 document in the body of a POST, signed as Standard Webhooks has
it. It is sent at least once, in order per endpoint, and always with the same
webhook-id, by which a receiver tells a repetition.

onboard, offboard, projects and claims release send what they caused before they
end. What could not be sent is kept, and is sent by freehold webhooks deliver.

Only public addresses are connected to, and only by TLS. --allow-host names hosts
that may have any address and be reached by plain HTTP.`,
		Example: `  freehold webhooks add acme --url https://hooks.example.com/freehold --secret env:ACME_WEBHOOK_SECRET
  freehold webhooks deliver --follow`,
		Args: cobra.ArbitraryArgs,
		RunE: group,
	}
	p := cmd.PersistentFlags()
	p.StringArrayVar(&a.flags.webhookHosts, "allow-host", nil,
		"a `HOST`, or HOST:PORT, that may have a private address and no TLS; repeatable (FREEHOLD_WEBHOOK_HOSTS, comma-separated)")
	cmd.AddCommand(a.webhooksList(), a.webhooksAdd(), a.webhooksRemove(), a.webhooksEnable(), a.webhooksDeliver(), a.webhooksDead(), a.webhooksResend())
	return cmd
}

func (a *app) webhooksList() *cobra.Command {
	return &cobra.Command{
		Use:   "list [ORG]",
		Short: "List the endpoints of an org, or of all, and what is on its way to them",
		Long: `List shows the endpoints of an org, or of all orgs: how many events wait for each,
how many are dead letters, and why the oldest was not delivered.

With -o json one ORG is an object and all orgs are a list; with -o ndjson each
endpoint is one line.`,
		Example: `  freehold webhooks list
  freehold webhooks list acme
  freehold webhooks list -o ndjson | jq 'select(.dead > 0)'`,
		Args:              between(0, "ORG"),
		ValidArgsFunction: a.completeOrgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := a.open(cmd)
			if err != nil {
				return err
			}
			if len(args) == 0 {
				all, err := p.AllWebhooks(cmd.Context())
				if err != nil {
					return err
				}
				if a.output == asNDJSON {
					return printList(a, byThemselves(all...), nil)
				}
				return a.print(all, func(w io.Writer) error { return render.TextAllWebhooks(w, all) })
			}
			one, err := p.Webhooks(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if a.output == asNDJSON {
				return printList(a, byThemselves(one), nil)
			}
			return a.print(one, func(w io.Writer) error { return render.TextWebhooks(w, one) })
		},
	}
}

// orgWebhook is an endpoint by itself, as one document.
type orgWebhook struct {
	Org string `json:"org"`
	event.Webhook
}

func byThemselves(all ...event.Webhooks) (out []orgWebhook) {
	for _, org := range all {
		for _, e := range org.Endpoints {
			out = append(out, orgWebhook{Org: org.Org, Webhook: e})
		}
	}
	return out
}

func (a *app) webhooksAdd() *cobra.Command {
	w := lifecycle.Webhook{}
	cmd := &cobra.Command{
		Use:   "add ORG --url URL --secret REFERENCE",
		Short: "Send an org's events to an endpoint from now on",
		Long: `Add names an endpoint. The org need not be onboarded yet: the events of its first
onboard are sent then.

--secret says where the signing secret is: env:NAME is a variable, file:/path a
file, of the process that sends. It holds one secret in the form whsec_<base64>,
or several separated by white space: each signs, and the first stays, so that a
receiver can change from one to the other. The secret itself is stored nowhere,
and read whenever something is sent.

--events selects types (operation.failed) or the first words of some (layer); by
default the four that end an operation. --replace changes an endpoint that is
there; what waits for it is sent to its new URL.`,
		Example: `  freehold webhooks add acme --url https://hooks.example.com/freehold --secret env:ACME_WEBHOOK_SECRET
  freehold webhooks add acme --name audit --url https://audit.example.com/in --secret file:/run/secrets/audit --events operation,layer`,
		Args:              exactly("ORG"),
		ValidArgsFunction: a.completeOrgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			for _, flag := range []string{"url", "secret"} {
				if !cmd.Flags().Changed(flag) {
					return usagef(cmd, "webhooks add: --%s is missing", flag)
				}
			}
			p, err := a.open(cmd)
			if err != nil {
				return err
			}
			added, notes, err := p.AddWebhook(cmd.Context(), args[0], w)
			if err != nil {
				return err
			}
			for _, note := range notes {
				fmt.Fprintf(a.env.Stderr, "note: %s\n", note)
			}
			return a.print(orgWebhook{args[0], added}, func(out io.Writer) error {
				_, err := fmt.Fprintf(out, "%s: events are sent to endpoint %s: %s\n", args[0], added.Name, added.URL)
				return err
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&w.URL, "url", "", "where events are sent: an https `URL`")
	f.StringVar(&w.Secret, "secret", "", "where the signing secret is: `env:NAME or file:/path`")
	f.StringVar(&w.Name, "name", "default", "the endpoint's `name`, a DNS label")
	f.StringSliceVar(&w.Events, "events", nil, "`types` of events, or the first words of some (default those that end an operation)")
	f.BoolVar(&w.Replace, "replace", false, "change the endpoint of that name, and enable it")
	_ = cmd.RegisterFlagCompletionFunc("events", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		var types []string
		for _, t := range event.Types() {
			types = append(types, string(t))
		}
		return types, cobra.ShellCompDirectiveNoFileComp
	})
	return cmd
}

func (a *app) webhooksRemove() *cobra.Command {
	return a.webhooksOne("remove", "Send nothing to an endpoint any more, and forget what waits for it",
		func(ctx context.Context, p WebhookManager, org, name string) (event.Webhook, error) {
			return p.RemoveWebhook(ctx, org, name)
		},
		func(e event.Webhook) string {
			return fmt.Sprintf("endpoint %s is removed; events that were dropped: %d waiting, %d dead", e.Name, e.Waiting, e.Dead)
		})
}

func (a *app) webhooksEnable() *cobra.Command {
	return a.webhooksOne("enable", "Send to an endpoint again that answered 410 Gone",
		func(ctx context.Context, p WebhookManager, org, name string) (event.Webhook, error) {
			return p.EnableWebhook(ctx, org, name)
		},
		func(e event.Webhook) string {
			return fmt.Sprintf("endpoint %s is enabled; events that wait for it: %d", e.Name, e.Waiting)
		})
}

// webhooksOne is a command about one endpoint that is there.
func (a *app) webhooksOne(verb, short string, do func(context.Context, WebhookManager, string, string) (event.Webhook, error), said func(event.Webhook) string) *cobra.Command {
	return &cobra.Command{
		Use:               verb + " ORG NAME",
		Short:             short,
		Example:           "  freehold webhooks " + verb + " acme default",
		Args:              exactly("ORG", "NAME"),
		ValidArgsFunction: a.completeWebhooks,
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := a.open(cmd)
			if err != nil {
				return err
			}
			e, err := do(cmd.Context(), p, args[0], args[1])
			if err != nil {
				return err
			}
			return a.print(orgWebhook{args[0], e}, func(w io.Writer) error {
				_, err := fmt.Fprintf(w, "%s: %s\n", args[0], said(e))
				return err
			})
		},
	}
}

func (a *app) webhooksDeliver() *cobra.Command {
	var follow, now bool
	cmd := &cobra.Command{
		Use:   "deliver [ORG...]",
		Short: "Send what is due, once or for as long as it runs",
		Long: `Deliver sends the events that are due to the endpoints of the named orgs, or of
all. A failed attempt is repeated after 5 seconds, 5 and 30 minutes, 2, 5, 10, 14,
20 and 24 hours, each a little later by chance, and not before a receiver's
Retry-After. Then the event is a dead letter, and those behind it are next.

--now does not wait for the next attempt. --follow goes on until it is stopped;
run it as a service, as many as you like: one at a time sends to an endpoint.

Exit status 1: something could not be delivered. It is kept, and sent again.`,
		Example: `  freehold webhooks deliver acme
  freehold webhooks deliver acme --now
  freehold webhooks deliver --follow`,
		ValidArgsFunction: a.completeOrgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if follow && now {
				return usagef(cmd, "webhooks deliver: use --follow or --now, not both")
			}
			p, err := a.open(cmd)
			if err != nil {
				return err
			}
			if follow {
				return a.followWebhooks(cmd.Context(), p, args)
			}
			all, err := p.DeliverWebhooks(cmd.Context(), args, now)
			if err != nil {
				return err
			}
			if err := printList(a, all, func(w io.Writer) error { return render.TextDeliveries(w, all) }); err != nil {
				return err
			}
			if slices.ContainsFunc(all, event.Deliveries.Trouble) {
				return errReported
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&follow, "follow", false, "go on sending whatever becomes due")
	cmd.Flags().BoolVar(&now, "now", false, "also send what would be sent later")
	return cmd
}

// followWebhooks prints what was done, and ends well when it is stopped.
func (a *app) followWebhooks(ctx context.Context, p WebhookManager, orgs []string) error {
	lines := make(chan event.Deliveries)
	done := make(chan error, 1)
	go func() {
		defer close(lines)
		done <- p.FollowWebhooks(ctx, orgs, func(d event.Deliveries) { lines <- d })
	}()
	var failed error
	for d := range lines {
		one := []event.Deliveries{d}
		err := printList(a, one, func(w io.Writer) error { return render.TextDeliveries(w, one) })
		if failed == nil {
			failed = err
		}
	}
	if err := <-done; err != nil {
		return err
	}
	return failed
}

func (a *app) webhooksDead() *cobra.Command {
	return &cobra.Command{
		Use:   "dead ORG [NAME]",
		Short: "List the events that are not sent any more, and why",
		Example: `  freehold webhooks dead acme
  freehold webhooks dead acme default -o json | jq '.letters[].event'`,
		Args:              between(1, "ORG", "NAME"),
		ValidArgsFunction: a.completeWebhooks,
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := a.open(cmd)
			if err != nil {
				return err
			}
			all, err := p.DeadLetters(cmd.Context(), args[0], second(args))
			if err != nil {
				return err
			}
			return a.printLetters(all, render.TextDeadLetters)
		},
	}
}

func (a *app) webhooksResend() *cobra.Command {
	var ids []string
	cmd := &cobra.Command{
		Use:   "resend ORG [NAME]",
		Short: "Send dead letters again, with the same ids",
		Long: `Resend makes dead letters wait again, before whatever waits for the same endpoint:
all of the org, all of one endpoint, or those that --id names. The next deliver
sends them; a receiver may have had what came after them already.`,
		Example: `  freehold webhooks resend acme
  freehold webhooks resend acme default --id OPERATION-120 && freehold webhooks deliver acme`,
		Args:              between(1, "ORG", "NAME"),
		ValidArgsFunction: a.completeWebhooks,
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := a.open(cmd)
			if err != nil {
				return err
			}
			all, err := p.ResendWebhooks(cmd.Context(), args[0], second(args), ids)
			if err != nil {
				return err
			}
			return a.printLetters(all, render.TextResent)
		},
	}
	cmd.Flags().StringArrayVar(&ids, "id", nil, "only the event with this `id`; repeatable")
	return cmd
}

func second(args []string) string {
	if len(args) > 1 {
		return args[1]
	}
	return ""
}

// orgLetter is a dead letter by itself, as one line of ndjson.
type orgLetter struct {
	Org string `json:"org"`
	event.DeadLetter
}

func (a *app) printLetters(all event.DeadLetters, people func(io.Writer, event.DeadLetters) error) error {
	if a.output == asNDJSON {
		lines := make([]orgLetter, len(all.Letters))
		for i, l := range all.Letters {
			lines[i] = orgLetter{Org: all.Org, DeadLetter: l}
		}
		return printList(a, lines, nil)
	}
	return a.print(all, func(w io.Writer) error { return people(w, all) })
}

// completeWebhooks offers orgs, and then the endpoints of the one that was typed.
func (a *app) completeWebhooks(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	return a.completeOfOrg(cmd, args, typed, func(p Lifecycle, org string) ([]string, error) {
		all, err := p.Webhooks(cmd.Context(), org)
		var names []string
		for _, e := range all.Endpoints {
			names = append(names, e.Name)
		}
		return names, err
	})
}

// flushWithin bounds how long a command goes on sending what it caused.
const flushWithin = 5 * time.Second

// flush sends what operations on some orgs caused, for a short time, and says
// what is left. The operations have ended: whether their events arrive changes
// nothing of that.
func (a *app) flush(ctx context.Context, orgs ...string) {
	p := WebhookManager(a.lifecycle)
	if p == nil || a.opt.Server != "" { // the server sends its own
		return
	}
	within, cancel := context.WithTimeout(ctx, flushWithin)
	defer cancel()
	left := make([]bytes.Buffer, len(orgs))
	each(within, mostParallel, len(orgs), func(int) {}, func(i int, _ bool) {
		all, err := p.DeliverWebhooks(within, orgs[i:i+1], false)
		switch {
		case errors.Is(err, lifecycle.ErrInvalid): // an org that was never begun with, and has no endpoint
		case err != nil:
			fmt.Fprintf(&left[i], "webhooks of %s: %v\n", orgs[i], err)
		default:
			for _, d := range all {
				_ = render.TextLeft(&left[i], d) // into memory
			}
		}
	})
	for i := range left {
		_, _ = left[i].WriteTo(a.env.Stderr) // as everything on standard error
	}
}
