package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Tx is one transaction.
type Tx struct {
	ctx context.Context
	tx  *sql.Tx
}

// Row is one resource. Account, Region, Type and ID are its key.
type Row struct {
	Account string
	Region  string // Global where the type has none
	Type    string
	ID      string
	ARN     string
	URN     string // who made it, as the engine calls it; empty: not the engine
	ByCloud bool   // AWS made it by itself
	Inputs  map[string]any
	Outputs map[string]any
	Created time.Time
}

// DuplicateError says that another resource has the identity.
type DuplicateError struct{ Key string }

// Error names the identity.
func (e *DuplicateError) Error() string { return "identity is taken: " + e.Key }

// Filter selects rows; an empty field selects all.
type Filter struct {
	Account, Region, Type, ID, ARN string
}

const columns = "account, region, type, id, arn, urn, by_cloud, inputs, outputs, created"

// Get returns one row, or nil if there is none.
func (t *Tx) Get(account, region, typ, id string) (*Row, error) {
	rows, err := t.List(Filter{Account: account, Region: region, Type: typ, ID: id})
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return &rows[0], nil
}

// List returns rows in the order in which they were made.
func (t *Tx) List(f Filter) ([]Row, error) {
	var where []string
	var args []any
	for _, c := range []struct{ column, value string }{
		{"account", f.Account}, {"region", f.Region}, {"type", f.Type}, {"id", f.ID}, {"arn", f.ARN},
	} {
		if c.value != "" {
			where, args = append(where, c.column+" = ?"), append(args, c.value)
		}
	}
	q := "select " + columns + " from resources"
	if len(where) > 0 {
		q += " where " + strings.Join(where, " and ")
	}
	return t.query(q+" order by rowid", args...)
}

func (t *Tx) query(q string, args ...any) ([]Row, error) {
	rows, err := t.tx.QueryContext(t.ctx, q, args...)
	if err != nil {
		return nil, fmt.Errorf("list resources: %w", err)
	}
	defer rows.Close()
	var out []Row
	for rows.Next() {
		var r Row
		var in, props, created string
		if err := rows.Scan(&r.Account, &r.Region, &r.Type, &r.ID, &r.ARN, &r.URN, &r.ByCloud, &in, &props, &created); err != nil {
			return nil, fmt.Errorf("read resource: %w", err)
		}
		if err := errors.Join(json.Unmarshal([]byte(in), &r.Inputs), json.Unmarshal([]byte(props), &r.Outputs)); err != nil {
			return nil, fmt.Errorf("read resource %s %s: %w", r.Type, r.ID, err)
		}
		if r.Created, err = time.Parse(time.RFC3339Nano, created); err != nil {
			return nil, fmt.Errorf("read resource %s %s: %w", r.Type, r.ID, err)
		}
		out = append(out, r)
	}
	return out, rows.Err()
}

// Put writes a row, new or not, and makes keys the identities that it claims.
// It returns a *DuplicateError if another row has one of them.
func (t *Tx) Put(r Row, keys ...string) error {
	in, err := encode(r.Inputs)
	if err != nil {
		return fmt.Errorf("store %s %s: %w", r.Type, r.ID, err)
	}
	props, err := encode(r.Outputs)
	if err != nil {
		return fmt.Errorf("store %s %s: %w", r.Type, r.ID, err)
	}
	if r.Region == "" {
		r.Region = Global
	}
	if _, err := t.tx.ExecContext(t.ctx, `insert into resources (`+columns+`) values (?,?,?,?,?,?,?,?,?,?)
		on conflict (account, region, type, id) do update set
		arn = excluded.arn, urn = excluded.urn, by_cloud = excluded.by_cloud, inputs = excluded.inputs, outputs = excluded.outputs`,
		r.Account, r.Region, r.Type, r.ID, r.ARN, r.URN, r.ByCloud, in, props, r.Created.UTC().Format(time.RFC3339Nano)); err != nil {
		return fmt.Errorf("store %s %s: %w", r.Type, r.ID, err)
	}
	if _, err := t.tx.ExecContext(t.ctx, `delete from identities where account = ? and region = ? and type = ? and id = ?`,
		r.Account, r.Region, r.Type, r.ID); err != nil {
		return fmt.Errorf("store identities of %s %s: %w", r.Type, r.ID, err)
	}
	for _, key := range keys {
		res, err := t.tx.ExecContext(t.ctx, `insert into identities (key, account, region, type, id) values (?,?,?,?,?)
			on conflict (key) do nothing`, key, r.Account, r.Region, r.Type, r.ID)
		if err != nil {
			return fmt.Errorf("store identity %s: %w", key, err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(&DuplicateError{Key: key}, err)
		}
	}
	return nil
}

func encode(m map[string]any) (string, error) {
	if m == nil {
		m = map[string]any{}
	}
	b, err := json.Marshal(m)
	return string(b), err
}

// Owner returns the row that has an identity, or nil.
func (t *Tx) Owner(key string) (*Row, error) {
	rows, err := t.query(`select r.account, r.region, r.type, r.id, r.arn, r.urn, r.by_cloud, r.inputs, r.outputs, r.created
		from identities i join resources r using (account, region, type, id) where i.key = ?`, key)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return &rows[0], nil
}

// Keys returns the identities that a row claims.
func (t *Tx) Keys(r Row) ([]string, error) {
	rows, err := t.tx.QueryContext(t.ctx, `select key from identities where account = ? and region = ? and type = ? and id = ? order by key`,
		r.Account, r.Region, r.Type, r.ID)
	if err != nil {
		return nil, fmt.Errorf("list identities: %w", err)
	}
	defer rows.Close()
	var keys []string
	for rows.Next() {
		var k string
		if err := rows.Scan(&k); err != nil {
			return nil, fmt.Errorf("list identities: %w", err)
		}
		keys = append(keys, k)
	}
	return keys, rows.Err()
}

// Delete removes a row and its identities; a row that is not there is no error.
func (t *Tx) Delete(r Row) error {
	_, err := t.tx.ExecContext(t.ctx, `delete from resources where account = ? and region = ? and type = ? and id = ?`,
		r.Account, r.Region, r.Type, r.ID)
	if err != nil {
		return fmt.Errorf("delete %s %s: %w", r.Type, r.ID, err)
	}
	return nil
}

// Next counts: it returns 1 the first time that it is called with a name, then 2.
func (t *Tx) Next(name string) (int64, error) {
	var n int64
	err := t.tx.QueryRowContext(t.ctx, `insert into counters (name, value) values (?, 1)
		on conflict (name) do update set value = value + 1 returning value`, name).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count %s: %w", name, err)
	}
	return n, nil
}

// Count returns how often Next was called with a name.
func (t *Tx) Count(name string) (int64, error) {
	var n int64
	err := t.tx.QueryRowContext(t.ctx, `select value from counters where name = ?`, name).Scan(&n)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return 0, fmt.Errorf("count %s: %w", name, err)
	}
	return n, nil
}

// Setting returns a setting's value, "" if there is none.
func (t *Tx) Setting(name string) (string, error) {
	var v string
	err := t.tx.QueryRowContext(t.ctx, `select value from settings where name = ?`, name).Scan(&v)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("setting %s: %w", name, err)
	}
	return v, nil
}

// Set stores a setting.
func (t *Tx) Set(name, value string) error {
	if _, err := t.tx.ExecContext(t.ctx, `insert into settings (name, value) values (?, ?)
		on conflict (name) do update set value = excluded.value`, name, value); err != nil {
		return fmt.Errorf("set %s: %w", name, err)
	}
	return nil
}
