// Package registry is Freehold's memory of its orgs: what each was planned to
// be, what its layers gave out, which operations ran, and the ledger of who
// owns which physical identity. It is one SQLite file that several processes
// may use at once, and it survives a kill at any moment.
//
// An operation holds its org by a file lock, which the kernel drops with the
// process: nobody ever unlocks by hand. An operation whose process was killed
// is found by the next one, which ends it.
package registry

import (
	"context"
	"database/sql"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // the driver

	"freehold.dev/freehold/internal/event"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Registry is an open registry. It is safe for use by several goroutines.
type Registry struct {
	db    *sql.DB
	locks string
	now   func() time.Time
}

// Open opens the registry's file, and makes or upgrades it. Locks lie in a folder beside it.
func Open(ctx context.Context, file string, now func() time.Time) (*Registry, error) {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return nil, fmt.Errorf("open the registry: %w", err)
	}
	q := url.Values{"_pragma": {"busy_timeout(30000)", "journal_mode(WAL)", "foreign_keys(1)"}, "_txlock": {"immediate"}}
	db, err := sql.Open("sqlite", "file:"+file+"?"+q.Encode())
	if err != nil {
		return nil, fmt.Errorf("open the registry %s: %w", file, err)
	}
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	lock, err := lockFile(ctx, file+".migrate.lock")
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open the registry %s: %w", file, err), db.Close())
	}
	defer func() { _ = lock.Close() }()
	p, err := goose.NewProvider(goose.DialectSQLite3, db, sub)
	if err == nil {
		_, err = p.Up(ctx)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("upgrade the registry %s: %w", file, err), db.Close())
	}
	return &Registry{db: db, locks: filepath.Join(filepath.Dir(file), "locks"), now: now}, nil
}

// Close closes the file.
func (r *Registry) Close() error { return r.db.Close() }

// Org is what the registry knows of one org.
type Org struct {
	Org   string
	State string // onboarding, ready, failed, offboarding, offboarded
	// Plan is the plan.Plan as JSON that the org was last onboarded with.
	Plan        []byte
	Hash        string
	HashVersion int
	// Management is the account that Freehold ran in; empty: not known.
	Management string
	Updated    time.Time
}

// Layer is what the registry knows of one layer.
type Layer struct {
	Layer     string
	State     string // done, failed, removed
	Outputs   map[string]any
	Resources int
	Duration  time.Duration
	Error     string
	Updated   time.Time
}

// ErrUnknownOrg is wrapped when no such org was ever onboarded.
var ErrUnknownOrg = errors.New("unknown org")

// PutOrg records the org's state and plan.
func (r *Registry) PutOrg(ctx context.Context, o Org) error {
	_, err := r.db.ExecContext(ctx, `INSERT INTO orgs (org, state, plan, hash, hash_version, management, updated)
		VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (org) DO UPDATE SET state = excluded.state, plan = excluded.plan,
		hash = excluded.hash, hash_version = excluded.hash_version, management = excluded.management, updated = excluded.updated`,
		o.Org, o.State, o.Plan, o.Hash, o.HashVersion, o.Management, stamp(r.now()))
	if err != nil {
		return fmt.Errorf("record org %s: %w", o.Org, err)
	}
	return nil
}

// Org returns one org; it wraps ErrUnknownOrg.
func (r *Registry) Org(ctx context.Context, org string) (Org, error) {
	o, err := scanOrg(r.db.QueryRowContext(ctx,
		`SELECT org, state, plan, hash, hash_version, management, updated FROM orgs WHERE org = ?`, org))
	if errors.Is(err, sql.ErrNoRows) {
		return Org{}, fmt.Errorf("%w %q", ErrUnknownOrg, org)
	}
	if err != nil {
		return Org{}, fmt.Errorf("read org %s: %w", org, err)
	}
	return o, nil
}

// Orgs returns all orgs by name.
func (r *Registry) Orgs(ctx context.Context) ([]Org, error) {
	rows, err := r.db.QueryContext(ctx, `SELECT org, state, plan, hash, hash_version, management, updated FROM orgs ORDER BY org`)
	if err != nil {
		return nil, fmt.Errorf("read the orgs: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var out []Org
	for rows.Next() {
		o, err := scanOrg(rows)
		if err != nil {
			return nil, fmt.Errorf("read the orgs: %w", err)
		}
		out = append(out, o)
	}
	return out, rows.Err()
}

func scanOrg(row interface{ Scan(...any) error }) (o Org, err error) {
	var updated string
	if err := row.Scan(&o.Org, &o.State, &o.Plan, &o.Hash, &o.HashVersion, &o.Management, &updated); err != nil {
		return Org{}, err
	}
	o.Updated, err = unstamp(updated)
	return o, err
}

// PutLayer records what became of a layer.
func (r *Registry) PutLayer(ctx context.Context, org string, l Layer) error {
	outputs, err := json.Marshal(l.Outputs)
	if err != nil {
		return fmt.Errorf("record layer %s of org %s: %w", l.Layer, org, err)
	}
	_, err = r.db.ExecContext(ctx, `INSERT INTO layers (org, layer, state, outputs, resources, duration, error, updated)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (org, layer) DO UPDATE SET state = excluded.state, outputs = excluded.outputs,
		resources = excluded.resources, duration = excluded.duration, error = excluded.error, updated = excluded.updated`,
		org, l.Layer, l.State, outputs, l.Resources, int64(l.Duration), l.Error, stamp(r.now()))
	if err != nil {
		return fmt.Errorf("record layer %s of org %s: %w", l.Layer, org, err)
	}
	return nil
}

// Layers returns what is known of the org's layers, by layer.
func (r *Registry) Layers(ctx context.Context, org string) (map[string]Layer, error) {
	rows, err := r.db.QueryContext(ctx,
		`SELECT layer, state, outputs, resources, duration, error, updated FROM layers WHERE org = ?`, org)
	if err != nil {
		return nil, fmt.Errorf("read the layers of org %s: %w", org, err)
	}
	defer func() { _ = rows.Close() }()
	out := map[string]Layer{}
	for rows.Next() {
		var l Layer
		var outputs []byte
		var dur int64
		var updated string
		if err := rows.Scan(&l.Layer, &l.State, &outputs, &l.Resources, &dur, &l.Error, &updated); err != nil {
			return nil, fmt.Errorf("read the layers of org %s: %w", org, err)
		}
		if err := json.Unmarshal(outputs, &l.Outputs); err != nil {
			return nil, fmt.Errorf("read the outputs of layer %s of org %s: %w", l.Layer, org, err)
		}
		l.Duration = time.Duration(dur)
		if l.Updated, err = unstamp(updated); err != nil {
			return nil, err
		}
		out[l.Layer] = l
	}
	return out, rows.Err()
}

// Last returns the org's newest operation, nil if there was none.
func (r *Registry) Last(ctx context.Context, org string) (*event.Operation, error) {
	op, err := scanOperation(r.db.QueryRowContext(ctx, `SELECT org, id, kind, state, started, finished, error FROM operations
		WHERE org = ? ORDER BY started DESC, id DESC LIMIT 1`, org))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil //nolint:nilnil // no operation is an answer
	}
	if err != nil {
		return nil, fmt.Errorf("read the operations of org %s: %w", org, err)
	}
	return &op, nil
}

func scanOperation(row interface{ Scan(...any) error }) (op event.Operation, err error) {
	var started, finished string
	if err := row.Scan(&op.Org, &op.ID, &op.Kind, &op.State, &started, &finished, &op.Error); err != nil {
		return op, err
	}
	if op.Started, err = unstamp(started); err != nil {
		return op, err
	}
	if finished != "" {
		op.Finished, err = unstamp(finished)
	}
	return op, err
}

// stamp writes a time so that text order is time order.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000000Z") }

func unstamp(s string) (time.Time, error) {
	t, err := time.Parse("2006-01-02T15:04:05.000000000Z", s)
	if err != nil {
		return t, fmt.Errorf("read a time in the registry: %w", err)
	}
	return t, nil
}
