package aws

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// A policy is the way in by whose it is, and not by its name.
func TestAPolicyIsTheWayInIfTheAccessRoleHasItAndNobodyElse(t *testing.T) {
	const documented, boundary = "arn:aws:iam::444455556666:policy/onboarding-access-role", "arn:aws:iam::444455556666:policy/limits"
	in := entrance{&role{Role: iamtypes.Role{PermissionsBoundary: &iamtypes.AttachedPermissionsBoundary{PermissionsBoundaryArn: aws.String(boundary)}}}, map[string]bool{documented: true}}
	for reason, tc := range map[string]struct {
		in                   entrance
		arn                  string
		attached, boundaries int32
		has, only            bool
	}{
		"attached to the role":                       {in, documented, 1, 0, true, true},
		"attached to another role as well":           {in, documented, 2, 0, true, false},
		"attached, and another's boundary":           {in, documented, 1, 1, true, false},
		"the role's boundary":                        {in, boundary, 0, 1, true, true},
		"another's boundary as well":                 {in, boundary, 0, 2, true, false},
		"the role's boundary, attached to another":   {in, boundary, 1, 1, true, false},
		"of the documented name, on another role":    {in, "arn:aws:iam::444455556666:policy/x/onboarding-access-role", 1, 0, false, false},
		"of the documented name, and nobody's":       {entrance{in.role, nil}, documented, 0, 0, false, false},
		"an account that we did not enter by a role": {entrance{}, documented, 1, 0, false, false},
	} {
		t.Run(reason, func(t *testing.T) {
			has, only := tc.in.has(iamtypes.Policy{Arn: aws.String(tc.arn), AttachmentCount: aws.Int32(tc.attached), PermissionsBoundaryUsageCount: aws.Int32(tc.boundaries)})
			if has != tc.has || only != tc.only {
				t.Errorf("has %t, only %t; want %t, %t", has, only, tc.has, tc.only)
			}
		})
	}
}

func TestAPolicyWhoseUsersAreNotCountedIsNotTheAccessRolesAlone(t *testing.T) {
	const documented = "arn:aws:iam::444455556666:policy/onboarding-access-role"
	in := entrance{&role{}, map[string]bool{documented: true}}
	if has, only := in.has(iamtypes.Policy{Arn: aws.String(documented)}); !has || only {
		t.Errorf("has %t, only %t; want it to be there, and not known to be for the role alone", has, only)
	}
}
