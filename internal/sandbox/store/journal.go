package store

import (
	"context"
	"fmt"
	"time"
)

// Entry is one API call in the journal. It holds no property: secrets stay out.
type Entry struct {
	Seq     int64
	Time    time.Time
	Account string
	Region  string
	Service string
	Action  string
	Type    string
	ID      string
	URN     string
	Outcome string // "ok", or the error's code
	Latency time.Duration
}

// Journal appends an entry. In the transaction of the change itself, the two
// are there together or not at all.
func (t *Tx) Journal(e Entry) error {
	if _, err := t.tx.ExecContext(t.ctx, `insert into journal
		(time, account, region, service, action, type, id, urn, outcome, latency_ms) values (?,?,?,?,?,?,?,?,?,?)`,
		e.Time.UTC().Format(time.RFC3339Nano), e.Account, e.Region, e.Service, e.Action, e.Type, e.ID, e.URN, e.Outcome, e.Latency.Milliseconds()); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	return nil
}

// Entries returns the journal after an entry's number, oldest first.
func (s *Store) Entries(ctx context.Context, after int64) ([]Entry, error) {
	rows, err := s.read.QueryContext(ctx, `select seq, time, account, region, service, action, type, id, urn, outcome, latency_ms
		from journal where seq > ? order by seq`, after)
	if err != nil {
		return nil, fmt.Errorf("read journal: %w", err)
	}
	defer rows.Close()
	var out []Entry
	for rows.Next() {
		var e Entry
		var at string
		var ms int64
		if err := rows.Scan(&e.Seq, &at, &e.Account, &e.Region, &e.Service, &e.Action, &e.Type, &e.ID, &e.URN, &e.Outcome, &ms); err != nil {
			return nil, fmt.Errorf("read journal: %w", err)
		}
		if e.Time, err = time.Parse(time.RFC3339Nano, at); err != nil {
			return nil, fmt.Errorf("read journal: %w", err)
		}
		e.Latency = time.Duration(ms) * time.Millisecond
		out = append(out, e)
	}
	return out, rows.Err()
}
