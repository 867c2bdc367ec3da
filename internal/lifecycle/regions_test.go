package lifecycle

import (
	"errors"
	"strings"
	"testing"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/lifecycle/lifecycletest"
)

func TestAnOptInRegionIsRefusedBeforeAnAccountIsMade(t *testing.T) {
	p := newPlace(t)
	doc := document(t, "region: eu-south-1")
	for what, err := range map[string]error{
		"plan":    second(p.here().Plan(t.Context(), doc, PlanOptions{}, nil)),
		"onboard": second(p.here().onboard(doc)),
	} {
		e := refused(t, err, ErrInvalid, `region "eu-south-1" is off in every new account`)
		if e.Refusals[0].Field != "region" {
			t.Errorf("%s: field %q", what, e.Refusals[0].Field)
		}
	}
	if got := p.world.Things(""); len(got) > 0 || p.world.AccountOf("aws+acme@example.com") != "" {
		t.Errorf("made: %+v", got)
	}
}

func TestAnAccountIsBroughtToARegionThatIsOnInIt(t *testing.T) {
	const id, role = "222222222222", "arn:aws:iam::222222222222:role/freehold-access"
	doc := document(t, "region: eu-south-1", "account: {mode: existing, roleArn: '"+role+"', externalId: secret-of-acme}")
	brings := func() *place {
		p := newPlace(t)
		p.world.BringAccount(id, role, "secret-of-acme")
		return p
	}
	for reason, tc := range map[string]struct {
		change func(*lifecycletest.World)
		want   string // empty: it is onboarded
		kind   error
	}{
		"it is on in both": {func(w *lifecycletest.World) {
			w.OptIn(lifecycletest.ManagementAccount, "eu-south-1")
			w.OptIn(id, "eu-south-1")
		}, "", nil},
		"it is off in it":                     {func(w *lifecycletest.World) { w.OptIn(lifecycletest.ManagementAccount, "eu-south-1") }, "is off in account " + id, ErrInvalid},
		"it is off in the management account": {func(w *lifecycletest.World) { w.OptIn(id, "eu-south-1") }, "is off in the management account", ErrInvalid},
		"nobody can tell": {
			func(w *lifecycletest.World) {
				w.Fail(lifecycletest.Fault{On: lifecycletest.RegionEnabled, Times: -1, Err: errors.New("ec2:DescribeRegions: UnauthorizedOperation")})
			}, "ec2:DescribeRegions: UnauthorizedOperation", nil,
		},
	} {
		t.Run(reason, func(t *testing.T) {
			p := brings()
			tc.change(p.world)
			if tc.want == "" {
				must[event.Onboarding](t)(p.here().onboard(doc))
				must[event.Onboarding](t)(p.here().onboard(doc))
				return
			}
			err := second(p.here().onboard(doc))
			if err == nil || !strings.Contains(err.Error(), tc.want) || tc.kind != nil && !errors.Is(err, tc.kind) || tc.kind == nil && errors.Is(err, ErrInvalid) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
			if got := p.world.Things(""); len(got) > 0 {
				t.Errorf("made: %+v", got)
			}
		})
	}
}
