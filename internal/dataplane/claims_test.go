package dataplane_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/internal/dataplane"
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/registry"
)

func TestWhatAPlanDecidesIsForeseenAsSoonAsTheAccountIsKnown(t *testing.T) {
	for reason, tc := range map[string]struct {
		d      dataplane.DataPlane
		has    []string
		hasNot string
	}{
		"an account that is not made yet": {of(vendedPlan(t)), []string{"aws+acme@example.com"}, account},
		"an account that is": {whole(vendedPlan(t)), []string{
			"aws+acme@example.com", account, "arn:aws:iam::" + account + ":policy/freehold-acme-boundary",
			"arn:aws:iam::" + account + ":role/freehold-acme-node", "bucket:freehold-acme-data-" + account,
			"arn:aws:eks:eu-west-1:" + account + ":cluster/freehold-acme",
		}, "arn:aws:iam::" + account + ":role/in"},
		"an account that the org brings, before anything is made": {of(planOf(t, "acme", region, brought)), []string{
			account, "arn:aws:iam::" + account + ":role/in", "bucket:freehold-acme-logs-" + account,
		}, "aws+acme@example.com"},
		"people who come by an identity provider": {
			of(planOf(t, "acme", region, vended, "cluster: {identityProvider: {issuerUrl: 'https://login.example.com', clientId: acme}}")),
			[]string{"https://login.example.com acme"}, account,
		},
		"roles of the account that call the API": {
			of(planOf(t, "acme", region, vended, "access: {aws: {issuerUrl: 'https://a.tokens.sts.global.api.aws', roles: [{roleArn: 'arn:aws:iam::"+account+":role/r', role: viewer}]}}")),
			[]string{"https://a.tokens.sts.global.api.aws"}, account,
		},
	} {
		t.Run(reason, func(t *testing.T) {
			ids, err := tc.d.Foreseen()
			if err != nil {
				t.Fatal(err)
			}
			got := dataplane.Identities(ids)
			for _, v := range tc.has {
				if !slices.Contains(got, v) {
					t.Errorf("%s is not in %v", v, got)
				}
			}
			if slices.Contains(got, tc.hasNot) {
				t.Errorf("%s is in %v", tc.hasNot, got)
			}
		})
	}
}

func TestWhatALayerGaveOutIsMade(t *testing.T) {
	d := whole(vendedPlan(t))
	for l, want := range map[plan.Layer][]finding.Identity{
		plan.LayerAccount: {{Kind: "e-mail", Value: "aws+acme@example.com"}, {Kind: "account", Value: account}},
		plan.LayerBoundary: {
			{Kind: "boundary", Value: "arn:aws:iam::" + account + ":policy/freehold-acme-boundary"},
			{Kind: "key", Value: "arn:aws:kms:eu-west-1:" + account + ":key/1"}, {Kind: "key", Value: "arn:aws:kms:eu-west-1:" + account + ":key/2"},
		},
		plan.LayerCluster: {
			{Kind: "cluster", Value: "arn:aws:eks:eu-west-1:" + account + ":cluster/freehold-acme"}, {Kind: "endpoint", Value: "https://acme.eks"},
			{Kind: "OIDC issuer", Value: "https://issuer/acme"}, {Kind: "VPC", Value: "vpc-1"},
		},
	} {
		got, err := d.Gave(l)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("layer %s: %v (-want +got):\n%s", l, err, diff)
		}
		if _, err := of(vendedPlan(t)).Gave(l); err == nil {
			t.Errorf("layer %s gave something out before it was made", l)
		}
	}
	foreseen, err := d.Foreseen()
	if err != nil {
		t.Fatal(err)
	}
	got, err := d.Gave(plan.LayerBootstrap)
	if diff := cmp.Diff(foreseen, got); err != nil || diff != "" {
		t.Errorf("with the last layer everything that was foreseen is made: %v (-want +got):\n%s", err, diff)
	}
}

func TestClaimsAreReleasedOnlyWhereNothingWasMade(t *testing.T) {
	mail, other := finding.Identity{Kind: "e-mail", Value: "a@example.com"}, finding.Identity{Kind: "e-mail", Value: "b@example.com"}
	claims := []registry.Claim{{Identity: mail}, {Identity: other}, {Identity: finding.Identity{Kind: "account", Value: account}, Made: true}}
	p := vendedPlan(t)
	for reason, tc := range map[string]struct {
		d    dataplane.DataPlane
		but  []finding.Identity
		want []finding.Identity
	}{
		"nothing was made":                 {of(p), nil, []finding.Identity{mail, other}},
		"nothing was made, and one stays":  {of(p), []finding.Identity{mail}, []finding.Identity{other}},
		"a first run failed before it all": {of(p, registry.Layer{Layer: "account", State: dataplane.Failed, Unclean: true}), nil, []finding.Identity{mail, other}},
		"the account was made":             {of(p, made(plan.LayerAccount)), nil, nil},
		"it may have been made":            {of(p).WithBegun(plan.LayerAccount, []string{"aws:organizations/account:Account"}), nil, nil},
		"policies were, and no account":    {of(p).WithBegun(plan.LayerAccount, []string{"aws:organizations/policy:Policy"}), nil, []finding.Identity{mail, other}},
		"only a later layer was":           {of(p, made(plan.LayerCluster)), nil, nil},
	} {
		if diff := cmp.Diff(tc.want, tc.d.Releasable(claims, tc.but)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", reason, diff)
		}
	}
}

func TestAnAddressIsClaimedWhateverItsCase(t *testing.T) {
	p := planOf(t, "acme", region, "account: {email: AWS+Acme@Example.com}")
	if got := dataplane.Entry(p).Value; got != "aws+acme@example.com" {
		t.Errorf("claimed as %q", got)
	}
	if p.Account.Email != "AWS+Acme@Example.com" {
		t.Errorf("the account gets %q, and not what was given", p.Account.Email)
	}
}
