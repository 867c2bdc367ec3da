package lifecycle

import (
	"errors"
	"strings"
	"testing"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/lifecycle/lifecycletest"
	"freehold.dev/freehold/internal/spec"
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

// Whoever wants one finds out before there is an account that can never use it.
func TestEveryOptInRegionIsRefusedByAPlanWithAndWithoutTheCloudAndByOnboard(t *testing.T) {
	p, refusing := newPlace(t), 0
	for _, region := range spec.Facets()["region"].Enum {
		if spec.AccessTo(region) != spec.OptIn {
			continue
		}
		refusing++
		doc, says := document(t, "region: "+region), `region "`+region+`" is off in every new account`
		_, refusals, err := PlanOffline(t.Context(), nil, doc, p.world.Now())
		if err != nil || len(refusals) != 1 || refusals[0].Field != "region" || !strings.Contains(refusals[0].Message, says) {
			t.Errorf("without the cloud, %s: %+v, %v", region, refusals, err)
		}
		refused(t, second(p.here().Plan(t.Context(), doc, PlanOptions{}, nil)), ErrInvalid, says)
		refused(t, second(p.here().onboard(doc)), ErrInvalid, says)
	}
	if got := p.world.Things(""); len(got) > 0 || p.world.AccountOf("aws+acme@example.com") != "" {
		t.Errorf("made: %+v", got)
	}
	// https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html
	if refusing != 17 {
		t.Errorf("%d regions are opted in to, want the 17 of AWS's table in which EKS runs", refusing)
	}
}

func TestARegionThatNobodyKnowsOrThatIsElsewhereIsAMistakeOfTheDocument(t *testing.T) {
	for _, region := range []string{"eu-north-9", "me-west-1", "us-gov-west-1", "cn-north-1", "eusc-de-east-1", "EU-WEST-1", "eu-west-1a"} {
		text := "apiVersion: freehold.dev/v1alpha1\nkind: DataPlane\norg: acme\naccount: {email: a@example.com}\nregion: " + region + "\n"
		if _, err := spec.Parse("acme.yaml", strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), "acme.yaml:5:9: region: ") {
			t.Errorf("%s: got %v", region, err)
		}
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
