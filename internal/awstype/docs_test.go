package awstype_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/internal/awstype"
	"freehold.dev/freehold/internal/iam"
)

// difference is an action in which a policy of docs/iam and the rows differ,
// and why.
type difference struct{ action, why string }

var besidesInAccess = []difference{
	{"ec2:DescribeAvailabilityZones", "the account's own names of its zones are read before a network is made in them"},
	{"eks:DescribeAddon", "Find asks by it for an add-on that a killed run left behind"},
	{"servicequotas:GetServiceQuota", "whether there is room for a data plane is asked before one is made"},
	{"servicequotas:ListAWSDefaultServiceQuotas", "an account without a value of its own has AWS's"},
}

// notRecorded is what the rows say of a type, and the access role never does.
var notRecorded = []difference{
	{"iam:PutRolePermissionsBoundary", "the boundary of a phase role is given at its creation, and its name never changes"},
}

var besidesInProvisioner = []difference{
	{"eks:DescribeAddonVersions", "whether EKS has what a spec asks for is checked before anything is made"},
	{"eks:DescribeClusterVersions", "whether EKS has what a spec asks for is checked before anything is made"},
	{"iam:GetRole", "the provisioner reads its own role, whose path is not in the ARN of its session"},
	{"organizations:DescribeOrganization", "the account component reads the organization before it makes anything"},
	{"organizations:ListAWSServiceAccessForOrganization", "the provider reads it with the organization"},
	{"organizations:ListRoots", "the provider reads it with the organization"},
	{"servicequotas:GetServiceQuota", "whether there is room for an account is asked before one is made"},
	{"servicequotas:ListAWSDefaultServiceQuotas", "an organization without a value of its own has AWS's"},
	{"sts:AssumeRole", "it works in customers' accounts by their roles"},
}

// sharingPolicies are what the access role of a customer's account needs for an
// audit beyond what the inventory's lists need: exactly the calls of the ways. They
// are two, because a managed policy takes 6,144 characters.
func sharingPolicies() map[string]iam.Document {
	var first, second, apis iam.Values
	for _, call := range awstype.SharingCalls() {
		switch {
		case call == "apigateway:GET":
			apis = append(apis, call)
		case call < "k":
			first = append(first, call)
		default:
			second = append(second, call)
		}
	}
	return map[string]iam.Document{
		"access-role-audit.json": iam.New(
			iam.Statement{Sid: "Sharing", Effect: iam.Allow, Action: first, Resource: iam.Values{"*"}},
			// The keys of an API are read by the same action, and are no setting.
			iam.Statement{Sid: "SharingOfAPIs", Effect: iam.Allow, Action: apis, Resource: iam.Values{"arn:aws:apigateway:REGION::/domainnames", "arn:aws:apigateway:REGION::/restapis"}},
		),
		"access-role-audit-more.json": iam.New(iam.Statement{Sid: "Sharing", Effect: iam.Allow, Action: second, Resource: iam.Values{"*"}}),
	}
}

var update = flag.Bool("update", false, "rewrite docs/iam/access-role-audit*.json")

func TestThePoliciesOfAnAuditAreTheLeastThatListsEachWay(t *testing.T) {
	for name, doc := range sharingPolicies() {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join("../../docs/iam", name)
			if n := len(doc.String()); n > iam.MaxManaged {
				t.Errorf("%d characters, and a managed policy takes %d", n, iam.MaxManaged)
			}
			var want bytes.Buffer
			if err := json.Indent(&want, []byte(doc.String()), "", "  "); err != nil {
				t.Fatal(err)
			}
			want.WriteByte('\n')
			if *update {
				if err := os.WriteFile(file, want.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			got, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want.String(), string(got)); diff != "" {
				t.Errorf("-update rewrites it (-want +got):\n%s", diff)
			}
		})
	}
}

// TestTheRecordedPoliciesAndTheRowsAgree holds the rows against what the
// conformance lane saw genuine provider code call. Each side corrects the other.
func TestTheRecordedPoliciesAndTheRowsAgree(t *testing.T) {
	var access []string
	for _, typ := range made(t, "boundary") {
		r, _ := awstype.Of(typ)
		access = slices.Concat(access, r.Make, r.Read, r.Delete)
	}
	for _, r := range awstype.All() {
		access = append(access, r.Look...)
	}
	var provisioner []string
	for _, typ := range made(t, "account") {
		r, _ := awstype.Of(typ)
		provisioner = slices.Concat(provisioner, r.Make, r.Read, r.Delete)
	}
	tests := map[string]struct {
		files            []string
		rows             []string
		besides, missing []difference
	}{
		"the access role": {[]string{"access-role.json", "access-role-reads.json"}, access, besidesInAccess, notRecorded},
		"the provisioner": {[]string{"provisioner.json"}, provisioner, besidesInProvisioner, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var recorded []string
			for _, file := range tt.files {
				recorded = append(recorded, actionsIn(t, file)...)
			}
			want := append(slices.Clone(recorded), actions(tt.missing)...)
			got := append(slices.Clone(tt.rows), actions(tt.besides)...)
			if diff := cmp.Diff(unique(want), unique(got)); diff != "" {
				t.Errorf("what was recorded and what the rows say (-recorded +rows):\n%s", diff)
			}
		})
	}
}

func actionsIn(t *testing.T, file string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../../docs/iam", file))
	if err != nil {
		t.Fatal(err)
	}
	doc, err := iam.Parse(string(text))
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, s := range doc.Statement {
		all = append(all, s.Action...)
	}
	return all
}

func actions(all []difference) []string {
	var out []string
	for _, d := range all {
		out = append(out, d.action)
	}
	return out
}

func unique(all []string) []string {
	slices.SortFunc(all, strings.Compare)
	return slices.Compact(all)
}
