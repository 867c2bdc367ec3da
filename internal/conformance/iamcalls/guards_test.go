package iamcalls_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"freehold.dev/freehold/internal/conformance/iamcalls"
	"freehold.dev/freehold/internal/conformance/lab"
	"freehold.dev/freehold/internal/iam"
)

const (
	fence  = "arn:aws:iam::" + account + ":policy/fence"
	access = "arn:aws:iam::" + account + ":role/OrganizationAccountAccessRole"
)

func document(effect, action string) string {
	return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Sid":"S","Effect":%q,"Action":%q,"Resource":"*"}]}`, effect, action)
}

// quoted is a document as text in JSON.
func quoted(text string) string { return strings.ReplaceAll(text, `"`, `\"`) }

// history puts policies of every kind in force.
func history() []lab.Call {
	denyAnyone := `{"Version":"2012-10-17","Statement":[{"Sid":"S","Effect":"Deny","Principal":"*","Action":"%s","Resource":"*"}]}`
	tags := `"Tags":[{"Key":"freehold.dev/org","Value":"acme"}]`
	return []lab.Call{
		jsonCall("organizations", "CreatePolicy", `{"Type":"SERVICE_CONTROL_POLICY","Content":"`+quoted(document("Deny", "ec2:Stop*"))+`",`+tags+`}`, `{"Policy":{"PolicySummary":{"Id":"p-scp"}}}`),
		jsonCall("organizations", "CreatePolicy", `{"Type":"RESOURCE_CONTROL_POLICY","Content":"`+quoted(fmt.Sprintf(denyAnyone, "sqs:*"))+`",`+tags+`}`, `{"Policy":{"PolicySummary":{"Id":"p-rcp"}}}`),
		form("iam", "CreatePolicy", "PolicyName", "fence", "PolicyDocument",
			`{"Version":"2012-10-17","Statement":[{"Sid":"All","Effect":"Allow","Action":"*","Resource":"*"},{"Sid":"S","Effect":"Deny","Action":"ec2:Fence*","Resource":"*"}]}`),
		form("iam", "CreateRole", "RoleName", "freehold-acme-provision", "PermissionsBoundary", fence, "Tags.member.1.Key", "freehold.dev/org", "Tags.member.1.Value", "acme"),
		form("iam", "PutRolePolicy", "RoleName", "freehold-acme-provision", "PolicyName", "p", "PolicyDocument", document("Allow", "ec2:*")),
		form("iam", "PutRolePolicy", "RoleName", "freehold-acme-provision", "PolicyName", "q", "PolicyDocument", document("Allow", "s3:*")),
		form("iam", "PutRolePolicy", "RoleName", "freehold-acme-provision", "PolicyName", "d", "PolicyDocument", document("Deny", "ec2:Self*")),
		form("iam", "PutRolePolicy", "RoleName", "freehold-acme-provision", "PolicyName", "k", "PolicyDocument",
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"kms:CreateGrant","Resource":"*","Condition":{"StringEquals":{"kms:ResourceAliases":"alias/a"}}}]}`),
		form("iam", "AttachRolePolicy", "RoleName", "freehold-acme-provision", "PolicyArn", "arn:aws:iam::aws:policy/ReadOnlyAccess"),
		jsonCall("kms", "CreateAlias", `{"AliasName":"alias/a","TargetKeyId":"k1"}`),
		rest("s3", "PUT /closed?policy", fmt.Sprintf(denyAnyone, "s3:GetBucketAcl")),
	}
}

func learned(t *testing.T, more ...lab.Call) *iamcalls.Guards {
	t.Helper()
	calls := append(history(), more...)
	g := iamcalls.NewGuards(calls, func(arn string) (iam.Document, error) {
		if arn != "arn:aws:iam::aws:policy/ReadOnlyAccess" {
			return iam.Document{}, fmt.Errorf("%s is not known", arn)
		}
		return iam.Parse(document("Allow", "sqs:List*"))
	})
	for _, c := range calls {
		if err := g.Learn(c); err != nil {
			t.Fatal(err)
		}
	}
	return g
}

func TestGuardsAskEveryPolicyThatHasASay(t *testing.T) {
	detached := form("iam", "DetachRolePolicy", "RoleName", "freehold-acme-provision", "PolicyArn", "arn:aws:iam::aws:policy/ReadOnlyAccess")
	failed := detached
	failed.Status = 403
	tests := map[string]struct {
		principal, action, resource string
		then                        []lab.Call
		want                        string // part of the refusal; empty: allowed
	}{
		"the role's inline policy allows":                 {role, "ec2:DescribeVpcs", "*", nil, ""},
		"an attached policy of AWS's allows":              {role, "sqs:ListQueues", "*", nil, ""},
		"a key is known by its alias":                     {role, "kms:CreateGrant", key, nil, ""},
		"a key without the alias is another":              {role, "kms:CreateGrant", key + "2", nil, "no policy of the role allows it"},
		"nothing allows":                                  {role, "iam:GetRole", "*", nil, "no policy of the role allows it"},
		"the role's own policy denies":                    {role, "ec2:SelfDestroy", "*", nil, "the role's policy denies it by S"},
		"the boundary denies":                             {role, "ec2:FenceOff", "*", nil, "the permissions boundary denies it by S"},
		"the service control policy denies":               {role, "ec2:StopInstances", "*", nil, "the service control policy denies it by S"},
		"the service control policy denies every role":    {access, "ec2:StopInstances", "*", nil, "the service control policy denies it by S"},
		"the access role has no boundary":                 {access, "ec2:FenceOff", "*", nil, ""},
		"another account has no service control policy":   {"arn:aws:iam::1:role/x", "ec2:StopInstances", "*", nil, ""},
		"the resource control policy denies":              {"arn:aws:iam::1:role/x", "sqs:SendMessage", "arn:aws:sqs:r:" + account + ":q", nil, "the resource control policy denies it by S"},
		"another account's resource is not in its reach":  {access, "sqs:SendMessage", "arn:aws:sqs:r:1:q", nil, ""},
		"the bucket's policy denies":                      {role, "s3:GetBucketAcl", "arn:aws:s3:::closed", nil, "the bucket's policy denies it by S"},
		"another bucket's policy does not":                {role, "s3:GetBucketAcl", "arn:aws:s3:::open", nil, ""},
		"a policy that was taken from the bucket is gone": {role, "s3:GetBucketAcl", "arn:aws:s3:::closed", []lab.Call{rest("s3", "DELETE /closed?policy", "")}, ""},
		"a policy that was detached is gone":              {role, "sqs:ListQueues", "*", []lab.Call{detached}, "no policy of the role allows it"},
		"a call that failed changes nothing":              {role, "sqs:ListQueues", "*", []lab.Call{failed}, ""},
		"an inline policy that was deleted is gone": {
			role, "ec2:DescribeVpcs", "*",
			[]lab.Call{form("iam", "DeleteRolePolicy", "RoleName", "freehold-acme-provision", "PolicyName", "p")}, "no policy of the role allows it",
		},
		"a service control policy that was changed denies what it says now": {
			role, "ec2:StopInstances", "*",
			[]lab.Call{jsonCall("organizations", "UpdatePolicy", `{"PolicyId":"p-scp","Content":"`+quoted(document("Deny", "sqs:*"))+`"}`)}, "",
		},
		"a service control policy that was only renamed stays": {
			role, "ec2:StopInstances", "*",
			[]lab.Call{jsonCall("organizations", "UpdatePolicy", `{"PolicyId":"p-scp","Name":"other"}`)}, "the service control policy denies it by S",
		},
		"the newest version of a boundary counts": {
			role, "ec2:DescribeVpcs", "*",
			[]lab.Call{form("iam", "CreatePolicyVersion", "PolicyArn", fence, "PolicyDocument", document("Allow", "s3:*"))}, "the permissions boundary does not allow it",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := iam.Request{Principal: tt.principal, Action: tt.action, Resource: tt.resource, Context: map[string]string{}}
			if account := iam.AccountIn(tt.resource); account != "" {
				r.Context["aws:ResourceAccount"] = account
			}
			err := learned(t, tt.then...).Check(r)
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("Check: %v, want it allowed", err)
			case tt.want != "" && (!errors.Is(err, iamcalls.ErrRefused) || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("Check: %v, want %q", err, tt.want)
			}
		})
	}
}

func TestGuardsDoNotGuess(t *testing.T) {
	g := learned(t)
	for name, c := range map[string]lab.Call{
		"a policy that cannot be read":    form("iam", "PutRolePolicy", "RoleName", "freehold-acme-provision", "PolicyName", "x", "PolicyDocument", `{"Statement":[{"NotPrincipal":"*"}]}`),
		"a change of nobody knows what":   jsonCall("organizations", "UpdatePolicy", `{"PolicyId":"p-1","Content":"{}"}`),
		"a policy type that has no place": jsonCall("organizations", "CreatePolicy", `{"Type":"TAG_POLICY","Content":"{}"}`, `{"Policy":{"PolicySummary":{"Id":"p-tag"}}}`),
	} {
		if err := g.Learn(c); err == nil {
			t.Errorf("%s was learned", name)
		}
	}
	attach := form("iam", "AttachRolePolicy", "RoleName", "freehold-acme-provision", "PolicyArn", "arn:aws:iam::aws:policy/Other")
	r := iam.Request{Principal: role, Action: "ec2:DescribeVpcs", Resource: "*", Context: map[string]string{}}
	if err := learned(t, attach).Check(r); err == nil || errors.Is(err, iamcalls.ErrRefused) {
		t.Errorf("Check with a policy that is not to be had: %v", err)
	}
}
