package boundary

import (
	awsiam "github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"freehold.dev/freehold/internal/iam"
)

// roles makes the permissions boundary and the phase roles.
//
// Each phase role has the boundary itself. It could do its work without: but a
// role of ours outside the fence would be the one place from which a leaked
// session could open it, and the organization's policy refuses roles without.
// It works because the boundary denies only what the access role does, which
// makes this layer and is outside.
func (b *Boundary) roles(ctx *pulumi.Context, a Args) error {
	// Protect: without it every role of the account would be unbounded. IAM
	// itself refuses to delete it while a role has it, which covers the
	// cluster's roles even when nothing is protected.
	fence, err := awsiam.NewPolicy(ctx, "boundary", &awsiam.PolicyArgs{
		Name:        pulumi.String(a.BoundaryName),
		Description: pulumi.String("The fence around every role of this account"),
		Policy:      pulumi.String(PermissionsBoundary(a).String()),
		Tags:        a.tags(),
	}, pulumi.Parent(b), pulumi.Protect(a.Protected))
	if err != nil {
		return err
	}
	b.BoundaryARN = fence.Arn

	provision, err := b.phase(ctx, a, "provision-role", a.ProvisionRole, "Makes and changes the org's cluster", ProvisionPolicy(a))
	if err != nil {
		return err
	}
	read, err := b.phase(ctx, a, "read-role", a.ReadRole, "Reads how the org's resources are set, and no data", ReadPolicy())
	if err != nil {
		return err
	}
	bootstrap, err := b.phase(ctx, a, "bootstrap-role", a.BootstrapRole, "Reaches the Kubernetes API of the org's cluster", BootstrapPolicy(a))
	if err != nil {
		return err
	}
	offboard, err := b.phase(ctx, a, "offboard-role", a.OffboardRole, "Takes the org's cluster away", OffboardPolicy(a))
	if err != nil {
		return err
	}
	b.ProvisionRoleARN, b.ReadRoleARN, b.BootstrapRoleARN, b.OffboardRoleARN = provision.Arn, read.Arn, bootstrap.Arn, offboard.Arn

	attachments := []struct{ name, arn string }{
		{"read-role-view-only", "arn:aws:iam::aws:policy/job-function/ViewOnlyAccess"},
		{"read-role-security-audit", "arn:aws:iam::aws:policy/SecurityAudit"},
	}
	for _, at := range attachments {
		_, err := awsiam.NewRolePolicyAttachment(ctx, at.name, &awsiam.RolePolicyAttachmentArgs{
			Role:      read.Name,
			PolicyArn: pulumi.String(at.arn),
		}, pulumi.Parent(b))
		if err != nil {
			return err
		}
	}
	return nil
}

// phase makes one role with what it may do. The role is protected, because
// losing the ways in while the cluster stands leaves it to nobody; its policy
// is not, because the next run puts it back.
func (b *Boundary) phase(ctx *pulumi.Context, a Args, name, roleName, description string, may iam.Document) (*awsiam.Role, error) {
	role, err := awsiam.NewRole(ctx, name, &awsiam.RoleArgs{
		Name:                pulumi.String(roleName),
		Description:         pulumi.String(description),
		AssumeRolePolicy:    pulumi.String(Trust(a).String()),
		PermissionsBoundary: b.BoundaryARN,
		// The provisioner comes by a role of its own, and AWS ends such
		// chained sessions after an hour in any case.
		MaxSessionDuration: pulumi.Int(3600),
		Tags:               a.tags(),
	}, pulumi.Parent(b), pulumi.Protect(a.Protected))
	if err != nil {
		return nil, err
	}
	_, err = awsiam.NewRolePolicy(ctx, name, &awsiam.RolePolicyArgs{
		Name:   pulumi.String(name),
		Role:   role.Name,
		Policy: pulumi.String(may.String()),
	}, pulumi.Parent(b))
	return role, err
}
