package references

import (
	"encoding/base64"

	"freehold.dev/freehold/policies/example"
	"freehold.dev/freehold/policies/rule"
)

func badMentions() []rule.Example {
	const key = "arn:aws:kms:eu-central-1:" + example.OtherAccount + ":key/7b1c2d3e"
	statement := example.Statements(`{"Effect":"Allow","Action":"kms:Decrypt","Resource":"` + key + `"}`)
	return []rule.Example{
		example.Of("another org's key on a volume", "aws:ebs/volume:Volume", object{"kmsKeyId": key}),
		example.Of("an ARN deep inside a list", "aws:ecs/taskDefinition:TaskDefinition", object{
			"volumes": []any{object{"efs": object{"authorization": []any{object{"roleArn": example.OtherARN + ":role/x"}}}}},
		}),
		example.Of("an ARN in JSON inside a text", "aws:iam/rolePolicy:RolePolicy", object{"policy": statement}),
		example.Of("digits that JSON escapes, and no eye sees", "aws:iam/rolePolicy:RolePolicy", object{
			"policy": example.Statements(`{"Effect":"Allow","Action":"kms:Decrypt","Resource":"arn:aws:kms:eu-central-1:\u0033` + example.OtherAccount[1:] + `:key/1"}`),
		}),
		example.Of("an account id in a script for nodes, in base64", "aws:ec2/launchTemplate:LaunchTemplate", object{
			"userData": base64.StdEncoding.EncodeToString([]byte("#!/bin/sh\naws s3 sync s3://freehold-globex-data-" + example.OtherAccount + " /data #\n")),
		}),
		example.Of("another org's registry", "aws:ecs/taskDefinition:TaskDefinition", object{
			"containerDefinitions": `[{"image":"` + example.OtherAccount + `.dkr.ecr.eu-central-1.amazonaws.com/app:1"}]`,
		}),
		example.Of("an account that is a number", "aws:guardduty/member:Member", object{"accountId": 333333333333.0}),
		example.Of("an ARN as a key of a map", "eks:index:Cluster", object{"roleMappings": object{example.OtherARN + ":role/x": "admin"}}),
		example.Of("a pattern that the org's account fits, and others too", "aws:iam/rolePolicy:RolePolicy", object{
			"policy": example.Statements(`{"Effect":"Allow","Action":"kms:Decrypt","Resource":"arn:aws:kms:eu-central-1:21098765432?:key/*"}`),
		}),
		example.Of("the management account's root, which is not the provisioner's role", rule.TypeRole, object{
			"assumeRolePolicy": example.Statements(`{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"arn:aws:iam::` + example.ManagementAccount + `:root"}}`),
		}),
		example.Of("the provisioner's role in a key's policy, where nothing excepts it", "aws:kms/key:Key", object{
			"policy": example.Statements(`{"Effect":"Allow","Action":"kms:*","Principal":{"AWS":"` + example.ScopeIn(rule.LayerCluster).ProvisionerARN + `"},"Resource":"*"}`),
		}),
		example.In(rule.LayerBootstrap, "an account id in a config map", "kubernetes:core/v1:ConfigMap", object{"data": object{"peer": example.OtherAccount}}),
	}
}

func goodMentions() []rule.Example {
	return []rule.Example{
		example.Of("the org's own key", "aws:ebs/volume:Volume", object{"kmsKeyId": "arn:aws:kms:eu-central-1:" + example.Account + ":key/7b1c2d3e"}),
		example.Of("a policy of AWS's", "aws:iam/rolePolicyAttachment:RolePolicyAttachment", object{"policyArn": "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy"}),
		example.Of("the provisioner in a role's trust", rule.TypeRole, object{
			"assumeRolePolicy": example.Statements(`{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"` + example.ScopeIn(rule.LayerCluster).ProvisionerARN + `"}}`),
		}),
		example.Of("twelve digits inside a digest", "aws:ecs/taskDefinition:TaskDefinition", object{
			"image": example.Account + ".dkr.ecr.eu-central-1.amazonaws.com/app@sha256:6672656568f1d0c0a17e0de1b1d2c3f405162738495a6b7c8d9eafb0c1d2e3f4",
		}),
		example.Of("a UUID that ends in digits", "aws:dynamodb/tableItem:TableItem", object{"hashKey": "123e4567-e89b-12d3-a456-426614174000"}),
		example.Of("a size in bytes", "aws:cloudwatch/metricAlarm:MetricAlarm", object{"threshold": 107374182400.0}),
		example.Of("the caller's account, as a variable", "aws:iam/policy:Policy", object{
			"policy": example.Statements(`{"Effect":"Deny","Action":"s3:*","Resource":"*","Condition":{"StringNotEquals":{"aws:ResourceAccount":"${aws:PrincipalAccount}"}}}`),
		}),
		example.In(rule.LayerBootstrap, "an add-on's image from AWS's registry", "kubernetes:apps/v1:DaemonSet", object{
			"image": "602401143452.dkr.ecr.eu-central-1.amazonaws.com/eks/pause:3.10",
		}),
		example.In(rule.LayerAccount, "the management account in the account layer", rule.TypeAWSProvider, object{"allowedAccountIds": []any{example.ManagementAccount}}),
	}
}

func badBuckets() []rule.Example {
	return []rule.Example{
		example.Of("replication into another org's bucket", "aws:s3/bucketReplicationConfig:BucketReplicationConfig", object{
			"bucket": "freehold-acme-data-" + example.Account,
			"rules":  []any{object{"destination": object{"bucket": "arn:aws:s3:::freehold-globex-data-" + example.OtherAccount}}},
		}),
		example.Of("a trail into a bucket for everybody's logs", "aws:cloudtrail/trail:Trail", object{"s3BucketName": "company-central-logs"}),
		example.Of("a role that may read another org's bucket", "aws:iam/rolePolicy:RolePolicy", object{
			"policy": example.Statements(`{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::freehold-globex-data-*/*"}`),
		}),
	}
}

func goodBuckets() []rule.Example {
	return []rule.Example{
		example.Add(example.Of("a bucket of the same stack, under a name of its own", "aws:s3/bucketVersioningV2:BucketVersioningV2", object{"bucket": "shop-uploads"}), "aws:s3/bucketV2:BucketV2", "uploads", "shop-uploads", object{"bucket": "shop-uploads"}),
		example.Of("a trail into the org's log bucket", "aws:cloudtrail/trail:Trail", object{"s3BucketName": "freehold-acme-logs-" + example.Account}),
		example.Of("the layers of AWS's images", "aws:iam/rolePolicy:RolePolicy", object{
			"policy": example.Statements(`{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::prod-eu-central-1-starport-layer-bucket/*"}`),
		}),
		example.Of("a new bucket, of any name", "aws:s3/bucketV2:BucketV2", object{"bucket": "shop-uploads"}),
	}
}

func badIDs() []rule.Example {
	return []rule.Example{
		example.Add(example.Of("a subnet in a VPC that was there before", "aws:ec2/subnet:Subnet", object{"vpcId": "vpc-0a1b2c3d4e5f60718"}), "aws:ec2/vpc:Vpc", "network", "vpc-0ffffffffffffffff", object{}),
		example.Of("nodes in somebody's subnets", "aws:eks/nodeGroup:NodeGroup", object{
			"subnetIds": []any{"subnet-0a1b2c3d4e5f60718"},
		}),
		example.Add(example.Of("an inbound rule for another network's group", "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", object{
			"securityGroupId": "sg-0aaaaaaaaaaaaaaaa", "referencedSecurityGroupId": "sg-0bbbbbbbbbbbbbbbb",
		}), "aws:ec2/securityGroup:SecurityGroup", "nodes", "sg-0aaaaaaaaaaaaaaaa", object{}),
	}
}

func goodIDs() []rule.Example {
	return []rule.Example{
		example.Add(example.Of("a subnet in the stack's own VPC", "aws:ec2/subnet:Subnet", object{"vpcId": "vpc-0a1b2c3d4e5f60718"}), "aws:ec2/vpc:Vpc", "network", "vpc-0a1b2c3d4e5f60718", object{}),
		example.Add(example.Of("a rule for the group that EKS made along with the cluster", "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
			object{"securityGroupId": "sg-0aaaaaaaaaaaaaaaa"}), "aws:eks/cluster:Cluster", "cluster", "freehold-acme", object{"vpcConfig": object{"clusterSecurityGroupId": "sg-0aaaaaaaaaaaaaaaa"}}),
		example.Of("a name that only looks like an id", "aws:ec2/subnet:Subnet", object{"tags": object{"Name": "vpc-network"}}),
	}
}

// withOwnCluster puts the org's cluster beside an example.
func withOwnCluster(e rule.Example) rule.Example {
	return example.Add(e, "aws:eks/cluster:Cluster", "cluster", "freehold-acme", object{
		"endpoint":   "https://0123456789ABCDEF0123456789ABCDEF.gr7.eu-central-1.eks.amazonaws.com",
		"identities": []any{object{"oidcs": []any{object{"issuer": "https://" + example.Issuer}}}},
	})
}

func badIssuers() []rule.Example {
	return []rule.Example{
		withOwnCluster(example.Of("another org's issuer, registered in the org's own account", "aws:iam/openIdConnectProvider:OpenIdConnectProvider",
			object{"url": "https://" + example.OtherIssuer, "clientIdLists": []any{"sts.amazonaws.com"}})),
		withOwnCluster(example.Of("a trust by another cluster's issuer under the org's account id", rule.TypeRole, object{
			"assumeRolePolicy": example.Statements(`{"Effect":"Allow","Action":"sts:AssumeRoleWithWebIdentity","Principal":{"Federated":"` +
				example.ARN + `:oidc-provider/` + example.OtherIssuer + `"}}`),
		})),
		example.In(rule.LayerBootstrap, "another cluster's endpoint in a config map", "kubernetes:core/v1:ConfigMap",
			object{"data": object{"hub": "https://FEDCBA9876543210FEDCBA9876543210.gr7.eu-central-1.eks.amazonaws.com"}}),
	}
}

func goodIssuers() []rule.Example {
	earlier := example.In(rule.LayerBootstrap, "a kubeconfig for the cluster that the cluster layer has made", "pulumi:providers:kubernetes",
		object{"kubeconfig": `{"server":"https://0123456789ABCDEF0123456789ABCDEF.gr7.eu-central-1.eks.amazonaws.com"}`})
	earlier.Scope.Owned = []string{"https://0123456789ABCDEF0123456789ABCDEF.gr7.eu-central-1.eks.amazonaws.com"}
	return []rule.Example{
		earlier,
		withOwnCluster(example.Of("the issuer of the stack's own cluster", "aws:iam/openIdConnectProvider:OpenIdConnectProvider",
			object{"url": "https://" + example.Issuer, "clientIdLists": []any{"sts.amazonaws.com"}})),
	}
}

func badStackReferences() []rule.Example {
	return []rule.Example{
		example.Of("the cluster of another org", "pulumi:pulumi:StackReference", object{"name": "organization/freehold/globex.cluster"}),
		example.Of("a stack for everybody", "pulumi:pulumi:StackReference", object{"name": "organization/platform/shared-network"}),
		example.Of("an org whose name begins with this one's", "pulumi:pulumi:StackReference", object{"name": "organization/freehold/acme-labs.cluster"}),
	}
}

func goodStackReferences() []rule.Example {
	return []rule.Example{
		example.Of("the org's own boundary", "pulumi:pulumi:StackReference", object{"name": "organization/freehold/acme.boundary"}),
		example.Of("the org's own account, by the short name", "pulumi:pulumi:StackReference", object{"name": "acme.account"}),
	}
}
