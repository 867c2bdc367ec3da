package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"freehold.dev/freehold/internal/registry"
)

// PutOrg records the org's state and plan.
func (s *Store) PutOrg(ctx context.Context, l registry.Lease, o registry.Org) error {
	return s.write(ctx, "record org "+o.Org, func(tx *sql.Tx) error {
		if o.Org != l.Org {
			return fmt.Errorf("operation %s may only write for org %s", l.Operation, l.Org)
		}
		if err := held(ctx, tx, l); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO orgs (org, state, plan, hash, hash_version, management, updated)
			VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (org) DO UPDATE SET state = excluded.state, plan = excluded.plan,
			hash = excluded.hash, hash_version = excluded.hash_version, management = excluded.management, updated = excluded.updated`,
			o.Org, o.State, o.Plan, o.Hash, o.HashVersion, o.Management, stamp(s.now()))
		return err
	})
}

const selectOrg = `SELECT org, state, plan, hash, hash_version, management, updated FROM orgs`

// Org returns one org; it wraps registry.ErrUnknownOrg.
func (s *Store) Org(ctx context.Context, org string) (registry.Org, error) {
	o, err := scanOrg(s.db.QueryRowContext(ctx, selectOrg+` WHERE org = ?`, org))
	if errors.Is(err, sql.ErrNoRows) {
		return registry.Org{}, fmt.Errorf("%w %q", registry.ErrUnknownOrg, org)
	}
	if err != nil {
		return registry.Org{}, fmt.Errorf("read org %s: %w", org, err)
	}
	return o, nil
}

// Orgs returns all orgs by name.
func (s *Store) Orgs(ctx context.Context) ([]registry.Org, error) {
	out, err := list(ctx, s.db, scanOrg, selectOrg+` ORDER BY org`)
	if err != nil {
		return nil, fmt.Errorf("read the orgs: %w", err)
	}
	return out, nil
}

func scanOrg(row row) (o registry.Org, err error) {
	var updated string
	if err := row.Scan(&o.Org, &o.State, &o.Plan, &o.Hash, &o.HashVersion, &o.Management, &updated); err != nil {
		return registry.Org{}, err
	}
	o.Updated, err = unstamp(updated)
	return o, err
}

// PutLayer records what is known of a layer, in place of what was.
func (s *Store) PutLayer(ctx context.Context, l registry.Lease, layer registry.Layer) error {
	return s.write(ctx, fmt.Sprintf("record layer %s of org %s", layer.Layer, l.Org), func(tx *sql.Tx) error {
		outputs, err := json.Marshal(layer.Outputs)
		if err != nil {
			return err
		}
		if err := held(ctx, tx, l); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO layers (org, layer, state, unclean, made, outputs, resources, duration, error, updated)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (org, layer) DO UPDATE SET state = excluded.state,
			unclean = excluded.unclean, made = excluded.made, outputs = excluded.outputs, resources = excluded.resources,
			duration = excluded.duration, error = excluded.error, updated = excluded.updated`,
			l.Org, layer.Layer, layer.State, layer.Unclean, layer.Made, outputs, layer.Resources, int64(layer.Duration),
			layer.Error, stamp(s.now()))
		return err
	})
}

// Layers returns what is known of the org's layers, by layer.
func (s *Store) Layers(ctx context.Context, org string) (map[string]registry.Layer, error) {
	layers, err := list(ctx, s.db, scanLayer,
		`SELECT layer, state, unclean, made, outputs, resources, duration, error, updated FROM layers WHERE org = ?`, org)
	if err != nil {
		return nil, fmt.Errorf("read the layers of org %s: %w", org, err)
	}
	out := make(map[string]registry.Layer, len(layers))
	for _, l := range layers {
		out[l.Layer] = l
	}
	return out, nil
}

func scanLayer(row row) (l registry.Layer, err error) {
	var outputs []byte
	var duration int64
	var updated string
	if err := row.Scan(&l.Layer, &l.State, &l.Unclean, &l.Made, &outputs, &l.Resources, &duration, &l.Error, &updated); err != nil {
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
