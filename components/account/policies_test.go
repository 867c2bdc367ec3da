package account_test

import (
	"regexp"
	"strings"
	"testing"

	"freehold.dev/freehold/components/account"
	"freehold.dev/freehold/components/iampolicy"
)

const (
	member      = "210987654321"
	otherOrg    = "310987654321"
	accessRole  = "arn:aws:iam::" + member + ":role/OrganizationAccountAccessRole"
	appRole     = "arn:aws:iam::" + member + ":role/freehold-acme-app"
	boundaryARN = "arn:aws:iam::" + member + ":policy/freehold-acme-boundary"
	provisioner = "arn:aws:iam::100000000001:role/freehold-provisioner"
)

func TestServicePolicyDenies(t *testing.T) {
	doc := account.ServicePolicy("eu-central-1", "OrganizationAccountAccessRole", "freehold-acme-boundary")
	home := map[string]string{"aws:RequestedRegion": "eu-central-1"}
	bounded := map[string]string{"aws:RequestedRegion": "eu-central-1", "iam:PermissionsBoundary": boundaryARN}
	tests := map[string]struct {
		req  iampolicy.Request
		want iampolicy.Verdict
	}{
		"a RAM share":                               {iampolicy.Request{Action: "ram:CreateResourceShare", Resource: "*", Principal: accessRole, Context: home}, iampolicy.Denied},
		"joining a RAM share":                       {iampolicy.Request{Action: "ram:AssociateResourceShare", Resource: "*", Principal: appRole, Context: home}, iampolicy.Denied},
		"accepting a RAM share":                     {iampolicy.Request{Action: "ram:AcceptResourceShareInvitation", Resource: "*", Principal: appRole, Context: home}, iampolicy.Denied},
		"asking for VPC peering":                    {iampolicy.Request{Action: "ec2:CreateVpcPeeringConnection", Resource: "*", Principal: accessRole, Context: home}, iampolicy.Denied},
		"accepting VPC peering":                     {iampolicy.Request{Action: "ec2:AcceptVpcPeeringConnection", Resource: "*", Principal: appRole, Context: home}, iampolicy.Denied},
		"a transit gateway":                         {iampolicy.Request{Action: "ec2:CreateTransitGateway", Resource: "*", Principal: appRole, Context: home}, iampolicy.Denied},
		"attaching to a transit gateway":            {iampolicy.Request{Action: "ec2:CreateTransitGatewayVpcAttachment", Resource: "*", Principal: appRole, Context: home}, iampolicy.Denied},
		"a PrivateLink service":                     {iampolicy.Request{Action: "ec2:CreateVpcEndpointServiceConfiguration", Resource: "*", Principal: appRole, Context: home}, iampolicy.Denied},
		"sharing a snapshot":                        {iampolicy.Request{Action: "ec2:ModifySnapshotAttribute", Resource: "*", Principal: appRole, Context: home}, iampolicy.Denied},
		"sharing an image":                          {iampolicy.Request{Action: "ec2:ModifyImageAttribute", Resource: "*", Principal: appRole, Context: home}, iampolicy.Denied},
		"leaving the organization":                  {iampolicy.Request{Action: "organizations:LeaveOrganization", Resource: "*", Principal: accessRole, Context: home}, iampolicy.Denied},
		"an IAM user":                               {iampolicy.Request{Action: "iam:CreateUser", Resource: "*", Principal: accessRole, Context: bounded}, iampolicy.Denied},
		"an access key":                             {iampolicy.Request{Action: "iam:CreateAccessKey", Resource: "*", Principal: appRole, Context: home}, iampolicy.Denied},
		"an identity provider":                      {iampolicy.Request{Action: "iam:CreateOpenIDConnectProvider", Resource: "*", Principal: appRole, Context: home}, iampolicy.Denied},
		"the root user":                             {iampolicy.Request{Action: "s3:ListAllMyBuckets", Resource: "*", Principal: "arn:aws:iam::" + member + ":root", Context: home}, iampolicy.Denied},
		"another region":                            {iampolicy.Request{Action: "ec2:RunInstances", Resource: "*", Principal: accessRole, Context: map[string]string{"aws:RequestedRegion": "us-east-1"}}, iampolicy.Denied},
		"a role without a boundary":                 {iampolicy.Request{Action: "iam:CreateRole", Resource: appRole, Principal: accessRole, Context: home}, iampolicy.Denied},
		"a role with another boundary":              {iampolicy.Request{Action: "iam:CreateRole", Resource: appRole, Principal: appRole, Context: map[string]string{"aws:RequestedRegion": "eu-central-1", "iam:PermissionsBoundary": "arn:aws:iam::aws:policy/AdministratorAccess"}}, iampolicy.Denied},
		"taking a boundary away":                    {iampolicy.Request{Action: "iam:DeleteRolePermissionsBoundary", Resource: appRole, Principal: accessRole, Context: bounded}, iampolicy.Denied},
		"editing the boundary":                      {iampolicy.Request{Action: "iam:CreatePolicyVersion", Resource: boundaryARN, Principal: appRole, Context: home}, iampolicy.Denied},
		"changing who may use the access role":      {iampolicy.Request{Action: "iam:UpdateAssumeRolePolicy", Resource: accessRole, Principal: appRole, Context: home}, iampolicy.Denied},
		"stopping the trail":                        {iampolicy.Request{Action: "cloudtrail:StopLogging", Resource: "*", Principal: appRole, Context: home}, iampolicy.Denied},
		"deleting the analyzer":                     {iampolicy.Request{Action: "access-analyzer:DeleteAnalyzer", Resource: "*", Principal: appRole, Context: home}, iampolicy.Denied},
		"opening the account's buckets":             {iampolicy.Request{Action: "s3:PutAccountPublicAccessBlock", Resource: "*", Principal: appRole, Context: home}, iampolicy.Denied},
		"switching disk encryption off":             {iampolicy.Request{Action: "ec2:DisableEbsEncryptionByDefault", Resource: "*", Principal: appRole, Context: home}, iampolicy.Denied},
		"deleting a key":                            {iampolicy.Request{Action: "kms:ScheduleKeyDeletion", Resource: "*", Principal: appRole, Context: home}, iampolicy.Denied},
		"not: a role with the boundary":             {iampolicy.Request{Action: "iam:CreateRole", Resource: appRole, Principal: appRole, Context: bounded}, iampolicy.Silent},
		"not: IAM, whose endpoint is elsewhere":     {iampolicy.Request{Action: "iam:GetRole", Resource: appRole, Principal: appRole, Context: map[string]string{"aws:RequestedRegion": "us-east-1"}}, iampolicy.Silent},
		"not: work in the region":                   {iampolicy.Request{Action: "ec2:RunInstances", Resource: "*", Principal: appRole, Context: home}, iampolicy.Silent},
		"not: the access role setting guards":       {iampolicy.Request{Action: "s3:PutAccountPublicAccessBlock", Resource: "*", Principal: accessRole, Context: home}, iampolicy.Silent},
		"not: the access role updating a trail":     {iampolicy.Request{Action: "cloudtrail:UpdateTrail", Resource: "*", Principal: accessRole, Context: home}, iampolicy.Silent},
		"not: the access role editing the boundary": {iampolicy.Request{Action: "iam:CreatePolicyVersion", Resource: boundaryARN, Principal: accessRole, Context: home}, iampolicy.Silent},
		"not: another policy's new version":         {iampolicy.Request{Action: "iam:CreatePolicyVersion", Resource: "arn:aws:iam::" + member + ":policy/app", Principal: appRole, Context: home}, iampolicy.Silent},
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
		req  iampolicy.Request
		want iampolicy.Verdict
	}{
		"another customer reads an object":           {iampolicy.Request{Action: "s3:GetObject", Resource: "*", Principal: "arn:aws:iam::" + otherOrg + ":role/freehold-globex-app", Context: here}, iampolicy.Denied},
		"another customer uses a key":                {iampolicy.Request{Action: "kms:Decrypt", Resource: "*", Principal: "arn:aws:iam::" + otherOrg + ":role/x", Context: here}, iampolicy.Denied},
		"another customer pulls an image":            {iampolicy.Request{Action: "ecr:BatchGetImage", Resource: "*", Principal: "arn:aws:iam::" + otherOrg + ":role/x", Context: here}, iampolicy.Denied},
		"another customer assumes a role":            {iampolicy.Request{Action: "sts:AssumeRole", Resource: appRole, Principal: "arn:aws:iam::" + otherOrg + ":role/x", Context: here}, iampolicy.Denied},
		"somebody in the management account":         {iampolicy.Request{Action: "sts:AssumeRole", Resource: accessRole, Principal: "arn:aws:iam::100000000001:role/somebody", Context: here}, iampolicy.Denied},
		"nobody, not signed in, reads an object":     {iampolicy.Request{Action: "s3:GetObject", Resource: "*", Context: here}, iampolicy.Denied},
		"the provisioner reads an object":            {iampolicy.Request{Action: "s3:GetObject", Resource: "*", Principal: provisioner, Context: here}, iampolicy.Denied},
		"a federated outsider assumes a role":        {iampolicy.Request{Action: "sts:AssumeRoleWithWebIdentity", Resource: appRole, Context: here}, iampolicy.Denied},
		"another customer's trail writes":            {iampolicy.Request{Action: "s3:PutObject", Resource: "*", Service: "cloudtrail.amazonaws.com", Context: map[string]string{"aws:ResourceAccount": member, "aws:SourceAccount": otherOrg}}, iampolicy.Denied},
		"not: the provisioner assumes a role":        {iampolicy.Request{Action: "sts:AssumeRole", Resource: accessRole, Principal: provisioner, Context: here}, iampolicy.Silent},
		"not: the account's own role":                {iampolicy.Request{Action: "s3:GetObject", Resource: "*", Principal: appRole, Context: here}, iampolicy.Silent},
		"not: the account's own role assumes a role": {iampolicy.Request{Action: "sts:AssumeRole", Resource: appRole, Principal: appRole, Context: here}, iampolicy.Silent},
		"not: the account's own trail writes":        {iampolicy.Request{Action: "s3:PutObject", Resource: "*", Service: "cloudtrail.amazonaws.com", Context: map[string]string{"aws:ResourceAccount": member, "aws:SourceAccount": member}}, iampolicy.Silent},
		"not: a service without a source":            {iampolicy.Request{Action: "sts:AssumeRole", Resource: appRole, Service: "pods.eks.amazonaws.com", Context: here}, iampolicy.Silent},
		"not: a request without a resource":          {iampolicy.Request{Action: "s3:ListAllMyBuckets", Resource: "*", Principal: appRole}, iampolicy.Silent},
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
	tests := map[string]struct {
		doc   iampolicy.Document
		limit int
	}{
		"service control policy":  {account.ServicePolicy("ap-southeast-99", name, policyName), iampolicy.MaxServiceControl},
		"resource control policy": {account.ResourcePolicy("arn:aws:iam::100000000001:role/" + strings.Repeat("p", 512) + name), iampolicy.MaxResourceControl},
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
				if s.Effect != iampolicy.Deny {
					t.Errorf("%s: %s, want only denials: organizations attach their own full access", s.Sid, s.Effect)
				}
			}
		})
	}
}
