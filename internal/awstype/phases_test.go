package awstype_test

import (
	"slices"
	"strings"
	"testing"

	"freehold.dev/freehold/components/boundary"
	"freehold.dev/freehold/internal/awstype"
	"freehold.dev/freehold/internal/iam"
)

const (
	account = "210987654321"
	fence   = "arn:aws:iam::" + account + ":policy/freehold-acme-boundary"
)

func acme() boundary.Args {
	return boundary.Args{
		AccountID: account, Region: "eu-central-1", BoundaryName: "freehold-acme-boundary", RolePrefix: "freehold-acme-",
		DataKeyAlias: "alias/freehold-acme-data", LogKeyAlias: "alias/freehold-acme-logs",
	}
}

// somewhere are resources of each kind that the phases' policies name.
var somewhere = []string{
	"*",
	"arn:aws:iam::" + account + ":role/freehold-acme-node",
	"arn:aws:iam::" + account + ":role/aws-service-role/eks.amazonaws.com/AWSServiceRoleForAmazonEKS",
	"arn:aws:iam::" + account + ":instance-profile/eks-0123",
	"arn:aws:eks:eu-central-1:" + account + ":cluster/freehold-acme",
	"arn:aws:logs:eu-central-1:" + account + ":log-group:/aws/eks/freehold-acme/cluster",
	"arn:aws:kms:eu-central-1:" + account + ":key/0123",
	"arn:aws:route53:::hostedzone/Z0123",
	"arn:aws:ssm:eu-central-1::parameter/aws/service/eks/optimized-ami",
	"arn:aws:apigateway:eu-central-1::/restapis",
}

// anyhow are the condition keys of calls as the stacks make them.
var anyhow = map[string]string{
	"aws:RequestedRegion": "eu-central-1", "iam:PermissionsBoundary": fence, "iam:PassedToService": "eks.amazonaws.com",
	"iam:AWSServiceName": "eks.amazonaws.com", "iam:PolicyARN": "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy",
	"kms:GrantIsForAWSResource": "true", "kms:ResourceAliases": "alias/freehold-acme-data",
}

// allows reports whether a policy allows an action on some resource.
func allows(d iam.Document, action string) bool {
	said := slices.ContainsFunc(d.Statement, func(s iam.Statement) bool { return covered(s.Action, action) })
	return said && slices.ContainsFunc(somewhere, func(resource string) bool {
		return d.Evaluate(iam.Request{Action: action, Resource: resource, Context: anyhow}) == iam.Allowed
	})
}

// What a phase may do beyond what the rows say of its types, and why. A
// wildcard is a whole family.
var (
	readsWithWildcards = []difference{
		{"autoscaling:Describe*", "EKS and the provider look at a node group's Auto Scaling groups; it shows no data"},
		{"ec2:Describe*", "what the provider and EKS look at changes with their versions; it shows no data"},
		{"eks:Describe*", "what the provider looks at changes with its versions; it shows no data"},
		{"eks:List*", "what the provider looks at changes with its versions; it shows no data"},
		{"elasticloadbalancing:Describe*", "what holds a network is looked for before it is removed; it shows no data"},
	}
	besidesInProvision = append([]difference{
		{"iam:GetInstanceProfile", "a node group's role is looked up by the profile that EKS makes"},
		{"iam:GetPolicy", "what AWS's policies allow is no secret"},
		{"iam:GetPolicyVersion", "what AWS's policies allow is no secret"},
		{"iam:ListRoleTags", "GetRole shows the same tags"},
		{"kms:ListAliases", "keys are given by their aliases"},
		{"servicequotas:Get*", "room for the cluster and its network is asked before they are made"},
		{"servicequotas:List*", "room for the cluster and its network is asked before they are made"},
		{"ssm:GetParameter", "the node image's id, which AWS publishes"},
		{"ssm:GetParameters", "the node image's id, which AWS publishes"},
	}, readsWithWildcards...)
	besidesInRead = append([]difference{
		{"access-analyzer:Get*", "settings and findings, no data"},
		{"access-analyzer:List*", "settings and findings, no data"},
		{"cloudtrail:Describe*", "settings, no data"},
		{"cloudtrail:Get*", "settings, no data"},
		{"cloudtrail:List*", "settings, no data"},
		{"ecr:Describe*", "settings, no data"},
		{"iam:Get*", "who may do what: what an audit is about"},
		{"iam:List*", "who may do what: what an audit is about"},
		{"s3:GetBucket*", "settings of buckets, and no object"},
		{"servicequotas:Get*", "how much room is left"},
		{"servicequotas:List*", "how much room is left"},
	}, readsWithWildcards...)
	besidesInBootstrap = []difference{
		{"eks:AccessKubernetesApi", "the console's view of the cluster"},
		{"eks:DescribeCluster", "where the cluster's API is"},
	}
	besidesInOffboard = append([]difference{
		{"autoscaling:DeleteAutoScalingGroup", "controllers in the cluster scale machines of their own"},
		{"autoscaling:UpdateAutoScalingGroup", "a group is emptied before it goes"},
		{"ec2:DeleteTags", "whatever the provision role can take away, this role can"},
		{"ec2:DetachVolume", "a claim's volume may still be attached"},
		{"ec2:TerminateInstances", "machines that controllers started hold the network"},
		{"eks:UpdateClusterConfig", "deletion protection is lifted by an update"},
		{"elasticloadbalancing:DeleteListener", "a part of a load balancer that controllers made"},
		{"elasticloadbalancing:DeleteRule", "a part of a load balancer that controllers made"},
		{"elasticloadbalancing:DeregisterTargets", "a part of a load balancer that controllers made"},
		{"iam:DeleteInstanceProfile", "EKS may leave one behind, which holds a node group's role"},
		{"iam:GetInstanceProfile", "EKS may leave one behind, which holds a node group's role"},
		{"iam:List*", "which roles are left, and what holds them"},
		{"iam:RemoveRoleFromInstanceProfile", "EKS may leave one behind, which holds a node group's role"},
		{"kms:DescribeKey", "which key a volume has"},
		{"kms:ListAliases", "which key a volume has"},
		{"tag:GetResources", "what is left, by its tags"},
	}, readsWithWildcards...)
)

func TestThePhaseRolesMayDoWhatTheRowsSayAndNoMore(t *testing.T) {
	cluster := append(made(t, "cluster"), inOtherShapes...)
	tests := map[string]struct {
		policy  iam.Document
		needs   []string
		besides []difference
	}{
		"provision": {boundary.ProvisionPolicy(acme()), sum(cluster, makes, reads, removes), besidesInProvision},
		"read":      {boundary.ReadPolicy(), slices.Concat(sum(append(made(t, "boundary"), cluster...), reads), sum(everyType(), looks), awstype.SharingCalls()), besidesInRead},
		"bootstrap": {boundary.BootstrapPolicy(acme()), nil, besidesInBootstrap},
		"offboard":  {boundary.OffboardPolicy(acme()), slices.Concat(sum(cluster, reads, removes), sum(ofWorkloads(), looks, removes)), besidesInOffboard},
	}
	known := append(sum(everyType(), makes, reads, removes, looks), awstype.SharingCalls()...)
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			for _, action := range unique(tt.needs) {
				if !allows(tt.policy, action) {
					t.Errorf("a row needs %s, and the policy does not allow it", action)
				}
			}
			besides := actions(tt.besides)
			for _, action := range known {
				if allows(tt.policy, action) && !slices.Contains(tt.needs, action) && !covered(besides, action) {
					t.Errorf("the policy allows %s, which no row of its types needs", action)
				}
			}
			var said []string
			for _, s := range tt.policy.Statement {
				if s.Effect != iam.Allow {
					continue
				}
				said = append(said, s.Action...)
				for _, action := range s.Action {
					if !slices.Contains(tt.needs, action) && !slices.Contains(besides, action) {
						t.Errorf("%s allows %s, which no row of its types needs: remove it, or say here why it stays", s.Sid, action)
					}
				}
			}
			for _, action := range besides {
				switch {
				case !slices.Contains(said, action):
					t.Errorf("%s is said to stay, and the policy does not allow it", action)
				case slices.Contains(tt.needs, action):
					t.Errorf("%s has a reason to stay, and a row that needs it: remove the reason", action)
				}
			}
		})
	}
}

func makes(r awstype.Row) []string   { return r.Make }
func reads(r awstype.Row) []string   { return r.Read }
func removes(r awstype.Row) []string { return r.Delete }
func looks(r awstype.Row) []string   { return r.Look }

// sum are the actions of types' rows.
func sum(types []string, of ...func(awstype.Row) []string) []string {
	var all []string
	for _, typ := range types {
		r, _ := awstype.Of(typ)
		for _, f := range of {
			all = append(all, f(r)...)
		}
	}
	return unique(all)
}

func everyType() []string {
	var types []string
	for _, r := range awstype.All() {
		types = append(types, r.Token)
	}
	return types
}

func ofWorkloads() []string {
	return slices.DeleteFunc(everyType(), func(typ string) bool {
		r, _ := awstype.Of(typ)
		return !r.ByWorkload
	})
}

// covered reports whether one of the actions, or families of them, has an action.
func covered(all []string, action string) bool {
	return slices.ContainsFunc(all, func(a string) bool {
		prefix, family := strings.CutSuffix(a, "*")
		return a == action || family && strings.HasPrefix(action, prefix)
	})
}
