package lifecycle_test

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/lifecycle"
	"freehold.dev/freehold/internal/orgcontext"
	"freehold.dev/freehold/internal/orgcontext/orgcontexttest"
	"freehold.dev/freehold/internal/registry"
	"freehold.dev/freehold/internal/registry/sqlite"
)

// A log is longer than what is read of it at once.
func TestALongAuditLogIsReadAndVerifiedToItsEnd(t *testing.T) {
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "registry.db"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	s := &lifecycle.Service{Records: lifecycle.Records{Registry: store, Who: orgcontexttest.Everybody{}}, Now: time.Now}
	const entries = 2*registry.AuditPage + 7
	note := registry.Note{By: orgcontexttest.For("acme"), What: "/x", Result: "allowed: y"}
	if err := store.Org(orgcontexttest.For("acme")).Note(t.Context(), slices.Repeat([]registry.Note{note}, entries)...); err != nil {
		t.Fatal(err)
	}
	log, err := s.AuditLog(t.Context(), "acme", 0)
	if err != nil || len(log.Entries) != entries || registry.Verify(event.AuditEntry{}, log.Entries) != nil {
		t.Fatalf("%d entries, expected %d: %v", len(log.Entries), entries, err)
	}
	page, err := s.AuditPage(t.Context(), "acme", 5)
	if err != nil || len(page.Entries) != registry.AuditPage || page.Entries[0].Seq != 6 {
		t.Errorf("a page has %d entries: %v", len(page.Entries), err)
	}
	for what, c := range map[string]struct {
		hash string
		ok   bool
	}{
		"without a hash":                   {"", true},
		"with the hash of an early entry":  {log.Entries[0].Hash, true},
		"with the hash of the last entry":  {log.Entries[entries-1].Hash, true},
		"with the hash of no entry at all": {"0", false},
	} {
		v, err := s.VerifyAuditLog(t.Context(), "acme", c.hash)
		if err != nil || v.OK != c.ok || v.Entries != entries || v.Head != log.Entries[entries-1].Hash {
			t.Errorf("%s: %+v, %v", what, v, err)
		}
	}
	if _, err := s.AuditLog(t.Context(), "globex", 0); !errors.Is(err, registry.ErrUnknownOrg) {
		t.Errorf("the log of an org that was never onboarded: %v", err)
	}
	if v, err := s.VerifyAuditLog(t.Context(), "globex", ""); !errors.Is(err, registry.ErrUnknownOrg) || v.OK {
		t.Errorf("its verdict: %+v, %v", v, err)
	}
	fleet, err := s.AuditLog(t.Context(), "", 0)
	if err != nil || registry.Verify(event.AuditEntry{}, fleet.Entries) != nil {
		t.Errorf("the fleet's log: %v", err)
	}
}

// An entry that was changed in the second page is found there.
func TestAChangeFarIntoAnAuditLogIsFound(t *testing.T) {
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "registry.db"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	note := registry.Note{By: orgcontexttest.For("acme"), What: "/x", Result: "allowed: y"}
	if err := store.Org(orgcontexttest.For("acme")).Note(t.Context(), slices.Repeat([]registry.Note{note}, registry.AuditPage+50)...); err != nil {
		t.Fatal(err)
	}
	for _, changed := range []int64{1, registry.AuditPage, registry.AuditPage + 1, registry.AuditPage + 50} {
		s := &lifecycle.Service{Records: lifecycle.Records{Registry: tampered{store, changed}, Who: orgcontexttest.Everybody{}}, Now: time.Now}
		v, err := s.VerifyAuditLog(t.Context(), "acme", "")
		if err != nil || v.OK || v.Problem == "" || v.Entries != registry.AuditPage+50 {
			t.Errorf("entry %d: %+v, %v", changed, v, err)
		}
	}
}

// tampered is a registry in which somebody changed an entry of the audit log.
type tampered struct {
	registry.Store

	seq int64
}

func (s tampered) Org(c orgcontext.Context) registry.OrgStore {
	return tamperedOrg{s.Store.Org(c), s.seq}
}

type tamperedOrg struct {
	registry.OrgStore

	seq int64
}

func (s tamperedOrg) Audited(ctx context.Context, after int64) ([]event.AuditEntry, error) {
	all, err := s.OrgStore.Audited(ctx, after)
	for i := range all {
		if all[i].Seq == s.seq {
			all[i].Actor = "somebody else"
		}
	}
	return all, err
}
