package sqlstore

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/orgcontext"
	"freehold.dev/freehold/internal/registry"
)

// fleetStore reads over all orgs, for whoever has the right.
type fleetStore struct {
	*Store

	f orgcontext.Fleet
}

// call runs fn in a transaction over all orgs, and logs that it was.
func (s *fleetStore) call(ctx context.Context, what string, fn func(tx) error) error {
	if !s.f.Valid() {
		return fmt.Errorf("%s: %w", what, registry.ErrNoOrg)
	}
	err := s.db.Fleet(ctx, func(t Tx) error {
		if err := fleetEntries(ctx, tx{t}, s.entry(s.f, what, done)); err != nil {
			return err
		}
		return fn(tx{t})
	})
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

func (s *fleetStore) entry(by orgcontext.Fleet, what, result string) event.AuditEntry {
	return event.AuditEntry{At: s.now().UTC().Round(0), Actor: by.Actor(), Request: by.Request(), What: what, Result: result}
}

// fleetEntries adds entries to the fleet's log.
func fleetEntries(ctx context.Context, tx tx, entries ...event.AuditEntry) error {
	last, err := head(ctx, tx, fleetAuditHead)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if last, err = chained(last, e); err != nil {
			return err
		}
		if err := tx.exec(ctx, fleetPutAudit, last.Seq, stamp(last.At), last.Actor, last.Request, last.What, last.Result, last.Previous, last.Hash); err != nil {
			return err
		}
	}
	return nil
}

// Note adds entries about how requests for the fleet were decided.
func (s *fleetStore) Note(ctx context.Context, notes ...registry.FleetNote) error {
	const what = "note how requests for the fleet were decided"
	entries := make([]event.AuditEntry, len(notes))
	for i, n := range notes {
		if !n.By.Valid() {
			return fmt.Errorf("%s: %w", what, registry.ErrNoOrg)
		}
		entries[i] = s.entry(n.By, n.What, n.Result)
	}
	if !s.f.Valid() {
		return fmt.Errorf("%s: %w", what, registry.ErrNoOrg)
	}
	if err := s.db.Fleet(ctx, func(t Tx) error { return fleetEntries(ctx, tx{t}, entries...) }); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// Orgs returns all orgs by name.
func (s *fleetStore) Orgs(ctx context.Context) (all []registry.Org, err error) {
	err = s.call(ctx, "list the orgs", func(tx tx) error {
		all, err = list(ctx, tx, scanOrg, fleetOrgs)
		return err
	})
	return all, err
}

// Resources is how many resources the layer of the org with the most has.
func (s *fleetStore) Resources(ctx context.Context, layer string) (int, error) {
	var n int64
	err := s.call(ctx, "ask how many resources layer "+layer+" has", func(tx tx) (err error) {
		n, _, err = one(ctx, tx, scanNumber, fleetResources, layer)
		return err
	})
	return int(n), err
}

// LayerRuns returns how long the latest runs in a cloud took.
func (s *fleetStore) LayerRuns(ctx context.Context, cloud string, limit int) (all []registry.LayerRun, err error) {
	err = s.call(ctx, "ask how long layers take", func(tx tx) error {
		all, err = list(ctx, tx, func(r row) (run registry.LayerRun, err error) {
			var took int64
			err = r.Scan(&run.Layer, &run.Cloud, &run.Kind, &took)
			run.Duration = time.Duration(took)
			return run, err
		}, fleetLayerRuns, cloud, limit)
		return err
	})
	return all, err
}

// Owner returns who owns an identity, "" if nobody does.
func (s *fleetStore) Owner(ctx context.Context, id finding.Identity) (owner string, err error) {
	err = s.call(ctx, fmt.Sprintf("ask who owns %s %s", id.Kind, id.Value), func(tx tx) (err error) {
		owner, _, err = one(ctx, tx, scanText, fleetOwner, id.Kind, id.Value)
		return err
	})
	return owner, err
}

// Shared returns every fact that the layers' outputs of two orgs have in common.
func (s *fleetStore) Shared(ctx context.Context) ([]finding.Shared, error) {
	type fact struct{ kind, value string }
	owners := map[fact]map[string]bool{}
	err := s.call(ctx, "compare the orgs", func(tx tx) error {
		type outputs struct {
			org string
			all map[string]any
		}
		layers, err := list(ctx, tx, func(r row) (o outputs, err error) {
			var text []byte
			if err := r.Scan(&o.org, &text); err != nil {
				return o, err
			}
			err = json.Unmarshal(text, &o.all)
			return o, err
		}, fleetOutputs)
		for _, l := range layers {
			for key, value := range l.all {
				v, ok := value.(string)
				if !ok || v == "" || !identifies(key) {
					continue
				}
				if owners[fact{key, v}] == nil {
					owners[fact{key, v}] = map[string]bool{}
				}
				owners[fact{key, v}][l.org] = true
			}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	var out []finding.Shared
	for f, orgs := range owners {
		if len(orgs) > 1 {
			out = append(out, finding.Shared{Kind: f.kind, Value: f.value, Owners: slices.Sorted(maps.Keys(orgs))})
		}
	}
	slices.SortFunc(out, func(a, b finding.Shared) int {
		return strings.Compare(a.Kind+"\x00"+a.Value, b.Kind+"\x00"+b.Value)
	})
	return out, nil
}

// identifies reports whether a layer's output of that name is a thing of which
// each org has its own.
func identifies(output string) bool {
	switch output {
	case "accountId", "vpcId", "endpoint", "oidcIssuer", "name", "certificateAuthority", "externalId", "controllerRepository":
		return true
	default:
		return strings.HasSuffix(output, "Arn")
	}
}

// Endpoints returns the endpoints of all orgs.
func (s *fleetStore) Endpoints(ctx context.Context) (all []registry.OrgEndpoint, err error) {
	err = s.call(ctx, "list the endpoints of all orgs", func(tx tx) error {
		all, err = list(ctx, tx, func(r row) (e registry.OrgEndpoint, err error) {
			e.EndpointState, err = scanEndpoint(after{r, []any{&e.Org}})
			return e, err
		}, fleetEndpoints)
		return err
	})
	return all, err
}

// FollowDue returns what says which endpoints have something to be sent.
func (s *fleetStore) FollowDue(ctx context.Context) (func(context.Context, time.Time) ([]registry.Due, error), error) {
	if err := s.call(ctx, "follow which webhooks are due", func(tx) error { return nil }); err != nil {
		return nil, err
	}
	return func(ctx context.Context, now time.Time) (all []registry.Due, err error) {
		err = s.db.Fleet(ctx, func(t Tx) error {
			all, err = list(ctx, tx{t}, func(r row) (d registry.Due, err error) {
				err = r.Scan(&d.Org, &d.Endpoint)
				return d, err
			}, fleetDue, stamp(now))
			return err
		})
		if err != nil {
			err = fmt.Errorf("ask which webhooks are due: %w", err)
		}
		return all, err
	}, nil
}

// FollowRunning returns what lists the operations that have not ended.
func (s *fleetStore) FollowRunning(ctx context.Context) (func(context.Context) ([]event.Operation, error), error) {
	if err := s.call(ctx, "follow which operations have not ended", func(tx) error { return nil }); err != nil {
		return nil, err
	}
	return func(ctx context.Context) (all []event.Operation, err error) {
		err = s.db.Fleet(ctx, func(t Tx) error {
			all, err = list(ctx, tx{t}, scanOperation, fleetRunning)
			return err
		})
		if err != nil {
			err = fmt.Errorf("list the operations that have not ended: %w", err)
		}
		return all, err
	}, nil
}

// Audited returns the entries of the fleet's log that follow another.
func (s *fleetStore) Audited(ctx context.Context, after int64) (all []event.AuditEntry, err error) {
	err = s.call(ctx, "read the fleet's audit log", func(tx tx) error {
		all, err = list(ctx, tx, scanAudit, fleetAudit, after, registry.AuditPage)
		return err
	})
	return all, err
}
