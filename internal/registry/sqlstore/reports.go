package sqlstore

import (
	"context"
	"crypto/rand"
	"encoding/json"

	"freehold.dev/freehold/internal/event"
)

// keptDrifts is how many reports of drift runs are kept of an org: a year of
// daily ones, and two weeks of hourly ones.
const keptDrifts = 365

// PutDrift records what a drift run found.
func (s *orgStore) PutDrift(ctx context.Context, d event.Drift) error {
	return s.write(ctx, "record a drift run", func(tx tx) error {
		body, err := json.Marshal(d)
		if err != nil {
			return err
		}
		if err := tx.exec(ctx, putDrift, s.org(), rand.Text(), stamp(d.At), d.Drifted(), d.Complete(), string(body)); err != nil {
			return err
		}
		if err := tx.exec(ctx, trimDrifts, s.org(), keptDrifts); err != nil {
			return err
		}
		result := "no drift"
		switch {
		case d.Drifted():
			result = "drifted"
		case !d.Complete():
			result = "could not be read"
		}
		return s.audit(ctx, tx, "run drift", result)
	})
}

// Drifts returns what the latest drift runs found, the newest first.
func (s *orgStore) Drifts(ctx context.Context, limit int) (all []event.Drift, err error) {
	err = s.read(ctx, "read the drift runs", func(tx tx) error {
		all, err = list(ctx, tx, func(r row) (d event.Drift, err error) {
			var body string
			if err := r.Scan(&body); err != nil {
				return d, err
			}
			err = json.Unmarshal([]byte(body), &d)
			return d, err
		}, selectDrifts, s.org(), limit)
		return err
	})
	return all, err
}
