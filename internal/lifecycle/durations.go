package lifecycle

import (
	"context"
	"time"

	"freehold.dev/freehold/internal/dataplane"
	"freehold.dev/freehold/internal/forecast"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/registry"
)

// History is how long the latest runs in this cloud took, of whichever orgs.
func (s *Service) History(ctx context.Context) (*forecast.Book, error) {
	runs, err := s.fleet().LayerRuns(ctx, s.CloudName, forecast.Kept)
	if err != nil {
		return nil, err
	}
	book := &forecast.Book{}
	for _, r := range runs {
		book.Add(r.Layer, forecast.Kind(r.Kind), r.Duration)
	}
	return book, nil
}

// ran is what a run of a layer that is there did, by its changes.
func ran(changes map[string]int) forecast.Kind {
	if changed(changes) {
		return forecast.Change
	}
	return forecast.Same
}

// took records how long a run of a layer took that succeeded. was is what was
// recorded of the layer before: a run that goes on where another stopped says
// nothing of how long a whole one takes, and is not recorded.
func (r *run) took(ctx context.Context, was registry.Layer, l plan.Layer, kind forecast.Kind, d time.Duration) {
	begun := was.Unclean || was.State == dataplane.Making || was.State == dataplane.Removing || kind == forecast.First && was.Made && was.State != dataplane.Removed
	if begun {
		return
	}
	err := r.op.PutLayerRun(context.WithoutCancel(ctx), registry.LayerRun{Layer: string(l), Cloud: r.CloudName, Kind: string(kind), Duration: d})
	if err != nil {
		// A forecast has a run less.
		r.Log.WarnContext(ctx, "it is not recorded how long the layer took", "layer", l, "err", err)
	}
}
