package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.yaml.in/yaml/v3"

	"freehold.dev/freehold/internal/awstype"
	"freehold.dev/freehold/internal/cloud"
	"freehold.dev/freehold/internal/cloud/cloudtest"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/sandbox/awsprovider"
	"freehold.dev/freehold/internal/unknown"
)

const region = "eu-west-1"

func open(t *testing.T, o Options) *Cloud {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	c, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestExerciseTheSandbox(t *testing.T) {
	dir := t.TempDir()
	cloudtest.Exercise(t, func() cloudtest.Cloud { return open(t, Options{Dir: dir}) })
}

// vend makes an account as an operator would, and says how it is reached.
func vend(t *testing.T, c *Cloud, org string) cloud.Account {
	t.Helper()
	it, err := c.Create(t.Context(), awsprovider.ManagementAccount, awstype.OrganizationsAccount, org, map[string]any{
		"email": org + "@customer.example", "tags": map[string]any{orgTag: org},
	})
	if err != nil {
		t.Fatal(err)
	}
	return cloud.Account{ID: it.ID, Region: region, RoleARN: "arn:aws:iam::" + it.ID + ":role/OrganizationAccountAccessRole"}
}

func TestAnAccountIsUsableWhenItsServicesAnswer(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	c := open(t, Options{Latency: "realistic/10000", Clock: func() time.Time { return now }})
	a := vend(t, c, "acme")
	if err := c.Usable(t.Context(), a); !errors.Is(err, cloud.ErrNotUsable) || !strings.Contains(err.Error(), "ec2:DescribeVpcs") {
		t.Errorf("at once: got %v", err)
	}
	now = now.Add(7 * time.Minute)
	if err := c.Usable(t.Context(), a); err != nil {
		t.Errorf("later: got %v", err)
	}
	a.RoleARN += "x"
	if err := c.Usable(t.Context(), a); !errors.Is(err, cloud.ErrNotUsable) || !strings.Contains(err.Error(), "sts:AssumeRole") {
		t.Errorf("with a role that is not there: got %v", err)
	}
}

func TestThreeAccountsAreClosedAtATime(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	c := open(t, Options{Latency: "realistic/10000", Clock: func() time.Time { return now }})
	var ids []string
	for _, org := range []string{"acme", "globex", "initech", "umbrella"} {
		ids = append(ids, vend(t, c, org).ID)
	}
	for _, id := range ids[:3] {
		if err := c.CloseAccount(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	err := c.CloseAccount(t.Context(), ids[3])
	if p, ok := errors.AsType[*cloud.PendingError](err); !ok || p.Reason != event.CloseQueue || !errors.Is(err, cloud.ErrPending) {
		t.Errorf("the fourth: %v", err)
	}
	now = now.Add(time.Minute)
	if err := c.CloseAccount(t.Context(), ids[3]); err != nil {
		t.Errorf("when they are closed: %v", err)
	}
}

func TestAnAccountIsClosedOnceAndThenNobodyGetsIn(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	c := open(t, Options{Latency: "realistic/10000", Clock: func() time.Time { return now }})
	a := vend(t, c, "acme")
	status := func() any {
		t.Helper()
		it, err := c.Show(t.Context(), awsprovider.ManagementAccount, awstype.OrganizationsAccount, a.ID)
		if err != nil {
			t.Fatal(err)
		}
		return it.Properties["status"]
	}
	for _, want := range []string{"PENDING_CLOSURE", "PENDING_CLOSURE", "SUSPENDED"} {
		if err := c.CloseAccount(t.Context(), a.ID); err != nil {
			t.Fatal(err)
		}
		if got := status(); got != want {
			t.Errorf("the account is %v, want %s", got, want)
		}
		now = now.Add(40 * time.Millisecond) // closing takes 60 ms at this latency
	}
	if _, err := c.Inventory(t.Context(), a); err == nil || !strings.Contains(err.Error(), "AccessDenied") {
		t.Errorf("a closed account was entered: %v", err)
	}
	if err := c.Usable(t.Context(), a); !errors.Is(err, cloud.ErrNotUsable) {
		t.Errorf("a closed account is usable: %v", err)
	}
	closes := 0
	entries, err := c.Journal(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Action == "CloseAccount" {
			closes++
		}
	}
	if closes != 1 {
		t.Errorf("closed %d times", closes)
	}
}

const trust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`

func TestAnOperatorListsShowsEditsCreatesAndRemoves(t *testing.T) {
	c := open(t, Options{})
	a := vend(t, c, "acme")
	b := vend(t, c, "globex")
	ctx := t.Context()
	if _, err := c.Create(ctx, "acme", "aws:iam/role:Role", "stray", map[string]any{"assumeRolePolicy": trust, "description": "one"}); err != nil {
		t.Fatal(err)
	}
	list, err := c.List(ctx, "acme", "aws:iam/role:Role")
	if err != nil {
		t.Fatal(err)
	}
	role := func(name string) event.SandboxItem {
		return event.SandboxItem{Org: "acme", Account: a.ID, Type: "aws:iam/role:Role", ID: name, Name: name, ARN: "arn:aws:iam::" + a.ID + ":role/" + name}
	}
	if diff := cmp.Diff([]event.SandboxItem{role("OrganizationAccountAccessRole"), role("stray")}, list); diff != "" {
		t.Error(diff)
	}
	edited, err := c.Edit(ctx, "acme", "aws:iam/role:Role", "stray", func(p map[string]any) error { p["description"] = "two"; return nil })
	if err != nil || edited.Properties["description"] != "two" {
		t.Errorf("edit: %v, %v", edited.Properties["description"], err)
	}
	shown, err := c.Show(ctx, a.ID, "aws:iam/role:Role", "arn:aws:iam::"+a.ID+":role/stray")
	if diff := cmp.Diff(edited, shown); diff != "" || err != nil {
		t.Error(diff, err)
	}
	if _, err := c.Show(ctx, "globex", "aws:iam/role:Role", "stray"); !errors.Is(err, cloud.ErrNotFound) {
		t.Errorf("another org's role: %v", err)
	}
	if _, err := c.Show(ctx, "initech", "aws:iam/role:Role", "stray"); !errors.Is(err, cloud.ErrNotFound) {
		t.Errorf("an org that is not there: %v", err)
	}
	if err := c.Erase(ctx, "acme", "aws:iam/role:Role", "stray", false); err != nil {
		t.Error(err)
	}
	// What the management account holds for an org is the org's too.
	own, err := c.List(ctx, "globex", awstype.OrganizationsAccount)
	if err != nil || len(own) != 1 || own[0].ID != b.ID || own[0].Org != "globex" {
		t.Errorf("globex' account: %v, %v", own, err)
	}
	if _, err := c.Edit(ctx, "acme", "aws:iam/role:Role", "OrganizationAccountAccessRole", func(map[string]any) error { return context.Canceled }); !errors.Is(err, context.Canceled) {
		t.Errorf("a change that gives up: %v", err)
	}
}

func TestAnInventoryHasEverythingAndSaysWhatAWSMade(t *testing.T) {
	c := open(t, Options{})
	a := vend(t, c, "acme")
	if _, err := c.Create(t.Context(), a.ID, "aws:iam/role:Role", "mine", map[string]any{"assumeRolePolicy": trust, "tags": map[string]any{"a": "b"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.backend.Make(t.Context(), a.ID, "us-east-1", "aws:kms/key:Key", "elsewhere", map[string]any{}); err != nil {
		t.Fatal(err)
	}
	got, err := c.Inventory(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	access, arn := "OrganizationAccountAccessRole", "arn:aws:iam::"+a.ID+":role/"
	want := []cloud.Item{
		{Type: "aws:iam/role:Role", ID: access, Name: access, ARN: arn + access, ByCloud: true},
		{Type: "aws:iam/role:Role", ID: "mine", Name: "mine", ARN: arn + "mine", Tags: map[string]string{"a": "b"}},
		{Type: awstype.IAMRoleAttachment, ID: access + "/AdministratorAccess", ByCloud: true},
	}
	sorted := cmpopts.SortSlices(func(x, y cloud.Item) bool { return x.Type+x.ID < y.Type+y.ID })
	if diff := cmp.Diff(want, got, sorted, cmpopts.EquateEmpty(), cmpopts.IgnoreFields(cloud.Item{}, "Properties")); diff != "" {
		t.Error(diff)
	}
	if !slices.ContainsFunc(got, func(it cloud.Item) bool { return it.ID == "mine" && it.Properties["assumeRolePolicy"] == trust }) {
		t.Error("whom the role trusts is not shown")
	}
	for _, it := range want[1:2] {
		if err := c.Remove(t.Context(), a, it); err != nil {
			t.Error(err)
		}
	}
	got, err = c.Inventory(t.Context(), a)
	if err != nil || slices.ContainsFunc(got, func(it cloud.Item) bool { return !it.ByCloud }) {
		t.Errorf("left after removing: %v, %v", got, err)
	}
}

func TestACustomersOwnAccountIsReachedWithItsExternalID(t *testing.T) {
	c := open(t, Options{})
	if err := c.AdoptAccount(t.Context(), "222222222222", "freehold", "sesame"); err != nil {
		t.Fatal(err)
	}
	a := cloud.Account{ID: "222222222222", Region: region, RoleARN: "arn:aws:iam::222222222222:role/freehold", ExternalID: "sesame"}
	if err := c.Usable(t.Context(), a); err != nil {
		t.Error(err)
	}
	a.ExternalID = "guess"
	if err := c.Usable(t.Context(), a); !errors.Is(err, cloud.ErrNotUsable) {
		t.Errorf("with a guess: %v", err)
	}
}

func TestFindRefusesWhenMoreThanOneFits(t *testing.T) {
	c := open(t, Options{})
	a := vend(t, c, "acme")
	tags := map[string]any{"Name": "net", orgTag: "acme", "freehold.dev/layer": "cluster"}
	find := func() (string, error) {
		return c.Find(t.Context(), a, "aws:ec2/vpc:Vpc", map[string]any{"cidrBlock": "10.0.0.0/16", "tags": tags})
	}
	for n, want := range []string{"not found", "", "more than one fits"} {
		if n > 0 {
			if _, err := c.backend.Make(t.Context(), a.ID, region, "aws:ec2/vpc:Vpc", "net", map[string]any{"cidrBlock": "10.0.0.0/16", "tags": tags}); err != nil {
				t.Fatal(err)
			}
		}
		id, err := find()
		if want == "" && (err != nil || !strings.HasPrefix(id, "vpc-")) || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("with %d: got %q, %v; want %q", n, id, err, want)
		}
	}
}

func TestWhatASandboxIsOpenedWithIsCheckedFirst(t *testing.T) {
	cases := map[string]struct {
		o    Options
		want string
	}{
		"latency": {Options{Latency: "slow"}, "want none, realistic or realistic/60"},
		"fault":   {Options{Faults: []string{"iam:CreateRoll=error"}}, `did you mean "CreateRole"?`},
		"quota":   {Options{Quotas: map[string]int{"ec2:vpc": 1}}, `did you mean "ec2:vpcs"?`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			tc.o.Dir, tc.o.Clock = t.TempDir(), time.Now
			if c, err := Open(t.Context(), tc.o); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, %v; want %q", c, err, tc.want)
			}
		})
	}
}

// TestAKubeconfigCanBeKept needs no control plane: making one starts nothing.
func TestAKubeconfigCanBeKept(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := open(t, Options{Executable: self, Args: []string{"--home", "h"}})
	a := vend(t, c, "acme")
	ref := cluster(t, c, a)
	config, err := c.Kubeconfig(t.Context(), ref, a.RoleARN)
	if err != nil {
		t.Fatal(err)
	}
	cloudtest.Kubeconfig(t, config, func(b []byte) ([]map[string]any, error) {
		var doc struct {
			Users []struct {
				User map[string]any `yaml:"user"`
			} `yaml:"users"`
		}
		err := yaml.Unmarshal(b, &doc)
		var out []map[string]any
		for _, u := range doc.Users {
			out = append(out, u.User)
		}
		return out, err
	})
	if who, role, err := identityIn(string(config)); err != nil || who.User != "freehold:bootstrap" || role != a.RoleARN {
		t.Errorf("the kubeconfig is %v's, as %s (%v)", who, role, err)
	}
	if _, err := c.Kubeconfig(t.Context(), ref, "arn:aws:iam::"+a.ID+":role/nobody"); err == nil || !strings.Contains(err.Error(), "no access entry") {
		t.Errorf("a role without an access entry: %v", err)
	}

	if err := c.ProtectCluster(t.Context(), ref, true); err != nil {
		t.Fatal(err)
	}
	gone := cloud.Item{Type: awstype.EKSCluster, ID: ref.Name}
	if err := c.Remove(t.Context(), a, gone); err == nil || !strings.Contains(err.Error(), "deletion protection") {
		t.Errorf("a protected cluster was removed: %v", err)
	}
	if err := errors.Join(c.ProtectCluster(t.Context(), ref, false), c.Remove(t.Context(), a, gone)); err != nil {
		t.Errorf("a cluster that is not protected was not removed: %v", err)
	}
	if _, err := c.Kubeconfig(t.Context(), ref, a.RoleARN); !errors.Is(err, cloud.ErrNotFound) {
		t.Errorf("the kubeconfig of a removed cluster: %v", err)
	}
}

// cluster makes the smallest cluster that EKS accepts.
func cluster(t *testing.T, c *Cloud, a cloud.Account) cloud.Cluster {
	t.Helper()
	create := func(typ, name string, in map[string]any) event.SandboxItem {
		t.Helper()
		row, err := c.backend.Make(t.Context(), a.ID, region, typ, name, in)
		if err != nil {
			t.Fatal(err)
		}
		return shownIn(nil, *row, true)
	}
	vpc := create("aws:ec2/vpc:Vpc", "net", map[string]any{"cidrBlock": "10.0.0.0/16"})
	var subnets []any
	for i, zone := range []string{"a", "b"} {
		subnets = append(subnets, create("aws:ec2/subnet:Subnet", zone, map[string]any{
			"vpcId": vpc.ID, "cidrBlock": fmt.Sprintf("10.0.%d.0/24", i), "availabilityZone": region + zone,
		}).ID)
	}
	role := create("aws:iam/role:Role", "eks", map[string]any{"assumeRolePolicy": strings.Replace(trust, "ec2.", "eks.", 1)})
	create("aws:iam/rolePolicyAttachment:RolePolicyAttachment", "", map[string]any{"role": "eks", "policyArn": "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy"})
	it := create(awstype.EKSCluster, "acme", map[string]any{"roleArn": role.ARN, "version": "1.35",
		"vpcConfig":    map[string]any{"subnetIds": subnets},
		"accessConfig": map[string]any{"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": false}})
	create("aws:eks/accessEntry:AccessEntry", "", map[string]any{"clusterName": "acme", "principalArn": a.RoleARN})
	create(awstype.EKSAccessPolicyAssociation, "", map[string]any{"clusterName": "acme", "principalArn": a.RoleARN, "policyArn": adminPolicy, "accessScope": map[string]any{"type": "cluster"}})
	return cloud.Cluster{Account: a, Name: "acme", ARN: it.ARN}
}

// As AWS does: whoever asks with what is no id hears so, and not "there is none".
func TestFindRefusesWhatIsNotKnown(t *testing.T) {
	c := open(t, Options{})
	for _, id := range []any{unknown.Value{}, "04da6b54-80e4-46f7-96ec-b56ff0331ba9", unknown.Sealed} {
		_, err := c.Find(t.Context(), cloud.Account{Region: "eu-west-1"}, "aws:organizations/policyAttachment:PolicyAttachment",
			map[string]any{"policyId": id, "targetId": "111122223333"})
		if err == nil || errors.Is(err, cloud.ErrNotFound) || !strings.Contains(err.Error(), "InvalidInputException") {
			t.Errorf("policy %v: %v", id, err)
		}
	}
}

func TestTheWayInIsTheAccessRoleAndWhatOnlyItHas(t *testing.T) {
	const id = "444455556666"
	role, arn := "arn:aws:iam::"+id+":role/freehold-access", "arn:aws:iam::"+id+":policy/"
	attached := func(to, policy string) cloud.Item {
		return cloud.Item{Type: awstype.IAMRoleAttachment, ID: to + "/" + policy, Properties: map[string]any{"role": to, "policyArn": arn + policy}}
	}
	items := []cloud.Item{
		{Type: awstype.IAMRole, ID: "freehold-access", Name: "freehold-access", ARN: role, ByCloud: true, Properties: map[string]any{"permissionsBoundary": arn + "limits"}},
		{Type: awstype.IAMRole, ID: "other", Name: "other", ARN: "arn:aws:iam::" + id + ":role/other"},
		{Type: awstype.IAMPolicy, ID: "documented", ARN: arn + "documented"},
		{Type: awstype.IAMPolicy, ID: "limits", ARN: arn + "limits"},
		{Type: awstype.IAMPolicy, ID: "shared", ARN: arn + "shared"},
		{Type: awstype.IAMPolicy, ID: "others", ARN: arn + "others"},
		{Type: awstype.IAMRolePolicy, ID: "freehold-access:more", Properties: map[string]any{"role": "freehold-access"}},
		{Type: awstype.IAMRolePolicy, ID: "other:more", Properties: map[string]any{"role": "other"}},
		attached("freehold-access", "documented"), attached("freehold-access", "shared"), attached("other", "shared"), attached("other", "others"),
	}
	markWayIn(items, role)
	var known, partly []string
	for _, it := range items {
		switch {
		case it.WayIn && it.ByCloud:
			known = append(known, it.ID)
		case it.WayIn:
			partly = append(partly, it.ID)
		}
	}
	want := []string{"freehold-access", "documented", "limits", "freehold-access:more", "freehold-access/documented", "freehold-access/shared"}
	if diff := cmp.Diff(want, known); diff != "" {
		t.Errorf("known (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"shared"}, partly); diff != "" {
		t.Errorf("somebody else's as well (-want +got):\n%s", diff)
	}
}
