// Package sqlstore is the registry over a SQL database. The statements are the
// same for every database; a driver gives it transactions that are bound to one
// org, and the four statements of the ledger.
package sqlstore

import "context"

// Database is what a driver offers.
type Database interface {
	// Read and Write run fn in a transaction that touches the records of one org.
	// A Write excludes every other Write on that org, from before fn's first
	// statement until its end. What fn did is undone if it returns an error.
	Read(ctx context.Context, org string, fn func(Tx) error) error
	Write(ctx context.Context, org string, fn func(Tx) error) error
	// Fleet runs fn in a transaction that reads the records of all orgs and may
	// append to the fleet's audit log. It excludes every other Fleet.
	Fleet(ctx context.Context, fn func(Tx) error) error
	// Snapshot runs fn in a transaction that reads the records of all orgs as they
	// are at one moment, and changes nothing. It excludes nobody.
	Snapshot(ctx context.Context, fn func(Tx) error) error
	Close() error
}

// Tx is a transaction.
type Tx interface {
	// Exec runs a statement, and returns how many rows it changed.
	Exec(ctx context.Context, statement string, args ...any) (int64, error)
	// Query runs a statement that returns rows. They have to be closed before the
	// next statement.
	Query(ctx context.Context, statement string, args ...any) (Rows, error)
}

// Rows are those that a query returned.
type Rows interface {
	Next() bool
	Scan(dest ...any) error
	Err() error
	Close() error
}
