package lifecycle

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"freehold.dev/freehold/internal/cloud"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/lifecycle/lifecycletest"
)

// virginia has two zones that EKS could not do without, and calls use1-az3 b.
var virginia = []cloud.Zone{
	{Name: "us-east-1a", ID: "use1-az6"}, {Name: "us-east-1b", ID: "use1-az3"},
	{Name: "us-east-1c", ID: "use1-az2"}, {Name: "us-east-1d", ID: "use1-az4"},
}

// subnets are the zones that there are subnets in.
func (p *place) subnets() string {
	var zones []string
	for _, s := range p.world.Things("aws:ec2/subnet:Subnet") {
		zone, _ := s.Inputs["availabilityZone"].(string)
		zones = append(zones, zone)
	}
	return strings.Join(zones, " ")
}

func TestANetworkIsInZonesThatTheAccountHasForEKS(t *testing.T) {
	p := newPlace(t)
	p.world.SetZones(virginia...)
	doc := document(t, "region: us-east-1")
	undisturbed := newPlace(t)
	undisturbed.world.SetZones(virginia...)
	whole := undisturbed.here()
	must[event.Onboarding](t)(whole.onboard(doc))
	subnet := slices.IndexFunc(whole.Writes(), func(w lifecycletest.Write) bool { return w.To == "cloud" && w.Of == "aws:ec2/subnet:Subnet" })

	// Killed in the cluster layer of a new org, whose account nobody could ask before.
	proc := p.here()
	proc.KillAfter(subnet + 2)
	if _, err := proc.onboard(doc); err == nil {
		t.Fatal("it was not killed")
	}
	if got := p.states("acme"); got != "done done making* not-started" {
		t.Fatalf("it was killed elsewhere: layers %s", got)
	}
	must[event.Onboarding](t)(p.here().onboard(doc))
	const want = "us-east-1a us-east-1d us-east-1c"
	if got := p.subnets(); got != want {
		t.Fatalf("subnets in %s, want %s", got, want)
	}
	lifecycletest.Same(t, undisturbed.world, p.world)
	if got := must[event.Onboarding](t)(p.here().onboard(doc)); got.Changed {
		t.Errorf("onboard again changed %+v", got.Layers)
	}
	if got := must[event.Plan](t)(p.here().Plan(t.Context(), doc, PlanOptions{}, nil)); got.Different() {
		t.Errorf("a plan of the same document changes %v", changesIn(got.Changes))
	}
}

func TestAZoneWithoutControlPlanesIsRefused(t *testing.T) {
	const network = "network: {zones: [{name: us-east-1a}, {name: us-east-1b}]}"
	const says = `"us-east-1b" is zone use1-az3`
	t.Run("in an account that an org brings, before anything is made", func(t *testing.T) {
		p := newPlace(t)
		p.world.SetZones(virginia...)
		const role = "arn:aws:iam::222222222222:role/freehold-access"
		p.world.BringAccount("222222222222", role, "secret-of-acme")
		doc := document(t, "region: us-east-1", "account: {mode: existing, roleArn: '"+role+"', externalId: secret-of-acme}", network)
		e := refused(t, second(p.here().Plan(t.Context(), doc, PlanOptions{}, nil)), ErrInvalid, says)
		if e.Refusals[0].Field != "network.zones[1].name" {
			t.Errorf("field %q", e.Refusals[0].Field)
		}
		refused(t, second(p.here().onboard(doc)), ErrInvalid, says)
		if got := p.world.Things(""); len(got) > 0 {
			t.Errorf("made: %+v", got)
		}
	})
	t.Run("in an account that had to be made first, before a network", func(t *testing.T) {
		p := newPlace(t)
		p.world.SetZones(virginia...)
		refused(t, second(p.here().onboard(document(t, "region: us-east-1", network))), ErrInvalid, says)
		if got := p.states("acme"); got != "done done failed not-started" || p.subnets() != "" {
			t.Errorf("layers %s, subnets in %q", got, p.subnets())
		}
		corrected := document(t, "region: us-east-1", strings.Replace(network, "1b", "1d", 1))
		must[event.Onboarding](t)(p.here().onboard(corrected))
	})
	t.Run("an account that does not say which zones it has is not taken for one with all of them", func(t *testing.T) {
		p := newPlace(t)
		p.world.Fail(lifecycletest.Fault{On: lifecycletest.Zones, Err: errors.New("no answer")})
		err := second(p.here().onboard(document(t)))
		if err == nil || errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "no answer") {
			t.Errorf("got %v", err)
		}
	})
}

func second[T any](_ T, err error) error { return err }
