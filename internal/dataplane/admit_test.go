package dataplane_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"freehold.dev/freehold/internal/cloud"
	"freehold.dev/freehold/internal/dataplane"
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/registry"
	"freehold.dev/freehold/policies"
)

var today = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// rules are those of which the tests have exceptions.
var rules = []policies.Rule{
	{ID: "FH900", Title: "nothing is open", Fix: "close it"},
	{ID: "FH901", Title: "nothing is shared", Fix: "take it apart", NoException: true},
}

func facts(d dataplane.DataPlane, was *plan.Plan) dataplane.Facts {
	return dataplane.Facts{DataPlane: d, Recorded: was, Now: today, Rules: rules}
}

func TestAPlanThatNothingStandsInTheWayOfIsAdmitted(t *testing.T) {
	p := vendedPlan(t)
	for reason, f := range map[string]dataplane.Facts{
		"an org that is new":               facts(of(p), nil),
		"an org onboarded again":           facts(whole(p), &p),
		"an org whose management is known": {DataPlane: whole(p), Recorded: &p, Management: management, Now: today},
	} {
		if got := dataplane.Admit(f); len(got) > 0 {
			t.Errorf("%s: refused: %+v", reason, got)
		}
	}
}

func TestEveryReasonIsGivenAtOnce(t *testing.T) {
	was := vendedPlan(t)
	is := planOf(t, "acme", "region: eu-central-1", "account: {email: aws+other@example.com}", "network: {cidr: 10.9.0.0/16}",
		"exceptions: [{rule: FH999, resource: x, reason: because it is so, approver: ada@example.com, expires: '2027-01-01'}]")
	f := facts(whole(is), &was)
	f.Management = "999999999999"
	f.Owned = []registry.OwnedError{{Identity: finding.Identity{Kind: dataplane.KindEmail, Value: "aws+other@example.com"}, Owner: "globex"}}
	var fields []string
	for _, r := range dataplane.Admit(f) {
		fields = append(fields, r.Field)
		if r.Message == "" || r.Next == "" {
			t.Errorf("%+v does not say what is wrong and what to do", r)
		}
	}
	want := []string{"", "region", "account.email", "network.cidr", "exceptions[0].rule", "account"}
	if diff := cmp.Diff(want, fields); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
}

func TestAFieldBindsOnceALayerHasMadeSomethingWithIt(t *testing.T) {
	was := planOf(t, "acme", region, vended, "network: {cidr: 10.1.0.0/16}")
	other := planOf(t, "acme", "region: eu-central-1", "account: {email: aws+corrected@example.com}", "network: {cidr: 10.2.0.0/16}")
	bring := planOf(t, "acme", region, brought, "network: {cidr: 10.1.0.0/16}")
	begun := func(p plan.Plan, l plan.Layer, types ...string) dataplane.DataPlane {
		return of(p, registry.Layer{Layer: string(l), State: dataplane.Failed, Made: true, Unclean: true}).WithBegun(l, types)
	}
	for reason, tc := range map[string]struct {
		d    dataplane.DataPlane
		want []string
	}{
		"nothing was made":                            {of(other), nil},
		"a first run failed and made nothing":         {of(other, registry.Layer{Layer: "account", State: dataplane.Failed}), nil},
		"a first run failed and made policies":        {begun(other, plan.LayerAccount, "aws:organizations/policy:Policy"), nil},
		"the account was made":                        {of(other, made(plan.LayerAccount)), []string{"account.email"}},
		"the account may have been made":              {begun(other, plan.LayerAccount, "aws:organizations/account:Account"), []string{"account.email"}},
		"the boundary was begun":                      {begun(other, plan.LayerBoundary, "aws:iam/policy:Policy"), []string{"region", "account.email"}},
		"the cluster was begun, without a network":    {begun(other, plan.LayerCluster, "aws:iam/role:Role"), []string{"region", "account.email"}},
		"the network was begun":                       {begun(other, plan.LayerCluster, "aws:ec2/vpc:Vpc"), []string{"region", "account.email", "network.cidr"}},
		"everything was made":                         {whole(other), []string{"region", "account.email", "network.cidr"}},
		"everything was removed":                      {of(other, registry.Layer{Layer: "account", State: dataplane.Removed, Made: true}), nil},
		"an account of its own, before one was made":  {of(bring), nil},
		"an account of its own, after one was vended": {of(bring, made(plan.LayerAccount)), []string{"account.mode", "account.email", "account.roleArn"}},
	} {
		t.Run(reason, func(t *testing.T) {
			var got []string
			for _, r := range dataplane.Admit(facts(tc.d, &was)) {
				got = append(got, r.Field)
				if !strings.Contains(r.Message, r.Field+" cannot change from ") {
					t.Errorf("message %q", r.Message)
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("fields (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCredentialsOfAnotherAccountAreRefused(t *testing.T) {
	us := cloud.Identity{AccountID: management, ARN: "arn:aws:iam::" + management + ":role/me"}
	for from, refused := range map[string]bool{"": false, management: false, "999999999999": true} {
		got := dataplane.CheckCaller(us, from)
		if (got != nil) != refused {
			t.Errorf("onboarded from %q: %+v", from, got)
		}
		if got != nil && (!strings.Contains(got.Message, us.ARN) || got.Next != "sign in to account 999999999999") {
			t.Errorf("refusal: %+v", got)
		}
	}
}

func TestWhatTheCloudAnsweredIsRefusedByItsField(t *testing.T) {
	p := planOf(t, "acme", region, brought)
	for reason, tc := range map[string]struct {
		set  func(*dataplane.Facts)
		want dataplane.Refusal
	}{
		"an e-mail that an account has": {
			func(f *dataplane.Facts) { f.EmailOf = "333344445555" },
			dataplane.Refusal{
				Field:   "account.email",
				Message: `account.email "" is the e-mail of account 333344445555, and AWS accepts each address only once, ever`,
				Next:    "choose another account.email, such as aws+acme-2@…; if it is the account that an earlier offboarding of the org kept, bring it with account.mode: existing",
			},
		},
		"a role that does not let us in": {
			func(f *dataplane.Facts) { f.Shut = "sts:AssumeRole: AccessDenied" },
			dataplane.Refusal{
				Field: "account.roleArn", Outside: true,
				Message: "account " + account + " does not let us in: sts:AssumeRole: AccessDenied",
				Next:    "correct account.roleArn and account.externalId, or let the trust policy of arn:aws:iam::" + account + ":role/in allow " + caller.ARN + " with that external id",
			},
		},
		"a version of Kubernetes that there is not": {
			func(f *dataplane.Facts) {
				f.Unsupported = &cloud.UnsupportedError{Asked: "1.99", Has: []string{"1.35"}}
			},
			dataplane.Refusal{
				Field: "cluster.version", Message: `cluster.version "1.35": not supported by this cloud: Kubernetes 1.99; there is 1.35`,
				Next: "set cluster.version to one that this cloud runs",
			},
		},
		"a version of an add-on that there is not": {
			func(f *dataplane.Facts) {
				f.Unsupported = &cloud.UnsupportedError{Addon: "coredns", Asked: "v9", Has: []string{"v1", "v0"}}
			},
			dataplane.Refusal{
				Field: "versions.coreDns", Message: `versions.coreDns "v9": not supported by this cloud: add-on coredns v9; there is v1, v0`,
				Next: "set versions.coreDns to one that this cloud has, such as v1",
			},
		},
		"a version of an add-on that the spec has no field for": {
			func(f *dataplane.Facts) { f.Unsupported = &cloud.UnsupportedError{Addon: "new-one", Asked: "v9"} },
			dataplane.Refusal{
				Field: "new-one", Message: `new-one "v9": not supported by this cloud: add-on new-one v9; there is none at all`,
				Next: "set new-one to one that this cloud has",
			},
		},
	} {
		t.Run(reason, func(t *testing.T) {
			f := facts(of(p), nil)
			tc.set(&f)
			if diff := cmp.Diff([]dataplane.Refusal{tc.want}, dataplane.Admit(f)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestWhatRunsAlreadyIsNotAskedAboutAgain(t *testing.T) {
	p := vendedPlan(t)
	later := vendedPlan(t)
	later.Cluster.Addons = append([]plan.Addon{}, p.Cluster.Addons...)
	later.Cluster.Addons[0].Version = "v9"
	newer := vendedPlan(t)
	newer.Cluster.Version = "1.99"
	all := func(p plan.Plan) map[string]string {
		out := map[string]string{}
		for _, a := range p.Cluster.Addons {
			out[a.Name] = a.Version
		}
		return out
	}
	for reason, tc := range map[string]struct {
		d    dataplane.DataPlane
		was  *plan.Plan
		want cloud.Release
	}{
		"a new org":              {of(p), nil, cloud.Release{Region: "eu-west-1", Kubernetes: p.Cluster.Version, Addons: all(p)}},
		"one that is as it was":  {whole(p), &p, cloud.Release{Region: "eu-west-1", Kubernetes: p.Cluster.Version, Addons: map[string]string{}}},
		"one with another addon": {whole(later), &p, cloud.Release{Region: "eu-west-1", Kubernetes: p.Cluster.Version, Addons: map[string]string{p.Cluster.Addons[0].Name: "v9"}}},
		"an upgrade":             {whole(newer), &p, cloud.Release{Region: "eu-west-1", Kubernetes: "1.99", Addons: all(p)}},
		"a cluster that is not made yet": {
			of(p, made(plan.LayerAccount)), &p, cloud.Release{Region: "eu-west-1", Kubernetes: p.Cluster.Version, Addons: all(p)},
		},
	} {
		if diff := cmp.Diff(tc.want, dataplane.Release(tc.d, tc.was)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", reason, diff)
		}
	}
}

func TestAnExceptionMustAnswerForSomething(t *testing.T) {
	for reason, tc := range map[string]struct {
		rule, expires string
		want          string
	}{
		"one that holds":          {"FH900", "2026-05-04", ""},
		"one that has expired":    {"FH900", "2026-05-03", `exceptions[0]: the exception of FH900 for "x" has expired on 2026-05-03`},
		"one to no rule":          {"FH999", "2027-01-01", "exceptions[0].rule: there is no rule FH999"},
		"one to a rule that must": {"FH901", "2027-01-01", "exceptions[0]: rule FH901 (nothing is shared) allows no exception"},
	} {
		t.Run(reason, func(t *testing.T) {
			p := vendedPlan(t)
			p.Exceptions = []plan.Exception{{Rule: tc.rule, Resource: "x", Reason: "r", Approver: "ada", Expires: tc.expires}}
			got := ""
			for _, r := range dataplane.CheckExceptions(p, rules, today) {
				got += r.Message
			}
			if got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestANamespaceIsNotLostBecauseALineIsMissing(t *testing.T) {
	const keeps, goes = "{name: shop}", "{name: lab, deletionPolicy: Delete}"
	was := planOf(t, "acme", region, vended, "projects: ["+keeps+", "+goes+"]")
	without := planOf(t, "acme", region, vended, "projects: ["+keeps+"]")
	neither := planOf(t, "acme", region, vended)
	for reason, tc := range map[string]struct {
		d    dataplane.DataPlane
		want int
	}{
		"the one that goes with its namespace": {whole(without), 1},
		"both of them":                         {whole(neither), 1},
		"neither":                              {whole(was), 0},
		"nothing was bootstrapped":             {of(without, made(plan.LayerAccount)), 0},
		"bootstrap was begun and failed": {
			of(without, registry.Layer{Layer: "bootstrap", State: dataplane.Failed, Made: true}), 1,
		},
	} {
		got := dataplane.Admit(facts(tc.d, &was))
		if len(got) != tc.want {
			t.Errorf("%s: %+v, want %d refusals", reason, got, tc.want)
		}
		if len(got) == 1 && (got[0].Field != "projects" || !strings.Contains(got[0].Next, "freehold projects remove acme lab")) {
			t.Errorf("%s: %+v", reason, got[0])
		}
	}
}

func TestAnIdentityOfAnotherOrgIsRefusedWithItsOwner(t *testing.T) {
	for kind, tc := range map[string]struct{ field, next string }{
		dataplane.KindEmail:          {"account", "freehold claims release globex"},
		dataplane.KindAccessRole:     {"account", "another account.roleArn"},
		dataplane.KindIdentityClient: {"cluster.identityProvider.clientId", "another cluster.identityProvider.clientId"},
		dataplane.KindAccountIssuer:  {"access.aws.issuerUrl", "get-outbound-web-identity-federation-info"},
		"VPC":                        {"", "freehold audit --all"},
	} {
		owned := registry.OwnedError{Identity: finding.Identity{Kind: kind, Value: "v"}, Owner: "globex"}
		got := dataplane.Owned("acme", owned)
		want := dataplane.Refusal{Field: tc.field, Message: owned.Error(), Owned: &owned}
		if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(dataplane.Refusal{}, "Next")); diff != "" || !strings.Contains(got.Next, tc.next) {
			t.Errorf("%s: next %q, want %q in it (-want +got):\n%s", kind, got.Next, tc.next, diff)
		}
	}
}

func TestAnEntryThatAnotherOrgHasSettlesWhoseAccountItIs(t *testing.T) {
	p := vendedPlan(t)
	for reason, tc := range map[string]struct {
		id   finding.Identity
		want bool
	}{
		"its e-mail":       {dataplane.Entry(p), true},
		"its account":      {finding.Identity{Kind: dataplane.KindAccount, Value: account}, true},
		"another's e-mail": {finding.Identity{Kind: dataplane.KindEmail, Value: "x@example.com"}, false},
		"a VPC":            {finding.Identity{Kind: "VPC", Value: "vpc-1"}, false},
	} {
		if got := dataplane.HasEntry([]registry.OwnedError{{Identity: tc.id, Owner: "globex"}}, p); got != tc.want {
			t.Errorf("%s: %v, want %v", reason, got, tc.want)
		}
	}
}
