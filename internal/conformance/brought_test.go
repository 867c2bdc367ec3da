package conformance_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/internal/conformance/lab"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/finding"
)

// broughtWayIn is what the script of docs/aws.md leaves in a customer's account.
func broughtWayIn() *finding.WayIn {
	policy := "arn:aws:iam::" + ownAccount + ":policy/onboarding-access-role"
	return &finding.WayIn{
		Role: "arn:aws:iam::" + ownAccount + ":role/freehold-access", Policies: []string{policy, policy + "-audit", policy + "-audit-more", policy + "-reads"},
	}
}

// bring prepares a customer's own account by the very script that docs/aws.md
// gives to customers, and returns the
// way in that it leaves.
func bring(t *testing.T, l *lab.Lab) *finding.WayIn {
	t.Helper()
	docs, err := os.ReadFile(filepath.Join("..", "..", "docs", "aws.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, script, _ := strings.Cut(string(docs), "```sh\n# in the customer's account, "+ownAccount)
	_, script, _ = strings.Cut(script, "\n")
	script, _, found := strings.Cut(script, "```")
	if !found {
		t.Fatal("docs/aws.md has no script for the customer's account")
	}
	at := l.Dir("customer")
	if err := os.CopyFS(filepath.Join(at, "docs", "iam"), os.DirFS(folder)); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Shell(ownAccount, "cd "+at+"\n"+strings.ReplaceAll(script, "111122223333", lab.ManagementAccount)); err != nil {
		t.Fatalf("do as docs/aws.md says: %v", err)
	}
	return broughtWayIn()
}

// stays fails unless the way in is still there, and as the customer made it.
func stays(t *testing.T, l *lab.Lab, account string, in finding.WayIn) {
	t.Helper()
	_, role, _ := strings.Cut(in.Role, "/")
	out, err := l.Shell(account, `aws iam list-attached-role-policies --role-name "$ROLE" --query 'AttachedPolicies[].PolicyArn' --output text | tr '\t' '\n'`, "ROLE="+role)
	if err != nil {
		t.Errorf("the way into account %s: %v", account, err)
	}
	got := strings.Fields(out)
	slices.Sort(got)
	if diff := cmp.Diff(in.Policies, got); diff != "" {
		t.Errorf("policies of %s in the end (-want +got):\n%s", in.Role, diff)
	}
}

// occupied offboards a customer whose own account somebody else has made things
// in. The way in must be able to look at each, whatever it is called: what is
// left is named, and not "could not read". It ends with the account as it was.
func (c *customer) occupied(l *lab.Lab) {
	t := c.t
	t.Helper()
	trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
	reads := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}`
	env := []string{"ACCOUNT=" + ownAccount, "TRUST=" + trust, "READS=" + reads}
	if _, err := l.Shell(ownAccount, `
		aws iam create-role --role-name legacy --assume-role-policy-document "$TRUST"
		aws iam put-role-policy --role-name legacy --policy-name inline --policy-document "$READS"
		aws iam create-policy --policy-name legacy --policy-document "$READS"
		aws iam attach-role-policy --role-name legacy --policy-arn "arn:aws:iam::$ACCOUNT:policy/legacy"
		aws s3api create-bucket --bucket "legacy-$ACCOUNT" --create-bucket-configuration LocationConstraint="$AWS_REGION"
		aws ecr create-repository --repository-name legacy`, env...); err != nil {
		t.Fatalf("use the account: %v", err)
	}
	r := c.run("offboard", c.org, "--yes", c.org, "-o", "json")
	if r.code != 1 {
		t.Errorf("offboard %s while its account is in use: exit %d, want 1\n%s", c.org, r.code, r.stderr)
	}
	var got []string
	for _, f := range decode[event.Offboarding](t, r).Left {
		got = append(got, f.Type+" "+f.Name)
	}
	slices.Sort(got)
	if diff := cmp.Diff([]string{
		"aws:ecr/repository:Repository legacy",
		"aws:iam/policy:Policy legacy",
		"aws:iam/role:Role legacy",
		"aws:iam/rolePolicy:RolePolicy inline",
		"aws:iam/rolePolicyAttachment:RolePolicyAttachment legacy",
		"aws:s3/bucketV2:BucketV2 legacy-" + ownAccount,
	}, got); diff != "" {
		t.Errorf("what is left of %s (-want +got):\n%s\n%s", c.org, diff, r.stderr)
	}
	if _, err := l.Shell(ownAccount, `
		aws ecr delete-repository --repository-name legacy
		aws s3api delete-bucket --bucket "legacy-$ACCOUNT"
		aws iam detach-role-policy --role-name legacy --policy-arn "arn:aws:iam::$ACCOUNT:policy/legacy"
		aws iam delete-policy --policy-arn "arn:aws:iam::$ACCOUNT:policy/legacy"
		aws iam delete-role-policy --role-name legacy --policy-name inline
		aws iam delete-role --role-name legacy`, env...); err != nil {
		t.Fatalf("leave the account: %v", err)
	}
}
