package aws

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/detective"
	detectivetypes "github.com/aws/aws-sdk-go-v2/service/detective/types"
	"github.com/aws/aws-sdk-go-v2/service/guardduty"
	guarddutytypes "github.com/aws/aws-sdk-go-v2/service/guardduty/types"
	"github.com/aws/aws-sdk-go-v2/service/inspector2"
	inspectortypes "github.com/aws/aws-sdk-go-v2/service/inspector2/types"
	"github.com/aws/aws-sdk-go-v2/service/macie2"
	macietypes "github.com/aws/aws-sdk-go-v2/service/macie2/types"
	"github.com/aws/aws-sdk-go-v2/service/securityhub"
	hubtypes "github.com/aws/aws-sdk-go-v2/service/securityhub/types"

	"freehold.dev/freehold/internal/awstype"
	"freehold.dev/freehold/internal/cloud"
)

// The services that watch an account may be watched from another one: an
// administrator sees its members' findings. Each is asked for the accounts on
// both sides, and for invitations that wait for an answer.

// membership is one account on the other side.
func membership(typ, property string, account *string) []cloud.Item {
	id := aws.ToString(account)
	if id == "" {
		return nil
	}
	return []cloud.Item{shared(typ, id, map[string]any{property: id})}
}

func listGuardDuty(ctx context.Context, s *session) ([]cloud.Item, error) {
	c := guardduty.NewFromConfig(s.cfg)
	detectors, err := walk(ctx, c.ListDetectors,
		func(next *string) *guardduty.ListDetectorsInput {
			return &guardduty.ListDetectorsInput{NextToken: next}
		},
		func(o *guardduty.ListDetectorsOutput) ([]string, *string) { return o.DetectorIds, o.NextToken })
	if err != nil {
		return nil, err
	}
	items, err := eachOf(ctx, detectors, func(ctx context.Context, detector string) ([]cloud.Item, error) {
		members, err := walk(ctx, c.ListMembers,
			func(next *string) *guardduty.ListMembersInput {
				return &guardduty.ListMembersInput{DetectorId: aws.String(detector), OnlyAssociated: aws.String("false"), NextToken: next}
			},
			func(o *guardduty.ListMembersOutput) ([]guarddutytypes.Member, *string) { return o.Members, o.NextToken })
		if err != nil {
			return nil, err
		}
		var items []cloud.Item
		for _, m := range members {
			items = append(items, membership(awstype.GuardDutyMember, "accountId", m.AccountId)...)
		}
		out, err := c.GetAdministratorAccount(ctx, &guardduty.GetAdministratorAccountInput{DetectorId: aws.String(detector)})
		if err != nil || out.Administrator == nil {
			return items, err
		}
		return append(items, membership(awstype.GuardDutyInvitation, "masterAccountId", out.Administrator.AccountId)...), nil
	})
	if err != nil {
		return items, err
	}
	invitations, err := walk(ctx, c.ListInvitations,
		func(next *string) *guardduty.ListInvitationsInput {
			return &guardduty.ListInvitationsInput{NextToken: next}
		},
		func(o *guardduty.ListInvitationsOutput) ([]guarddutytypes.Invitation, *string) {
			return o.Invitations, o.NextToken
		})
	for _, i := range invitations {
		items = append(items, membership(awstype.GuardDutyInvitation, "masterAccountId", i.AccountId)...)
	}
	return once(items), err
}

func listMacie(ctx context.Context, s *session) ([]cloud.Item, error) {
	c := macie2.NewFromConfig(s.cfg)
	var items []cloud.Item
	members, err := walk(ctx, c.ListMembers,
		func(next *string) *macie2.ListMembersInput {
			return &macie2.ListMembersInput{OnlyAssociated: aws.String("false"), NextToken: next}
		},
		func(o *macie2.ListMembersOutput) ([]macietypes.Member, *string) { return o.Members, o.NextToken })
	if err != nil {
		return nil, unlessUnused(err)
	}
	for _, m := range members {
		items = append(items, membership(awstype.MacieMember, "accountId", m.AccountId)...)
	}
	out, err := c.GetAdministratorAccount(ctx, &macie2.GetAdministratorAccountInput{})
	switch {
	case err == nil && out.Administrator != nil:
		items = append(items, membership(awstype.MacieInvitation, "administratorAccountId", out.Administrator.AccountId)...)
	case err != nil && !gone(err):
		return items, unlessUnused(called(err))
	}
	invitations, err := walk(ctx, c.ListInvitations,
		func(next *string) *macie2.ListInvitationsInput {
			return &macie2.ListInvitationsInput{NextToken: next}
		},
		func(o *macie2.ListInvitationsOutput) ([]macietypes.Invitation, *string) {
			return o.Invitations, o.NextToken
		})
	for _, i := range invitations {
		items = append(items, membership(awstype.MacieInvitation, "administratorAccountId", i.AccountId)...)
	}
	return once(items), unlessUnused(err)
}

// listDetective lists the members of the account's own graphs, and the graphs of
// others that it was invited to: Detective lists open and accepted invitations alike.
func listDetective(ctx context.Context, s *session) ([]cloud.Item, error) {
	c := detective.NewFromConfig(s.cfg)
	graphs, err := walk(ctx, c.ListGraphs,
		func(next *string) *detective.ListGraphsInput { return &detective.ListGraphsInput{NextToken: next} },
		func(o *detective.ListGraphsOutput) ([]detectivetypes.Graph, *string) { return o.GraphList, o.NextToken })
	if err != nil {
		return nil, err
	}
	items, err := eachOf(ctx, graphs, func(ctx context.Context, g detectivetypes.Graph) ([]cloud.Item, error) {
		members, err := walk(ctx, c.ListMembers,
			func(next *string) *detective.ListMembersInput {
				return &detective.ListMembersInput{GraphArn: g.Arn, NextToken: next}
			},
			func(o *detective.ListMembersOutput) ([]detectivetypes.MemberDetail, *string) {
				return o.MemberDetails, o.NextToken
			})
		var items []cloud.Item
		for _, m := range members {
			items = append(items, membership(awstype.DetectiveMember, "accountId", m.AccountId)...)
		}
		return items, err
	})
	if err != nil {
		return items, err
	}
	invitations, err := walk(ctx, c.ListInvitations,
		func(next *string) *detective.ListInvitationsInput {
			return &detective.ListInvitationsInput{NextToken: next}
		},
		func(o *detective.ListInvitationsOutput) ([]detectivetypes.MemberDetail, *string) {
			return o.Invitations, o.NextToken
		})
	for _, i := range invitations {
		graph := aws.ToString(i.GraphArn)
		items = append(items, shared(awstype.DetectiveInvitation, graph, map[string]any{"graphArn": graph}))
	}
	return items, err
}

func listSecurityHub(ctx context.Context, s *session) ([]cloud.Item, error) {
	c := securityhub.NewFromConfig(s.cfg)
	var items []cloud.Item
	members, err := walk(ctx, c.ListMembers,
		func(next *string) *securityhub.ListMembersInput {
			return &securityhub.ListMembersInput{OnlyAssociated: aws.Bool(false), NextToken: next}
		},
		func(o *securityhub.ListMembersOutput) ([]hubtypes.Member, *string) { return o.Members, o.NextToken })
	if err != nil {
		return nil, unlessUnused(err)
	}
	for _, m := range members {
		items = append(items, membership(awstype.SecurityHubMember, "accountId", m.AccountId)...)
	}
	out, err := c.GetAdministratorAccount(ctx, &securityhub.GetAdministratorAccountInput{})
	switch {
	case err == nil && out.Administrator != nil:
		items = append(items, membership(awstype.SecurityHubInvitation, "masterId", out.Administrator.AccountId)...)
	case err != nil && !gone(err):
		return items, unlessUnused(called(err))
	}
	invitations, err := walk(ctx, c.ListInvitations,
		func(next *string) *securityhub.ListInvitationsInput {
			return &securityhub.ListInvitationsInput{NextToken: next}
		},
		func(o *securityhub.ListInvitationsOutput) ([]hubtypes.Invitation, *string) {
			return o.Invitations, o.NextToken
		})
	for _, i := range invitations {
		items = append(items, membership(awstype.SecurityHubInvitation, "masterId", i.AccountId)...)
	}
	return once(items), unlessUnused(err)
}

// listInspector lists the members that the account administers, and who
// administers it: Inspector has no invitations.
func listInspector(ctx context.Context, s *session) ([]cloud.Item, error) {
	c := inspector2.NewFromConfig(s.cfg)
	var items []cloud.Item
	members, err := walk(ctx, c.ListMembers,
		func(next *string) *inspector2.ListMembersInput {
			return &inspector2.ListMembersInput{OnlyAssociated: aws.Bool(false), NextToken: next}
		},
		func(o *inspector2.ListMembersOutput) ([]inspectortypes.Member, *string) {
			return o.Members, o.NextToken
		})
	if err = unlessUnused(err); err != nil {
		return nil, err
	}
	for _, m := range members {
		items = append(items, membership(awstype.InspectorMember, "accountId", m.AccountId)...)
	}
	out, err := c.GetDelegatedAdminAccount(ctx, &inspector2.GetDelegatedAdminAccountInput{})
	switch {
	case err == nil && out.DelegatedAdmin != nil && aws.ToString(out.DelegatedAdmin.AccountId) != s.account:
		items = append(items, membership(awstype.InspectorMember, "delegatedAdminAccountId", out.DelegatedAdmin.AccountId)...)
	case err != nil && !gone(err):
		return items, unlessUnused(called(err))
	}
	return items, nil
}
