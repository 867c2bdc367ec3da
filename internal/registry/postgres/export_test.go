package postgres

import "context"

// Database gives tests the transactions that the store is made of.
type Database = database

// Connect is Open without the store around it.
func Connect(ctx context.Context, url string, o ...Option) (*Database, error) {
	return connect(ctx, url, o)
}
