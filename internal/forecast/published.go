package forecast

import "time"

// Prior is what others have published of runs like a layer's.
type Prior struct {
	Layer string
	Kind  Kind
	// Least and Most are the shortest and the longest of what was reported.
	Least, Most time.Duration
	// By says who reported it, in words that "report" follows.
	By string
	// Only says for which of the kind's runs it holds; empty: for all. A prior of
	// some runs is said, and nothing is counted with it.
	Only string
	// Sources are the pages and issue threads that the numbers are from.
	Sources []string
}

// published is everything that is known before the first run. A layer that is
// not in it takes seconds to a few minutes, and nobody has published numbers.
var published = []Prior{
	{
		// The account is usable some time after its creation has succeeded, which
		// is what the layer waits for.
		Layer: "account", Kind: First, Least: time.Minute, Most: 10 * time.Minute, By: "AWS users",
		Sources: []string{
			"https://github.com/dfds/infrastructure-modules/pull/51",           // 60 s until it is usable
			"https://github.com/hashicorp/terraform-provider-aws/issues/15654", // all of it works after 7 minutes
			"https://github.com/hashicorp/terraform-provider-aws/pull/41059",   // more than 5 minutes, at most 10
			"https://github.com/openshift/aws-account-operator/pull/56",        // given up after 10 minutes
		},
	},
	{
		// Control plane, node groups and network.
		Layer: "cluster", Kind: First, Least: 10 * time.Minute, Most: 21 * time.Minute, By: "AWS and Pulumi users",
		Sources: []string{
			"https://pulumi.com/registry/packages/aws/how-to-guides/aws-cs-eks/",                        // 10 to 15 minutes
			"https://github.com/aws/containers-roadmap/issues/1227",                                     // 14 minutes; 21 minutes with a node
			"https://easontechtalk.com/unofficial-eks-cluster-creation-performance-across-aws-regions/", // 13 to 16 minutes by region
			"https://github.com/eksctl-io/eksctl/issues/3313",                                           // up to 15 minutes
		},
	},
	{
		Layer: "cluster", Kind: Change, Least: 21 * time.Minute, Most: time.Hour, By: "EKS users", Only: "a new Kubernetes version",
		Sources: []string{
			"https://github.com/terraform-aws-modules/terraform-aws-eks/issues/326", // 21m38s
			"https://github.com/eksctl-io/eksctl/issues/2150",                       // more than 25 minutes
			"https://github.com/aws/containers-roadmap/issues/1227",                 // more than 45 minutes
			"https://github.com/eksctl-io/eksctl/issues/3309",                       // 30 minutes, once an hour
		},
	},
	{
		// A node group goes before its cluster, and takes the longest.
		Layer: "cluster", Kind: Removal, Least: 10 * time.Minute, Most: 15 * time.Minute, By: "EKS users",
		Sources: []string{
			"https://github.com/gruntwork-io/cloud-nuke/issues/339",                           // more than 10 minutes for 4 nodes
			"https://docs.aws.amazon.com/eks/latest/userguide/delete-managed-node-group.html", // a node is drained for up to 15 minutes
		},
	},
}

// Published is what others have published of runs of a layer and a kind.
func Published(layer string, kind Kind) (Prior, bool) {
	for _, p := range published {
		if p.Layer == layer && p.Kind == kind {
			return p, true
		}
	}
	return Prior{}, false
}

// String is "AWS users report 1m to 10m".
func (p Prior) String() string {
	text := p.By + " report " + between(p.Least, p.Most)
	if p.Only != "" {
		text += " for " + p.Only
	}
	return text
}
