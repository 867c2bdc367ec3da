package policies

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// clusters are the rules about the EKS cluster itself.
var clusters = []Rule{
	authenticationMode, accessEntries, otherIdentities, networkPolicies, networkPolicyAddon,
	deletionProtection, supportedVersion, nodeGroups,
}

var authenticationMode = Rule{
	ID:       "FH801",
	Title:    "Who may enter the cluster is decided by EKS's API alone",
	Why:      "with CONFIG_MAP, everybody who may edit one object of the cluster can make themselves its administrator, and no entry shows it",
	Fix:      "set accessConfig.authenticationMode to API",
	Severity: Critical,
	Criteria: []string{"CC6.1", "CC6.3"},
	Types:    []string{typeCluster},
	Check: on(func(j *judge, r Resource, _ Scope) {
		mode := r.values().get("accessConfig", "authenticationMode")
		j.must(mode, []string{"API"}, "the mode is %s", orDefault(mode.text(), "CONFIG_MAP, which is EKS's default"))
	}),
	Good: []Example{
		shows("the API alone", typeCluster, object{"accessConfig": object{"authenticationMode": "API"}}),
		shows("the API alone, in a list of blocks", typeCluster, object{"accessConfig": list{object{"authenticationMode": "API"}}}),
	},
	Bad: []Example{
		shows("nothing said", typeCluster, object{"name": "acme"}),
		shows("both, for a while", typeCluster, object{"accessConfig": object{"authenticationMode": "API_AND_CONFIG_MAP"}}),
	},
}

func orDefault(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

var accessTypes = []string{"aws:eks/accessEntry:AccessEntry", "aws:eks/accessPolicyAssociation:AccessPolicyAssociation"}

var accessEntries = Rule{
	ID:       "FH802",
	Title:    "Access entries are for the known roles only",
	Why:      "an entry is a key to every project and secret of the cluster; a role of another account may have one",
	Fix:      "let people in by projects' members, and Freehold by its phase roles",
	Severity: Critical,
	Criteria: []string{"CC6.1", "CC6.2", "CC6.3"},
	Types:    append(slices.Clone(accessTypes), "pulumi:providers:aws"),
	Check: on(func(j *judge, r Resource, s Scope) {
		who := r.values().get("principalArn")
		if r.Type == "pulumi:providers:aws" {
			// EKS makes whoever creates a cluster its administrator.
			if s.Layer != "cluster" {
				return
			}
			who = r.values().get("assumeRole", "roleArn")
			if many := r.values().get("assumeRoles"); many.v != nil {
				who = many.get("roleArn")
			}
		}
		switch {
		case !j.known(who):
		case len(s.ClusterRoles) == 0:
			j.undecided(who.path)
		case !slices.Contains(s.ClusterRoles, who.text()):
			j.violate(who.path, "%s is not among the roles that may enter the cluster", orDefault(who.text(), "whoever has the credentials"))
		}
	}),
	Good: []Example{
		shows("the bootstrap role", accessTypes[0], object{"principalArn": "arn:aws:iam::210987654321:role/freehold-acme-bootstrap"}),
		shows("the creator", "pulumi:providers:aws", object{"assumeRole": `{"roleArn":"arn:aws:iam::210987654321:role/freehold-acme-provision"}`}),
		shows("its rights", accessTypes[1], object{
			"principalArn": "arn:aws:iam::210987654321:role/freehold-acme-bootstrap", "policyArn": "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy",
		}),
	},
	Bad: []Example{
		shows("a role of the support team, in another account", accessTypes[0], object{"principalArn": "arn:aws:iam::444455556666:role/support"}),
		shows("a role of the account that nobody knows", accessTypes[0], object{"principalArn": "arn:aws:iam::210987654321:role/debug"}),
		shows("the account's root", accessTypes[0], object{"principalArn": "arn:aws:iam::210987654321:root"}),
		shows("a creator who is nobody of these", "pulumi:providers:aws", object{"assumeRole": object{"roleArn": "arn:aws:iam::210987654321:role/OrganizationAccountAccessRole"}}),
		shows("rights for an entry made by hand", accessTypes[1], object{"principalArn": "arn:aws:iam::210987654321:user/ada"}),
	},
}

const typeIdentityProvider = "aws:eks/identityProviderConfig:IdentityProviderConfig"

// ownPrefixes begin the names of whom Kubernetes, EKS, IAM and Freehold let in,
// up to the colon.
var ownPrefixes = []string{"system", "eks", "aws", "amazon", "iam", "arn", "kubernetes", "freehold"}

// checkIssuerOfPeople wants the one issuer that the org's spec names, and names
// that can be nobody else's: a prefix ends where the claim begins, so that "s"
// and "ystem:masters" make no administrator.
func checkIssuerOfPeople(j *judge, oidc value, declared IdentityProvider) {
	for key, want := range map[string]string{"issuerUrl": declared.IssuerURL, "clientId": declared.ClientID} {
		if v := oidc.get(key); j.known(v) && (want == "" || !v.is(want)) {
			j.violate(v.path, "%s does not belong to the identity provider that the org's spec names", orDefault(v.text(), "nothing"))
		}
	}
	prefixes := []string{"usernamePrefix"}
	if claim := oidc.get("groupsClaim"); claim.v != nil && claim.v != "" {
		prefixes = append(prefixes, "groupsPrefix")
	}
	for _, key := range prefixes {
		v := oidc.get(key)
		if !j.known(v) {
			continue
		}
		text := strings.ToLower(v.text())
		first, _, _ := strings.Cut(text, ":")
		if !strings.HasSuffix(text, ":") && !strings.HasSuffix(text, "#") && !strings.HasSuffix(text, "/") ||
			strings.Contains(text, "system:") || slices.Contains(ownPrefixes, first) {
			j.violate(v.path, "behind the prefix %q a token can name somebody who is not the provider's", v.text())
		}
	}
}

// people is an example of an identity provider of acme's, which its spec names.
func people(name string, change object) Example {
	oidc := object{
		"issuerUrl": "https://login.example.com/acme", "clientId": "kubernetes", "identityProviderConfigName": "freehold-acme",
		"usernameClaim": "sub", "usernamePrefix": "acme:", "groupsClaim": "groups", "groupsPrefix": "acme:",
	}
	for key, v := range change {
		if oidc[key] = v; v == nil {
			delete(oidc, key)
		}
	}
	e := shows(name, typeIdentityProvider, object{"oidc": oidc})
	e.Scope.IdentityProvider = IdentityProvider{IssuerURL: "https://login.example.com/acme", ClientID: "kubernetes"}
	return e
}

var otherIdentities = Rule{
	ID:       "FH803",
	Title:    "The cluster believes the identity provider of the org's spec, under prefixes, and no other issuer or map of users",
	Why:      "who holds the issuer's key, or may edit the map, is whoever they say they are; behind a prefix they are nobody of Kubernetes, AWS or Freehold",
	Fix:      "take it out, and let people in by cluster.identityProvider of the spec, and roles by access entries",
	Severity: Critical,
	Criteria: []string{"CC6.1", "CC6.2"},
	Types:    []string{typeIdentityProvider, "kubernetes:core/v1:ConfigMap*"},
	Check: on(func(j *judge, r Resource, s Scope) {
		if r.Type == typeIdentityProvider {
			checkIssuerOfPeople(j, r.values().get("oidc"), s.IdentityProvider)
			return
		}
		for _, o := range objectsOf(r) {
			name, namespace := o.get("metadata", "name"), o.get("metadata", "namespace")
			if j.known(name) && name.is("aws-auth") && j.known(namespace) && namespace.is("kube-system") {
				j.violate(name.path, "aws-auth lets whoever it lists into the cluster")
			}
		}
	}),
	Good: []Example{
		shows("another map", "kubernetes:core/v1:ConfigMap", object{"metadata": object{"name": "app", "namespace": "shop"}}),
		people("the provider of the spec", nil),
		people("the provider of the spec, without groups", object{"groupsClaim": nil, "groupsPrefix": nil}),
		shows("a map of that name where nobody reads it", "kubernetes:core/v1:ConfigMap", object{"metadata": object{"name": "aws-auth", "namespace": "shop"}}),
	},
	Bad: []Example{
		shows("the company's issuer, which the spec does not know", typeIdentityProvider, object{"oidc": object{
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
		shows("the map of users", "kubernetes:core/v1:ConfigMap", object{"metadata": object{"name": "aws-auth", "namespace": "kube-system"}}),
		shows("one more line of the map", "kubernetes:core/v1:ConfigMapPatch", object{"metadata": object{"name": "aws-auth", "namespace": "kube-system"}}),
	},
}

const typeAddon = "aws:eks/addon:Addon"

// The VPC CNI enforces network policies only when it is told to.
// https://docs.aws.amazon.com/eks/latest/userguide/cni-network-policy-configure.html
var networkPolicies = Rule{
	ID:       "FH804",
	Title:    "The cluster's network enforces network policies",
	Why:      "Kubernetes accepts policies that nobody enforces, and every project's fence is one",
	Fix:      "set enableNetworkPolicy to \"true\" in the configurationValues of vpc-cni, as JSON",
	Severity: Critical,
	Criteria: []string{"CC6.6"},
	Types:    []string{typeAddon},
	Check: on(func(j *judge, r Resource, _ Scope) {
		name, text := r.values().get("addonName"), r.values().get("configurationValues")
		if !j.known(name) || !name.is("vpc-cni") || !j.known(text) {
			return
		}
		var config struct {
			EnableNetworkPolicy any `json:"enableNetworkPolicy"`
			NodeAgent           struct {
				Enabled any `json:"enabled"`
			} `json:"nodeAgent"`
		}
		if err := json.Unmarshal([]byte(orDefault(text.text(), "{}")), &config); err != nil {
			j.violate(text.path, "it cannot be read as JSON: %v", err)
			return
		}
		if on := (value{v: config.EnableNetworkPolicy}); !on.is("true") {
			j.violate(text.path, "enableNetworkPolicy is not on")
		}
		if agent := (value{v: config.NodeAgent.Enabled}); agent.is("false") {
			j.violate(text.path, "the agent that enforces policies on nodes is off")
		}
	}),
	Good: []Example{
		shows("on", typeAddon, object{"addonName": "vpc-cni", "configurationValues": `{"enableNetworkPolicy":"true","env":{"NETWORK_POLICY_ENFORCING_MODE":"standard"}}`}),
		shows("an add-on that has nothing to do with it", typeAddon, object{"addonName": "coredns"}),
	},
	Bad: []Example{
		shows("nothing said", typeAddon, object{"addonName": "vpc-cni"}),
		shows("off", typeAddon, object{"addonName": "vpc-cni", "configurationValues": `{"enableNetworkPolicy":"false"}`}),
		shows("on, for an agent that is off", typeAddon, object{"addonName": "vpc-cni", "configurationValues": `{"enableNetworkPolicy":"true","nodeAgent":{"enabled":false}}`}),
		shows("an environment variable of that name", typeAddon, object{"addonName": "vpc-cni", "configurationValues": `{"env":{"enableNetworkPolicy":"true"}}`}),
	},
}

var networkPolicyAddon = Rule{
	ID:       "FH805",
	Title:    "The cluster's network is an add-on whose configuration is known",
	Why:      "without one, EKS installs a network of its own that enforces no policies",
	Fix:      "make the vpc-cni add-on beside the cluster",
	Severity: Critical,
	Criteria: []string{"CC6.6"},
	Types:    []string{typeCluster},
	CheckStack: onStack([]string{typeCluster}, func(j *judge, r Resource, stack []Resource, _ Scope) {
		unknown := false
		for _, addon := range stack {
			name := addon.values().get("addonName")
			if addon.Type != typeAddon || !name.unknown() && !name.is("vpc-cni") {
				continue
			}
			yes, known := addon.values().get("clusterName").isOf(r, "name")
			if yes && !name.unknown() {
				return
			}
			unknown = unknown || !known || name.unknown()
		}
		if unknown {
			j.undecided("")
			return
		}
		j.violate("", "no vpc-cni add-on of this stack is the cluster's")
	}),
	Good: []Example{
		shows("a cluster with its add-on", typeCluster, object{"name": "freehold-acme"}, beside(typeAddon, "cni", object{"addonName": "vpc-cni", "clusterName": "freehold-acme"})),
		shows("a cluster with more add-ons", typeCluster, object{"name": "freehold-acme"},
			beside(typeAddon, "dns", object{"addonName": "coredns", "clusterName": "freehold-acme"}), beside(typeAddon, "cni", object{"addonName": "vpc-cni", "clusterName": "freehold-acme"})),
	},
	Bad: []Example{
		shows("a cluster without", typeCluster, object{"name": "freehold-acme"}, beside(typeAddon, "dns", object{"addonName": "coredns", "clusterName": "freehold-acme"})),
		shows("an add-on of some other cluster", typeCluster, object{"name": "freehold-acme"}, beside(typeAddon, "cni", object{"addonName": "vpc-cni", "clusterName": "other"})),
	},
}

// The provider has no property for it, so Freehold switches protection on by
// EKS's API beside the cluster. Where a newer provider, or a cluster that was
// read back, does tell, it must not be off.
// https://docs.aws.amazon.com/eks/latest/userguide/deletion-protection.html
var deletionProtection = Rule{
	ID:       "FH806",
	Title:    "The cluster's deletion protection is not switched off",
	Why:      "one call deletes every project of the customer",
	Fix:      "leave deletionProtection out, or set it to true; offboarding clears it by EKS's API",
	Severity: Medium,
	Criteria: []string{"CC6.1", "A1.2"},
	Types:    []string{typeCluster},
	Check: on(func(j *judge, r Resource, _ Scope) {
		j.mustNot(r.values().get("deletionProtection"), []string{"false"}, "deletion protection is off")
	}),
	Good: []Example{
		shows("nothing said, because the provider has no word for it", typeCluster, object{"name": "acme"}),
		shows("on", typeCluster, object{"deletionProtection": true}),
	},
	Bad: []Example{
		shows("off", typeCluster, object{"deletionProtection": false}),
		shows("off, as text", typeCluster, object{"deletionProtection": "false"}),
	},
}

// oldestMinor is the oldest minor version of Kubernetes 1 that Freehold runs.
// When AWS's support of it ends, it is raised here and in the spec's releases.
// https://docs.aws.amazon.com/eks/latest/userguide/kubernetes-versions.html
const oldestMinor = 33

var supportedVersion = Rule{
	ID:       "FH807",
	Title:    "The cluster and its nodes run a named, supported version",
	Why:      "holes in an old version are not closed, and a version that nobody named changes by itself",
	Fix:      "name a version that the spec offers",
	Severity: Medium,
	Criteria: []string{"CC7.1"},
	Types:    []string{typeCluster, "aws:eks/nodeGroup:NodeGroup"},
	Check: on(func(j *judge, r Resource, _ Scope) {
		v := r.values().get("version")
		if !j.known(v) || v.v == nil && r.Type != typeCluster {
			return // nodes without a version have their cluster's
		}
		major, minor, _ := strings.Cut(v.text(), ".")
		switch n, err := strconv.Atoi(minor); {
		case v.text() == "":
			j.violate(v.path, "no version is named")
		case major != "1" || err != nil:
			j.violate(v.path, "%q is not a minor version of Kubernetes", v.text())
		case n < oldestMinor:
			j.violate(v.path, "%s is older than 1.%d, the oldest that is supported", v.text(), oldestMinor)
		}
	}),
	Good: []Example{
		shows("a supported version", typeCluster, object{"version": "1.35"}),
		shows("nodes of the cluster's version", "aws:eks/nodeGroup:NodeGroup", object{"clusterName": "acme"}),
	},
	Bad: []Example{
		shows("nothing said", typeCluster, object{"name": "acme"}),
		shows("an old version", typeCluster, object{"version": "1.29"}),
		shows("old nodes of a newer cluster", "aws:eks/nodeGroup:NodeGroup", object{"version": "1.31"}),
		shows("a word", typeCluster, object{"version": "latest"}),
	},
}

// A group without a template of ours gets one of EKS's: disks with AWS's key, and
// metadata two hops far. Auto Mode makes nodes with no template at all.
// https://docs.aws.amazon.com/eks/latest/userguide/launch-templates.html
var nodeGroups = Rule{
	ID:       "FH808",
	Title:    "Nodes are started from a template that the rules have read, and nobody logs in to them",
	Why:      "what EKS chooses for a node leaves its credentials to pods and its disk to AWS's key; who is on a node is in every pod of it",
	Fix:      "give each node group a launchTemplate of this stack, and no remoteAccess",
	Severity: High,
	Criteria: []string{"CC6.1", "CC6.3"},
	Types:    []string{"aws:eks/nodeGroup:NodeGroup", typeCluster},
	Check: on(func(j *judge, r Resource, _ Scope) {
		in := r.values()
		if r.Type == typeCluster {
			j.mustNot(in.get("computeConfig", "enabled"), []string{"true"}, "Auto Mode's nodes have no template that could be read")
			return
		}
		if template := in.get("launchTemplate"); j.known(template) && template.v == nil {
			j.violate(template.path, "the group has no template, so EKS chooses its disks and metadata")
		}
		if access := in.get("remoteAccess"); j.known(access) && access.v != nil {
			j.violate(access.path, "nodes can be logged in to")
		}
	}),
	Good: []Example{
		shows("a template", "aws:eks/nodeGroup:NodeGroup", object{"launchTemplate": object{"id": Unknown{}, "version": "1"}}),
		shows("a cluster without Auto Mode", typeCluster, object{"computeConfig": object{"enabled": false}}),
	},
	Bad: []Example{
		shows("what EKS chooses", "aws:eks/nodeGroup:NodeGroup", object{"diskSize": 50.0}),
		shows("a way in by SSH", "aws:eks/nodeGroup:NodeGroup", object{"launchTemplate": object{"id": "lt-1"}, "remoteAccess": object{"ec2SshKey": "ops", "sourceSecurityGroupIds": list{"sg-1"}}}),
		shows("Auto Mode", typeCluster, object{"computeConfig": object{"enabled": true}}),
	},
}
