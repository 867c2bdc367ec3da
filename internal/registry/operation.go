package registry

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"

	"freehold.dev/freehold/internal/event"
)

// ErrBusy is wrapped when another operation holds the org.
var ErrBusy = errors.New("another operation holds the org")

// Operation is a running operation. It holds its org until End.
type Operation struct {
	event.Operation
	// Interrupted are earlier operations whose process was killed. Begin has
	// ended them; their terminal event is the caller's to send.
	Interrupted []event.Operation
	// Unclean is true when the operation before this one did not succeed, so
	// that something may have been made that no state records.
	Unclean bool

	r    *Registry
	lock *flock.Flock
}

// Begin starts an operation on the org, or wraps ErrBusy. The org is held as
// long as this process lives and has not called End.
func (r *Registry) Begin(ctx context.Context, org, kind string) (*Operation, error) {
	if err := os.MkdirAll(r.locks, 0o700); err != nil {
		return nil, fmt.Errorf("hold org %s: %w", org, err)
	}
	lock := flock.New(filepath.Join(r.locks, org+".lock"), flock.SetPermissions(0o600))
	ok, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("hold org %s: %w", org, err)
	}
	if !ok {
		return nil, r.busy(ctx, org)
	}
	op, err := r.begin(ctx, org, kind)
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	op.r, op.lock = r, lock
	return op, nil
}

// busy says who holds the org, as far as it is known.
func (r *Registry) busy(ctx context.Context, org string) error {
	last, err := r.Last(ctx, org)
	if err != nil {
		return errors.Join(fmt.Errorf("%w %s", ErrBusy, org), err)
	}
	if last != nil && last.State == stateRunning {
		return fmt.Errorf("%w %s: %s %s, running since %s", ErrBusy, org, last.Kind, last.ID,
			last.Started.Format(time.RFC3339))
	}
	return fmt.Errorf("%w %s", ErrBusy, org)
}

const stateRunning = "running"

func (r *Registry) begin(ctx context.Context, org, kind string) (_ *Operation, err error) {
	tx, err := r.db.BeginTx(ctx, nil)
	if err != nil {
		return nil, fmt.Errorf("begin %s of org %s: %w", kind, org, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("begin %s of org %s: %w", kind, org, err), tx.Rollback())
		}
	}()
	op := &Operation{}
	var last string
	if err = tx.QueryRowContext(ctx, `SELECT coalesce((SELECT state FROM operations WHERE org = ?
		ORDER BY started DESC, id DESC LIMIT 1), '')`, org).Scan(&last); err != nil {
		return nil, err
	}
	op.Unclean = last != "" && last != "succeeded"
	rows, err := tx.QueryContext(ctx, `UPDATE operations SET state = 'failed', finished = ?,
		error = 'interrupted: its process ended before it did' WHERE org = ? AND state = ?
		RETURNING org, id, kind, state, started, finished, error`, stamp(r.now()), org, stateRunning)
	if err != nil {
		return nil, err
	}
	for rows.Next() {
		dead, err := scanOperation(rows)
		if err != nil {
			return nil, errors.Join(err, rows.Close())
		}
		op.Interrupted = append(op.Interrupted, dead)
	}
	if err = rows.Err(); err != nil {
		return nil, err
	}
	op.Operation = event.Operation{ID: rand.Text(), Org: org, Kind: kind, State: stateRunning, Started: r.now()}
	if _, err = tx.ExecContext(ctx, `INSERT INTO operations (org, id, kind, state, started) VALUES (?, ?, ?, ?, ?)`,
		org, op.ID, kind, stateRunning, stamp(op.Started)); err != nil {
		return nil, err
	}
	return op, tx.Commit()
}

// End records how the operation ended and lets go of the org. It is also
// called when ctx has ended: the record must be written all the same.
func (o *Operation) End(ctx context.Context, state, message string) error {
	ctx = context.WithoutCancel(ctx)
	_, err := o.r.db.ExecContext(ctx, `UPDATE operations SET state = ?, finished = ?, error = ? WHERE org = ? AND id = ?`,
		state, stamp(o.r.now()), message, o.Org, o.ID)
	if err != nil {
		err = fmt.Errorf("end %s of org %s: %w", o.Kind, o.Org, err)
	}
	return errors.Join(err, o.lock.Close())
}

// lockFile waits for a file's lock.
func lockFile(ctx context.Context, name string) (*flock.Flock, error) {
	l := flock.New(name, flock.SetPermissions(0o600))
	if _, err := l.TryLockContext(ctx, 20*time.Millisecond); err != nil {
		return nil, fmt.Errorf("lock %s: %w", name, err)
	}
	return l, nil
}
