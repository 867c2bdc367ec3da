package account_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"freehold.dev/freehold/components/account"
	"freehold.dev/freehold/components/componenttest"
)

const (
	accountType    = "aws:organizations/account:Account"
	policyType     = "aws:organizations/policy:Policy"
	attachmentType = "aws:organizations/policyAttachment:PolicyAttachment"
	getOrg         = "aws:organizations/getOrganization:getOrganization"
)

func vended() account.Args {
	return account.Args{
		Vended: true, Name: "acme", Email: "aws+acme@example.com", AccessRoleName: "OrganizationAccountAccessRole",
		Region: "eu-central-1", BoundaryName: "freehold-acme-boundary", ProvisionerARN: provisioner,
		ServicePolicyName: "freehold-acme-scp", ResourcePolicyName: "freehold-acme-rcp",
		Protected: true, Tags: map[string]string{"freehold.dev/org": "acme", "freehold.dev/layer": "account", "freehold.dev/managed-by": "freehold"},
	}
}

func program(args account.Args) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		p, err := aws.NewProvider(ctx, "management", &aws.ProviderArgs{})
		if err != nil {
			return err
		}
		a, err := account.New(ctx, "account", args, pulumi.Providers(p))
		if err != nil {
			return err
		}
		ctx.Export("accountId", a.AccountID)
		ctx.Export("accessRoleArn", a.AccessRoleARN)
		ctx.Export("externalId", a.ExternalID)
		return nil
	}
}

func TestAVendedAccountIsFencedTaggedAndProtected(t *testing.T) {
	r := componenttest.Record(t, program(vended()))

	want := map[string]any{"accountId": member, "accessRoleArn": accessRole, "externalId": ""}
	if diff := cmp.Diff(want, r.Exports); diff != "" {
		t.Errorf("outputs (-want +got):\n%s", diff)
	}
	var attached []map[string]any
	for _, res := range r.Of(attachmentType) {
		attached = append(attached, res.Inputs)
	}
	wantAttached := []map[string]any{
		{"policyId": "p-resource-policy", "targetId": member},
		{"policyId": "p-service-policy", "targetId": member},
		{"policyId": "p-service-policy-2", "targetId": member},
	}
	if diff := cmp.Diff(wantAttached, attached); diff != "" {
		t.Errorf("attachments (-want +got):\n%s", diff)
	}
	for _, res := range r.Resources {
		if !strings.HasPrefix(res.Type, "aws:") {
			continue
		}
		if res.Provider != "management" || res.Parent != "account" {
			t.Errorf("%s %s: provider %q, parent %q", res.Type, res.Name, res.Provider, res.Parent)
		}
		if !res.Protect {
			t.Errorf("%s %s is not protected", res.Type, res.Name)
		}
		if res.Type == attachmentType {
			continue // takes no tags
		}
		wantTags := map[string]any{"freehold.dev/org": "acme", "freehold.dev/layer": "account", "freehold.dev/managed-by": "freehold"}
		if diff := cmp.Diff(wantTags, res.Inputs["tags"]); diff != "" {
			t.Errorf("%s %s: tags (-want +got):\n%s", res.Type, res.Name, diff)
		}
	}
	for _, c := range r.Calls {
		if c.Provider != "management" {
			t.Errorf("%s is asked of provider %q", c.Token, c.Provider)
		}
	}
}

func TestWhatBecomesOfTheAccount(t *testing.T) {
	type fate struct {
		Parent, Closes     any
		Protected, Retains bool
	}
	tests := map[string]struct {
		reason string
		change func(*account.Args)
		want   fate
	}{
		"by default": {
			reason: "destroying forgets the account and leaves it in the organization",
			change: func(*account.Args) {},
			want:   fate{Parent: "r-root", Closes: false, Protected: true, Retains: true},
		},
		"under a unit": {
			reason: "the unit that was asked for is the parent",
			change: func(a *account.Args) { a.ParentID = "ou-abcd-12345678" },
			want:   fate{Parent: "ou-abcd-12345678", Closes: false, Protected: true, Retains: true},
		},
		"close on deletion": {
			reason: "a retained account would never be closed",
			change: func(a *account.Args) { a.CloseOnDeletion, a.Protected = true, false },
			want:   fate{Parent: "r-root", Closes: true, Protected: false, Retains: false},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			args := vended()
			tt.change(&args)
			r := componenttest.Record(t, program(args))
			res := r.One(t, accountType, "account")
			got := fate{res.Inputs["parentId"], res.Inputs["closeOnDeletion"], res.Protect, res.RetainOnDelete}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.reason, diff)
			}
			if diff := cmp.Diff([]string{"name", "email", "roleName", "iamUserAccessToBilling"}, res.IgnoreChanges, cmpopts.SortSlices(strings.Compare)); diff != "" {
				t.Errorf("a change of these would make a second account (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAnAccountThatTheCustomerBringsGetsNothing(t *testing.T) {
	r := componenttest.Record(t, program(account.Args{RoleARN: "arn:aws:iam::444455556666:role/path/freehold", ExternalID: "e-1"}))
	want := map[string]any{"accountId": "444455556666", "accessRoleArn": "arn:aws:iam::444455556666:role/path/freehold", "externalId": "e-1"}
	if diff := cmp.Diff(want, r.Exports); diff != "" {
		t.Errorf("outputs (-want +got):\n%s", diff)
	}
	for _, res := range r.Resources {
		if strings.HasPrefix(res.Type, "aws:") {
			t.Errorf("%s %s was made", res.Type, res.Name)
		}
	}
	if len(r.Calls) > 0 {
		t.Errorf("the organization was asked: %v", r.Calls)
	}
}

func TestAnOrganizationWithoutResourceControlPoliciesGetsNone(t *testing.T) {
	r := componenttest.Record(t, program(vended()), componenttest.Answer(getOrg, func(map[string]any) (map[string]any, error) {
		return componenttest.Organization("SERVICE_CONTROL_POLICY"), nil
	}))
	var got []any
	for _, res := range r.Of(policyType) {
		got = append(got, res.Inputs["type"])
	}
	if diff := cmp.Diff([]any{"SERVICE_CONTROL_POLICY", "SERVICE_CONTROL_POLICY"}, got); diff != "" {
		t.Errorf("policies (-want +got):\n%s", diff)
	}
}

func TestAtPreviewOnlyTheAccountsNumberIsUnknown(t *testing.T) {
	r := componenttest.Record(t, program(vended()), componenttest.Preview())
	if got := r.Exports["accountId"]; got != componenttest.Unknown {
		t.Errorf("accountId: %v, want unknown", got)
	}
	for _, res := range r.Of(policyType) {
		if content, _ := res.Inputs["content"].(string); !strings.HasPrefix(content, `{"Version"`) {
			t.Errorf("%s: content %q cannot be judged at preview", res.Name, content)
		}
	}
}

func TestAnAccountIsRefused(t *testing.T) {
	tests := map[string]struct {
		args account.Args
		opts []componenttest.Option
		want string
	}{
		"without what it needs": {
			args: account.Args{Vended: true, Name: "acme", Email: "a@example.com", AccessRoleName: "r", BoundaryName: "b", ServicePolicyName: "s", ResourcePolicyName: "p"},
			want: "account account: ProvisionerARN, Region must be given",
		},
		"with a role that is none": {
			args: account.Args{RoleARN: "arn:aws:iam::444455556666:user/u"},
			want: `account account: "arn:aws:iam::444455556666:user/u" is not the ARN of a role`,
		},
		"in an organization without service control policies": {
			args: vended(),
			opts: []componenttest.Option{componenttest.Answer(getOrg, func(map[string]any) (map[string]any, error) {
				return componenttest.Organization(), nil
			})},
			want: "run aws organizations enable-policy-type --root-id r-root --policy-type SERVICE_CONTROL_POLICY",
		},
		"with credentials that cannot see the root": {
			args: vended(),
			opts: []componenttest.Option{componenttest.Answer(getOrg, func(map[string]any) (map[string]any, error) {
				org := componenttest.Organization("SERVICE_CONTROL_POLICY")
				org["roots"] = []any{}
				return org, nil
			})},
			want: "use the management account's",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := componenttest.Run(program(tt.args), tt.opts...)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}
