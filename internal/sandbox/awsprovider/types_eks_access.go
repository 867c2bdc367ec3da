package awsprovider

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/eks"

	"freehold.dev/freehold/internal/iam"
	"freehold.dev/freehold/internal/sandbox/store"
)

// accessPolicies are those that AWS offers.
// https://docs.aws.amazon.com/eks/latest/userguide/access-policy-permissions.html
var accessPolicies = []string{
	"AmazonEKSAdminPolicy", "AmazonEKSAdminViewPolicy", "AmazonEKSAutoNodePolicy", "AmazonEKSBlockStorageClusterPolicy",
	"AmazonEKSBlockStoragePolicy", "AmazonEKSClusterAdminPolicy", "AmazonEKSClusterInsightsPolicy", "AmazonEKSComputeClusterPolicy",
	"AmazonEKSComputePolicy", "AmazonEKSEditPolicy", "AmazonEKSHybridPolicy", "AmazonEKSLoadBalancingClusterPolicy",
	"AmazonEKSLoadBalancingPolicy", "AmazonEKSNetworkingClusterPolicy", "AmazonEKSNetworkingPolicy", "AmazonEKSSecretReaderPolicy", "AmazonEKSViewPolicy",
}

const accessPolicyPrefix = "arn:aws:eks::aws:cluster-access-policy/"

var eksAccessTypes = []*Type{
	{
		Token:    accessEntryToken,
		Source:   "https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateAccessEntry.html",
		Args:     eks.AccessEntryArgs{},
		State:    eks.AccessEntry{},
		Noun:     "EKS Access Entry",
		Service:  "eks",
		API:      API{Create: "CreateAccessEntry", Read: "DescribeAccessEntry", Update: "UpdateAccessEntry", Delete: "DeleteAccessEntry", Updates: map[string]string{"tags": "TagResource"}},
		ID:       "{clusterName}:{principalArn}",
		ARN:      "arn:aws:eks:{region}:{account}:access-entry/{clusterName}/{principalArn|principal}/{uuid}",
		Tags:     true,
		Defaults: map[string]any{"type": "STANDARD"},
		Outputs:  map[string]string{"accessEntryArn": "{arn}", "createdAt": "{now}", "modifiedAt": "{now}"},
		Computed: []string{"kubernetesGroups"},
		Fields: map[string][]Rule{
			"clusterName":         clusterName,
			"principalArn":        {isARN("iam")},
			"type":                {oneOf("STANDARD", "FARGATE_LINUX", "EC2_LINUX", "EC2_WINDOWS", "EC2", "HYBRID_LINUX")},
			"kubernetesGroups[*]": {length(1, 63)},
		},
		Unique: []Unique{{Scope: PerRegion, Key: "access-entry/{clusterName}/{principalArn}",
			Error: "ResourceInUseException: The specified access entry resource is already in use on this cluster."}},
		Refs: []Ref{clusterRef, {Path: "principalArn", To: []string{roleToken, "aws:iam/user:User"}, By: []string{"arn"}, AnyAccount: true,
			Error: "InvalidParameterException: The specified principalArn is invalid: invalid principal."}},
		Replace: []string{"clusterName", "principalArn", "type"},
		Owns:    []Link{{Type: accessPolicyToken, Path: "__entry", Value: "{id}", ByCloud: true}},
		Check:   checkAccessEntry,
		Created: entryOutputs,
		Updated: entryOutputs,
	},
	{
		Token:   accessPolicyToken,
		Source:  "https://docs.aws.amazon.com/eks/latest/APIReference/API_AssociateAccessPolicy.html",
		Args:    eks.AccessPolicyAssociationArgs{},
		State:   eks.AccessPolicyAssociation{},
		Noun:    "EKS Access Policy Association",
		Service: "eks",
		API:     API{Create: "AssociateAccessPolicy", Read: "ListAssociatedAccessPolicies", Delete: "DisassociateAccessPolicy"},
		ID:      "{clusterName}#{principalArn}#{policyArn}",
		Outputs: map[string]string{"associatedAt": "{now}", "modifiedAt": "{now}", "__entry": "{clusterName}:{principalArn}"},
		Fields: map[string][]Rule{
			"clusterName":      clusterName,
			"principalArn":     {isARN("iam")},
			"policyArn":        {match(regexp.MustCompile(`^arn:aws[a-z-]*:eks::aws:cluster-access-policy/.+$`))},
			"accessScope.type": {oneOf("cluster", "namespace")},
		},
		// The API only sets what is associated; an association that is there stays one.
		Upsert: true,
		Refs: []Ref{
			clusterRef,
			{Path: "policyArn", Error: "InvalidParameterException: The policyArn {value} is not a valid access policy",
				Known: func(v string) bool { return slices.Contains(accessPolicies, strings.TrimPrefix(v, accessPolicyPrefix)) }},
		},
		Replace: []string{"*"},
		Check:   checkAccessPolicy,
	},
	{
		Token:   podIdentityToken,
		Source:  "https://docs.aws.amazon.com/eks/latest/APIReference/API_CreatePodIdentityAssociation.html",
		Args:    eks.PodIdentityAssociationArgs{},
		State:   eks.PodIdentityAssociation{},
		Noun:    "EKS Pod Identity Association",
		Service: "eks",
		API:     API{Create: "CreatePodIdentityAssociation", Read: "DescribePodIdentityAssociation", Update: "UpdatePodIdentityAssociation", Delete: "DeletePodIdentityAssociation", Updates: map[string]string{"tags": "TagResource"}},
		ID:      "a-{hex:17}",
		ARN:     "arn:aws:eks:{region}:{account}:podidentityassociation/{clusterName}/{id}",
		Import:  "{clusterName},{id}",
		Tags:    true,
		Outputs: map[string]string{"associationId": "{id}", "associationArn": "{arn}"},
		Fields: map[string][]Rule{
			"namespace":      {length(1, 63), match(regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`))},
			"serviceAccount": {length(1, 253)},
			"roleArn":        {isARN("iam")},
		},
		Unique: []Unique{{Scope: PerRegion, Key: "pod-identity/{clusterName}/{namespace}/{serviceAccount}",
			Error: "ResourceInUseException: Association already exists for service account {serviceAccount} in namespace {namespace}"}},
		Refs:    []Ref{clusterRef},
		Replace: []string{"clusterName", "namespace", "serviceAccount"},
		Check: func(c *Call) error {
			return c.mustTrust(c.String("roleArn"), "pods.eks.amazonaws.com",
				errf("InvalidParameterException", "Trust policy of role %s provided in the request is invalid or the role does not exist", c.String("roleArn")))
		},
	},
}

// usesEntries reports whether a cluster lets principals in by access entries.
func usesEntries(cluster *store.Row) bool {
	mode := text(mapAt(cluster.Outputs, "accessConfig")["authenticationMode"])
	return mode == "API" || mode == "API_AND_CONFIG_MAP"
}

func (c *Call) mustUseEntries() error {
	cluster, err := c.Find(clusterToken, "id", c.String("clusterName"))
	if err != nil || cluster == nil || usesEntries(cluster) {
		return err
	}
	return errf("InvalidRequestException", "The cluster's authentication mode must be set to one of [API, API_AND_CONFIG_MAP] to perform this operation.")
}

// checkAccessEntry refuses groups and names that are Kubernetes's own.
func checkAccessEntry(c *Call) error {
	if err := c.mustUseEntries(); err != nil {
		return err
	}
	groups, name, kind := listAt(c.In, "kubernetesGroups"), text(c.In["userName"]), text(c.Out["type"])
	if kind != "STANDARD" && (len(groups) > 0 || name != "") {
		return errf("InvalidParameterException", "The username and kubernetesGroups can't be specified for an access entry of type %s.", kind)
	}
	for _, reserved := range []string{"system:", "eks:", "aws:", "amazon:", "iam:"} {
		for _, group := range groups {
			if strings.HasPrefix(text(group), reserved) {
				return errf("InvalidParameterException", "The kubernetes group name %s is invalid, it cannot start with %s", text(group), reserved)
			}
		}
		if strings.HasPrefix(name, reserved) {
			return errf("InvalidParameterException", "The username %s is invalid, it cannot start with %s", name, reserved)
		}
	}
	return nil
}

// entryOutputs fills in the name and groups that EKS gives.
func entryOutputs(c *Call) error {
	if c.Out["kubernetesGroups"] == nil {
		c.Out["kubernetesGroups"] = []any{}
	}
	node := c.String("type") == "EC2_LINUX" || c.String("type") == "EC2"
	switch {
	case node:
		c.Out["userName"], c.Out["kubernetesGroups"] = "system:node:{{EC2PrivateDNSName}}", []any{"system:nodes"}
	case text(c.In["userName"]) == "":
		c.Out["userName"] = userName(c.String("principalArn"))
	}
	if c.Verb == Updating {
		c.Out["modifiedAt"] = c.Env.Now().UTC().Format(time.RFC3339)
	}
	return nil
}

// userName is the name by which Kubernetes knows a principal: a role's sessions
// have one each.
func userName(principal string) string {
	arn, err := iam.ParseARN(principal)
	if err != nil || arn.Role() == "" {
		return principal
	}
	return "arn:aws:sts::" + arn.Account + ":assumed-role/" + arn.Role() + "/{{SessionName}}"
}

func checkAccessPolicy(c *Call) error {
	if err := c.mustUseEntries(); err != nil {
		return err
	}
	entry, err := c.Find(accessEntryToken, "id", c.String("clusterName")+":"+c.String("principalArn"))
	if err != nil {
		return err
	}
	if entry == nil {
		return errf("ResourceNotFoundException", "The specified principalArn could not be found. You can view your available access entries with 'list-access-entries'.")
	}
	if kind := text(entry.Outputs["type"]); kind != "STANDARD" && kind != "EC2" {
		return errf("InvalidRequestException", "Access policies can't be associated with an access entry of type %s", kind)
	}
	namespaces := listAt(mapAt(c.In, "accessScope"), "namespaces")
	switch scope := c.String("accessScope.type"); {
	case scope == "namespace" && len(namespaces) == 0:
		return errf("InvalidParameterException", "The namespaces parameter is required for an access scope of type namespace")
	case scope == "cluster" && len(namespaces) > 0:
		return errf("InvalidParameterException", "The namespaces parameter can't be specified for an access scope of type cluster")
	}
	return nil
}

// creatorAccess makes whoever creates a cluster its administrator, as EKS does
// unless it is asked not to.
func (c *Call) creatorAccess() error {
	cluster := store.Row{Outputs: c.Out}
	creator, err := c.callerPrincipal()
	if err != nil || creator == "" || !usesEntries(&cluster) || mapAt(c.Out, "accessConfig")["bootstrapClusterCreatorAdminPermissions"] != true {
		return err
	}
	if err := c.putEntry(c.String("name"), creator, "STANDARD"); err != nil {
		return err
	}
	now, policy := c.Env.Now().UTC().Format(time.RFC3339), accessPolicyPrefix+"AmazonEKSClusterAdminPolicy"
	return c.Put(store.Row{Type: accessPolicyToken, ID: c.String("name") + "#" + creator + "#" + policy, ByCloud: true, Outputs: map[string]any{
		"clusterName": c.String("name"), "principalArn": creator, "policyArn": policy, "accessScope": map[string]any{"type": "cluster"},
		"associatedAt": now, "modifiedAt": now, "__entry": c.String("name") + ":" + creator,
	}})
}

// putEntry makes an access entry that EKS itself makes.
func (c *Call) putEntry(cluster, principal, kind string) error {
	uuid, err := c.Fresh("uuid")
	if err != nil {
		return err
	}
	entry := c.other(byToken[accessEntryToken], store.Row{Account: c.Account, Region: c.Region, ID: cluster + ":" + principal,
		Inputs: map[string]any{}, Outputs: map[string]any{"clusterName": cluster, "principalArn": principal, "type": kind}})
	if err := entryOutputs(entry); err != nil {
		return err
	}
	now := c.Env.Now().UTC().Format(time.RFC3339)
	arn := entry.Expand("arn:aws:eks:{region}:{account}:access-entry/{clusterName}/{principalArn|principal}/" + uuid)
	entry.Out["accessEntryArn"], entry.Out["createdAt"], entry.Out["modifiedAt"] = arn, now, now
	return c.Put(store.Row{Type: accessEntryToken, ID: entry.ID, ARN: arn, ByCloud: true, Outputs: entry.Out})
}

// callerPrincipal is the IAM principal behind the caller: a session stands for its role.
func (c *Call) callerPrincipal() (string, error) {
	arn, err := iam.ParseARN(c.Caller)
	if err != nil {
		return "", err
	}
	name, _ := arn.AssumedRole()
	if name == "" {
		return c.Caller, nil
	}
	role, err := c.Find(roleToken, "name", name)
	if err != nil || role == nil {
		return "", err
	}
	return role.ARN, nil
}

// principalPath turns "arn:aws:iam::1:role/path/x" into "role/1/x".
func principalPath(principal string) string {
	arn, err := iam.ParseARN(principal)
	if err != nil {
		return principal
	}
	kind, name, _ := strings.Cut(arn.Resource, "/")
	return kind + "/" + arn.Account + "/" + name[strings.LastIndexByte(name, '/')+1:]
}
