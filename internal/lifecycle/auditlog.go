package lifecycle

import (
	"context"
	"errors"
	"slices"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/registry"
)

// AuditLog returns who did what for an org, from an entry on; an empty org is the
// fleet's own log.
func (s *Service) AuditLog(ctx context.Context, org string, after int64) (event.AuditLog, error) {
	entries, err := s.auditEntries(ctx, org, after)
	if err != nil {
		return event.AuditLog{Org: org}, fail(org, "", err)
	}
	if entries == nil {
		entries = []event.AuditEntry{}
	}
	return event.AuditLog{Org: org, Entries: entries}, nil
}

func (s *Service) auditEntries(ctx context.Context, org string, after int64) ([]event.AuditEntry, error) {
	if org == "" {
		return s.fleet().Audited(ctx, after)
	}
	entries, err := s.of(org).Audited(ctx, after)
	if err == nil && len(entries) == 0 && after == 0 {
		_, err = s.of(org).Org(ctx)
	}
	return entries, err
}

// VerifyAuditLog says whether a log is as it was written. With a hash, the log has
// to have the entry that it is of: entries that were cut off at the end leave a
// log that is whole in itself.
func (s *Service) VerifyAuditLog(ctx context.Context, org, hash string) (event.AuditVerdict, error) {
	out := event.AuditVerdict{Org: org}
	entries, err := s.auditEntries(ctx, org, 0)
	if err != nil {
		return out, fail(org, "", err)
	}
	out.Entries, out.OK = int64(len(entries)), true
	if len(entries) > 0 {
		out.Head = entries[len(entries)-1].Hash
	}
	switch err := registry.Verify(event.AuditEntry{}, entries); {
	case errors.Is(err, registry.ErrAppended):
		out.OK, out.Problem = false, err.Error()
	case err != nil:
		return out, fail(org, "", err)
	case hash != "" && !slices.ContainsFunc(entries, func(e event.AuditEntry) bool { return e.Hash == hash }):
		out.OK, out.Problem = false, "no entry has the hash "+hash+": entries are missing at its end"
	}
	return out, nil
}
