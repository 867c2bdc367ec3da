package aws

import (
	"slices"
	"strings"

	"freehold.dev/freehold/internal/cloud"
)

// workloadTypes are what the controllers in a cluster make: the EBS driver for
// volume claims, the load balancer controllers for services and ingresses.
var workloadTypes = []string{
	volumeType, snapshotType, loadBalancerType, classicLoadBalancerType, targetGroupType, groupType,
}

// ofWorkload tells what a controller in the org's cluster made, by the tags
// that it leaves. Other types are never taken for it, whatever they are tagged.
// https://github.com/kubernetes-sigs/aws-ebs-csi-driver/blob/master/docs/tagging.md
// https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress/annotations/
func ofWorkload(it cloud.Item) bool {
	if it.ByCloud || !slices.Contains(workloadTypes, it.Type) {
		return false
	}
	for k, v := range it.Tags {
		switch {
		case k == "ebs.csi.aws.com/cluster" && v == "true",
			k == "elbv2.k8s.aws/cluster",
			strings.HasPrefix(k, "kubernetes.io/cluster/") && v == "owned":
			return true
		}
	}
	return false
}
