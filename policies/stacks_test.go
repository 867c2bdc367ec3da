package policies

import (
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

// stackScope is what Freehold knows of the org of the golden files in a layer.
func stackScope(layer string) Scope {
	const role = "arn:aws:iam::210987654321:role/"
	return Scope{
		Org: "acme", Layer: layer, Region: "eu-central-1", AccountID: "210987654321",
		ManagementAccountID: "100000000001",
		ProvisionerARN:      "arn:aws:iam::100000000001:role/freehold-provisioner",
		BoundaryARN:         "arn:aws:iam::210987654321:policy/freehold-acme-boundary",
		AccessRoleARN:       role + "OrganizationAccountAccessRole",
		ClusterRoles: []string{
			role + "freehold-acme-provision", role + "freehold-acme-read", role + "freehold-acme-bootstrap",
			role + "freehold-acme-offboard", role + "freehold-acme-node",
		},
		Registry:         "210987654321.dkr.ecr.eu-central-1.amazonaws.com",
		Owned:            []string{"https://0123456789ABCDEF0123456789ABCDEF.gr7.eu-central-1.eks.amazonaws.com"},
		IdentityProvider: IdentityProvider{IssuerURL: "https://login.example.com/acme", ClientID: "kubernetes"},
	}
}

// golden reads the inventory of one of our own stacks, as the stacks' tests
// record it, with what a remote component makes of it added.
func golden(t testing.TB, file string) []Resource {
	t.Helper()
	text, err := os.ReadFile("../stacks/testdata/" + file + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var lines []struct {
		Type, Name, Provider string
		Inputs               map[string]any
	}
	if err := json.Unmarshal(text, &lines); err != nil {
		t.Fatal(err)
	}
	var stack []Resource
	for _, l := range lines {
		inputs, _ := closed(l.Inputs).(map[string]any)
		stack = append(stack, made(l.Type, l.Name, inputs))
		stack[len(stack)-1].Provider.Package = l.Provider
	}
	for _, r := range stack {
		stack = append(stack, componentsChildren(r)...)
	}
	providers := map[string]Resource{}
	for _, r := range stack {
		if pkg, ok := strings.CutPrefix(r.Type, "pulumi:providers:"); ok && pkg != "eks" {
			providers[r.Name] = r
		}
	}
	for i, r := range stack {
		if p, ok := providers[r.Provider.Package]; ok {
			stack[i].Provider = Provider{Package: strings.TrimPrefix(p.Type, "pulumi:providers:"), Properties: p.Properties}
		}
	}
	return stack
}

// closed undoes what golden files do to JSON in a text: {"(json)": …}.
func closed(v any) any {
	switch v := v.(type) {
	case map[string]any:
		if in, ok := v["(json)"]; ok {
			text, _ := json.Marshal(in)
			return string(text)
		}
		out := map[string]any{}
		for k, e := range v {
			out[k] = closed(e)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = closed(e)
		}
		return out
	default:
		return v
	}
}

// made is a resource under the id that the stacks' tests give it.
func made(typ, name string, inputs map[string]any) Resource {
	r := Resource{
		URN: "urn:pulumi:acme.test::freehold::" + typ + "::" + name, Type: typ, Name: name, ID: name + "-id", Properties: inputs,
		Component: strings.HasPrefix(typ, "freehold:") || strings.HasPrefix(typ, "eks:"),
	}
	switch typ {
	case "aws:ec2/vpc:Vpc":
		r.ID = "vpc-" + name
	case "aws:ec2/subnet:Subnet":
		r.ID = "subnet-" + name
	case "aws:ec2/eip:Eip":
		r.ID = "eipalloc-" + name
	case "aws:s3/bucketV2:BucketV2":
		r.ID, _ = inputs["bucket"].(string)
	case "aws:organizations/account:Account":
		r.ID = "210987654321"
	}
	if r.Component {
		r.ID = ""
	}
	return r
}

// componentsChildren is what the eks package's components make, as recorded from
// the genuine ones: the tests of the stacks run no component of a plugin.
func componentsChildren(r Resource) []Resource {
	in := r.Properties
	var children []Resource
	add := func(typ, name string, inputs map[string]any) {
		child := made(typ, name, inputs)
		child.Provider.Package = "org"
		children = append(children, child)
	}
	switch r.Type {
	case "eks:index:Cluster":
		add("aws:eks/cluster:Cluster", r.Name+"-eksCluster", map[string]any{
			"name": in["name"], "version": in["version"], "tags": in["tags"], "enabledClusterLogTypes": in["enabledClusterLogTypes"],
			"roleArn":          "arn:aws:iam::210987654321:role/freehold-acme-cluster",
			"accessConfig":     map[string]any{"authenticationMode": in["authenticationMode"], "bootstrapClusterCreatorAdminPermissions": true},
			"encryptionConfig": map[string]any{"provider": map[string]any{"keyArn": in["encryptionConfigKeyArn"]}, "resources": []any{"secrets"}},
			"vpcConfig": map[string]any{
				"subnetIds": in["privateSubnetIds"], "endpointPrivateAccess": in["endpointPrivateAccess"], "endpointPublicAccess": in["endpointPublicAccess"],
			},
		})
		cni := in["vpcCniOptions"].(map[string]any)
		values := maps.Clone(cni["configurationValues"].(map[string]any))
		values["enableNetworkPolicy"] = "true"
		text, _ := json.Marshal(values)
		add("aws:eks/addon:Addon", r.Name+"-vpc-cni", map[string]any{
			"addonName": "vpc-cni", "addonVersion": cni["addonVersion"], "clusterName": in["name"], "tags": in["tags"],
			"configurationValues": string(text), "preserve": true,
		})
		add("aws:eks/addon:Addon", r.Name+"-kube-proxy", map[string]any{"addonName": "kube-proxy", "clusterName": in["name"], "tags": in["tags"], "preserve": true})
		for name, entry := range in["accessEntries"].(map[string]any) {
			entry := entry.(map[string]any)
			add("aws:eks/accessEntry:AccessEntry", r.Name+"-"+name, map[string]any{
				"clusterName": in["name"], "principalArn": entry["principalArn"], "kubernetesGroups": entry["kubernetesGroups"], "tags": entry["tags"],
			})
			policy := entry["accessPolicies"].(map[string]any)["cluster"].(map[string]any)
			add("aws:eks/accessPolicyAssociation:AccessPolicyAssociation", r.Name+"-"+name+"-cluster", map[string]any{
				"clusterName": in["name"], "principalArn": entry["principalArn"], "policyArn": policy["policyArn"], "accessScope": policy["accessScope"],
			})
		}
	case "eks:index:ManagedNodeGroup":
		inputs := maps.Clone(in)
		delete(inputs, "cluster")
		add("aws:eks/nodeGroup:NodeGroup", r.Name, inputs)
	}
	return children
}

// verdictsOn is one rule's verdict on each resource that it looks at.
func verdictsOn(r Rule, stack []Resource, s Scope) map[string]Verdict {
	if r.CheckStack != nil {
		return r.CheckStack(stack, s)
	}
	verdicts := map[string]Verdict{}
	for _, res := range stack {
		if r.Covers(res.Type) {
			verdicts[res.URN] = r.Check(res, s)
		}
	}
	return verdicts
}

// ourStacks are the golden files, and the layer that each is of.
var ourStacks = map[string]string{
	"account": "account", "account-existing": "account", "boundary": "boundary", "cluster": "cluster", "bootstrap": "bootstrap",
	"bootstrap-source": "bootstrap",
}

func TestEveryResourceOfOurOwnStacksPassesEveryRule(t *testing.T) {
	for file, layer := range ourStacks {
		t.Run(file, func(t *testing.T) {
			stack := golden(t, file)
			for _, rule := range All() {
				for urn, v := range verdictsOn(rule, stack, stackScope(layer)) {
					if v.Answer != Pass {
						t.Errorf("%s %q: %s: %s %v", rule.ID, rule.Title, urn, v.Answer, v.Findings)
					}
				}
			}
		})
	}
}

// Before the first run nothing has an id, and whatever is made of one is not
// known: rules may be undecided, and must not stop the run.
func TestNoRuleStopsOurOwnStacksBeforeAnythingIsMade(t *testing.T) {
	for file, layer := range ourStacks {
		t.Run(file, func(t *testing.T) {
			stack := golden(t, file)
			ids := map[string]bool{}
			for _, r := range stack {
				if r.ID != "" && r.Properties["bucket"] != r.ID {
					ids[r.ID] = true
				}
			}
			for i, r := range stack {
				stack[i].ID = ""
				stack[i].Properties, _ = forgotten(r.Properties, ids).(map[string]any)
			}
			for _, rule := range All() {
				for urn, v := range verdictsOn(rule, stack, stackScope(layer)) {
					if v.Answer == Violated {
						t.Errorf("%s %q: %s: %v", rule.ID, rule.Title, urn, v.Findings)
					}
				}
			}
		})
	}
}

// forgotten returns a value with each of these texts unknown.
func forgotten(v any, ids map[string]bool) any {
	switch v := v.(type) {
	case string:
		if ids[v] {
			return Unknown{}
		}
		return v
	case map[string]any:
		out := map[string]any{}
		for k, e := range v {
			out[k] = forgotten(e, ids)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = forgotten(e, ids)
		}
		return out
	default:
		return v
	}
}

// BenchmarkRules asks every rule about what each layer makes, as a plan does.
// What a policy document says is remembered between rounds; the rounds of
// BenchmarkAudit, in cmd/freehold, are each of other customers.
func BenchmarkRules(b *testing.B) {
	rules := All()
	for _, layer := range []string{"account", "boundary", "cluster", "bootstrap"} {
		stack, scope := golden(b, layer), stackScope(layer)
		b.Run(layer, func(b *testing.B) {
			asked, rounds := 0, 0
			for b.Loop() {
				rounds++
				for _, rule := range rules {
					for _, r := range stack {
						if rule.Check != nil && rule.Covers(r.Type) {
							asked++
							rule.Check(r, scope)
						}
					}
					if rule.CheckStack != nil {
						rule.CheckStack(stack, scope)
					}
				}
			}
			each := float64(len(stack) * rounds)
			b.ReportMetric(float64(b.Elapsed().Microseconds())/each, "µs/resource")
			b.ReportMetric(float64(asked)/each, "rules/resource")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// Each edit is one that a colleague could make in a component of ours; the rule
// that is named must stop it, whatever the others say.
func TestAnEditOfOurOwnStacksIsStopped(t *testing.T) {
	for name, tt := range map[string]struct {
		file, typ, name string
		edit            func(in map[string]any)
		rule            string
	}{
		"nodes in the public subnets": {"cluster", "aws:eks/nodeGroup:NodeGroup", "cluster-pool-default", func(in map[string]any) {
			in["subnetIds"] = []any{"subnet-network-private-eu-central-1a", "subnet-network-public-eu-central-1b"}
		}, "FH607"},
		"a route of a private subnet to the internet gateway": {"cluster", "aws:ec2/route:Route", "network-out-eu-central-1c", func(in map[string]any) {
			delete(in, "natGatewayId")
			in["gatewayId"] = "network-internet-id"
		}, "FH607"},
		"a private subnet in the public table": {"cluster", "aws:ec2/routeTableAssociation:RouteTableAssociation", "network-private-eu-central-1a", func(in map[string]any) {
			in["routeTableId"] = "network-public-eu-central-1a-id"
		}, "FH607"},
		"public addresses in a subnet": {"cluster", "aws:ec2/subnet:Subnet", "network-public-eu-central-1a", func(in map[string]any) {
			in["mapPublicIpOnLaunch"] = true
		}, "FH606"},
		"the endpoint for everybody": {"cluster", "aws:eks/cluster:Cluster", "cluster-eksCluster", func(in map[string]any) {
			in["vpcConfig"].(map[string]any)["endpointPublicAccess"] = true
		}, "FH604"},
		"two hops to a node's metadata": {"cluster", "aws:ec2/launchTemplate:LaunchTemplate", "cluster-pool-default", func(in map[string]any) {
			in["metadataOptions"].(map[string]any)["httpPutResponseHopLimit"] = 2.0
		}, "FH610"},
		"network policies that nobody enforces": {"cluster", "aws:eks/addon:Addon", "cluster-vpc-cni", func(in map[string]any) {
			in["configurationValues"] = `{"enableNetworkPolicy":"false"}`
		}, "FH804"},
		"flows that are not logged": {"cluster", "aws:ec2/flowLog:FlowLog", "network-flows", func(in map[string]any) {
			in["vpcId"] = "vpc-other"
		}, "FH710"},
		"a trail to a common bucket": {"boundary", "aws:cloudtrail/trail:Trail", "trail", func(in map[string]any) {
			in["s3BucketName"] = "company-trails"
		}, "FH414"},
		"a bucket that S3 encrypts": {"boundary", "aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2", "data-bucket", func(in map[string]any) {
			in["bucket"] = "freehold-acme-logs-210987654321"
		}, "FH702"},
		"the controller's image by tag": {"bootstrap", "kubernetes:apps/v1:Deployment", "bootstrap-namespace-controller", func(in map[string]any) {
			pod := in["spec"].(map[string]any)["template"].(map[string]any)["spec"].(map[string]any)
			pod["containers"].([]any)[0].(map[string]any)["image"] = "210987654321.dkr.ecr.eu-central-1.amazonaws.com/freehold-acme/namespace-controller:v1"
		}, "FH902"},
		"a controller that may escalate": {"bootstrap", "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole", "bootstrap-namespace-controller", func(in map[string]any) {
			in["rules"] = append(in["rules"].([]any), map[string]any{"apiGroups": []any{"rbac.authorization.k8s.io"}, "resources": []any{"clusterroles"}, "verbs": []any{"escalate"}})
		}, "FH904"},
		"no fence around the controller": {"bootstrap", "kubernetes:networking.k8s.io/v1:NetworkPolicy", "bootstrap-fence", func(in map[string]any) {
			in["spec"].(map[string]any)["policyTypes"] = []any{"Egress"}
		}, "FH907"},
	} {
		t.Run(name, func(t *testing.T) {
			stack := golden(t, tt.file)
			at := slices.IndexFunc(stack, func(r Resource) bool { return r.Type == tt.typ && r.Name == tt.name })
			if at < 0 {
				t.Fatalf("no %s named %s", tt.typ, tt.name)
			}
			tt.edit(stack[at].Properties)
			for _, rule := range All() {
				if rule.ID != tt.rule {
					continue
				}
				for _, v := range verdictsOn(rule, stack, stackScope(ourStacks[tt.file])) {
					if v.Answer == Violated {
						return
					}
				}
			}
			t.Errorf("%s does not stop it", tt.rule)
		})
	}
}

// What a resource beside it hides must not make a violation pass either.
func TestAnUnknownValueBesideNeverTurnsAViolationIntoAPass(t *testing.T) {
	for _, r := range All() {
		for _, e := range r.Bad {
			for i, other := range e.Others {
				for path, hidden := range hideEach(other.Properties) {
					h := e
					h.Others = slices.Clone(e.Others)
					h.Others[i].Properties = hidden.(map[string]any)
					if v := ask(r, h); v.Answer != Pass {
						continue
					}
					// Whatever hides it may be the violation instead.
					violated := verdictsOn(r, append(slices.Clone(h.Others), h.Resource), h.Scope)
					if !slices.ContainsFunc(slices.Collect(maps.Values(violated)), func(v Verdict) bool { return v.Answer != Pass }) {
						t.Errorf("%s: %s: with %s of %s unknown it passes", r.ID, e.Name, path, other.Name)
					}
				}
			}
		}
	}
}
