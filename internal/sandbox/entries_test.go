package sandbox

import (
	"encoding/json"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/internal/awstype"
	"freehold.dev/freehold/internal/cloud"
	"freehold.dev/freehold/internal/sandbox/awsprovider"
	"freehold.dev/freehold/internal/sandbox/controlplane"
	"freehold.dev/freehold/internal/sandbox/store"
)

func TestAnAccessEntryLetsInTheRoleThatItWasMadeForAndNoLaterOne(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := open(t, Options{Executable: self})
	a := vend(t, c, "acme")
	ref := cluster(t, c, a)
	at, err := clusterOf(ref.ARN)
	if err != nil {
		t.Fatal(err)
	}
	row := func(typ, id string) store.Row {
		t.Helper()
		rows, err := c.backend.Rows(t.Context(), store.Filter{Account: a.ID, Type: typ, ID: id})
		if err != nil || len(rows) != 1 {
			t.Fatalf("%s %s: %d of it, %v", typ, id, len(rows), err)
		}
		return rows[0]
	}
	role, err := c.backend.Make(t.Context(), a.ID, region, awstype.IAMRole, "bootstrap", map[string]any{
		"assumeRolePolicy": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`,
	})
	if err != nil {
		t.Fatal(err)
	}
	entry := map[string]any{"clusterName": ref.Name, "principalArn": role.ARN, "kubernetesGroups": []any{"freehold:administrators"}}
	association := map[string]any{
		"clusterName": ref.Name, "principalArn": role.ARN, "policyArn": "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy",
		"accessScope": map[string]any{"type": "cluster"},
	}
	for typ, in := range map[string]map[string]any{awstype.EKSAccessEntry: entry} {
		if _, err := c.backend.Make(t.Context(), a.ID, region, typ, "", in); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.backend.Make(t.Context(), a.ID, region, awstype.EKSAccessPolicyAssociation, "", association); err != nil {
		t.Fatal(err)
	}
	nobody := "arn:aws:iam::" + a.ID + ":role/nobody"
	state := func(in bool, stale ...cloud.Entry) {
		t.Helper()
		got, err := c.StaleEntries(t.Context(), a, ref.Name, []string{role.ARN, nobody})
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(append(stale, cloud.Entry{Principal: nobody, Missing: true}), got); d != "" {
			t.Errorf("stale (-want +got):\n%s", d)
		}
		if is, err := c.letsIn(t.Context(), at, role.ARN); err != nil || is != in {
			t.Errorf("the role is let in: %t, want %t (%v)", is, in, err)
		}
	}
	state(true)

	if err := c.backend.Erase(t.Context(), row(awstype.IAMRole, "bootstrap"), false); err != nil {
		t.Fatal(err)
	}
	state(false, cloud.Entry{Principal: role.ARN})
	if _, err := c.backend.Make(t.Context(), a.ID, region, awstype.IAMRole, "bootstrap", map[string]any{"assumeRolePolicy": role.Inputs["assumeRolePolicy"]}); err != nil {
		t.Fatal(err)
	}
	state(false, cloud.Entry{Principal: role.ARN})
	if _, err := c.backend.Make(t.Context(), a.ID, region, awstype.EKSAccessEntry, "", entry); awsprovider.Code(err) != "ResourceInUseException" {
		t.Errorf("a second entry for the name: %v", err)
	}

	for range 2 { // it is safe to repeat
		if err := c.RenewEntry(t.Context(), a, ref.Name, role.ARN, false); err != nil {
			t.Fatal(err)
		}
		state(true)
		now := row(awstype.EKSAccessEntry, ref.Name+":"+role.ARN)
		if d := cmp.Diff([]any{"freehold:administrators"}, now.Outputs["kubernetesGroups"]); d != "" {
			t.Errorf("groups (-want +got):\n%s", d)
		}
		policies, err := c.associations(t.Context(), a.ID, region, ref.Name, role.ARN)
		if err != nil || len(policies) != 1 || policies[0].Outputs["policyArn"] != association["policyArn"] {
			t.Errorf("policies: %+v, %v", policies, err)
		}
	}

	// Whoever comes by a dead entry has a credential that no API server knows.
	if err := c.backend.Erase(t.Context(), row(awstype.IAMRole, "bootstrap"), true); err != nil {
		t.Fatal(err)
	}
	config, err := c.Kubeconfig(t.Context(), ref, role.ARN)
	if err != nil {
		t.Fatal(err)
	}
	_, as, err := identityIn(string(config))
	if err != nil || as != role.ARN {
		t.Errorf("the kubeconfig is of %s (%v)", as, err)
	}
	if err := c.RenewEntry(t.Context(), a, ref.Name, role.ARN, true); err == nil {
		t.Error("an entry was made for a role that is not there")
	}
	var credential struct{ Status map[string]string }
	if err := json.Unmarshal(controlplane.Stranger(), &credential); err != nil || len(credential.Status) != 1 || slices.Contains([]string{""}, credential.Status["token"]) {
		t.Errorf("the credential of a stranger: %v, %v", credential, err)
	}
}
