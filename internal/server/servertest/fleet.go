// Package servertest fills registries with orgs, and makes verified callers, for
// the tests and benchmarks of the control plane.
package servertest

import (
	"context"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"freehold.dev/freehold/internal/dataplane"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/orgcontext/orgcontexttest"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/registry"
	"freehold.dev/freehold/internal/spec"
)

// Document is the shortest document of an org whose people log in at issuer.
func Document(org, issuer string) string {
	return fmt.Sprintf(`org: %[1]s
region: eu-central-1
account: {email: aws+%[1]s@example.com}
deletionProtection: false
projects: [{name: %[1]s-web}]
access:
  people:
    issuerUrl: %[2]s
    usernameClaim: email
    roles:
      - {role: admin, groups: [%[1]s-admins]}
      - {role: operator, groups: [%[1]s-operators]}
      - {role: viewer, groups: [%[1]s-viewers]}
  pipelines:
    - {name: deploy, issuerUrl: https://token.actions.githubusercontent.com, subject: "repo:%[1]s/platform:ref:refs/heads/main"}
exceptions:
  - {rule: FH301, resource: %[1]s-role, reason: "because %[1]s needs it so", approver: ada@%[1]s.example, expires: "2099-01-01"}
`, org, issuer)
}

// Fill records an org as if it had been onboarded: its plan, data plane, identities, an
// operation that ended with its events, and a drift report. Every value that could
// tell whose it is has the org's name in it.
func Fill(ctx context.Context, s registry.Store, org, issuer string, now time.Time) error {
	doc, err := spec.Parse(org, strings.NewReader(Document(org, issuer)))
	if err != nil {
		return err
	}
	d := dataplane.DataPlane{Plan: plan.Build(doc)}
	record, err := d.Record(dataplane.OrgReady)
	if err != nil {
		return err
	}
	of := s.Org(orgcontexttest.For(org))
	begun, err := of.Begin(ctx, registry.Request{Kind: "onboard", Holder: "process of " + org, TTL: time.Minute, ID: "request-of-" + org, Document: "{}"})
	if err != nil {
		return err
	}
	l := begun.Lease
	account := AccountOf(org)
	writes := []func() error{
		func() error { return of.PutOrg(ctx, l, record) },
		func() error {
			for _, layer := range plan.Layers() {
				made := registry.Layer{
					Layer: string(layer), State: "done", Made: true, Resources: 3, Outputs: map[string]any{"accountId": account, "clusterName": "freehold-" + org}, Updated: now,
				}
				if err := of.PutLayer(ctx, l, made); err != nil {
					return err
				}
			}
			return nil
		},
		func() error {
			return of.Claim(ctx, l, true, finding.Identity{Kind: "account", Value: account}, finding.Identity{Kind: "cluster", Value: "cluster-of-" + org})
		},
		func() error {
			return of.PutDataPlane(ctx, l, event.DataPlane{
				Org: org, Region: "eu-central-1", AccountID: account, ClusterName: "freehold-" + org, OIDCIssuer: issuer + "/cluster-of-" + org, Projects: []string{org + "-web"},
			})
		},
		func() error {
			_, err := of.Append(ctx, l,
				event.Event{Type: event.LayerStarted, Time: now, Org: org, Operation: l.Operation, Kind: "onboard", Layer: "account", Message: "of " + org},
				event.Event{Type: event.LayerFinished, Time: now, Org: org, Operation: l.Operation, Kind: "onboard", Layer: "account"},
			)
			return err
		},
		func() error {
			return of.PutDrift(ctx, event.Drift{Org: org, At: now, Findings: []finding.Finding{{Kind: finding.Changed, Layer: "boundary", Type: "aws:iam/role:Role", Name: "freehold-" + org + "-read"}}})
		},
		func() error {
			_, err := of.End(ctx, l, event.Event{
				Type: event.OperationSucceeded, Time: now, Org: org, Operation: l.Operation, Kind: "onboard",
				Result: event.Onboarding{Org: org, Operation: l.Operation, DataPlane: event.DataPlane{Org: org, AccountID: account}},
			})
			return err
		},
	}
	for _, write := range writes {
		if err := write(); err != nil {
			return fmt.Errorf("fill %s: %w", org, err)
		}
	}
	return nil
}

// FillAll records many orgs, several at a time.
func FillAll(ctx context.Context, s registry.Store, orgs []string, issuer string, now time.Time) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(8)
	for _, org := range orgs {
		group.Go(func() error { return Fill(ctx, s, org, issuer, now) })
	}
	return group.Wait()
}

// AccountOf is a 12-digit account id that no other name has, as far as a hash goes.
func AccountOf(org string) string {
	var n uint64 = 14695981039346656037
	for _, c := range []byte(org) {
		n = (n ^ uint64(c)) * 1099511628211
	}
	return fmt.Sprintf("%012d", n%1_000_000_000_000)
}
