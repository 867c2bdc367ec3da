package iamcalls_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/internal/conformance/iamcalls"
	"freehold.dev/freehold/internal/conformance/lab"
	"freehold.dev/freehold/internal/iam"
)

var scopes = []string{
	"arn:aws:iam::ACCOUNT_ID:role/freehold-*",
	"arn:aws:iam::ACCOUNT_ID:policy/freehold-*",
	"arn:aws:iam::aws:policy/SecurityAudit",
	"arn:aws:ecr:REGION:ACCOUNT_ID:repository/freehold-*",
	"arn:aws:ecr:REGION:ACCOUNT_ID:repository/*",
	"arn:aws:organizations::MANAGEMENT_ACCOUNT_ID:policy/*",
}

func recorded() []lab.Call {
	const boundary = "arn:aws:iam::" + account + ":policy/freehold-acme-boundary"
	return []lab.Call{
		form("iam", "CreateRole", "RoleName", "freehold-acme-read", "PermissionsBoundary", boundary),
		form("iam", "AttachRolePolicy", "RoleName", "freehold-acme-read", "PolicyArn", "arn:aws:iam::aws:policy/SecurityAudit"),
		form("iam", "GetRole", "RoleName", "freehold-acme-read"),
		form("iam", "ListRoles"),
		form("iam", "ListUsers"),
		form("iam", "GetRole", "RoleName", "freehold-acme-node"),
		jsonCall("ecr", "GetLifecyclePolicy", `{"repositoryName":"freehold-acme/c"}`),
		jsonCall("ecr", "DescribeRepositories", `{"repositoryNames":["freehold-acme/c"]}`),
		jsonCall("ecr", "DescribeRepositories", `{}`),
		jsonCall("organizations", "CreatePolicy", `{"Type":"SERVICE_CONTROL_POLICY","Tags":[{"Key":"k"}]}`),
		jsonCall("organizations", "CreateAccount", `{"Tags":[{"Key":"k"}]}`),
		form("sts", "GetCallerIdentity"),
	}
}

func TestLeastAllowsWhatWasCalledAndNoMore(t *testing.T) {
	allow := func(sid string, resource string, condition iam.Condition, actions ...string) iam.Statement {
		return iam.Statement{
			Sid: sid, Effect: iam.Allow, Action: actions, Resource: iam.Values{resource}, Condition: condition,
		}
	}
	bounded := map[string]iam.Values{"iam:PermissionsBoundary": {"arn:aws:iam::ACCOUNT_ID:policy/freehold-*"}}
	both := map[string]iam.Values{
		"iam:PermissionsBoundary": bounded["iam:PermissionsBoundary"],
		"iam:PolicyARN":           {"arn:aws:iam::aws:policy/SecurityAudit"},
	}
	want := iam.New(
		// Of two scopes that one action needs, the wider has the other in it.
		allow("EcrRepository", "arn:aws:ecr:REGION:ACCOUNT_ID:repository/*", nil, "ecr:DescribeRepositories"),
		allow("EcrRepository2", "arn:aws:ecr:REGION:ACCOUNT_ID:repository/freehold-*", nil, "ecr:GetLifecyclePolicy"),
		allow("IamRoleIfPermissionsBoundaryIfPolicyARN", "arn:aws:iam::ACCOUNT_ID:role/freehold-*", iam.Condition{"ArnLike": both}, "iam:AttachRolePolicy"),
		allow("IamRoleIfPermissionsBoundary", "arn:aws:iam::ACCOUNT_ID:role/freehold-*", iam.Condition{"ArnLike": bounded}, "iam:CreateRole"),
		allow("IamRole", "arn:aws:iam::ACCOUNT_ID:role/freehold-*", nil, "iam:GetRole"),
		allow("Iam", "*", nil, "iam:ListRoles", "iam:ListUsers"),
		allow("Organizations", "*", nil, "organizations:CreateAccount", "organizations:TagResource"),
		allow("OrganizationsPolicy", "arn:aws:organizations::MANAGEMENT_ACCOUNT_ID:policy/*", nil, "organizations:CreatePolicy"),
	)
	calls := recorded()
	for range 3 {
		got, err := iamcalls.Least(calls, scopes)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("Least (-want +got):\n%s", diff)
		}
		slices.Reverse(calls) // the order of calls is chance
	}
}

func TestLeastNeedsAScopeForEachResource(t *testing.T) {
	calls := []lab.Call{form("iam", "GetRole", "RoleName", "somebody")}
	if _, err := iamcalls.Least(calls, scopes); !errors.Is(err, iamcalls.ErrNoScope) || !strings.Contains(err.Error(), "role/somebody") {
		t.Errorf("Least: %v, want ErrNoScope with the role", err)
	}
	calls = []lab.Call{form("iam", "CreateRole", "RoleName", "freehold-a", "PermissionsBoundary", "arn:aws:iam::1:policy/other")}
	if _, err := iamcalls.Least(calls, scopes); !errors.Is(err, iamcalls.ErrNoScope) {
		t.Errorf("Least: %v, want ErrNoScope for the boundary", err)
	}
	if _, err := iamcalls.Least([]lab.Call{jsonCall("lambda", "Invoke", `{}`)}, scopes); !errors.Is(err, iamcalls.ErrUnknown) {
		t.Errorf("Least: %v, want ErrUnknown", err)
	}
}

func TestATemplateIsFilledWithTheLongestWordsFirst(t *testing.T) {
	got := iamcalls.Fill("MANAGEMENT_ACCOUNT_ID ACCOUNT_ID REGION", map[string]string{
		iamcalls.AccountID: "2", iamcalls.ManagementAccountID: "1", iamcalls.Region: "r",
	})
	if got != "1 2 r" {
		t.Errorf("Fill: %q", got)
	}
}
