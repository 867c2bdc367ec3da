package dataplane

import (
	"fmt"

	"freehold.dev/freehold/internal/cloud"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/spec"
)

// Needs are how many of each Pulumi type a layer asks of the account's quotas,
// nil for a layer that asks for none. A layer that is there has its room already.
func (d DataPlane) Needs(l plan.Layer) map[string]int {
	switch {
	case l == plan.LayerAccount && d.Plan.Account.Vended && !d.HasAccount():
		return map[string]int{"aws:organizations/account:Account": 1}
	case l == plan.LayerCluster && !d.Made(l):
		return map[string]int{"aws:ec2/vpc:Vpc": 1, "aws:eks/cluster:Cluster": 1, "aws:ec2/eip:Eip": gateways(d.Plan.Cluster)}
	}
	return nil
}

// Full returns the first of the quotas that has no room for the needs of a
// layer, as a refusal that waits for AWS. Found half-way, a full quota leaves a
// data plane half-made, and AWS takes days to raise one.
func Full(accountID string, needs map[string]int, quotas []cloud.Quota) *Refusal {
	for _, q := range quotas {
		need := needs[q.Type]
		if q.Used+need <= q.Limit {
			continue
		}
		account := "account " + accountID
		if accountID == "" {
			account = "the management account"
		}
		return &Refusal{
			Message: fmt.Sprintf("quota %q of %s is %d, %d are in use, and the layer needs %d more", q.Name, account, q.Limit, q.Used, need),
			Next: fmt.Sprintf("ask AWS for more, then run the same command again: aws service-quotas request-service-quota-increase "+
				"--region %s --service-code %s --quota-code %s --desired-value %d", q.Region, q.Service, q.Code, q.Used+need),
		}
	}
	return nil
}

// gateways are the NAT gateways of a network, each with an address of its own.
func gateways(c plan.Cluster) int {
	switch spec.NAT(c.NAT) {
	case spec.NATNone:
		return 0
	case spec.NATOne:
		return 1
	default: // one per zone, and more than is needed rather than less
		return len(c.Zones)
	}
}
