package account_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"freehold.dev/freehold/components/account"
	"freehold.dev/freehold/internal/iam"
)

const (
	member      = "210987654321"
	otherOrg    = "310987654321"
	accessRole  = "arn:aws:iam::" + member + ":role/OrganizationAccountAccessRole"
	appRole     = "arn:aws:iam::" + member + ":role/freehold-acme-app"
	boundaryARN = "arn:aws:iam::" + member + ":policy/freehold-acme-boundary"
	provisioner = "arn:aws:iam::100000000001:role/freehold-provisioner"
)

func TestServicePoliciesDeny(t *testing.T) {
	docs := account.ServicePolicies("eu-central-1", "OrganizationAccountAccessRole", "freehold-acme-boundary")
	var all []iam.Statement
	for _, doc := range docs {
		all = append(all, doc.Statement...)
	}
	doc := iam.New(all...)
	home := map[string]string{"aws:RequestedRegion": "eu-central-1"}
	bounded := map[string]string{"aws:RequestedRegion": "eu-central-1", "iam:PermissionsBoundary": boundaryARN}
	tests := map[string]struct {
		req  iam.Request
		want iam.Verdict
	}{
		"a RAM share":                               {iam.Request{Action: "ram:CreateResourceShare", Resource: "*", Principal: accessRole, Context: home}, iam.Denied},
		"joining a RAM share":                       {iam.Request{Action: "ram:AssociateResourceShare", Resource: "*", Principal: appRole, Context: home}, iam.Denied},
		"accepting a RAM share":                     {iam.Request{Action: "ram:AcceptResourceShareInvitation", Resource: "*", Principal: appRole, Context: home}, iam.Denied},
		"asking for VPC peering":                    {iam.Request{Action: "ec2:CreateVpcPeeringConnection", Resource: "*", Principal: accessRole, Context: home}, iam.Denied},
		"accepting VPC peering":                     {iam.Request{Action: "ec2:AcceptVpcPeeringConnection", Resource: "*", Principal: appRole, Context: home}, iam.Denied},
		"a transit gateway":                         {iam.Request{Action: "ec2:CreateTransitGateway", Resource: "*", Principal: appRole, Context: home}, iam.Denied},
		"attaching to a transit gateway":            {iam.Request{Action: "ec2:CreateTransitGatewayVpcAttachment", Resource: "*", Principal: appRole, Context: home}, iam.Denied},
		"a PrivateLink service":                     {iam.Request{Action: "ec2:CreateVpcEndpointServiceConfiguration", Resource: "*", Principal: appRole, Context: home}, iam.Denied},
		"sharing a snapshot":                        {iam.Request{Action: "ec2:ModifySnapshotAttribute", Resource: "*", Principal: appRole, Context: home}, iam.Denied},
		"sharing an image":                          {iam.Request{Action: "ec2:ModifyImageAttribute", Resource: "*", Principal: appRole, Context: home}, iam.Denied},
		"leaving the organization":                  {iam.Request{Action: "organizations:LeaveOrganization", Resource: "*", Principal: accessRole, Context: home}, iam.Denied},
		"an IAM user":                               {iam.Request{Action: "iam:CreateUser", Resource: "*", Principal: accessRole, Context: bounded}, iam.Denied},
		"an access key":                             {iam.Request{Action: "iam:CreateAccessKey", Resource: "*", Principal: appRole, Context: home}, iam.Denied},
		"an identity provider":                      {iam.Request{Action: "iam:CreateOpenIDConnectProvider", Resource: "*", Principal: appRole, Context: home}, iam.Denied},
		"the root user":                             {iam.Request{Action: "s3:ListAllMyBuckets", Resource: "*", Principal: "arn:aws:iam::" + member + ":root", Context: home}, iam.Denied},
		"another region":                            {iam.Request{Action: "ec2:RunInstances", Resource: "*", Principal: accessRole, Context: map[string]string{"aws:RequestedRegion": "us-east-1"}}, iam.Denied},
		"a role without a boundary":                 {iam.Request{Action: "iam:CreateRole", Resource: appRole, Principal: accessRole, Context: home}, iam.Denied},
		"a role with another boundary":              {iam.Request{Action: "iam:CreateRole", Resource: appRole, Principal: appRole, Context: map[string]string{"aws:RequestedRegion": "eu-central-1", "iam:PermissionsBoundary": "arn:aws:iam::aws:policy/AdministratorAccess"}}, iam.Denied},
		"taking a boundary away":                    {iam.Request{Action: "iam:DeleteRolePermissionsBoundary", Resource: appRole, Principal: accessRole, Context: bounded}, iam.Denied},
		"editing the boundary":                      {iam.Request{Action: "iam:CreatePolicyVersion", Resource: boundaryARN, Principal: appRole, Context: home}, iam.Denied},
		"changing who may use the access role":      {iam.Request{Action: "iam:UpdateAssumeRolePolicy", Resource: accessRole, Principal: appRole, Context: home}, iam.Denied},
		"stopping the trail":                        {iam.Request{Action: "cloudtrail:StopLogging", Resource: "*", Principal: appRole, Context: home}, iam.Denied},
		"deleting the analyzer":                     {iam.Request{Action: "access-analyzer:DeleteAnalyzer", Resource: "*", Principal: appRole, Context: home}, iam.Denied},
		"opening the account's buckets":             {iam.Request{Action: "s3:PutAccountPublicAccessBlock", Resource: "*", Principal: appRole, Context: home}, iam.Denied},
		"switching disk encryption off":             {iam.Request{Action: "ec2:DisableEbsEncryptionByDefault", Resource: "*", Principal: appRole, Context: home}, iam.Denied},
		"deleting a key":                            {iam.Request{Action: "kms:ScheduleKeyDeletion", Resource: "*", Principal: appRole, Context: home}, iam.Denied},
		"letting another account invoke":            {iam.Request{Action: "lambda:AddPermission", Resource: "*", Principal: appRole, Context: home}, iam.Denied},
		"a table's policy":                          {iam.Request{Action: "dynamodb:PutResourcePolicy", Resource: "*", Principal: appRole, Context: home}, iam.Denied},
		"sharing a database's snapshot":             {iam.Request{Action: "rds:ModifyDBClusterSnapshotAttribute", Resource: "*", Principal: accessRole, Context: home}, iam.Denied},
		"logs sent elsewhere":                       {iam.Request{Action: "logs:PutSubscriptionFilter", Resource: "*", Principal: accessRole, Context: home}, iam.Denied},
		"events sent elsewhere":                     {iam.Request{Action: "events:PutTargets", Resource: "*", Principal: accessRole, Context: map[string]string{"aws:RequestedRegion": "eu-central-1", "events:TargetArn": "arn:aws:sqs:eu-central-1:" + otherOrg + ":q"}}, iam.Denied},
		"an endpoint of another account's service":  {iam.Request{Action: "ec2:CreateVpcEndpoint", Resource: "arn:aws:ec2:eu-central-1:" + member + ":vpc-endpoint/*", Principal: accessRole, Context: map[string]string{"aws:RequestedRegion": "eu-central-1", "ec2:VpceServiceOwner": otherOrg}}, iam.Denied},
		"not: an endpoint of AWS's service":         {iam.Request{Action: "ec2:CreateVpcEndpoint", Resource: "arn:aws:ec2:eu-central-1:" + member + ":vpc-endpoint/*", Principal: accessRole, Context: map[string]string{"aws:RequestedRegion": "eu-central-1", "ec2:VpceServiceOwner": "amazon"}}, iam.Silent},
		"not: an endpoint's own network":            {iam.Request{Action: "ec2:CreateVpcEndpoint", Resource: "arn:aws:ec2:eu-central-1:" + member + ":vpc/vpc-1", Principal: accessRole, Context: home}, iam.Silent},
		"not: events sent inside of the account":    {iam.Request{Action: "events:PutTargets", Resource: "*", Principal: accessRole, Context: map[string]string{"aws:RequestedRegion": "eu-central-1", "events:TargetArn": "arn:aws:sqs:eu-central-1:" + member + ":q"}}, iam.Silent},
		"not: a bucket's policy by the access role": {iam.Request{Action: "s3:PutBucketPolicy", Resource: "*", Principal: accessRole, Context: home}, iam.Silent},
		"not: an access entry of the cluster":       {iam.Request{Action: "eks:CreateAccessEntry", Resource: "*", Principal: appRole, Context: home}, iam.Silent},
		"not: a role with the boundary":             {iam.Request{Action: "iam:CreateRole", Resource: appRole, Principal: appRole, Context: bounded}, iam.Silent},
		"not: IAM, whose endpoint is elsewhere":     {iam.Request{Action: "iam:GetRole", Resource: appRole, Principal: appRole, Context: map[string]string{"aws:RequestedRegion": "us-east-1"}}, iam.Silent},
		"not: work in the region":                   {iam.Request{Action: "ec2:RunInstances", Resource: "*", Principal: appRole, Context: home}, iam.Silent},
		"not: the access role setting guards":       {iam.Request{Action: "s3:PutAccountPublicAccessBlock", Resource: "*", Principal: accessRole, Context: home}, iam.Silent},
		"not: the access role updating a trail":     {iam.Request{Action: "cloudtrail:UpdateTrail", Resource: "*", Principal: accessRole, Context: home}, iam.Silent},
		"not: the access role editing the boundary": {iam.Request{Action: "iam:CreatePolicyVersion", Resource: boundaryARN, Principal: accessRole, Context: home}, iam.Silent},
		"not: another policy's new version":         {iam.Request{Action: "iam:CreatePolicyVersion", Resource: "arn:aws:iam::" + member + ":policy/app", Principal: appRole, Context: home}, iam.Silent},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := doc.Evaluate(tt.req); got != tt.want {
				t.Errorf("%s by %s: %s, want %s", tt.req.Action, tt.req.Principal, got, tt.want)
			}
		})
	}
}

func TestResourcePolicyLetsOnlyTheAccountItselfIn(t *testing.T) {
	doc := account.ResourcePolicy(provisioner)
	here := map[string]string{"aws:ResourceAccount": member}
	tests := map[string]struct {
		req  iam.Request
		want iam.Verdict
	}{
		"another customer reads an object":           {iam.Request{Action: "s3:GetObject", Resource: "*", Principal: "arn:aws:iam::" + otherOrg + ":role/freehold-globex-app", Context: here}, iam.Denied},
		"another customer uses a key":                {iam.Request{Action: "kms:Decrypt", Resource: "*", Principal: "arn:aws:iam::" + otherOrg + ":role/x", Context: here}, iam.Denied},
		"another customer pulls an image":            {iam.Request{Action: "ecr:BatchGetImage", Resource: "*", Principal: "arn:aws:iam::" + otherOrg + ":role/x", Context: here}, iam.Denied},
		"another customer assumes a role":            {iam.Request{Action: "sts:AssumeRole", Resource: appRole, Principal: "arn:aws:iam::" + otherOrg + ":role/x", Context: here}, iam.Denied},
		"somebody in the management account":         {iam.Request{Action: "sts:AssumeRole", Resource: accessRole, Principal: "arn:aws:iam::100000000001:role/somebody", Context: here}, iam.Denied},
		"nobody, not signed in, reads an object":     {iam.Request{Action: "s3:GetObject", Resource: "*", Context: here}, iam.Denied},
		"the provisioner reads an object":            {iam.Request{Action: "s3:GetObject", Resource: "*", Principal: provisioner, Context: here}, iam.Denied},
		"a federated outsider assumes a role":        {iam.Request{Action: "sts:AssumeRoleWithWebIdentity", Resource: appRole, Context: here}, iam.Denied},
		"another customer's trail writes":            {iam.Request{Action: "s3:PutObject", Resource: "*", Service: "cloudtrail.amazonaws.com", Context: map[string]string{"aws:ResourceAccount": member, "aws:SourceAccount": otherOrg}}, iam.Denied},
		"not: the provisioner assumes a role":        {iam.Request{Action: "sts:AssumeRole", Resource: accessRole, Principal: provisioner, Context: here}, iam.Silent},
		"not: the account's own role":                {iam.Request{Action: "s3:GetObject", Resource: "*", Principal: appRole, Context: here}, iam.Silent},
		"not: the account's own role assumes a role": {iam.Request{Action: "sts:AssumeRole", Resource: appRole, Principal: appRole, Context: here}, iam.Silent},
		"not: the account's own trail writes":        {iam.Request{Action: "s3:PutObject", Resource: "*", Service: "cloudtrail.amazonaws.com", Context: map[string]string{"aws:ResourceAccount": member, "aws:SourceAccount": member}}, iam.Silent},
		"not: a service without a source":            {iam.Request{Action: "sts:AssumeRole", Resource: appRole, Service: "pods.eks.amazonaws.com", Context: here}, iam.Silent},
		"not: a request without a resource":          {iam.Request{Action: "s3:ListAllMyBuckets", Resource: "*", Principal: appRole}, iam.Silent},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := doc.Evaluate(tt.req); got != tt.want {
				t.Errorf("%s by %q: %s, want %s", tt.req.Action, tt.req.Principal, got, tt.want)
			}
		})
	}
}

// Names are as long as AWS lets them be, whatever the plan makes of the
// longest org.
func TestPoliciesFitAWSsLimitsWithTheLongestNames(t *testing.T) {
	name, policyName := strings.Repeat("r", 64), strings.Repeat("p", 128)
	type test struct {
		doc   iam.Document
		limit int
	}
	tests := map[string]test{
		"resource control policy": {account.ResourcePolicy("arn:aws:iam::100000000001:role/" + strings.Repeat("p", 512) + name), iam.MaxResourceControl},
	}
	services := account.ServicePolicies("ap-southeast-99", name, policyName)
	for i, doc := range services {
		tests[fmt.Sprintf("service control policy %d", i+1)] = test{doc, iam.MaxServiceControl}
	}
	// An account takes ten, of which AWS's own is one and others may be the operator's.
	if len(services) > 3 {
		t.Errorf("%d service control policies", len(services))
	}
	alphanumeric := regexp.MustCompile(`^[A-Za-z0-9]+$`)
	for title, tt := range tests {
		t.Run(title, func(t *testing.T) {
			size := len(tt.doc.String())
			t.Logf("%d of %d characters", size, tt.limit)
			if size > tt.limit {
				t.Errorf("%d characters, limit %d", size, tt.limit)
			}
			seen := map[string]bool{}
			for _, s := range tt.doc.Statement {
				if !alphanumeric.MatchString(s.Sid) || seen[s.Sid] {
					t.Errorf("Sid %q is not alphanumeric, or not unique", s.Sid)
				}
				seen[s.Sid] = true
				if s.Effect != iam.Deny {
					t.Errorf("%s: %s, want only denials: organizations attach their own full access", s.Sid, s.Effect)
				}
			}
		})
	}
}

// What the list says is what the policies deny, but for the cluster's stack, which the
// boundary knows.
func TestServicePoliciesDenyAllThatShares(t *testing.T) {
	docs := account.ServicePolicies("eu-central-1", "OrganizationAccountAccessRole", "freehold-acme-boundary")
	verdict := func(action, principal string) iam.Verdict {
		for _, doc := range docs {
			v := doc.Evaluate(iam.Request{Action: action, Resource: "*", Principal: principal, Context: map[string]string{"aws:RequestedRegion": "eu-central-1", "iam:PermissionsBoundary": boundaryARN}})
			if v != iam.Silent {
				return v
			}
		}
		return iam.Silent
	}
	for _, share := range iam.Sharing() {
		action := strings.ReplaceAll(share.Action, "*", "Any")
		byRole, byAccess := iam.Denied, iam.Denied
		switch {
		case share.When != nil:
			continue // asked in TestServicePoliciesDeny
		case share.Needed == iam.ByTheStack:
			byRole, byAccess = iam.Silent, iam.Silent
		case share.Needed == iam.ByAdministrators:
			byAccess = iam.Silent
		}
		if got := verdict(action, appRole); got != byRole {
			t.Errorf("%s by a role: %s, want %s", action, got, byRole)
		}
		if got := verdict(action, accessRole); got != byAccess {
			t.Errorf("%s by the access role: %s, want %s", action, got, byAccess)
		}
	}
}
