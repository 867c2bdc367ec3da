package clusters

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"freehold.dev/freehold/policies/example"
	"freehold.dev/freehold/policies/manifest"
	"freehold.dev/freehold/policies/rule"
)

// rules are the rules about the EKS cluster itself.
var rules = []rule.Rule{
	authenticationMode, accessEntries, otherIdentities, networkPolicies, networkPolicyAddon,
	deletionProtection, supportedVersion, nodeGroups,
}

var authenticationMode = rule.Rule{
	ID:       "FH801",
	Title:    "Who may enter the cluster is decided by EKS's API alone",
	Why:      "with CONFIG_MAP, everybody who may edit one object of the cluster can make themselves its administrator, and no entry shows it",
	Fix:      "set accessConfig.authenticationMode to API",
	Severity: rule.Critical,
	Criteria: []string{"CC6.1", "CC6.3"},
	Types:    []string{rule.TypeCluster},
	Check: rule.On(func(j *rule.Judge, r rule.Resource, _ rule.Scope) {
		mode := r.Values().Get("accessConfig", "authenticationMode")
		j.Must(mode, []string{"API"}, "the mode is %s", cmp.Or(mode.Text(), "CONFIG_MAP, which is EKS's default"))
	}),
	Good: []rule.Example{
		example.Shows("the API alone", rule.TypeCluster, object{"accessConfig": object{"authenticationMode": "API"}}),
		example.Shows("the API alone, in a list of blocks", rule.TypeCluster, object{"accessConfig": list{object{"authenticationMode": "API"}}}),
	},
	Bad: []rule.Example{
		example.Shows("nothing said", rule.TypeCluster, object{"name": "acme"}),
		example.Shows("both, for a while", rule.TypeCluster, object{"accessConfig": object{"authenticationMode": "API_AND_CONFIG_MAP"}}),
	},
}

var accessTypes = []string{"aws:eks/accessEntry:AccessEntry", "aws:eks/accessPolicyAssociation:AccessPolicyAssociation"}

var accessEntries = rule.Rule{
	ID:       "FH802",
	Title:    "Access entries are for the known roles only",
	Why:      "an entry is a key to every project and secret of the cluster; a role of another account may have one",
	Fix:      "let people in by projects' members, and Freehold by its phase roles",
	Severity: rule.Critical,
	Criteria: []string{"CC6.1", "CC6.2", "CC6.3"},
	Types:    append(slices.Clone(accessTypes), "pulumi:providers:aws"),
	Check: rule.On(func(j *rule.Judge, r rule.Resource, s rule.Scope) {
		who := r.Values().Get("principalArn")
		if r.Type == "pulumi:providers:aws" {
			// EKS makes whoever creates a cluster its administrator.
			if s.Layer != "cluster" {
				return
			}
			who = r.Values().Get("assumeRole", "roleArn")
			if many := r.Values().Get("assumeRoles"); many.Raw != nil {
				who = many.Get("roleArn")
			}
		}
		switch {
		case !j.Known(who):
		case len(s.ClusterRoles) == 0:
			j.Undecided(who.Path)
		case !slices.Contains(s.ClusterRoles, who.Text()):
			j.Violate(who.Path, "%s is not among the roles that may enter the cluster", cmp.Or(who.Text(), "whoever has the credentials"))
		}
	}),
	Good: []rule.Example{
		example.Shows("the bootstrap role", accessTypes[0], object{"principalArn": "arn:aws:iam::210987654321:role/freehold-acme-bootstrap"}),
		example.Shows("the creator", "pulumi:providers:aws", object{"assumeRole": `{"roleArn":"arn:aws:iam::210987654321:role/freehold-acme-provision"}`}),
		example.Shows("its rights", accessTypes[1], object{
			"principalArn": "arn:aws:iam::210987654321:role/freehold-acme-bootstrap", "policyArn": "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy",
		}),
	},
	Bad: []rule.Example{
		example.Shows("a role of the support team, in another account", accessTypes[0], object{"principalArn": "arn:aws:iam::444455556666:role/support"}),
		example.Shows("a role of the account that nobody knows", accessTypes[0], object{"principalArn": "arn:aws:iam::210987654321:role/debug"}),
		example.Shows("the account's root", accessTypes[0], object{"principalArn": "arn:aws:iam::210987654321:root"}),
		example.Shows("a creator who is nobody of these", "pulumi:providers:aws", object{"assumeRole": object{"roleArn": "arn:aws:iam::210987654321:role/OrganizationAccountAccessRole"}}),
		example.Shows("rights for an entry made by hand", accessTypes[1], object{"principalArn": "arn:aws:iam::210987654321:user/ada"}),
	},
}

const typeIdentityProvider = "aws:eks/identityProviderConfig:IdentityProviderConfig"

// ownPrefixes begin the names of whom Kubernetes, EKS, IAM and Freehold let in,
// up to the colon.
var ownPrefixes = []string{"system", "eks", "aws", "amazon", "iam", "arn", "kubernetes", "freehold"}

// checkIssuerOfPeople wants the one issuer that the org's spec names, and names
// that can be nobody else's: a prefix ends where the claim begins, so that "s"
// and "ystem:masters" make no administrator.
func checkIssuerOfPeople(j *rule.Judge, oidc rule.Value, declared rule.IdentityProvider) {
	for key, want := range map[string]string{"issuerUrl": declared.IssuerURL, "clientId": declared.ClientID} {
		if v := oidc.Get(key); j.Known(v) && (want == "" || !v.Is(want)) {
			j.Violate(v.Path, "%s does not belong to the identity provider that the org's spec names", cmp.Or(v.Text(), "nothing"))
		}
	}
	prefixes := []string{"usernamePrefix"}
	if claim := oidc.Get("groupsClaim"); claim.Raw != nil && claim.Raw != "" {
		prefixes = append(prefixes, "groupsPrefix")
	}
	for _, key := range prefixes {
		v := oidc.Get(key)
		if !j.Known(v) {
			continue
		}
		text := strings.ToLower(v.Text())
		first, _, _ := strings.Cut(text, ":")
		if !strings.HasSuffix(text, ":") && !strings.HasSuffix(text, "#") && !strings.HasSuffix(text, "/") ||
			strings.Contains(text, "system:") || slices.Contains(ownPrefixes, first) {
			j.Violate(v.Path, "behind the prefix %q a token can name somebody who is not the provider's", v.Text())
		}
	}
}

// people is an example of an identity provider of acme's, which its spec names.
func people(name string, change object) rule.Example {
	oidc := object{
		"issuerUrl": "https://login.example.com/acme", "clientId": "kubernetes", "identityProviderConfigName": "freehold-acme",
		"usernameClaim": "sub", "usernamePrefix": "acme:", "groupsClaim": "groups", "groupsPrefix": "acme:",
	}
	for key, v := range change {
		if oidc[key] = v; v == nil {
			delete(oidc, key)
		}
	}
	e := example.Shows(name, typeIdentityProvider, object{"oidc": oidc})
	e.Scope.IdentityProvider = rule.IdentityProvider{IssuerURL: "https://login.example.com/acme", ClientID: "kubernetes"}
	return e
}

var otherIdentities = rule.Rule{
	ID:       "FH803",
	Title:    "The cluster believes the identity provider of the org's spec, under prefixes, and no other issuer or map of users",
	Why:      "who holds the issuer's key, or may edit the map, is whoever they say they are; behind a prefix they are nobody of Kubernetes, AWS or Freehold",
	Fix:      "take it out, and let people in by cluster.identityProvider of the spec, and roles by access entries",
	Severity: rule.Critical,
	Criteria: []string{"CC6.1", "CC6.2"},
	Types:    []string{typeIdentityProvider, "kubernetes:core/v1:ConfigMap*"},
	Check: rule.On(func(j *rule.Judge, r rule.Resource, s rule.Scope) {
		if r.Type == typeIdentityProvider {
			checkIssuerOfPeople(j, r.Values().Get("oidc"), s.IdentityProvider)
			return
		}
		for _, o := range manifest.ObjectsOf(r) {
			name, namespace := o.Get("metadata", "name"), o.Get("metadata", "namespace")
			if j.Known(name) && name.Is("aws-auth") && j.Known(namespace) && namespace.Is("kube-system") {
				j.Violate(name.Path, "aws-auth lets whoever it lists into the cluster")
			}
		}
	}),
	Good: []rule.Example{
		example.Shows("another map", "kubernetes:core/v1:ConfigMap", object{"metadata": object{"name": "app", "namespace": "shop"}}),
		people("the provider of the spec", nil),
		people("the provider of the spec, without groups", object{"groupsClaim": nil, "groupsPrefix": nil}),
		example.Shows("a map of that name where nobody reads it", "kubernetes:core/v1:ConfigMap", object{"metadata": object{"name": "aws-auth", "namespace": "shop"}}),
	},
	Bad: []rule.Example{
		example.Shows("the company's issuer, which the spec does not know", typeIdentityProvider, object{"oidc": object{
			"issuerUrl": "https://login.example.com", "clientId": "kubernetes", "usernamePrefix": "oidc:",
		}}),
		people("another tenant of the same login", object{"issuerUrl": "https://login.example.com/globex"}),
		people("tokens that are meant for another application", object{"clientId": "wiki"}),
		people("users under the names of their e-mail, without a prefix", object{"usernamePrefix": nil, "usernameClaim": "email"}),
		people("users under the names that they choose", object{"usernamePrefix": "-"}),
		people("groups under their own names", object{"groupsPrefix": nil}),
		people("groups that may be called as Kubernetes' own", object{"groupsPrefix": "system:"}),
		people("groups of which one may be the administrators", object{"groupsPrefix": "freehold:"}),
		people("groups that a letter completes", object{"groupsPrefix": "s"}),
		example.Shows("the map of users", "kubernetes:core/v1:ConfigMap", object{"metadata": object{"name": "aws-auth", "namespace": "kube-system"}}),
		example.Shows("one more line of the map", "kubernetes:core/v1:ConfigMapPatch", object{"metadata": object{"name": "aws-auth", "namespace": "kube-system"}}),
	},
}

const typeAddon = "aws:eks/addon:Addon"

// The VPC CNI enforces network policies only when it is told to.
// https://docs.aws.amazon.com/eks/latest/userguide/cni-network-policy-configure.html
var networkPolicies = rule.Rule{
	ID:       "FH804",
	Title:    "The cluster's network enforces network policies",
	Why:      "Kubernetes accepts policies that nobody enforces, and every project's fence is one",
	Fix:      "set enableNetworkPolicy to \"true\" in the configurationValues of vpc-cni, as JSON",
	Severity: rule.Critical,
	Criteria: []string{"CC6.6"},
	Types:    []string{typeAddon},
	Check: rule.On(func(j *rule.Judge, r rule.Resource, _ rule.Scope) {
		name, text := r.Values().Get("addonName"), r.Values().Get("configurationValues")
		if !j.Known(name) || !name.Is("vpc-cni") || !j.Known(text) {
			return
		}
		var config struct {
			EnableNetworkPolicy any `json:"enableNetworkPolicy"`
			NodeAgent           struct {
				Enabled any `json:"enabled"`
			} `json:"nodeAgent"`
		}
		if err := json.Unmarshal([]byte(cmp.Or(text.Text(), "{}")), &config); err != nil {
			j.Violate(text.Path, "it cannot be read as JSON: %v", err)
			return
		}
		if on := (rule.Value{Raw: config.EnableNetworkPolicy}); !on.Is("true") {
			j.Violate(text.Path, "enableNetworkPolicy is not on")
		}
		if agent := (rule.Value{Raw: config.NodeAgent.Enabled}); agent.Is("false") {
			j.Violate(text.Path, "the agent that enforces policies on nodes is off")
		}
	}),
	Good: []rule.Example{
		example.Shows("on", typeAddon, object{"addonName": "vpc-cni", "configurationValues": `{"enableNetworkPolicy":"true","env":{"NETWORK_POLICY_ENFORCING_MODE":"standard"}}`}),
		example.Shows("an add-on that has nothing to do with it", typeAddon, object{"addonName": "coredns"}),
	},
	Bad: []rule.Example{
		example.Shows("nothing said", typeAddon, object{"addonName": "vpc-cni"}),
		example.Shows("off", typeAddon, object{"addonName": "vpc-cni", "configurationValues": `{"enableNetworkPolicy":"false"}`}),
		example.Shows("on, for an agent that is off", typeAddon, object{"addonName": "vpc-cni", "configurationValues": `{"enableNetworkPolicy":"true","nodeAgent":{"enabled":false}}`}),
		example.Shows("an environment variable of that name", typeAddon, object{"addonName": "vpc-cni", "configurationValues": `{"env":{"enableNetworkPolicy":"true"}}`}),
	},
}

var networkPolicyAddon = rule.Rule{
	ID:       "FH805",
	Title:    "The cluster's network is an add-on whose configuration is known",
	Why:      "without one, EKS installs a network of its own that enforces no policies",
	Fix:      "make the vpc-cni add-on beside the cluster",
	Severity: rule.Critical,
	Criteria: []string{"CC6.6"},
	Types:    []string{rule.TypeCluster},
	CheckStack: rule.OnStack([]string{rule.TypeCluster}, func(j *rule.Judge, r rule.Resource, stack []rule.Resource, _ rule.Scope) {
		unknown := false
		for _, addon := range stack {
			name := addon.Values().Get("addonName")
			if addon.Type != typeAddon || !name.Unknown() && !name.Is("vpc-cni") {
				continue
			}
			yes, known := addon.Values().Get("clusterName").IsOf(r, "name")
			if yes && !name.Unknown() {
				return
			}
			unknown = unknown || !known || name.Unknown()
		}
		if unknown {
			j.Undecided("")
			return
		}
		j.Violate("", "no vpc-cni add-on of this stack is the cluster's")
	}),
	Good: []rule.Example{
		example.Shows("a cluster with its add-on", rule.TypeCluster, object{"name": "freehold-acme"}, example.Beside(typeAddon, "cni", object{"addonName": "vpc-cni", "clusterName": "freehold-acme"})),
		example.Shows("a cluster with more add-ons", rule.TypeCluster, object{"name": "freehold-acme"},
			example.Beside(typeAddon, "dns", object{"addonName": "coredns", "clusterName": "freehold-acme"}), example.Beside(typeAddon, "cni", object{"addonName": "vpc-cni", "clusterName": "freehold-acme"})),
	},
	Bad: []rule.Example{
		example.Shows("a cluster without", rule.TypeCluster, object{"name": "freehold-acme"}, example.Beside(typeAddon, "dns", object{"addonName": "coredns", "clusterName": "freehold-acme"})),
		example.Shows("an add-on of some other cluster", rule.TypeCluster, object{"name": "freehold-acme"}, example.Beside(typeAddon, "cni", object{"addonName": "vpc-cni", "clusterName": "other"})),
	},
}

// The provider has no property for it, so Freehold switches protection on by
// EKS's API beside the cluster. Where a newer provider, or a cluster that was
// read back, does tell, it must not be off.
// https://docs.aws.amazon.com/eks/latest/userguide/deletion-protection.html
var deletionProtection = rule.Rule{
	ID:       "FH806",
	Title:    "The cluster's deletion protection is not switched off",
	Why:      "one call deletes every project of the customer",
	Fix:      "leave deletionProtection out, or set it to true; offboarding clears it by EKS's API",
	Severity: rule.Medium,
	Criteria: []string{"CC6.1", "A1.2"},
	Types:    []string{rule.TypeCluster},
	Check: rule.On(func(j *rule.Judge, r rule.Resource, _ rule.Scope) {
		j.MustNot(r.Values().Get("deletionProtection"), []string{"false"}, "deletion protection is off")
	}),
	Good: []rule.Example{
		example.Shows("nothing said, because the provider has no word for it", rule.TypeCluster, object{"name": "acme"}),
		example.Shows("on", rule.TypeCluster, object{"deletionProtection": true}),
	},
	Bad: []rule.Example{
		example.Shows("off", rule.TypeCluster, object{"deletionProtection": false}),
		example.Shows("off, as text", rule.TypeCluster, object{"deletionProtection": "false"}),
	},
}

// oldestMinor is the oldest minor version of Kubernetes 1 that Freehold runs.
// When AWS's support of it ends, it is raised here and in the spec's releases.
// https://docs.aws.amazon.com/eks/latest/userguide/kubernetes-versions.html
const oldestMinor = 33

var supportedVersion = rule.Rule{
	ID:       "FH807",
	Title:    "The cluster and its nodes run a named, supported version",
	Why:      "holes in an old version are not closed, and a version that nobody named changes by itself",
	Fix:      "name a version that the spec offers",
	Severity: rule.Medium,
	Criteria: []string{"CC7.1"},
	Types:    []string{rule.TypeCluster, "aws:eks/nodeGroup:NodeGroup"},
	Check: rule.On(func(j *rule.Judge, r rule.Resource, _ rule.Scope) {
		v := r.Values().Get("version")
		if !j.Known(v) || v.Raw == nil && r.Type != rule.TypeCluster {
			return // nodes without a version have their cluster's
		}
		major, minor, _ := strings.Cut(v.Text(), ".")
		switch n, err := strconv.Atoi(minor); {
		case v.Text() == "":
			j.Violate(v.Path, "no version is named")
		case major != "1" || err != nil:
			j.Violate(v.Path, "%q is not a minor version of Kubernetes", v.Text())
		case n < oldestMinor:
			j.Violate(v.Path, "%s is older than 1.%d, the oldest that is supported", v.Text(), oldestMinor)
		}
	}),
	Good: []rule.Example{
		example.Shows("a supported version", rule.TypeCluster, object{"version": "1.35"}),
		example.Shows("nodes of the cluster's version", "aws:eks/nodeGroup:NodeGroup", object{"clusterName": "acme"}),
	},
	Bad: []rule.Example{
		example.Shows("nothing said", rule.TypeCluster, object{"name": "acme"}),
		example.Shows("an old version", rule.TypeCluster, object{"version": "1.29"}),
		example.Shows("old nodes of a newer cluster", "aws:eks/nodeGroup:NodeGroup", object{"version": "1.31"}),
		example.Shows("a word", rule.TypeCluster, object{"version": "latest"}),
	},
}

// A group without a template of ours gets one of EKS's: disks with AWS's key, and
// metadata two hops far. Auto Mode makes nodes with no template at all.
// https://docs.aws.amazon.com/eks/latest/userguide/launch-templates.html
var nodeGroups = rule.Rule{
	ID:       "FH808",
	Title:    "Nodes are started from a template that the rules have read, and nobody logs in to them",
	Why:      "what EKS chooses for a node leaves its credentials to pods and its disk to AWS's key; who is on a node is in every pod of it",
	Fix:      "give each node group a launchTemplate of this stack, and no remoteAccess",
	Severity: rule.High,
	Criteria: []string{"CC6.1", "CC6.3"},
	Types:    []string{"aws:eks/nodeGroup:NodeGroup", rule.TypeCluster},
	Check: rule.On(func(j *rule.Judge, r rule.Resource, _ rule.Scope) {
		in := r.Values()
		if r.Type == rule.TypeCluster {
			j.MustNot(in.Get("computeConfig", "enabled"), []string{"true"}, "Auto Mode's nodes have no template that could be read")
			return
		}
		if template := in.Get("launchTemplate"); j.Known(template) && template.Raw == nil {
			j.Violate(template.Path, "the group has no template, so EKS chooses its disks and metadata")
		}
		if access := in.Get("remoteAccess"); j.Known(access) && access.Raw != nil {
			j.Violate(access.Path, "nodes can be logged in to")
		}
	}),
	Good: []rule.Example{
		example.Shows("a template", "aws:eks/nodeGroup:NodeGroup", object{"launchTemplate": object{"id": rule.Unknown{}, "version": "1"}}),
		example.Shows("a cluster without Auto Mode", rule.TypeCluster, object{"computeConfig": object{"enabled": false}}),
	},
	Bad: []rule.Example{
		example.Shows("what EKS chooses", "aws:eks/nodeGroup:NodeGroup", object{"diskSize": 50.0}),
		example.Shows("a way in by SSH", "aws:eks/nodeGroup:NodeGroup", object{"launchTemplate": object{"id": "lt-1"}, "remoteAccess": object{"ec2SshKey": "ops", "sourceSecurityGroupIds": list{"sg-1"}}}),
		example.Shows("Auto Mode", rule.TypeCluster, object{"computeConfig": object{"enabled": true}}),
	},
}
