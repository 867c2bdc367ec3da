package awsprovider

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"freehold.dev/freehold/internal/sandbox/store"
)

// TestNothingDanglesAndNothingIsTwice runs random creations, updates, deletions
// and changes by hand in two accounts: whatever was refused, what is there is
// consistent after each of them.
func TestNothingDanglesAndNothingIsTwice(t *testing.T) {
	w := newWorld(t, "none")
	a, _ := w.vended("one")
	b, _ := w.vended("two")
	rapid.Check(t, func(rt *rapid.T) {
		for range rapid.IntRange(5, 40).Draw(rt, "steps") {
			act(rt, w, rapid.SampledFrom([]string{a, b}).Draw(rt, "account"))
			if err := consistent(w); err != nil {
				rt.Fatal(err)
			}
		}
	})
}

// act does one random thing, as AWS allows it or not.
func act(t *rapid.T, w *world, account string) {
	who := root(account, "eu-west-1")
	name := rapid.SampledFrom([]string{"alpha", "Alpha", "beta"}).Draw(t, "name")
	bucket := rapid.SampledFrom([]string{"logs", "data"}).Draw(t, "bucket")
	arn := "arn:aws:iam::" + account + ":policy/" + name
	pick := func(token string) *store.Row {
		rows := w.rows(store.Filter{Account: account, Type: token})
		rows = slices.DeleteFunc(rows, func(r store.Row) bool { return r.ByCloud })
		if len(rows) == 0 {
			return nil
		}
		return &rows[rapid.IntRange(0, len(rows)-1).Draw(t, "which")]
	}
	makes := map[string]props{
		roleToken:         {"name": name, "assumeRolePolicy": ec2Trust, "permissionsBoundary": arn, "forceDetachPolicies": rapid.Bool().Draw(t, "force")},
		policyToken:       {"name": name, "policy": allow},
		attachmentToken:   {"role": name, "policyArn": arn},
		rolePolicyToken:   {"name": "p", "role": name, "policy": allow},
		keyToken:          {"description": name},
		aliasToken:        {"name": "alias/" + name, "targetKeyId": "none"},
		bucketToken:       {"bucket": bucket, "forceDestroy": rapid.Bool().Draw(t, "force")},
		versioningToken:   {"bucket": bucket, "versioningConfiguration": props{"status": "Enabled"}},
		bucketPolicyToken: {"bucket": bucket, "policy": trailPolicyFor(bucket)},
		objectToken:       {"bucket": bucket, "key": name},
	}
	token := rapid.SampledFrom([]string{roleToken, policyToken, attachmentToken, rolePolicyToken, keyToken, aliasToken, bucketToken, versioningToken, bucketPolicyToken, objectToken}).Draw(t, "type")
	if rapid.Bool().Draw(t, "unbounded") {
		delete(makes[roleToken], "permissionsBoundary")
	}
	if key := pick(keyToken); key != nil {
		makes[aliasToken]["targetKeyId"] = key.ID
	}
	ty := byToken[token]
	var err error
	switch verb := rapid.SampledFrom([]string{"create", "create", "update", "delete", "erase"}).Draw(t, "verb"); verb {
	case "create":
		in, fails := check(ty, urnOf(token, name), nil, nil, makes[token])
		if len(fails) > 0 {
			t.Fatalf("check: %v", fails)
		}
		_, err = w.backend.Create(w.t.Context(), who, ty, urnOf(token, name), in, nil)
	default:
		r := pick(token)
		if r == nil {
			return
		}
		switch verb {
		case "update":
			in := cloneMap(r.Inputs)
			if ty.Tags {
				in["tags"] = props{"n": name}
			}
			_, err = w.backend.Update(w.t.Context(), who, ty, r.URN, r.ID, in, nil)
		case "delete":
			err = w.backend.Delete(w.t.Context(), who, ty, r.URN, r.ID, nil)
		default:
			err = w.backend.Erase(w.t.Context(), *r, false)
		}
	}
	var refused *apiError
	if err != nil && !errors.As(err, &refused) {
		t.Fatalf("not AWS's refusal: %v", err)
	}
}

// consistent holds what must be true of a cloud at any time.
func consistent(w *world) error {
	rows := w.rows(store.Filter{})
	exists := func(account, token, by, value string) bool {
		return slices.ContainsFunc(rows, func(r store.Row) bool { return r.Account == account && r.Type == token && has(r, by, value) })
	}
	claimed := map[string]string{}
	for _, r := range rows {
		ty := byToken[r.Type]
		if ty == nil {
			continue
		}
		c := &Call{Type: ty, Account: r.Account, Region: r.Region, ID: r.ID, ARN: r.ARN, In: r.Inputs, Out: r.Outputs, Env: &Env{Now: time.Now}}
		for _, k := range c.keys() {
			if other, twice := claimed[k]; twice {
				return fmt.Errorf("%s and %s both are %s", other, r.ID, k)
			}
			claimed[k] = r.ID
		}
		for _, ref := range ty.Refs {
			for _, found := range walk(r.Inputs, ref.Path) {
				value := text(found.value)
				if ref.Known != nil && ref.Known(value) || ref.Path == "targetKeyId" {
					continue // an alias may outlive its key, which waits for its end
				}
				by := ref.By
				if by == nil {
					by = []string{"id", "arn"}
				}
				if !slices.ContainsFunc(ref.To, func(to string) bool {
					return slices.ContainsFunc(by, func(b string) bool { return exists(r.Account, to, b, value) })
				}) {
					return fmt.Errorf("%s %s refers by %s to %s, which there is not", r.Type, r.ID, ref.Path, value)
				}
			}
		}
	}
	return nil
}
