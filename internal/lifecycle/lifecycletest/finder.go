package lifecycletest

import (
	"context"
	"errors"

	"freehold.dev/freehold/internal/cloud"
	"freehold.dev/freehold/internal/engine"
	"freehold.dev/freehold/internal/plan"
)

// FinderFor looks up what a killed run of a layer left behind in an account. Of
// the objects of Kubernetes it finds none: they are applied by name.
func FinderFor(c *Cloud, a cloud.Account, l plan.Layer) engine.Finder {
	return func(ctx context.Context, st engine.Step) (engine.Found, bool, error) {
		if l == plan.LayerBootstrap {
			return engine.Found{}, false, nil
		}
		id, err := c.Find(ctx, a, st.Type, st.NewInputs)
		if errors.Is(err, cloud.ErrNotFound) {
			return engine.Found{}, false, nil
		}
		return engine.Found{ID: id}, err == nil, err
	}
}
