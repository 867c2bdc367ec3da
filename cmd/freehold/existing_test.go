package main_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/internal/event"
)

const ownID = "444455556666"

// brings writes a document for an org that brings its own account.
func (h home) brings(org, externalID string) string {
	h.t.Helper()
	file := filepath.Join(h.dir, org+"-"+externalID+".yaml")
	doc := fmt.Sprintf(`org: %s
region: eu-west-1
account:
  mode: existing
  roleArn: arn:aws:iam::%s:role/freehold-access
  externalId: %s
%s
`, org, ownID, externalID, twoProjects)
	if err := os.WriteFile(file, []byte(doc), 0o600); err != nil {
		h.t.Fatal(err)
	}
	return file
}

func TestAnOrgBringsItsOwnAccountAndGetsItBackEmpty(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	file := h.brings("acme", "acme-7f3a")

	refused := func(t *testing.T, code int, file string, says ...string) {
		t.Helper()
		r := h.want(code, "onboard", "-f", file)
		for _, s := range append(says, "next: ") {
			if !strings.Contains(r.stderr, s) {
				t.Errorf("it does not say %q:\n%s", s, r.stderr)
			}
		}
		if made := h.madeIn(ownID); len(made) > 0 {
			t.Errorf("made all the same: %v", made)
		}
	}
	refused(t, 1, file, "account "+ownID+" does not let us in")

	r := h.want(0, "sandbox", "account", ownID, "--role", "freehold-access", "--external-id", "acme-7f3a")
	if !strings.Contains(r.stdout, "roleArn: arn:aws:iam::"+ownID+":role/freehold-access") {
		t.Errorf("sandbox account does not print the spec's lines:\n%s", r.stdout)
	}
	h.want(1, "sandbox", "account", ownID, "--role", "freehold-access", "--external-id", "acme-7f3a")

	wrong := h.brings("acme", "guessed")
	refused(t, 1, wrong, "account "+ownID+" does not let us in", "AccessDenied", "correct account.roleArn and account.externalId")

	first := decode[event.Onboarding](t, h.want(0, "onboard", "-f", file, "-o", "json"))
	if first.DataPlane.AccountID != ownID {
		t.Fatalf("onboarded into %q, want %s", first.DataPlane.AccountID, ownID)
	}
	t.Run("the account layer makes nothing", func(t *testing.T) {
		var made int
		if err := h.sandbox().QueryRowContext(t.Context(),
			`select count(*) from journal where urn like 'urn:pulumi:acme.account::%'`).Scan(&made); err != nil {
			t.Fatal(err)
		}
		if made > 0 {
			t.Errorf("the layer changed %d things", made)
		}
	})
	t.Run("again changes nothing, and nothing drifts", func(t *testing.T) {
		if again := decode[event.Onboarding](t, h.want(0, "onboard", "-f", file, "-o", "json")); again.Changed || len(again.Unmanaged) > 0 {
			t.Errorf("again: changed %v, unmanaged %+v", again.Changed, again.Unmanaged)
		}
		h.want(0, "drift", "acme")
	})
	t.Run("a role whose trust was withdrawn is reported before anything is tried", func(t *testing.T) {
		before := h.journal()
		h.want(1, "onboard", "-f", wrong)
		if d := cmp.Diff(before, h.journal()); d != "" {
			t.Errorf("the cloud was changed (-before +after):\n%s", d)
		}
	})
	t.Run("another org cannot bring the same account", func(t *testing.T) {
		r := h.want(4, "onboard", "-f", h.brings("globex", "acme-7f3a"))
		for _, s := range []string{ownID, `belongs to org "acme"`, "next: "} {
			if !strings.Contains(r.stderr, s) {
				t.Errorf("it does not say %q:\n%s", s, r.stderr)
			}
		}
	})
	t.Run("offboard empties the account and never closes it", func(t *testing.T) {
		off := decode[event.Offboarding](t, h.want(0, "offboard", "acme", "--yes", "acme", "--close-account", "-o", "json"))
		if off.AccountClosed || !off.AccountKept || len(off.Left) > 0 {
			t.Errorf("offboarded: %+v", off)
		}
		if left := h.madeIn(ownID); len(left) > 0 {
			t.Errorf("account %s is not empty: %v", ownID, left)
		}
		h.want(0, "sandbox", "show", ownID, "iam/role:Role", "freehold-access")
		var status string
		if err := h.sandbox().QueryRowContext(t.Context(), `select json_extract(outputs, '$.status') from resources
			where type = 'sandbox:index:OutsideAccount' and id = ?`, ownID).Scan(&status); err != nil || status != "ACTIVE" {
			t.Errorf("the account is %q (%v), want ACTIVE", status, err)
		}
	})
}

// madeIn lists what is in a customer's own account beside the account itself.
func (h home) madeIn(account string) []string {
	return slices.DeleteFunc(h.made(account), func(it string) bool { return strings.HasPrefix(it, "sandbox:index:OutsideAccount ") })
}

// journal returns how many calls changed the cloud, or were refused by it.
func (h home) journal() (calls int) {
	h.t.Helper()
	if err := h.sandbox().QueryRowContext(h.t.Context(), `select count(*) from journal`).Scan(&calls); err != nil {
		h.t.Fatal(err)
	}
	return calls
}
