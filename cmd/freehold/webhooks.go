package main

import (
	"fmt"

	"freehold.dev/freehold/internal/cli"
	"freehold.dev/freehold/internal/lifecycle"
	"freehold.dev/freehold/internal/webhook"
)

// newHooks is how this process sends events.
func newHooks(o cli.Options) (lifecycle.Hooks, error) {
	allowed, err := webhook.ParseHosts(o.WebhookHosts)
	if err != nil {
		return lifecycle.Hooks{}, &lifecycle.Error{
			Doing: "webhooks", Err: fmt.Errorf("%w: %w", lifecycle.ErrInvalid, err), Next: "correct --allow-host or FREEHOLD_WEBHOOK_HOSTS",
		}
	}
	return lifecycle.Hooks{
		Sender:  webhook.NewClient(webhook.ClientOptions{Allowed: allowed, Version: version}),
		Secrets: webhook.OS(), Allowed: allowed,
	}, nil
}
