package main_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/finding"
)

// What two customers share by hand is in no state and in no plan.
func TestAnAuditFindsWhatTwoCustomersShareByHand(t *testing.T) {
	t.Parallel()
	h, file := onboarded(t)
	h.want(0, "onboard", "-f", h.spec("globex"))
	planes := map[string]event.DataPlane{}
	for _, org := range []string{"acme", "globex"} {
		planes[org] = decode[event.Status](t, h.want(0, "status", org, "-o", "json")).DataPlane
	}
	acme, globex := planes["acme"], planes["globex"]

	t.Run("two customers as they are onboarded share nothing", func(t *testing.T) {
		a := decode[finding.Audit](t, h.want(0, "audit", "--all", "-o", "json"))
		if len(a.Orgs) != 2 || a.Orgs[0].Layers != 4 || a.Orgs[0].Resources < 100 || !a.Live {
			t.Errorf("it looked at %+v", a.Orgs)
		}
	})

	node := fmt.Sprintf("arn:aws:iam::%s:role/freehold-acme-node", acme.AccountID)
	bucket := "freehold-globex-data-" + globex.AccountID
	key := acme.DataKeyARN[strings.LastIndexByte(acme.DataKeyARN, '/')+1:]
	h.allow("acme", "aws:kms/key:Key", key, "policy", map[string]any{
		"Effect": "Allow", "Principal": map[string]any{"AWS": "arn:aws:iam::" + globex.AccountID + ":root"}, "Action": "kms:Decrypt", "Resource": "*",
	})
	h.allow("globex", "aws:iam/role:Role", "freehold-globex-read", "assumeRolePolicy", map[string]any{
		"Effect": "Allow", "Principal": map[string]any{"AWS": node}, "Action": "sts:AssumeRole",
	})
	h.allow("globex", "aws:s3/bucketPolicy:BucketPolicy", bucket, "policy", map[string]any{
		"Effect": "Allow", "Principal": map[string]any{"AWS": node}, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::" + bucket + "/*",
	})
	h.want(0, "sandbox", "create", "acme", "aws:ec2/vpcPeeringConnection:VpcPeeringConnection", "neighbours",
		"vpcId="+acme.VPCID, "peerVpcId="+globex.VPCID, fmt.Sprintf("peerOwnerId=%q", globex.AccountID))

	found := decode[finding.Audit](t, h.want(3, "audit", "--all", "-o", "json", "--sarif", filepath.Join(h.dir, "audit.sarif")))
	var got []string
	for _, e := range found.Edges {
		line := fmt.Sprintf("%s: %s %s -> %s %s", e.Kind, e.From.Org, e.From.Type, e.To.Org, e.To.Type)
		if e.Statement != "" && !json.Valid([]byte(e.Statement)) {
			t.Errorf("%s: the statement is no JSON: %s", line, e.Statement)
		}
		got = append(got, line)
	}
	slices.Sort(got)
	want := []string{
		"peering: acme aws:ec2/vpcPeeringConnection:VpcPeeringConnection -> globex aws:ec2/vpc:Vpc",
		"policy: acme aws:kms/key:Key -> globex aws:organizations/account:Account",
		"policy: globex aws:s3/bucketPolicy:BucketPolicy -> acme aws:iam/role:Role",
		"trust: globex aws:iam/role:Role -> acme aws:iam/role:Role",
	}
	if !slices.Equal(got, want) {
		t.Errorf("edges:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if len(found.Shared) != 1 || found.Shared[0].Kind != "CIDR when peered" || len(found.Shared[0].Ends) != 2 {
		t.Errorf("shared: %+v, want the range that both networks have", found.Shared)
	}

	t.Run("the text names both ends and the statement", func(t *testing.T) {
		r := h.want(3, "audit", "--all")
		for _, part := range []string{"trust from globex to acme", node, `"freehold-globex-read"`, `"Action":"sts:AssumeRole"`, "neighbours"} {
			if !strings.Contains(r.stdout, part) {
				t.Errorf("%q is not in:\n%s", part, r.stdout)
			}
		}
	})
	t.Run("what is open to everybody names no customer, and is found by its rule", func(t *testing.T) {
		h.allow("acme", "aws:iam/role:Role", "freehold-acme-read", "assumeRolePolicy", map[string]any{
			"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole",
		})
		a := decode[finding.Audit](t, h.want(3, "audit", "acme", "-o", "json"))
		if !slices.ContainsFunc(a.Findings, func(f finding.Policy) bool {
			return f.Rule == "FH301" && f.Resource.ID == "freehold-acme-read"
		}) {
			t.Errorf("no rule is violated in %+v", a.Findings)
		}
	})
	t.Run("a drift run holds the rules against what is there now", func(t *testing.T) {
		d := decode[event.Drift](t, h.want(2, "drift", "globex", "-o", "json"))
		if !slices.ContainsFunc(d.Findings, func(f finding.Finding) bool {
			return f.Kind == finding.Violated && f.Policy != nil && f.Type == "aws:iam/role:Role" && strings.Contains(f.Policy.Statement, node)
		}) {
			t.Errorf("no rule is violated in %+v", d.Findings)
		}
	})
	t.Run("what only a service's own list shows is named by the audit and by drift", func(t *testing.T) {
		for _, made := range [][]string{
			{"aws:grafana/workspace:Workspace", "by-hand", "accountAccessType=ORGANIZATION", "permissionType=SERVICE_MANAGED", `authenticationProviders=["AWS_SSO"]`},
			{"aws:lakeformation/dataLakeSettings:DataLakeSettings", "by-hand", fmt.Sprintf("trustedResourceOwners=[%q]", acme.AccountID)},
		} {
			typ := made[0]
			h.want(0, append([]string{"sandbox", "create", "globex"}, made...)...)
			var id string
			for _, e := range decode[finding.Audit](t, h.want(3, "audit", "globex", "-o", "json")).Edges {
				if e.From.Org == "globex" && e.From.Type == typ {
					id = e.From.ID
				}
			}
			if id == "" {
				t.Errorf("the audit does not find the %s", typ)
				continue
			}
			d := decode[event.Drift](t, h.want(2, "drift", "globex", "-o", "json"))
			if !slices.ContainsFunc(d.Findings, func(f finding.Finding) bool { return f.Kind == finding.Unmanaged && f.Type == typ && f.ID == id }) {
				t.Errorf("drift does not find %s %s: %+v", typ, id, d.Findings)
			}
			h.want(0, "sandbox", "rm", "globex", typ, id)
		}
	})
	t.Run("onboard puts back what the layers say, and the audit is content with it", func(t *testing.T) {
		h.want(0, "onboard", "-f", h.spec("globex"))
		for _, e := range decode[finding.Audit](t, h.want(3, "audit", "--all", "-o", "json")).Edges {
			if e.From.Org == "globex" {
				t.Errorf("still there: %+v", e)
			}
		}
	})
	t.Run("a state that cannot be read is not nothing", func(t *testing.T) {
		h.want(0, "onboard", "-f", file, "--prune", "--yes=acme")
		h.want(0, "audit", "--all")
		breakState(t, h, "acme.cluster")
		r := h.want(1, "audit", "--all")
		if !strings.Contains(r.stdout, "could not read acme cluster") || strings.Contains(r.stdout, "nothing is shared") {
			t.Errorf("it says:\n%s", r.stdout)
		}
	})
}

// allow adds a statement to a document of something in the sandbox.
func (h home) allow(org, typ, item, property string, statement map[string]any) {
	h.t.Helper()
	it := decode[event.SandboxItem](h.t, h.want(0, "sandbox", "show", org, typ, item, "-o", "json"))
	text, _ := it.Properties[property].(string)
	var doc map[string]any
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		h.t.Fatalf("%s of %s: %v", property, item, err)
	}
	statements, _ := doc["Statement"].([]any)
	doc["Statement"] = append(statements, statement)
	raw, err := json.Marshal(doc)
	if err != nil {
		h.t.Fatal(err)
	}
	quoted, err := json.Marshal(string(raw))
	if err != nil {
		h.t.Fatal(err)
	}
	h.want(0, "sandbox", "edit", org, typ, item, property+"="+string(quoted))
}

// breakState cuts a stored state off in its middle.
func breakState(t *testing.T, h home, stack string) {
	t.Helper()
	file := filepath.Join(h.dir, "sandbox", "state", ".pulumi", "stacks", "freehold", stack+".json")
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(file, info.Size()/2); err != nil {
		t.Fatal(err)
	}
}
