package table

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestEveryTypeIsInOneState(t *testing.T) {
	n := map[State]int{}
	for _, r := range All() {
		n[r.State]++
		if r.State == Forbidden && (r.Rule == "" || r.Reason == "") {
			t.Errorf("%s is forbidden by %q because %q", r.Type, r.Rule, r.Reason)
		}
		if r.State == Classified && r.Top.below == nil && r.Type != "" {
			t.Logf("%s has no properties", r.Type)
		}
	}
	if n[Classified] < 900 || n[Forbidden] < 80 || n[Unclassified] == 0 {
		t.Errorf("types by state: %v", n)
	}
}

// What is found in the file's text is what its rows say.
func TestTypesAreFoundWithoutReadingTheirRows(t *testing.T) {
	with, refused := map[Column][]string{}, map[string][]string{}
	for _, r := range All() {
		for _, c := range r.Columns() {
			with[c] = append(with[c], r.Type)
		}
		if r.State == Forbidden {
			refused[r.Rule] = append(refused[r.Rule], r.Type)
		}
	}
	if len(with) < 15 || len(refused) < 5 {
		t.Fatalf("%d columns and %d rules", len(with), len(refused))
	}
	for c, want := range with {
		if d := cmp.Diff(want, TypesWith(c)); d != "" {
			t.Errorf("with %s (-want +got):\n%s", c, d)
		}
	}
	for rule, want := range refused {
		if d := cmp.Diff(want, RefusedBy(rule)); d != "" {
			t.Errorf("refused by %s (-want +got):\n%s", rule, d)
		}
	}
	if got := slices.Compact(slices.Sorted(slices.Values(append(slices.Clone(with[Policy]), with[Trust]...)))); !slices.Equal(got, TypesWith(Policy, Trust)) {
		t.Errorf("types of two columns: %v", TypesWith(Policy, Trust))
	}
}

func TestWhatAPropertyHolds(t *testing.T) {
	for _, tc := range []struct {
		typ, path string
		want      Column
	}{
		{"aws:ec2/securityGroup:SecurityGroup", "ingress.cidrBlocks", Network},
		{"aws:sqs/queue:Queue", "policy", Policy},
		{"aws:iam/rolePolicy:RolePolicy", "policy", Identity},
		{"aws:iam/role:Role", "assumeRolePolicy", Trust},
		{"aws:rds/clusterSnapshotCopy:ClusterSnapshotCopy", "sharedAccounts", Principal},
		{"aws:ec2/vpnConnection:VpnConnection", "transitGatewayId", ID},
		{"aws:ecr/repositoryCreationTemplate:RepositoryCreationTemplate", "repositoryPolicy", Policy},
		{"aws:cloudtrail/trail:Trail", "isOrganizationTrail", Organization},
		{"aws:lambda/function:Function", "environment.variables.ANY_NAME", Plain},
		{"aws:autoscaling/group:Group", "maxSize", Number},
		// A statement of a statement is one.
		{"aws:wafv2/webAcl:WebAcl", "rules.statement.notStatement.statements.byteMatchStatement.searchString", Plain},
		{"aws:wafv2/webAcl:WebAcl", "rules.statement.orStatement.statements.notStatement.statements.ipSetReferenceStatement.arn", Reference},
		{"aws:s3/bucketV2:BucketV2", "notThere", ""},
		{"aws:quicksight/analysis:Analysis", "name", ""},
		{"aws:made/up:Up", "name", ""},
	} {
		var got Column
		at, ok := Of(tc.typ).At(tc.path)
		if ok {
			got = at.Column
		}
		if got != tc.want || ok != (tc.want != "") {
			t.Errorf("%s %s: got %q, %t, want %q", tc.typ, tc.path, got, ok, tc.want)
		}
	}
	if d := cmp.Diff([]string{"isOrganizationTrail"}, Of("aws:cloudtrail/trail:Trail").Paths(Organization)); d != "" {
		t.Errorf("paths (-want +got):\n%s", d)
	}
	if at, _ := Of("aws:transfer/server:Server").At("endpointType"); !cmp.Equal(at.Closed, []string{"VPC", "VPC_ENDPOINT"}) {
		t.Errorf("closed: %q", at.Closed)
	}
}

func TestARowThatSaysSomethingElseIsRefused(t *testing.T) {
	for _, text := range []string{"aws:a/b:B maybe\n", "aws:a/b:B forbidden FH1\n", "aws:a/b:B unclassified\n\tplain x\n", "aws:a/b:B\nplain x\n", "aws:a/b:B\n\tplain\n"} {
		if _, err := row(text); err == nil {
			t.Errorf("%q is read", text)
		}
	}
}

func BenchmarkFirstRow(b *testing.B) {
	for b.Loop() {
		if _, err := row(sections()["aws:ec2/launchTemplate:LaunchTemplate"]); err != nil {
			b.Fatal(err)
		}
	}
}
