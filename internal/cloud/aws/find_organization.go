package aws

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	organizationstypes "github.com/aws/aws-sdk-go-v2/service/organizations/types"

	"freehold.dev/freehold/internal/awstype"
	"freehold.dev/freehold/internal/cloud"
	"freehold.dev/freehold/internal/event"
)

// findAccount finds an account by its e-mail, also one that is closed: AWS takes
// an e-mail once, and not even a closed account gives it back.
// https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-closing.html
//
// A creation gets its tags with its one call, so an account that lacks the org's
// was made by somebody else. A creation that is under way is in no list of accounts
// yet, and has no e-mail: one by the account's name may be it.
// https://docs.aws.amazon.com/organizations/latest/APIReference/API_CreateAccount.html
func findAccount(ctx context.Context, s *session, in inputs) ([]string, error) {
	email := in.text("email")
	all, err := every(ctx, organizations.NewListAccountsPaginator(s.org, &organizations.ListAccountsInput{}),
		func(p *organizations.ListAccountsOutput) []organizationstypes.Account { return p.Accounts })
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, a := range all {
		if strings.EqualFold(aws.ToString(a.Email), email) {
			ids = append(ids, aws.ToString(a.Id))
		}
	}
	if len(ids) == 0 {
		return nil, beingCreated(ctx, s, in.text("name"))
	}
	if tags := in.identity(); tags != nil {
		for _, id := range ids {
			if err := checkOrgOf(ctx, s, id, tags[awstype.OrgTag]); err != nil {
				return nil, err
			}
		}
	}
	return ids, nil
}

// beingCreated is a *cloud.PendingError while an account with the name is created.
func beingCreated(ctx context.Context, s *session, name string) error {
	if name == "" {
		return nil
	}
	under, err := every(ctx, organizations.NewListCreateAccountStatusPaginator(s.org, &organizations.ListCreateAccountStatusInput{
		States: []organizationstypes.CreateAccountState{organizationstypes.CreateAccountStateInProgress},
	}), func(p *organizations.ListCreateAccountStatusOutput) []organizationstypes.CreateAccountStatus {
		return p.CreateAccountStatuses
	})
	if err != nil {
		return err
	}
	for _, c := range under {
		if aws.ToString(c.AccountName) == name {
			return &cloud.PendingError{
				Reason: event.CreationQueue, After: 2 * time.Minute,
				Err: fmt.Errorf("the creation of account %q is still under way (%s)", name, aws.ToString(c.Id)),
			}
		}
	}
	return nil
}

// checkOrgOf refuses an account that does not have the org's tag.
func checkOrgOf(ctx context.Context, s *session, id, org string) error {
	tags, err := every(ctx, organizations.NewListTagsForResourcePaginator(s.org, &organizations.ListTagsForResourceInput{ResourceId: aws.String(id)}),
		func(p *organizations.ListTagsForResourceOutput) []organizationstypes.Tag { return p.Tags })
	if err != nil {
		return err
	}
	for _, t := range tags {
		if aws.ToString(t.Key) == awstype.OrgTag && aws.ToString(t.Value) == org {
			return nil
		}
	}
	return fmt.Errorf("account %s has the e-mail, and not the tag %s=%s that it was to be created with: somebody else has made it", id, awstype.OrgTag, org)
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
