package cluster

import "freehold.dev/freehold/internal/iam"

// trust lets one AWS service assume a role.
func trust(service string, actions ...string) iam.Document {
	return iam.New(iam.Statement{
		Effect:    iam.Allow,
		Principal: iam.Services(service),
		Action:    actions,
	})
}

// policiesOfAWS is how the ARN of each of AWS's managed policies begins.
const policiesOfAWS = "arn:aws:iam::aws:policy/"

// podTrust lets EKS give a role to pods.
// https://docs.aws.amazon.com/eks/latest/userguide/pod-id-role.html
func podTrust() iam.Document {
	return trust("pods.eks.amazonaws.com", "sts:AssumeRole", "sts:TagSession")
}

// useKey lets the control plane wrap Kubernetes secrets with the key.
// https://docs.aws.amazon.com/eks/latest/userguide/enable-kms.html
func useKey(key string) iam.Document {
	return iam.New(iam.Statement{
		Effect:   iam.Allow,
		Action:   iam.Values{"kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:ListGrants"},
		Resource: iam.Values{key},
	})
}

// encryptVolumes lets the EBS driver make volumes encrypted with the key. The
// grant is for EC2's use only: the driver itself cannot hand the key on.
// https://github.com/kubernetes-sigs/aws-ebs-csi-driver/blob/master/docs/install.md
func encryptVolumes(key string) iam.Document {
	return iam.New(
		iam.Statement{
			Effect:    iam.Allow,
			Action:    iam.Values{"kms:CreateGrant", "kms:ListGrants", "kms:RevokeGrant"},
			Resource:  iam.Values{key},
			Condition: iam.Condition{"Bool": {"kms:GrantIsForAWSResource": {"true"}}},
		},
		iam.Statement{
			Effect:   iam.Allow,
			Action:   iam.Values{"kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"},
			Resource: iam.Values{key},
		},
	)
}
