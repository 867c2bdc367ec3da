package dataplane_test

import (
	"strings"
	"testing"

	"freehold.dev/freehold/internal/cloud"
	"freehold.dev/freehold/internal/dataplane"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/registry"
)

func TestAVersionOfKubernetesGoesUpOneMinorAtATimeAndNeverBack(t *testing.T) {
	at := func(version string) plan.Plan {
		return planOf(t, "acme", region, vended, `cluster: {version: "`+version+`"}`)
	}
	runs := func(version string, groups ...string) *cloud.Running {
		out := &cloud.Running{Kubernetes: version, NodeGroups: map[string]string{}}
		for _, g := range groups {
			name, version, _ := strings.Cut(g, "@")
			out.NodeGroups[name] = version
		}
		return out
	}
	const own = "freehold-acme-default"
	for reason, tc := range map[string]struct {
		was, is string
		running *cloud.Running
		message string // empty: it is admitted
		next    string
	}{
		"the version that it has":         {was: "1.34", is: "1.34", running: runs("1.34", own+"@1.34")},
		"the next one":                    {was: "1.34", is: "1.35", running: runs("1.34", own+"@1.34")},
		"the next one, of a lost cluster": {was: "1.33", is: "1.35", running: &cloud.Running{}},
		"one back, of a lost cluster":     {was: "1.34", is: "1.33", running: &cloud.Running{}},
		"nodes that are to follow":        {was: "1.34", is: "1.34", running: runs("1.34", own+"@1.33")},
		"a skip": {
			was: "1.33", is: "1.35", running: runs("1.33", own+"@1.33"),
			message: `cluster.version cannot go from "1.33" to "1.35": EKS upgrades one minor version at a time`,
			next:    `set cluster.version: "1.34" and onboard the org, one minor version after the other`,
		},
		"a skip of two": {
			was: "1.33", is: "1.36", running: runs("1.33", own+"@1.33"),
			message: `from "1.33" to "1.36": EKS upgrades one minor version at a time`, next: `set cluster.version: "1.34"`,
		},
		"a skip, of a cluster that was not asked": {
			was: "1.33", is: "1.35", message: "EKS upgrades one minor version at a time", next: `"1.34"`,
		},
		"a downgrade": {
			was: "1.35", is: "1.34", running: runs("1.35", own+"@1.35"),
			message: `cluster.version cannot go from "1.35" back to "1.34": EKS never downgrades a control plane`,
			next:    `set cluster.version: "1.35" and onboard the org`,
		},
		"a downgrade, of a cluster that was not asked": {
			was: "1.35", is: "1.34", message: "EKS never downgrades a control plane", next: `"1.35"`,
		},
		"a document that stayed, of a cluster that AWS has upgraded": {
			was: "1.33", is: "1.33", running: runs("1.34", own+"@1.33"),
			message: "EKS never downgrades a control plane; the org was onboarded with 1.33, and AWS or somebody else has upgraded the cluster since",
			next:    `set cluster.version: "1.34"`,
		},
		"a document that follows a cluster that AWS has upgraded": {was: "1.33", is: "1.34", running: runs("1.34", own+"@1.33")},
		"a skip from what AWS has made of it": {
			was: "1.33", is: "1.36", running: runs("1.34", own+"@1.34"), message: `from "1.34" to "1.36"`, next: `set cluster.version: "1.35"`,
		},
		"a step from what was asked for last, and was never reached": {
			was: "1.35", is: "1.34", running: runs("1.33", own+"@1.33"),
		},
		"nodes that are behind": {
			was: "1.34", is: "1.35", running: runs("1.34", own+"@1.33"),
			message: "EKS upgrades a control plane only when its node groups have the version that it has now, and " + own + " does not",
			next:    `set cluster.version: "1.34" and onboard the org first: it upgrades the nodes`,
		},
		"nodes of somebody else that are behind": {
			was: "1.34", is: "1.35", running: runs("1.34", own+"@1.34", "by-hand@1.33"),
			message: "and by-hand does not", next: "aws eks update-nodegroup-version --cluster-name freehold-acme",
		},
		"a version that no spec can have is on the way": {
			was: "1.33", is: "1.33", running: runs("1.31"), message: `from "1.31" to "1.33"`, next: "a spec cannot have version 1.32",
		},
		"a version that this Freehold has never heard of": {
			was: "1.35", is: "1.35", running: runs("1.40"), message: `from "1.40" back to "1.35"`, next: "a spec cannot have version 1.40",
		},
		"a version that is none": {was: "1.35", is: "1.35", running: runs("latest"), message: "this Freehold does not know", next: "use a Freehold that knows it"},
	} {
		t.Run(reason, func(t *testing.T) {
			was := at(tc.was)
			f := facts(whole(at(tc.is)), &was)
			f.Running = tc.running
			got := dataplane.Admit(f)
			if tc.message == "" {
				if len(got) > 0 {
					t.Errorf("refused: %+v", got)
				}
				return
			}
			if len(got) != 1 || got[0].Field != "cluster.version" || !strings.Contains(got[0].Message, tc.message) || !strings.Contains(got[0].Next, tc.next) {
				t.Errorf("got %+v\nwant %q, next %q", got, tc.message, tc.next)
			}
		})
	}
}

func TestAVersionBindsFromTheMomentThatThereIsACluster(t *testing.T) {
	was := planOf(t, "acme", region, vended, `cluster: {version: "1.33"}`)
	is := planOf(t, "acme", region, vended, `cluster: {version: "1.35"}`)
	begun := func(types ...string) dataplane.DataPlane {
		return of(is, made(plan.LayerAccount), registry.Layer{Layer: "cluster", State: dataplane.Failed, Made: true, Unclean: true}).
			WithBegun(plan.LayerCluster, types)
	}
	for reason, tc := range map[string]struct {
		d    dataplane.DataPlane
		want int
	}{
		"nothing was made":                    {of(is), 0},
		"a run was killed before the cluster": {begun("aws:ec2/vpc:Vpc"), 0},
		"a run was killed with the cluster":   {begun("aws:ec2/vpc:Vpc", "aws:eks/cluster:Cluster"), 1},
		"everything was made":                 {whole(is), 1},
		"an upgrade was killed":               {whole(is).With(registry.Layer{Layer: "cluster", State: dataplane.Making, Made: true, Unclean: true, Outputs: outputs[plan.LayerCluster]}), 1},
		"the cluster was removed":             {whole(is).With(registry.Layer{Layer: "cluster", State: dataplane.Removed}), 0},
	} {
		if got := dataplane.Admit(facts(tc.d, &was)); len(got) != tc.want {
			t.Errorf("%s: %+v, want %d refusals", reason, got, tc.want)
		}
	}
}

func TestNodesOfAnotherVersionAreChangedLast(t *testing.T) {
	d := whole(planOf(t, "acme", region, vended, `cluster: {version: "1.34"}`))
	for reason, tc := range map[string]struct {
		running *cloud.Running
		want    bool
	}{
		"it was not asked":             {nil, false},
		"it has no cluster":            {&cloud.Running{}, false},
		"it has no nodes":              {&cloud.Running{Kubernetes: "1.33"}, false},
		"an upgrade":                   {&cloud.Running{Kubernetes: "1.33", NodeGroups: map[string]string{"a": "1.33"}}, true},
		"an upgrade that was killed":   {&cloud.Running{Kubernetes: "1.34", NodeGroups: map[string]string{"a": "1.34", "b": "1.33"}}, true},
		"all of it is at this version": {&cloud.Running{Kubernetes: "1.34", NodeGroups: map[string]string{"a": "1.34"}}, false},
	} {
		if got := d.Running(tc.running).Upgrade; got != tc.want {
			t.Errorf("%s: %v, want %v", reason, got, tc.want)
		}
	}
}

func TestWhoeverMayHaveAClusterIsAskedWhatItRuns(t *testing.T) {
	p := vendedPlan(t)
	for reason, tc := range map[string]struct {
		d    dataplane.DataPlane
		want bool
	}{
		"nothing was made":          {of(p), false},
		"no cluster was begun":      {of(p, made(plan.LayerAccount), made(plan.LayerBoundary)), false},
		"a run was killed half-way": {of(p, made(plan.LayerAccount), registry.Layer{Layer: "cluster", State: dataplane.Making, Made: true}), true},
		"everything was made":       {whole(p), true},
	} {
		a, got, err := tc.d.RunsSomewhere()
		if err != nil || got != tc.want || got && a.RoleARN != outputs[plan.LayerAccount]["accessRoleArn"] {
			t.Errorf("%s: %v in %+v, %v, want %v", reason, got, a, err, tc.want)
		}
	}
}
