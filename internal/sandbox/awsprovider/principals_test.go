package awsprovider

import (
	"strings"
	"testing"

	"freehold.dev/freehold/internal/sandbox/store"
)

// hand is somebody who changes an account by hand.
type hand struct {
	*world
	account string
}

func (h hand) make(token, name string, in props) store.Row {
	h.t.Helper()
	row, err := h.backend.Make(h.t.Context(), h.account, "eu-west-1", token, name, in)
	if err != nil {
		h.t.Fatal(err)
	}
	return *row
}

func (h hand) now(r store.Row) store.Row {
	h.t.Helper()
	rows, err := h.backend.Rows(h.t.Context(), store.Filter{Account: r.Account, Type: r.Type, ID: r.ID})
	if err != nil || len(rows) != 1 {
		h.t.Fatalf("%s %s: %d of it, %v", r.Type, r.ID, len(rows), err)
	}
	return rows[0]
}

func trusts(arn string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":["` + arn + `","arn:aws:iam::100000000001:root"]},"Action":"sts:AssumeRole"}]}`
}

// A role that is made anew under its name is another principal.
func TestPoliciesShowTheUniqueIDOfARoleThatIsGone(t *testing.T) {
	for reason, force := range map[string]bool{"deleted": false, "removed by force": true} {
		t.Run(reason, func(t *testing.T) {
			w := newWorld(t, "")
			account, _ := w.vended("acme")
			h := hand{w, account}
			role := h.make(roleToken, "app", props{"assumeRolePolicy": ec2Trust})
			id := text(role.Outputs["uniqueId"])
			if !strings.HasPrefix(id, "AROA") {
				t.Fatalf("unique id %q", id)
			}
			key := h.make(keyToken, "k", props{"policy": strings.Replace(keyPolicyFor(account), `:root"},"Action":"kms:*","Resource":"*"},`,
				`:root"},"Action":"kms:*","Resource":"*"},{"Effect":"Allow","Principal":{"AWS":"`+role.ARN+`"},"Action":"kms:Decrypt","Resource":"*"},`, 1)})
			other := h.make(roleToken, "other", props{"assumeRolePolicy": trusts(role.ARN)})
			bucket := h.make(bucketToken, "acme-data", props{"bucket": "acme-data"})
			policy := h.make("aws:s3/bucketPolicy:BucketPolicy", "p", props{"bucket": bucket.ID,
				"policy": `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","NotPrincipal":{"AWS":"` + role.ARN + `"},"Action":"s3:*","Resource":"arn:aws:s3:::acme-data/*"}]}`})
			bystander := h.make(roleToken, "bystander", props{"assumeRolePolicy": trusts(other.ARN)})
			assume := func() error {
				_, err := w.backend.assume(t.Context(), caller{account: account, arn: "arn:aws:sts::" + account + ":assumed-role/app/s", role: role.ARN},
					assumption{roleARN: other.ARN}, nil)
				return err
			}
			if err := assume(); err != nil {
				t.Fatalf("before: %v", err)
			}

			if err := w.backend.Erase(t.Context(), role, force); err != nil {
				t.Fatal(err)
			}
			again := h.make(roleToken, "app", props{"assumeRolePolicy": ec2Trust})
			if again.ARN != role.ARN || again.Outputs["uniqueId"] == id {
				t.Errorf("made anew: %s, %v", again.ARN, again.Outputs["uniqueId"])
			}
			for name, doc := range map[string]any{
				"key policy": h.now(key).Inputs["policy"], "trust": h.now(other).Inputs["assumeRolePolicy"], "bucket policy": h.now(policy).Inputs["policy"],
				"key policy as read": h.now(key).Outputs["policy"], "trust as read": h.now(other).Outputs["assumeRolePolicy"],
			} {
				if s := text(doc); !strings.Contains(s, `"`+id+`"`) || strings.Contains(s, role.ARN) {
					t.Errorf("%s: %s", name, s)
				}
			}
			if s := text(h.now(bystander).Inputs["assumeRolePolicy"]); !strings.Contains(s, other.ARN) {
				t.Errorf("a policy of another role became %s", s)
			}
			if err := assume(); Code(err) != "AccessDenied" {
				t.Errorf("the new role is let in: %v", err)
			}
			// The id of nobody cannot be written.
			put := h.now(other)
			in := cloneMap(put.Inputs)
			in["description"], in["assumeRolePolicy"] = "x", trusts(id)+" "
			if _, err := w.backend.Update(t.Context(), root(account, "eu-west-1"), byToken[roleToken], "", put.ID, in, nil); Code(err) != "MalformedPolicyDocument" {
				t.Errorf("a trust in nobody: %v", err)
			}
			in["assumeRolePolicy"] = trusts(role.ARN)
			if _, err := w.backend.Update(t.Context(), root(account, "eu-west-1"), byToken[roleToken], "", put.ID, in, nil); err != nil {
				t.Fatal(err)
			}
			if err := assume(); err != nil {
				t.Errorf("after the trust was written again: %v", err)
			}
		})
	}
}
