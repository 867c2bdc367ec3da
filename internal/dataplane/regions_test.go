package dataplane_test

import (
	"strings"
	"testing"

	"freehold.dev/freehold/internal/cloud"
	"freehold.dev/freehold/internal/dataplane"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/registry"
)

const optIn = "region: eu-south-1"

func TestARegionThatIsOffIsRefusedBeforeAnAccountIsMade(t *testing.T) {
	off := func(id string) *cloud.Account { return &cloud.Account{ID: id} }
	for reason, tc := range map[string]struct {
		d    dataplane.DataPlane
		off  *cloud.Account
		want string // empty: it is admitted
	}{
		"a region that every account has":                 {of(planOf(t, "acme", region, vended)), nil, ""},
		"an account that is to be made":                   {of(planOf(t, "acme", optIn, vended)), nil, `region "eu-south-1" is off in every new account`},
		"an account that the org brings":                  {of(planOf(t, "acme", optIn, brought)), nil, ""},
		"an account that the org brings, where it is off": {of(planOf(t, "acme", optIn, brought)), off(account), `region "eu-south-1" is off in account ` + account},
		"a management account where it is off":            {of(planOf(t, "acme", optIn, brought)), off(""), `region "eu-south-1" is off in the management account`},
		"an account that was made, and enabled":           {of(planOf(t, "acme", optIn, vended), made(plan.LayerAccount)), nil, ""},
		"an account that was made, and not enabled":       {of(planOf(t, "acme", optIn, vended), made(plan.LayerAccount)), off(account), "is off in account " + account},
		"an account that may have been made":              {of(planOf(t, "acme", optIn, vended), registry.Layer{Layer: "account", State: dataplane.Making}).WithBegun(plan.LayerAccount, []string{"aws:organizations/account:Account"}), nil, ""},
	} {
		f := facts(tc.d, nil)
		f.RegionOff = tc.off
		got := dataplane.Admit(f)
		if tc.want == "" && len(got) > 0 || tc.want != "" && (len(got) != 1 || got[0].Field != "region" || !strings.Contains(got[0].Message, tc.want) || !strings.Contains(got[0].Next, "aws account enable-region --region-name eu-south-1")) {
			t.Errorf("%s: got %+v, want %q", reason, got, tc.want)
		}
	}
}

func TestWhoeverWorksInAnOptInRegionIsAskedWhetherItIsOn(t *testing.T) {
	for reason, tc := range map[string]struct {
		d    dataplane.DataPlane
		want string // the accounts' ids
	}{
		"a region that every account has":        {of(planOf(t, "acme", region, brought)), ""},
		"an account that is to be made":          {of(planOf(t, "acme", optIn, vended)), ""},
		"an account that the org brings":         {of(planOf(t, "acme", optIn, brought)), "management " + account},
		"an account that was made":               {of(planOf(t, "acme", optIn, vended), made(plan.LayerAccount)), "management " + account},
		"an account in which something was made": {of(planOf(t, "acme", optIn, vended), made(plan.LayerAccount), made(plan.LayerBoundary)), ""},
	} {
		ask, err := tc.d.AsksForRegion()
		var ids []string
		for _, a := range ask {
			if a.ID == "" {
				a.ID = "management"
			}
			ids = append(ids, a.ID)
		}
		if got := strings.Join(ids, " "); err != nil || got != tc.want {
			t.Errorf("%s: asked %q, %v; want %q", reason, got, err, tc.want)
		}
	}
}
