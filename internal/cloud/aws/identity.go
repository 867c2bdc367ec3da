package aws

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"freehold.dev/freehold/internal/cloud"
)

// Identity tells who the process is. The principal is the role or the user as
// trust policies and resource policies must name it; a session's own ARN
// changes with each session.
func (c *Cloud) Identity(ctx context.Context) (cloud.Identity, error) {
	out, err := sts.NewFromConfig(c.base).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return cloud.Identity{}, fmt.Errorf("sts:GetCallerIdentity: %w", err)
	}
	principal, err := c.principal(ctx, aws.ToString(out.Arn))
	if err != nil {
		return cloud.Identity{}, err
	}
	return cloud.Identity{AccountID: aws.ToString(out.Account), ARN: principal}, nil
}

// principal turns a caller's ARN into the one that policies name. The session
// of a role leaves the role's path out, so IAM is asked for the role.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
func (c *Cloud) principal(ctx context.Context, caller string) (string, error) {
	a, err := arn.Parse(caller)
	if err != nil {
		return "", fmt.Errorf("sts:GetCallerIdentity answered %q: %w", caller, err)
	}
	kind, name, _ := strings.Cut(a.Resource, "/")
	switch kind {
	case "user":
		return caller, nil
	case "root":
		return "", fmt.Errorf("%s is the account's root user, which Freehold does not run as: use a role", caller)
	case "assumed-role":
	default:
		return "", fmt.Errorf("%s is neither a role nor a user: use a role", caller)
	}
	role, _, _ := strings.Cut(name, "/")
	out, err := iam.NewFromConfig(c.base).GetRole(ctx, &iam.GetRoleInput{RoleName: aws.String(role)})
	if err != nil {
		return "", fmt.Errorf("iam:GetRole %s, to learn the ARN by which the orgs' accounts trust us: %w", role, err)
	}
	return aws.ToString(out.Role.Arn), nil
}
