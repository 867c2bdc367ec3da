package cluster

import (
	awseks "github.com/pulumi/pulumi-aws/sdk/v6/go/aws/eks"
	"github.com/pulumi/pulumi-eks/sdk/v3/go/eks"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// identityProvider has the API server believe the tokens of one more issuer.
// EKS updates the whole cluster for it, and refuses other changes meanwhile: it
// comes after everything else, and goes before. A cluster has one, and nothing
// of it can be changed but tags: for a change the old one goes first, and until
// the new one is there, nobody whom it knows gets in.
// https://docs.aws.amazon.com/eks/latest/userguide/authenticate-oidc-identity-provider.html
func (b *builder) identityProvider(controlPlane *eks.Cluster, after []pulumi.Resource) error {
	p := b.args.IdentityProvider
	if p == nil {
		return nil
	}
	oidc := &awseks.IdentityProviderConfigOidcArgs{
		IdentityProviderConfigName: pulumi.String(b.args.Name),
		IssuerUrl:                  pulumi.String(p.IssuerURL),
		ClientId:                   pulumi.String(p.ClientID),
		UsernameClaim:              pulumi.String(p.UsernameClaim),
		UsernamePrefix:             pulumi.String(p.UsernamePrefix),
	}
	if p.GroupsClaim != "" {
		oidc.GroupsClaim, oidc.GroupsPrefix = pulumi.String(p.GroupsClaim), pulumi.String(p.GroupsPrefix)
	}
	if len(p.RequiredClaims) > 0 {
		oidc.RequiredClaims = pulumi.ToStringMap(p.RequiredClaims)
	}
	_, err := awseks.NewIdentityProviderConfig(b.ctx, b.child("identity-provider"), &awseks.IdentityProviderConfigArgs{
		ClusterName: controlPlane.EksCluster.Name(),
		Oidc:        oidc,
		Tags:        b.tags(""),
	}, b.parent, pulumi.DependsOn(after), pulumi.DeleteBeforeReplace(true))
	return err
}
