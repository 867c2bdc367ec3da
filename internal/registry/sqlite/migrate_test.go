package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gofrs/flock"
	"github.com/google/go-cmp/cmp"
	"github.com/pressly/goose/v3"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/registry"
	"freehold.dev/freehold/internal/registry/sqlite"
)

// raw is the file without what sqlite.Open does.
func raw(t *testing.T, file string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+file+"?_pragma=busy_timeout(30000)&_pragma=journal_mode(WAL)&_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func exec(t *testing.T, db *sql.DB, statements ...string) {
	t.Helper()
	for _, s := range statements {
		if _, err := db.ExecContext(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

// beforeLeases makes a file as the versions before leases left it: acme's last
// operation failed, globex's succeeded, and initech's was killed.
func beforeLeases(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "registry.db")
	db := raw(t, file)
	p, err := goose.NewProvider(goose.DialectSQLite3, db, os.DirFS("migrations"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.UpTo(t.Context(), 3); err != nil {
		t.Fatal(err)
	}
	exec(
		t, db,
		`INSERT INTO orgs (org, state, plan, hash, hash_version, updated, management) VALUES
		('acme', 'failed', CAST('{"org":"acme"}' AS BLOB), 'h', 1, '2026-05-01T00:00:00.000000000Z', '111122223333'),
		('globex', 'ready', CAST('{}' AS BLOB), 'h', 1, '2026-05-01T00:00:00.000000000Z', ''),
		('initech', 'onboarding', CAST('{}' AS BLOB), 'h', 1, '2026-05-01T00:00:00.000000000Z', '')`,
		`INSERT INTO layers (org, layer, state, outputs, resources, duration, error, updated) VALUES
		('acme', 'account', 'done', CAST('{"accountId":"1"}' AS BLOB), 3, 1000, '', '2026-05-01T00:00:00.000000000Z'),
		('acme', 'boundary', 'failed', CAST('null' AS BLOB), 0, 0, 'no', '2026-05-01T00:00:00.000000000Z'),
		('acme', 'cluster', 'removed', CAST('null' AS BLOB), 0, 0, '', '2026-05-01T00:00:00.000000000Z'),
		('acme', 'bootstrap', 'removed', NULL, 0, 0, '', '2026-05-01T00:00:00.000000000Z'),
		('globex', 'account', 'done', CAST('{"accountId":"2"}' AS BLOB), 3, 1000, '', '2026-05-01T00:00:00.000000000Z'),
		('initech', 'account', 'done', CAST('{"accountId":"3"}' AS BLOB), 3, 1000, '', '2026-05-01T00:00:00.000000000Z')`,
		`INSERT INTO operations (org, id, kind, state, started, finished, error) VALUES
		('acme', 'OLDER', 'onboard', 'succeeded', '2026-05-01T00:00:00.000000000Z', '2026-05-01T00:01:00.000000000Z', ''),
		('acme', 'NEWER', 'onboard', 'failed', '2026-05-02T00:00:00.000000000Z', '2026-05-02T00:01:00.000000000Z', 'no'),
		('globex', 'OLDER', 'onboard', 'failed', '2026-05-01T00:00:00.000000000Z', '2026-05-01T00:01:00.000000000Z', 'no'),
		('globex', 'NEWER', 'onboard', 'succeeded', '2026-05-02T00:00:00.000000000Z', '2026-05-02T00:01:00.000000000Z', ''),
		('initech', 'KILLED', 'onboard', 'running', '2026-05-02T00:00:00.000000000Z', '', '')`,
		`INSERT INTO ledger (org, kind, value, claimed) VALUES ('acme', 'account', '1', '2026-05-01T00:00:00.000000000Z')`,
	)
	return file
}

func TestAFileOfAnEarlierVersionIsRead(t *testing.T) {
	at := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	s := open(t, beforeLeases(t), func() time.Time { return at })
	then := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)

	org, err := of(s, "acme").Org(t.Context())
	same(t, "org", registry.Org{
		Org: "acme", State: "failed", Plan: []byte(`{"org":"acme"}`), Hash: "h", HashVersion: 1, Management: "111122223333", Updated: then,
	}, org, err)

	acme, err := of(s, "acme").Layers(t.Context())
	same(t, "layers of an org whose last operation failed", map[string]registry.Layer{
		"account": {
			Layer: "account", State: "done", Unclean: true, Made: true, Outputs: map[string]any{"accountId": "1"}, Resources: 3, Duration: 1000, Updated: then,
		},
		"boundary":  {Layer: "boundary", State: "failed", Unclean: true, Made: true, Error: "no", Updated: then},
		"cluster":   {Layer: "cluster", State: "removed", Unclean: true, Updated: then},
		"bootstrap": {Layer: "bootstrap", State: "removed", Unclean: true, Updated: then},
	}, acme, err)
	for org, unclean := range map[string]bool{"globex": false, "initech": true} {
		layers, err := of(s, org).Layers(t.Context())
		same(t, "unclean is the account layer of "+org, unclean, layers["account"].Unclean, err)
	}

	claims, err := of(s, "acme").Claims(t.Context())
	claim := registry.Claim{Identity: finding.Identity{Kind: "account", Value: "1"}, Made: true}
	same(t, "claims", []registry.Claim{claim}, claims, err)

	events, err := of(s, "acme").Events(t.Context(), "NEWER", 0)
	same(t, "events", 0, len(events), err)
}

func TestAnOperationOfAnEarlierVersionIsGoneOnFrom(t *testing.T) {
	at := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	s := open(t, beforeLeases(t), func() time.Time { return at })

	// Its end was sent, or was not, when it ended: nothing of it is stored.
	acme, err := of(s, "acme").Begin(t.Context(), registry.Request{Kind: "onboard", Holder: "a", TTL: time.Minute})
	same(t, "undelivered of acme", 0, len(acme.Undelivered), err)
	ops, err := of(s, "acme").Operations(t.Context())
	var ids []string
	for _, op := range ops {
		ids = append(ids, op.ID)
	}
	same(t, "operations, the newest first", []string{acme.Lease.Operation, "NEWER", "OLDER"}, ids, err)

	killed := registry.Interrupted(event.Operation{
		Org: "initech", ID: "KILLED", Kind: "onboard", Started: time.Date(2026, 5, 2, 0, 0, 0, 0, time.UTC),
	}, at)
	killed.Seq = 1
	initech, err := of(s, "initech").Begin(t.Context(), registry.Request{Kind: "onboard", Holder: "a", TTL: time.Minute})
	same(t, "undelivered of initech", []event.Event{killed}, initech.Undelivered, err)

	if err := of(s, acme.Lease.Org).Release(t.Context(), acme.Lease, finding.Identity{Kind: "account", Value: "1"}); err == nil {
		t.Error("a claim of which nobody knows whether it was made was released")
	}
}

func same(t *testing.T, what string, want, got any, err error) {
	t.Helper()
	if err != nil {
		t.Errorf("%s: %v", what, err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

func TestAFileThatIsUpToDateIsOpenedWithoutWaiting(t *testing.T) {
	file := filepath.Join(t.TempDir(), "registry.db")
	open(t, file, time.Now)
	lock := flock.New(file + ".migrate.lock")
	if err := lock.Lock(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = lock.Close() }()
	tx, err := raw(t, file).BeginTx(t.Context(), nil) // which keeps everybody from writing
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	s, err := sqlite.Open(ctx, file, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	if _, err := of(s, "acme").Operations(ctx); err != nil {
		t.Error(err)
	}
}

func TestAnUpgradeWaitsForTheOneThatRuns(t *testing.T) {
	file := beforeLeases(t)
	lock := flock.New(file + ".migrate.lock")
	if err := lock.Lock(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := sqlite.Open(ctx, file, time.Now); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("while another upgrades: %v, want DeadlineExceeded", err)
	}
	if err := lock.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, file, time.Now)
}

func TestOfManyThatOpenANewFileEachGetsTheRegistry(t *testing.T) {
	file := filepath.Join(t.TempDir(), "new", "registry.db")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			s, err := sqlite.Open(t.Context(), file, time.Now)
			if err != nil {
				t.Error(err)
				return
			}
			if _, err := all(s).Orgs(t.Context()); err != nil {
				t.Error(err)
			}
			_ = s.Close()
		})
	}
	wg.Wait()
}

func TestWhatANewerVersionWroteIsRefused(t *testing.T) {
	t.Run("an event", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "registry.db")
		s := open(t, file, time.Now)
		begun, err := of(s, "acme").Begin(t.Context(), registry.Request{Kind: "onboard", TTL: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		exec(t, raw(t, file), `UPDATE events SET version = 2`)
		if _, err := of(s, "acme").Events(t.Context(), begun.Lease.Operation, 0); err == nil || !strings.Contains(err.Error(), "newer freehold") {
			t.Errorf("%v, want an error that says to use the newer freehold", err)
		}
	})
	t.Run("the file", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "registry.db")
		open(t, file, time.Now)
		exec(t, raw(t, file), `INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, 1)`)
		if s, err := sqlite.Open(t.Context(), file, time.Now); err == nil || !strings.Contains(err.Error(), "newer freehold") {
			t.Errorf("%v, want an error that says to use the newer freehold", err)
			_ = s.Close()
		}
	})
}

// What the contract promises, the tables refuse too: a bug of ours cannot break it.
func TestTheTablesRefuseASecondHolderAndASecondEnd(t *testing.T) {
	file := filepath.Join(t.TempDir(), "registry.db")
	s := open(t, file, time.Now)
	begun, err := of(s, "acme").Begin(t.Context(), registry.Request{Kind: "onboard", TTL: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	db := raw(t, file)
	if _, err := db.ExecContext(t.Context(), `INSERT INTO operations (org, id, kind, state, started) VALUES ('acme', 'SECOND', 'onboard', 'running', '')`); err == nil {
		t.Error("two operations run on acme")
	}
	end := `INSERT INTO events (org, operation, seq, version, type, body) VALUES ('acme', ?, ?, 1, ?, '{}')`
	if _, err := db.ExecContext(t.Context(), end, begun.Lease.Operation, 2, event.OperationFailed); err != nil {
		t.Fatal(err)
	}
	for _, typ := range []event.Type{event.OperationSucceeded, event.OperationFailed, event.OperationBlocked, event.OperationPending} {
		if _, err := db.ExecContext(t.Context(), end, begun.Lease.Operation, 3, typ); err == nil {
			t.Errorf("an operation that had failed ended again: %s", typ)
		}
	}
}

func TestTheLedgerOfAnEarlierVersionTakesAnAddressOnceWhateverItsCase(t *testing.T) {
	file := filepath.Join(t.TempDir(), "registry.db")
	db := raw(t, file)
	p, err := goose.NewProvider(goose.DialectSQLite3, db, os.DirFS("migrations"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.UpTo(t.Context(), 4); err != nil {
		t.Fatal(err)
	}
	exec(t, db, `INSERT INTO ledger (org, kind, value, claimed, made) VALUES
		('acme', 'e-mail', 'AWS+Acme@example.com', '', 1), ('acme', 'e-mail', 'aws+acme@example.com', '', 0), ('acme', 'bucket', 'bucket:A', '', 1),
		('globex', 'e-mail', 'Globex@example.com', '', 0),
		('initech', 'e-mail', 'Shared@example.com', '', 0), ('hooli', 'e-mail', 'shared@example.com', '', 1)`)
	s := open(t, file, time.Now)
	claim := func(kind, value string, made bool) registry.Claim {
		return registry.Claim{Identity: finding.Identity{Kind: kind, Value: value}, Made: made}
	}
	for org, want := range map[string][]registry.Claim{
		"acme":    {claim("bucket", "bucket:A", true), claim("e-mail", "aws+acme@example.com", true)},
		"globex":  {claim("e-mail", "globex@example.com", false)},
		"initech": {claim("e-mail", "Shared@example.com", false)},
		"hooli":   {claim("e-mail", "shared@example.com", true)},
	} {
		got, err := of(s, org).Claims(t.Context())
		same(t, "claims of "+org, want, got, err)
	}
}
