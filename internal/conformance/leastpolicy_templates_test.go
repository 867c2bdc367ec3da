package conformance_test

import (
	"flag"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"freehold.dev/freehold/internal/awstype"
	"freehold.dev/freehold/internal/conformance/iamcalls"
	"freehold.dev/freehold/internal/conformance/lab"
	"freehold.dev/freehold/internal/iam"
)

var update = flag.Bool("update", false, "rewrite the policies in docs/iam")

// template is a policy in docs/iam, which whoever sets Freehold up fills in. It
// is in as many files as AWS's limit for a managed policy makes it.
type template struct {
	files []part
	// scopes say how the policy names resources; the first that covers one counts.
	scopes []string
	// besides are the calls that no recorded run had a reason for: what the
	// provider makes when the next version of Freehold, or of a customer's
	// spec, changes what is there; what finds again the work of a run that was
	// killed; what empties buckets that hold something.
	besides []lab.Call
}

// part is one file of a template.
type part struct {
	file string
	// holds tells which actions are in it; nil: all.
	holds func(action string) bool
	// written is true for a policy that is written from a table, and not from
	// what was recorded: the emulator knows no more than a part of it.
	written bool
}

// audits reports whether only an audit calls for an action: by what no inventory
// needs.
func audits(action string) bool {
	looked := func(r awstype.Row) bool { return slices.Contains(slices.Concat(r.Look, r.Read), action) }
	return slices.Contains(awstype.SharingCalls(), action) && !slices.ContainsFunc(awstype.All(), looked)
}

// The names in besides: any that the scopes cover.
const (
	someRole       = "freehold-org-provision"
	somePolicy     = "arn:aws:iam::" + iamcalls.AccountID + ":policy/freehold-org-boundary"
	someKey        = "00000000-0000-0000-0000-000000000000"
	someTrail      = "arn:aws:cloudtrail:" + iamcalls.Region + ":" + iamcalls.AccountID + ":trail/freehold-org-trail"
	someRepository = "freehold-org/namespace-controller"
	someRegistry   = "arn:aws:ecr:" + iamcalls.Region + ":" + iamcalls.AccountID + ":repository/" + someRepository
	someAnalyzer   = "arn:aws:access-analyzer:" + iamcalls.Region + ":" + iamcalls.AccountID + ":analyzer%2Ffreehold-org-analyzer"
)

var provisionerTemplate = template{
	files: []part{{file: "provisioner.json"}},
	scopes: []string{
		"arn:aws:iam::" + iamcalls.ManagementAccountID + ":role/freehold-provisioner",
		// The roles that the provisioner assumes: of accounts that it vends, of
		// accounts that customers bring, and of the phases.
		"arn:aws:iam::*:role/" + lab.AccessRole,
		"arn:aws:iam::*:role/freehold-*",
		"arn:aws:organizations::" + iamcalls.ManagementAccountID + ":account/*",
		"arn:aws:organizations::" + iamcalls.ManagementAccountID + ":ou/*",
		"arn:aws:organizations::" + iamcalls.ManagementAccountID + ":policy/*",
		"arn:aws:organizations::" + iamcalls.ManagementAccountID + ":root/*",
		"arn:aws:servicequotas:*:" + iamcalls.ManagementAccountID + ":organizations/*",
	},
	besides: []lab.Call{
		// The run that asks for an account may be killed before it asks what became
		// of it, and the next one finds the account by its address.
		inJSON("organizations", "DescribeCreateAccountStatus", `{"CreateAccountRequestId":"car-1"}`),
		inJSON("organizations", "UpdatePolicy", `{"PolicyId":"p-1"}`),
		inJSON("organizations", "TagResource", `{"ResourceId":"p-1"}`),
		inJSON("organizations", "UntagResource", `{"ResourceId":"p-1"}`),
		inJSON("organizations", "TagResource", `{"ResourceId":"111111111111"}`),
		inJSON("organizations", "UntagResource", `{"ResourceId":"111111111111"}`),
		inJSON("organizations", "ListPolicies", `{"Filter":"SERVICE_CONTROL_POLICY"}`),
		// A customer's account under another unit, and one that is let go.
		inJSON("organizations", "MoveAccount", `{"AccountId":"111111111111","SourceParentId":"r-1","DestinationParentId":"ou-1"}`),
		inJSON("organizations", "CloseAccount", `{"AccountId":"111111111111"}`),
	},
}

var stateTemplate = template{
	files: []part{{file: "state.json"}},
	scopes: []string{
		"arn:aws:s3:::" + stateBucket,
		"arn:aws:s3:::" + stateBucket + "/*",
		"arn:aws:kms:" + iamcalls.Region + ":" + iamcalls.ManagementAccountID + ":key/*",
	},
}

var accessTemplate = template{
	files: []part{
		{file: "access-role.json", holds: func(action string) bool { return !reads.MatchString(action) && !audits(action) }},
		{file: "access-role-reads.json", holds: func(action string) bool { return reads.MatchString(action) && !audits(action) }},
		{file: "access-role-audit.json", holds: func(action string) bool { return audits(action) && action < "k" }, written: true},
		{file: "access-role-audit-more.json", holds: func(action string) bool { return audits(action) && action >= "k" }, written: true},
	},
	scopes: []string{
		"arn:aws:iam::" + iamcalls.AccountID + ":role/freehold-*",
		"arn:aws:iam::" + iamcalls.AccountID + ":role/aws-service-role/access-analyzer.amazonaws.com/*",
		"arn:aws:iam::" + iamcalls.AccountID + ":policy/freehold-*",
		"arn:aws:iam::aws:policy/SecurityAudit",
		"arn:aws:iam::aws:policy/job-function/ViewOnlyAccess",
		"arn:aws:s3:::freehold-*/*",
		"arn:aws:s3:::freehold-*",
		"arn:aws:kms:" + iamcalls.Region + ":" + iamcalls.AccountID + ":key/*",
		"arn:aws:kms:" + iamcalls.Region + ":" + iamcalls.AccountID + ":alias/freehold-*",
		"arn:aws:ecr:" + iamcalls.Region + ":" + iamcalls.AccountID + ":repository/freehold-*",
		"arn:aws:ecr:" + iamcalls.Region + ":" + iamcalls.AccountID + ":repository/*",
		"arn:aws:cloudtrail:" + iamcalls.Region + ":" + iamcalls.AccountID + ":trail/freehold-*",
		"arn:aws:access-analyzer:" + iamcalls.Region + ":" + iamcalls.AccountID + ":analyzer/freehold-*",
		"arn:aws:eks:" + iamcalls.Region + ":" + iamcalls.AccountID + ":*",
		"arn:aws:servicequotas:*:" + iamcalls.AccountID + ":*",
		"arn:aws:apigateway:" + iamcalls.Region + "::/domainnames",
		"arn:aws:apigateway:" + iamcalls.Region + "::/restapis",
		// What is in the account already, whatever it is called: an inventory reads
		// all of it, the role's own policies among them.
		"arn:aws:iam::" + iamcalls.AccountID + ":role/*",
		"arn:aws:iam::" + iamcalls.AccountID + ":policy/*",
		"arn:aws:s3:::*",
	},
	besides: []lab.Call{
		// IAM keeps five versions of a policy: the provider makes room first.
		inForm("iam", "CreatePolicyVersion", "PolicyArn", somePolicy),
		inForm("iam", "ListPolicyVersions", "PolicyArn", somePolicy),
		inForm("iam", "DeletePolicyVersion", "PolicyArn", somePolicy),
		inForm("iam", "TagPolicy", "PolicyArn", somePolicy),
		inForm("iam", "UntagPolicy", "PolicyArn", somePolicy),
		inForm("iam", "UpdateAssumeRolePolicy", "RoleName", someRole),
		inForm("iam", "UpdateRole", "RoleName", someRole),
		inForm("iam", "UpdateRoleDescription", "RoleName", someRole),
		inForm("iam", "TagRole", "RoleName", someRole),
		inForm("iam", "UntagRole", "RoleName", someRole),
		inJSON("kms", "PutKeyPolicy", `{"KeyId":"`+someKey+`"}`),
		inJSON("kms", "UpdateKeyDescription", `{"KeyId":"`+someKey+`"}`),
		inJSON("kms", "TagResource", `{"KeyId":"`+someKey+`"}`),
		inJSON("kms", "UntagResource", `{"KeyId":"`+someKey+`"}`),
		inJSON("cloudtrail", "UpdateTrail", `{"Name":"`+someTrail+`"}`),
		inJSON("cloudtrail", "AddTags", `{"ResourceId":"`+someTrail+`"}`),
		inJSON("cloudtrail", "RemoveTags", `{"ResourceId":"`+someTrail+`"}`),
		inJSON("ecr", "PutImageScanningConfiguration", `{"repositoryName":"`+someRepository+`"}`),
		inJSON("ecr", "PutImageTagMutability", `{"repositoryName":"`+someRepository+`"}`),
		inJSON("ecr", "TagResource", `{"resourceArn":"`+someRegistry+`"}`),
		inJSON("ecr", "UntagResource", `{"resourceArn":"`+someRegistry+`"}`),
		inREST("access-analyzer", "POST", "/tags/"+someAnalyzer),
		inJSON("cloudtrail", "GetTrail", `{"Name":"`+someTrail+`"}`),
		inREST("eks", "GET", "/clusters/freehold-org/addons/coredns"),
		// Who is at the other end is asked where somebody peered.
		inForm("ec2", "DescribeTransitGatewayPeeringAttachments", "MaxResults", "100"),
		// The log bucket of a customer who leaves is full.
		{Service: "s3", Method: "GET", Path: "/freehold-org-logs", Query: url.Values{"versions": {""}}},
		{Service: "s3", Method: "POST", Path: "/freehold-org-logs", Query: url.Values{"delete": {""}}},
		{Service: "s3", Method: "POST", Path: "/freehold-org-logs", Query: url.Values{"delete": {""}}, Body: []byte("<VersionId>1</VersionId>")},
		inREST("access-analyzer", "DELETE", "/tags/"+someAnalyzer),
	},
}

func inForm(service, action, param, value string) lab.Call {
	return lab.Call{Service: service, Action: action, Form: url.Values{param: {value}}}
}

func inJSON(service, action, body string) lab.Call {
	return lab.Call{Service: service, Action: action, Body: []byte(body)}
}

func inREST(service, method, path string) lab.Call {
	return lab.Call{Service: service, Method: method, Path: path}
}

// besidesBy are those calls as the caller of a recorded one would make them.
func (m template) besidesBy(c lab.Call) []lab.Call {
	out := make([]lab.Call, len(m.besides))
	for i, u := range m.besides {
		u.Principal, u.Account, u.Region = c.Principal, c.Account, lab.Region
		fill := func(text string) string {
			return iamcalls.Fill(text, map[string]string{iamcalls.AccountID: c.Account, iamcalls.Region: lab.Region})
		}
		u.Path, u.Body = fill(u.Path), []byte(fill(string(u.Body)))
		form := url.Values{}
		for name, values := range u.Form {
			form.Set(name, fill(values[0]))
		}
		u.Form = form
		out[i] = u
	}
	return out
}

// The trust policies are written by hand, so somebody must ask them.
func TestTheTrustPoliciesOfDocsLetInWhomTheyName(t *testing.T) {
	const provisioner = "arn:aws:iam::1:role/freehold-provisioner"
	fill := strings.NewReplacer("MANAGEMENT_ACCOUNT_ID", "1", "EXTERNAL_ID", "x", "OPERATOR_ROLE", "ci", "OPERATOR_PERMISSION_SET", "ops")
	external := func(id string) map[string]string { return map[string]string{"sts:ExternalId": id} }
	tests := map[string]struct {
		file, principal string
		context         map[string]string
		want            iam.Verdict
	}{
		"the provisioner, with the external id": {"access-role-trust.json", provisioner, external("x"), iam.Allowed},
		"the provisioner, without":              {"access-role-trust.json", provisioner, nil, iam.Silent},
		"the provisioner, with another's":       {"access-role-trust.json", provisioner, external("y"), iam.Silent},
		"another role of the same account":      {"access-role-trust.json", "arn:aws:iam::1:role/ci", external("x"), iam.Silent},
		"an operator's role":                    {"provisioner-trust.json", "arn:aws:iam::1:role/ci", nil, iam.Allowed},
		"an operator's permission set": {
			"provisioner-trust.json", "arn:aws:iam::1:role/aws-reserved/sso.amazonaws.com/eu-central-1/AWSReservedSSO_ops_0123456789abcdef", nil, iam.Allowed,
		},
		"somebody else of the management account": {"provisioner-trust.json", "arn:aws:iam::1:role/app", nil, iam.Silent},
		"another account":                         {"provisioner-trust.json", "arn:aws:iam::2:role/ci", nil, iam.Silent},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join(folder, tt.file))
			if err != nil {
				t.Fatal(err)
			}
			doc, err := iam.Parse(fill.Replace(string(text)))
			if err != nil {
				t.Fatal(err)
			}
			if n := len(doc.String()); n > iam.MaxTrust {
				t.Errorf("%d characters, and a trust policy takes %d", n, iam.MaxTrust)
			}
			got := doc.Evaluate(iam.Request{Action: "sts:AssumeRole", Principal: tt.principal, Context: tt.context})
			if got != tt.want {
				t.Errorf("%s: %s, want %s", tt.principal, got, tt.want)
			}
		})
	}
}
