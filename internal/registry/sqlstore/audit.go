package sqlstore

import (
	"context"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/registry"
)

// done is the result of what was done as it was asked.
const done = "done"

// audit adds an entry to the org's log, in the transaction of what it is about.
func (s *orgStore) audit(ctx context.Context, tx tx, what, result string) error {
	e := event.AuditEntry{Org: s.org(), At: s.now().UTC().Round(0), Actor: s.c.Actor(), Request: s.c.Request(), What: what, Result: result}
	e, err := chained(ctx, tx, e, selectAuditHead, s.org())
	if err != nil {
		return err
	}
	return tx.exec(ctx, putAudit, e.Org, e.Seq, stamp(e.At), e.Actor, e.Request, e.What, e.Result, e.Previous, e.Hash)
}

// chained puts the entry at the end of the log whose head the statement reads.
func chained(ctx context.Context, tx tx, e event.AuditEntry, head statement, args ...any) (event.AuditEntry, error) {
	last, _, err := one(ctx, tx, func(r row) (l event.AuditEntry, err error) {
		err = r.Scan(&l.Seq, &l.Hash)
		return l, err
	}, head, args...)
	if err != nil {
		return e, err
	}
	e.Seq, e.Previous = last.Seq+1, last.Hash
	e.Hash, err = registry.Chain(e)
	return e, err
}

// Audited returns the entries of the org's log that follow another.
func (s *orgStore) Audited(ctx context.Context, after int64) (all []event.AuditEntry, err error) {
	err = s.read(ctx, "read the audit log", func(tx tx) error {
		all, err = list(ctx, tx, scanAudit, selectAudit, s.org(), after)
		return err
	})
	return all, err
}

func scanAudit(r row) (e event.AuditEntry, err error) {
	var at string
	if err := r.Scan(&e.Org, &e.Seq, &at, &e.Actor, &e.Request, &e.What, &e.Result, &e.Previous, &e.Hash); err != nil {
		return e, err
	}
	e.At, err = unstamp(at)
	return e, err
}
