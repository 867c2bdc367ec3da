package registrytest

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/registry"
)

// Fill gives a registry two orgs with something in every table, and an operation
// of each that runs.
func Fill(t *testing.T, s registry.Store) {
	t.Helper()
	for i, org := range []string{"acme", "globex"} {
		end(t, s, begin(t, s, org).Lease, event.OperationFailed)
		req := request()
		req.ID, req.Document = "build-7", `{"org":"`+org+`"}`
		b, err := of(s, org).Begin(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		l := b.Lease
		_, appended := of(s, org).Append(t.Context(), l, diagnostic(l, "ünïcode <&> \u2028 \"quoted\"\nnew line"))
		if err := errors.Join(
			of(s, org).PutOrg(t.Context(), l, registry.Org{
				Org: org, State: "ready", Plan: []byte(`{"plan":"` + org + `\u00ff"}`), Hash: "h", HashVersion: 3, Management: "111122223333",
				Projects:   []registry.Project{{Name: "api", Spec: []byte(`{"cpu":"2"}`)}},
				Exceptions: []registry.Exception{{Rule: "FH101", Resource: "role/a", Reason: "why", Approver: "ada", Expires: "2027-01-01"}},
			}),
			of(s, org).PutDataPlane(t.Context(), l, event.DataPlane{Org: org, Region: "eu-west-1"}),
			of(s, org).PutLayer(t.Context(), l, registry.Layer{Layer: "account", State: "done", Made: true, Resources: 4, Outputs: map[string]any{"accountId": org}}),
			of(s, org).PutLayer(t.Context(), l, registry.Layer{Layer: "cluster", State: "making", Unclean: true, Duration: time.Minute, Error: "no"}),
			of(s, org).Claim(t.Context(), l, true, finding.Identity{Kind: "account", Value: org}),
			of(s, org).Claim(t.Context(), l, false, finding.Identity{Kind: "e-mail", Value: strings.Repeat("x", i+1) + "@example.com"}),
			of(s, org).PutDrift(t.Context(), event.Drift{Org: org, At: time.Unix(7, 0).UTC(), Findings: []finding.Finding{{Kind: finding.Unreadable}}}),
			appended,
		); err != nil {
			t.Fatal(err)
		}
	}
	must[[]registry.Org](t)(all(s).Orgs(t.Context()))
}

// Exported is what a registry exports.
func Exported(t *testing.T, s registry.Store) []byte {
	t.Helper()
	var out bytes.Buffer
	must[event.Archive](t)(s.Export(t.Context(), &out))
	return out.Bytes()
}

var archiving = map[string]func(*testing.T, world){
	"what is exported and imported is the same registry, and goes on": func(t *testing.T, w world) {
		Fill(t, w.a)
		var text bytes.Buffer
		what := must[event.Archive](t)(w.a.Export(t.Context(), &text))
		if what.Orgs != 2 || what.Running != 2 || what.Rows != bytes.Count(text.Bytes(), []byte("\n"))-2 {
			t.Errorf("%+v, and %d lines", what, bytes.Count(text.Bytes(), []byte("\n")))
		}
		copied := w.another()
		same(t, "imported", what, must[event.Archive](t)(copied.Import(t.Context(), bytes.NewReader(text.Bytes()))))
		if again := Exported(t, copied); !bytes.Equal(again, text.Bytes()) {
			t.Errorf("exported again, it is something else:\n%s\nwant:\n%s", again, text.Bytes())
		}
		same(t, "everything", read(t, w.b, "acme", "globex"), read(t, copied, "acme", "globex"))
		for _, org := range []string{"acme", "globex"} {
			next := takeOver(t, copied, org)
			if next.Lease.Token != 3 {
				t.Errorf("the token of %s's next operation is %d, want 3", org, next.Lease.Token)
			}
			if err := registry.Verify(event.AuditEntry{}, must[[]event.AuditEntry](t)(of(copied, org).Audited(t.Context(), 0))); err != nil {
				t.Error(err)
			}
			if err := of(copied, org).Claim(t.Context(), next.Lease, true, finding.Identity{Kind: "account", Value: map[string]string{"acme": "globex", "globex": "acme"}[org]}); err == nil {
				t.Errorf("%s took what another org owns", org)
			}
		}
		if err := registry.Verify(event.AuditEntry{}, must[[]event.AuditEntry](t)(all(copied).Audited(t.Context(), 0))); err != nil {
			t.Error(err)
		}
	},

	"an archive is imported into an empty registry only": func(t *testing.T, w world) {
		Fill(t, w.a)
		text := Exported(t, w.a)
		other := w.another()
		must[int](t)(all(other).Resources(t.Context(), "cluster")) // which leaves an entry in the fleet's log
		for what, s := range map[string]registry.Store{"full": w.b, "used": other} {
			before := Exported(t, s)
			if _, err := s.Import(t.Context(), bytes.NewReader(text)); !errors.Is(err, registry.ErrNotEmpty) {
				t.Errorf("a registry that is %s: %v, want ErrNotEmpty", what, err)
			}
			if !bytes.Equal(before, Exported(t, s)) {
				t.Errorf("a registry that is %s was changed", what)
			}
		}
	},

	"an archive that is not whole is refused before anything is written": func(t *testing.T, w world) {
		Fill(t, w.a)
		text := string(Exported(t, w.a))
		lines := strings.SplitAfter(strings.TrimSuffix(text, "\n"), "\n")
		empty := w.another()
		before := Exported(t, empty)
		for what, broken := range map[string]string{
			"nothing":                  "",
			"no archive":               "{}\n",
			"another format":           strings.Replace(text, "freehold-registry/1", "freehold-registry/2", 1),
			"cut off in a line":        text[:len(text)/2],
			"cut off after a line":     strings.Join(lines[:len(lines)/2], ""),
			"without its last line":    strings.Join(lines[:len(lines)-1], ""),
			"without a line":           strings.Join(append(append([]string{}, lines[:3]...), lines[4:]...), ""),
			"with a line changed":      strings.Replace(text, "111122223333", "999999999999", 1),
			"with a table of no known": strings.Replace(text, `"table":"layers"`, `"table":"layer"`, 1),
			"with a column missing":    strings.Replace(text, `"hash_version":3,`, "", 1),
			"with a column too many":   strings.Replace(text, `"hash_version":3,`, `"hash_version":3,"more":1,`, 1),
			"with another type":        strings.Replace(text, `"hash_version":3,`, `"hash_version":"3",`, 1),
			"with more after it":       text + "{}\n",
		} {
			if _, err := empty.Import(t.Context(), strings.NewReader(broken)); !errors.Is(err, registry.ErrArchive) {
				t.Errorf("%s: %v, want ErrArchive", what, err)
			}
		}
		if !bytes.Equal(before, Exported(t, empty)) {
			t.Error("something was written")
		}
	},

	"an export is of one moment, and holds nobody up": func(t *testing.T, w world) {
		Fill(t, w.a)
		l := must[*registry.BusyError](t)(of(w.a, "acme").Holder(t.Context())).Lease
		wrote := false
		out := writer(func(p []byte) (int, error) {
			if !wrote { // the export has begun, and has a long way to go
				wrote = true
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				if _, err := of(w.b, "acme").Append(ctx, l, diagnostic(l, "in between")); err != nil {
					t.Error(err)
				}
			}
			return len(p), nil
		})
		must[event.Archive](t)(w.a.Export(t.Context(), out))
		if !wrote {
			t.Error("nothing was written meanwhile")
		}
	},
}

type writer func([]byte) (int, error)

func (w writer) Write(p []byte) (int, error) { return w(p) }

// Restored holds a registry that was filled from an archive against the one that
// Fill filled and that was archived: all that can be read of either is equal, and
// the one that was restored goes on where the other stopped.
func Restored(t *testing.T, from, to registry.Store) {
	t.Helper()
	same(t, "all that can be read", read(t, from, "acme", "globex"), read(t, to, "acme", "globex"))
	for _, org := range []string{"acme", "globex"} {
		var busy *registry.BusyError
		if _, err := of(to, org).Begin(t.Context(), request()); !errors.As(err, &busy) {
			t.Errorf("the operation of %s that ran when the archive was written: %v, want that it holds the org", org, err)
		}
		l := takeOver(t, to, org).Lease
		end(t, to, l, event.OperationSucceeded)
		if ops := must[[]event.Operation](t)(of(to, org).Operations(t.Context())); len(ops) != 3 || ops[0].ID != l.Operation || ops[0].State != "succeeded" {
			t.Errorf("operations of %s after the restore: %+v", org, ops)
		}
		if err := registry.Verify(event.AuditEntry{}, must[[]event.AuditEntry](t)(of(to, org).Audited(t.Context(), 0))); err != nil {
			t.Errorf("the audit log of %s: %v", org, err)
		}
	}
}
