package aws

import (
	"strings"

	"freehold.dev/freehold/internal/awstype"
	"freehold.dev/freehold/internal/cloud"
)

// ofWorkload tells what a controller in the org's cluster made, by the tags
// that it leaves: the EBS driver makes volumes for claims, the load balancer
// controllers what services and ingresses need. Other types are never taken for
// it, whatever they are tagged.
// https://github.com/kubernetes-sigs/aws-ebs-csi-driver/blob/master/docs/tagging.md
// https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress/annotations/
func ofWorkload(it cloud.Item) bool {
	if row, _ := awstype.Of(it.Type); it.ByCloud || !row.ByWorkload {
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
