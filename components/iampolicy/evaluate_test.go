package iampolicy_test

import (
	"testing"

	"freehold.dev/freehold/components/iampolicy"
)

const (
	role  = "arn:aws:iam::111111111111:role/app"
	other = "arn:aws:iam::222222222222:role/app"
)

func TestEvaluateFollowsAWSsRules(t *testing.T) {
	allowAll := iampolicy.Statement{Effect: iampolicy.Allow, Action: iampolicy.Values{"*"}, Resource: iampolicy.Values{"*"}}
	deny := func(c iampolicy.Condition) iampolicy.Document {
		return iampolicy.New(allowAll, iampolicy.Statement{Effect: iampolicy.Deny, Action: iampolicy.Values{"*"}, Resource: iampolicy.Values{"*"}, Condition: c})
	}
	tests := map[string]struct {
		doc  iampolicy.Document
		req  iampolicy.Request
		want iampolicy.Verdict
	}{
		"nothing fits": {
			doc:  iampolicy.New(iampolicy.Statement{Effect: iampolicy.Allow, Action: iampolicy.Values{"s3:Get*"}, Resource: iampolicy.Values{"*"}}),
			req:  iampolicy.Request{Action: "s3:PutObject", Resource: "arn:aws:s3:::a/b"},
			want: iampolicy.Silent,
		},
		"actions match in any case": {
			doc:  iampolicy.New(iampolicy.Statement{Effect: iampolicy.Allow, Action: iampolicy.Values{"S3:get*"}, Resource: iampolicy.Values{"arn:aws:s3:::?/*"}}),
			req:  iampolicy.Request{Action: "s3:GetObject", Resource: "arn:aws:s3:::a/b"},
			want: iampolicy.Allowed,
		},
		"a deny wins over an allow": {
			doc: deny(nil), req: iampolicy.Request{Action: "s3:GetObject", Resource: "*"}, want: iampolicy.Denied,
		},
		"NotAction denies the rest": {
			doc:  iampolicy.New(allowAll, iampolicy.Statement{Effect: iampolicy.Deny, NotAction: iampolicy.Values{"iam:*"}, Resource: iampolicy.Values{"*"}}),
			req:  iampolicy.Request{Action: "iam:GetRole", Resource: role},
			want: iampolicy.Allowed,
		},
		"NotResource denies the rest": {
			doc:  iampolicy.New(allowAll, iampolicy.Statement{Effect: iampolicy.Deny, Action: iampolicy.Values{"*"}, NotResource: iampolicy.Values{role}}),
			req:  iampolicy.Request{Action: "sts:AssumeRole", Resource: other},
			want: iampolicy.Denied,
		},
		"a negated operator holds when the key is missing": {
			doc: deny(iampolicy.Condition{"StringNotEquals": {"iam:PermissionsBoundary": {"x"}}}), req: iampolicy.Request{Action: "iam:CreateRole", Resource: role}, want: iampolicy.Denied,
		},
		"a positive operator fails when the key is missing": {
			doc: deny(iampolicy.Condition{"StringEquals": {"sts:ExternalId": {"x"}}}), req: iampolicy.Request{Action: "a:B", Resource: "*"}, want: iampolicy.Allowed,
		},
		"IfExists holds when the key is missing": {
			doc: deny(iampolicy.Condition{"BoolIfExists": {"aws:SecureTransport": {"false"}}}), req: iampolicy.Request{Action: "a:B", Resource: "*"}, want: iampolicy.Denied,
		},
		"a variable is the request's value": {
			doc:  deny(iampolicy.Condition{"StringNotEqualsIfExists": {"aws:PrincipalAccount": {"${aws:ResourceAccount}"}}}),
			req:  iampolicy.Request{Action: "s3:GetObject", Resource: "*", Principal: role, Context: map[string]string{"aws:ResourceAccount": "111111111111"}},
			want: iampolicy.Allowed,
		},
		"a variable that the request lacks equals nothing": {
			doc:  deny(iampolicy.Condition{"StringNotEquals": {"aws:PrincipalAccount": {"${aws:ResourceAccount}"}}}),
			req:  iampolicy.Request{Action: "s3:GetObject", Resource: "*", Principal: role},
			want: iampolicy.Denied,
		},
		"Null true holds when the key is missing": {
			doc: deny(iampolicy.Condition{"Null": {"aws:SourceAccount": {"true"}}}), req: iampolicy.Request{Action: "a:B", Resource: "*"}, want: iampolicy.Denied,
		},
		"an unknown operator never opens a deny": {
			doc: deny(iampolicy.Condition{"IpAddress": {"aws:SourceIp": {"10.0.0.0/8"}}}), req: iampolicy.Request{Action: "a:B", Resource: "*", Context: map[string]string{"aws:SourceIp": "1.1.1.1"}}, want: iampolicy.Denied,
		},
		"an account's root stands for its roles": {
			doc:  iampolicy.New(iampolicy.Statement{Effect: iampolicy.Allow, Principal: iampolicy.Principals("arn:aws:iam::111111111111:root"), Action: iampolicy.Values{"kms:*"}, Resource: iampolicy.Values{"*"}}),
			req:  iampolicy.Request{Action: "kms:Decrypt", Resource: "*", Principal: role},
			want: iampolicy.Allowed,
		},
		"an account's root does not stand for another's": {
			doc:  iampolicy.New(iampolicy.Statement{Effect: iampolicy.Allow, Principal: iampolicy.Principals("arn:aws:iam::111111111111:root"), Action: iampolicy.Values{"kms:*"}, Resource: iampolicy.Values{"*"}}),
			req:  iampolicy.Request{Action: "kms:Decrypt", Resource: "*", Principal: other},
			want: iampolicy.Silent,
		},
		"a service is another principal than a role": {
			doc:  iampolicy.New(iampolicy.Statement{Effect: iampolicy.Allow, Principal: iampolicy.Services("logs.amazonaws.com"), Action: iampolicy.Values{"kms:*"}, Resource: iampolicy.Values{"*"}}),
			req:  iampolicy.Request{Action: "kms:Decrypt", Resource: "*", Service: "logs.amazonaws.com"},
			want: iampolicy.Allowed,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := tt.doc.Evaluate(tt.req); got != tt.want {
				t.Errorf("Evaluate: %s, want %s", got, tt.want)
			}
		})
	}
}
