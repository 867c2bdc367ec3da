package policies

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"freehold.dev/freehold/policies/example"
)

// Each of these passed before there was a rule for its kind.
func TestEveryWayOfSharingThatOncePassedIsRefused(t *testing.T) {
	const (
		everybody  = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}`
		globexRole = "arn:aws:iam::333333333333:role/x"
	)
	writes := func(name, text string) Example { return configMap(name, "settings", text) }
	b64 := base64.StdEncoding.EncodeToString
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	if _, err := w.Write([]byte(globexRole)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	z, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	packed := z.EncodeAll([]byte(globexRole+strings.Repeat(" and so on", 20)), nil)
	for _, e := range []Example{
		honest("the org's own account as the administrator of everybody's findings", "aws:guardduty/organizationAdminAccount:OrganizationAdminAccount", object{"adminAccountId": example.Account}),
		honest("a control on an organizational unit", "aws:controltower/controlTowerControl:ControlTowerControl", object{"controlIdentifier": "arn:aws:controltower:eu-central-1::control/X", "targetIdentifier": "arn:aws:organizations::111111111111:ou/o-a1b2c3d4e5/ou-1"}),
		honest("a trail of the organization", "aws:cloudtrail/trail:Trail", object{"name": "x", "s3BucketName": lookLogs, "isOrganizationTrail": true}),
		honest("a trail of the organization, as text", "aws:cloudtrail/trail:Trail", object{"name": "x", "s3BucketName": lookLogs, "isOrganizationTrail": "true"}),
		honest("an event store of the organization", "aws:cloudtrail/eventDataStore:EventDataStore", object{"name": "x", "organizationEnabled": true}),
		honest("an aggregator of the organization", "aws:cfg/configurationAggregator:ConfigurationAggregator", object{"name": "x", "organizationAggregationSource": object{"allRegions": true, "roleArn": lookRole}}),
		honest("an analyzer of the organization", "aws:accessanalyzer/analyzer:Analyzer", object{"analyzerName": "x", "type": "ORGANIZATION"}),
		honest("an analyzer of unused access in the organization", "aws:accessanalyzer/analyzer:Analyzer", object{"analyzerName": "x", "type": "ORGANIZATION_UNUSED_ACCESS"}),
		honest("storage lens over the organization", "aws:s3control/storageLensConfiguration:StorageLensConfiguration", object{"configId": "x", "storageLensConfiguration": object{"enabled": true, "awsOrg": object{"arn": "arn:aws:organizations::111111111111:organization/o-a1b2c3d4e5"}, "accountLevel": object{"bucketLevel": object{}}}}),
		honest("a link that shows metrics to another account", "aws:oam/link:Link", object{"labelTemplate": "x", "resourceTypes": list{"AWS::Logs::LogGroup"}, "sinkIdentifier": "arn:aws:oam:eu-central-1:333333333333:sink/x"}),
		honest("a VPN over another org's transit gateway", "aws:ec2/vpnConnection:VpnConnection", object{"customerGatewayId": "cgw-1", "type": "ipsec.1", "transitGatewayId": "tgw-0abc0abc0abc0abc0"}),
		honest("a VPN over a gateway that nobody made", "aws:ec2/vpnConnection:VpnConnection", object{"customerGatewayId": "cgw-0123456789abcdef0", "type": "ipsec.1", "vpnGatewayId": "vgw-0abc0abc0abc0abc0"}),
		honest("a query log configuration that the org has not made", "aws:route53/resolverQueryLogConfigAssociation:ResolverQueryLogConfigAssociation", object{"resolverQueryLogConfigId": "rqlc-0abc0abc0abc0abc0", "resourceId": lookVPC}),
		honest("a resolver rule that the org has not made", "aws:route53/resolverRuleAssociation:ResolverRuleAssociation", object{"resolverRuleId": "rslvr-rr-0abc0abc0abc0abc0", "vpcId": lookVPC}),
		honest("a mirror of traffic to a target that the org has not made", "aws:ec2/trafficMirrorSession:TrafficMirrorSession", object{"networkInterfaceId": "eni-0abc0abc0abc0abc0", "sessionNumber": 1.0, "trafficMirrorFilterId": "tmf-0abc0abc0abc0abc0", "trafficMirrorTargetId": "tmt-0abc0abc0abc0abc0"}),
		honest("a directory that another account shares", "aws:directoryservice/sharedDirectoryAccepter:SharedDirectoryAccepter", object{"sharedDirectoryId": "d-1234567890"}),
		honest("ingress from a prefix list that the org has not made", "aws:ec2/securityGroup:SecurityGroup", object{"vpcId": lookVPC, "ingress": list{object{"fromPort": 443.0, "toPort": 443.0, "protocol": "tcp", "prefixListIds": list{"pl-0abc0abc0abc0abc0"}}}}),
		honest("an ingress rule for such a list", "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", object{"securityGroupId": lookGroup, "ipProtocol": "-1", "prefixListId": "pl-0abc0abc0abc0abc0"}),
		honest("ingress from another account's group", "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", object{"securityGroupId": lookGroup, "ipProtocol": "-1", "referencedSecurityGroupId": "333333333333/sg-0abc0abc0abc0abc0"}),
		honest("a route to a transit gateway", "aws:ec2/route:Route", object{"routeTableId": "rtb-0abc0abc0abc0abc0", "destinationCidrBlock": "10.0.0.0/8", "transitGatewayId": "tgw-0abc0abc0abc0abc0"}),
		honest("a route to another account's core network", "aws:ec2/route:Route", object{"routeTableId": "rtb-0abc0abc0abc0abc0", "destinationCidrBlock": "10.0.0.0/8", "coreNetworkArn": "arn:aws:networkmanager::333333333333:core-network/x"}),
		honest("a route over a peering", "aws:ec2/route:Route", object{"routeTableId": "rtb-0abc0abc0abc0abc0", "destinationCidrBlock": "10.0.0.0/8", "vpcPeeringConnectionId": "pcx-0abc0abc0abc0abc0"}),
		honest("a private zone for another VPC", "aws:route53/zone:Zone", object{"name": "x.internal", "vpcs": list{object{"vpcId": "vpc-0fffffffffffffff0"}}}),
		honest("a profile of Route 53 that the org has not made", "aws:route53/profilesAssociation:ProfilesAssociation", object{"name": "x", "profileId": "rp-0abc0abc0abc0abc", "resourceId": lookVPC}),
		honest("an endpoint of somebody's service", "aws:ec2/vpcEndpoint:VpcEndpoint", object{"vpcId": lookVPC, "serviceName": "com.amazonaws.vpce.eu-central-1.vpce-svc-0abc0abc0abc0abc0", "vpcEndpointType": "Interface"}),
		honest("an endpoint of another account's resource", "aws:ec2/vpcEndpoint:VpcEndpoint", object{"vpcId": lookVPC, "vpcEndpointType": "Resource", "resourceConfigurationArn": "arn:aws:vpc-lattice:eu-central-1:333333333333:resourceconfiguration/rcfg-0abc"}),
		honest("a service network that the org has not made", "aws:vpclattice/serviceNetworkVpcAssociation:ServiceNetworkVpcAssociation", object{"serviceNetworkIdentifier": "sn-0abc0abc0abc0abc0", "vpcIdentifier": lookVPC}),
		honest("a firewall by another account's policy", "aws:networkfirewall/firewall:Firewall", object{"firewallPolicyArn": "arn:aws:network-firewall:eu-central-1:333333333333:firewall-policy/x", "vpcId": lookVPC, "subnetMappings": list{object{"subnetId": lookSubnet}}}),
		honest("a VPC out of a pool that the org has not made", "aws:ec2/vpc:Vpc", object{"ipv4IpamPoolId": "ipam-pool-0abc0abc0abc0abc0", "ipv4NetmaskLength": 16.0}),
		honest("a DNS firewall that the org has not made", "aws:route53/resolverFirewallRuleGroupAssociation:ResolverFirewallRuleGroupAssociation", object{"firewallRuleGroupId": "rslvr-frg-0abc0abc0abc0", "name": "x", "priority": 101.0, "vpcId": lookVPC}),
		honest("a machine in another subnet", "aws:ec2/instance:Instance", object{"ami": "ami-0abc0abc0abc0abc0", "instanceType": "t3.micro", "subnetId": "subnet-0fffffffffffffff0"}),
		honest("a volume of a snapshot that the org has not made", "aws:ebs/volume:Volume", object{"availabilityZone": "eu-central-1a", "snapshotId": "snap-0abc0abc0abc0abc0"}),
		honest("a database out of another account's snapshot", "aws:rds/instance:Instance", object{"instanceClass": "db.t3.micro", "snapshotIdentifier": "arn:aws:rds:eu-central-1:333333333333:snapshot:x"}),
		honest("a template's policy for repositories", "aws:ecr/repositoryCreationTemplate:RepositoryCreationTemplate", object{"prefix": "x", "appliedFors": list{"PULL_THROUGH_CACHE"}, "repositoryPolicy": everybody}),
		honest("a policy of a group of models", "aws:sagemaker/modelPackageGroupPolicy:ModelPackageGroupPolicy", object{"modelPackageGroupName": "x", "resourcePolicy": everybody}),
		honest("a policy of an access grants instance", "aws:s3control/accessGrantsInstanceResourcePolicy:AccessGrantsInstanceResourcePolicy", object{"policy": everybody}),
		honest("a policy of a group of Verified Access", "aws:verifiedaccess/group:Group", object{"verifiedaccessInstanceId": "vai-0abc", "policyDocument": "permit(principal, action, resource);"}),
		honest("a policy of an endpoint of Verified Access", "aws:verifiedaccess/endpoint:Endpoint", object{"verifiedAccessGroupId": "vagr-0abc", "endpointType": "load-balancer", "attachmentType": "vpc", "policyDocument": "permit(principal, action, resource);"}),
		honest("a policy of an access point", "aws:s3/accessPoint:AccessPoint", object{"bucket": lookBucket, "policy": everybody}),
		honest("a bot with another account's role", "aws:lex/v2modelsBot:V2modelsBot", object{"name": "x", "idleSessionTtlInSeconds": 60.0, "roleArn": globexRole}),
		honest("a copy of a cluster's snapshot for everybody", "aws:rds/clusterSnapshotCopy:ClusterSnapshotCopy", object{"sharedAccounts": list{"all"}, "sourceDbClusterSnapshotIdentifier": "arn:aws:rds:eu-central-1:" + example.Account + ":cluster-snapshot:x", "targetDbClusterSnapshotIdentifier": "y"}),
		honest("a snapshot for everybody", "aws:rds/snapshot:Snapshot", object{"dbInstanceIdentifier": "x", "dbSnapshotIdentifier": "y", "sharedAccounts": list{"all"}}),
		honest("a grant by canonical id", "aws:s3/bucketAclV2:BucketAclV2", object{"bucket": lookBucket, "accessControlPolicy": object{"owner": object{"id": strings.Repeat("a", 64)}, "grants": list{object{"permission": "READ", "grantee": object{"type": "CanonicalUser", "id": strings.Repeat("b", 64)}}}}}),
		honest("a grant by canonical id in a bucket", "aws:s3/bucket:Bucket", object{"grants": list{object{"id": strings.Repeat("b", 64), "type": "CanonicalUser", "permissions": list{"READ"}}}}),
		honest("a grant by canonical id in a copy", "aws:s3/objectCopy:ObjectCopy", object{"bucket": lookBucket, "key": "x", "source": lookBucket + "/y", "grants": list{object{"type": "CanonicalUser", "id": strings.Repeat("b", 64), "permissions": list{"READ"}}}}),
		honest("a transcoder's permissions", "aws:elastictranscoder/pipeline:Pipeline", object{"inputBucket": lookBucket, "role": lookRole, "contentConfig": object{"bucket": lookBucket}, "contentConfigPermissions": list{object{"access": list{"Read"}, "grantee": "AllUsers", "granteeType": "Group"}}}),
		honest("an image for everybody", "aws:ec2/amiLaunchPermission:AmiLaunchPermission", object{"imageId": "ami-0abc", "group": "all"}),
		honest("a distribution of somebody's bucket", "aws:cloudfront/distribution:Distribution", object{"enabled": true, "origins": list{object{"originId": "x", "domainName": "globex-data.s3.amazonaws.com"}}}),
		honest("a distribution that another account signs for", "aws:cloudfront/distribution:Distribution", object{"enabled": true, "defaultCacheBehavior": object{"trustedSigners": list{"333333333333"}}}),
		honest("a document for everybody", "aws:ssm/document:Document", object{"name": "x", "documentType": "Command", "content": "{}", "permissions": object{"type": "Share", "accountIds": "all"}}),
		honest("a grant to whoever IAM allows", "aws:lakeformation/permissions:Permissions", object{"principal": "IAM_ALLOWED_PRINCIPALS", "permissions": list{"ALL"}, "database": object{"name": "x"}}),
		honest("a dashboard for another account", "aws:quicksight/dashboard:Dashboard", object{"dashboardId": "x", "name": "x", "versionDescription": "x", "permissions": list{object{"principal": "arn:aws:quicksight:eu-central-1:333333333333:user/default/x", "actions": list{"quicksight:DescribeDashboard"}}}}),
		writes("somebody's bucket in a map", "s3://globex-data/x"),
		writes("somebody's bucket by another scheme", "s3a://freehold-globex-data-333333333333/x"),
		writes("another org's bucket", "s3://freehold-globex-data/x"),
		writes("an ARN in small letters", strings.ToLower("ARN:AWS:IAM::333333333333:ROLE/x")),
		writes("a queue's dual-stack address", "https://sqs.eu-central-1.api.aws/333333333333/q"),
		writes("a queue's FIPS address", "https://sqs-fips.us-east-1.amazonaws.com/333333333333/q"),
		writes("a queue's old address", "https://eu-central-1.queue.amazonaws.com/333333333333/q"),
		writes("a registry's dual-stack address", "333333333333.dkr-ecr.eu-central-1.on.aws/app"),
		writes("base64", b64([]byte(globexRole))),
		writes("base64 over two lines", b64([]byte(globexRole))[:20]+"\n"+b64([]byte(globexRole))[20:]),
		writes("base64 over two lines of Windows", b64([]byte(globexRole))[:20]+"\r\n"+b64([]byte(globexRole))[20:]),
		writes("base64 of URLs", base64.RawURLEncoding.EncodeToString([]byte("\xfb\xff"+globexRole))),
		writes("base64 of gzip", b64(zipped.Bytes())),
		writes("base64 of UTF-16", b64([]byte{0xff, 0xfe, 'a', 0, 'r', 0, 'n', 0, ':', 0, 'a', 0, 'w', 0, 's', 0, ':', 0, 'i', 0, 'a', 0, 'm', 0, ':', 0, ':', 0, '3', 0, '3', 0, '3', 0, '3', 0, '3', 0, '3', 0, '3', 0, '3', 0, '3', 0, '3', 0, '3', 0, '3', 0, ':', 0, 'r', 0, 'o', 0, 'l', 0, 'e', 0, '/', 0, 'x', 0})),
		writes("escapes of JSON", `{"role":"arn:aws:iam::\u0033\u0033\u0033\u0033\u0033\u0033\u0033\u0033\u0033\u0033\u0033\u0033:role/x"}`),
		writes("percent encoding", "arn%3Aaws%3Aiam%3A%3A333333333333%3Arole%2Fx"),
		writes("percent encoding, twice", "arn%253Aaws%253Aiam%253A%253A333333333333%253Arole%252Fx"),
		writes("character references", "arn&#58;aws&#58;iam&#58;&#58;333333333333&#58;role/x"),
		writes("named character references", "arn&colon;aws&colon;iam&colon;&colon;333333333333&colon;role/x"),
		writes("hex digits", "61726e3a6177733a69616d3a3a3333333333333333333333333a726f6c652f78"),
		writes("escapes of YAML", `role: "arn:aws:iam::\x33\x33\x33\x33\x33\x33\x33\x33\x33\x33\x33\x33:role/x"`),
		writes("a folded line of YAML", "role: \"arn:aws:iam::333333\\\n  333333:role/x\""),
		writes("an account as the console shows it", "account 3333-3333-3333"),
		writes("an address of the console", "https://333333333333.signin.aws.amazon.com/console"),
		writes("a link that switches roles", "https://signin.aws.amazon.com/switchrole?account=333333333333&roleName=x"),
		writes("a bucket's address", "https://globex-data.s3.eu-central-1.amazonaws.com/x"),
		writes("a bucket's address by path", "https://s3.eu-central-1.amazonaws.com/globex-data/x"),
		writes("a bucket's web site", "http://globex-data.s3-website.eu-central-1.amazonaws.com"),
		writes("a bucket's dual-stack address", "https://globex-data.s3.dualstack.eu-central-1.amazonaws.com"),
		writes("a bucket's accelerated address", "https://globex-data.s3-accelerate.amazonaws.com"),
		writes("an access point's address", "https://x-333333333333.s3-accesspoint.eu-central-1.amazonaws.com"),
		writes("a bucket's address in China", "https://globex-data.s3.cn-north-1.amazonaws.com.cn"),
		writes("an ARN of China", "arn:aws-cn:iam::333333333333:role/x"),
		writes("an ARN of GovCloud", "arn:aws-us-gov:iam::333333333333:role/x"),
		honest("a subnet for pods that the org has not made", "kubernetes:crd.k8s.amazonaws.com/v1alpha1:ENIConfig", object{"metadata": object{"name": "x"}, "spec": object{"subnet": "subnet-0fffffffffffffff0", "securityGroups": list{"sg-0fffffffffffffff0"}}}),
		honest("an image and a subnet for nodes that the org has not made", "kubernetes:karpenter.k8s.aws/v1:EC2NodeClass", object{"metadata": object{"name": "x"}, "spec": object{"amiSelectorTerms": list{object{"id": "ami-0fffffffffffffff0"}}, "subnetSelectorTerms": list{object{"id": "subnet-0fffffffffffffff0"}}}}),
		honest("images of another account for nodes", "kubernetes:karpenter.k8s.aws/v1:EC2NodeClass", object{"metadata": object{"name": "x"}, "spec": object{"amiSelectorTerms": list{object{"owner": "333333333333", "name": "x"}}}}),
		honest("a group for a load balancer that the org has not made", "kubernetes:core/v1:Service", object{"metadata": object{"name": "x", "namespace": "freehold-system", "annotations": object{"service.beta.kubernetes.io/aws-load-balancer-security-groups": "sg-0fffffffffffffff0"}}, "spec": object{"type": "ClusterIP"}}),
		honest("a group for pods that the org has not made", "kubernetes:vpcresources.k8s.aws/v1beta1:SecurityGroupPolicy", object{"metadata": object{"name": "x", "namespace": "freehold-system"}, "spec": object{"securityGroups": object{"groupIds": list{"sg-0fffffffffffffff0"}}}}),
		honest("a target group of another account", "kubernetes:elbv2.k8s.aws/v1beta1:TargetGroupBinding", object{"metadata": object{"name": "x", "namespace": "freehold-system"}, "spec": object{"targetGroupARN": "arn:aws:elasticloadbalancing:eu-central-1:333333333333:targetgroup/x/1"}}),
		honest("a file system that the org has not made, for claims", "kubernetes:storage.k8s.io/v1:StorageClass", object{"metadata": object{"name": "x"}, "provisioner": "efs.csi.aws.com", "parameters": object{"fileSystemId": "fs-0fffffffffffffff0"}}),
		honest("a volume that the org has not made", "kubernetes:core/v1:PersistentVolume", object{"metadata": object{"name": "x"}, "spec": object{"csi": object{"driver": "ebs.csi.aws.com", "volumeHandle": "vol-0fffffffffffffff0"}}}),
		honest("a file system that the org has not made", "kubernetes:core/v1:PersistentVolume", object{"metadata": object{"name": "x"}, "spec": object{"csi": object{"driver": "efs.csi.aws.com", "volumeHandle": "fs-0fffffffffffffff0::fsap-0fffffffffffffff0"}}}),
		honest("somebody's bucket as a volume", "kubernetes:core/v1:PersistentVolume", object{"metadata": object{"name": "x"}, "spec": object{"csi": object{"driver": "s3.csi.aws.com", "volumeHandle": "x", "volumeAttributes": object{"bucketName": "globex-data"}}}}),
		honest("a webhook outside of the cluster", "kubernetes:admissionregistration.k8s.io/v1:MutatingWebhookConfiguration", object{"metadata": object{"name": "x"}, "webhooks": list{object{"name": "x.example.com", "clientConfig": object{"url": "https://globex.example/x"}}}}),
		honest("a schedule that calls any action", "aws:scheduler/schedule:Schedule", object{"name": "x", "scheduleExpression": "rate(1 hour)", "flexibleTimeWindow": object{"mode": "OFF"}, "target": object{"arn": "arn:aws:scheduler:::aws-sdk:ec2:modifySnapshotAttribute", "roleArn": lookRole, "input": "{}"}}),
		honest("a state machine that calls any action", "aws:sfn/stateMachine:StateMachine", object{"roleArn": lookRole, "definition": `{"StartAt":"a","States":{"a":{"Type":"Task","Resource":"arn:aws:states:::aws-sdk:rds:modifyDBSnapshotAttribute","End":true}}}`}),
		honest("an association that runs commands", "aws:ssm/association:Association", object{"name": "AWS-RunShellScript", "parameters": object{"commands": "x"}}),
		honest("a pipe to another account", "aws:pipes/pipe:Pipe", object{"roleArn": lookRole, "source": lookQueue, "target": "arn:aws:sqs:eu-central-1:333333333333:x"}),
		honest("a stack of CloudFormation", "aws:cloudformation/stack:Stack", object{"name": "x", "templateBody": "{}"}),
		honest("images for another account", "aws:imagebuilder/distributionConfiguration:DistributionConfiguration", object{"name": "x", "distributions": list{object{"region": "eu-central-1", "amiDistributionConfiguration": object{"launchPermission": object{"userIds": list{"333333333333"}}}}}}),
		honest("a replication instance, which is public unless it says otherwise", "aws:dms/replicationInstance:ReplicationInstance", object{"replicationInstanceId": "x", "replicationInstanceClass": "x"}),
		honest("an identity pool for guests", "aws:cognito/identityPool:IdentityPool", object{"identityPoolName": "x", "allowUnauthenticatedIdentities": true}),
		honest("a graph database on the internet", "aws:neptune/clusterInstance:ClusterInstance", object{"clusterIdentifier": "x", "instanceClass": "x", "publiclyAccessible": true}),
		honest("a collection on the internet", "aws:opensearch/serverlessSecurityPolicy:ServerlessSecurityPolicy", object{"name": "x", "type": "network", "policy": `[{"Rules":[{"ResourceType":"collection","Resource":["collection/x"]}],"AllowFromPublic":true}]`}),
		honest("a database that lets everybody in", "aws:memorydb/cluster:Cluster", object{"aclName": "open-access", "nodeType": "x"}),
		honest("a server of files on the internet", "aws:transfer/server:Server", object{"endpointType": "PUBLIC"}),
		honest("a service on the internet", "aws:apprunner/service:Service", object{"serviceName": "x", "networkConfiguration": object{"ingressConfiguration": object{"isPubliclyAccessible": true}}}),
		honest("images for everybody", "aws:imagebuilder/distributionConfiguration:DistributionConfiguration", object{"name": "x", "distributions": list{object{
			"region": "eu-central-1", "amiDistributionConfiguration": object{"launchPermission": object{"userGroups": list{"all"}}},
		}}}),
		writes("Zstandard in base64", b64(packed)), writes("xz in base64", b64([]byte("\xfd7zXZ\x00\x00\x04whatever is in it"))),
		writes("a zip in base64", b64([]byte("PK\x03\x04\x14\x00whatever is in it"))),
	} {
		t.Run(e.Name, func(t *testing.T) {
			if !slices.ContainsFunc(All(), func(r Rule) bool { return ask(r, e).Answer == Violated }) {
				t.Error("no rule refuses it")
			}
		})
	}
}
