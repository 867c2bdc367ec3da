package eksprovider

import (
	"errors"
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	awseks "github.com/pulumi/pulumi-aws/sdk/v6/go/aws/eks"
	"github.com/pulumi/pulumi-eks/sdk/v3/go/eks"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/provider"
)

// constructNodeGroup makes a managed node group, and a launch template for it
// where an input asks for what only a template can say.
func constructNodeGroup(ctx *pulumi.Context, typ, name string, inputs provider.ConstructInputs, opts pulumi.ResourceOption) (*provider.ConstructResult, error) {
	var in nodeGroupInputs
	if err := inputs.CopyTo(&in); err != nil {
		return nil, fmt.Errorf("%s %q: %w", nodeGroupToken, name, err)
	}
	if err := in.refuse(); err != nil {
		return nil, fmt.Errorf("%s %q: the input properties for the managed node group are invalid: %w", nodeGroupToken, name, err)
	}
	parent := &component{}
	if err := ctx.RegisterComponentResource(typ, name, parent, opts); err != nil {
		return nil, err
	}

	core := coreOf(in.Cluster)
	args := &awseks.NodeGroupArgs{
		AmiType:             in.AMIType,
		CapacityType:        in.CapacityType,
		ClusterName:         core.cluster.Name(),
		DiskSize:            in.DiskSize,
		ForceUpdateVersion:  in.ForceUpdateVersion,
		InstanceTypes:       in.InstanceTypes,
		Labels:              in.Labels,
		LaunchTemplate:      in.LaunchTemplate,
		NodeGroupName:       in.NodeGroupName,
		NodeGroupNamePrefix: in.NodeGroupNamePrefix,
		ReleaseVersion:      in.ReleaseVersion,
		RemoteAccess:        in.RemoteAccess,
		ScalingConfig:       scaling(in.ScalingConfig),
		SubnetIds:           core.subnetIDs,
		Tags:                in.Tags,
		Taints:              in.Taints,
		Version:             in.Version,
	}
	if in.ClusterName != nil {
		args.ClusterName = text(in.ClusterName)
	}
	if in.NodeRoleARN != nil {
		args.NodeRoleArn = text(in.NodeRoleARN)
	} else {
		args.NodeRoleArn = in.NodeRole.Arn()
	}
	if in.SubnetIDs != nil {
		args.SubnetIds = in.SubnetIDs
	}
	// With a template of their own, the program decides the version by the image.
	if in.Version == nil && in.LaunchTemplate == nil {
		args.Version = core.cluster.Version()
	}
	if in.EnableIMDSv2 != nil {
		template, err := makeLaunchTemplate(ctx, name, in, parent)
		if err != nil {
			return nil, err
		}
		args.DiskSize = nil // the template has it
		args.LaunchTemplate = awseks.NodeGroupLaunchTemplateArgs{
			Id:      template.ID().ToStringOutput(),
			Version: pulumi.Sprintf("%d", template.LatestVersion),
		}
	}
	options := []pulumi.ResourceOption{pulumi.Parent(parent)}
	if deref(in.IgnoreScalingChanges) {
		options = append(options, pulumi.IgnoreChanges([]string{"scalingConfig.desiredSize"}))
	}
	group, err := awseks.NewNodeGroup(ctx, name, args, options...)
	if err != nil {
		return nil, err
	}
	outputs := pulumi.Map{"nodeGroup": group, "placementGroupName": pulumi.String("")}
	if err := ctx.RegisterResourceOutputs(parent, outputs); err != nil {
		return nil, err
	}
	return &provider.ConstructResult{URN: parent.URN(), State: outputs}, nil
}

func (in *nodeGroupInputs) refuse() error {
	var mistakes []error
	if in.Cluster.OutputState == nil {
		mistakes = append(mistakes, errors.New("cluster: a cluster must be provided to create a managed node group"))
	}
	switch role := in.NodeRole.OutputState != nil; {
	case role && in.NodeRoleARN != nil:
		mistakes = append(mistakes, errors.New("nodeRole: you cannot specify both nodeRole and nodeRoleArn when creating a managed node group"))
	case !role && in.NodeRoleARN == nil:
		mistakes = append(mistakes, errors.New("nodeRole: an IAM role, or role ARN must be provided to create a managed node group"))
	}
	if in.LaunchTemplate != nil && in.EnableIMDSv2 != nil {
		mistakes = append(mistakes, errors.New("launchTemplate: If you provide a custom launch template, you cannot provide any of kubeletExtraArgs, bootstrapExtraArgs, bottlerocketSettings, nodeadmExtraOptions, enableIMDSv2, userData, amiId, enableEfaSupport. Please include these in the launch template that you are providing.")) //nolint:staticcheck // the official component's own words
	}
	return errors.Join(mistakes...)
}

// makeLaunchTemplate makes the template by which metadata needs a session token.
func makeLaunchTemplate(ctx *pulumi.Context, name string, in nodeGroupInputs, parent pulumi.Resource) (*ec2.LaunchTemplate, error) {
	tokens := "optional"
	if *in.EnableIMDSv2 {
		tokens = "required"
	}
	args := &ec2.LaunchTemplateArgs{
		MetadataOptions: ec2.LaunchTemplateMetadataOptionsArgs{
			HttpEndpoint:            pulumi.String("enabled"),
			HttpTokens:              pulumi.String(tokens),
			HttpPutResponseHopLimit: pulumi.Int(2),
		},
	}
	if in.DiskSize != nil {
		args.BlockDeviceMappings = ec2.LaunchTemplateBlockDeviceMappingArray{ec2.LaunchTemplateBlockDeviceMappingArgs{
			DeviceName: textOr(in.AMIType, "").ApplyT(rootDevice).(pulumi.StringOutput),
			Ebs:        ec2.LaunchTemplateBlockDeviceMappingEbsArgs{VolumeSize: in.DiskSize},
		}}
	}
	return ec2.NewLaunchTemplate(ctx, name+"-launchTemplate", args, pulumi.Parent(parent))
}

// rootDevice is where an image family has the disk that containers live on.
func rootDevice(amiType string) (string, error) {
	switch amiType {
	case "", "AL2_x86_64", "AL2_x86_64_GPU", "AL2_ARM_64",
		"AL2023_x86_64_STANDARD", "AL2023_ARM_64_STANDARD", "AL2023_x86_64_NVIDIA":
		return "/dev/xvda", nil
	case "BOTTLEROCKET_ARM_64", "BOTTLEROCKET_x86_64", "BOTTLEROCKET_ARM_64_NVIDIA", "BOTTLEROCKET_x86_64_NVIDIA":
		return "/dev/xvdb", nil
	}
	return "", fmt.Errorf("amiType: cannot determine OS of unknown AMI type: %s", amiType)
}

func scaling(in awseks.NodeGroupScalingConfigPtrInput) awseks.NodeGroupScalingConfigInput {
	if in == nil {
		return awseks.NodeGroupScalingConfigArgs{DesiredSize: pulumi.Int(2), MinSize: pulumi.Int(1), MaxSize: pulumi.Int(2)}
	}
	return in.ToNodeGroupScalingConfigPtrOutput().Elem()
}

// core is what a node group needs of its cluster.
type core struct {
	cluster   awseks.ClusterOutput
	subnetIDs pulumi.StringArrayOutput
}

// coreOf reads it from a cluster component or from its "core" output: programs
// give either.
func coreOf(given pulumi.AnyOutput) core {
	return core{
		cluster: given.ApplyT(func(v any) (awseks.ClusterOutput, error) {
			switch v := v.(type) {
			case *eks.Cluster:
				return v.EksCluster, nil
			case map[string]any:
				if c, ok := v["cluster"].(*awseks.Cluster); ok {
					return c.ToClusterOutput(), nil
				}
			}
			return awseks.ClusterOutput{}, fmt.Errorf("cluster: want an eks.Cluster or its core, got %T", v)
		}).(awseks.ClusterOutput),
		subnetIDs: given.ApplyT(func(v any) (pulumi.StringArrayOutput, error) {
			switch v := v.(type) {
			case *eks.Cluster:
				return v.Core.SubnetIds(), nil
			case map[string]any:
				return pulumi.ToStringArray(stringsIn(v["subnetIds"])).ToStringArrayOutput(), nil
			}
			return pulumi.StringArrayOutput{}, fmt.Errorf("cluster: want an eks.Cluster or its core, got %T", v)
		}).(pulumi.StringArrayOutput),
	}
}

func stringsIn(v any) []string {
	switch v := v.(type) {
	case []string:
		return v
	case []any:
		all := make([]string, 0, len(v))
		for _, e := range v {
			all = append(all, stringIn(e))
		}
		return all
	}
	return nil
}
