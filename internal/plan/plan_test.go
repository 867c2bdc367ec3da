package plan_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/spec"
)

var update = flag.Bool("update", false, "rewrite golden files")

func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

func TestThePlanOfEveryExampleIsTheGoldenOne(t *testing.T) {
	examples, err := filepath.Glob("../../docs/examples/*.yaml")
	if err != nil || len(examples) == 0 {
		t.Fatalf("examples: %v, %v", examples, err)
	}
	for _, path := range examples {
		name := strings.TrimSuffix(filepath.Base(path), ".yaml")
		t.Run(name, func(t *testing.T) {
			s, err := spec.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			p := plan.Build(s)
			asJSON, err := json.MarshalIndent(p, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			golden(t, filepath.Join("testdata", name+".json"), append(asJSON, '\n'))
			var text bytes.Buffer
			if err := plan.Text(&text, p); err != nil {
				t.Fatal(err)
			}
			golden(t, filepath.Join("testdata", name+".txt"), text.Bytes())
		})
	}
}

func parse(t *testing.T, document string) spec.Spec {
	t.Helper()
	s, err := spec.Parse("acme.yaml", strings.NewReader(document))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

const minimal = "org: acme\nregion: eu-central-1\naccount: {email: a@example.com}\n"

func TestStatedRangesAreKeptAndDerivedOnesGoAroundThem(t *testing.T) {
	for reason, c := range map[string]struct {
		network string
		want    []plan.Zone
	}{
		"none stated": {"{}", []plan.Zone{
			{Name: "eu-central-1a", PrivateCIDR: "10.0.0.0/19", PublicCIDR: "10.0.224.0/22"},
			{Name: "eu-central-1b", PrivateCIDR: "10.0.32.0/19", PublicCIDR: "10.0.228.0/22"},
			{Name: "eu-central-1c", PrivateCIDR: "10.0.64.0/19", PublicCIDR: "10.0.232.0/22"},
		}},
		"the smallest network": {"{cidr: 192.168.16.0/20}", []plan.Zone{
			{Name: "eu-central-1a", PrivateCIDR: "192.168.16.0/23", PublicCIDR: "192.168.30.0/26"},
			{Name: "eu-central-1b", PrivateCIDR: "192.168.18.0/23", PublicCIDR: "192.168.30.64/26"},
			{Name: "eu-central-1c", PrivateCIDR: "192.168.20.0/23", PublicCIDR: "192.168.30.128/26"},
		}},
		"no NAT, no public ranges": {"{nat: none}", []plan.Zone{
			{Name: "eu-central-1a", PrivateCIDR: "10.0.0.0/19"},
			{Name: "eu-central-1b", PrivateCIDR: "10.0.32.0/19"},
			{Name: "eu-central-1c", PrivateCIDR: "10.0.64.0/19"},
		}},
		"the second zone states the first range": {
			"{zones: [{name: eu-central-1a}, {name: eu-central-1b, privateCidr: 10.0.0.0/18, publicCidr: 10.0.225.0/24}]}",
			[]plan.Zone{
				{Name: "eu-central-1a", PrivateCIDR: "10.0.64.0/19", PublicCIDR: "10.0.228.0/22"},
				{Name: "eu-central-1b", PrivateCIDR: "10.0.0.0/18", PublicCIDR: "10.0.225.0/24"},
			},
		},
		"stated ranges leave only a small part of the last eighth": {
			"{zones: [{name: eu-central-1a, privateCidr: 10.0.0.0/17}, {name: eu-central-1b, privateCidr: 10.0.128.0/18, publicCidr: 10.0.224.0/19}]}",
			[]plan.Zone{
				{Name: "eu-central-1a", PrivateCIDR: "10.0.0.0/17", PublicCIDR: "10.0.192.0/22"},
				{Name: "eu-central-1b", PrivateCIDR: "10.0.128.0/18", PublicCIDR: "10.0.224.0/19"},
			},
		},
	} {
		t.Run(reason, func(t *testing.T) {
			got := plan.Build(parse(t, minimal+"network: "+c.network+"\n")).Cluster.Zones
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("zones (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAPoolsImageFollowsItsFamilyAndItsInstanceTypes(t *testing.T) {
	for types, want := range map[string][2]string{
		"m6i.large":          {"AL2023_x86_64_STANDARD", "BOTTLEROCKET_x86_64"},
		"m7i-flex.large":     {"AL2023_x86_64_STANDARD", "BOTTLEROCKET_x86_64"},
		"c6a.large":          {"AL2023_x86_64_STANDARD", "BOTTLEROCKET_x86_64"},
		"r5dn.large":         {"AL2023_x86_64_STANDARD", "BOTTLEROCKET_x86_64"},
		"a1.large":           {"AL2023_ARM_64_STANDARD", "BOTTLEROCKET_ARM_64"},
		"t4g.large":          {"AL2023_ARM_64_STANDARD", "BOTTLEROCKET_ARM_64"},
		"c7gn.large":         {"AL2023_ARM_64_STANDARD", "BOTTLEROCKET_ARM_64"},
		"x2gd.large":         {"AL2023_ARM_64_STANDARD", "BOTTLEROCKET_ARM_64"},
		"im4gn.large":        {"AL2023_ARM_64_STANDARD", "BOTTLEROCKET_ARM_64"},
		"is4gen.large":       {"AL2023_ARM_64_STANDARD", "BOTTLEROCKET_ARM_64"},
		"g6.xlarge":          {"AL2023_x86_64_NVIDIA", "BOTTLEROCKET_x86_64_NVIDIA"},
		"g4dn.xlarge":        {"AL2023_x86_64_NVIDIA", "BOTTLEROCKET_x86_64_NVIDIA"},
		"g4ad.xlarge":        {"AL2023_x86_64_STANDARD", "BOTTLEROCKET_x86_64"},
		"g5g.xlarge":         {"AL2023_ARM_64_NVIDIA", "BOTTLEROCKET_ARM_64_NVIDIA"},
		"p5.48xlarge":        {"AL2023_x86_64_NVIDIA", "BOTTLEROCKET_x86_64_NVIDIA"},
		"p6e-gb200.36xlarge": {"AL2023_ARM_64_NVIDIA", "BOTTLEROCKET_ARM_64_NVIDIA"},
		"trn1.2xlarge":       {"AL2023_x86_64_NEURON", "BOTTLEROCKET_x86_64"},
		"inf2.xlarge":        {"AL2023_x86_64_NEURON", "BOTTLEROCKET_x86_64"},
	} {
		pools := "cluster: {nodePools: [{name: a, instanceTypes: [" + types + "]}, {name: b, amiFamily: Bottlerocket, instanceTypes: [" + types + "]}]}\n"
		p := plan.Build(parse(t, minimal+pools)).Cluster.NodePools
		if got := [2]string{p[0].AMIType, p[1].AMIType}; got != want {
			t.Errorf("%s: got %v, want %v", types, got, want)
		}
	}
}

func TestANameThatFitsIsKeptAndALongerOneIsCutWithAHash(t *testing.T) {
	for _, c := range []struct {
		limit int
		parts []string
		want  string
	}{
		{64, []string{"freehold", "acme", "read"}, "freehold-acme-read"},
		{18, []string{"freehold", "acme", "read"}, "freehold-acme-read"},
		{17, []string{"freehold", "acme", "read"}, "freehold-34c29e87"},
		{18, []string{"freehold-", "acme", "read"}, "freehold-2fbabd24"}, // no hyphen twice
	} {
		got := plan.Fit(c.limit, c.parts...)
		if got != c.want {
			t.Errorf("Fit(%d, %q) is %q, want %q", c.limit, c.parts, got, c.want)
		}
	}
}

func TestABucketsNameIsCompleteWithTheAccount(t *testing.T) {
	p := plan.Build(parse(t, strings.Replace(minimal, "acme", strings.Repeat("a", 40), 1)))
	got := plan.BucketName(p.Boundary.LogBucket, "123456789012")
	if len(got) != 63 || !strings.HasPrefix(got, "freehold-aaaa") || !strings.HasSuffix(got, "-123456789012") {
		t.Errorf("the longest org's log bucket is %q, %d long", got, len(got))
	}
	p = plan.Build(parse(t, minimal))
	if got, want := plan.BucketName(p.Boundary.LogBucket, "123456789012"), "freehold-acme-logs-123456789012"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestTheHashIsOfWhatReachesTheCloud(t *testing.T) {
	hash := func(add string) string { return plan.Build(parse(t, minimal+add)).Hash }
	if hash("") != hash("network: {cidr: 10.0.0.0/16}\n") {
		t.Error("a default that is written out changes the hash")
	}
	for reason, add := range map[string]string{
		"protection": "deletionProtection: false\n",
		"a tag":      "tags: {team: a}\n",
		"a project":  "projects: [{name: web}]\n",
		"a version":  "versions: {coreDns: v9.9.9-eksbuild.1}\n",
		"access":     "access: {people: {issuerUrl: 'https://login.example.com', roles: [{role: viewer, groups: [a]}]}}\n",
		"an issuer":  "cluster: {identityProvider: {issuerUrl: 'https://login.example.com', clientId: k8s}}\n",
	} {
		if hash("") == hash(add) {
			t.Errorf("%s does not change the hash", reason)
		}
	}
}

func TestAPlanSharesNothingWithItsSpec(t *testing.T) {
	s := parse(t, minimal+"tags: {team: a}\ncluster:\n  endpoint: {access: public, allow: [203.0.113.0/24]}\n"+
		"  identityProvider: {issuerUrl: 'https://login.example.com', clientId: k8s, requiredClaims: {hd: a}}\n")
	before := plan.Build(s)
	changed := plan.Build(s)
	changed.Account.Tags["team"] = "b"
	changed.Cluster.AllowCIDRs[0] = "changed"
	changed.Cluster.IdentityProvider.RequiredClaims["hd"] = "changed"
	changed.Cluster.NodePools[0].InstanceTypes[0] = "changed"
	if diff := cmp.Diff(before, plan.Build(s)); diff != "" {
		t.Errorf("a change of a plan reached the next one:\n%s", diff)
	}
}

func TestEveryServiceAccountsRoleHasANameOfItsOwn(t *testing.T) {
	const policies = "podIdentity: {policies: ['arn:aws:iam::aws:policy/ReadOnlyAccess']}"
	long := strings.Repeat("x", 40)
	p := plan.Build(parse(t, minimal+`projects:
- name: a
  serviceAccounts: [{name: b-c, `+policies+`}, {name: none}]
- name: a-b
  serviceAccounts: [{name: c, `+policies+`}]
- name: `+long+`
  serviceAccounts: [{name: `+long+`1, `+policies+`}, {name: `+long+`2, `+policies+`}]
`))
	names := map[string]string{}
	for _, r := range p.Cluster.ProjectRoles {
		if first, again := names[r.Role]; again || len(r.Role) > 64 || !strings.HasPrefix(r.Role, "freehold-acme-pod-") {
			t.Errorf("the role of %s is %s (%d characters), that of %q too", r.Account(), r.Role, len(r.Role), first)
		}
		names[r.Role] = r.Account()
	}
	if len(names) != 4 || names["freehold-acme-pod-a.b-c"] != "a/b-c" || names["freehold-acme-pod-a-b.c"] != "a-b/c" {
		t.Errorf("roles: %v", names)
	}
	without := p.WithProjects(p.Bootstrap.Projects[:1])
	if len(without.Cluster.ProjectRoles) != 1 || without.Hash == p.Hash {
		t.Errorf("without the other projects there are the roles %+v, and the hash differs: %t", without.Cluster.ProjectRoles, without.Hash != p.Hash)
	}
}
