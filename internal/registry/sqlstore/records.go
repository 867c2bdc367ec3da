package sqlstore

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/registry"
)

// PutOrg records the org's state and plan, and what the plan declares.
func (s *orgStore) PutOrg(ctx context.Context, l registry.Lease, o registry.Org) error {
	return s.writeAs(ctx, l, "record the org", func(tx tx) error {
		if o.Org != s.org() {
			return fmt.Errorf("operation %s may not write for org %s", l.Operation, o.Org)
		}
		if err := tx.exec(ctx, putOrg, o.Org, o.State, o.Plan, o.Hash, o.HashVersion, o.Management, stamp(s.now())); err != nil {
			return err
		}
		if err := tx.exec(ctx, dropProjects, o.Org); err != nil {
			return err
		}
		for _, p := range o.Projects {
			if err := tx.exec(ctx, putProject, o.Org, p.Name, string(p.Spec)); err != nil {
				return fmt.Errorf("project %s: %w", p.Name, err)
			}
		}
		if err := tx.exec(ctx, dropExceptions, o.Org); err != nil {
			return err
		}
		for _, e := range o.Exceptions {
			if err := tx.exec(ctx, putException, o.Org, e.Rule, e.Resource, e.Reason, e.Approver, e.Expires); err != nil {
				return fmt.Errorf("exception from %s of %s: %w", e.Rule, e.Resource, err)
			}
		}
		return s.audit(ctx, tx, "record the org as "+o.State, done)
	})
}

// Org returns the org.
func (s *orgStore) Org(ctx context.Context) (o registry.Org, err error) {
	err = s.read(ctx, "read the record", func(tx tx) error {
		found, ok, err := one(ctx, tx, scanOrg, selectOrg, s.org())
		if err == nil && !ok {
			err = fmt.Errorf("%w %q", registry.ErrUnknownOrg, s.org())
		}
		o = found
		return err
	})
	return o, err
}

func scanOrg(r row) (o registry.Org, err error) {
	var updated string
	if err := r.Scan(&o.Org, &o.State, &o.Plan, &o.Hash, &o.HashVersion, &o.Management, &updated); err != nil {
		return registry.Org{}, err
	}
	o.Updated, err = unstamp(updated)
	return o, err
}

// Projects returns the org's projects by name.
func (s *orgStore) Projects(ctx context.Context) (all []registry.Project, err error) {
	err = s.read(ctx, "read the projects", func(tx tx) error {
		all, err = list(ctx, tx, func(r row) (p registry.Project, err error) {
			var body string
			err = r.Scan(&p.Name, &body)
			p.Spec = json.RawMessage(body)
			return p, err
		}, selectProjects, s.org())
		return err
	})
	return all, err
}

// Exceptions returns what the org answers for, by rule and resource.
func (s *orgStore) Exceptions(ctx context.Context) (all []registry.Exception, err error) {
	err = s.read(ctx, "read the exceptions", func(tx tx) error {
		all, err = list(ctx, tx, func(r row) (e registry.Exception, err error) {
			err = r.Scan(&e.Rule, &e.Resource, &e.Reason, &e.Approver, &e.Expires)
			return e, err
		}, selectExceptions, s.org())
		return err
	})
	return all, err
}

// PutDataPlane records what the org owns, in place of what was.
func (s *orgStore) PutDataPlane(ctx context.Context, l registry.Lease, d event.DataPlane) error {
	return s.writeAs(ctx, l, "record the data plane", func(tx tx) error {
		facts, err := json.Marshal(d)
		if err != nil {
			return err
		}
		return tx.exec(ctx, putDataPlane, s.org(), string(facts), stamp(s.now()))
	})
}

// DataPlane returns what the org owns.
func (s *orgStore) DataPlane(ctx context.Context) (d event.DataPlane, err error) {
	err = s.read(ctx, "read the data plane", func(tx tx) error {
		facts, ok, err := one(ctx, tx, scanText, selectDataPlane, s.org())
		if err != nil {
			return err
		}
		if !ok {
			return fmt.Errorf("%w %q", registry.ErrUnknownOrg, s.org())
		}
		return json.Unmarshal([]byte(facts), &d)
	})
	return d, err
}

// PutLayer records what is known of a layer, in place of what was.
func (s *orgStore) PutLayer(ctx context.Context, l registry.Lease, layer registry.Layer) error {
	return s.writeAs(ctx, l, "record layer "+layer.Layer, func(tx tx) error {
		outputs, err := json.Marshal(layer.Outputs)
		if err != nil {
			return err
		}
		if err := tx.exec(ctx, putLayer, s.org(), layer.Layer, layer.State, layer.Unclean, layer.Made, outputs, layer.Resources,
			int64(layer.Duration), layer.Error, stamp(s.now())); err != nil {
			return err
		}
		return s.audit(ctx, tx, "record layer "+layer.Layer+" as "+layer.State, done)
	})
}

// keptRuns is how many runs of a layer, a cloud and a kind are kept of an org.
const keptRuns = 20

// PutLayerRun records how long the operation's run of a layer took.
func (s *orgStore) PutLayerRun(ctx context.Context, l registry.Lease, r registry.LayerRun) error {
	return s.writeAs(ctx, l, "record how long layer "+r.Layer+" took", func(tx tx) error {
		if err := tx.exec(ctx, putLayerRun, s.org(), l.Operation, r.Layer, r.Cloud, r.Kind, int64(r.Duration), stamp(s.now())); err != nil {
			return err
		}
		return tx.exec(ctx, trimLayerRuns, s.org(), r.Layer, r.Cloud, r.Kind, keptRuns)
	})
}

// Layers returns what is known of the org's layers, by layer.
func (s *orgStore) Layers(ctx context.Context) (map[string]registry.Layer, error) {
	out := map[string]registry.Layer{}
	err := s.read(ctx, "read the layers", func(tx tx) error {
		layers, err := list(ctx, tx, scanLayer, selectLayers, s.org())
		for _, l := range layers {
			out[l.Layer] = l
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func scanLayer(r row) (l registry.Layer, err error) {
	var outputs []byte
	var duration int64
	var updated string
	if err := r.Scan(&l.Layer, &l.State, &l.Unclean, &l.Made, &outputs, &l.Resources, &duration, &l.Error, &updated); err != nil {
		return l, err
	}
	if len(outputs) > 0 {
		if err := json.Unmarshal(outputs, &l.Outputs); err != nil {
			return l, fmt.Errorf("the outputs of layer %s: %w", l.Layer, err)
		}
	}
	l.Duration = time.Duration(duration)
	l.Updated, err = unstamp(updated)
	return l, err
}
