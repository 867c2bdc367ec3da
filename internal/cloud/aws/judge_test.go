package aws

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	ekstypes "github.com/aws/aws-sdk-go-v2/service/eks/types"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
	gocmp "github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/internal/cloud"
)

// Whose a thing is decides whether it is shown and, on demand, removed. Only
// what AWS made for certain is AWS's.
func TestByCloud(t *testing.T) {
	const nodeRole = "arn:aws:iam::210987654321:role/freehold-acme-node"
	born := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	fleet := []cluster{{
		name: "freehold-acme", group: "sg-cluster", creator: true, born: born,
		nodes: []ekstypes.Nodegroup{{NodeRole: aws.String(nodeRole), Resources: &ekstypes.NodegroupResources{
			AutoScalingGroups: []ekstypes.AutoScalingGroup{{Name: aws.String("eks-default-1")}},
		}}},
	}}
	tag := func(k, v string) []ec2types.Tag { return []ec2types.Tag{{Key: aws.String(k), Value: aws.String(v)}} }
	admin := []string{"arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"}
	entry := func(e ekstypes.AccessEntry) ekstypes.AccessEntry {
		if e.PrincipalArn == nil {
			e.PrincipalArn = aws.String("arn:aws:iam::210987654321:role/freehold-acme-provision")
		}
		if e.CreatedAt == nil {
			e.CreatedAt = aws.Time(born.Add(time.Second))
		}
		if e.Type == nil {
			e.Type = aws.String("STANDARD")
		}
		return e
	}
	dhcp := func(keys ...string) []ec2types.DhcpConfiguration {
		var out []ec2types.DhcpConfiguration
		for _, kv := range keys {
			k, v, _ := strings.Cut(kv, "=")
			out = append(out, ec2types.DhcpConfiguration{Key: aws.String(k), Values: []ec2types.AttributeValue{{Value: aws.String(v)}}})
		}
		return out
	}
	itself := &ec2types.ReferencedSecurityGroup{GroupId: aws.String("sg-1")}
	const entered = "arn:aws:iam::210987654321:role/path/customer-gave-this"

	for name, tc := range map[string]struct{ got, want bool }{
		"route: to the VPC":                     {routeByCloud(ec2types.Route{GatewayId: aws.String("local"), Origin: "CreateRouteTable"}, false), true},
		"route: propagated":                     {routeByCloud(ec2types.Route{GatewayId: aws.String("vgw-1"), Origin: "EnableVgwRoutePropagation"}, false), true},
		"route: of a gateway endpoint":          {routeByCloud(ec2types.Route{GatewayId: aws.String("vpce-1"), DestinationPrefixListId: aws.String("pl-1"), Origin: "CreateRoute"}, false), true},
		"route: to an endpoint, as a firewall":  {routeByCloud(ec2types.Route{GatewayId: aws.String("vpce-1"), DestinationCidrBlock: aws.String("0.0.0.0/0"), Origin: "CreateRoute"}, true), false},
		"route: to the internet, default VPC":   {routeByCloud(ec2types.Route{GatewayId: aws.String("igw-1"), DestinationCidrBlock: aws.String("0.0.0.0/0"), Origin: "CreateRoute"}, true), true},
		"route: to the internet, another VPC":   {routeByCloud(ec2types.Route{GatewayId: aws.String("igw-1"), DestinationCidrBlock: aws.String("0.0.0.0/0"), Origin: "CreateRoute"}, false), false},
		"route: to a peer from the default VPC": {routeByCloud(ec2types.Route{VpcPeeringConnectionId: aws.String("pcx-1"), DestinationCidrBlock: aws.String("10.0.0.0/8"), Origin: "CreateRoute"}, true), false},

		"DHCP: the region's own": {dhcpByCloud(ec2types.DhcpOptions{DhcpConfigurations: dhcp("domain-name=eu-central-1.compute.internal", "domain-name-servers=AmazonProvidedDNS")}), true},
		"DHCP: another resolver": {dhcpByCloud(ec2types.DhcpOptions{DhcpConfigurations: dhcp("domain-name=ec2.internal", "domain-name-servers=192.0.2.1")}), false},
		"DHCP: another domain":   {dhcpByCloud(ec2types.DhcpOptions{DhcpConfigurations: dhcp("domain-name=evil.example", "domain-name-servers=AmazonProvidedDNS")}), false},
		"DHCP: with a tag":       {dhcpByCloud(ec2types.DhcpOptions{Tags: tag("Name", "x"), DhcpConfigurations: dhcp("domain-name-servers=AmazonProvidedDNS")}), false},
		"DHCP: with NTP servers": {dhcpByCloud(ec2types.DhcpOptions{DhcpConfigurations: dhcp("domain-name-servers=AmazonProvidedDNS", "ntp-servers=192.0.2.1")}), false},
		"DHCP: nothing known":    {dhcpByCloud(ec2types.DhcpOptions{}), false},
		"group: a VPC's default": {groupByCloud(ec2types.SecurityGroup{GroupName: aws.String("default")}), true},
		"group: a cluster's own": {groupByCloud(ec2types.SecurityGroup{GroupName: aws.String("eks-cluster-sg"), Tags: tag("aws:eks:cluster-name", "freehold-acme")}), true},
		"group: tagged like one": {groupByCloud(ec2types.SecurityGroup{GroupName: aws.String("x"), Tags: tag("kubernetes.io/cluster/freehold-acme", "owned")}), false},
		"rule: in from itself":   {firstRule(ec2types.SecurityGroupRule{GroupId: aws.String("sg-1"), IpProtocol: aws.String("-1"), ReferencedGroupInfo: itself, IsEgress: aws.Bool(false)}), true},
		"rule: out to all":       {firstRule(ec2types.SecurityGroupRule{GroupId: aws.String("sg-1"), IpProtocol: aws.String("-1"), CidrIpv4: aws.String("0.0.0.0/0"), IsEgress: aws.Bool(true)}), true},
		"rule: in from all":      {firstRule(ec2types.SecurityGroupRule{GroupId: aws.String("sg-1"), IpProtocol: aws.String("-1"), CidrIpv4: aws.String("0.0.0.0/0"), IsEgress: aws.Bool(false)}), false},
		"rule: in from another":  {firstRule(ec2types.SecurityGroupRule{GroupId: aws.String("sg-2"), IpProtocol: aws.String("-1"), ReferencedGroupInfo: itself, IsEgress: aws.Bool(false)}), false},
		"rule: one port only":    {firstRule(ec2types.SecurityGroupRule{GroupId: aws.String("sg-1"), IpProtocol: aws.String("tcp"), ReferencedGroupInfo: itself, IsEgress: aws.Bool(false)}), false},

		"instance: a node":                     {instanceByCloud(ec2types.Instance{Tags: tag("aws:autoscaling:groupName", "eks-default-1")}, fleet), true},
		"instance: of another group":           {instanceByCloud(ec2types.Instance{Tags: tag("aws:autoscaling:groupName", "eks-default-2")}, fleet), false},
		"instance: tagged by hand like a node": {instanceByCloud(ec2types.Instance{Tags: tag("eks:nodegroup-name", "default")}, fleet), false},
		"instance: of EKS's Auto Mode":         {instanceByCloud(ec2types.Instance{Operator: &ec2types.OperatorResponse{Managed: aws.Bool(true)}}, nil), true},
		"template: EKS's":                      {templateByCloud(ec2types.LaunchTemplate{CreatedBy: aws.String("arn:aws:sts::210987654321:assumed-role/AWSServiceRoleForAmazonEKSNodegroup/EKS")}), true},
		"template: named like EKS's":           {templateByCloud(ec2types.LaunchTemplate{CreatedBy: aws.String("arn:aws:iam::210987654321:user/mallory"), LaunchTemplateName: aws.String("eks-1")}), false},
		"volume: a root disk":                  {volumeByCloud(ec2types.Volume{Attachments: []ec2types.VolumeAttachment{{InstanceId: aws.String("i-1"), DeleteOnTermination: aws.Bool(true)}}}), true},
		"volume: that stays":                   {volumeByCloud(ec2types.Volume{Attachments: []ec2types.VolumeAttachment{{InstanceId: aws.String("i-1")}}}), false},
		"interface: a load balancer's":         {interfaceByCloud(ec2types.NetworkInterface{InterfaceType: "network_load_balancer"}, nil), true},
		"interface: a service's":               {interfaceByCloud(ec2types.NetworkInterface{InterfaceType: "interface", RequesterManaged: aws.Bool(true)}, nil), true},
		"interface: plain":                     {interfaceByCloud(ec2types.NetworkInterface{InterfaceType: "interface"}, fleet), false},
		"interface: of an instance":            {interfaceByCloud(ec2types.NetworkInterface{Attachment: &ec2types.NetworkInterfaceAttachment{InstanceId: aws.String("i-1"), DeleteOnTermination: aws.Bool(true)}}, nil), true},
		"interface: in another account":        {interfaceByCloud(ec2types.NetworkInterface{Attachment: &ec2types.NetworkInterfaceAttachment{InstanceOwnerId: aws.String("999999999999")}}, fleet), false},
		"interface: a cluster's": {interfaceByCloud(ec2types.NetworkInterface{
			Description: aws.String("Amazon EKS freehold-acme"), Groups: []ec2types.GroupIdentifier{{GroupId: aws.String("sg-cluster")}},
		}, fleet), true},
		"interface: described like a cluster's": {interfaceByCloud(ec2types.NetworkInterface{Description: aws.String("Amazon EKS freehold-acme")}, fleet), false},

		"entry: a service's":                   {entryByCloud(entry(ekstypes.AccessEntry{PrincipalArn: aws.String("arn:aws:iam::210987654321:role/aws-service-role/eks.amazonaws.com/AWSServiceRoleForAmazonEKS")}), nil, fleet[0]), true},
		"entry: the nodes'":                    {entryByCloud(entry(ekstypes.AccessEntry{PrincipalArn: aws.String(nodeRole), Type: aws.String("EC2_LINUX")}), nil, fleet[0]), true},
		"entry: other machines'":               {entryByCloud(entry(ekstypes.AccessEntry{Type: aws.String("EC2_LINUX")}), nil, fleet[0]), false},
		"entry: the nodes' role, more":         {entryByCloud(entry(ekstypes.AccessEntry{PrincipalArn: aws.String(nodeRole), CreatedAt: aws.Time(born.Add(time.Hour))}), admin, fleet[0]), false},
		"entry: the creator's":                 {entryByCloud(entry(ekstypes.AccessEntry{}), admin, fleet[0]), true},
		"entry: like the creator's, but later": {entryByCloud(entry(ekstypes.AccessEntry{CreatedAt: aws.Time(born.Add(time.Hour))}), admin, fleet[0]), false},
		"entry: with a tag":                    {entryByCloud(entry(ekstypes.AccessEntry{Tags: map[string]string{"a": "b"}}), admin, fleet[0]), false},
		"entry: with a group":                  {entryByCloud(entry(ekstypes.AccessEntry{KubernetesGroups: []string{"g"}}), admin, fleet[0]), false},
		"entry: with no policy":                {entryByCloud(entry(ekstypes.AccessEntry{}), nil, fleet[0]), false},
		"entry: creators are not let in":       {entryByCloud(entry(ekstypes.AccessEntry{}), admin, cluster{born: born}), false},

		"role: a service's":                {roleByCloud(iamtypes.Role{Path: aws.String("/aws-service-role/eks.amazonaws.com/"), RoleName: aws.String("x")}, ""), true},
		"role: of IAM Identity Center":     {roleByCloud(iamtypes.Role{Path: aws.String("/aws-reserved/sso.amazonaws.com/"), RoleName: aws.String("x")}, ""), true},
		"role: Organizations'":             {roleByCloud(iamtypes.Role{Path: aws.String("/"), RoleName: aws.String(vendedRole)}, ""), true},
		"role: by which we came":           {roleByCloud(iamtypes.Role{Path: aws.String("/path/"), RoleName: aws.String("customer-gave-this"), Arn: aws.String(entered)}, entered), true},
		"role: by which we came, our own":  {roleByCloud(iamtypes.Role{Path: aws.String("/"), Arn: aws.String(entered), Tags: []iamtypes.Tag{{Key: aws.String(ownTag)}}}, entered), false},
		"role: anyone's":                   {roleByCloud(iamtypes.Role{Path: aws.String("/"), RoleName: aws.String("mallory"), Arn: aws.String("arn:aws:iam::1:role/mallory")}, entered), false},
		"role: anyone's, entered by none":  {roleByCloud(iamtypes.Role{Path: aws.String("/"), RoleName: aws.String("mallory"), Arn: aws.String("arn:aws:iam::1:role/mallory")}, ""), false},
		"profile: EKS's":                   {profileByCloud(iamtypes.InstanceProfile{InstanceProfileName: aws.String("eks-0a1b2c3d-0000-1111-2222-0a1b2c3d4e5f"), Roles: []iamtypes.Role{{Arn: aws.String(nodeRole)}}}, fleet), true},
		"profile: named so, another role":  {profileByCloud(iamtypes.InstanceProfile{InstanceProfileName: aws.String("eks-0a1b2c3d-0000-1111-2222-0a1b2c3d4e5f"), Roles: []iamtypes.Role{{Arn: aws.String("arn:aws:iam::1:role/admin")}}}, fleet), false},
		"profile: another name, that role": {profileByCloud(iamtypes.InstanceProfile{InstanceProfileName: aws.String("nodes"), Roles: []iamtypes.Role{{Arn: aws.String(nodeRole)}}}, fleet), false},

		"grant: to a service":          {grantByCloud(kmstypes.GrantListEntry{GranteePrincipal: aws.String("eks.eu-central-1.amazonaws.com")}, "210987654321"), true},
		"grant: to an EBS volume":      {grantByCloud(kmstypes.GrantListEntry{GranteePrincipal: aws.String("arn:aws:sts::210987654321:assumed-role/aws:ec2-infrastructure/i-1")}, "210987654321"), true},
		"grant: to another account":    {grantByCloud(kmstypes.GrantListEntry{GranteePrincipal: aws.String("arn:aws:iam::999999999999:role/x")}, "210987654321"), false},
		"grant: to nobody known":       {grantByCloud(kmstypes.GrantListEntry{}, "210987654321"), false},
		"encryption: S3's own key":     {encryptionByCloud(&s3types.ServerSideEncryptionConfiguration{Rules: []s3types.ServerSideEncryptionRule{{ApplyServerSideEncryptionByDefault: &s3types.ServerSideEncryptionByDefault{SSEAlgorithm: "AES256"}}}}), true},
		"encryption: another key":      {encryptionByCloud(&s3types.ServerSideEncryptionConfiguration{Rules: []s3types.ServerSideEncryptionRule{{ApplyServerSideEncryptionByDefault: &s3types.ServerSideEncryptionByDefault{SSEAlgorithm: "aws:kms"}}}}), false},
		"metadata: nothing set":        {metadataSet(&ec2types.InstanceMetadataDefaultsResponse{}), false},
		"metadata: tokens required":    {metadataSet(&ec2types.InstanceMetadataDefaultsResponse{HttpTokens: "required"}), true},
		"metadata: set from elsewhere": {metadataSet(&ec2types.InstanceMetadataDefaultsResponse{HttpTokens: "required", ManagedBy: "declarative-policy"}), false},
	} {
		if tc.got != tc.want {
			t.Errorf("%s: got %v", name, tc.got)
		}
	}
}

func TestTagged(t *testing.T) {
	type answer struct {
		Type, ID, Name string
		Listed         bool
	}
	for name, want := range map[string]answer{
		"arn:aws:ec2:eu-central-1:1:vpc/vpc-1":                              {Listed: true},
		"arn:aws:s3:::a-bucket":                                             {Listed: true},
		"arn:aws:kms:eu-central-1:1:key/0a":                                 {Listed: true},
		"arn:aws:logs:eu-central-1:1:log-group:/x":                          {Listed: true},
		"arn:aws:eks:eu-central-1:1:access-entry/c/role/1/r/0a":             {Listed: true},
		"arn:aws:eks:eu-central-1:1:identityproviderconfig/c/oidc/c/0a":     {Listed: true},
		"arn:aws:elasticloadbalancing:eu-central-1:1:loadbalancer/net/a/0a": {Listed: true},
		"arn:aws:elasticloadbalancing:eu-central-1:1:loadbalancer/classic":  {Type: "aws:elb/loadBalancer:LoadBalancer", ID: "classic", Name: "classic"},
		"arn:aws:rds:eu-central-1:1:db:orders":                              {Type: "aws:rds/instance:Instance", ID: "orders", Name: "orders"},
		"arn:aws:lambda:eu-central-1:1:function:exfiltrate":                 {Type: "aws:lambda/function:Function", ID: "exfiltrate", Name: "exfiltrate"},
		"arn:aws:sqs:eu-central-1:1:jobs":                                   {Type: "aws:sqs/queue:Queue", ID: "arn:aws:sqs:eu-central-1:1:jobs", Name: "jobs"},
		"arn:aws:cloudformation:eu-central-1:1:stack/s/0a":                  {Type: "aws:cloudformation/stack:Stack", ID: "arn:aws:cloudformation:eu-central-1:1:stack/s/0a", Name: "s/0a"},
		"arn:aws:ec2:eu-central-1:1:capacity-reservation/cr-1":              {Type: "aws:ec2/capacityReservation:CapacityReservation", ID: "arn:aws:ec2:eu-central-1:1:capacity-reservation/cr-1", Name: "cr-1"},
		"not an ARN": {Type: "aws:unknown/resource:Resource", ID: "not an ARN", Name: "not an ARN"},
	} {
		it, listed := tagged(name)
		got := answer{it.Type, it.ID, it.Name, listed}
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// The provider's id of a route is a hash; this one is known from its states.
func TestRouteID(t *testing.T) {
	if got, want := routeID("rtb-0c96a52b72d544c27", "0.0.0.0/0"), "r-rtb-0c96a52b72d544c271080289494"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestGone(t *testing.T) {
	for code, want := range map[string]bool{
		"NoSuchEntity": true, "NoSuchBucketPolicy": true, "InvalidVpcID.NotFound": true, "NatGatewayNotFound": true, "ResourceNotFoundException": true,
		"InvalidLaunchTemplateName.NotFoundException": true, "ServerSideEncryptionConfigurationNotFoundError": true,
		"AccessDenied": false, "UnauthorizedOperation": false, "Throttling": false, "DependencyViolation": false, "": false,
	} {
		if got := gone(called(&smithy.OperationError{ServiceID: "EC2", OperationName: "DescribeVpcs", Err: &smithy.GenericAPIError{Code: code}})); got != want {
			t.Errorf("%s: got %v", code, got)
		}
	}
}

// An error begins with what a policy must allow.
func TestCalled(t *testing.T) {
	for _, tc := range []struct{ service, operation, want string }{
		{"EC2", "DescribeVpcs", "ec2:DescribeVpcs: "},
		{"S3", "ListBuckets", "s3:ListAllMyBuckets: "},
		{"S3", "GetBucketPolicy", "s3:GetBucketPolicy: "},
		{"S3 Control", "GetPublicAccessBlock", "s3:GetAccountPublicAccessBlock: "},
		{"Resource Groups Tagging API", "GetResources", "tag:GetResources: "},
	} {
		err := called(&smithy.OperationError{ServiceID: tc.service, OperationName: tc.operation, Err: &smithy.GenericAPIError{Code: "AccessDenied"}})
		if !strings.HasPrefix(err.Error(), tc.want) || code(err) != "AccessDenied" {
			t.Errorf("%s %s: got %q", tc.service, tc.operation, err)
		}
	}
}

func TestRemoveOfAnUnknownTypeSaysWhatToDo(t *testing.T) {
	err := (&Cloud{}).Remove(t.Context(), cloud.Account{ID: "210987654321"}, cloud.Item{Type: "aws:rds/instance:Instance", ID: "orders"})
	if err == nil || !strings.Contains(err.Error(), "AWS console") || errors.Is(err, cloud.ErrNotFound) {
		t.Errorf("got %v", err)
	}
}
