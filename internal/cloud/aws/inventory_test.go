package aws

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/internal/awstype"
	"freehold.dev/freehold/internal/cloud"
	"freehold.dev/freehold/internal/conformance/lab"
)

func TestInventory(t *testing.T) {
	l := lab.Start(t)
	l.Setenv()
	const account, externalID = "210987654321", "freehold-0123456789"
	a := cloud.Account{ID: account, Region: lab.Region, RoleARN: l.Adopt(account, "customer-gave-this", externalID), ExternalID: externalID}
	c, err := Open(t.Context(), Options{Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}

	c.base.HTTPClient = &http.Client{Transport: &http.Transport{Proxy: towards(l.Front.URL())}}

	t.Run("an account that nobody used has nothing but AWS's own things", func(t *testing.T) {
		if diff := gocmp.Diff([]string(nil), mine(t, c, a)); diff != "" {
			t.Error(diff)
		}
		all, err := c.Inventory(t.Context(), a)
		if err != nil {
			t.Fatal(err)
		}
		if len(all) == 0 {
			t.Error("a default VPC and the role by which we came are not listed either")
		}
	})
	s, err := c.session(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	m := &maker{T: t, session: s}
	m.network()
	m.cluster()
	m.data()
	m.permissions()
	m.defaults()

	t.Run("it lists what was made, by the ids that the provider gives", func(t *testing.T) {
		slices.Sort(m.want)
		got := mine(t, c, a)
		slices.Sort(got)
		if diff := gocmp.Diff(m.want, got); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("each of them is found by its inputs", func(t *testing.T) {
		for _, k := range m.asked {
			got, err := c.Find(t.Context(), a, k.typ, k.inputs)
			if got != k.want {
				t.Errorf("%s: got %q, %v; want %q", k.typ, got, err, k.want)
			}
		}
	})
	t.Run("each of them is in the slot that its inputs name", func(t *testing.T) {
		items, err := c.Inventory(t.Context(), a)
		if err != nil {
			t.Fatal(err)
		}
		tried := 0
		for _, k := range m.asked {
			want, ok := awstype.Slot(k.typ, k.inputs)
			for _, it := range items {
				if ok && it.Type == k.typ && it.ID == k.want {
					tried++
					if it.Slot != want {
						t.Errorf("%s %s: listed in %q, asked for in %q", it.Type, it.ID, it.Slot, want)
					}
				}
			}
		}
		if tried < 5 {
			t.Errorf("of %d things only", tried)
		}
	})
	t.Run("nothing is found by inputs that say nothing", func(t *testing.T) {
		for _, row := range awstype.All() {
			typ := row.Token
			if row.Find == "" || len(row.By) == 0 { // an account has it once
				continue
			}
			for name, in := range map[string]map[string]any{"none": nil, "null": {"name": nil, "tags": nil, "clusterName": nil}} {
				if got, err := c.Find(t.Context(), a, typ, in); !errors.Is(err, cloud.ErrNotFound) && !isCode(err, "AWSOrganizationsNotInUseException", "AccessDeniedException") {
					t.Errorf("%s, %s: got %q, %v", typ, name, got, err)
				}
			}
		}
	})
	t.Run("removed in the order of the list, nothing is left, and removing again is fine", func(t *testing.T) {
		items, err := c.Inventory(t.Context(), a)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			for _, it := range items {
				if it.ByCloud {
					continue
				}
				if err := c.Remove(t.Context(), a, it); err != nil {
					t.Error(err)
				}
			}
		}
		if diff := gocmp.Diff([]string(nil), mine(t, c, a)); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("the role by which we came stays", func(t *testing.T) {
		if err := c.Remove(t.Context(), a, cloud.Item{Type: awstype.IAMRole, ID: "customer-gave-this"}); !errors.Is(err, errOwnRole) {
			t.Errorf("got %v", err)
		}
	})
}

// towards sends S3 Control's calls, whose host names begin with the account's
// number, to the front. The environment says so too, but Go reads a proxy from
// it only once in a process.
func towards(front string) func(*http.Request) (*url.URL, error) {
	return func(r *http.Request) (*url.URL, error) {
		if strings.HasSuffix(r.URL.Hostname(), ".s3-control.localhost") {
			return url.Parse(front)
		}
		return nil, nil
	}
}

// mine lists what AWS did not make.
func mine(t *testing.T, c *Cloud, a cloud.Account) []string {
	t.Helper()
	items, err := c.Inventory(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	seen := map[string]bool{}
	for _, it := range items {
		key := it.Type + " " + it.ID
		if seen[key] {
			t.Errorf("%s is listed twice", key)
		}
		seen[key] = true
		if !it.ByCloud {
			out = append(out, key)
		}
	}
	return out
}
