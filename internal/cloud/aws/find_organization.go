package aws

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	organizationstypes "github.com/aws/aws-sdk-go-v2/service/organizations/types"
)

// findAccount finds an account by its e-mail, also one that is closed: AWS takes
// an e-mail once, and not even a closed account gives it back.
// https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-closing.html
func findAccount(ctx context.Context, s *session, in inputs) ([]string, error) {
	email := in.text("email")
	all, err := every(ctx, organizations.NewListAccountsPaginator(s.org, &organizations.ListAccountsInput{}),
		func(p *organizations.ListAccountsOutput) []organizationstypes.Account { return p.Accounts })
	var ids []string
	for _, a := range all {
		if strings.EqualFold(aws.ToString(a.Email), email) {
			ids = append(ids, aws.ToString(a.Id))
		}
	}
	return ids, err
}

func findUnit(ctx context.Context, s *session, in inputs) ([]string, error) {
	by := in.texts("parentId", "name")
	all, err := every(ctx, organizations.NewListOrganizationalUnitsForParentPaginator(s.org, &organizations.ListOrganizationalUnitsForParentInput{ParentId: aws.String(by[0])}),
		func(p *organizations.ListOrganizationalUnitsForParentOutput) []organizationstypes.OrganizationalUnit {
			return p.OrganizationalUnits
		})
	var ids []string
	for _, u := range all {
		if aws.ToString(u.Name) == by[1] {
			ids = append(ids, aws.ToString(u.Id))
		}
	}
	return ids, err
}

func findOrgPolicy(ctx context.Context, s *session, in inputs) ([]string, error) {
	kind := in.text("type")
	if kind == "" {
		kind = string(organizationstypes.PolicyTypeServiceControlPolicy) // the provider's default
	}
	all, err := every(ctx, organizations.NewListPoliciesPaginator(s.org, &organizations.ListPoliciesInput{Filter: organizationstypes.PolicyType(kind)}),
		func(p *organizations.ListPoliciesOutput) []organizationstypes.PolicySummary { return p.Policies })
	var ids []string
	for _, p := range all {
		if aws.ToString(p.Name) == in.text("name") {
			ids = append(ids, aws.ToString(p.Id))
		}
	}
	return ids, err
}

func findOrgAttachment(ctx context.Context, s *session, in inputs) ([]string, error) {
	by := in.texts("policyId", "targetId")
	policy, target := by[0], by[1]
	all, err := every(ctx, organizations.NewListTargetsForPolicyPaginator(s.org, &organizations.ListTargetsForPolicyInput{PolicyId: aws.String(policy)}),
		func(p *organizations.ListTargetsForPolicyOutput) []organizationstypes.PolicyTargetSummary {
			return p.Targets
		})
	id := ""
	for _, t := range all {
		if aws.ToString(t.TargetId) == target {
			id = target + ":" + policy
		}
	}
	return one(id, err)
}
