package dataplane_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/internal/api/v1alpha1"
	"freehold.dev/freehold/internal/cloud"
	"freehold.dev/freehold/internal/dataplane"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/registry"
	"freehold.dev/freehold/internal/spec"
)

const people = "cluster: {identityProvider: {issuerUrl: 'https://login.example.com', clientId: acme, usernamePrefix: 'oidc:', groupsPrefix: 'oidc:', groupsClaim: groups}}"

func TestAChangeIsMadeOnceAndHurtsNobodyElse(t *testing.T) {
	p := planOf(t, "acme", region, vended, people, "projects: [{name: shop}, {name: lab}, {name: front, ingress: [{project: lab}]}]")
	doc, err := spec.Parse("acme.yaml", strings.NewReader("apiVersion: freehold.dev/v1alpha1\nkind: DataPlane\norg: acme\n"+region+"\n"+vended+"\nprojects: [{name: shop}]\n"))
	if err != nil {
		t.Fatal(err)
	}
	shop := doc.Projects[0]
	other, fresh, stranger := shop, shop, shop
	other.DisplayName = "another name"
	fresh.Name, stranger.Name = "fresh", "fresh"
	stranger.Members = []v1alpha1.Member{{User: "oidc:ada", Role: "viewer"}, {Group: "shop", Role: "viewer"}}
	for reason, c := range map[string]struct {
		change     dataplane.ProjectChange
		unfinished bool
		want       string // the names that are there then, or what the refusal says
	}{
		"a new one":                                  {dataplane.ProjectChange{Add: &fresh}, false, "shop lab front fresh"},
		"one that is there as it is":                 {dataplane.ProjectChange{Add: &shop}, false, "shop lab front"},
		"one that is there with other settings":      {dataplane.ProjectChange{Add: &other}, false, "already exists with different settings"},
		"one with somebody who can never get in":     {dataplane.ProjectChange{Add: &stranger}, false, "lets nobody called shop in"},
		"one that goes":                              {dataplane.ProjectChange{Remove: "shop"}, false, "lab front"},
		"one that another lets in":                   {dataplane.ProjectChange{Remove: "lab"}, false, "project front lets lab in"},
		"one that is not there":                      {dataplane.ProjectChange{Remove: "nothing"}, false, "there is no project nothing"},
		"one that a killed run has taken out before": {dataplane.ProjectChange{Remove: "nothing"}, true, "shop lab front"},
	} {
		t.Run(reason, func(t *testing.T) {
			now, _, refused := whole(p).Change(c.change, c.unfinished)
			var names []string
			for _, p := range now.Plan.Bootstrap.Projects {
				names = append(names, p.Name)
			}
			got := strings.Join(names, " ")
			if refused != nil {
				got = refused.Message
			}
			if !strings.Contains(got, c.want) || refused == nil && got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestAChangeRunsTheLayersThatItConcerns(t *testing.T) {
	withRole := `projects: [{name: shop, serviceAccounts: [{name: uploader, podIdentity: {policies: ['arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess']}}]}]`
	plain := planOf(t, "acme", region, vended, "projects: [{name: shop}]")
	roles := planOf(t, "acme", region, vended, withRole)
	if len(roles.Cluster.ProjectRoles) != 1 {
		t.Fatalf("the document gives %d roles", len(roles.Cluster.ProjectRoles))
	}
	shop := dataplane.ProjectChange{Remove: "shop"}
	cluster := func(d dataplane.DataPlane, change func(*registry.Layer)) dataplane.DataPlane {
		rec := d.Layer(plan.LayerCluster)
		change(&rec)
		return d.With(rec)
	}
	given := map[string]any{"shop/uploader": "arn:aws:iam::" + account + ":role/freehold-acme-shop-uploader"}
	had := cluster(whole(roles), func(rec *registry.Layer) {
		rec.Outputs = map[string]any{"projectRoleArns": given}
		maps.Copy(rec.Outputs, outputs[plan.LayerCluster])
	})
	const both, reversed, one, none = "cluster bootstrap", "bootstrap cluster", "bootstrap", ""
	for reason, tc := range map[string]struct {
		d      dataplane.DataPlane
		change dataplane.ProjectChange
		want   string
	}{
		"no roles come or go":               {whole(plain), shop, one},
		"a role goes after its project":     {had, shop, reversed},
		"a cluster that failed is repaired": {cluster(whole(plain), func(r *registry.Layer) { r.State = dataplane.Failed }), shop, reversed},
		"a cluster that was killed is":      {cluster(whole(plain), func(r *registry.Layer) { r.State = dataplane.Making }), shop, reversed},
		"an unclean cluster is":             {cluster(whole(plain), func(r *registry.Layer) { r.Unclean = true }), shop, reversed},
		"a cluster that was never made":     {of(plain, made(plan.LayerAccount), made(plan.LayerBoundary)), shop, none},
		"an account that was never made":    {whole(plain).With(registry.Layer{Layer: "account", State: dataplane.Failed}), shop, none},
		"an account whose change failed": {
			whole(plain).With(registry.Layer{Layer: "account", State: dataplane.Failed, Unclean: true, Outputs: outputs[plan.LayerAccount]}), shop, one,
		},
	} {
		t.Run(reason, func(t *testing.T) {
			_, layers, refused := tc.d.Change(tc.change, false)
			var got []string
			for _, l := range layers {
				got = append(got, string(l))
			}
			if strings.Join(got, " ") != tc.want || (refused != nil) != (tc.want == none) {
				t.Errorf("layers %v, refused %+v; want %q", got, refused, tc.want)
			}
		})
	}
	added := whole(plain)
	_, layers, refused := added.Change(dataplane.ProjectChange{Add: project(t, withRole)}, false)
	if refused == nil {
		t.Errorf("a project with other settings was added: %v", layers)
	}
	_, layers, refused = whole(planOf(t, "acme", region, vended)).Change(dataplane.ProjectChange{Add: project(t, withRole)}, false)
	if diff := cmp.Diff([]plan.Layer{plan.LayerCluster, plan.LayerBootstrap}, layers); refused != nil || diff != "" {
		t.Errorf("a role comes before its project: %+v (-want +got):\n%s", refused, diff)
	}
}

// project is the first of a document's.
func project(t *testing.T, projects string) *spec.Project {
	t.Helper()
	doc, err := spec.Parse("acme.yaml", strings.NewReader("apiVersion: freehold.dev/v1alpha1\nkind: DataPlane\norg: acme\n"+region+"\n"+vended+"\n"+projects+"\n"))
	if err != nil {
		t.Fatal(err)
	}
	return &doc.Projects[0]
}

func TestALayerNeedsRoomBeforeItIsMadeAndNotAfter(t *testing.T) {
	p := planOf(t, "acme", region, vended, "network: {nat: per-zone}")
	bring := planOf(t, "acme", region, brought, "network: {nat: none}")
	for reason, tc := range map[string]struct {
		d    dataplane.DataPlane
		l    plan.Layer
		want map[string]int
	}{
		"an account":                  {of(p), plan.LayerAccount, map[string]int{"aws:organizations/account:Account": 1}},
		"an account that is made":     {whole(p), plan.LayerAccount, nil},
		"an account that is brought":  {of(bring), plan.LayerAccount, nil},
		"a boundary":                  {of(p), plan.LayerBoundary, nil},
		"a cluster":                   {of(p), plan.LayerCluster, map[string]int{"aws:ec2/vpc:Vpc": 1, "aws:eks/cluster:Cluster": 1, "aws:ec2/eip:Eip": 3}},
		"a cluster without a gateway": {of(bring), plan.LayerCluster, map[string]int{"aws:ec2/vpc:Vpc": 1, "aws:eks/cluster:Cluster": 1, "aws:ec2/eip:Eip": 0}},
		"a cluster that is made":      {whole(p), plan.LayerCluster, nil},
		"a cluster that was begun":    {of(p, registry.Layer{Layer: "cluster", State: dataplane.Failed, Made: true}), plan.LayerCluster, nil},
	} {
		if diff := cmp.Diff(tc.want, tc.d.Needs(tc.l)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", reason, diff)
		}
	}
	quotas := []cloud.Quota{
		{Type: "aws:ec2/vpc:Vpc", Name: "VPCs", Service: "vpc", Code: "L-1", Region: "eu-west-1", Limit: 5, Used: 4},
		{Type: "aws:ec2/eip:Eip", Name: "addresses", Service: "ec2", Code: "L-2", Region: "eu-west-1", Limit: 5, Used: 3},
	}
	needs := map[string]int{"aws:ec2/vpc:Vpc": 1, "aws:ec2/eip:Eip": 3}
	want := &dataplane.Refusal{
		Message: `quota "addresses" of the management account is 5, 3 are in use, and the layer needs 3 more`,
		Next: "ask AWS for more, then run the same command again: aws service-quotas request-service-quota-increase " +
			"--region eu-west-1 --service-code ec2 --quota-code L-2 --desired-value 6",
	}
	if diff := cmp.Diff(want, dataplane.Full("", needs, quotas)); diff != "" {
		t.Errorf("a full quota (-want +got):\n%s", diff)
	}
	quotas[1].Limit = 6
	if got := dataplane.Full(account, needs, quotas); got != nil {
		t.Errorf("room for all: %+v", got)
	}
}
