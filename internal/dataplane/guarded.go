package dataplane

import (
	"reflect"

	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/spec"
)

// guarded are the fields of a document that only an admin of the org may change, by
// what is planned of them: who gets in, where the account is, what is accepted, and
// what guards all of it from being deleted. open are those that anybody may change
// who may onboard at all. Each field is in one of the two.
var (
	guarded = []struct {
		field string
		of    func(plan.Plan) any
	}{
		{"account", func(p plan.Plan) any { p.Account.Common = plan.Common{}; return p.Account }}, // tags are anybody's
		{"access", func(p plan.Plan) any { return p.Access }},
		{"cluster.identityProvider", func(p plan.Plan) any { return p.Cluster.IdentityProvider }},
		{"cluster.endpoint", func(p plan.Plan) any { return []any{p.Cluster.PublicEndpoint, p.Cluster.AllowCIDRs} }},
		{"projectSource", func(p plan.Plan) any { return p.Bootstrap.ProjectSource }},
		{"deletionProtection", func(p plan.Plan) any { return p.Protected }},
		{"exceptions", func(p plan.Plan) any { return p.Exceptions }},
	}
	open = []string{"apiVersion", "kind", "org", "region", "network", "cluster", "projects", "tags", "versions"}
)

// Guarded returns the fields of a document that differ from what is recorded, and
// that only an admin may change. What nobody recorded yet differs in all of them.
func Guarded(doc spec.Spec, was *plan.Plan) []string {
	var before plan.Plan
	next := plan.Build(doc)
	if was != nil {
		before, next = *was, plan.Again(doc, *was)
	}
	var out []string
	for _, g := range guarded {
		if !reflect.DeepEqual(g.of(before), g.of(next)) {
			out = append(out, g.field)
		}
	}
	return out
}
