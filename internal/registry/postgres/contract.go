package postgres

import "context"

// Tx and Rows: see sqlstore.
type Tx interface {
	Exec(ctx context.Context, statement string, args ...any) (int64, error)
	Query(ctx context.Context, statement string, args ...any) (Rows, error)
}

// Rows are those that a query returned.
type Rows interface {
	Next() bool
	Scan(dest ...any) error
	Err() error
	Close() error
}
