package cluster

import (
	"context"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// protectCluster protects the EKS cluster, which holds the org's Kubernetes
// state, and nothing else of the component that makes it. The component's own
// protection would reach the access entries too, and taking somebody's access
// away must never be refused. Node groups and add-ons hold nothing that a
// second run does not make again.
func protectCluster(protect bool) pulumi.ResourceTransform {
	return func(_ context.Context, r *pulumi.ResourceTransformArgs) *pulumi.ResourceTransformResult {
		if r.Type != "aws:eks/cluster:Cluster" {
			return nil
		}
		opts := r.Opts
		opts.Protect = protect
		return &pulumi.ResourceTransformResult{Props: r.Props, Opts: opts}
	}
}
