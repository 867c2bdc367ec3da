package policies

import "encoding/base64"

func badMentions() []Example {
	const key = "arn:aws:kms:eu-central-1:" + exampleOther + ":key/7b1c2d3e"
	statement := statements(`{"Effect":"Allow","Action":"kms:Decrypt","Resource":"` + key + `"}`)
	return []Example{
		example("another org's key on a volume", "aws:ebs/volume:Volume", object{"kmsKeyId": key}),
		example("an ARN deep inside a list", "aws:ecs/taskDefinition:TaskDefinition", object{
			"volumes": []any{object{"efs": object{"authorization": []any{object{"roleArn": exampleOtherARN + ":role/x"}}}}},
		}),
		example("an ARN in JSON inside a text", "aws:iam/rolePolicy:RolePolicy", object{"policy": statement}),
		example("digits that JSON escapes, and no eye sees", "aws:iam/rolePolicy:RolePolicy", object{
			"policy": statements(`{"Effect":"Allow","Action":"kms:Decrypt","Resource":"arn:aws:kms:eu-central-1:\u0033` + exampleOther[1:] + `:key/1"}`),
		}),
		example("an account id in a script for nodes, in base64", "aws:ec2/launchTemplate:LaunchTemplate", object{
			"userData": base64.StdEncoding.EncodeToString([]byte("#!/bin/sh\naws s3 sync s3://freehold-globex-data-" + exampleOther + " /data #\n")),
		}),
		example("another org's registry", "aws:ecs/taskDefinition:TaskDefinition", object{
			"containerDefinitions": `[{"image":"` + exampleOther + `.dkr.ecr.eu-central-1.amazonaws.com/app:1"}]`,
		}),
		example("an account that is a number", "aws:guardduty/member:Member", object{"accountId": 333333333333.0}),
		example("an ARN as a key of a map", "eks:index:Cluster", object{"roleMappings": object{exampleOtherARN + ":role/x": "admin"}}),
		example("a pattern that the org's account fits, and others too", "aws:iam/rolePolicy:RolePolicy", object{
			"policy": statements(`{"Effect":"Allow","Action":"kms:Decrypt","Resource":"arn:aws:kms:eu-central-1:21098765432?:key/*"}`),
		}),
		example("the management account's root, which is not the provisioner's role", typeRole, object{
			"assumeRolePolicy": statements(`{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"arn:aws:iam::` + exampleManaging + `:root"}}`),
		}),
		example("the provisioner's role in a key's policy, where nothing excepts it", "aws:kms/key:Key", object{
			"policy": statements(`{"Effect":"Allow","Action":"kms:*","Principal":{"AWS":"` + exampleScope(layerCluster).ProvisionerARN + `"},"Resource":"*"}`),
		}),
		exampleIn(layerBootstrap, "an account id in a config map", "kubernetes:core/v1:ConfigMap", object{"data": object{"peer": exampleOther}}),
	}
}

func goodMentions() []Example {
	return []Example{
		example("the org's own key", "aws:ebs/volume:Volume", object{"kmsKeyId": "arn:aws:kms:eu-central-1:" + exampleAccount + ":key/7b1c2d3e"}),
		example("a policy of AWS's", "aws:iam/rolePolicyAttachment:RolePolicyAttachment", object{"policyArn": "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy"}),
		example("the provisioner in a role's trust", typeRole, object{
			"assumeRolePolicy": statements(`{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"` + exampleScope(layerCluster).ProvisionerARN + `"}}`),
		}),
		example("twelve digits inside a digest", "aws:ecs/taskDefinition:TaskDefinition", object{
			"image": exampleAccount + ".dkr.ecr.eu-central-1.amazonaws.com/app@sha256:6672656568f1d0c0a17e0de1b1d2c3f405162738495a6b7c8d9eafb0c1d2e3f4",
		}),
		example("a UUID that ends in digits", "aws:dynamodb/tableItem:TableItem", object{"hashKey": "123e4567-e89b-12d3-a456-426614174000"}),
		example("a size in bytes", "aws:cloudwatch/metricAlarm:MetricAlarm", object{"threshold": 107374182400.0}),
		example("the caller's account, as a variable", "aws:iam/policy:Policy", object{
			"policy": statements(`{"Effect":"Deny","Action":"s3:*","Resource":"*","Condition":{"StringNotEquals":{"aws:ResourceAccount":"${aws:PrincipalAccount}"}}}`),
		}),
		exampleIn(layerBootstrap, "an add-on's image from AWS's registry", "kubernetes:apps/v1:DaemonSet", object{
			"image": "602401143452.dkr.ecr.eu-central-1.amazonaws.com/eks/pause:3.10",
		}),
		exampleIn(layerAccount, "the management account in the account layer", typeAWSProvider, object{"allowedAccountIds": []any{exampleManaging}}),
	}
}

func badBuckets() []Example {
	return []Example{
		example("replication into another org's bucket", "aws:s3/bucketReplicationConfig:BucketReplicationConfig", object{
			"bucket": "freehold-acme-data-" + exampleAccount,
			"rules":  []any{object{"destination": object{"bucket": "arn:aws:s3:::freehold-globex-data-" + exampleOther}}},
		}),
		example("a trail into a bucket for everybody's logs", "aws:cloudtrail/trail:Trail", object{"s3BucketName": "company-central-logs"}),
		example("a role that may read another org's bucket", "aws:iam/rolePolicy:RolePolicy", object{
			"policy": statements(`{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::freehold-globex-data-*/*"}`),
		}),
	}
}

func goodBuckets() []Example {
	return []Example{
		example("a bucket of the same stack, under a name of its own", "aws:s3/bucketVersioningV2:BucketVersioningV2", object{"bucket": "shop-uploads"}).
			beside("aws:s3/bucketV2:BucketV2", "uploads", "shop-uploads", object{"bucket": "shop-uploads"}),
		example("a trail into the org's log bucket", "aws:cloudtrail/trail:Trail", object{"s3BucketName": "freehold-acme-logs-" + exampleAccount}),
		example("the layers of AWS's images", "aws:iam/rolePolicy:RolePolicy", object{
			"policy": statements(`{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::prod-eu-central-1-starport-layer-bucket/*"}`),
		}),
		example("a new bucket, of any name", "aws:s3/bucketV2:BucketV2", object{"bucket": "shop-uploads"}),
	}
}

func badIDs() []Example {
	return []Example{
		example("a subnet in a VPC that was there before", "aws:ec2/subnet:Subnet", object{"vpcId": "vpc-0a1b2c3d4e5f60718"}).
			beside("aws:ec2/vpc:Vpc", "network", "vpc-0ffffffffffffffff", object{}),
		example("nodes in somebody's subnets", "aws:eks/nodeGroup:NodeGroup", object{
			"subnetIds": []any{"subnet-0a1b2c3d4e5f60718"},
		}),
		example("an inbound rule for another network's group", "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", object{
			"securityGroupId": "sg-0aaaaaaaaaaaaaaaa", "referencedSecurityGroupId": "sg-0bbbbbbbbbbbbbbbb",
		}).beside("aws:ec2/securityGroup:SecurityGroup", "nodes", "sg-0aaaaaaaaaaaaaaaa", object{}),
	}
}

func goodIDs() []Example {
	return []Example{
		example("a subnet in the stack's own VPC", "aws:ec2/subnet:Subnet", object{"vpcId": "vpc-0a1b2c3d4e5f60718"}).
			beside("aws:ec2/vpc:Vpc", "network", "vpc-0a1b2c3d4e5f60718", object{}),
		example("a rule for the group that EKS made along with the cluster", "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
			object{"securityGroupId": "sg-0aaaaaaaaaaaaaaaa"}).
			beside("aws:eks/cluster:Cluster", "cluster", "freehold-acme", object{"vpcConfig": object{"clusterSecurityGroupId": "sg-0aaaaaaaaaaaaaaaa"}}),
		example("a name that only looks like an id", "aws:ec2/subnet:Subnet", object{"tags": object{"Name": "vpc-network"}}),
	}
}

const (
	exampleIssuer      = "oidc.eks.eu-central-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF"
	exampleOtherIssuer = "oidc.eks.eu-central-1.amazonaws.com/id/FEDCBA9876543210FEDCBA9876543210"
)

// ownCluster puts the org's cluster beside an example.
func (e Example) ownCluster() Example {
	return e.beside("aws:eks/cluster:Cluster", "cluster", "freehold-acme", object{
		"endpoint":   "https://0123456789ABCDEF0123456789ABCDEF.gr7.eu-central-1.eks.amazonaws.com",
		"identities": []any{object{"oidcs": []any{object{"issuer": "https://" + exampleIssuer}}}},
	})
}

func badIssuers() []Example {
	return []Example{
		example("another org's issuer, registered in the org's own account", "aws:iam/openIdConnectProvider:OpenIdConnectProvider",
			object{"url": "https://" + exampleOtherIssuer, "clientIdLists": []any{"sts.amazonaws.com"}}).ownCluster(),
		example("a trust by another cluster's issuer under the org's account id", typeRole, object{
			"assumeRolePolicy": statements(`{"Effect":"Allow","Action":"sts:AssumeRoleWithWebIdentity","Principal":{"Federated":"` +
				exampleARN + `:oidc-provider/` + exampleOtherIssuer + `"}}`),
		}).ownCluster(),
		exampleIn(layerBootstrap, "another cluster's endpoint in a config map", "kubernetes:core/v1:ConfigMap",
			object{"data": object{"hub": "https://FEDCBA9876543210FEDCBA9876543210.gr7.eu-central-1.eks.amazonaws.com"}}),
	}
}

func goodIssuers() []Example {
	earlier := exampleIn(layerBootstrap, "a kubeconfig for the cluster that the cluster layer has made", "pulumi:providers:kubernetes",
		object{"kubeconfig": `{"server":"https://0123456789ABCDEF0123456789ABCDEF.gr7.eu-central-1.eks.amazonaws.com"}`})
	earlier.Scope.Owned = []string{"https://0123456789ABCDEF0123456789ABCDEF.gr7.eu-central-1.eks.amazonaws.com"}
	return []Example{
		earlier,
		example("the issuer of the stack's own cluster", "aws:iam/openIdConnectProvider:OpenIdConnectProvider",
			object{"url": "https://" + exampleIssuer, "clientIdLists": []any{"sts.amazonaws.com"}}).ownCluster(),
	}
}

func badStackReferences() []Example {
	return []Example{
		example("the cluster of another org", "pulumi:pulumi:StackReference", object{"name": "organization/freehold/globex.cluster"}),
		example("a stack for everybody", "pulumi:pulumi:StackReference", object{"name": "organization/platform/shared-network"}),
		example("an org whose name begins with this one's", "pulumi:pulumi:StackReference", object{"name": "organization/freehold/acme-labs.cluster"}),
	}
}

func goodStackReferences() []Example {
	return []Example{
		example("the org's own boundary", "pulumi:pulumi:StackReference", object{"name": "organization/freehold/acme.boundary"}),
		example("the org's own account, by the short name", "pulumi:pulumi:StackReference", object{"name": "acme.account"}),
	}
}
