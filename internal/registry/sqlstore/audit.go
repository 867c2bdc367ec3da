package sqlstore

import (
	"context"
	"fmt"
	"slices"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/orgcontext"
	"freehold.dev/freehold/internal/registry"
)

// done is the result of what was done as it was asked.
const done = "done"

// audit adds an entry to the org's log, in the transaction of what it is about.
func (s *orgStore) audit(ctx context.Context, tx tx, what, result string) error {
	return orgEntries(ctx, tx, s.org(), s.entry(s.c, what, result))
}

func (s *orgStore) entry(by orgcontext.Context, what, result string) event.AuditEntry {
	return event.AuditEntry{Org: s.org(), At: s.now().UTC().Round(0), Actor: by.Actor(), Request: by.Request(), What: what, Result: result}
}

// orgEntries adds entries to an org's log.
func orgEntries(ctx context.Context, tx tx, org string, entries ...event.AuditEntry) error {
	last, err := head(ctx, tx, selectAuditHead, org)
	if err != nil {
		return err
	}
	var rows [][]any
	for _, e := range entries {
		if last, err = chained(last, e); err != nil {
			return err
		}
		rows = append(rows, []any{last.Seq, stamp(last.At), last.Actor, last.Request, last.What, last.Result, last.Previous, last.Hash})
	}
	for together := range slices.Chunk(rows, auditsAtOnce) {
		if len(together) == auditsAtOnce {
			if err := tx.exec(ctx, putAudits, append([]any{org}, slices.Concat(together...)...)...); err != nil {
				return err
			}
			continue
		}
		for _, row := range together {
			if err := tx.exec(ctx, putAudit, append([]any{org}, row...)...); err != nil {
				return err
			}
		}
	}
	return nil
}

// auditsAtOnce is how many rows putAudits has.
const auditsAtOnce = 16

// head is the last entry of the log whose head the statement reads, as far as the
// next one depends on it.
func head(ctx context.Context, tx tx, s statement, args ...any) (event.AuditEntry, error) {
	last, _, err := one(ctx, tx, func(r row) (l event.AuditEntry, err error) {
		err = r.Scan(&l.Seq, &l.Hash)
		return l, err
	}, s, args...)
	return last, err
}

// chained is the entry as it follows another.
func chained(last, e event.AuditEntry) (event.AuditEntry, error) {
	e.Seq, e.Previous = last.Seq+1, last.Hash
	var err error
	e.Hash, err = registry.Chain(e)
	return e, err
}

// Note adds entries about how requests were decided.
func (s *orgStore) Note(ctx context.Context, notes ...registry.Note) error {
	return s.write(ctx, "note how requests were decided", func(tx tx) error {
		entries := make([]event.AuditEntry, len(notes))
		for i, n := range notes {
			if n.By.Org() != s.org() || !n.By.Valid() {
				return registry.ErrNoOrg
			}
			entries[i] = s.entry(n.By, n.What, n.Result)
		}
		return orgEntries(ctx, tx, s.org(), entries...)
	})
}

// Refused notes that somebody was refused.
func (s *Store) Refused(ctx context.Context, w orgcontext.Witness, what, reason string) error {
	e := event.AuditEntry{Org: w.Org(), At: s.now().UTC().Round(0), Actor: w.Actor(), Request: w.Request(), What: what, Result: reason}
	var err error
	switch {
	case !w.Valid():
		err = registry.ErrNoOrg
	case w.Org() == "":
		err = s.db.Fleet(ctx, func(t Tx) error { return fleetEntries(ctx, tx{t}, e) })
	default:
		err = s.db.Write(ctx, w.Org(), func(t Tx) error { return orgEntries(ctx, tx{t}, w.Org(), e) })
	}
	if err != nil {
		return fmt.Errorf("note that somebody was refused: %w", err)
	}
	return nil
}

// Audited returns the entries of the org's log that follow another.
func (s *orgStore) Audited(ctx context.Context, after int64) (all []event.AuditEntry, err error) {
	err = s.read(ctx, "read the audit log", func(tx tx) error {
		all, err = list(ctx, tx, scanAudit, selectAudit, s.org(), after, registry.AuditPage)
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
