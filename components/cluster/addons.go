package cluster

import (
	awseks "github.com/pulumi/pulumi-aws/sdk/v6/go/aws/eks"
	"github.com/pulumi/pulumi-eks/sdk/v3/go/eks"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// The add-ons that every cluster has, by EKS's names.
const (
	vpcCNI           = "vpc-cni"
	kubeProxy        = "kube-proxy"
	coreDNS          = "coredns"
	ebsCSI           = "aws-ebs-csi-driver"
	podIdentityAgent = "eks-pod-identity-agent"
)

var addons = []string{vpcCNI, kubeProxy, coreDNS, ebsCSI, podIdentityAgent}

func (b *builder) addonVersion(name string) pulumi.String {
	return pulumi.String(b.args.AddonVersions[name])
}

// vpcCNIOptions turns network policies on.
//
// The enforcing mode is "standard": a pod without a policy talks to everybody,
// and a pod with one may do so for the second until the policy reaches its
// node. In "strict" mode CoreDNS itself cannot start before a policy lets it,
// policies come with bootstrap, and bootstrap comes after the add-on that waits
// for CoreDNS: no cluster would ever be finished. What strict mode would give
// to projects, the namespace controller gives by a policy that denies all in a
// namespace before the first pod can be put there.
// https://docs.aws.amazon.com/eks/latest/userguide/cni-network-policy-configure.html
func (b *builder) vpcCNIOptions() *eks.VpcCniOptionsArgs {
	return &eks.VpcCniOptionsArgs{
		AddonVersion:        b.addonVersion(vpcCNI),
		EnableNetworkPolicy: pulumi.Bool(true),
		ConfigurationValues: pulumi.Map{
			"env": pulumi.Map{"NETWORK_POLICY_ENFORCING_MODE": pulumi.String("standard")},
		},
	}
}

// nodeAddons makes the add-ons that are healthy only when they run on a node.
func (b *builder) nodeAddons(controlPlane *eks.Cluster, agent pulumi.Resource, nodes []pulumi.Resource) ([]pulumi.Resource, error) {
	dns, err := b.addon(controlPlane, coreDNS, nodes...)
	if err != nil {
		return nil, err
	}
	identity, err := b.ebsIdentity(controlPlane)
	if err != nil {
		return nil, err
	}
	// Pods get the credentials of an association only when it existed before
	// they were started.
	driver, err := b.addon(controlPlane, ebsCSI, append(nodes, agent, identity)...)
	return []pulumi.Resource{dns, driver}, err
}

// ebsIdentity gives the EBS driver, and no other pod, the right to make volumes.
func (b *builder) ebsIdentity(controlPlane *eks.Cluster) (pulumi.Resource, error) {
	const part = "ebs-csi"
	role, policies, err := b.role(part, b.args.EBSRole, "Lets the EBS driver make encrypted volumes",
		podTrust(), "service-role/AmazonEBSCSIDriverPolicy")
	if err != nil {
		return nil, err
	}
	volumes, err := b.inlinePolicy(part, role, "encrypt-volumes", encryptVolumes(b.args.DataKeyARN))
	if err != nil {
		return nil, err
	}
	return b.associate(controlPlane, part, "kube-system", "ebs-csi-controller-sa", role, append(policies, volumes))
}

// addon installs one add-on at its version, over whatever EKS put there itself.
func (b *builder) addon(controlPlane *eks.Cluster, name string, after ...pulumi.Resource) (pulumi.Resource, error) {
	return awseks.NewAddon(b.ctx, b.child(name), &awseks.AddonArgs{
		ClusterName:              controlPlane.EksCluster.Name(),
		AddonName:                pulumi.String(name),
		AddonVersion:             b.addonVersion(name),
		ResolveConflictsOnCreate: pulumi.String("OVERWRITE"),
		ResolveConflictsOnUpdate: pulumi.String("OVERWRITE"),
		Tags:                     b.tags(""),
	}, b.parent, pulumi.DependsOn(after))
}
