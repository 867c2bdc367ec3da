package boundary_test

import (
	"maps"
	"strings"
	"sync"
	"testing"

	"freehold.dev/freehold/components/boundary"
	"freehold.dev/freehold/internal/iam"
)

const (
	podRole    = roles + "freehold-acme-pod-shop.app"
	nodeRole   = roles + "freehold-acme-node"
	phase      = roles + "freehold-acme-provision"
	readRole   = roles + "freehold-acme-read"
	bootstrap  = roles + "freehold-acme-bootstrap"
	offboard   = roles + "freehold-acme-offboard"
	foreignKey = "arn:aws:kms:eu-central-1:" + other + ":key/k"
)

// everything is a policy that lets a role do all that AWS has: the worst that a
// managed policy can be.
var everything = iam.New(iam.Statement{Sid: "All", Effect: iam.Allow, Action: iam.Values{"*"}, Resource: iam.Values{"*"}})

var fence = sync.OnceValue(func() iam.Document { return boundary.PermissionsBoundary(acme()) })

// may answers whether a role with policies and the boundary may do something. It may
// where one of its policies allows it, the boundary does as well, and nothing denies it.
func may(req iam.Request, policies ...iam.Document) bool {
	if req.Context == nil {
		req.Context = map[string]string{}
	}
	req.Context = maps.Clone(req.Context)
	if req.Context["aws:RequestedRegion"] == "" {
		req.Context["aws:RequestedRegion"] = "eu-central-1"
	}
	if fence().Evaluate(req) != iam.Allowed {
		return false
	}
	allowed := false
	for _, policy := range policies {
		switch policy.Evaluate(req) {
		case iam.Denied, iam.Undecided:
			return false
		case iam.Allowed:
			allowed = true
		case iam.Silent:
		}
	}
	return allowed
}

// Every action of the list is asked, and every role of the account that is not outside
// of the fence. Pods and others have a policy that allows everything.
func TestNoRoleShares(t *testing.T) {
	a := acme()
	holders := []struct {
		role   string
		policy iam.Document
	}{
		{podRole, everything}, {nodeRole, everything}, {appRole, everything}, {bootstrap, everything},
		{phase, boundary.ProvisionPolicy(a)}, {readRole, boundary.ReadPolicy()}, {offboard, boundary.OffboardPolicy(a)},
	}
	for _, share := range iam.Sharing() {
		action := strings.ReplaceAll(share.Action, "*", "Any")
		for _, holder := range holders {
			if holder.role == phase && (share.Needed == iam.ByTheStack || share.Action == "ec2:CreateVpcEndpoint") {
				continue // what the cluster's stack is made with, and its rules judge
			}
			for _, resource := range []string{"*", "arn:aws:eks:eu-central-1:" + acct + ":cluster/acme", appRole} {
				if may(iam.Request{Action: action, Resource: resource, Principal: holder.role}, holder.policy) {
					t.Errorf("%s may %s, which shares by %s", holder.role, action, share.Way)
				}
			}
		}
	}
}

// No action of the list fits what workloads may have, unless a denial names it.
func TestNoWorkloadShares(t *testing.T) {
	for _, share := range iam.Sharing() {
		if share.When != nil {
			continue // asked by TestAPodIsBounded
		}
		for _, pattern := range boundary.Workloads() {
			if !iam.Overlap(pattern, share.Action) {
				continue
			}
			action := strings.ReplaceAll(share.Action, "*", "")
			if may(iam.Request{Action: action, Resource: "*", Principal: podRole}, everything) {
				t.Errorf("workloads may have %s by %s", share.Action, pattern)
			}
		}
	}
}

func TestAPodIsBounded(t *testing.T) {
	own := map[string]string{"aws:ResourceAccount": acct}
	foreign := map[string]string{"aws:ResourceAccount": other}
	byService := map[string]string{"kms:GrantIsForAWSResource": "true"}
	arn := func(service, resource string) string {
		return "arn:aws:" + service + ":eu-central-1:" + acct + ":" + resource
	}
	tests := []struct {
		name, principal, action, resource string
		context                           map[string]string
		want                              bool
	}{
		{"a pod reads and writes a table", podRole, "dynamodb:PutItem", arn("dynamodb", "table/t"), own, true},
		{"a pod queries a table", podRole, "dynamodb:Query", arn("dynamodb", "table/t"), own, true},
		{"a pod reads an object", podRole, "s3:GetObject", "arn:aws:s3:::b/a", own, true},
		{"a pod writes an object", podRole, "s3:PutObject", "arn:aws:s3:::b/a", own, true},
		{"a pod lists buckets", podRole, "s3:ListAllMyBuckets", "*", nil, true},
		{"a pod takes messages", podRole, "sqs:ReceiveMessage", arn("sqs", "q"), own, true},
		{"a pod sends messages", podRole, "sqs:SendMessage", arn("sqs", "q"), own, true},
		{"a pod publishes", podRole, "sns:Publish", arn("sns", "t"), own, true},
		{"a pod sends events", podRole, "events:PutEvents", arn("events", "event-bus/default"), nil, true},
		{"a pod reads a secret", podRole, "secretsmanager:GetSecretValue", arn("secretsmanager", "secret:s"), own, true},
		{"a pod writes a secret", podRole, "secretsmanager:PutSecretValue", arn("secretsmanager", "secret:s"), own, true},
		{"a pod reads a parameter", podRole, "ssm:GetParameter", arn("ssm", "parameter/p"), own, true},
		{"a pod reads AWS's parameter", podRole, "ssm:GetParameter", "arn:aws:ssm:eu-central-1::parameter/aws/service/eks/x", map[string]string{"aws:ResourceAccount": "amazon"}, true},
		{"a pod uses a key", podRole, "kms:Decrypt", key, own, true},
		{"a pod invokes a function", podRole, "lambda:InvokeFunction", arn("lambda", "function:f"), own, true},
		{"a pod invokes a model of AWS", podRole, "bedrock:InvokeModel", "arn:aws:bedrock:eu-central-1::foundation-model/m", nil, true},
		{"a pod signs in to a database", podRole, "rds-db:connect", arn("rds-db", "dbuser:db/u"), own, true},
		{"a pod searches", podRole, "es:ESHttpPost", arn("es", "domain/d/_search"), own, true},
		{"a pod queries a lake", podRole, "athena:StartQueryExecution", arn("athena", "workgroup/w"), own, true},
		{"a pod writes logs", podRole, "logs:PutLogEvents", arn("logs", "log-group:g:log-stream:s"), own, true},
		{"a pod writes metrics", podRole, "cloudwatch:PutMetricData", "*", nil, true},
		{"a pod writes to Prometheus", podRole, "aps:RemoteWrite", arn("aps", "workspace/w"), own, true},
		{"a pod takes a role of the account", podRole, "sts:AssumeRole", appRole, own, true},
		{"external-dns writes a name", podRole, "route53:ChangeResourceRecordSets", "arn:aws:route53:::hostedzone/Z", own, true},
		{"the load balancer controller makes one", podRole, "elasticloadbalancing:CreateLoadBalancer", "*", nil, true},
		{"the load balancer controller makes a group", podRole, "ec2:CreateSecurityGroup", "*", own, true},
		{"the load balancer controller finds a certificate", podRole, "acm:ListCertificates", "*", nil, true},
		{"the load balancer controller attaches a firewall", podRole, "wafv2:AssociateWebACL", arn("wafv2", "regional/webacl/w/1"), own, true},
		{"Karpenter starts machines", podRole, "ec2:CreateFleet", "*", nil, true},
		{"Karpenter starts them of AWS's image", podRole, "ec2:RunInstances", "arn:aws:ec2:eu-central-1::image/ami-1", map[string]string{"aws:ResourceAccount": "137112412989"}, true},
		{"Karpenter makes an instance profile", podRole, "iam:CreateInstanceProfile", "arn:aws:iam::" + acct + ":instance-profile/p", own, true},
		{"Karpenter passes the nodes' role", podRole, "iam:PassRole", nodeRole, own, true},
		{"Karpenter asks for prices", podRole, "pricing:GetProducts", "*", map[string]string{"aws:RequestedRegion": "us-east-1"}, true},
		{"the autoscaler asks for machines", podRole, "autoscaling:SetDesiredCapacity", arn("autoscaling", "autoScalingGroup:g"), own, true},
		{"the EBS driver makes a disk", roles + "freehold-acme-ebs", "ec2:CreateVolume", arn("ec2", "volume/*"), own, true},
		{"the EBS driver makes a snapshot", roles + "freehold-acme-ebs", "ec2:CreateSnapshot", arn("ec2", "snapshot/*"), own, true},
		{"the EBS driver has EC2 use the key", roles + "freehold-acme-ebs", "kms:CreateGrant", key, byService, true},
		{"the EFS driver makes an access point", podRole, "elasticfilesystem:CreateAccessPoint", arn("elasticfilesystem", "file-system/fs-1"), own, true},
		{"a node pulls the network's image", nodeRole, "ecr:BatchGetImage", "arn:aws:ecr:eu-central-1:602401143452:repository/amazon-k8s-cni", map[string]string{"aws:ResourceAccount": "602401143452"}, true},
		{"a node pulls the org's image", nodeRole, "ecr:BatchGetImage", arn("ecr", "repository/r"), own, true},
		{"a node gets its pods' credentials", nodeRole, "eks-auth:AssumeRoleForPodIdentity", arn("eks", "cluster/acme"), own, true},
		{"a node attaches an interface", nodeRole, "ec2:AttachNetworkInterface", arn("ec2", "network-interface/*"), own, true},
		{"a node joins Systems Manager", nodeRole, "ssm:UpdateInstanceInformation", arn("ec2", "instance/i-1"), own, true},
		{"the cluster makes a load balancer's role", roles + "freehold-acme-cluster", "iam:CreateServiceLinkedRole", roles + "aws-service-role/elasticloadbalancing.amazonaws.com/x", nil, true},
		{"the network's log is written", roles + "freehold-acme-flows", "logs:CreateLogStream", arn("logs", "log-group:g:log-stream:s"), own, true},

		{"a pod deletes a log group", podRole, "logs:DeleteLogGroup", arn("logs", "log-group:g"), own, false},
		{"a pod shortens a log's life", podRole, "logs:PutRetentionPolicy", arn("logs", "log-group:g"), own, false},
		{"a pod deletes the network's log", podRole, "ec2:DeleteFlowLogs", "*", own, false},
		{"a pod stops the trail", podRole, "cloudtrail:StopLogging", "*", own, false},
		{"a pod changes the trail", podRole, "cloudtrail:PutEventSelectors", "*", own, false},
		{"a pod deletes the analyzer", podRole, "access-analyzer:DeleteAnalyzer", "*", own, false},
		{"a pod makes an access entry", podRole, "eks:CreateAccessEntry", arn("eks", "cluster/acme"), own, false},
		{"a pod widens an access entry", podRole, "eks:AssociateAccessPolicy", arn("eks", "access-entry/acme/x"), own, false},
		{"a pod gives itself a role", podRole, "eks:CreatePodIdentityAssociation", arn("eks", "cluster/acme"), own, false},
		{"a pod makes a role", podRole, "iam:CreateRole", appRole, map[string]string{"iam:PermissionsBoundary": fenceARN}, false},
		{"a pod changes who takes a role", podRole, "iam:UpdateAssumeRolePolicy", appRole, own, false},
		{"a pod passes a phase's role", podRole, "iam:PassRole", phase, own, false},
		{"a pod shares a file system's backup", podRole, "backup:StartCopyJob", "*", own, false},
		{"a pod makes a sink", podRole, "oam:CreateSink", "*", own, false},
		{"a pod makes a VPN", podRole, "ec2:CreateVpnConnection", "*", own, false},
		{"a pod makes a lifecycle that shares", podRole, "dlm:CreateLifecyclePolicy", "*", own, false},
		{"a pod makes a schedule", podRole, "scheduler:CreateSchedule", "*", own, false},
		{"a pod makes a state machine", podRole, "states:CreateStateMachine", "*", own, false},
		{"a pod makes a stack", podRole, "cloudformation:CreateStack", "*", own, false},
		{"a pod runs commands on nodes", podRole, "ssm:SendCommand", "*", own, false},
		{"a pod makes an association", podRole, "ssm:CreateAssociation", "*", own, false},
		{"a pod makes a function", podRole, "lambda:CreateFunction", "*", own, false},
		{"a pod makes a queue with a policy", podRole, "sqs:CreateQueue", arn("sqs", "q"), own, false},
		{"a pod subscribes somebody to a topic", podRole, "sns:Subscribe", arn("sns", "t"), own, false},
		{"a pod reads another account's object", podRole, "s3:GetObject", "arn:aws:s3:::theirs/a", foreign, false},
		{"a pod writes another account's object", podRole, "s3:PutObject", "arn:aws:s3:::theirs/a", foreign, false},
		{"a pod writes another account's queue", podRole, "sqs:SendMessage", "arn:aws:sqs:eu-central-1:" + other + ":q", foreign, false},
		{"a pod reads another account's table", podRole, "dynamodb:GetItem", "arn:aws:dynamodb:eu-central-1:" + other + ":table/t", foreign, false},
		{"a pod uses another account's key", podRole, "kms:Decrypt", foreignKey, foreign, false},
		{"a pod reads another account's parameter", podRole, "ssm:GetParameter", "arn:aws:ssm:eu-central-1:" + other + ":parameter/p", foreign, false},
		{"a pod pushes an image to another account", podRole, "ecr:PutImage", "arn:aws:ecr:eu-central-1:" + other + ":repository/r", foreign, false},
		{"a pod sends events to another account", podRole, "events:PutEvents", "arn:aws:events:eu-central-1:" + other + ":event-bus/b", nil, false},
		{"a pod takes a role of another account", podRole, "sts:AssumeRole", "arn:aws:iam::" + other + ":role/x", nil, false},
		{"the provision role uses another account's bucket", phase, "s3:PutObject", "arn:aws:s3:::theirs/a", foreign, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := may(iam.Request{Action: tt.action, Resource: tt.resource, Principal: tt.principal, Context: tt.context}, everything); got != tt.want {
				t.Errorf("%s on %s: %t, want %t", tt.action, tt.resource, got, tt.want)
			}
		})
	}
}

func TestTheProvisionRoleMakesEndpointsOfAWSsServicesOnly(t *testing.T) {
	endpoint := "arn:aws:ec2:eu-central-1:" + acct + ":vpc-endpoint/*"
	tests := []struct {
		name, resource, owner string
		want                  bool
	}{
		{"of a service of AWS", endpoint, "amazon", true},
		{"in the org's network", "arn:aws:ec2:eu-central-1:" + acct + ":vpc/vpc-1", "", true},
		{"of a service of another account", endpoint, other, false},
		{"of a service that nobody names", endpoint, "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			context := map[string]string{"aws:ResourceAccount": acct}
			if tt.owner != "" {
				context["ec2:VpceServiceOwner"] = tt.owner
			}
			req := iam.Request{Action: "ec2:CreateVpcEndpoint", Resource: tt.resource, Principal: phase, Context: context}
			if got := may(req, boundary.ProvisionPolicy(acme())); got != tt.want {
				t.Errorf("%t, want %t", got, tt.want)
			}
		})
	}
}
