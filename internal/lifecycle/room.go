package lifecycle

import (
	"context"
	"fmt"

	"freehold.dev/freehold/internal/cloud"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/spec"
)

// checkRoom refuses to begin a layer that the account's service quotas leave no
// room for. Found half-way, a full quota leaves a data plane half-made, and AWS
// takes days to raise one. A layer that exists has its room already.
func (s *Service) checkRoom(ctx context.Context, d dataPlane, l plan.Layer) error {
	needs, a := map[string]int{}, cloud.Account{Region: d.plan.Region}
	switch {
	case s.Engine.Exists(stackRef(d.plan.Org, l)):
		return nil
	case l == plan.LayerAccount && d.plan.Account.Vended:
		needs["aws:organizations/account:Account"] = 1
	case l == plan.LayerCluster:
		needs["aws:ec2/vpc:Vpc"], needs["aws:eks/cluster:Cluster"] = 1, 1
		needs["aws:ec2/eip:Eip"] = gateways(d.plan.Cluster)
		var err error
		if a, err = d.account("", ""); err != nil {
			return err
		}
	default:
		return nil
	}
	quotas, err := s.Cloud.Quotas(ctx, a)
	if err != nil {
		return fmt.Errorf("read the service quotas: %w", err)
	}
	for _, q := range quotas {
		need := needs[q.Type]
		if q.Used+need <= q.Limit {
			continue
		}
		return &Error{
			Org: d.plan.Org, Layer: string(l),
			Err: fmt.Errorf("%w: quota %q of account %s is %d, %d are in use, and the layer needs %d more",
				ErrPending, q.Name, orManagement(a.ID), q.Limit, q.Used, need),
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
	default: // one a zone, and more than is needed rather than less
		return len(c.Zones)
	}
}

func orManagement(accountID string) string {
	if accountID == "" {
		return "of the organization's management"
	}
	return accountID
}
