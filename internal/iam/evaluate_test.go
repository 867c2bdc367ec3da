package iam_test

import (
	"testing"

	"freehold.dev/freehold/internal/iam"
)

const (
	role  = "arn:aws:iam::111111111111:role/app"
	other = "arn:aws:iam::222222222222:role/app"
)

func TestEvaluateFollowsAWSsRules(t *testing.T) {
	allowAll := iam.Statement{Effect: iam.Allow, Action: iam.Values{"*"}, Resource: iam.Values{"*"}}
	deny := func(c iam.Condition) iam.Document {
		return iam.New(allowAll, iam.Statement{Effect: iam.Deny, Action: iam.Values{"*"}, Resource: iam.Values{"*"}, Condition: c})
	}
	tests := map[string]struct {
		doc  iam.Document
		req  iam.Request
		want iam.Verdict
	}{
		"nothing fits": {
			doc:  iam.New(iam.Statement{Effect: iam.Allow, Action: iam.Values{"s3:Get*"}, Resource: iam.Values{"*"}}),
			req:  iam.Request{Action: "s3:PutObject", Resource: "arn:aws:s3:::a/b"},
			want: iam.Silent,
		},
		"actions match in any case": {
			doc:  iam.New(iam.Statement{Effect: iam.Allow, Action: iam.Values{"S3:get*"}, Resource: iam.Values{"arn:aws:s3:::?/*"}}),
			req:  iam.Request{Action: "s3:GetObject", Resource: "arn:aws:s3:::a/b"},
			want: iam.Allowed,
		},
		"a deny wins over an allow": {
			doc: deny(nil), req: iam.Request{Action: "s3:GetObject", Resource: "*"}, want: iam.Denied,
		},
		"NotAction denies the rest": {
			doc:  iam.New(allowAll, iam.Statement{Effect: iam.Deny, NotAction: iam.Values{"iam:*"}, Resource: iam.Values{"*"}}),
			req:  iam.Request{Action: "iam:GetRole", Resource: role},
			want: iam.Allowed,
		},
		"NotResource denies the rest": {
			doc:  iam.New(allowAll, iam.Statement{Effect: iam.Deny, Action: iam.Values{"*"}, NotResource: iam.Values{role}}),
			req:  iam.Request{Action: "sts:AssumeRole", Resource: other},
			want: iam.Denied,
		},
		"a negated operator holds when the key is missing": {
			doc: deny(iam.Condition{"StringNotEquals": {"iam:PermissionsBoundary": {"x"}}}), req: iam.Request{Action: "iam:CreateRole", Resource: role}, want: iam.Denied,
		},
		"a positive operator fails when the key is missing": {
			doc: deny(iam.Condition{"StringEquals": {"sts:ExternalId": {"x"}}}), req: iam.Request{Action: "a:B", Resource: "*"}, want: iam.Allowed,
		},
		"IfExists holds when the key is missing": {
			doc: deny(iam.Condition{"BoolIfExists": {"aws:SecureTransport": {"false"}}}), req: iam.Request{Action: "a:B", Resource: "*"}, want: iam.Denied,
		},
		"a variable is the request's value": {
			doc:  deny(iam.Condition{"StringNotEqualsIfExists": {"aws:PrincipalAccount": {"${aws:ResourceAccount}"}}}),
			req:  iam.Request{Action: "s3:GetObject", Resource: "*", Principal: role, Context: map[string]string{"aws:ResourceAccount": "111111111111"}},
			want: iam.Allowed,
		},
		"a variable that the request lacks equals nothing": {
			doc:  deny(iam.Condition{"StringNotEquals": {"aws:PrincipalAccount": {"${aws:ResourceAccount}"}}}),
			req:  iam.Request{Action: "s3:GetObject", Resource: "*", Principal: role},
			want: iam.Denied,
		},
		"Null true holds when the key is missing": {
			doc: deny(iam.Condition{"Null": {"aws:SourceAccount": {"true"}}}), req: iam.Request{Action: "a:B", Resource: "*"}, want: iam.Denied,
		},
		"an unknown operator never opens a deny": {
			doc: deny(iam.Condition{"IpAddress": {"aws:SourceIp": {"10.0.0.0/8"}}}), req: iam.Request{Action: "a:B", Resource: "*", Context: map[string]string{"aws:SourceIp": "1.1.1.1"}}, want: iam.Denied,
		},
		"an account's root stands for its roles": {
			doc:  iam.New(iam.Statement{Effect: iam.Allow, Principal: iam.Principals("arn:aws:iam::111111111111:root"), Action: iam.Values{"kms:*"}, Resource: iam.Values{"*"}}),
			req:  iam.Request{Action: "kms:Decrypt", Resource: "*", Principal: role},
			want: iam.Allowed,
		},
		"an account's root does not stand for another's": {
			doc:  iam.New(iam.Statement{Effect: iam.Allow, Principal: iam.Principals("arn:aws:iam::111111111111:root"), Action: iam.Values{"kms:*"}, Resource: iam.Values{"*"}}),
			req:  iam.Request{Action: "kms:Decrypt", Resource: "*", Principal: other},
			want: iam.Silent,
		},
		"a service is another principal than a role": {
			doc:  iam.New(iam.Statement{Effect: iam.Allow, Principal: iam.Services("logs.amazonaws.com"), Action: iam.Values{"kms:*"}, Resource: iam.Values{"*"}}),
			req:  iam.Request{Action: "kms:Decrypt", Resource: "*", Service: "logs.amazonaws.com"},
			want: iam.Allowed,
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
