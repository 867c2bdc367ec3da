package main_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/finding"
)

// calls are the node groups that the sandbox's EKS was asked to make, to change
// and to delete after an entry of the journal, and what came of it.
func (h home) nodeGroupCalls(after int) []string {
	h.t.Helper()
	rows, err := h.sandbox().QueryContext(h.t.Context(),
		`select action, id, outcome from journal where seq > ? and type = 'aws:eks/nodeGroup:NodeGroup' order by seq`, after)
	if err != nil {
		h.t.Fatal(err)
	}
	defer rows.Close()
	var calls []string
	for rows.Next() {
		var action, id, outcome string
		if err := rows.Scan(&action, &id, &outcome); err != nil {
			h.t.Fatal(err)
		}
		calls = append(calls, action+" "+id[strings.LastIndexByte(id, ':')+1:]+" "+outcome)
	}
	if err := rows.Err(); err != nil {
		h.t.Fatal(err)
	}
	return calls
}

// The customer of one world goes through all of it, because a world costs more
// than each of them: an autoscaler, a role that is made anew, other instances.
func TestTheOnlyNodePoolGetsItsNewGroupBeforeTheOldOneGoesAndARoleMadeAnewIsLetInAgain(t *testing.T) {
	t.Parallel()
	h, _ := onboarded(t)
	const group, next = "freehold-acme-default", "freehold-acme-default_2"

	// An autoscaler at work: that is neither drift, nor put back.
	h.want(0, "sandbox", "edit", "acme", "aws:eks/nodeGroup:NodeGroup", "freehold-acme:"+group, "scalingConfig.desiredSize=3")
	if r := h.want(0, "drift", "acme"); !strings.Contains(r.stdout, "no drift") {
		t.Errorf("an autoscaler's size is drift:\n%s", r.stdout)
	}

	changed := h.spec("acme", inhabited, "cluster: {nodePools: [{name: default, instanceTypes: [m6i.xlarge]}]}")
	move := []event.Move{{Pool: "default", From: group, To: next, Nodes: 3, Because: []finding.Difference{
		{Path: "instanceTypes[0]", Want: `"m6i.xlarge"`, Have: `"m6i.large"`},
	}}}
	planned := decode[event.Plan](t, h.want(2, "plan", "-f", changed, "-o", "json"))
	if d := cmp.Diff(move, planned.Moves); d != "" {
		t.Errorf("moves (-want +got):\n%s", d)
	}
	for _, c := range planned.Changes {
		if c.Op != "create" && c.Op != "delete" {
			t.Errorf("planned: %s %s %s", c.Op, c.Type, c.Name)
		}
	}

	// A role is made anew under its name: its access entry is another role's.
	const role, entry = "aws:iam/role:Role", "aws:eks/accessEntry:AccessEntry"
	bootstrap := decode[event.SandboxItem](t, h.want(0, "sandbox", "show", "acme", role, "freehold-acme-bootstrap", "-o", "json"))
	h.want(0, "sandbox", "rm", "acme", role, "freehold-acme-bootstrap", "--force")
	trust, err := json.Marshal(bootstrap.Properties["assumeRolePolicy"])
	if err != nil {
		t.Fatal(err)
	}
	h.want(0, "sandbox", "create", "acme", role, "freehold-acme-bootstrap", "assumeRolePolicy="+string(trust))
	// So is the provisioner's own: no role of the org lets that one in.
	const management, provisioner = "100000000001", "freehold-provisioner"
	h.want(0, "sandbox", "rm", management, role, provisioner, "--force")
	h.want(0, "sandbox", "create", management, role, provisioner,
		`assumeRolePolicy={"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`)
	// The entry of the nodes is in no layer: EKS made it.
	nodes := "freehold-acme:" + bootstrap.ARN[:strings.LastIndexByte(bootstrap.ARN, '/')] + "/freehold-acme-node"
	h.want(0, "sandbox", "rm", "acme", entry, nodes, "--force")
	drifted := decode[event.Drift](t, h.want(2, "drift", "acme", "-o", "json"))
	if !slices.ContainsFunc(drifted.Findings, func(f finding.Finding) bool { return f.Type == entry && f.Name == bootstrap.ARN }) {
		t.Errorf("the entry of the earlier role is no drift: %+v", drifted.Findings)
	}
	if !slices.ContainsFunc(drifted.Findings, func(f finding.Finding) bool { return f.Kind == finding.Missing && f.Type == entry && f.ID == nodes }) {
		t.Errorf("the entry of the nodes is not missed: %+v", drifted.Findings)
	}
	for name, kind := range map[string]finding.Kind{"read-role": finding.Changed, "cluster": finding.Unreadable} {
		if !slices.ContainsFunc(drifted.Findings, func(f finding.Finding) bool { return f.Name == name && f.Kind == kind }) {
			t.Errorf("with another provisioner, drift does not say %s %s: %+v", name, kind, drifted.Findings)
		}
	}

	first := h.journal()
	h.want(0, "onboard", "-f", changed)
	if d := cmp.Diff([]string{"CreateNodegroup " + next + " ok", "DeleteNodegroup " + group + " ok"}, h.nodeGroupCalls(first)); d != "" {
		t.Errorf("EKS was asked for (-want +got):\n%s", d)
	}
	listed := h.want(0, "sandbox", "ls", "acme", "-o", "json").stdout
	if strings.Contains(listed, `"`+group+`"`) || !strings.Contains(listed, next) {
		t.Errorf("in the account is:\n%s", listed)
	}
	again := decode[event.Plan](t, h.want(0, "plan", "-f", changed, "-o", "json"))
	if r := h.want(0, "drift", "acme"); !strings.Contains(r.stdout, "no drift") {
		t.Errorf("drift after it:\n%s", r.stdout)
	}
	if slices.ContainsFunc(again.Layers, func(l event.LayerResult) bool { return l.State != "done" }) || again.Moves != nil {
		t.Errorf("planned after it: %+v", again)
	}

	// Somebody deletes the cluster, with all that is in it.
	const cluster = "aws:eks/cluster:Cluster"
	issuer := func() string {
		shown := decode[event.SandboxItem](t, h.want(0, "sandbox", "show", "acme", cluster, "freehold-acme", "-o", "json"))
		text, err := json.Marshal(shown.Properties["identities"])
		if err != nil || !strings.Contains(string(text), "https://oidc.eks.") {
			t.Fatalf("identities: %s, %v", text, err)
		}
		return string(text)
	}
	earlier := issuer()
	h.want(0, "sandbox", "rm", "acme", "aws:eks/nodeGroup:NodeGroup", "freehold-acme:"+next)
	h.want(0, "sandbox", "rm", "acme", cluster, "freehold-acme")
	rebuilt := h.want(0, "onboard", "-f", changed)
	if !strings.Contains(rebuilt.stderr, "cluster freehold-acme is another one than the layer was made in, which is gone") {
		t.Errorf("it does not say that the cluster was lost:\n%s", rebuilt.stderr)
	}
	if issuer() == earlier {
		t.Errorf("the cluster that was rebuilt has the issuer of the lost one: %s", earlier)
	}
	if r := h.want(0, "drift", "acme"); !strings.Contains(r.stdout, "no drift") {
		t.Errorf("drift after the rebuild:\n%s", r.stdout)
	}
	if live := h.want(0, "projects", "list", "acme").stdout; strings.Count(live, "Ready") < 2 {
		t.Errorf("projects in the cluster that was rebuilt:\n%s", live)
	}
}
