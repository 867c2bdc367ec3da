package boundary_test

import (
	"maps"
	"regexp"
	"strings"
	"testing"

	"freehold.dev/freehold/components/boundary"
	"freehold.dev/freehold/internal/iam"
)

const (
	acct        = "210987654321"
	other       = "310987654321"
	provisioner = "arn:aws:iam::100000000001:role/freehold-provisioner"
	accessRole  = "arn:aws:iam::" + acct + ":role/OrganizationAccountAccessRole"
	fenceARN    = "arn:aws:iam::" + acct + ":policy/freehold-acme-boundary"
	appRole     = "arn:aws:iam::" + acct + ":role/freehold-acme-app"
	key         = "arn:aws:kms:eu-central-1:" + acct + ":key/k"
	roles       = "arn:aws:iam::" + acct + ":role/"
)

func acme() boundary.Args {
	return boundary.Args{
		AccountID: acct, Region: "eu-central-1", AccessRoleARN: accessRole, ProvisionerARN: provisioner, ExternalID: "freehold-acme-1",
		BoundaryName: "freehold-acme-boundary", RolePrefix: "freehold-acme-",
		ProvisionRole: "freehold-acme-provision", ReadRole: "freehold-acme-read", BootstrapRole: "freehold-acme-bootstrap", OffboardRole: "freehold-acme-offboard",
		DataKeyAlias: "alias/freehold-acme-data", LogKeyAlias: "alias/freehold-acme-logs",
		LogBucket: "freehold-acme-logs-" + acct, DataBucket: "freehold-acme-data-" + acct,
		TrailName: "freehold-acme", AnalyzerName: "freehold-acme", ControllerRepository: "freehold-acme/namespace-controller",
		LogRetentionDays: 365, Protected: true,
		Tags: map[string]string{"freehold.dev/org": "acme", "freehold.dev/layer": "boundary", "freehold.dev/managed-by": "freehold"},
	}
}

// longest has every name as long as AWS takes it, but for those that Freehold
// makes of the org's name, which has 40 characters at most, or cuts itself.
func longest() boundary.Args {
	a := acme()
	n := func(prefix string, size int) string { return prefix + strings.Repeat("n", size-len(prefix)) }
	a.Region, a.ExternalID = "ap-southeast-99", n("", 64)
	a.AccessRoleARN = roles + n("", 64)
	a.ProvisionerARN = "arn:aws:iam::100000000001:role/" + n("", 64)
	org := n("freehold-", len("freehold-")+40)
	a.BoundaryName, a.RolePrefix = org+"-boundary", n("", 56)
	a.ProvisionRole, a.ReadRole, a.BootstrapRole, a.OffboardRole = org+"-provision", org+"-read", org+"-bootstrap", org+"-offboard"
	a.DataKeyAlias, a.LogKeyAlias = n("alias/d", 70), n("alias/l", 70)
	a.LogBucket, a.DataBucket, a.TrailName = n("l", 63), n("d", 63), n("t", 128)
	return a
}

type question struct {
	action, resource string
	context          map[string]string
	want             iam.Verdict
}

// ask asks a policy as a role of the account, in its region.
func ask(t *testing.T, doc iam.Document, questions map[string]question) {
	t.Helper()
	for name, q := range questions {
		t.Run(name, func(t *testing.T) {
			req := iam.Request{Action: q.action, Resource: q.resource, Principal: appRole, Context: map[string]string{"aws:RequestedRegion": "eu-central-1"}}
			maps.Copy(req.Context, q.context)
			if got := doc.Evaluate(req); got != q.want {
				t.Errorf("%s on %s: %s, want %s", q.action, q.resource, got, q.want)
			}
		})
	}
}

func TestPermissionsBoundary(t *testing.T) {
	bounded := map[string]string{"iam:PermissionsBoundary": fenceARN}
	ask(t, boundary.PermissionsBoundary(acme()), map[string]question{
		"allows a customer's work":                  {"dynamodb:PutItem", "*", nil, iam.Allowed},
		"allows nobody but the phase a role":        {"iam:CreateRole", appRole, bounded, iam.Denied},
		"allows a role of the same account":         {"sts:AssumeRole", roles + "freehold-acme-app2", nil, iam.Allowed},
		"allows objects in the data bucket":         {"s3:DeleteObject", "arn:aws:s3:::freehold-acme-data-" + acct + "/a", nil, iam.Allowed},
		"allows reading the evidence":               {"s3:GetObject", "arn:aws:s3:::freehold-acme-logs-" + acct + "/a", nil, iam.Allowed},
		"allows a grant that a service takes":       {"kms:CreateGrant", key, map[string]string{"kms:GrantIsForAWSResource": "true"}, iam.Allowed},
		"denies changing a role of the cluster":     {"iam:UpdateAssumeRolePolicy", appRole, nil, iam.Denied},
		"denies a role without it":                  {"iam:CreateRole", appRole, nil, iam.Denied},
		"denies a role with another boundary":       {"iam:CreateRole", appRole, map[string]string{"iam:PermissionsBoundary": fenceARN + "2"}, iam.Denied},
		"denies exchanging it":                      {"iam:PutRolePermissionsBoundary", appRole, map[string]string{"iam:PermissionsBoundary": "arn:aws:iam::aws:policy/AdministratorAccess"}, iam.Denied},
		"denies taking it off":                      {"iam:DeleteRolePermissionsBoundary", appRole, bounded, iam.Denied},
		"denies editing it":                         {"iam:CreatePolicyVersion", fenceARN, nil, iam.Denied},
		"denies going back to an older version":     {"iam:SetDefaultPolicyVersion", fenceARN, nil, iam.Denied},
		"denies deleting it":                        {"iam:DeletePolicy", fenceARN, nil, iam.Denied},
		"denies a role of another account":          {"sts:AssumeRole", "arn:aws:iam::" + other + ":role/x", nil, iam.Denied},
		"denies the access role":                    {"sts:AssumeRole", accessRole, nil, iam.Denied},
		"denies changing who is trusted":            {"iam:UpdateAssumeRolePolicy", roles + "freehold-acme-provision", nil, iam.Denied},
		"denies widening a phase role":              {"iam:PutRolePolicy", roles + "freehold-acme-provision", nil, iam.Denied},
		"denies passing a phase role on":            {"iam:PassRole", roles + "freehold-acme-offboard", nil, iam.Denied},
		"denies deleting a phase role":              {"iam:DeleteRole", roles + "freehold-acme-read", nil, iam.Denied},
		"denies an IAM user":                        {"iam:CreateUser", "*", bounded, iam.Denied},
		"denies a RAM share":                        {"ram:CreateResourceShare", "*", nil, iam.Denied},
		"denies VPC peering":                        {"ec2:CreateVpcPeeringConnection", "*", nil, iam.Denied},
		"denies another region":                     {"ec2:RunInstances", "*", map[string]string{"aws:RequestedRegion": "us-east-1"}, iam.Denied},
		"denies leaving":                            {"organizations:LeaveOrganization", "*", nil, iam.Denied},
		"denies stopping the trail":                 {"cloudtrail:StopLogging", "*", nil, iam.Denied},
		"denies deleting evidence":                  {"s3:DeleteObjectVersion", "arn:aws:s3:::freehold-acme-logs-" + acct + "/a", nil, iam.Denied},
		"denies planting evidence":                  {"s3:PutObject", "arn:aws:s3:::freehold-acme-logs-" + acct + "/a", nil, iam.Denied},
		"denies forgetting evidence":                {"s3:PutLifecycleConfiguration", "arn:aws:s3:::freehold-acme-logs-" + acct, nil, iam.Denied},
		"denies opening the data bucket":            {"s3:PutBucketPolicy", "arn:aws:s3:::freehold-acme-data-" + acct, nil, iam.Denied},
		"denies deleting a key":                     {"kms:ScheduleKeyDeletion", key, nil, iam.Denied},
		"denies moving a key's alias":               {"kms:UpdateAlias", "arn:aws:kms:eu-central-1:" + acct + ":alias/freehold-acme-data", nil, iam.Denied},
		"denies a grant by hand":                    {"kms:CreateGrant", key, map[string]string{"kms:GrantIsForAWSResource": "false"}, iam.Denied},
		"denies a grant that does not say for whom": {"kms:CreateGrant", key, nil, iam.Denied},
	})
}

func TestTheProvisionRoleMakesOnlyTheCluster(t *testing.T) {
	bounded := map[string]string{"iam:PermissionsBoundary": fenceARN}
	ask(t, boundary.ProvisionPolicy(acme()), map[string]question{
		"a VPC":                       {"ec2:CreateVpc", "*", nil, iam.Allowed},
		"an endpoint's own names":     {"route53:AssociateVPCWithHostedZone", "arn:aws:route53:::hostedzone/Z1", nil, iam.Allowed},
		"a cluster":                   {"eks:CreateCluster", "arn:aws:eks:eu-central-1:" + acct + ":cluster/acme", nil, iam.Allowed},
		"an access entry":             {"eks:CreateAccessEntry", "arn:aws:eks:eu-central-1:" + acct + ":cluster/acme", nil, iam.Allowed},
		"a flow log's group":          {"logs:CreateLogGroup", "arn:aws:logs:eu-central-1:" + acct + ":log-group:/freehold/acme", nil, iam.Allowed},
		"a bounded role":              {"iam:CreateRole", appRole, bounded, iam.Allowed},
		"a role for nodes":            {"iam:PassRole", appRole, map[string]string{"iam:PassedToService": "ec2.amazonaws.com"}, iam.Allowed},
		"AWS's node policy":           {"iam:AttachRolePolicy", appRole, map[string]string{"iam:PolicyARN": "arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy"}, iam.Allowed},
		"a pod's policy":              {"iam:AttachRolePolicy", roles + "freehold-acme-pod-shop.app", map[string]string{"iam:PolicyARN": "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"}, iam.Allowed},
		"a pod's policy, away":        {"iam:DetachRolePolicy", roles + "freehold-acme-pod-shop.app", map[string]string{"iam:PolicyARN": "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"}, iam.Allowed},
		"not: a pod's for another":    {"iam:AttachRolePolicy", appRole, map[string]string{"iam:PolicyARN": "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"}, iam.Silent},
		"not: a pod as administrator": {"iam:AttachRolePolicy", roles + "freehold-acme-pod-shop.app", map[string]string{"iam:PolicyARN": "arn:aws:iam::aws:policy/AdministratorAccess"}, iam.Silent},
		"not: a pod over IAM":         {"iam:AttachRolePolicy", roles + "freehold-acme-pod-shop.app", map[string]string{"iam:PolicyARN": "arn:aws:iam::aws:policy/IAMFullAccess"}, iam.Silent},
		"not: a pod's own policy":     {"iam:AttachRolePolicy", roles + "freehold-acme-pod-shop.app", map[string]string{"iam:PolicyARN": "arn:aws:iam::" + acct + ":policy/own"}, iam.Silent},
		"a grant on the data key":     {"kms:CreateGrant", key, map[string]string{"kms:GrantIsForAWSResource": "true", "kms:ResourceAliases": "alias/freehold-acme-data"}, iam.Allowed},
		"not: an unbounded role":      {"iam:CreateRole", appRole, nil, iam.Silent},
		"not: a role of another name": {"iam:CreateRole", roles + "admin", bounded, iam.Silent},
		"not: an administrator":       {"iam:AttachRolePolicy", appRole, map[string]string{"iam:PolicyARN": "arn:aws:iam::aws:policy/AdministratorAccess"}, iam.Silent},
		"not: a role for Lambda":      {"iam:PassRole", appRole, map[string]string{"iam:PassedToService": "lambda.amazonaws.com"}, iam.Silent},
		"not: a grant on another key": {"kms:CreateGrant", key, map[string]string{"kms:GrantIsForAWSResource": "true", "kms:ResourceAliases": "alias/other"}, iam.Silent},
		"not: using a key":            {"kms:Decrypt", key, nil, iam.Silent},
		"not: an object":              {"s3:GetObject", "arn:aws:s3:::freehold-acme-data-" + acct + "/a", nil, iam.Silent},
		"not: a bucket's end":         {"s3:DeleteBucket", "arn:aws:s3:::freehold-acme-data-" + acct, nil, iam.Silent},
		"an identity provider":        {"eks:AssociateIdentityProviderConfig", "arn:aws:eks:eu-central-1:" + acct + ":cluster/acme", nil, iam.Allowed},
		"an identity provider, away":  {"eks:DisassociateIdentityProviderConfig", "arn:aws:eks:eu-central-1:" + acct + ":identityproviderconfig/acme/oidc/acme/0a", nil, iam.Allowed},
		"an identity provider, seen":  {"eks:DescribeIdentityProviderConfig", "arn:aws:eks:eu-central-1:" + acct + ":identityproviderconfig/acme/oidc/acme/0a", nil, iam.Allowed},
		"not: another account's EKS":  {"eks:CreateCluster", "arn:aws:eks:eu-central-1:" + other + ":cluster/acme", nil, iam.Silent},
	})
}

func TestTheReadRoleReadsSettingsAndNoData(t *testing.T) {
	ask(t, boundary.ReadPolicy(), map[string]question{
		"a cluster":          {"eks:DescribeCluster", "*", nil, iam.Allowed},
		"who are the people": {"eks:DescribeIdentityProviderConfig", "arn:aws:eks:eu-central-1:" + acct + ":identityproviderconfig/acme/oidc/acme/0a", nil, iam.Allowed},
		"a key's policy":     {"kms:GetKeyPolicy", key, nil, iam.Allowed},
		"a bucket's policy":  {"s3:GetBucketPolicy", "arn:aws:s3:::b", nil, iam.Allowed},
		"an object":          {"s3:GetObject", "arn:aws:s3:::b/a", nil, iam.Denied},
		"an object's past":   {"s3:GetObjectVersion", "arn:aws:s3:::b/a", nil, iam.Denied},
		"a secret":           {"secretsmanager:GetSecretValue", "*", nil, iam.Denied},
		"a parameter":        {"ssm:GetParameters", "*", nil, iam.Denied},
		"a log":              {"logs:GetLogEvents", "*", nil, iam.Denied},
		"ciphertext":         {"kms:Decrypt", key, nil, iam.Denied},
		"a change":           {"ec2:CreateTags", "*", nil, iam.Silent},
		"another's identity": {"sts:AssumeRole", appRole, nil, iam.Silent},
	})
	change := regexp.MustCompile(`:(Associate|Attach|Authorize|Create|Delete|Detach|Disassociate|Modify|Pass|Put|Run|Set|Start|Stop|Tag|Terminate|Untag|Update|\*)`)
	for _, s := range boundary.ReadPolicy().Statement {
		for _, action := range s.Action {
			if s.Effect == iam.Allow && change.MatchString(action) {
				t.Errorf("%s allows %s, which changes something", s.Sid, action)
			}
		}
	}
}

func TestTheBootstrapRoleReachesOnlyTheClustersAPI(t *testing.T) {
	cluster := "arn:aws:eks:eu-central-1:" + acct + ":cluster/acme"
	ask(t, boundary.BootstrapPolicy(acme()), map[string]question{
		"the cluster's endpoint":  {"eks:DescribeCluster", cluster, nil, iam.Allowed},
		"the cluster's API":       {"eks:AccessKubernetesApi", cluster, nil, iam.Allowed},
		"not: another's":          {"eks:DescribeCluster", "arn:aws:eks:eu-central-1:" + other + ":cluster/x", nil, iam.Silent},
		"not: an access entry":    {"eks:CreateAccessEntry", cluster, nil, iam.Silent},
		"not: the cluster's end":  {"eks:DeleteCluster", cluster, nil, iam.Silent},
		"not: anything elsewhere": {"s3:GetObject", "arn:aws:s3:::b/a", nil, iam.Silent},
	})
}

func TestTheOffboardRoleOnlyTakesAway(t *testing.T) {
	ask(t, boundary.OffboardPolicy(acme()), map[string]question{
		"the cluster":            {"eks:DeleteCluster", "arn:aws:eks:eu-central-1:" + acct + ":cluster/acme", nil, iam.Allowed},
		"deletion protection":    {"eks:UpdateClusterConfig", "arn:aws:eks:eu-central-1:" + acct + ":cluster/acme", nil, iam.Allowed},
		"the network":            {"ec2:DeleteVpc", "*", nil, iam.Allowed},
		"a load balancer":        {"elasticloadbalancing:DeleteLoadBalancer", "*", nil, iam.Allowed},
		"a disk that stayed":     {"ec2:DeleteVolume", "*", nil, iam.Allowed},
		"a role":                 {"iam:DeleteRole", appRole, nil, iam.Allowed},
		"not: another role":      {"iam:DeleteRole", accessRole, nil, iam.Silent},
		"not: a key":             {"kms:ScheduleKeyDeletion", key, nil, iam.Silent},
		"not: a bucket":          {"s3:DeleteBucket", "arn:aws:s3:::freehold-acme-data-" + acct, nil, iam.Silent},
		"not: the trail":         {"cloudtrail:DeleteTrail", "*", nil, iam.Silent},
		"an identity provider":   {"eks:DisassociateIdentityProviderConfig", "arn:aws:eks:eu-central-1:" + acct + ":identityproviderconfig/acme/oidc/acme/0a", nil, iam.Allowed},
		"not: letting people in": {"eks:AssociateIdentityProviderConfig", "arn:aws:eks:eu-central-1:" + acct + ":cluster/acme", nil, iam.Silent},
		"not: making a cluster":  {"eks:CreateCluster", "arn:aws:eks:eu-central-1:" + acct + ":cluster/x", nil, iam.Silent},
		"not: making a role":     {"iam:CreateRole", appRole, map[string]string{"iam:PermissionsBoundary": fenceARN}, iam.Silent},
		"not: starting machines": {"ec2:RunInstances", "*", nil, iam.Silent},
	})
}

func TestResourcePoliciesKnowWhoIsTheirOwn(t *testing.T) {
	a := acme()
	object := "arn:aws:s3:::freehold-acme-data-" + acct + "/a"
	written := "arn:aws:s3:::freehold-acme-logs-" + acct + "/AWSLogs/" + acct + "/CloudTrail/x"
	trail := "arn:aws:cloudtrail:eu-central-1:" + acct + ":trail/freehold-acme"
	scaling := roles + "aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
	tls := map[string]string{"aws:SecureTransport": "true"}
	tests := map[string]struct {
		doc  iam.Document
		req  iam.Request
		want iam.Verdict
	}{
		"a phase role trusts the provisioner with the external id": {boundary.Trust(a), iam.Request{Action: "sts:AssumeRole", Principal: provisioner, Context: map[string]string{"sts:ExternalId": "freehold-acme-1"}}, iam.Allowed},
		"a phase role wants the external id":                       {boundary.Trust(a), iam.Request{Action: "sts:AssumeRole", Principal: provisioner}, iam.Silent},
		"a phase role wants its own org's external id":             {boundary.Trust(a), iam.Request{Action: "sts:AssumeRole", Principal: provisioner, Context: map[string]string{"sts:ExternalId": "freehold-globex-1"}}, iam.Silent},
		"a phase role trusts nobody else":                          {boundary.Trust(a), iam.Request{Action: "sts:AssumeRole", Principal: appRole, Context: map[string]string{"sts:ExternalId": "freehold-acme-1"}}, iam.Silent},
		"the data bucket leaves its account to IAM":                {boundary.DataBucketPolicy(a), iam.Request{Action: "s3:GetObject", Resource: object, Principal: appRole, Context: tls}, iam.Silent},
		"the data bucket is closed to other accounts":              {boundary.DataBucketPolicy(a), iam.Request{Action: "s3:GetObject", Resource: object, Principal: "arn:aws:iam::" + other + ":role/x", Context: tls}, iam.Denied},
		"the data bucket is closed to the unknown":                 {boundary.DataBucketPolicy(a), iam.Request{Action: "s3:GetObject", Resource: object, Context: tls}, iam.Denied},
		"the data bucket wants TLS":                                {boundary.DataBucketPolicy(a), iam.Request{Action: "s3:GetObject", Resource: object, Principal: appRole, Context: map[string]string{"aws:SecureTransport": "false"}}, iam.Denied},
		"the log bucket takes the trail's files":                   {boundary.LogBucketPolicy(a), iam.Request{Action: "s3:PutObject", Resource: written, Service: "cloudtrail.amazonaws.com", Context: map[string]string{"aws:SecureTransport": "true", "aws:SourceArn": trail, "s3:x-amz-acl": "bucket-owner-full-control"}}, iam.Allowed},
		"the log bucket takes no other trail's":                    {boundary.LogBucketPolicy(a), iam.Request{Action: "s3:PutObject", Resource: written, Service: "cloudtrail.amazonaws.com", Context: map[string]string{"aws:SecureTransport": "true", "aws:SourceArn": strings.ReplaceAll(trail, acct, other), "s3:x-amz-acl": "bucket-owner-full-control"}}, iam.Silent},
		"the log key serves the account's log groups":              {boundary.LogKeyPolicy(a), iam.Request{Action: "kms:Encrypt", Resource: key, Service: "logs.eu-central-1.amazonaws.com", Context: map[string]string{"kms:EncryptionContext:aws:logs:arn": "arn:aws:logs:eu-central-1:" + acct + ":log-group:/x"}}, iam.Allowed},
		"the log key serves no other account's":                    {boundary.LogKeyPolicy(a), iam.Request{Action: "kms:Encrypt", Resource: key, Service: "logs.eu-central-1.amazonaws.com", Context: map[string]string{"kms:EncryptionContext:aws:logs:arn": "arn:aws:logs:eu-central-1:" + other + ":log-group:/x"}}, iam.Silent},
		"the log key serves the trail":                             {boundary.LogKeyPolicy(a), iam.Request{Action: "kms:GenerateDataKey", Resource: key, Service: "cloudtrail.amazonaws.com", Context: map[string]string{"aws:SourceArn": trail, "kms:EncryptionContext:aws:cloudtrail:arn": trail}}, iam.Allowed},
		"the data key leaves its account to IAM":                   {boundary.DataKeyPolicy(a), iam.Request{Action: "kms:Decrypt", Resource: key, Principal: appRole}, iam.Allowed},
		"the data key serves nodes' disks":                         {boundary.DataKeyPolicy(a), iam.Request{Action: "kms:CreateGrant", Resource: key, Principal: scaling, Context: map[string]string{"kms:CallerAccount": acct, "kms:GrantIsForAWSResource": "true"}}, iam.Allowed},
		"the data key is closed to other accounts":                 {boundary.DataKeyPolicy(a), iam.Request{Action: "kms:Decrypt", Resource: key, Principal: "arn:aws:iam::" + other + ":role/x", Context: map[string]string{"kms:CallerAccount": other}}, iam.Silent},
		"the data key is closed to another's Auto Scaling":         {boundary.DataKeyPolicy(a), iam.Request{Action: "kms:Decrypt", Resource: key, Principal: strings.ReplaceAll(scaling, acct, other), Context: map[string]string{"kms:CallerAccount": other}}, iam.Silent},
		"the data key is closed to who does not sign in":           {boundary.DataKeyPolicy(a), iam.Request{Action: "kms:Decrypt", Resource: key}, iam.Silent},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := tt.doc.Evaluate(tt.req); got != tt.want {
				t.Errorf("%s by %q: %s, want %s", tt.req.Action, tt.req.Principal, got, tt.want)
			}
		})
	}
}

// What a key policy grants by itself needs no IAM policy, so it is looked at
// without the statement that leaves the key to IAM.
func TestTheDataKeyGivesItselfOnlyToAutoScaling(t *testing.T) {
	direct := iam.New(boundary.DataKeyPolicy(acme()).Statement[1:]...)
	scaling := roles + "aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
	tests := map[string]struct {
		action, principal, byService string
		want                         iam.Verdict
	}{
		"Auto Scaling reads":              {"kms:Decrypt", scaling, "true", iam.Allowed},
		"Auto Scaling lets a disk read":   {"kms:CreateGrant", scaling, "true", iam.Allowed},
		"Auto Scaling lets somebody read": {"kms:CreateGrant", scaling, "false", iam.Silent},
		"a role of the account reads":     {"kms:Decrypt", appRole, "true", iam.Silent},
		"a role of the account grants":    {"kms:CreateGrant", appRole, "true", iam.Silent},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := direct.Evaluate(iam.Request{Action: tt.action, Resource: key, Principal: tt.principal, Context: map[string]string{
				"kms:CallerAccount": acct, "kms:GrantIsForAWSResource": tt.byService,
			}})
			if got != tt.want {
				t.Errorf("%s by %s: %s, want %s", tt.action, tt.principal, got, tt.want)
			}
		})
	}
}

func TestPoliciesFitAWSsLimitsWithTheLongestNames(t *testing.T) {
	a := longest()
	tests := map[string]struct {
		doc   iam.Document
		limit int
	}{
		"permissions boundary": {boundary.PermissionsBoundary(a), iam.MaxManaged},
		"trust":                {boundary.Trust(a), iam.MaxTrust},
		"provision":            {boundary.ProvisionPolicy(a), iam.MaxInline},
		"read":                 {boundary.ReadPolicy(), iam.MaxInline},
		"bootstrap":            {boundary.BootstrapPolicy(a), iam.MaxInline},
		"offboard":             {boundary.OffboardPolicy(a), iam.MaxInline},
		"data key":             {boundary.DataKeyPolicy(a), iam.MaxKey},
		"log key":              {boundary.LogKeyPolicy(a), iam.MaxKey},
		"data bucket":          {boundary.DataBucketPolicy(a), iam.MaxBucket},
		"log bucket":           {boundary.LogBucketPolicy(a), iam.MaxBucket},
	}
	alphanumeric := regexp.MustCompile(`^[A-Za-z0-9]+$`)
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
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
				if s.Effect == iam.Allow && s.Principal != nil && s.Principal.Anyone && len(s.Condition) == 0 {
					t.Errorf("%s allows anyone, under no condition", s.Sid)
				}
			}
		})
	}
}
