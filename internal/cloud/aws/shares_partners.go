package aws

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/auditmanager"
	audittypes "github.com/aws/aws-sdk-go-v2/service/auditmanager/types"
	"github.com/aws/aws-sdk-go-v2/service/cleanrooms"
	cleantypes "github.com/aws/aws-sdk-go-v2/service/cleanrooms/types"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	configtypes "github.com/aws/aws-sdk-go-v2/service/configservice/types"
	"github.com/aws/aws-sdk-go-v2/service/licensemanager"
	licensetypes "github.com/aws/aws-sdk-go-v2/service/licensemanager/types"
	"github.com/aws/aws-sdk-go-v2/service/oam"
	oamtypes "github.com/aws/aws-sdk-go-v2/service/oam/types"

	"freehold.dev/freehold/internal/awstype"
	"freehold.dev/freehold/internal/cloud"
)

// listObservability lists to which sinks the account shows its metrics and logs,
// and who may link, and who has linked, to its own sinks.
func listObservability(ctx context.Context, s *session) ([]cloud.Item, error) {
	c := oam.NewFromConfig(s.cfg)
	links, err := walk(ctx, c.ListLinks,
		func(next *string) *oam.ListLinksInput { return &oam.ListLinksInput{NextToken: next} },
		func(o *oam.ListLinksOutput) ([]oamtypes.ListLinksItem, *string) { return o.Items, o.NextToken })
	var items []cloud.Item
	for _, l := range links {
		it := shared(awstype.OAMLink, aws.ToString(l.Arn), map[string]any{"sinkArn": aws.ToString(l.SinkArn)})
		it.Name = aws.ToString(l.Label)
		items = append(items, it)
	}
	if err != nil {
		return items, err
	}
	sinks, err := walk(ctx, c.ListSinks,
		func(next *string) *oam.ListSinksInput { return &oam.ListSinksInput{NextToken: next} },
		func(o *oam.ListSinksOutput) ([]oamtypes.ListSinksItem, *string) { return o.Items, o.NextToken })
	if err != nil {
		return items, err
	}
	more, err := eachOf(ctx, sinks, func(ctx context.Context, k oamtypes.ListSinksItem) ([]cloud.Item, error) {
		attached, err := walk(ctx, c.ListAttachedLinks,
			func(next *string) *oam.ListAttachedLinksInput {
				return &oam.ListAttachedLinksInput{SinkIdentifier: k.Arn, NextToken: next}
			},
			func(o *oam.ListAttachedLinksOutput) ([]oamtypes.ListAttachedLinksItem, *string) {
				return o.Items, o.NextToken
			})
		if err != nil {
			return nil, err
		}
		var arns []any
		for _, l := range attached {
			arns = append(arns, aws.ToString(l.LinkArn))
		}
		it := shared(awstype.OAMSink, aws.ToString(k.Arn), map[string]any{"linkArns": arns})
		it.Name = aws.ToString(k.Name)
		items := []cloud.Item{it}
		policy, err := c.GetSinkPolicy(ctx, &oam.GetSinkPolicyInput{SinkIdentifier: k.Arn})
		switch {
		case err == nil:
			items = append(items, policyItem(awstype.OAMSinkPolicy, aws.ToString(k.Arn), "policy", aws.ToString(policy.Policy))...)
		case !gone(err):
			return items, err
		}
		return items, nil
	})
	return append(items, more...), err
}

func listConfigAuthorizations(ctx context.Context, s *session) ([]cloud.Item, error) {
	all, err := walk(ctx, configservice.NewFromConfig(s.cfg).DescribeAggregationAuthorizations,
		func(next *string) *configservice.DescribeAggregationAuthorizationsInput {
			return &configservice.DescribeAggregationAuthorizationsInput{NextToken: next}
		},
		func(o *configservice.DescribeAggregationAuthorizationsOutput) ([]configtypes.AggregationAuthorization, *string) {
			return o.AggregationAuthorizations, o.NextToken
		})
	var items []cloud.Item
	for _, a := range all {
		who := aws.ToString(a.AuthorizedAccountId)
		it := shared(awstype.ConfigAuthorization, who+":"+aws.ToString(a.AuthorizedAwsRegion), map[string]any{"accountId": who})
		it.ARN = aws.ToString(a.AggregationAuthorizationArn)
		items = append(items, it)
	}
	return items, err
}

// listCleanRooms lists the collaborations that the account is in, or is invited
// to, with who else is.
func listCleanRooms(ctx context.Context, s *session) ([]cloud.Item, error) {
	c := cleanrooms.NewFromConfig(s.cfg)
	left := func(status cleantypes.MemberStatus) bool {
		return status == cleantypes.MemberStatusLeft || status == cleantypes.MemberStatusRemoved
	}
	all, err := walk(ctx, c.ListCollaborations,
		func(next *string) *cleanrooms.ListCollaborationsInput {
			return &cleanrooms.ListCollaborationsInput{NextToken: next}
		},
		func(o *cleanrooms.ListCollaborationsOutput) ([]cleantypes.CollaborationSummary, *string) {
			return o.CollaborationList, o.NextToken
		})
	if err != nil {
		return nil, err
	}
	return eachOf(ctx, all, func(ctx context.Context, k cleantypes.CollaborationSummary) ([]cloud.Item, error) {
		if left(k.MemberStatus) {
			return nil, nil
		}
		with, err := walk(ctx, c.ListMembers,
			func(next *string) *cleanrooms.ListMembersInput {
				return &cleanrooms.ListMembersInput{CollaborationIdentifier: k.Id, NextToken: next}
			},
			func(o *cleanrooms.ListMembersOutput) ([]cleantypes.MemberSummary, *string) {
				return o.MemberSummaries, o.NextToken
			})
		var members []any
		for _, m := range with {
			if !left(m.Status) {
				members = append(members, map[string]any{"accountId": aws.ToString(m.AccountId)})
			}
		}
		it := shared(awstype.CleanRoom, aws.ToString(k.Id), map[string]any{"members": members, "creatorAccountId": aws.ToString(k.CreatorAccountId)})
		it.Name, it.ARN = aws.ToString(k.Name), aws.ToString(k.Arn)
		return []cloud.Item{it}, err
	})
}

// listFrameworkShares lists the requests that stand: those that ended, whoever
// ended them, share nothing.
func listFrameworkShares(ctx context.Context, s *session) ([]cloud.Item, error) {
	c := auditmanager.NewFromConfig(s.cfg)
	var items []cloud.Item
	for _, kind := range []audittypes.ShareRequestType{audittypes.ShareRequestTypeSent, audittypes.ShareRequestTypeReceived} {
		all, err := walk(ctx, c.ListAssessmentFrameworkShareRequests,
			func(next *string) *auditmanager.ListAssessmentFrameworkShareRequestsInput {
				return &auditmanager.ListAssessmentFrameworkShareRequestsInput{RequestType: kind, NextToken: next}
			},
			func(o *auditmanager.ListAssessmentFrameworkShareRequestsOutput) ([]audittypes.AssessmentFrameworkShareRequest, *string) {
				return o.AssessmentFrameworkShareRequests, o.NextToken
			})
		for _, r := range all {
			if isState(string(r.Status), "FAILED", "EXPIRED", "DECLINED", "REVOKED") {
				continue
			}
			it := shared(awstype.AuditFrameworkShare, aws.ToString(r.Id), map[string]any{
				"destinationAccount": aws.ToString(r.DestinationAccount), "sourceAccount": aws.ToString(r.SourceAccount),
			})
			it.Name = aws.ToString(r.FrameworkName)
			items = append(items, it)
		}
		if err != nil {
			return items, unlessUnused(err)
		}
	}
	return items, nil
}

func listLicenseGrants(ctx context.Context, s *session) ([]cloud.Item, error) {
	c := licensemanager.NewFromConfig(s.cfg)
	ended := func(g licensetypes.Grant) bool {
		return isState(string(g.GrantStatus), "REJECTED", "FAILED_WORKFLOW", "DELETED")
	}
	var items []cloud.Item
	given, err := walk(ctx, c.ListDistributedGrants,
		func(next *string) *licensemanager.ListDistributedGrantsInput {
			return &licensemanager.ListDistributedGrantsInput{NextToken: next}
		},
		func(o *licensemanager.ListDistributedGrantsOutput) ([]licensetypes.Grant, *string) {
			return o.Grants, o.NextToken
		})
	for _, g := range given {
		if !ended(g) {
			it := shared(awstype.LicenseGrant, aws.ToString(g.GrantArn), map[string]any{"principal": aws.ToString(g.GranteePrincipalArn)})
			it.Name = aws.ToString(g.GrantName)
			items = append(items, it)
		}
	}
	if err != nil {
		return items, unlessUnused(err)
	}
	taken, err := walk(ctx, c.ListReceivedGrants,
		func(next *string) *licensemanager.ListReceivedGrantsInput {
			return &licensemanager.ListReceivedGrantsInput{NextToken: next}
		},
		func(o *licensemanager.ListReceivedGrantsOutput) ([]licensetypes.Grant, *string) {
			return o.Grants, o.NextToken
		})
	for _, g := range taken {
		if !ended(g) {
			arn := aws.ToString(g.GrantArn)
			it := shared(awstype.LicenseGrantTaken, arn, map[string]any{"grantArn": arn})
			it.Name = aws.ToString(g.GrantName)
			items = append(items, it)
		}
	}
	return items, unlessUnused(err)
}
