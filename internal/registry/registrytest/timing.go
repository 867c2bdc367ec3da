package registrytest

import (
	"errors"
	"testing"
	"time"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/registry"
)

// run records that an operation of the org ran a layer for so long, and ends it.
func run(t *testing.T, w world, org string, r registry.LayerRun) {
	t.Helper()
	l := begin(t, w.a, org).Lease
	w.pass(time.Second)
	if err := of(w.a, org).PutLayerRun(t.Context(), l, r); err != nil {
		t.Fatal(err)
	}
	end(t, w.a, l, event.OperationSucceeded)
}

// durations are those of a layer and a kind in what is returned of a cloud.
func durations(t *testing.T, w world, layer, cloud, kind string, limit int) (out []time.Duration) {
	t.Helper()
	for _, r := range must[[]registry.LayerRun](t)(all(w.b).LayerRuns(t.Context(), cloud, limit)) {
		if r.Cloud != cloud {
			t.Errorf("%+v, asked for %s", r, cloud)
		}
		if r.Layer == layer && r.Kind == kind {
			out = append(out, r.Duration)
		}
	}
	return out
}

var timing = map[string]func(*testing.T, world){
	"durations are those of all orgs' runs of the layer, in the cloud and of the kind, the newest first": func(t *testing.T, w world) {
		if got := durations(t, w, "cluster", "aws", "first", 200); len(got) > 0 {
			t.Errorf("of an empty registry: %v", got)
		}
		run(t, w, "acme", registry.LayerRun{Layer: "cluster", Cloud: "aws", Kind: "first", Duration: 12 * time.Minute})
		run(t, w, "globex", registry.LayerRun{Layer: "cluster", Cloud: "aws", Kind: "first", Duration: 10*time.Minute + 1})
		run(t, w, "acme", registry.LayerRun{Layer: "cluster", Cloud: "sandbox", Kind: "first", Duration: 2 * time.Second})
		run(t, w, "acme", registry.LayerRun{Layer: "cluster", Cloud: "aws", Kind: "same", Duration: 20 * time.Second})
		run(t, w, "acme", registry.LayerRun{Layer: "account", Cloud: "aws", Kind: "first", Duration: time.Minute})
		run(t, w, "initech", registry.LayerRun{Layer: "cluster", Cloud: "aws", Kind: "first", Duration: 14 * time.Minute})
		same(t, "on AWS", []time.Duration{14 * time.Minute, 10*time.Minute + 1, 12 * time.Minute}, durations(t, w, "cluster", "aws", "first", 200))
		same(t, "the newest of each layer and kind", []registry.LayerRun{
			{Layer: "account", Cloud: "aws", Kind: "first", Duration: time.Minute},
			{Layer: "cluster", Cloud: "aws", Kind: "first", Duration: 14 * time.Minute},
			{Layer: "cluster", Cloud: "aws", Kind: "same", Duration: 20 * time.Second},
		}, must[[]registry.LayerRun](t)(all(w.b).LayerRuns(t.Context(), "aws", 1)))
		same(t, "the newest two", []time.Duration{14 * time.Minute, 10*time.Minute + 1}, durations(t, w, "cluster", "aws", "first", 2))
		same(t, "in the sandbox", []time.Duration{2 * time.Second}, durations(t, w, "cluster", "sandbox", "first", 200))
		same(t, "of another kind", []time.Duration{20 * time.Second}, durations(t, w, "cluster", "aws", "same", 200))
	},

	"an operation has one duration of a layer, the last that it recorded": func(t *testing.T, w world) {
		l := begin(t, w.a, "acme").Lease
		for _, d := range []time.Duration{time.Minute, time.Second} {
			if err := of(w.a, "acme").PutLayerRun(t.Context(), l, registry.LayerRun{Layer: "account", Cloud: "aws", Kind: "first", Duration: d}); err != nil {
				t.Fatal(err)
			}
		}
		same(t, "durations", []time.Duration{time.Second}, durations(t, w, "account", "aws", "first", 200))
	},

	"of an org that runs all the time the latest 20 count": func(t *testing.T, w world) {
		run(t, w, "globex", registry.LayerRun{Layer: "account", Cloud: "aws", Kind: "same", Duration: time.Hour})
		run(t, w, "acme", registry.LayerRun{Layer: "account", Cloud: "aws", Kind: "first", Duration: time.Minute})
		for i := range 25 {
			run(t, w, "acme", registry.LayerRun{Layer: "account", Cloud: "aws", Kind: "same", Duration: time.Duration(i)})
		}
		got := durations(t, w, "account", "aws", "same", 200)
		if len(got) != 21 || got[0] != 24 || got[19] != 5 || got[20] != time.Hour {
			t.Errorf("%d: %v", len(got), got)
		}
		same(t, "of another kind", []time.Duration{time.Minute}, durations(t, w, "account", "aws", "first", 200))
	},

	"an operation that was taken over records no duration": func(t *testing.T, w world) {
		l := begin(t, w.a, "acme").Lease
		takeOver(t, w.b, "acme")
		err := of(w.a, "acme").PutLayerRun(t.Context(), l, registry.LayerRun{Layer: "account", Cloud: "aws", Kind: "first", Duration: time.Minute})
		if !errors.Is(err, registry.ErrLost) {
			t.Errorf("%v, want ErrLost", err)
		}
		if got := durations(t, w, "account", "aws", "first", 200); len(got) > 0 {
			t.Errorf("%v", got)
		}
	},
}
