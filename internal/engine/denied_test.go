package engine

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	provisioner = "arn:aws:sts::444455556666:assumed-role/freehold-acme-provision/freehold"
	again       = "; then run the same command again"
	prefix      = "creating IAM Role (freehold-acme-node): operation error IAM: CreateRole, https response error StatusCode: 403, " +
		"RequestID: 7f9d4a52-5f0e-4a7e-9a35-0f1c0e7c9d11, api error AccessDenied: "
)

// The texts are AWS's.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
func TestADenialSaysWhichActionOnWhatByWhomAndWhereItIs(t *testing.T) {
	const role = "arn:aws:iam::444455556666:role/freehold-acme-node"
	for reason, tc := range map[string]struct {
		text string
		want denial
		next string
	}{
		"no permission": {
			prefix + "User: " + provisioner + " is not authorized to perform: iam:CreateRole on resource: " + role +
				" because no identity-based policy allows the iam:CreateRole action",
			denial{Who: provisioner, Action: "iam:CreateRole", Resource: role, Policy: "identity-based policy"},
			"allow iam:CreateRole on " + role + " to " + provisioner + " in a policy of its own" + again,
		},
		"a service control policy": {
			prefix + "User: " + provisioner + " is not authorized to perform: iam:CreateRole on resource: " + role +
				" with an explicit deny in a service control policy",
			denial{Who: provisioner, Action: "iam:CreateRole", Resource: role, Explicit: true, Policy: "service control policy"},
			"a service control policy denies iam:CreateRole on " + role + " to " + provisioner +
				": if that is not intended, change or detach it in AWS Organizations, from the management account" + again,
		},
		"a service control policy that is named": {
			prefix + "User: " + provisioner + " is not authorized to perform: iam:CreateRole on resource: " + role +
				" with an explicit deny in a service control policy: arn:aws:organizations::111122223333:policy/o-abcdefghij/service_control_policy/p-a1b2c3d4",
			denial{
				Who: provisioner, Action: "iam:CreateRole", Resource: role, Explicit: true, Policy: "service control policy",
				ARN: "arn:aws:organizations::111122223333:policy/o-abcdefghij/service_control_policy/p-a1b2c3d4",
			},
			"the service control policy arn:aws:organizations::111122223333:policy/o-abcdefghij/service_control_policy/p-a1b2c3d4 denies iam:CreateRole on " +
				role + " to " + provisioner + ": if that is not intended, change or detach it in AWS Organizations, from the management account" + again,
		},
		"a service control policy that does not allow it": {
			prefix + "User: " + provisioner + " is not authorized to perform: iam:CreateRole on resource: " + role +
				" because no service control policy allows the iam:CreateRole action",
			denial{Who: provisioner, Action: "iam:CreateRole", Resource: role, Policy: "service control policy"},
			"no service control policy allows iam:CreateRole on " + role + " to " + provisioner +
				": allow it in AWS Organizations, from the management account" + again,
		},
		"a resource control policy": {
			`operation error S3: PutBucketPolicy, https response error StatusCode: 403, api error AccessDenied: User: ` + provisioner +
				` is not authorized to perform: s3:PutBucketPolicy on resource: "arn:aws:s3:::acme-logs" with an explicit deny in a resource control policy`,
			denial{Who: provisioner, Action: "s3:PutBucketPolicy", Resource: "arn:aws:s3:::acme-logs", Explicit: true, Policy: "resource control policy"},
			"a resource control policy denies s3:PutBucketPolicy on arn:aws:s3:::acme-logs to " + provisioner +
				": if that is not intended, change or detach it in AWS Organizations, from the management account" + again,
		},
		"a permissions boundary that does not allow it": {
			prefix + "User: " + provisioner + " is not authorized to perform: iam:CreateRole on resource: " + role +
				" because no permissions boundary allows the iam:CreateRole action",
			denial{Who: provisioner, Action: "iam:CreateRole", Resource: role, Policy: "permissions boundary"},
			"no permissions boundary allows iam:CreateRole on " + role + " to " + provisioner + ": allow it there, too" + again,
		},
		"a permissions boundary that denies it": {
			prefix + "User: " + provisioner + " is not authorized to perform: iam:CreateRole on resource: " + role +
				" with an explicit deny in a permissions boundary: arn:aws:iam::444455556666:policy/freehold-acme-boundary",
			denial{
				Who: provisioner, Action: "iam:CreateRole", Resource: role, Explicit: true, Policy: "permissions boundary",
				ARN: "arn:aws:iam::444455556666:policy/freehold-acme-boundary",
			},
			"the permissions boundary arn:aws:iam::444455556666:policy/freehold-acme-boundary denies iam:CreateRole on " + role + " to " +
				provisioner + ": if that is not intended, change the boundary" + again,
		},
		"a session policy": {
			prefix + "User: " + provisioner + " is not authorized to perform: iam:CreateRole on resource: " + role +
				" with an explicit deny in a session policy",
			denial{Who: provisioner, Action: "iam:CreateRole", Resource: role, Explicit: true, Policy: "session policy"},
			"a session policy denies iam:CreateRole on " + role + " to " + provisioner + ": open the session without it" + again,
		},
		"a session policy that does not allow it": {
			prefix + "User: " + provisioner + " is not authorized to perform: iam:CreateRole on resource: " + role +
				" because no session policy allows the iam:CreateRole action",
			denial{Who: provisioner, Action: "iam:CreateRole", Resource: role, Policy: "session policy"},
			"no session policy allows iam:CreateRole on " + role + " to " + provisioner + ": open the session without it" + again,
		},
		"an identity-based policy that denies it": {
			prefix + "User: " + provisioner + " is not authorized to perform: iam:CreateRole on resource: " + role +
				" with an explicit deny in an identity-based policy",
			denial{Who: provisioner, Action: "iam:CreateRole", Resource: role, Explicit: true, Policy: "identity-based policy"},
			"an identity-based policy denies iam:CreateRole on " + role + " to " + provisioner + ": if that is not intended, change that statement" + again,
		},
		"a resource-based policy that denies it": {
			`api error AccessDenied: User: ` + provisioner + ` is not authorized to perform: s3:DeleteBucket on resource: "arn:aws:s3:::acme-logs"` +
				` with an explicit deny in a resource-based policy`,
			denial{Who: provisioner, Action: "s3:DeleteBucket", Resource: "arn:aws:s3:::acme-logs", Explicit: true, Policy: "resource-based policy"},
			"a resource-based policy denies s3:DeleteBucket on arn:aws:s3:::acme-logs to " + provisioner + ": if that is not intended, change that statement" + again,
		},
		"a resource-based policy that does not allow it": {
			"operation error KMS: Decrypt, https response error StatusCode: 400, api error AccessDeniedException: User: " + provisioner +
				" is not authorized to perform: kms:Decrypt on resource: arn:aws:kms:eu-central-1:111122223333:key/1234abcd" +
				" because no resource-based policy allows the kms:Decrypt action",
			denial{Who: provisioner, Action: "kms:Decrypt", Resource: "arn:aws:kms:eu-central-1:111122223333:key/1234abcd", Policy: "resource-based policy"},
			"allow kms:Decrypt to " + provisioner + " in the policy of arn:aws:kms:eu-central-1:111122223333:key/1234abcd" + again,
		},
		"a VPC endpoint policy": {
			`api error AccessDenied: User: ` + provisioner + ` is not authorized to perform: s3:GetObject on resource: "arn:aws:s3:::acme-data/x"` +
				` because no VPC endpoint policy allows the s3:GetObject action`,
			denial{Who: provisioner, Action: "s3:GetObject", Resource: "arn:aws:s3:::acme-data/x", Policy: "VPC endpoint policy"},
			"no VPC endpoint policy allows s3:GetObject on arn:aws:s3:::acme-data/x to " + provisioner + ": allow it there, too" + again,
		},
		"an action without a resource": {
			"operation error KMS: CreateKey, https response error StatusCode: 400, api error AccessDeniedException: User: " + provisioner +
				" is not authorized to perform: kms:CreateKey because no identity-based policy allows the kms:CreateKey action",
			denial{Who: provisioner, Action: "kms:CreateKey", Policy: "identity-based policy"},
			"allow kms:CreateKey to " + provisioner + " in a policy of its own" + again,
		},
		"a denial that does not say why": {
			"operation error EKS: CreateCluster, https response error StatusCode: 403, AccessDeniedException: User: " + provisioner +
				" is not authorized to perform: eks:CreateCluster on resource: arn:aws:eks:eu-central-1:444455556666:cluster/acme",
			denial{Who: provisioner, Action: "eks:CreateCluster", Resource: "arn:aws:eks:eu-central-1:444455556666:cluster/acme"},
			"allow eks:CreateCluster on arn:aws:eks:eu-central-1:444455556666:cluster/acme to " + provisioner + " in a policy of its own" + again,
		},
		"a role that may not be passed": {
			"api error InvalidParameterException: User: " + provisioner + " is not authorized to perform: iam:PassRole on resource: " + role,
			denial{Who: provisioner, Action: "iam:PassRole", Resource: role},
			"allow iam:PassRole on " + role + " to " + provisioner + " in a policy of its own" + again,
		},
		"a role that may not be assumed": {
			"Cannot assume IAM Role. IAM Role (arn:aws:iam::444455556666:role/OrganizationAccountAccessRole) cannot be assumed.\n\n" +
				"Error: operation error STS: AssumeRole, https response error StatusCode: 403, RequestID: 7f9d4a52, api error AccessDenied: " +
				"User: arn:aws:iam::111122223333:user/ops is not authorized to perform: sts:AssumeRole on resource: " +
				"arn:aws:iam::444455556666:role/OrganizationAccountAccessRole\n",
			denial{
				Who: "arn:aws:iam::111122223333:user/ops", Action: "sts:AssumeRole",
				Resource: "arn:aws:iam::444455556666:role/OrganizationAccountAccessRole",
			},
			"let arn:aws:iam::111122223333:user/ops assume arn:aws:iam::444455556666:role/OrganizationAccountAccessRole: its own policy must allow " +
				"sts:AssumeRole, and the role's trust policy must name it, with the external id if it asks for one" + again,
		},
		"a role that may not be assumed, behind words for any credentials": {
			"No valid credential sources found: failed to refresh cached credentials, operation error STS: AssumeRole, api error AccessDenied: " +
				"User: arn:aws:iam::111122223333:user/ops is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::444455556666:role/x",
			denial{Who: "arn:aws:iam::111122223333:user/ops", Action: "sts:AssumeRole", Resource: "arn:aws:iam::444455556666:role/x"},
			"let arn:aws:iam::111122223333:user/ops assume arn:aws:iam::444455556666:role/x: its own policy must allow " +
				"sts:AssumeRole, and the role's trust policy must name it, with the external id if it asks for one" + again,
		},
		"a role whose trust policy does not know the token": {
			"operation error STS: AssumeRoleWithWebIdentity, https response error StatusCode: 403, api error AccessDenied: " +
				"Not authorized to perform sts:AssumeRoleWithWebIdentity",
			denial{Action: "sts:AssumeRoleWithWebIdentity"},
			"let the token's bearer assume the role: the role's trust policy must name the token's issuer, audience and subject" + again,
		},
		"EC2, with an encoded reason": {
			"creating EC2 VPC: operation error EC2: CreateVpc, https response error StatusCode: 403, RequestID: 7f9d4a52, api error " +
				"UnauthorizedOperation: You are not authorized to perform this operation. User: " + provisioner +
				" is not authorized to perform: ec2:CreateVpc on resource: arn:aws:ec2:eu-central-1:444455556666:vpc/*" +
				" with an explicit deny in a service control policy. Encoded authorization failure message: Qm9vIQ-_x",
			denial{
				Who: provisioner, Action: "ec2:CreateVpc", Resource: "arn:aws:ec2:eu-central-1:444455556666:vpc/*", Explicit: true,
				Policy: "service control policy", Encoded: true,
			},
			"a service control policy denies ec2:CreateVpc on arn:aws:ec2:eu-central-1:444455556666:vpc/* to " + provisioner +
				": if that is not intended, change or detach it in AWS Organizations, from the management account" +
				"; aws sts decode-authorization-message decodes the message and names the statement" + again,
		},
		"EC2, with nothing but an encoded reason": {
			"creating EC2 NAT Gateway: operation error EC2: CreateNatGateway, https response error StatusCode: 403, RequestID: 7f9d4a52, " +
				"api error UnauthorizedOperation: You are not authorized to perform this operation. Encoded authorization failure message: Qm9vIQ-_x",
			denial{Action: "ec2:CreateNatGateway", Encoded: true},
			"allow ec2:CreateNatGateway to the caller in a policy of its own" +
				"; aws sts decode-authorization-message decodes the message and names the statement" + again,
		},
		"S3, without a word": {
			"operation error S3: PutBucketVersioning, https response error StatusCode: 403, RequestID: 7F9D, HostID: x, api error AccessDenied: Access Denied",
			denial{Action: "s3:PutBucketVersioning"},
			"allow s3:PutBucketVersioning to the caller in a policy of its own" + again,
		},
		"S3, asked by HEAD": {
			"operation error S3: HeadBucket, https response error StatusCode: 403, RequestID: 7F9D, api error Forbidden: Forbidden",
			denial{Action: "s3:HeadBucket"},
			"allow s3:HeadBucket to the caller in a policy of its own" + again,
		},
		"Organizations, from a member account": {
			"operation error Organizations: CreateAccount, https response error StatusCode: 400, AccessDeniedException: You don't have permissions to access this resource.",
			denial{Action: "organizations:CreateAccount"},
			"allow organizations:CreateAccount to the caller in a policy of its own" + again,
		},
		"nothing but the word": {
			"AccessDenied", denial{},
			"allow the action to the caller in a policy of its own" + again,
		},
	} {
		t.Run(reason, func(t *testing.T) {
			if d := cmp.Diff(tc.want, readDenial(tc.text)); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
			err := (&Engine{}).classify(t.Context(), Stack{Name: "acme.cluster"}, "update", errors.New("stderr: error: "+tc.text), nil)
			var got *Error
			if !errors.As(err, &got) || !errors.Is(err, ErrDenied) {
				t.Fatalf("got %v", err)
			}
			if d := cmp.Diff(tc.next, got.Next); d != "" {
				t.Errorf("next (-want +got):\n%s", d)
			}
			if strings.Contains(got.Next, "sign in") {
				t.Error("to sign in again does not help")
			}
		})
	}
}

func TestCredentialsThatAreExpiredOrInvalidAreNoDenial(t *testing.T) {
	for reason, text := range map[string]string{
		"expired":              "operation error EC2: DescribeVpcs, https response error StatusCode: 400, api error ExpiredToken: The security token included in the request is expired",
		"expired, in STS":      "operation error STS: GetCallerIdentity, https response error StatusCode: 403, api error ExpiredToken: The security token included in the request is expired",
		"expired, in EKS":      "api error ExpiredTokenException: The security token included in the request is expired",
		"invalid":              "operation error STS: GetCallerIdentity, api error InvalidClientTokenId: The security token included in the request is invalid.",
		"invalid, in S3":       "api error InvalidAccessKeyId: The AWS Access Key Id you provided does not exist in our records.",
		"invalid, in EC2":      "api error AuthFailure: AWS was not able to validate the provided access credentials",
		"invalid, in KMS":      "api error UnrecognizedClientException: The security token included in the request is invalid.",
		"another key":          "api error SignatureDoesNotMatch: The request signature we calculated does not match the signature you provided.",
		"a clock that is late": "api error RequestExpired: Request has expired.",
		"none":                 "No valid credential sources found. Error: failed to refresh cached credentials, no EC2 IMDS role found, operation error ec2imds: GetMetadata",
		"a wrong code":         "operation error STS: AssumeRole, api error AccessDenied: MultiFactorAuthentication failed with invalid MFA one time pass code.",
		"an SSO session":       "failed to refresh cached credentials, the SSO session has expired or is invalid: open /home/ada/.aws/sso/cache/x.json: no such file",
		"an SSO token":         "failed to refresh cached credentials, refresh cached SSO token failed, unable to refresh SSO token: Token has expired and refresh failed",
	} {
		t.Run(reason, func(t *testing.T) {
			err := (&Engine{}).classify(t.Context(), Stack{Name: "acme.cluster"}, "update", errors.New("stderr: error: "+text), nil)
			var got *Error
			if !errors.As(err, &got) || !errors.Is(err, ErrCredentials) || !strings.Contains(got.Next, "sign in again") {
				t.Errorf("got %v, next %q", err, got.Next)
			}
		})
	}
}
