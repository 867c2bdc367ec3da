package lifecycle

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/forecast"
	"freehold.dev/freehold/internal/lifecycle/lifecycletest"
	"freehold.dev/freehold/internal/plan"
)

// recorded counts the runs that are recorded of each layer, by kind, in a cloud.
func (p *process) recorded(t *testing.T, cloud string) map[forecast.Kind]map[string]int {
	t.Helper()
	out := map[forecast.Kind]map[string]int{}
	asking := *p.Service
	asking.CloudName = cloud
	book := must[*forecast.Book](t)(asking.History(t.Context()))
	for _, kind := range forecast.Kinds() {
		for _, l := range plan.Layers() {
			n := book.Estimate(string(l), kind).Runs()
			if n == 0 {
				continue
			}
			if out[kind] == nil {
				out[kind] = map[string]int{}
			}
			out[kind][string(l)] = n
		}
	}
	return out
}

func TestEachLayersRunIsRecordedByWhatItDid(t *testing.T) {
	all := func(n int) map[string]int {
		return map[string]int{"account": n, "boundary": n, "cluster": n, "bootstrap": n}
	}
	p := newPlace(t)
	by := func() *process {
		proc := p.here()
		proc.CloudName = "aws"
		return proc
	}
	must[event.Onboarding](t)(by().onboard(document(t)))
	want := map[forecast.Kind]map[string]int{forecast.First: all(1)}
	if diff := cmp.Diff(want, by().recorded(t, "aws")); diff != "" {
		t.Errorf("after the first onboard (-want +got):\n%s", diff)
	}
	must[event.Onboarding](t)(by().onboard(document(t)))
	want[forecast.Same] = all(1)
	if diff := cmp.Diff(want, by().recorded(t, "aws")); diff != "" {
		t.Errorf("after the same again (-want +got):\n%s", diff)
	}
	must[event.Onboarding](t)(by().onboard(document(t, "network: {nat: per-zone}")))
	got := by().recorded(t, "aws")
	if got[forecast.Change]["cluster"] != 1 || got[forecast.Change]["account"] != 0 || got[forecast.Same]["account"] != 2 || got[forecast.First]["cluster"] != 1 {
		t.Errorf("after a change of the network: %v", got)
	}
	must[event.Offboarding](t)(by().offboard("acme"))
	if diff := cmp.Diff(all(1), by().recorded(t, "aws")[forecast.Removal]); diff != "" {
		t.Errorf("after offboard (-want +got):\n%s", diff)
	}
	if got := by().recorded(t, "sandbox"); len(got) > 0 {
		t.Errorf("another cloud has %v", got)
	}
}

// What was made before a failure would make the next run look fast.
func TestARunThatGoesOnWhereAnotherStoppedIsNotRecorded(t *testing.T) {
	p := newPlace(t)
	p.world.Fail(lifecycletest.Fault{On: lifecycletest.Up, Layer: plan.LayerCluster, Made: 3, Err: errors.New("boom")})
	if _, err := p.here().onboard(document(t)); err == nil {
		t.Fatal("it did not fail")
	}
	want := map[forecast.Kind]map[string]int{forecast.First: {"account": 1, "boundary": 1}}
	if diff := cmp.Diff(want, p.here().recorded(t, "")); diff != "" {
		t.Errorf("after a failure (-want +got):\n%s", diff)
	}
	must[event.Onboarding](t)(p.here().onboard(document(t)))
	want = map[forecast.Kind]map[string]int{
		forecast.First: {"account": 1, "boundary": 1, "bootstrap": 1}, forecast.Same: {"account": 1, "boundary": 1},
	}
	if diff := cmp.Diff(want, p.here().recorded(t, "")); diff != "" {
		t.Errorf("after the run that went on (-want +got):\n%s", diff)
	}
}

func TestALayerSaysAtItsStartWhetherItIsThere(t *testing.T) {
	p := newPlace(t)
	for _, want := range []string{"create", "update", "delete"} {
		proc := p.here()
		if want == "delete" {
			must[event.Offboarding](t)(proc.offboard("acme"))
		} else {
			must[event.Onboarding](t)(proc.onboard(document(t)))
		}
		for _, ev := range proc.shown {
			if ev.Type == event.LayerStarted && ev.Op != want {
				t.Errorf("layer %s starts as %q, want %s", ev.Layer, ev.Op, want)
			}
		}
	}
}
