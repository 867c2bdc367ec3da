package aws

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/accessanalyzer"
	analyzertypes "github.com/aws/aws-sdk-go-v2/service/accessanalyzer/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	ekstypes "github.com/aws/aws-sdk-go-v2/service/eks/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/s3control"
	s3controltypes "github.com/aws/aws-sdk-go-v2/service/s3control/types"

	"freehold.dev/freehold/internal/awstype"
)

// maker makes things in an account of an emulated AWS, and notes them.
type maker struct {
	*testing.T
	*session
	// want are the things, as an inventory lists them; asked are the inputs by
	// which they are found again.
	want  []string
	asked []look
}

type look struct {
	typ    string
	inputs map[string]any
	want   string
}

// made notes a thing, and that it is found by its inputs as well.
func (m *maker) made(typ, id string, inputs map[string]any) string {
	m.want = append(m.want, typ+" "+id)
	if inputs != nil {
		m.asked = append(m.asked, look{typ, inputs, id})
	}
	return id
}

func (m *maker) ok(err error) {
	m.Helper()
	if err != nil {
		m.Fatal(err)
	}
}

// must returns an answer, or ends the test.
func must[T any](t *testing.T) func(*T, error) *T {
	return func(out *T, err error) *T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
}

func tags(name string) map[string]any {
	return map[string]any{"Name": name, "freehold.dev/org": "acme", "freehold.dev/layer": "cluster"}
}

func spec(kind ec2types.ResourceType, name string) []ec2types.TagSpecification {
	s := ec2types.TagSpecification{ResourceType: kind}
	for k, v := range tags(name) {
		s.Tags = append(s.Tags, ec2types.Tag{Key: aws.String(k), Value: aws.String(v.(string))})
	}
	return []ec2types.TagSpecification{s}
}

func trusts(service string) *string {
	return aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"` + service + `"},"Action":"sts:AssumeRole"}]}`)
}

func (m *maker) network() {
	ctx := m.Context()
	vpc := must[ec2.CreateVpcOutput](m.T)(m.ec2.CreateVpc(ctx, &ec2.CreateVpcInput{CidrBlock: aws.String("10.0.0.0/16"), TagSpecifications: spec("vpc", "net")})).Vpc
	m.made(awstype.EC2VPC, *vpc.VpcId, map[string]any{"tags": tags("net")})
	for i, zone := range []string{"a", "b"} {
		subnet := must[ec2.CreateSubnetOutput](m.T)(m.ec2.CreateSubnet(ctx, &ec2.CreateSubnetInput{
			VpcId: vpc.VpcId, CidrBlock: aws.String(fmt.Sprintf("10.0.%d.0/24", i)), AvailabilityZone: aws.String(m.region + zone),
			TagSpecifications: spec("subnet", "private-"+zone),
		})).Subnet
		m.made(awstype.EC2Subnet, *subnet.SubnetId, map[string]any{"tags": tags("private-" + zone)})
	}
	subnet := strings.Fields(m.want[1])[1]
	gateway := must[ec2.CreateInternetGatewayOutput](m.T)(m.ec2.CreateInternetGateway(ctx, &ec2.CreateInternetGatewayInput{TagSpecifications: spec("internet-gateway", "internet")})).InternetGateway
	_, err := m.ec2.AttachInternetGateway(ctx, &ec2.AttachInternetGatewayInput{InternetGatewayId: gateway.InternetGatewayId, VpcId: vpc.VpcId})
	m.ok(err)
	m.made(awstype.EC2InternetGateway, *gateway.InternetGatewayId, map[string]any{"vpcId": *vpc.VpcId, "tags": tags("internet")})

	address := must[ec2.AllocateAddressOutput](m.T)(m.ec2.AllocateAddress(ctx, &ec2.AllocateAddressInput{Domain: "vpc", TagSpecifications: spec("elastic-ip", "nat")}))
	m.made(awstype.EC2Address, *address.AllocationId, map[string]any{"tags": tags("nat")})
	nat := must[ec2.CreateNatGatewayOutput](m.T)(m.ec2.CreateNatGateway(ctx, &ec2.CreateNatGatewayInput{
		SubnetId: aws.String(subnet), AllocationId: address.AllocationId, TagSpecifications: spec("natgateway", "nat"),
	})).NatGateway
	m.made(awstype.EC2NATGateway, *nat.NatGatewayId, map[string]any{"allocationId": *address.AllocationId})

	table := must[ec2.CreateRouteTableOutput](m.T)(m.ec2.CreateRouteTable(ctx, &ec2.CreateRouteTableInput{VpcId: vpc.VpcId, TagSpecifications: spec("route-table", "private-a")})).RouteTable
	m.made(awstype.EC2RouteTable, *table.RouteTableId, map[string]any{"tags": tags("private-a")})
	_, err = m.ec2.CreateRoute(ctx, &ec2.CreateRouteInput{RouteTableId: table.RouteTableId, DestinationCidrBlock: aws.String("0.0.0.0/0"), NatGatewayId: nat.NatGatewayId})
	m.ok(err)
	m.made(awstype.EC2Route, routeID(*table.RouteTableId, "0.0.0.0/0"), map[string]any{"routeTableId": *table.RouteTableId, "destinationCidrBlock": "0.0.0.0/0"})
	association := must[ec2.AssociateRouteTableOutput](m.T)(m.ec2.AssociateRouteTable(ctx, &ec2.AssociateRouteTableInput{RouteTableId: table.RouteTableId, SubnetId: aws.String(subnet)}))
	m.made(awstype.EC2RouteTableAssociation, *association.AssociationId, map[string]any{"routeTableId": *table.RouteTableId, "subnetId": subnet})
	endpoint := must[ec2.CreateVpcEndpointOutput](m.T)(m.ec2.CreateVpcEndpoint(ctx, &ec2.CreateVpcEndpointInput{
		VpcId: vpc.VpcId, ServiceName: aws.String("com.amazonaws." + m.region + ".s3"), RouteTableIds: []string{*table.RouteTableId}, VpcEndpointType: "Gateway",
		TagSpecifications: spec("vpc-endpoint", "s3"),
	})).VpcEndpoint
	m.made(awstype.EC2Endpoint, *endpoint.VpcEndpointId, map[string]any{"tags": tags("s3")})

	group := must[ec2.CreateSecurityGroupOutput](m.T)(m.ec2.CreateSecurityGroup(ctx, &ec2.CreateSecurityGroupInput{
		VpcId: vpc.VpcId, GroupName: aws.String("door"), Description: aws.String("a door"),
	}))
	m.made(awstype.EC2SecurityGroup, *group.GroupId, map[string]any{"vpcId": *vpc.VpcId, "name": "door"})
	rules := must[ec2.AuthorizeSecurityGroupIngressOutput](m.T)(m.ec2.AuthorizeSecurityGroupIngress(ctx, &ec2.AuthorizeSecurityGroupIngressInput{
		GroupId: group.GroupId, IpPermissions: []ec2types.IpPermission{{
			IpProtocol: aws.String("tcp"), FromPort: aws.Int32(443), ToPort: aws.Int32(443), IpRanges: []ec2types.IpRange{{CidrIp: aws.String("0.0.0.0/0")}},
		}},
	})).SecurityGroupRules
	m.made(awstype.EC2IngressRule, *rules[0].SecurityGroupRuleId, map[string]any{
		"securityGroupId": *group.GroupId, "ipProtocol": "tcp", "fromPort": 443.0, "toPort": 443.0, "cidrIpv4": "0.0.0.0/0",
	})
	// A new group lets everything out until somebody says otherwise.
	out, err := every(ctx, ec2.NewDescribeSecurityGroupRulesPaginator(m.ec2, &ec2.DescribeSecurityGroupRulesInput{Filters: []ec2types.Filter{by("group-id", *group.GroupId)}}),
		func(p *ec2.DescribeSecurityGroupRulesOutput) []ec2types.SecurityGroupRule {
			return p.SecurityGroupRules
		})
	m.ok(err)
	for _, r := range out {
		if *r.IsEgress {
			m.made(awstype.EC2EgressRule, *r.SecurityGroupRuleId, nil)
		}
	}
	template := must[ec2.CreateLaunchTemplateOutput](m.T)(m.ec2.CreateLaunchTemplate(ctx, &ec2.CreateLaunchTemplateInput{
		LaunchTemplateName: aws.String("freehold-acme-default"), LaunchTemplateData: &ec2types.RequestLaunchTemplateData{InstanceType: "m6i.large"},
	})).LaunchTemplate
	m.made(awstype.EC2LaunchTemplate, *template.LaunchTemplateId, map[string]any{"name": "freehold-acme-default"})
	volume := must[ec2.CreateVolumeOutput](m.T)(m.ec2.CreateVolume(ctx, &ec2.CreateVolumeInput{AvailabilityZone: aws.String(m.region + "a"), Size: aws.Int32(8)}))
	m.made(awstype.EBSVolume, *volume.VolumeId, nil)
	snapshot := must[ec2.CreateSnapshotOutput](m.T)(m.ec2.CreateSnapshot(ctx, &ec2.CreateSnapshotInput{VolumeId: volume.VolumeId}))
	m.made(awstype.EBSSnapshot, *snapshot.SnapshotId, nil)
	_, err = m.ec2.CreateKeyPair(ctx, &ec2.CreateKeyPairInput{KeyName: aws.String("laptop")})
	m.ok(err)
	m.made(awstype.EC2KeyPair, "laptop", nil)
}

func (m *maker) cluster() {
	ctx := m.Context()
	var subnets []string
	for _, w := range m.want {
		if id, is := strings.CutPrefix(w, awstype.EC2Subnet+" "); is {
			subnets = append(subnets, id)
		}
	}
	control := must[iam.CreateRoleOutput](m.T)(m.iam.CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String("freehold-acme-cluster"), AssumeRolePolicyDocument: trusts("eks.amazonaws.com")})).Role
	m.made(awstype.IAMRole, *control.RoleName, map[string]any{"name": *control.RoleName})
	nodes := must[iam.CreateRoleOutput](m.T)(m.iam.CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String("freehold-acme-node"), AssumeRolePolicyDocument: trusts("ec2.amazonaws.com")})).Role
	m.made(awstype.IAMRole, *nodes.RoleName, map[string]any{"name": *nodes.RoleName})

	const name = "freehold-acme"
	_, err := m.eks.CreateCluster(ctx, &eks.CreateClusterInput{
		Name: aws.String(name), RoleArn: control.Arn, ResourcesVpcConfig: &ekstypes.VpcConfigRequest{SubnetIds: subnets},
		AccessConfig: &ekstypes.CreateAccessConfigRequest{AuthenticationMode: "API", BootstrapClusterCreatorAdminPermissions: aws.Bool(true)},
	})
	m.ok(err)
	m.made(awstype.EKSCluster, name, map[string]any{"name": name})
	_, err = m.eks.CreateNodegroup(ctx, &eks.CreateNodegroupInput{ClusterName: aws.String(name), NodegroupName: aws.String("default"), NodeRole: nodes.Arn, Subnets: subnets})
	m.ok(err)
	m.made(awstype.EKSNodeGroup, name+":default", map[string]any{"clusterName": name, "nodeGroupName": "default"})
	_, err = m.eks.CreateAddon(ctx, &eks.CreateAddonInput{ClusterName: aws.String(name), AddonName: aws.String("coredns")})
	m.ok(err)
	m.made(awstype.EKSAddon, name+":coredns", map[string]any{"clusterName": name, "addonName": "coredns"})

	reader := must[iam.CreateRoleOutput](m.T)(m.iam.CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String("freehold-acme-read"), AssumeRolePolicyDocument: trusts("ec2.amazonaws.com")})).Role
	m.made(awstype.IAMRole, *reader.RoleName, map[string]any{"name": *reader.RoleName})
	_, err = m.eks.CreateAccessEntry(ctx, &eks.CreateAccessEntryInput{ClusterName: aws.String(name), PrincipalArn: reader.Arn, Tags: map[string]string{"freehold.dev/org": "acme"}})
	m.ok(err)
	m.made(awstype.EKSAccessEntry, name+":"+*reader.Arn, map[string]any{"clusterName": name, "principalArn": *reader.Arn})
	view := "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy"
	_, err = m.eks.AssociateAccessPolicy(ctx, &eks.AssociateAccessPolicyInput{
		ClusterName: aws.String(name), PrincipalArn: reader.Arn, PolicyArn: aws.String(view), AccessScope: &ekstypes.AccessScope{Type: "cluster"},
	})
	m.ok(err)
	m.made(awstype.EKSAccessPolicyAssociation, name+"#"+*reader.Arn+"#"+view, map[string]any{"clusterName": name, "principalArn": *reader.Arn, "policyArn": view})
	identity := must[eks.CreatePodIdentityAssociationOutput](m.T)(m.eks.CreatePodIdentityAssociation(ctx, &eks.CreatePodIdentityAssociationInput{
		ClusterName: aws.String(name), Namespace: aws.String("kube-system"), ServiceAccount: aws.String("ebs"), RoleArn: reader.Arn,
	})).Association
	m.made(awstype.EKSPodIdentityAssociation, *identity.AssociationId, nil)
	m.asked = append(m.asked, look{awstype.EKSPodIdentityAssociation, map[string]any{"clusterName": name, "namespace": "kube-system", "serviceAccount": "ebs"}, *identity.AssociationId})
}

func (m *maker) data() {
	ctx := m.Context()
	key := must[kms.CreateKeyOutput](m.T)(m.kms.CreateKey(ctx, &kms.CreateKeyInput{Description: aws.String("data"), Tags: []kmstypes.Tag{
		{TagKey: aws.String("Name"), TagValue: aws.String("data")}, {TagKey: aws.String("freehold.dev/org"), TagValue: aws.String("acme")},
		{TagKey: aws.String("freehold.dev/layer"), TagValue: aws.String("cluster")},
	}})).KeyMetadata
	m.made(awstype.KMSKey, *key.KeyId, map[string]any{"tags": tags("data")})
	_, err := m.kms.CreateAlias(ctx, &kms.CreateAliasInput{AliasName: aws.String("alias/freehold-acme-data"), TargetKeyId: key.KeyId})
	m.ok(err)
	m.made(awstype.KMSAlias, "alias/freehold-acme-data", map[string]any{"name": "alias/freehold-acme-data"})
	grant := must[kms.CreateGrantOutput](m.T)(m.kms.CreateGrant(ctx, &kms.CreateGrantInput{
		KeyId: key.KeyId, GranteePrincipal: aws.String("arn:aws:iam::999999999999:role/stranger"), Operations: []kmstypes.GrantOperation{"Decrypt"},
	}))
	m.made(awstype.KMSGrant, *key.KeyId+":"+*grant.GrantId, nil)

	const bucket = "freehold-acme-data-210987654321"
	_, err = m.s3.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String(bucket), CreateBucketConfiguration: &s3types.CreateBucketConfiguration{LocationConstraint: s3types.BucketLocationConstraint(m.region)}})
	m.ok(err)
	in := map[string]any{"bucket": bucket}
	m.made(awstype.S3Bucket, bucket, in)
	_, err = m.s3.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: aws.String(bucket), Policy: aws.String(`{"Version":"2012-10-17","Statement":[]}`)})
	m.ok(err)
	m.made(awstype.S3BucketPolicy, bucket, in)
	_, err = m.s3.PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{Bucket: aws.String(bucket), VersioningConfiguration: &s3types.VersioningConfiguration{Status: "Enabled"}})
	m.ok(err)
	m.made(awstype.S3Versioning, bucket, in)
	_, err = m.s3.PutBucketEncryption(ctx, &s3.PutBucketEncryptionInput{Bucket: aws.String(bucket), ServerSideEncryptionConfiguration: &s3types.ServerSideEncryptionConfiguration{
		Rules: []s3types.ServerSideEncryptionRule{{ApplyServerSideEncryptionByDefault: &s3types.ServerSideEncryptionByDefault{SSEAlgorithm: "aws:kms", KMSMasterKeyID: key.Arn}}},
	}})
	m.ok(err)
	m.made(awstype.S3Encryption, bucket, in)
	// At its strictest it is as AWS makes it: found, but nobody's.
	_, err = m.s3.PutPublicAccessBlock(ctx, &s3.PutPublicAccessBlockInput{Bucket: aws.String(bucket), PublicAccessBlockConfiguration: &s3types.PublicAccessBlockConfiguration{
		BlockPublicAcls: aws.Bool(true), BlockPublicPolicy: aws.Bool(true), IgnorePublicAcls: aws.Bool(true), RestrictPublicBuckets: aws.Bool(true),
	}})
	m.ok(err)
	m.asked = append(m.asked, look{awstype.S3PublicAccessBlock, in, bucket})
	for range 3 {
		_, err = m.s3.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String(bucket), Key: aws.String("a"), Body: strings.NewReader("x")})
		m.ok(err)
	}
	_, err = m.s3.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: aws.String(bucket), Key: aws.String("a")})
	m.ok(err)

	const repository = "freehold-acme/namespace-controller"
	_, err = m.ecr.CreateRepository(ctx, &ecr.CreateRepositoryInput{RepositoryName: aws.String(repository)})
	m.ok(err)
	m.made(awstype.ECRRepository, repository, map[string]any{"name": repository})
	_, err = m.ecr.PutLifecyclePolicy(ctx, &ecr.PutLifecyclePolicyInput{RepositoryName: aws.String(repository), LifecyclePolicyText: aws.String(
		`{"rules":[{"rulePriority":1,"selection":{"tagStatus":"any","countType":"imageCountMoreThan","countNumber":9},"action":{"type":"expire"}}]}`)})
	m.ok(err)
	m.made(awstype.ECRLifecyclePolicy, repository, map[string]any{"repository": repository})

	trail := must[cloudtrail.CreateTrailOutput](m.T)(m.trail.CreateTrail(ctx, &cloudtrail.CreateTrailInput{Name: aws.String("freehold-acme"), S3BucketName: aws.String(bucket)}))
	m.made(awstype.CloudTrailTrail, *trail.TrailARN, map[string]any{"name": "freehold-acme"})
	_, err = m.analyzer.CreateAnalyzer(ctx, &accessanalyzer.CreateAnalyzerInput{AnalyzerName: aws.String("freehold-acme"), Type: analyzertypes.TypeAccount})
	m.ok(err)
	m.made(awstype.AccessAnalyzerAnalyzer, "freehold-acme", map[string]any{"analyzerName": "freehold-acme"})
	for _, name := range []string{"/freehold-acme/flow-logs", "/freehold-acme/flow-logs-2"} {
		_, err = m.logs.CreateLogGroup(ctx, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String(name)})
		m.ok(err)
		m.made(awstype.CloudWatchLogGroup, name, map[string]any{"name": name})
	}
	var vpc string
	for _, w := range m.want {
		if id, is := strings.CutPrefix(w, awstype.EC2VPC+" "); is {
			vpc = id
		}
	}
	to := "arn:aws:logs:" + m.region + ":" + m.account + ":log-group:/freehold-acme/flow-logs"
	flow := must[ec2.CreateFlowLogsOutput](m.T)(m.ec2.CreateFlowLogs(ctx, &ec2.CreateFlowLogsInput{
		ResourceIds: []string{vpc}, ResourceType: "VPC", TrafficType: "ALL", LogDestinationType: "cloud-watch-logs", LogDestination: aws.String(to),
		DeliverLogsPermissionArn: aws.String("arn:aws:iam::" + m.account + ":role/freehold-acme-cluster"),
	}))
	m.made(awstype.EC2FlowLog, flow.FlowLogIds[0], map[string]any{"vpcId": vpc, "trafficType": "ALL", "logDestination": to})
}

func (m *maker) permissions() {
	ctx := m.Context()
	policy := must[iam.CreatePolicyOutput](m.T)(m.iam.CreatePolicy(ctx, &iam.CreatePolicyInput{
		PolicyName: aws.String("freehold-acme-boundary"), PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`),
	})).Policy
	m.made(awstype.IAMPolicy, *policy.Arn, map[string]any{"name": "freehold-acme-boundary"})
	const role, audit = "freehold-acme-read", "arn:aws:iam::aws:policy/SecurityAudit"
	_, err := m.iam.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: aws.String(role), PolicyArn: aws.String(audit)})
	m.ok(err)
	m.made(awstype.IAMRoleAttachment, role+"/"+audit, map[string]any{"role": role, "policyArn": audit})
	_, err = m.iam.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: aws.String(role), PolicyName: aws.String("read"), PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:Get*","Resource":"*"}]}`)})
	m.ok(err)
	m.made(awstype.IAMRolePolicy, role+":read", map[string]any{"role": role, "name": "read"})
	_, err = m.iam.CreateInstanceProfile(ctx, &iam.CreateInstanceProfileInput{InstanceProfileName: aws.String("nodes")})
	m.ok(err)
	_, err = m.iam.AddRoleToInstanceProfile(ctx, &iam.AddRoleToInstanceProfileInput{InstanceProfileName: aws.String("nodes"), RoleName: aws.String(role)})
	m.ok(err)
	m.made(awstype.IAMInstanceProfile, "nodes", map[string]any{"name": "nodes"})
	_, err = m.iam.CreateServiceLinkedRole(ctx, &iam.CreateServiceLinkedRoleInput{AWSServiceName: aws.String("autoscaling.amazonaws.com")})
	m.ok(err)
	m.asked = append(m.asked, look{awstype.IAMServiceRole, map[string]any{"awsServiceName": "autoscaling.amazonaws.com"},
		"arn:aws:iam::" + m.account + ":role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"})

	_, err = m.iam.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("mallory")})
	m.ok(err)
	m.made(awstype.IAMUser, "mallory", nil)
	_, err = m.iam.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: aws.String("mallory")})
	m.ok(err)
	_, err = m.iam.AttachUserPolicy(ctx, &iam.AttachUserPolicyInput{UserName: aws.String("mallory"), PolicyArn: policy.Arn})
	m.ok(err)
	_, err = m.iam.CreateGroup(ctx, &iam.CreateGroupInput{GroupName: aws.String("admins")})
	m.ok(err)
	m.made(awstype.IAMGroup, "admins", nil)
	_, err = m.iam.AddUserToGroup(ctx, &iam.AddUserToGroupInput{UserName: aws.String("mallory"), GroupName: aws.String("admins")})
	m.ok(err)
	oidc := must[iam.CreateOpenIDConnectProviderOutput](m.T)(m.iam.CreateOpenIDConnectProvider(ctx, &iam.CreateOpenIDConnectProviderInput{
		Url: aws.String("https://token.example.com"), ThumbprintList: []string{strings.Repeat("a", 40)},
	}))
	m.made(awstype.IAMOIDCProvider, *oidc.OpenIDConnectProviderArn, map[string]any{"url": "https://token.example.com"})
}

func (m *maker) defaults() {
	ctx := m.Context()
	_, err := m.iam.UpdateAccountPasswordPolicy(ctx, &iam.UpdateAccountPasswordPolicyInput{MinimumPasswordLength: aws.Int32(14)})
	m.ok(err)
	m.made(awstype.IAMPasswordPolicy, "iam-account-password-policy", map[string]any{})
	_, err = m.session.settings.PutPublicAccessBlock(ctx, &s3control.PutPublicAccessBlockInput{AccountId: aws.String(m.account), PublicAccessBlockConfiguration: &s3controltypes.PublicAccessBlockConfiguration{BlockPublicAcls: aws.Bool(true)}})
	m.ok(err)
	m.made(awstype.S3AccountPublicAccessBlock, m.account, map[string]any{"accountId": m.account})
	_, err = m.ec2.ModifyInstanceMetadataDefaults(ctx, &ec2.ModifyInstanceMetadataDefaultsInput{HttpTokens: "required"})
	m.ok(err)
	m.made(awstype.EC2InstanceMetadataDefaults, m.account, map[string]any{"httpTokens": "required"})
	var key string
	for _, w := range m.want {
		if id, is := strings.CutPrefix(w, awstype.KMSKey+" "); is {
			key = "arn:aws:kms:" + m.region + ":" + m.account + ":key/" + id
		}
	}
	_, err = m.ec2.ModifyEbsDefaultKmsKeyId(ctx, &ec2.ModifyEbsDefaultKmsKeyIdInput{KmsKeyId: aws.String(key)})
	m.ok(err)
	m.made(awstype.EBSDefaultKey, key, map[string]any{"keyArn": key})
	_, err = m.ec2.EnableEbsEncryptionByDefault(ctx, &ec2.EnableEbsEncryptionByDefaultInput{})
	m.ok(err)
	m.asked = append(m.asked, look{awstype.EBSEncryptionByDefault, map[string]any{"enabled": true}, "default"})
}
