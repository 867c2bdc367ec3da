package remote_test

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/lifecycle"
	"freehold.dev/freehold/internal/orgcontext/operator"
	"freehold.dev/freehold/internal/registry/sqlite"
	"freehold.dev/freehold/internal/remote"
	"freehold.dev/freehold/internal/remote/dial"
	"freehold.dev/freehold/internal/server/servertest"
)

// What a server's client returns is what the use cases return here, over the same
// registry, through every service and hop in between.
func TestAClientReturnsWhatTheUseCasesReturn(t *testing.T) {
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "registry.db"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	world := servertest.Start(t, store, servertest.Options{})
	for _, org := range []string{"acme", "globex"} {
		if err := servertest.Fill(t.Context(), store, org, world.Issuer.URL, time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	client := func(label, group string) *remote.Client {
		at, err := dial.Parse(world.URL(label))
		if err != nil {
			t.Fatal(err)
		}
		token := world.Token(label, group)
		return remote.New(remote.Options{Server: at, HTTP: world.HTTP(), Now: time.Now, Token: func(context.Context) (string, error) { return token, nil }})
	}
	here := &lifecycle.Service{Records: lifecycle.Records{Registry: store, Who: operator.Local("")}, Now: time.Now}
	there, fleet := client("acme", "acme-viewers"), client("op", "reviewers")
	ctx := t.Context()

	// The API leaves these out: they say nothing to a customer.
	unsaid := cmp.Options{
		cmpopts.IgnoreFields(event.LayerResult{}, "Changes", "Duration"), cmpopts.IgnoreFields(event.Step{}, "Holder"),
		cmpopts.EquateEmpty(), cmpopts.EquateApproxTime(0),
	}
	same := func(what string, want any, failed error, got any, err error) {
		t.Helper()
		if diff := cmp.Diff(want, got, unsaid); diff != "" || failed != nil || err != nil {
			t.Errorf("%s: here %v, there %v (-here +there):\n%s", what, failed, err, diff)
		}
	}
	status, failed := here.Status(ctx, "acme")
	got, err := there.Status(ctx, "acme")
	same("status", status, failed, got, err)
	owned, err := there.DataPlane(ctx)
	same("data plane", status.DataPlane, nil, owned, err)
	ops, failed := here.Operations(ctx, "acme")
	list, err := there.Operations(ctx, "acme")
	same("operations", ops, failed, list, err)
	detail, failed := here.Operation(ctx, "acme", "")
	one, err := there.Operation(ctx, "acme", "")
	same("operation", detail, failed, one, err)
	events, failed := here.Events(ctx, "acme", "", 1)
	for i := range events {
		if events[i], err = events[i].Restored(); err != nil {
			t.Fatal(err)
		}
	}
	replayed, err := there.Events(ctx, "acme", "", 1)
	same("events", events, failed, replayed, err)
	var followed []event.Event
	err = there.Follow(ctx, "acme", "", 1, func(e event.Event) { followed = append(followed, e) })
	same("followed", events, nil, followed, err)
	last, failed := here.Wait(ctx, "acme", "", time.Minute)
	ended, err := there.Wait(ctx, "acme", "", time.Minute)
	same("wait", last, failed, ended, err)
	reports, err := there.DriftReports(ctx, 10)
	if err != nil || len(reports.Reports) != 1 || reports.Reports[0].Findings[0].Kind != finding.Changed {
		t.Errorf("drift reports %+v, %v", reports, err)
	}
	exceptions, err := there.Exceptions(ctx)
	if err != nil || len(exceptions.Exceptions) != 1 || exceptions.Exceptions[0].Rule != "FH301" || !exceptions.Exceptions[0].Active {
		t.Errorf("exceptions %+v, %v", exceptions, err)
	}

	// Each call is an entry, so the log here is longer by then.
	log, err := there.AuditLog(ctx, "acme", 0)
	if err != nil {
		t.Fatal(err)
	}
	whole, failed := here.AuditLog(ctx, "acme", 0)
	same("audit log", whole.Entries[:len(log.Entries)], failed, log.Entries, err)
	if verdict, err := there.VerifyAuditLog(ctx, "acme", log.Entries[0].Hash); err != nil || !verdict.OK || verdict.Entries < int64(len(log.Entries)) {
		t.Errorf("verdict %+v, %v", verdict, err)
	}
	evidence, err := there.EvidenceList(ctx)
	if err != nil || len(evidence.Evidence) == 0 {
		t.Fatalf("evidence %+v, %v", evidence, err)
	}
	for _, e := range evidence.Evidence {
		var text bytes.Buffer
		if fetched, err := there.Evidence(ctx, e.Name, &text); err != nil || fetched.Name != e.Name || text.Len() == 0 || bytes.Contains(text.Bytes(), []byte("globex")) {
			t.Errorf("%s: %+v, %v", e.Name, fetched, err)
		}
	}
	if me, err := there.Caller(ctx); err != nil || me.Org != "acme" || len(me.Roles) != 1 || me.Roles[0] != "viewer" {
		t.Errorf("caller %+v, %v", me, err)
	}
	orgs, failed := here.Orgs(ctx)
	all, err := fleet.Orgs(ctx)
	same("orgs", orgs, failed, all, err)

	for what, err := range map[string]error{
		"an operation that is not there": func() error { _, err := there.Operation(ctx, "acme", "NOPE"); return err }(),
		"what a viewer may not do":       func() error { _, err := there.Cancel(ctx, "acme", "", nil); return err }(),
		"somebody else's token": func() error {
			at, _ := dial.Parse(world.URL("globex"))
			_, err := remote.New(remote.Options{
				Server: at, HTTP: world.HTTP(), Now: time.Now, Token: func(context.Context) (string, error) { return world.Token("acme", "acme-admins"), nil },
			}).Caller(ctx)
			return err
		}(),
	} {
		e, ok := errors.AsType[*lifecycle.Error](err)
		if !ok || e.Next == "" {
			t.Errorf("%s: %v", what, err)
		}
	}
}
