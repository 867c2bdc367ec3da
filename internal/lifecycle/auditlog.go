package lifecycle

import (
	"context"
	"errors"
	"iter"
	"slices"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/registry"
)

// AuditLog returns who did what for an org, from an entry on; an empty org is the
// fleet's own log.
func (s *Service) AuditLog(ctx context.Context, org string, after int64) (event.AuditLog, error) {
	out := event.AuditLog{Org: org, Entries: []event.AuditEntry{}}
	for page, err := range s.auditPages(ctx, org, after) {
		if err != nil {
			return event.AuditLog{Org: org}, fail(org, "", err)
		}
		out.Entries = append(out.Entries, page...)
	}
	return out, nil
}

// AuditPage returns the first entries of a log from an entry on, at most as many
// as a registry reads at once. None is left when there are none.
func (s *Service) AuditPage(ctx context.Context, org string, after int64) (event.AuditLog, error) {
	for page, err := range s.auditPages(ctx, org, after) {
		if err != nil {
			return event.AuditLog{Org: org}, fail(org, "", err)
		}
		return event.AuditLog{Org: org, Entries: page}, nil
	}
	return event.AuditLog{Org: org, Entries: []event.AuditEntry{}}, nil
}

// auditPages reads a log from an entry on. A log of an org that was never
// onboarded is an error, and has no pages.
func (s *Service) auditPages(ctx context.Context, org string, after int64) iter.Seq2[[]event.AuditEntry, error] {
	return func(yield func([]event.AuditEntry, error) bool) {
		read := func(after int64) ([]event.AuditEntry, error) { return s.of(org).Audited(ctx, after) }
		if org == "" {
			// Each read is an entry of the fleet's log, and so the last page has those of
			// the reads before it.
			read = func(after int64) ([]event.AuditEntry, error) { return s.fleet().Audited(ctx, after) }
		}
		for first := true; ; first = false {
			page, err := read(after)
			if err == nil && len(page) == 0 && first && after == 0 && org != "" {
				_, err = s.of(org).Org(ctx)
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if len(page) == 0 || !yield(page, nil) || len(page) < registry.AuditPage {
				return
			}
			after = page[len(page)-1].Seq
		}
	}
}

// VerifyAuditLog says whether a log is as it was written. With a hash, the log has
// to have the entry that it is of: entries that were cut off at the end leave a
// log that is whole in itself.
func (s *Service) VerifyAuditLog(ctx context.Context, org, hash string) (event.AuditVerdict, error) {
	out := event.AuditVerdict{Org: org, OK: true}
	var last event.AuditEntry
	found := hash == ""
	for page, err := range s.auditPages(ctx, org, 0) {
		if err != nil {
			return event.AuditVerdict{Org: org}, fail(org, "", err)
		}
		if out.OK {
			switch err := registry.Verify(last, page); {
			case errors.Is(err, registry.ErrAppended):
				out.OK, out.Problem = false, err.Error()
			case err != nil:
				return out, fail(org, "", err)
			}
		}
		found = found || slices.ContainsFunc(page, func(e event.AuditEntry) bool { return e.Hash == hash })
		last = page[len(page)-1]
		out.Entries, out.Head = out.Entries+int64(len(page)), last.Hash
	}
	if out.OK && !found {
		out.OK, out.Problem = false, "no entry has the hash "+hash+": entries are missing at its end"
	}
	return out, nil
}
