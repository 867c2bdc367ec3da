package lifecycle

import (
	"cmp"
	"strings"

	"freehold.dev/freehold/internal/awstype"
)

// condition says when a provider is done with a resource, by what it does to it.
// An empty text is that of every other type.
type condition struct{ made, changed, gone string }

// conditions has the types whose providers wait longer than for one answer, as
// the providers' own waiters have it:
// https://github.com/hashicorp/terraform-provider-aws (internal/service/*/wait.go)
// https://github.com/pulumi/pulumi-kubernetes (provider/pkg/await)
var conditions = map[string]condition{
	awstype.OrganizationsAccount: {
		made: "Organizations reports its creation SUCCEEDED (organizations:DescribeCreateAccountStatus)",
	},
	awstype.EKSCluster: {
		made:    "EKS reports the cluster ACTIVE; a new one takes about ten minutes",
		changed: "EKS reports the cluster's update Successful; one of the version takes up to an hour",
		gone:    "EKS has no such cluster any more",
	},
	awstype.EKSNodeGroup: {
		made:    "EKS reports the node group ACTIVE: its nodes have joined the cluster",
		changed: "EKS reports the node group's update Successful; one of the version replaces every node, within their pods' disruption budgets",
		gone:    "EKS has no such node group any more; it drains the nodes first",
	},
	awstype.EKSAddon: {
		made:    "EKS reports the add-on ACTIVE; CoreDNS and the EBS driver need a node for that",
		changed: "EKS reports the add-on's update Successful",
		gone:    "EKS has no such add-on any more",
	},
	awstype.EKSIdentityProviderConfig: {
		made: "EKS reports the identity provider ACTIVE",
		gone: "EKS has no such identity provider any more",
	},
	awstype.EC2NATGateway: {
		made: "EC2 reports the gateway available",
		gone: "EC2 reports the gateway deleted",
	},
	awstype.EC2Endpoint: {
		made:    "EC2 reports the endpoint available",
		changed: "EC2 reports the endpoint available",
		gone:    "EC2 has no such endpoint any more; its interfaces go first",
	},
	awstype.EC2Subnet: {
		made: "EC2 reports the subnet available",
		gone: "EC2 lets it go: no interface may be left in it",
	},
	awstype.EC2VPC: {
		made: "EC2 reports the VPC available",
		gone: "EC2 lets it go: nothing may be left in it",
	},
	awstype.EC2SecurityGroup: {
		gone: "EC2 lets it go: no interface and no other group may use it",
	},
	awstype.EC2InternetGateway: {
		gone: "EC2 lets it go: no address may be mapped in its VPC",
	},
	awstype.KMSKey: {
		made:    "KMS shows the key Enabled, with its policy and tags",
		changed: "KMS shows the key with its new policy and tags",
	},
	awstype.IAMRole: {
		made: "IAM shows the role, and everybody whom its trust policy names",
	},

	"kubernetes:apps/v1:Deployment": {
		made:    "the Deployment's ReplicaSet is rolled out and its pods are available",
		changed: "the Deployment's new ReplicaSet is rolled out and its pods are available",
		gone:    "its ReplicaSets and pods are gone",
	},
	"kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition": {
		made: "the API server reports the definition Established",
		gone: "the last object of the kind is gone",
	},
	"kubernetes:core/v1:Namespace": {
		gone: "everything in the namespace is gone, and its finalizers are removed",
	},
	projectToken: {
		gone: "the namespace controller has removed its finalizer",
	},
}

// until says when a step of the engine's on a resource is over. It has an answer
// for every type and operation.
func until(typ, op string) string {
	c, others := conditions[typ], condition{}
	what := "the provider"
	if service, _, ok := strings.Cut(strings.TrimPrefix(typ, "aws:"), "/"); ok && strings.HasPrefix(typ, "aws:") {
		what = "AWS " + service
		others = condition{what + " has made it", what + " has changed it", what + " has deleted it; what uses it goes first"}
	} else if strings.HasPrefix(typ, "kubernetes:") {
		others = condition{"the API server has it", "the API server has changed it", "the API server has removed it; each of its finalizers has to be removed first"}
	} else {
		others = condition{what + " has made it", what + " has changed it", what + " has removed it"}
	}
	switch {
	case strings.HasPrefix(op, "create"), strings.HasPrefix(op, "import"):
		return cmp.Or(c.made, others.made)
	case strings.HasPrefix(op, "delete"), strings.HasPrefix(op, "discard"):
		return cmp.Or(c.gone, others.gone)
	case op == "refresh", op == "read", op == "same":
		return what + " has answered what it is now"
	default:
		return cmp.Or(c.changed, others.changed)
	}
}
