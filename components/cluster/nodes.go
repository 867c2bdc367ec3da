package cluster

import (
	"slices"
	"strconv"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	awseks "github.com/pulumi/pulumi-aws/sdk/v6/go/aws/eks"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi-eks/sdk/v3/go/eks"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// nodes makes the nodes' role and a managed node group for each pool, the groups
// after what is given.
func (b *builder) nodes(controlPlane *eks.Cluster, after ...pulumi.Resource) (*iam.Role, []pulumi.Resource, error) {
	// The CNI's policy is the node's: the CNI must work before any pod can get
	// credentials of its own, and pods do not reach the node's.
	role, policies, err := b.role("nodes", b.args.NodeRole, "Lets nodes join the cluster and pull images",
		trust("ec2.amazonaws.com", "sts:AssumeRole"),
		"AmazonEKSWorkerNodePolicy", "AmazonEKS_CNI_Policy", "AmazonEC2ContainerRegistryPullOnly")
	if err != nil {
		return nil, nil, err
	}
	var groups []pulumi.Resource
	for _, pool := range b.args.NodePools {
		group, err := b.nodeGroup(controlPlane, role, slices.Concat(policies, after), pool)
		if err != nil {
			return nil, nil, err
		}
		groups = append(groups, group)
	}
	return role, groups, nil
}

func (b *builder) nodeGroup(controlPlane *eks.Cluster, role *iam.Role, after []pulumi.Resource, pool NodePool) (pulumi.Resource, error) {
	part := "pool-" + pool.Pool
	template, err := b.launchTemplate(part, pool)
	if err != nil {
		return nil, err
	}
	var taints awseks.NodeGroupTaintArray
	for _, t := range pool.Taints {
		taint := awseks.NodeGroupTaintArgs{Key: pulumi.String(t.Key), Effect: pulumi.String(t.Effect)}
		if t.Value != "" {
			taint.Value = pulumi.String(t.Value)
		}
		taints = append(taints, taint)
	}
	return eks.NewManagedNodeGroup(b.ctx, b.child(part), &eks.ManagedNodeGroupArgs{
		Cluster:       controlPlane,
		ClusterName:   controlPlane.EksCluster.Name(),
		NodeGroupName: pulumi.String(pool.Name),
		NodeRoleArn:   role.Arn,
		SubnetIds:     b.args.NodeSubnetIDs,
		// The family decides the image, the cluster's version its release, so
		// that nodes follow the control plane when it is upgraded.
		AmiType:       pulumi.String(pool.AMIType),
		Version:       pulumi.String(b.args.Version),
		CapacityType:  pulumi.String(pool.CapacityType),
		InstanceTypes: stringArray(pool.InstanceTypes),
		Labels:        labels(pool),
		Taints:        taints,
		ScalingConfig: awseks.NodeGroupScalingConfigArgs{
			MinSize:     pulumi.Int(pool.Min),
			MaxSize:     pulumi.Int(pool.Max),
			DesiredSize: pulumi.Int(size(pool)),
		},
		IgnoreScalingChanges: new(pool.Size == nil),
		LaunchTemplate: awseks.NodeGroupLaunchTemplateArgs{
			Id:      template.ID().ToStringOutput(),
			Version: template.LatestVersion.ApplyT(strconv.Itoa).(pulumi.StringOutput),
		},
		Tags: b.tags(pool.Name),
		// Nodes need the role's policies to join, and to leave.
	}, b.parent, pulumi.DependsOn(after))
}

func size(pool NodePool) int {
	if pool.Size != nil {
		return *pool.Size
	}
	return pool.Desired
}

// labels is nil for a pool without labels: EKS answers with none, and an empty
// map would be a difference for ever.
func labels(pool NodePool) pulumi.StringMapInput {
	if len(pool.Labels) == 0 {
		return nil
	}
	m := pulumi.StringMap{}
	for k, v := range pool.Labels {
		m[k] = pulumi.String(v)
	}
	return m
}

// launchTemplate says what a pool's instances are like. It names no image and
// no security group: EKS fills both in.
func (b *builder) launchTemplate(part string, pool NodePool) (*ec2.LaunchTemplate, error) {
	return ec2.NewLaunchTemplate(b.ctx, b.child(part), &ec2.LaunchTemplateArgs{
		Name:                 pulumi.String(pool.Name),
		UpdateDefaultVersion: pulumi.Bool(true),
		BlockDeviceMappings:  b.disks(pool),
		MetadataOptions: ec2.LaunchTemplateMetadataOptionsArgs{
			HttpEndpoint: pulumi.String("enabled"),
			HttpTokens:   pulumi.String("required"),
			// A pod with a network of its own is one hop further than the
			// host, so the answer to it expires on the way.
			HttpPutResponseHopLimit: pulumi.Int(1),
			InstanceMetadataTags:    pulumi.String("disabled"),
		},
		// EKS does not hand a node group's tags on to what it launches.
		TagSpecifications: ec2.LaunchTemplateTagSpecificationArray{
			b.launchTags("instance", pool),
			b.launchTags("volume", pool),
			b.launchTags("network-interface", pool),
		},
		Tags: b.tags(pool.Name),
	}, b.parent)
}

// disks returns a pool's encrypted disks. Bottlerocket boots from a small disk
// of fixed size and keeps images and pods' files on a second one.
func (b *builder) disks(pool NodePool) ec2.LaunchTemplateBlockDeviceMappingArray {
	disk := func(device string, size pulumi.IntPtrInput) ec2.LaunchTemplateBlockDeviceMappingArgs {
		return ec2.LaunchTemplateBlockDeviceMappingArgs{
			DeviceName: pulumi.String(device),
			Ebs: ec2.LaunchTemplateBlockDeviceMappingEbsArgs{
				VolumeType:          pulumi.String("gp3"),
				VolumeSize:          size,
				Encrypted:           pulumi.String("true"),
				KmsKeyId:            pulumi.String(b.args.DataKeyARN),
				DeleteOnTermination: pulumi.String("true"),
			},
		}
	}
	if strings.HasPrefix(pool.AMIType, "BOTTLEROCKET_") {
		return ec2.LaunchTemplateBlockDeviceMappingArray{
			disk("/dev/xvda", nil),
			disk("/dev/xvdb", pulumi.Int(pool.DiskGiB)),
		}
	}
	return ec2.LaunchTemplateBlockDeviceMappingArray{disk("/dev/xvda", pulumi.Int(pool.DiskGiB))}
}

func (b *builder) launchTags(kind string, pool NodePool) ec2.LaunchTemplateTagSpecificationArgs {
	return ec2.LaunchTemplateTagSpecificationArgs{
		ResourceType: pulumi.String(kind),
		Tags:         b.tags(pool.Name),
	}
}
