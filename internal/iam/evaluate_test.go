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
		"an operator that AWS does not have never opens a deny": {
			doc: deny(iam.Condition{"StringMatches": {"aws:SourceIp": {"10.0.0.0/8"}}}), req: iam.Request{Action: "a:B", Resource: "*", Context: map[string]string{"aws:SourceIp": "1.1.1.1"}}, want: iam.Undecided,
		},
		"an operator that AWS does not have allows nothing": {
			doc:  iam.New(iam.Statement{Effect: iam.Allow, Action: iam.Values{"*"}, Resource: iam.Values{"*"}, Condition: iam.Condition{"StringMatches": {"aws:SourceIp": {"1.1.1.1"}}}}),
			req:  iam.Request{Action: "a:B", Resource: "*", Context: map[string]string{"aws:SourceIp": "1.1.1.1"}},
			want: iam.Undecided,
		},
		"a deny that fits wins over one that may fit": {
			doc: iam.New(
				iam.Statement{Effect: iam.Deny, Action: iam.Values{"*"}, Resource: iam.Values{"*"}, Condition: iam.Condition{"Bool": {"aws:SecureTransport": {"maybe"}}}},
				iam.Statement{Effect: iam.Deny, Action: iam.Values{"a:*"}, Resource: iam.Values{"*"}},
			),
			req: iam.Request{Action: "a:B", Resource: "*", Unknown: []string{"*"}}, want: iam.Denied,
		},
		"a condition that may hold does not matter where another does not hold": {
			doc: deny(iam.Condition{"StringMatches": {"a:b": {"c"}}, "StringEquals": {"d:e": {"f"}}}), req: iam.Request{Action: "a:B", Resource: "*"}, want: iam.Allowed,
		},
		"a key of which nobody knows holds a deny": {
			doc: deny(iam.Condition{"StringEquals": {"aws:SourceVpc": {"vpc-1"}}}), req: iam.Request{Action: "a:B", Resource: "*", Unknown: []string{"aws:source*"}}, want: iam.Undecided,
		},
		"a key with an empty list is known to be absent": {
			doc:  deny(iam.Condition{"StringEquals": {"aws:SourceVpc": {"vpc-1"}}}),
			req:  iam.Request{Action: "a:B", Resource: "*", Unknown: []string{"*"}, Lists: map[string]iam.Values{"aws:sourcevpc": nil}},
			want: iam.Allowed,
		},
		"a statement without actions, which AWS refuses, allows nothing": {
			doc: iam.New(iam.Statement{Effect: iam.Allow, Resource: iam.Values{"*"}}), req: iam.Request{Action: "a:B", Resource: "*"}, want: iam.Undecided,
		},
		"an empty list of actions allows nothing": {
			doc: iam.New(iam.Statement{Effect: iam.Allow, Action: iam.Values{}, Resource: iam.Values{"*"}}), req: iam.Request{Action: "a:B", Resource: "*"}, want: iam.Silent,
		},
		"an effect of neither kind may be a deny": {
			doc: iam.New(allowAll, iam.Statement{Effect: "deny", Action: iam.Values{"*"}, Resource: iam.Values{"*"}}), req: iam.Request{Action: "a:B", Resource: "*"}, want: iam.Undecided,
		},
		"a variable in a resource is the request's value": {
			doc:  iam.New(iam.Statement{Effect: iam.Allow, Action: iam.Values{"*"}, Resource: iam.Values{"arn:aws:s3:::b/${aws:PrincipalTag/team}/*"}}),
			req:  iam.Request{Action: "s3:GetObject", Resource: "arn:aws:s3:::b/red/x", Context: map[string]string{"aws:PrincipalTag/Team": "red"}},
			want: iam.Allowed,
		},
		"a star in a variable's value stands for itself": {
			doc:  iam.New(iam.Statement{Effect: iam.Allow, Action: iam.Values{"*"}, Resource: iam.Values{"arn:aws:s3:::b/${s3:prefix}/*"}}),
			req:  iam.Request{Action: "s3:GetObject", Resource: "arn:aws:s3:::b/red/x", Context: map[string]string{"s3:prefix": "*"}},
			want: iam.Silent,
		},
		"of a resource's variable that the request lacks, the rest of a statement is in doubt": {
			doc:  iam.New(allowAll, iam.Statement{Effect: iam.Deny, Action: iam.Values{"*"}, NotResource: iam.Values{"arn:aws:s3:::b/${aws:PrincipalTag/team}/*"}}),
			req:  iam.Request{Action: "s3:GetObject", Resource: "arn:aws:s3:::b/red/x"},
			want: iam.Undecided,
		},
		"a variable that the request lacks is beside the point where another pattern matches": {
			doc:  iam.New(allowAll, iam.Statement{Effect: iam.Deny, Action: iam.Values{"*"}, NotResource: iam.Values{"arn:aws:s3:::b/${aws:PrincipalTag/team}/*", "arn:aws:s3:::b/red/*"}}),
			req:  iam.Request{Action: "s3:GetObject", Resource: "arn:aws:s3:::b/red/x"},
			want: iam.Allowed,
		},
		"a variable that the request lacks has its default": {
			doc:  iam.New(iam.Statement{Effect: iam.Allow, Action: iam.Values{"*"}, Resource: iam.Values{"arn:aws:s3:::b/${aws:PrincipalTag/team, 'none'}/*"}}),
			req:  iam.Request{Action: "s3:GetObject", Resource: "arn:aws:s3:::b/none/x"},
			want: iam.Allowed,
		},
		"a variable of which nobody knows the value allows nothing": {
			doc:  iam.New(iam.Statement{Effect: iam.Allow, Action: iam.Values{"*"}, Resource: iam.Values{"arn:aws:s3:::b/${aws:PrincipalTag/team}/*"}}),
			req:  iam.Request{Action: "s3:GetObject", Resource: "arn:aws:s3:::b/red/x", Unknown: []string{"aws:PrincipalTag/*"}},
			want: iam.Undecided,
		},
		"an escaped star in a resource is a star": {
			doc:  iam.New(iam.Statement{Effect: iam.Allow, Action: iam.Values{"*"}, Resource: iam.Values{"arn:aws:s3:::b/${*}${?}${$}"}}),
			req:  iam.Request{Action: "s3:GetObject", Resource: "arn:aws:s3:::b/*?$"},
			want: iam.Allowed,
		},
		// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_version.html
		"the older version of the language has no variables": {
			doc: iam.Document{Version: "2008-10-17", Statement: []iam.Statement{
				{Effect: iam.Allow, Action: iam.Values{"*"}, Resource: iam.Values{"*"}, Condition: iam.Condition{"StringEquals": {"aws:PrincipalAccount": {"${aws:PrincipalAccount}"}}}},
			}},
			req:  iam.Request{Action: "a:B", Resource: "*", Principal: role},
			want: iam.Silent,
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
