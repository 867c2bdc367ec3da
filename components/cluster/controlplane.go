package cluster

import (
	"path"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	awseks "github.com/pulumi/pulumi-aws/sdk/v6/go/aws/eks"
	awsiam "github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi-eks/sdk/v3/go/eks"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"freehold.dev/freehold/internal/iam"
)

// logTypes are all that EKS's control plane writes.
var logTypes = []string{"api", "audit", "authenticator", "controllerManager", "scheduler"}

// controlPlane makes the EKS cluster itself, with the add-ons that run on
// every node from its first second.
func (b *builder) controlPlane() (*eks.Cluster, error) {
	// EKS writes to the group of this name and makes it when it is missing:
	// without encryption, and kept for ever. So it exists before the cluster
	// does. It is neither protected nor retained: an offboarded account must
	// end empty.
	logs, err := cloudwatch.NewLogGroup(b.ctx, b.child("logs"), &cloudwatch.LogGroupArgs{
		Name:            pulumi.String("/aws/eks/" + b.args.Name + "/cluster"),
		RetentionInDays: pulumi.Int(b.args.LogRetentionDays),
		KmsKeyId:        pulumi.String(b.args.LogKeyARN),
		Tags:            b.tags(b.args.Name + "-logs"),
	}, b.parent)
	if err != nil {
		return nil, err
	}
	role, policies, err := b.role("control-plane", b.args.ClusterRole, "Lets EKS run the cluster's control plane",
		trust("eks.amazonaws.com", "sts:AssumeRole"), "AmazonEKSClusterPolicy")
	if err != nil {
		return nil, err
	}
	secrets, err := b.inlinePolicy("control-plane", role, "encrypt-secrets", useKey(b.args.DataKeyARN))
	if err != nil {
		return nil, err
	}

	// The policies stay until the cluster is gone: EKS needs them to remove
	// its network interfaces.
	after := append(policies, logs, secrets)
	apiMode := eks.AuthenticationModeApi
	overwrite, overwriteUpdates := eks.ResolveConflictsOnCreateOverwrite, eks.ResolveConflictsOnUpdateOverwrite
	return eks.NewCluster(b.ctx, b.name, &eks.ClusterArgs{
		Name:    pulumi.String(b.args.Name),
		Version: pulumi.String(b.args.Version),

		VpcId:                 b.args.VPCID.ToStringOutput(),
		PrivateSubnetIds:      b.args.SubnetIDs,
		EndpointPrivateAccess: pulumi.Bool(true),
		EndpointPublicAccess:  pulumi.Bool(b.args.PublicEndpoint),
		PublicAccessCidrs:     b.allowList(),
		// The component's own groups are open to the internet on the way out
		// and join the control plane to nodes that we do not have. EKS's own
		// group already joins it to managed nodes.
		SkipDefaultSecurityGroups: new(true),
		SkipDefaultNodeGroup:      new(true),

		ServiceRole:            role,
		EncryptionConfigKeyArn: pulumi.String(b.args.DataKeyARN),
		EnabledClusterLogTypes: stringArray(logTypes),

		AuthenticationMode: &apiMode,
		AccessEntries:      b.accessEntries(),
		// The component's own kubeconfig would else be signed with whatever
		// credentials are ambient, which are the management account's. The
		// component asks the cluster for nothing that we use, so it does not
		// matter that this kubeconfig cannot name the role's external id.
		ProviderCredentialOpts: eks.KubeconfigOptionsArgs{RoleArn: pulumi.String(b.args.ProvisionRoleARN)},
		// Pod Identity needs no OIDC provider, and each is one more principal
		// that roles could come to trust.
		CreateOidcProvider: pulumi.Bool(false),

		VpcCniOptions: b.vpcCNIOptions(),
		KubeProxyAddonOptions: &eks.KubeProxyAddonOptionsArgs{
			Version:                  b.addonVersion(kubeProxy),
			ResolveConflictsOnCreate: &overwrite,
			ResolveConflictsOnUpdate: &overwriteUpdates,
		},
		// It waits for nodes, and nodes wait for this component: made below.
		CorednsAddonOptions: &eks.CoreDnsAddonOptionsArgs{Enabled: new(false)},

		Tags:        b.tags(""),
		ClusterTags: pulumi.StringMap{"Name": pulumi.String(b.args.Name)}, // else the component's own
	}, b.parent, pulumi.DependsOn(after), pulumi.Transforms([]pulumi.ResourceTransform{protectCluster(b.args.Protect)}))
}

// allowList is nil for a private endpoint, for which EKS refuses a list.
func (b *builder) allowList() pulumi.StringArrayInput {
	if !b.args.PublicEndpoint {
		return nil
	}
	return stringArray(b.args.AllowCIDRs)
}

// accessEntries lets each role of Args.Access in. The creator's entry is EKS's
// own and lives exactly as long as the cluster, so that the provision role can
// never lose its way in halfway through a removal.
func (b *builder) accessEntries() map[string]eks.AccessEntryArgs {
	entries := map[string]eks.AccessEntryArgs{}
	for _, a := range b.args.Access {
		entries[a.Name] = eks.AccessEntryArgs{
			PrincipalArn:     pulumi.String(a.RoleARN),
			KubernetesGroups: stringArray(a.Groups),
			AccessPolicies: map[string]eks.AccessPolicyAssociationInput{
				"cluster": eks.AccessPolicyAssociationArgs{
					PolicyArn:   pulumi.String("arn:aws:eks::aws:cluster-access-policy/" + a.Policy),
					AccessScope: awseks.AccessPolicyAssociationAccessScopeArgs{Type: pulumi.String("cluster")},
				},
			},
			Tags: b.tags(""),
		}
	}
	return entries
}

// role makes a role with managed policies attached, and returns what must
// exist before the role can do its work.
func (b *builder) role(part, name, description string, trust iam.Document, managed ...string) (*awsiam.Role, []pulumi.Resource, error) {
	role, err := awsiam.NewRole(b.ctx, b.child(part), &awsiam.RoleArgs{
		Name:                pulumi.String(name),
		Description:         pulumi.String(description),
		AssumeRolePolicy:    pulumi.String(trust.String()),
		PermissionsBoundary: pulumi.String(b.args.BoundaryARN),
		Tags:                b.tags(name),
	}, b.parent)
	if err != nil {
		return nil, nil, err
	}
	var attached []pulumi.Resource
	for _, policy := range managed {
		a, err := awsiam.NewRolePolicyAttachment(b.ctx, b.child(part+"-"+path.Base(policy)), &awsiam.RolePolicyAttachmentArgs{
			Role:      role.Name,
			PolicyArn: pulumi.String(policiesOfAWS + policy),
		}, b.parent)
		if err != nil {
			return nil, nil, err
		}
		attached = append(attached, a)
	}
	return role, attached, nil
}

func (b *builder) inlinePolicy(part string, role *awsiam.Role, name string, doc iam.Document) (pulumi.Resource, error) {
	return awsiam.NewRolePolicy(b.ctx, b.child(part+"-"+name), &awsiam.RolePolicyArgs{
		Name:   pulumi.String(name),
		Role:   role.Name,
		Policy: pulumi.String(doc.String()),
	}, b.parent)
}
