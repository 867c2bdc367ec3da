package aws

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"freehold.dev/freehold/internal/awstype"
	"freehold.dev/freehold/internal/cloud"
)

// Machines, what they are made from and what they hold.

func listInstances(ctx context.Context, s *session) ([]cloud.Item, error) {
	fleet, err := s.fleet()
	if err != nil {
		return nil, err
	}
	reservations, err := every(ctx, ec2.NewDescribeInstancesPaginator(s.ec2, &ec2.DescribeInstancesInput{}),
		func(p *ec2.DescribeInstancesOutput) []ec2types.Reservation { return p.Reservations })
	var items []cloud.Item
	for _, r := range reservations {
		for _, i := range r.Instances {
			if i.State != nil && i.State.Name == ec2types.InstanceStateNameTerminated {
				continue
			}
			it := thing(awstype.EC2Instance, aws.ToString(i.InstanceId), ec2Tags(i.Tags))
			it.ByCloud = instanceByCloud(i, fleet)
			items = append(items, it)
		}
	}
	return items, err
}

// instanceByCloud reports whether an instance is a node of a managed node group
// or of EKS's Auto Mode: it comes and goes with the group. The tag that names
// its Auto Scaling group is AWS's alone to set.
func instanceByCloud(i ec2types.Instance, fleet []cluster) bool {
	group := ec2Tags(i.Tags)["aws:autoscaling:groupName"]
	return operated(i.Operator) || group != "" && slices.ContainsFunc(fleet, func(c cluster) bool { return c.scales(group) })
}

// operated reports whether an AWS service holds a resource for itself.
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/amazon-ec2-managed-instances.html
func operated(o *ec2types.OperatorResponse) bool { return o != nil && aws.ToBool(o.Managed) }

func listLaunchTemplates(ctx context.Context, s *session) ([]cloud.Item, error) {
	all, err := every(ctx, ec2.NewDescribeLaunchTemplatesPaginator(s.ec2, &ec2.DescribeLaunchTemplatesInput{}),
		func(p *ec2.DescribeLaunchTemplatesOutput) []ec2types.LaunchTemplate { return p.LaunchTemplates })
	var items []cloud.Item
	for _, t := range all {
		items = append(items, cloud.Item{
			Type: awstype.EC2LaunchTemplate, ID: aws.ToString(t.LaunchTemplateId), Name: aws.ToString(t.LaunchTemplateName), Tags: ec2Tags(t.Tags),
			ByCloud: templateByCloud(t),
		})
	}
	return items, err
}

// templateByCloud reports whether EKS made a template of its own for a node
// group. Tags would say so too, but anyone can set "eks:" tags.
func templateByCloud(t ec2types.LaunchTemplate) bool {
	return operated(t.Operator) || strings.Contains(aws.ToString(t.CreatedBy), ":assumed-role/AWSServiceRoleForAmazonEKSNodegroup/")
}

func listImages(ctx context.Context, s *session) ([]cloud.Item, error) {
	all, err := every(ctx, ec2.NewDescribeImagesPaginator(s.ec2, &ec2.DescribeImagesInput{Owners: []string{"self"}}),
		func(p *ec2.DescribeImagesOutput) []ec2types.Image { return p.Images })
	var items []cloud.Item
	for _, i := range all {
		items = append(items, cloud.Item{Type: awstype.EC2Image, ID: aws.ToString(i.ImageId), Name: aws.ToString(i.Name), Tags: ec2Tags(i.Tags)})
	}
	return items, err
}

func listSnapshots(ctx context.Context, s *session) ([]cloud.Item, error) {
	all, err := every(ctx, ec2.NewDescribeSnapshotsPaginator(s.ec2, &ec2.DescribeSnapshotsInput{OwnerIds: []string{"self"}}),
		func(p *ec2.DescribeSnapshotsOutput) []ec2types.Snapshot { return p.Snapshots })
	var items []cloud.Item
	for _, n := range all {
		items = append(items, thing(awstype.EBSSnapshot, aws.ToString(n.SnapshotId), ec2Tags(n.Tags)))
	}
	return items, err
}

func listVolumes(ctx context.Context, s *session) ([]cloud.Item, error) {
	all, err := every(ctx, ec2.NewDescribeVolumesPaginator(s.ec2, &ec2.DescribeVolumesInput{}),
		func(p *ec2.DescribeVolumesOutput) []ec2types.Volume { return p.Volumes })
	var items []cloud.Item
	for _, v := range all {
		it := thing(awstype.EBSVolume, aws.ToString(v.VolumeId), ec2Tags(v.Tags))
		it.ByCloud = volumeByCloud(v)
		items = append(items, it)
	}
	return items, err
}

// volumeByCloud reports whether a volume goes with the instance that it is
// attached to, which is listed itself.
func volumeByCloud(v ec2types.Volume) bool {
	return operated(v.Operator) || slices.ContainsFunc(v.Attachments, func(a ec2types.VolumeAttachment) bool {
		return aws.ToString(a.InstanceId) != "" && aws.ToBool(a.DeleteOnTermination)
	})
}

func listKeyPairs(ctx context.Context, s *session) ([]cloud.Item, error) {
	out, err := s.ec2.DescribeKeyPairs(ctx, &ec2.DescribeKeyPairsInput{})
	if err != nil {
		return nil, called(err)
	}
	var items []cloud.Item
	for _, k := range out.KeyPairs {
		items = append(items, cloud.Item{Type: awstype.EC2KeyPair, ID: aws.ToString(k.KeyName), Name: aws.ToString(k.KeyName), Tags: ec2Tags(k.Tags)})
	}
	return items, nil
}

func listInterfaces(ctx context.Context, s *session) ([]cloud.Item, error) {
	fleet, err := s.fleet()
	if err != nil {
		return nil, err
	}
	parts, err := s.interfacesOfParts(ctx)
	if err != nil {
		return nil, err
	}
	all, err := every(ctx, ec2.NewDescribeNetworkInterfacesPaginator(s.ec2, &ec2.DescribeNetworkInterfacesInput{}),
		func(p *ec2.DescribeNetworkInterfacesOutput) []ec2types.NetworkInterface { return p.NetworkInterfaces })
	var items []cloud.Item
	for _, i := range all {
		if s.theirs(i.OwnerId) {
			continue
		}
		it := thing(awstype.EC2NetworkInterface, aws.ToString(i.NetworkInterfaceId), ec2Tags(i.TagSet))
		if it.Name == "" {
			it.Name = aws.ToString(i.Description)
		}
		it.ByCloud = parts[it.ID] || interfaceByCloud(i, fleet)
		items = append(items, it)
	}
	return items, err
}

// interfacesOfParts are the ids of interfaces that NAT gateways and endpoints
// name as theirs.
func (s *session) interfacesOfParts(ctx context.Context) (map[string]bool, error) {
	parts := map[string]bool{}
	// Those that were deleted a moment ago, too: theirs may go a little later.
	gateways, err := every(ctx, ec2.NewDescribeNatGatewaysPaginator(s.ec2, &ec2.DescribeNatGatewaysInput{}),
		func(p *ec2.DescribeNatGatewaysOutput) []ec2types.NatGateway { return p.NatGateways })
	if err != nil {
		return nil, err
	}
	for _, g := range gateways {
		for _, a := range g.NatGatewayAddresses {
			parts[aws.ToString(a.NetworkInterfaceId)] = true
		}
	}
	endpoints, err := s.endpoints(ctx)
	for _, e := range endpoints {
		for _, id := range e.NetworkInterfaceIds {
			parts[id] = true
		}
	}
	return parts, err
}

// ownInterfaces are the kinds that an account can make for itself; all others are made
// for NAT gateways, load balancers, endpoints and the like.
var ownInterfaces = []ec2types.NetworkInterfaceType{
	"", ec2types.NetworkInterfaceTypeInterface, ec2types.NetworkInterfaceTypeEfa, ec2types.NetworkInterfaceTypeEfaOnly,
	ec2types.NetworkInterfaceTypeBranch, ec2types.NetworkInterfaceTypeTrunk,
}

// interfaceByCloud reports whether an interface is a part of something else: of
// a service of AWS, of an instance that takes it along, or of a cluster. A
// cluster's look like anyone's, attached in another account; only its own
// security group, in which they are, tells them.
// https://docs.aws.amazon.com/eks/latest/userguide/network-reqs.html
func interfaceByCloud(i ec2types.NetworkInterface, fleet []cluster) bool {
	if aws.ToBool(i.RequesterManaged) || operated(i.Operator) || !slices.Contains(ownInterfaces, i.InterfaceType) {
		return true
	}
	if a := i.Attachment; a != nil && aws.ToString(a.InstanceId) != "" && aws.ToBool(a.DeleteOnTermination) {
		return true
	}
	return slices.ContainsFunc(fleet, func(c cluster) bool {
		return aws.ToString(i.Description) == "Amazon EKS "+c.name &&
			slices.ContainsFunc(i.Groups, func(g ec2types.GroupIdentifier) bool { return c.group != "" && aws.ToString(g.GroupId) == c.group })
	})
}
