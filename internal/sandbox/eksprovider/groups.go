package eksprovider

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// makeClusterGroup makes the control plane's security group with open egress,
// unless one is given or none is wanted.
func (c *cluster) makeClusterGroup() error {
	switch {
	case c.in.ClusterSecurityGroup.OutputState != nil:
		c.groupOutput, c.hasGroup = c.in.ClusterSecurityGroup, true
		c.groupID = c.groupOutput.ApplyT(func(g *ec2.SecurityGroup) pulumi.StringOutput { return g.ID().ToStringOutput() }).(pulumi.StringOutput)
		return nil
	case deref(c.in.SkipDefaultSecurityGroups):
		return nil
	}
	name := c.name + "-eksClusterSecurityGroup"
	group, err := ec2.NewSecurityGroup(c.ctx, name, &ec2.SecurityGroupArgs{
		VpcId:               c.in.VpcID,
		RevokeRulesOnDelete: pulumi.Bool(true),
		Tags:                mergeTags(named(name), c.in.ClusterSecurityGroupTags, c.in.Tags),
	}, pulumi.Parent(c.parent))
	if err != nil {
		return err
	}
	c.groupOutput, c.groupID, c.hasGroup = group.ToSecurityGroupOutput(), group.ID().ToStringOutput(), true
	_, err = c.makeRule("eksClusterInternetEgressRule", &ec2.SecurityGroupRuleArgs{
		Description:     pulumi.String("Allow internet access."),
		Type:            pulumi.String("egress"),
		FromPort:        pulumi.Int(0),
		ToPort:          pulumi.Int(0),
		Protocol:        pulumi.String("-1"),
		CidrBlocks:      pulumi.ToStringArray([]string{"0.0.0.0/0"}),
		SecurityGroupId: c.groupID,
	})
	return err
}

func (c *cluster) groupIDs() pulumi.StringArrayInput {
	if !c.hasGroup {
		return nil
	}
	return pulumi.StringArray{c.groupID}
}

// makeNodeGroup makes the nodes' security group with the rules between the two
// groups. It returns the group and the rule by which pods reach the API server.
func (c *cluster) makeNodeGroup() (*ec2.SecurityGroup, *ec2.SecurityGroupRule, error) {
	owned := c.eks.Name.ApplyT(func(cluster string) map[string]string {
		return map[string]string{
			"Name":                             c.name + "-nodeSecurityGroup",
			"kubernetes.io/cluster/" + cluster: "owned",
		}
	}).(pulumi.StringMapOutput)
	nodes, err := ec2.NewSecurityGroup(c.ctx, c.name+"-nodeSecurityGroup", &ec2.SecurityGroupArgs{
		VpcId:               c.in.VpcID,
		RevokeRulesOnDelete: pulumi.Bool(true),
		Tags:                mergeTags(owned, c.in.NodeSecurityGroupTags, c.in.Tags),
	}, pulumi.Parent(c.parent))
	if err != nil {
		return nil, nil, err
	}
	rules := []struct {
		name string
		args ec2.SecurityGroupRuleArgs
	}{
		{"eksNodeIngressRule", ec2.SecurityGroupRuleArgs{
			Description: pulumi.String("Allow nodes to communicate with each other"),
			Type:        pulumi.String("ingress"), Protocol: pulumi.String("-1"), FromPort: pulumi.Int(0), ToPort: pulumi.Int(0),
			SecurityGroupId: nodes.ID(), Self: pulumi.Bool(true),
		}},
		{"eksNodeClusterIngressRule", ec2.SecurityGroupRuleArgs{
			Description: pulumi.String("Allow worker Kubelets and pods to receive communication from the cluster control plane"),
			Type:        pulumi.String("ingress"), Protocol: pulumi.String("tcp"), FromPort: pulumi.Int(1025), ToPort: pulumi.Int(65535),
			SecurityGroupId: nodes.ID(), SourceSecurityGroupId: c.groupID,
		}},
		{"eksExtApiServerClusterIngressRule", ec2.SecurityGroupRuleArgs{
			Description: pulumi.String("Allow pods running extension API servers on port 443 to receive communication from cluster control plane"),
			Type:        pulumi.String("ingress"), Protocol: pulumi.String("tcp"), FromPort: pulumi.Int(443), ToPort: pulumi.Int(443),
			SecurityGroupId: nodes.ID(), SourceSecurityGroupId: c.groupID,
		}},
		{"eksNodeInternetEgressRule", ec2.SecurityGroupRuleArgs{
			Description: pulumi.String("Allow internet access."),
			Type:        pulumi.String("egress"), Protocol: pulumi.String("-1"), FromPort: pulumi.Int(0), ToPort: pulumi.Int(0),
			CidrBlocks:      pulumi.ToStringArray([]string{"0.0.0.0/0"}),
			SecurityGroupId: nodes.ID(),
		}},
	}
	for _, rule := range rules {
		if _, err := c.makeRule(rule.name, &rule.args); err != nil {
			return nil, nil, err
		}
	}
	ingress, err := c.makeRule("eksClusterIngressRule", &ec2.SecurityGroupRuleArgs{
		Description: pulumi.String("Allow pods to communicate with the cluster API Server"),
		Type:        pulumi.String("ingress"), Protocol: pulumi.String("tcp"), FromPort: pulumi.Int(443), ToPort: pulumi.Int(443),
		SecurityGroupId: c.groupID, SourceSecurityGroupId: nodes.ID(),
	})
	return nodes, ingress, err
}

func (c *cluster) makeRule(name string, args *ec2.SecurityGroupRuleArgs) (*ec2.SecurityGroupRule, error) {
	return ec2.NewSecurityGroupRule(c.ctx, c.name+"-"+name, args, pulumi.Parent(c.parent))
}
