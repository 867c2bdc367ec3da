package cluster

import "freehold.dev/freehold/components/iampolicy"

// trust lets one AWS service assume a role.
func trust(service string, actions ...string) iampolicy.Document {
	return iampolicy.New(iampolicy.Statement{
		Effect:    iampolicy.Allow,
		Principal: iampolicy.Services(service),
		Action:    actions,
	})
}

// policiesOfAWS is how the ARN of each of AWS's managed policies begins.
const policiesOfAWS = "arn:aws:iam::aws:policy/"

// podTrust lets EKS give a role to pods.
// https://docs.aws.amazon.com/eks/latest/userguide/pod-id-role.html
func podTrust() iampolicy.Document {
	return trust("pods.eks.amazonaws.com", "sts:AssumeRole", "sts:TagSession")
}

// useKey lets the control plane wrap Kubernetes secrets with the key.
// https://docs.aws.amazon.com/eks/latest/userguide/enable-kms.html
func useKey(key string) iampolicy.Document {
	return iampolicy.New(iampolicy.Statement{
		Effect:   iampolicy.Allow,
		Action:   iampolicy.Values{"kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:ListGrants"},
		Resource: iampolicy.Values{key},
	})
}

// encryptVolumes lets the EBS driver make volumes encrypted with the key. The
// grant is for EC2's use only: the driver itself cannot hand the key on.
// https://github.com/kubernetes-sigs/aws-ebs-csi-driver/blob/master/docs/install.md
func encryptVolumes(key string) iampolicy.Document {
	return iampolicy.New(
		iampolicy.Statement{
			Effect:    iampolicy.Allow,
			Action:    iampolicy.Values{"kms:CreateGrant", "kms:ListGrants", "kms:RevokeGrant"},
			Resource:  iampolicy.Values{key},
			Condition: iampolicy.Condition{"Bool": {"kms:GrantIsForAWSResource": {"true"}}},
		},
		iampolicy.Statement{
			Effect:   iampolicy.Allow,
			Action:   iampolicy.Values{"kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"},
			Resource: iampolicy.Values{key},
		},
	)
}
