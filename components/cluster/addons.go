package cluster

import (
	"encoding/json"
	"fmt"

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
	dns, err := b.addon(controlPlane, coreDNS, nil, nodes...)
	if err != nil {
		return nil, err
	}
	identity, err := b.ebsIdentity(controlPlane)
	if err != nil {
		return nil, err
	}
	// Pods get the credentials of an association only when it existed before
	// they were started.
	settings, err := b.ebsSettings()
	if err != nil {
		return nil, err
	}
	driver, err := b.addon(controlPlane, ebsCSI, settings, append(nodes, agent, identity)...)
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

// ebsSettings has the driver tag all volumes and snapshots that it makes, of
// whichever class they are. A storage class can say tags, too, and wins where both
// do; but nobody can change one, and EKS changes this in place. What is there
// already keeps its tags.
//
// https://github.com/kubernetes-sigs/aws-ebs-csi-driver/blob/master/docs/tagging.md
// https://github.com/kubernetes-sigs/aws-ebs-csi-driver/blob/master/charts/aws-ebs-csi-driver/values.schema.json
func (b *builder) ebsSettings() (pulumi.StringPtrInput, error) {
	if len(b.args.VolumeTags) == 0 {
		return nil, nil
	}
	text, err := json.Marshal(map[string]any{"controller": map[string]any{"extraVolumeTags": b.args.VolumeTags}})
	if err != nil {
		return nil, fmt.Errorf("encode the settings of %s: %w", ebsCSI, err)
	}
	return pulumi.String(text), nil
}

// addon installs one add-on at its version, over whatever EKS put there itself.
func (b *builder) addon(controlPlane *eks.Cluster, name string, settings pulumi.StringPtrInput, after ...pulumi.Resource) (pulumi.Resource, error) {
	return awseks.NewAddon(b.ctx, b.child(name), &awseks.AddonArgs{
		ClusterName:              controlPlane.EksCluster.Name(),
		AddonName:                pulumi.String(name),
		AddonVersion:             b.addonVersion(name),
		ConfigurationValues:      settings,
		ResolveConflictsOnCreate: pulumi.String("OVERWRITE"),
		ResolveConflictsOnUpdate: pulumi.String("OVERWRITE"),
		Tags:                     b.tags(""),
	}, b.parent, pulumi.DependsOn(after))
}
