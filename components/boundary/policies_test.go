package boundary_test

import (
	"maps"
	"regexp"
	"strings"
	"testing"

	"freehold.dev/freehold/components/boundary"
	"freehold.dev/freehold/components/iampolicy"
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
// cuts at 64 itself.
func longest() boundary.Args {
	a := acme()
	n := func(prefix string, size int) string { return prefix + strings.Repeat("n", size-len(prefix)) }
	a.Region, a.ExternalID = "ap-southeast-99", n("", 64)
	a.AccessRoleARN = roles + n("", 64)
	a.ProvisionerARN = "arn:aws:iam::100000000001:role/" + n("", 64)
	a.BoundaryName, a.RolePrefix = n("", 64), n("", 56)
	a.ProvisionRole, a.ReadRole, a.BootstrapRole, a.OffboardRole = n("p", 64), n("r", 64), n("b", 64), n("o", 64)
	a.DataKeyAlias, a.LogKeyAlias = n("alias/d", 70), n("alias/l", 70)
	a.LogBucket, a.DataBucket, a.TrailName = n("l", 63), n("d", 63), n("t", 128)
	return a
}

type question struct {
	action, resource string
	context          map[string]string
	want             iampolicy.Verdict
}

// ask asks a policy as a role of the account, in its region.
func ask(t *testing.T, doc iampolicy.Document, questions map[string]question) {
	t.Helper()
	for name, q := range questions {
		t.Run(name, func(t *testing.T) {
			req := iampolicy.Request{Action: q.action, Resource: q.resource, Principal: appRole, Context: map[string]string{"aws:RequestedRegion": "eu-central-1"}}
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
		"allows a customer's work":                  {"dynamodb:PutItem", "*", nil, iampolicy.Allowed},
		"allows a role inside itself":               {"iam:CreateRole", appRole, bounded, iampolicy.Allowed},
		"allows a role of the same account":         {"sts:AssumeRole", roles + "freehold-acme-app2", nil, iampolicy.Allowed},
		"allows objects in the data bucket":         {"s3:DeleteObject", "arn:aws:s3:::freehold-acme-data-" + acct + "/a", nil, iampolicy.Allowed},
		"allows reading the evidence":               {"s3:GetObject", "arn:aws:s3:::freehold-acme-logs-" + acct + "/a", nil, iampolicy.Allowed},
		"allows a grant that a service takes":       {"kms:CreateGrant", key, map[string]string{"kms:GrantIsForAWSResource": "true"}, iampolicy.Allowed},
		"allows changing a role of the cluster":     {"iam:UpdateAssumeRolePolicy", appRole, nil, iampolicy.Allowed},
		"denies a role without it":                  {"iam:CreateRole", appRole, nil, iampolicy.Denied},
		"denies a role with another boundary":       {"iam:CreateRole", appRole, map[string]string{"iam:PermissionsBoundary": fenceARN + "2"}, iampolicy.Denied},
		"denies exchanging it":                      {"iam:PutRolePermissionsBoundary", appRole, map[string]string{"iam:PermissionsBoundary": "arn:aws:iam::aws:policy/AdministratorAccess"}, iampolicy.Denied},
		"denies taking it off":                      {"iam:DeleteRolePermissionsBoundary", appRole, bounded, iampolicy.Denied},
		"denies editing it":                         {"iam:CreatePolicyVersion", fenceARN, nil, iampolicy.Denied},
		"denies going back to an older version":     {"iam:SetDefaultPolicyVersion", fenceARN, nil, iampolicy.Denied},
		"denies deleting it":                        {"iam:DeletePolicy", fenceARN, nil, iampolicy.Denied},
		"denies a role of another account":          {"sts:AssumeRole", "arn:aws:iam::" + other + ":role/x", nil, iampolicy.Denied},
		"denies the access role":                    {"sts:AssumeRole", accessRole, nil, iampolicy.Denied},
		"denies changing who is trusted":            {"iam:UpdateAssumeRolePolicy", roles + "freehold-acme-provision", nil, iampolicy.Denied},
		"denies widening a phase role":              {"iam:PutRolePolicy", roles + "freehold-acme-provision", nil, iampolicy.Denied},
		"denies passing a phase role on":            {"iam:PassRole", roles + "freehold-acme-offboard", nil, iampolicy.Denied},
		"denies deleting a phase role":              {"iam:DeleteRole", roles + "freehold-acme-read", nil, iampolicy.Denied},
		"denies an IAM user":                        {"iam:CreateUser", "*", bounded, iampolicy.Denied},
		"denies a RAM share":                        {"ram:CreateResourceShare", "*", nil, iampolicy.Denied},
		"denies VPC peering":                        {"ec2:CreateVpcPeeringConnection", "*", nil, iampolicy.Denied},
		"denies another region":                     {"ec2:RunInstances", "*", map[string]string{"aws:RequestedRegion": "us-east-1"}, iampolicy.Denied},
		"denies leaving":                            {"organizations:LeaveOrganization", "*", nil, iampolicy.Denied},
		"denies stopping the trail":                 {"cloudtrail:StopLogging", "*", nil, iampolicy.Denied},
		"denies deleting evidence":                  {"s3:DeleteObjectVersion", "arn:aws:s3:::freehold-acme-logs-" + acct + "/a", nil, iampolicy.Denied},
		"denies planting evidence":                  {"s3:PutObject", "arn:aws:s3:::freehold-acme-logs-" + acct + "/a", nil, iampolicy.Denied},
		"denies forgetting evidence":                {"s3:PutLifecycleConfiguration", "arn:aws:s3:::freehold-acme-logs-" + acct, nil, iampolicy.Denied},
		"denies opening the data bucket":            {"s3:PutBucketPolicy", "arn:aws:s3:::freehold-acme-data-" + acct, nil, iampolicy.Denied},
		"denies deleting a key":                     {"kms:ScheduleKeyDeletion", key, nil, iampolicy.Denied},
		"denies moving a key's alias":               {"kms:UpdateAlias", "arn:aws:kms:eu-central-1:" + acct + ":alias/freehold-acme-data", nil, iampolicy.Denied},
		"denies a grant by hand":                    {"kms:CreateGrant", key, map[string]string{"kms:GrantIsForAWSResource": "false"}, iampolicy.Denied},
		"denies a grant that does not say for whom": {"kms:CreateGrant", key, nil, iampolicy.Denied},
	})
}

func TestTheProvisionRoleMakesOnlyTheCluster(t *testing.T) {
	bounded := map[string]string{"iam:PermissionsBoundary": fenceARN}
	ask(t, boundary.ProvisionPolicy(acme()), map[string]question{
		"a VPC":                       {"ec2:CreateVpc", "*", nil, iampolicy.Allowed},
		"an endpoint's own names":     {"route53:AssociateVPCWithHostedZone", "arn:aws:route53:::hostedzone/Z1", nil, iampolicy.Allowed},
		"a cluster":                   {"eks:CreateCluster", "arn:aws:eks:eu-central-1:" + acct + ":cluster/acme", nil, iampolicy.Allowed},
		"an access entry":             {"eks:CreateAccessEntry", "arn:aws:eks:eu-central-1:" + acct + ":cluster/acme", nil, iampolicy.Allowed},
		"a flow log's group":          {"logs:CreateLogGroup", "arn:aws:logs:eu-central-1:" + acct + ":log-group:/freehold/acme", nil, iampolicy.Allowed},
		"a bounded role":              {"iam:CreateRole", appRole, bounded, iampolicy.Allowed},
		"a role for nodes":            {"iam:PassRole", appRole, map[string]string{"iam:PassedToService": "ec2.amazonaws.com"}, iampolicy.Allowed},
		"AWS's node policy":           {"iam:AttachRolePolicy", appRole, map[string]string{"iam:PolicyARN": "arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy"}, iampolicy.Allowed},
		"a pod's policy":              {"iam:AttachRolePolicy", roles + "freehold-acme-pod-shop.app", map[string]string{"iam:PolicyARN": "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"}, iampolicy.Allowed},
		"a pod's policy, away":        {"iam:DetachRolePolicy", roles + "freehold-acme-pod-shop.app", map[string]string{"iam:PolicyARN": "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"}, iampolicy.Allowed},
		"not: a pod's for another":    {"iam:AttachRolePolicy", appRole, map[string]string{"iam:PolicyARN": "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"}, iampolicy.Silent},
		"not: a pod as administrator": {"iam:AttachRolePolicy", roles + "freehold-acme-pod-shop.app", map[string]string{"iam:PolicyARN": "arn:aws:iam::aws:policy/AdministratorAccess"}, iampolicy.Silent},
		"not: a pod over IAM":         {"iam:AttachRolePolicy", roles + "freehold-acme-pod-shop.app", map[string]string{"iam:PolicyARN": "arn:aws:iam::aws:policy/IAMFullAccess"}, iampolicy.Silent},
		"not: a pod's own policy":     {"iam:AttachRolePolicy", roles + "freehold-acme-pod-shop.app", map[string]string{"iam:PolicyARN": "arn:aws:iam::" + acct + ":policy/own"}, iampolicy.Silent},
		"a grant on the data key":     {"kms:CreateGrant", key, map[string]string{"kms:GrantIsForAWSResource": "true", "kms:ResourceAliases": "alias/freehold-acme-data"}, iampolicy.Allowed},
		"not: an unbounded role":      {"iam:CreateRole", appRole, nil, iampolicy.Silent},
		"not: a role of another name": {"iam:CreateRole", roles + "admin", bounded, iampolicy.Silent},
		"not: an administrator":       {"iam:AttachRolePolicy", appRole, map[string]string{"iam:PolicyARN": "arn:aws:iam::aws:policy/AdministratorAccess"}, iampolicy.Silent},
		"not: a role for Lambda":      {"iam:PassRole", appRole, map[string]string{"iam:PassedToService": "lambda.amazonaws.com"}, iampolicy.Silent},
		"not: a grant on another key": {"kms:CreateGrant", key, map[string]string{"kms:GrantIsForAWSResource": "true", "kms:ResourceAliases": "alias/other"}, iampolicy.Silent},
		"not: using a key":            {"kms:Decrypt", key, nil, iampolicy.Silent},
		"not: an object":              {"s3:GetObject", "arn:aws:s3:::freehold-acme-data-" + acct + "/a", nil, iampolicy.Silent},
		"not: a bucket's end":         {"s3:DeleteBucket", "arn:aws:s3:::freehold-acme-data-" + acct, nil, iampolicy.Silent},
		"an identity provider":        {"eks:AssociateIdentityProviderConfig", "arn:aws:eks:eu-central-1:" + acct + ":cluster/acme", nil, iampolicy.Allowed},
		"an identity provider, away":  {"eks:DisassociateIdentityProviderConfig", "arn:aws:eks:eu-central-1:" + acct + ":identityproviderconfig/acme/oidc/acme/0a", nil, iampolicy.Allowed},
		"an identity provider, seen":  {"eks:DescribeIdentityProviderConfig", "arn:aws:eks:eu-central-1:" + acct + ":identityproviderconfig/acme/oidc/acme/0a", nil, iampolicy.Allowed},
		"not: another account's EKS":  {"eks:CreateCluster", "arn:aws:eks:eu-central-1:" + other + ":cluster/acme", nil, iampolicy.Silent},
	})
}

func TestTheReadRoleReadsSettingsAndNoData(t *testing.T) {
	ask(t, boundary.ReadPolicy(), map[string]question{
		"a cluster":          {"eks:DescribeCluster", "*", nil, iampolicy.Allowed},
		"who are the people": {"eks:DescribeIdentityProviderConfig", "arn:aws:eks:eu-central-1:" + acct + ":identityproviderconfig/acme/oidc/acme/0a", nil, iampolicy.Allowed},
		"a key's policy":     {"kms:GetKeyPolicy", key, nil, iampolicy.Allowed},
		"a bucket's policy":  {"s3:GetBucketPolicy", "arn:aws:s3:::b", nil, iampolicy.Allowed},
		"an object":          {"s3:GetObject", "arn:aws:s3:::b/a", nil, iampolicy.Denied},
		"an object's past":   {"s3:GetObjectVersion", "arn:aws:s3:::b/a", nil, iampolicy.Denied},
		"a secret":           {"secretsmanager:GetSecretValue", "*", nil, iampolicy.Denied},
		"a parameter":        {"ssm:GetParameters", "*", nil, iampolicy.Denied},
		"a log":              {"logs:GetLogEvents", "*", nil, iampolicy.Denied},
		"ciphertext":         {"kms:Decrypt", key, nil, iampolicy.Denied},
		"a change":           {"ec2:CreateTags", "*", nil, iampolicy.Silent},
		"another's identity": {"sts:AssumeRole", appRole, nil, iampolicy.Silent},
	})
	change := regexp.MustCompile(`:(Associate|Attach|Authorize|Create|Delete|Detach|Disassociate|Modify|Pass|Put|Run|Set|Start|Stop|Tag|Terminate|Untag|Update|\*)`)
	for _, s := range boundary.ReadPolicy().Statement {
		for _, action := range s.Action {
			if s.Effect == iampolicy.Allow && change.MatchString(action) {
				t.Errorf("%s allows %s, which changes something", s.Sid, action)
			}
		}
	}
}

func TestTheBootstrapRoleReachesOnlyTheClustersAPI(t *testing.T) {
	cluster := "arn:aws:eks:eu-central-1:" + acct + ":cluster/acme"
	ask(t, boundary.BootstrapPolicy(acme()), map[string]question{
		"the cluster's endpoint":  {"eks:DescribeCluster", cluster, nil, iampolicy.Allowed},
		"the cluster's API":       {"eks:AccessKubernetesApi", cluster, nil, iampolicy.Allowed},
		"not: another's":          {"eks:DescribeCluster", "arn:aws:eks:eu-central-1:" + other + ":cluster/x", nil, iampolicy.Silent},
		"not: an access entry":    {"eks:CreateAccessEntry", cluster, nil, iampolicy.Silent},
		"not: the cluster's end":  {"eks:DeleteCluster", cluster, nil, iampolicy.Silent},
		"not: anything elsewhere": {"s3:GetObject", "arn:aws:s3:::b/a", nil, iampolicy.Silent},
	})
}

func TestTheOffboardRoleOnlyTakesAway(t *testing.T) {
	ask(t, boundary.OffboardPolicy(acme()), map[string]question{
		"the cluster":            {"eks:DeleteCluster", "arn:aws:eks:eu-central-1:" + acct + ":cluster/acme", nil, iampolicy.Allowed},
		"deletion protection":    {"eks:UpdateClusterConfig", "arn:aws:eks:eu-central-1:" + acct + ":cluster/acme", nil, iampolicy.Allowed},
		"the network":            {"ec2:DeleteVpc", "*", nil, iampolicy.Allowed},
		"a load balancer":        {"elasticloadbalancing:DeleteLoadBalancer", "*", nil, iampolicy.Allowed},
		"a disk that stayed":     {"ec2:DeleteVolume", "*", nil, iampolicy.Allowed},
		"a role":                 {"iam:DeleteRole", appRole, nil, iampolicy.Allowed},
		"not: another role":      {"iam:DeleteRole", accessRole, nil, iampolicy.Silent},
		"not: a key":             {"kms:ScheduleKeyDeletion", key, nil, iampolicy.Silent},
		"not: a bucket":          {"s3:DeleteBucket", "arn:aws:s3:::freehold-acme-data-" + acct, nil, iampolicy.Silent},
		"not: the trail":         {"cloudtrail:DeleteTrail", "*", nil, iampolicy.Silent},
		"an identity provider":   {"eks:DisassociateIdentityProviderConfig", "arn:aws:eks:eu-central-1:" + acct + ":identityproviderconfig/acme/oidc/acme/0a", nil, iampolicy.Allowed},
		"not: letting people in": {"eks:AssociateIdentityProviderConfig", "arn:aws:eks:eu-central-1:" + acct + ":cluster/acme", nil, iampolicy.Silent},
		"not: making a cluster":  {"eks:CreateCluster", "arn:aws:eks:eu-central-1:" + acct + ":cluster/x", nil, iampolicy.Silent},
		"not: making a role":     {"iam:CreateRole", appRole, map[string]string{"iam:PermissionsBoundary": fenceARN}, iampolicy.Silent},
		"not: starting machines": {"ec2:RunInstances", "*", nil, iampolicy.Silent},
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
		doc  iampolicy.Document
		req  iampolicy.Request
		want iampolicy.Verdict
	}{
		"a phase role trusts the provisioner with the external id": {boundary.Trust(a), iampolicy.Request{Action: "sts:AssumeRole", Principal: provisioner, Context: map[string]string{"sts:ExternalId": "freehold-acme-1"}}, iampolicy.Allowed},
		"a phase role wants the external id":                       {boundary.Trust(a), iampolicy.Request{Action: "sts:AssumeRole", Principal: provisioner}, iampolicy.Silent},
		"a phase role wants its own org's external id":             {boundary.Trust(a), iampolicy.Request{Action: "sts:AssumeRole", Principal: provisioner, Context: map[string]string{"sts:ExternalId": "freehold-globex-1"}}, iampolicy.Silent},
		"a phase role trusts nobody else":                          {boundary.Trust(a), iampolicy.Request{Action: "sts:AssumeRole", Principal: appRole, Context: map[string]string{"sts:ExternalId": "freehold-acme-1"}}, iampolicy.Silent},
		"the data bucket leaves its account to IAM":                {boundary.DataBucketPolicy(a), iampolicy.Request{Action: "s3:GetObject", Resource: object, Principal: appRole, Context: tls}, iampolicy.Silent},
		"the data bucket is closed to other accounts":              {boundary.DataBucketPolicy(a), iampolicy.Request{Action: "s3:GetObject", Resource: object, Principal: "arn:aws:iam::" + other + ":role/x", Context: tls}, iampolicy.Denied},
		"the data bucket is closed to the unknown":                 {boundary.DataBucketPolicy(a), iampolicy.Request{Action: "s3:GetObject", Resource: object, Context: tls}, iampolicy.Denied},
		"the data bucket wants TLS":                                {boundary.DataBucketPolicy(a), iampolicy.Request{Action: "s3:GetObject", Resource: object, Principal: appRole, Context: map[string]string{"aws:SecureTransport": "false"}}, iampolicy.Denied},
		"the log bucket takes the trail's files":                   {boundary.LogBucketPolicy(a), iampolicy.Request{Action: "s3:PutObject", Resource: written, Service: "cloudtrail.amazonaws.com", Context: map[string]string{"aws:SecureTransport": "true", "aws:SourceArn": trail, "s3:x-amz-acl": "bucket-owner-full-control"}}, iampolicy.Allowed},
		"the log bucket takes no other trail's":                    {boundary.LogBucketPolicy(a), iampolicy.Request{Action: "s3:PutObject", Resource: written, Service: "cloudtrail.amazonaws.com", Context: map[string]string{"aws:SecureTransport": "true", "aws:SourceArn": strings.ReplaceAll(trail, acct, other), "s3:x-amz-acl": "bucket-owner-full-control"}}, iampolicy.Silent},
		"the log key serves the account's log groups":              {boundary.LogKeyPolicy(a), iampolicy.Request{Action: "kms:Encrypt", Resource: key, Service: "logs.eu-central-1.amazonaws.com", Context: map[string]string{"kms:EncryptionContext:aws:logs:arn": "arn:aws:logs:eu-central-1:" + acct + ":log-group:/x"}}, iampolicy.Allowed},
		"the log key serves no other account's":                    {boundary.LogKeyPolicy(a), iampolicy.Request{Action: "kms:Encrypt", Resource: key, Service: "logs.eu-central-1.amazonaws.com", Context: map[string]string{"kms:EncryptionContext:aws:logs:arn": "arn:aws:logs:eu-central-1:" + other + ":log-group:/x"}}, iampolicy.Silent},
		"the log key serves the trail":                             {boundary.LogKeyPolicy(a), iampolicy.Request{Action: "kms:GenerateDataKey", Resource: key, Service: "cloudtrail.amazonaws.com", Context: map[string]string{"aws:SourceArn": trail, "kms:EncryptionContext:aws:cloudtrail:arn": trail}}, iampolicy.Allowed},
		"the data key leaves its account to IAM":                   {boundary.DataKeyPolicy(a), iampolicy.Request{Action: "kms:Decrypt", Resource: key, Principal: appRole}, iampolicy.Allowed},
		"the data key serves nodes' disks":                         {boundary.DataKeyPolicy(a), iampolicy.Request{Action: "kms:CreateGrant", Resource: key, Principal: scaling, Context: map[string]string{"kms:CallerAccount": acct, "kms:GrantIsForAWSResource": "true"}}, iampolicy.Allowed},
		"the data key is closed to other accounts":                 {boundary.DataKeyPolicy(a), iampolicy.Request{Action: "kms:Decrypt", Resource: key, Principal: "arn:aws:iam::" + other + ":role/x", Context: map[string]string{"kms:CallerAccount": other}}, iampolicy.Silent},
		"the data key is closed to another's Auto Scaling":         {boundary.DataKeyPolicy(a), iampolicy.Request{Action: "kms:Decrypt", Resource: key, Principal: strings.ReplaceAll(scaling, acct, other), Context: map[string]string{"kms:CallerAccount": other}}, iampolicy.Silent},
		"the data key is closed to who does not sign in":           {boundary.DataKeyPolicy(a), iampolicy.Request{Action: "kms:Decrypt", Resource: key}, iampolicy.Silent},
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
	direct := iampolicy.New(boundary.DataKeyPolicy(acme()).Statement[1:]...)
	scaling := roles + "aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
	tests := map[string]struct {
		action, principal, byService string
		want                         iampolicy.Verdict
	}{
		"Auto Scaling reads":              {"kms:Decrypt", scaling, "true", iampolicy.Allowed},
		"Auto Scaling lets a disk read":   {"kms:CreateGrant", scaling, "true", iampolicy.Allowed},
		"Auto Scaling lets somebody read": {"kms:CreateGrant", scaling, "false", iampolicy.Silent},
		"a role of the account reads":     {"kms:Decrypt", appRole, "true", iampolicy.Silent},
		"a role of the account grants":    {"kms:CreateGrant", appRole, "true", iampolicy.Silent},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := direct.Evaluate(iampolicy.Request{Action: tt.action, Resource: key, Principal: tt.principal, Context: map[string]string{
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
		doc   iampolicy.Document
		limit int
	}{
		"permissions boundary": {boundary.PermissionsBoundary(a), iampolicy.MaxManaged},
		"trust":                {boundary.Trust(a), iampolicy.MaxTrust},
		"provision":            {boundary.ProvisionPolicy(a), iampolicy.MaxInline},
		"read":                 {boundary.ReadPolicy(), iampolicy.MaxInline},
		"bootstrap":            {boundary.BootstrapPolicy(a), iampolicy.MaxInline},
		"offboard":             {boundary.OffboardPolicy(a), iampolicy.MaxInline},
		"data key":             {boundary.DataKeyPolicy(a), iampolicy.MaxKey},
		"log key":              {boundary.LogKeyPolicy(a), iampolicy.MaxKey},
		"data bucket":          {boundary.DataBucketPolicy(a), iampolicy.MaxBucket},
		"log bucket":           {boundary.LogBucketPolicy(a), iampolicy.MaxBucket},
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
				if s.Effect == iampolicy.Allow && s.Principal != nil && s.Principal.Anyone && len(s.Condition) == 0 {
					t.Errorf("%s allows anyone, under no condition", s.Sid)
				}
			}
		})
	}
}
