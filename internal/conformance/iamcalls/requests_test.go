package iamcalls_test

import (
	"errors"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/internal/conformance/iamcalls"
	"freehold.dev/freehold/internal/conformance/lab"
)

const (
	account = "210987654321"
	region  = "eu-central-1"
	role    = "arn:aws:iam::" + account + ":role/freehold-acme-provision"
	key     = "arn:aws:kms:" + region + ":" + account + ":key/k1"
)

func form(service, action string, params ...string) lab.Call {
	c := lab.Call{Service: service, Action: action, Form: url.Values{}, Method: "POST", Path: "/"}
	for i := 0; i < len(params); i += 2 {
		c.Form.Set(params[i], params[i+1])
	}
	return by(c)
}

func jsonCall(service, action, body string, answer ...string) lab.Call {
	return by(lab.Call{
		Service: service, Action: action, Body: []byte(body), Method: "POST", Path: "/", Answer: []byte(strings.Join(answer, "")),
	})
}

// rest makes a call from "GET /bucket?policy".
func rest(service, request, body string) lab.Call {
	method, target, _ := strings.Cut(request, " ")
	path, query, _ := strings.Cut(target, "?")
	values, err := url.ParseQuery(query)
	if err != nil {
		panic(err) // a case that is written wrong
	}
	return by(lab.Call{Service: service, Method: method, Path: path, Query: values, Body: []byte(body)})
}

func by(c lab.Call) lab.Call {
	c.Principal, c.Account, c.Region = role, account, region
	return c
}

// lines writes requests as "action resource key=value", without the keys that
// every request has.
func lines(t *testing.T, c lab.Call) []string {
	t.Helper()
	requests, err := iamcalls.Requests(c)
	if err != nil {
		t.Fatal(err)
	}
	out := []string{}
	for _, r := range requests {
		if r.Principal != role || r.Context["aws:RequestedRegion"] != region {
			t.Errorf("%s: asked by %q in %q", r.Action, r.Principal, r.Context["aws:RequestedRegion"])
		}
		words := []string{r.Action, strings.NewReplacer(account, "A", region, "R").Replace(r.Resource)}
		for _, k := range slices.Sorted(maps.Keys(r.Context)) {
			if !strings.HasPrefix(k, "aws:") {
				words = append(words, k+"="+strings.ReplaceAll(r.Context[k], account, "A"))
			}
		}
		out = append(out, strings.Join(words, " "))
	}
	return out
}

func TestRequestsAreWhatIAMChecks(t *testing.T) {
	tests := map[string]struct {
		call lab.Call
		want []string
	}{
		"whoever is signed in may ask who that is": {form("sts", "GetCallerIdentity"), []string{}},
		"a role is assumed with its external id": {
			form("sts", "AssumeRole", "RoleArn", role, "RoleSessionName", "s", "ExternalId", "x"),
			[]string{"sts:AssumeRole arn:aws:iam::A:role/freehold-acme-provision sts:ExternalId=x sts:RoleSessionName=s"},
		},
		"a role is made with its boundary, and tagged": {
			form("iam", "CreateRole", "RoleName", "r", "Path", "/p/", "PermissionsBoundary", "b", "Tags.member.1.Key", "k"),
			[]string{"iam:CreateRole arn:aws:iam::A:role/p/r iam:PermissionsBoundary=b", "iam:TagRole arn:aws:iam::A:role/p/r"},
		},
		"a role is made without a boundary": {form("iam", "CreateRole", "RoleName", "r"), []string{"iam:CreateRole arn:aws:iam::A:role/r"}},
		"a policy is attached": {
			form("iam", "AttachRolePolicy", "RoleName", "r", "PolicyArn", "arn:aws:iam::aws:policy/P"),
			[]string{"iam:AttachRolePolicy arn:aws:iam::A:role/r iam:PolicyARN=arn:aws:iam::aws:policy/P"},
		},
		"a list has no resource": {form("iam", "ListRoles"), []string{"iam:ListRoles *"}},
		"a subnet is in a VPC, and tagged": {
			form("ec2", "CreateSubnet", "VpcId", "vpc-0123456789abcdef0", "TagSpecification.1.ResourceType", "subnet"),
			[]string{
				"ec2:CreateSubnet arn:aws:ec2:R:A:subnet/*", "ec2:CreateSubnet arn:aws:ec2:R:A:vpc/vpc-0123456789abcdef0",
				"ec2:CreateTags arn:aws:ec2:R:A:subnet/* ec2:CreateAction=CreateSubnet",
			},
		},
		"a flow log is handed its role": {
			form("ec2", "CreateFlowLogs", "ResourceId.1", "vpc-0123456789abcdef0", "ResourceType", "VPC", "DeliverLogsPermissionArn", role),
			[]string{
				"ec2:CreateFlowLogs arn:aws:ec2:R:A:vpc-flow-log/*", "ec2:CreateFlowLogs arn:aws:ec2:R:A:vpc/vpc-0123456789abcdef0",
				"iam:PassRole arn:aws:iam::A:role/freehold-acme-provision iam:PassedToService=vpc-flow-logs.amazonaws.com",
			},
		},
		"an endpoint with names of its own joins a hosted zone": {
			form("ec2", "CreateVpcEndpoint", "PrivateDnsEnabled", "true"),
			[]string{"ec2:CreateVpcEndpoint arn:aws:ec2:R:A:vpc-endpoint/*", "route53:AssociateVPCWithHostedZone arn:aws:route53:::hostedzone/*"},
		},
		"an endpoint of AWS's says so": {
			form("ec2", "CreateVpcEndpoint", "ServiceName", "com.amazonaws.eu-central-1.s3"),
			[]string{"ec2:CreateVpcEndpoint arn:aws:ec2:R:A:vpc-endpoint/* ec2:VpceServiceOwner=amazon"},
		},
		"an endpoint of another's does not": {
			form("ec2", "CreateVpcEndpoint", "ServiceName", "com.amazonaws.vpce.eu-central-1.vpce-svc-0123456789abcdef0"),
			[]string{"ec2:CreateVpcEndpoint arn:aws:ec2:R:A:vpc-endpoint/*"},
		},
		"what instances will be tagged with is not tagged now": {
			form("ec2", "CreateLaunchTemplate", "LaunchTemplateData.TagSpecification.1.ResourceType", "instance", "LaunchTemplateData.SecurityGroupId.1", "sg-0123456789abcdef0"),
			[]string{"ec2:CreateLaunchTemplate arn:aws:ec2:R:A:launch-template/*"},
		},
		"a setting of the account has no resource": {form("ec2", "ModifyInstanceMetadataDefaults", "HttpTokens", "required"), []string{"ec2:ModifyInstanceMetadataDefaults *"}},
		"a cluster takes a role, a service-linked role and a key": {
			rest("eks", "POST /clusters", `{"name":"c","roleArn":"`+role+`","tags":{"k":"v"},"encryptionConfig":[{"provider":{"keyArn":"`+key+`"}}]}`),
			[]string{
				"eks:CreateCluster arn:aws:eks:R:A:cluster/c", "eks:TagResource arn:aws:eks:R:A:cluster/c",
				"iam:PassRole arn:aws:iam::A:role/freehold-acme-provision iam:PassedToService=eks.amazonaws.com",
				"iam:CreateServiceLinkedRole arn:aws:iam::A:role/aws-service-role/eks.amazonaws.com/AWSServiceRoleForAmazonEKS iam:AWSServiceName=eks.amazonaws.com",
				"kms:DescribeKey arn:aws:kms:R:A:key/k1", "kms:CreateGrant arn:aws:kms:R:A:key/k1 kms:GrantIsForAWSResource=true",
			},
		},
		"a node group's template is tried": {
			rest("eks", "POST /clusters/c/node-groups", `{"nodegroupName":"n","nodeRole":"`+role+`","launchTemplate":{"id":"lt-1"}}`),
			[]string{
				"eks:CreateNodegroup arn:aws:eks:R:A:cluster/c",
				"iam:PassRole arn:aws:iam::A:role/freehold-acme-provision iam:PassedToService=eks.amazonaws.com",
				"iam:GetRole arn:aws:iam::A:role/freehold-acme-provision",
				"iam:CreateServiceLinkedRole arn:aws:iam::A:role/aws-service-role/eks-nodegroup.amazonaws.com/AWSServiceRoleForAmazonEKSNodegroup iam:AWSServiceName=eks-nodegroup.amazonaws.com",
				"ec2:DescribeLaunchTemplateVersions *", "ec2:RunInstances *", "ec2:CreateTags * ec2:CreateAction=RunInstances",
			},
		},
		"pods are handed a role": {
			rest("eks", "POST /clusters/c/pod-identity-associations", `{"roleArn":"`+role+`"}`),
			[]string{
				"eks:CreatePodIdentityAssociation arn:aws:eks:R:A:cluster/c",
				"iam:PassRole arn:aws:iam::A:role/freehold-acme-provision iam:PassedToService=pods.eks.amazonaws.com",
				"iam:GetRole arn:aws:iam::A:role/freehold-acme-provision",
			},
		},
		"people are let in, with a tag": {
			rest("eks", "POST /clusters/c/identity-provider-configs/associate", `{"oidc":{"identityProviderConfigName":"c"},"tags":{"k":"v"}}`),
			[]string{"eks:AssociateIdentityProviderConfig arn:aws:eks:R:A:cluster/c", "eks:TagResource arn:aws:eks:R:A:cluster/c"},
		},
		"an identity provider is named in the body": {
			rest("eks", "POST /clusters/c/identity-provider-configs/disassociate", `{"identityProviderConfig":{"type":"oidc","name":"p"}}`),
			[]string{"eks:DisassociateIdentityProviderConfig arn:aws:eks:R:A:identityproviderconfig/c/oidc/p/*"},
		},
		"an add-on is handed a role": {
			rest("eks", "POST /clusters/c/addons", `{"addonName":"a","serviceAccountRoleArn":"`+role+`"}`),
			[]string{"eks:CreateAddon arn:aws:eks:R:A:cluster/c", "iam:PassRole arn:aws:iam::A:role/freehold-acme-provision iam:PassedToService=eks.amazonaws.com"},
		},
		"an ARN in a path is one part of it": {
			rest("eks", "DELETE /clusters/c/access-entries/arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fr/access-policies/arn%3Aaws%3Aeks%3A%3Aaws%3Acluster-access-policy%2FP", ""),
			[]string{"eks:DisassociateAccessPolicy arn:aws:eks:R:A:access-entry/c/*"},
		},
		"tags of a thing by its ARN": {rest("eks", "POST /tags/arn%3Aaws%3Aeks%3Ax%3Ay%3Acluster%2Fc", `{"tags":{"k":"v"}}`), []string{"eks:TagResource arn:aws:eks:x:y:cluster/c"}},
		"a key has no id before it is made": {
			jsonCall("kms", "CreateKey", `{"Policy":"{}","Tags":[{"TagKey":"k"}]}`),
			[]string{"kms:CreateKey *", "kms:PutKeyPolicy arn:aws:kms:R:A:key/*", "kms:TagResource arn:aws:kms:R:A:key/*"},
		},
		"an alias is a right to alias and key": {
			jsonCall("kms", "CreateAlias", `{"AliasName":"alias/a","TargetKeyId":"k1"}`),
			[]string{"kms:CreateAlias arn:aws:kms:R:A:alias/a", "kms:CreateAlias arn:aws:kms:R:A:key/k1"},
		},
		"a repository takes grants on its key": {
			jsonCall("ecr", "CreateRepository", `{"repositoryName":"a/b","tags":[{"Key":"k"}],"encryptionConfiguration":{"kmsKey":"`+key+`"}}`),
			[]string{
				"ecr:CreateRepository arn:aws:ecr:R:A:repository/a/b", "ecr:TagResource arn:aws:ecr:R:A:repository/a/b",
				"kms:DescribeKey arn:aws:kms:R:A:key/k1", "kms:CreateGrant arn:aws:kms:R:A:key/k1 kms:GrantIsForAWSResource=true",
				"kms:RetireGrant arn:aws:kms:R:A:key/k1",
			},
		},
		"a trail is tagged":        {jsonCall("cloudtrail", "CreateTrail", `{"Name":"t","TagsList":[{"Key":"k"}]}`), []string{"cloudtrail:CreateTrail arn:aws:cloudtrail:R:A:trail/t", "cloudtrail:AddTags arn:aws:cloudtrail:R:A:trail/t"}},
		"a trail by its ARN":       {jsonCall("cloudtrail", "StartLogging", `{"Name":"arn:aws:cloudtrail:x:y:trail/t"}`), []string{"cloudtrail:StartLogging arn:aws:cloudtrail:x:y:trail/t"}},
		"a log group is tagged":    {jsonCall("logs", "CreateLogGroup", `{"logGroupName":"/g","tags":{"k":"v"}}`), []string{"logs:CreateLogGroup arn:aws:logs:R:A:log-group:/g", "logs:TagResource arn:aws:logs:R:A:log-group:/g"}},
		"an analyzer has a role":   {rest("access-analyzer", "PUT /analyzer", `{"analyzerName":"a"}`), []string{"access-analyzer:CreateAnalyzer arn:aws:access-analyzer:R:A:analyzer/a", "iam:CreateServiceLinkedRole arn:aws:iam::A:role/aws-service-role/access-analyzer.amazonaws.com/AWSServiceRoleForAccessAnalyzer iam:AWSServiceName=access-analyzer.amazonaws.com"}},
		"tags have another prefix": {jsonCall("tagging", "GetResources", `{}`), []string{"tag:GetResources *"}},
		"a policy is attached to an account": {
			jsonCall("organizations", "AttachPolicy", `{"PolicyId":"p-1","TargetId":"111111111111"}`),
			[]string{"organizations:AttachPolicy arn:aws:organizations::A:policy/*/*/p-1", "organizations:AttachPolicy arn:aws:organizations::A:account/*/111111111111"},
		},
		"an account is made with tags": {jsonCall("organizations", "CreateAccount", `{"Tags":[{"Key":"k"}]}`), []string{"organizations:CreateAccount *", "organizations:TagResource *"}},
		"an account is moved": {
			jsonCall("organizations", "MoveAccount", `{"AccountId":"1","SourceParentId":"r-1","DestinationParentId":"ou-1"}`),
			[]string{"organizations:MoveAccount arn:aws:organizations::A:account/*/1", "organizations:MoveAccount arn:aws:organizations::A:ou/*/ou-1", "organizations:MoveAccount arn:aws:organizations::A:root/*/r-1"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, lines(t, tt.call)); diff != "" {
				t.Errorf("Requests (-want +got):\n%s", diff)
			}
		})
	}
}

func TestS3HasNamesOfItsOwn(t *testing.T) {
	virtual := rest("s3", "GET /?policy", "")
	virtual.Host = "b.s3.eu-central-1.amazonaws.com"
	tests := map[string]struct {
		call lab.Call
		want string
	}{
		"ListBuckets":                          {rest("s3", "GET /?x-id=ListBuckets", ""), "s3:ListAllMyBuckets *"},
		"HeadBucket":                           {rest("s3", "HEAD /b", ""), "s3:ListBucket arn:aws:s3:::b"},
		"CreateBucket":                         {rest("s3", "PUT /b", "<x/>"), "s3:CreateBucket arn:aws:s3:::b"},
		"DeleteBucket":                         {rest("s3", "DELETE /b", ""), "s3:DeleteBucket arn:aws:s3:::b"},
		"ListObjectVersions":                   {rest("s3", "GET /b?versions&max-keys=1000", ""), "s3:ListBucketVersions arn:aws:s3:::b"},
		"GetBucketEncryption":                  {rest("s3", "GET /b?encryption", ""), "s3:GetEncryptionConfiguration arn:aws:s3:::b"},
		"DeleteBucketEncryption":               {rest("s3", "DELETE /b?encryption", ""), "s3:PutEncryptionConfiguration arn:aws:s3:::b"},
		"PutPublicAccessBlock":                 {rest("s3", "PUT /b?publicAccessBlock", ""), "s3:PutBucketPublicAccessBlock arn:aws:s3:::b"},
		"DeletePublicAccessBlock":              {rest("s3", "DELETE /b?publicAccessBlock", ""), "s3:PutBucketPublicAccessBlock arn:aws:s3:::b"},
		"GetBucketLifecycleConfiguration":      {rest("s3", "GET /b?lifecycle", ""), "s3:GetLifecycleConfiguration arn:aws:s3:::b"},
		"DeleteBucketPolicy":                   {rest("s3", "DELETE /b?policy", ""), "s3:DeleteBucketPolicy arn:aws:s3:::b"},
		"GetBucketPolicy, by host":             {virtual, "s3:GetBucketPolicy arn:aws:s3:::b"},
		"GetObject":                            {rest("s3", "GET /b/a%20key", ""), "s3:GetObject arn:aws:s3:::b/a key"},
		"DeleteObject, a version":              {rest("s3", "DELETE /b/k?versionId=1", ""), "s3:DeleteObjectVersion arn:aws:s3:::b/k"},
		"DeleteObjects":                        {rest("s3", "POST /b?delete", "<Key>k</Key>"), "s3:DeleteObject arn:aws:s3:::b/*"},
		"DeleteObjects, versions":              {rest("s3", "POST /b?delete", "<VersionId>1</VersionId>"), "s3:DeleteObjectVersion arn:aws:s3:::b/*"},
		"AbortMultipartUpload":                 {rest("s3", "DELETE /b/k?uploadId=1", ""), "s3:AbortMultipartUpload arn:aws:s3:::b/k"},
		"S3 Control's GetPublicAccessBlock":    {rest("s3", "GET /v20180820/configuration/publicAccessBlock", ""), "s3:GetAccountPublicAccessBlock *"},
		"Cloud Control's ListResources":        {jsonCall("cloudcontrolapi", "ListResources", `{"TypeName":"AWS::Athena::WorkGroup"}`), "cloudformation:ListResources *"},
		"ListMultiRegionAccessPoints":          {rest("s3", "GET /v20180820/mrap/instances", ""), "s3:ListMultiRegionAccessPoints *"},
		"GetMultiRegionAccessPointPolicy":      {rest("s3", "GET /v20180820/mrap/instances/lent/policy", ""), "s3:GetMultiRegionAccessPointPolicy *"},
		"ListMetricStreams":                    {rest("monitoring", "POST /service/GraniteServiceVersion20100801/operation/ListMetricStreams", ""), "cloudwatch:ListMetricStreams *"},
		"S3 Control's DeletePublicAccessBlock": {rest("s3", "DELETE /v20180820/configuration/publicAccessBlock", ""), "s3:PutAccountPublicAccessBlock *"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff([]string{tt.want}, lines(t, tt.call)); diff != "" {
				t.Errorf("Requests (-want +got):\n%s", diff)
			}
		})
	}
}

func TestACallThatNoTableHoldsIsAnError(t *testing.T) {
	for name, c := range map[string]lab.Call{
		"a service":           jsonCall("lambda", "CreateFunction", `{}`),
		"an unsigned call":    jsonCall("", "GetThing", ``),
		"an operation":        form("iam", "CreateVirtualMFADevice"),
		"one of EC2":          form("ec2", "CreateVpcPeeringConnection"),
		"a path":              rest("eks", "GET /eks-anywhere-subscriptions", ""),
		"a method":            rest("eks", "PATCH /clusters/c", ""),
		"a bucket's new part": rest("s3", "GET /b?metadataTable", ""),
		"two parts at once":   rest("s3", "GET /b?acl&policy", ""),
		"a part's method":     rest("s3", "POST /b?policy", ""),
		"S3 Control's others": rest("s3", "GET /v20180820/jobs", ""),
		"a part of an object": rest("s3", "GET /b/k?tagging", ""),
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := iamcalls.Requests(c); !errors.Is(err, iamcalls.ErrUnknown) {
				t.Errorf("Requests: %v, %v; want ErrUnknown", got, err)
			}
		})
	}
}
