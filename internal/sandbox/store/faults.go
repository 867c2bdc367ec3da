package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// Fault is an injected failure of an API call, for a number of times that all
// processes share.
type Fault struct {
	Service, Action, Kind string
	Remaining             int
}

// SetFault stores a fault; it replaces the one of the same call.
func (s *Store) SetFault(ctx context.Context, f Fault) error {
	if _, err := s.write.ExecContext(ctx, `insert into faults (service, action, kind, remaining) values (?,?,?,?)
		on conflict (service, action) do update set kind = excluded.kind, remaining = excluded.remaining`,
		f.Service, f.Action, f.Kind, f.Remaining); err != nil {
		return fmt.Errorf("set fault: %w", err)
	}
	return nil
}

// TakeFault uses up one of a call's faults and returns its kind, "" if there is none.
func (s *Store) TakeFault(ctx context.Context, service, action string) (string, error) {
	// Nearly always there is none, and a read does not wait for writers.
	var left int
	err := s.read.QueryRowContext(ctx, `select remaining from faults where service = ? and action = ?`, service, action).Scan(&left)
	if errors.Is(err, sql.ErrNoRows) || err == nil && left <= 0 {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read fault: %w", err)
	}
	var kind string
	err = s.write.QueryRowContext(ctx, `update faults set remaining = remaining - 1
		where service = ? and action = ? and remaining > 0 returning kind`, service, action).Scan(&kind)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("take fault: %w", err)
	}
	return kind, nil
}

// Faults lists the faults that remain.
func (s *Store) Faults(ctx context.Context) ([]Fault, error) {
	rows, err := s.read.QueryContext(ctx, `select service, action, kind, remaining from faults where remaining > 0 order by service, action`)
	if err != nil {
		return nil, fmt.Errorf("list faults: %w", err)
	}
	defer rows.Close()
	var out []Fault
	for rows.Next() {
		var f Fault
		if err := rows.Scan(&f.Service, &f.Action, &f.Kind, &f.Remaining); err != nil {
			return nil, fmt.Errorf("list faults: %w", err)
		}
		out = append(out, f)
	}
	return out, rows.Err()
}
