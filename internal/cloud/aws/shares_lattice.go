package aws

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/vpclattice"
	latticetypes "github.com/aws/aws-sdk-go-v2/service/vpclattice/types"

	"freehold.dev/freehold/internal/awstype"
	"freehold.dev/freehold/internal/cloud"
)

// listLattice lists the policies of the account's service networks, services and
// resources, and what is associated with what: by each end that is the account's,
// because the service lists associations of one thing only.
func listLattice(ctx context.Context, s *session) ([]cloud.Item, error) {
	l := lattice{session: s, client: vpclattice.NewFromConfig(s.cfg)}
	items, err := both(ctx, s, l.vpcs, l.networks, l.services, l.resources)
	return once(items), err // an association whose ends are both the account's is found twice
}

type lattice struct {
	*session
	client *vpclattice.Client
}

func (l lattice) vpcs(ctx context.Context, _ *session) ([]cloud.Item, error) {
	n, err := l.session.networks()
	if err != nil {
		return nil, err
	}
	var own []*string
	for _, v := range n.vpcs {
		if !l.theirs(v.OwnerId) {
			own = append(own, v.VpcId)
		}
	}
	return eachOf(ctx, own, func(ctx context.Context, vpc *string) ([]cloud.Item, error) {
		return l.withVPCs(ctx, &vpclattice.ListServiceNetworkVpcAssociationsInput{VpcIdentifier: vpc})
	})
}

func (l lattice) networks(ctx context.Context, _ *session) ([]cloud.Item, error) {
	all, err := walk(ctx, l.client.ListServiceNetworks,
		func(next *string) *vpclattice.ListServiceNetworksInput {
			return &vpclattice.ListServiceNetworksInput{NextToken: next}
		},
		func(o *vpclattice.ListServiceNetworksOutput) ([]latticetypes.ServiceNetworkSummary, *string) {
			return o.Items, o.NextToken
		})
	if err != nil {
		return nil, err
	}
	return eachOf(ctx, all, func(ctx context.Context, n latticetypes.ServiceNetworkSummary) ([]cloud.Item, error) {
		if accountOf(aws.ToString(n.Arn)) != l.account {
			return nil, nil // shared with the account: what of the account is on it is listed by the other end
		}
		items, err := l.policies(ctx, n.Arn, true)
		if err != nil {
			return items, err
		}
		vpcs, err := l.withVPCs(ctx, &vpclattice.ListServiceNetworkVpcAssociationsInput{ServiceNetworkIdentifier: n.Arn})
		if err != nil {
			return items, err
		}
		services, err := l.withServices(ctx, &vpclattice.ListServiceNetworkServiceAssociationsInput{ServiceNetworkIdentifier: n.Arn})
		if err != nil {
			return items, err
		}
		resources, err := l.withResources(ctx, &vpclattice.ListServiceNetworkResourceAssociationsInput{ServiceNetworkIdentifier: n.Arn})
		return slices.Concat(items, vpcs, services, resources), err
	})
}

func (l lattice) services(ctx context.Context, _ *session) ([]cloud.Item, error) {
	all, err := walk(ctx, l.client.ListServices,
		func(next *string) *vpclattice.ListServicesInput {
			return &vpclattice.ListServicesInput{NextToken: next}
		},
		func(o *vpclattice.ListServicesOutput) ([]latticetypes.ServiceSummary, *string) {
			return o.Items, o.NextToken
		})
	if err != nil {
		return nil, err
	}
	return eachOf(ctx, all, func(ctx context.Context, v latticetypes.ServiceSummary) ([]cloud.Item, error) {
		if accountOf(aws.ToString(v.Arn)) != l.account {
			return nil, nil
		}
		items, err := l.policies(ctx, v.Arn, true)
		if err != nil {
			return items, err
		}
		on, err := l.withServices(ctx, &vpclattice.ListServiceNetworkServiceAssociationsInput{ServiceIdentifier: v.Arn})
		return append(items, on...), err
	})
}

func (l lattice) resources(ctx context.Context, _ *session) ([]cloud.Item, error) {
	all, err := walk(ctx, l.client.ListResourceConfigurations,
		func(next *string) *vpclattice.ListResourceConfigurationsInput {
			return &vpclattice.ListResourceConfigurationsInput{NextToken: next}
		},
		func(o *vpclattice.ListResourceConfigurationsOutput) ([]latticetypes.ResourceConfigurationSummary, *string) {
			return o.Items, o.NextToken
		})
	if err != nil {
		return nil, err
	}
	return eachOf(ctx, all, func(ctx context.Context, r latticetypes.ResourceConfigurationSummary) ([]cloud.Item, error) {
		if accountOf(aws.ToString(r.Arn)) != l.account {
			return nil, nil
		}
		items, err := l.policies(ctx, r.Arn, false)
		if err != nil {
			return items, err
		}
		on, err := l.withResources(ctx, &vpclattice.ListServiceNetworkResourceAssociationsInput{ResourceConfigurationIdentifier: r.Arn})
		return append(items, on...), err
	})
}

// policies are the two that a thing may have: who calls it, and with whom it is shared.
func (l lattice) policies(ctx context.Context, arn *string, isCalled bool) ([]cloud.Item, error) {
	var items []cloud.Item
	if isCalled {
		out, err := l.client.GetAuthPolicy(ctx, &vpclattice.GetAuthPolicyInput{ResourceIdentifier: arn})
		switch {
		case err == nil:
			items = policyItem(awstype.LatticeAuthPolicy, aws.ToString(arn), "policy", aws.ToString(out.Policy))
		case !gone(err):
			return nil, err
		}
	}
	out, err := l.client.GetResourcePolicy(ctx, &vpclattice.GetResourcePolicyInput{ResourceArn: arn})
	switch {
	case err == nil:
		items = append(items, policyItem(awstype.LatticePolicy, aws.ToString(arn), "policy", aws.ToString(out.Policy))...)
	case !gone(err):
		return items, err
	}
	return items, nil
}

func (l lattice) withVPCs(ctx context.Context, of *vpclattice.ListServiceNetworkVpcAssociationsInput) ([]cloud.Item, error) {
	all, err := walk(ctx, l.client.ListServiceNetworkVpcAssociations,
		func(next *string) *vpclattice.ListServiceNetworkVpcAssociationsInput {
			of.NextToken = next
			return of
		},
		func(o *vpclattice.ListServiceNetworkVpcAssociationsOutput) ([]latticetypes.ServiceNetworkVpcAssociationSummary, *string) {
			return o.Items, o.NextToken
		})
	var items []cloud.Item
	for _, a := range all {
		items = append(items, shared(awstype.LatticeVPC, aws.ToString(a.Id), map[string]any{
			"serviceNetworkIdentifier": aws.ToString(a.ServiceNetworkArn), "vpcIdentifier": aws.ToString(a.VpcId), "createdBy": aws.ToString(a.CreatedBy),
		}))
	}
	return items, err
}

func (l lattice) withServices(ctx context.Context, of *vpclattice.ListServiceNetworkServiceAssociationsInput) ([]cloud.Item, error) {
	all, err := walk(ctx, l.client.ListServiceNetworkServiceAssociations,
		func(next *string) *vpclattice.ListServiceNetworkServiceAssociationsInput {
			of.NextToken = next
			return of
		},
		func(o *vpclattice.ListServiceNetworkServiceAssociationsOutput) ([]latticetypes.ServiceNetworkServiceAssociationSummary, *string) {
			return o.Items, o.NextToken
		})
	var items []cloud.Item
	for _, a := range all {
		items = append(items, shared(awstype.LatticeService, aws.ToString(a.Id), map[string]any{
			"serviceNetworkIdentifier": aws.ToString(a.ServiceNetworkArn), "serviceIdentifier": aws.ToString(a.ServiceArn), "createdBy": aws.ToString(a.CreatedBy),
		}))
	}
	return items, err
}

func (l lattice) withResources(ctx context.Context, of *vpclattice.ListServiceNetworkResourceAssociationsInput) ([]cloud.Item, error) {
	all, err := walk(ctx, l.client.ListServiceNetworkResourceAssociations,
		func(next *string) *vpclattice.ListServiceNetworkResourceAssociationsInput {
			of.NextToken = next
			return of
		},
		func(o *vpclattice.ListServiceNetworkResourceAssociationsOutput) ([]latticetypes.ServiceNetworkResourceAssociationSummary, *string) {
			return o.Items, o.NextToken
		})
	var items []cloud.Item
	for _, a := range all {
		items = append(items, shared(awstype.LatticeResource, aws.ToString(a.Id), map[string]any{
			"serviceNetworkIdentifier": aws.ToString(a.ServiceNetworkArn), "resourceConfigurationIdentifier": aws.ToString(a.ResourceConfigurationArn), "createdBy": aws.ToString(a.CreatedBy),
		}))
	}
	return items, err
}
