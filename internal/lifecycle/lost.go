package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"k8s.io/client-go/tools/clientcmd"

	"freehold.dev/freehold/internal/cloud"
	"freehold.dev/freehold/internal/dataplane"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/registry"
)

// lost says why the cluster in which the bootstrap layer has its objects is gone
// for good, and is empty while it is not: the cloud has no such cluster, or one
// that was made since. An error means that nobody can tell.
func (s *Service) lost(ctx context.Context, d dataplane.DataPlane) (string, error) {
	a, somewhere, err := d.RunsSomewhere()
	if err != nil || !somewhere || !d.Made(plan.LayerBootstrap) {
		return "", err
	}
	was, has, err := s.reached(ctx, d.Plan.Org)
	if err != nil {
		return "", err
	}
	name := d.Plan.Cluster.Name
	now, err := s.Cloud.Running(ctx, a, name)
	if errors.Is(err, cloud.ErrNotFound) {
		return fmt.Sprintf("cluster %s is gone", name), nil
	}
	if err != nil || was == nil || !has {
		return "", err // of what is nowhere yet, nothing can be lost
	}
	another, err := dataplane.Outlived(*was, now)
	if err != nil {
		return "", &Error{
			Org: d.Plan.Org, Layer: string(plan.LayerBootstrap), Err: err,
			Next: "compare aws eks describe-cluster --name " + name + " with what you know of the cluster; nothing was touched",
		}
	}
	if another {
		return fmt.Sprintf("cluster %s is another one than the layer was made in, which is gone", name), nil
	}
	return "", nil
}

// reached is how the state of the bootstrap layer reaches its cluster, nil where
// it does not say so in clear, and whether anything is recorded to be in it.
func (s *Service) reached(ctx context.Context, org string) (was *dataplane.Reached, has bool, err error) {
	resources, err := s.Engine.Resources(ctx, stackOf(org, plan.LayerBootstrap))
	if err != nil {
		return nil, false, err
	}
	for _, r := range resources {
		if !strings.HasPrefix(r.Type, "pulumi:") {
			has = has || r.ID != "" // a component is nowhere
			continue
		}
		text, _ := r.Inputs["kubeconfig"].(string)
		config, err := clientcmd.Load([]byte(text))
		if err != nil || config.Contexts[config.CurrentContext] == nil {
			continue
		}
		if c := config.Clusters[config.Contexts[config.CurrentContext].Cluster]; c != nil {
			was = &dataplane.Reached{Server: c.Server, CA: c.CertificateAuthorityData}
		}
	}
	return was, has, nil
}

// forgetLost takes out of the bootstrap layer's state what was in a cluster that
// is gone for good. The layer is unclean from before that.
func (r *run) forgetLost(ctx context.Context, d dataplane.DataPlane, why, state string) (dataplane.DataPlane, error) {
	l := plan.LayerBootstrap
	r.op.Emit(event.Event{
		Type: event.Diagnostic, Layer: string(l), Message: why + ": what the layer had in it is gone with it, and is taken out of the layer's state",
	})
	rec := d.Layer(l)
	rec.State, rec.Unclean = state, true
	if err := r.op.PutLayer(ctx, rec); err != nil {
		return d, err
	}
	return d.With(rec), r.Engine.Forget(ctx, stackOf(d.Plan.Org, l), r.op.Emit)
}

// move takes the bootstrap layer out of a cluster that is gone, so that it is
// made anew in the one that there is.
func (r *run) move(ctx context.Context, in layerIn) (registry.Layer, error) {
	d := in.DataPlane
	why, err := r.lost(ctx, d)
	if err == nil && why != "" {
		d, err = r.forgetLost(ctx, d, why, dataplane.Making)
	}
	return d.Layer(in.Layer), err
}
