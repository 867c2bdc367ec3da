package postgres_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/orgcontext/orgcontexttest"
	"freehold.dev/freehold/internal/registry"
	"freehold.dev/freehold/internal/registry/postgres"
	"freehold.dev/freehold/internal/registry/postgres/pgtest"
	"freehold.dev/freehold/internal/registry/sqlite"
)

// BenchmarkRegistry makes the calls of an operation on registries that hold few
// orgs and many: on a server with its policies and without, and in a file. Each
// round makes a call on each of them, so that their times can be compared. It
// reports the calls in a second, the median and the 99th of 100 of each, and
// what the policies add to the median. It fails where that is more than a tenth.
// "taken" asks a table without policies: what it shows is the measurement's error.
func BenchmarkRegistry(b *testing.B) {
	for _, orgs := range []int{10, 10_000} {
		b.Run(fmt.Sprintf("%d_orgs", orgs), func(b *testing.B) {
			archive := fleetOf(b, orgs)
			stores := map[string]registry.Store{
				"server": served(b, archive, true), "bare": served(b, archive, false), "file": filed(b, archive),
			}
			for _, name := range []string{"append", "renew", "layers", "taken", "begin_end"} {
				b.Run(name, func(b *testing.B) { compare(b, stores, orgs, calls[name]) })
			}
		})
	}
}

// call is one that is measured, on the i-th round.
type call func(b *testing.B, s registry.OrgStore, l registry.Lease, i int) error

var calls = map[string]call{
	"append": func(b *testing.B, s registry.OrgStore, l registry.Lease, _ int) error {
		_, err := s.Append(b.Context(), l, event.Event{Type: event.Diagnostic, Time: time.Unix(7, 0), Org: l.Org, Operation: l.Operation, Message: "a line"})
		return err
	},
	"renew": func(b *testing.B, s registry.OrgStore, l registry.Lease, _ int) error {
		return s.Renew(b.Context(), l, "a process", time.Minute)
	},
	"layers": func(b *testing.B, s registry.OrgStore, _ registry.Lease, _ int) error {
		_, err := s.Layers(b.Context())
		return err
	},
	"taken": func(b *testing.B, s registry.OrgStore, _ registry.Lease, i int) error {
		_, err := s.Taken(b.Context(), []string{fmt.Sprint("nobody's ", i), "org-000003", "org-000004"})
		return err
	},
	"begin_end": nil, // see compare
}

func compare(b *testing.B, stores map[string]registry.Store, orgs int, do call) {
	held := map[string][]registry.Lease{}
	const some = 8 // orgs take turns, as they do in a fleet
	for name, s := range stores {
		for i := range some {
			if do == nil {
				break
			}
			held[name] = append(held[name], begun(b, s, orgName(i*(orgs/10)%orgs)))
		}
	}
	took := map[string][]time.Duration{}
	order := slices.Sorted(maps.Keys(stores))
	i := 0
	for b.Loop() {
		// The call that follows the file's takes up to a fourth longer. A small map is
		// iterated in one order, from a random start, and would have that always be the
		// same registry's.
		rand.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		for _, name := range order {
			s := stores[name]
			if do == nil {
				began := time.Now()
				end(b, s, begun(b, s, orgName(i%orgs)))
				took[name] = append(took[name], time.Since(began))
				continue
			}
			l := held[name][i%some]
			began := time.Now()
			if err := do(b, s.Org(orgcontexttest.For(l.Org)), l, i); err != nil {
				b.Fatal(err)
			}
			took[name] = append(took[name], time.Since(began))
		}
		i++
	}
	b.StopTimer()
	for name, leases := range held {
		for _, l := range leases {
			end(b, stores[name], l)
		}
	}
	median := map[string]time.Duration{}
	for name, all := range took {
		var sum time.Duration
		for _, d := range all {
			sum += d
		}
		slices.Sort(all)
		median[name] = all[len(all)/2]
		b.ReportMetric(float64(len(all))/sum.Seconds(), name+"-calls/s")
		b.ReportMetric(float64(median[name].Microseconds()), name+"-p50-µs")
		b.ReportMetric(float64(all[len(all)*99/100].Microseconds()), name+"-p99-µs")
	}
	ratio := float64(median["server"]) / float64(median["bare"])
	b.ReportMetric(ratio, "policies/none")
	const most, enough = 1.1, 1000
	if i >= enough && ratio > most {
		b.Errorf("a call takes %.3f of what it takes without policies, at most %.2f is promised", ratio, most)
	}
	b.ReportMetric(0, "ns/op") // of all registries together, which says nothing
}

func begun(b *testing.B, s registry.Store, org string) registry.Lease {
	b.Helper()
	r, err := s.Org(orgcontexttest.For(org)).Begin(b.Context(), registry.Request{Kind: "onboard", Holder: "a process", TTL: time.Minute})
	if err != nil {
		b.Fatal(err)
	}
	return r.Lease
}

func end(b *testing.B, s registry.Store, l registry.Lease) {
	b.Helper()
	store := s.Org(orgcontexttest.For(l.Org))
	_, err := store.End(b.Context(), l, event.Event{Type: event.OperationSucceeded, Time: time.Now(), Org: l.Org, Operation: l.Operation, Kind: "onboard"})
	if err != nil {
		b.Fatal(err)
	}
	if err := store.Delivered(b.Context(), l.Operation); err != nil {
		b.Fatal(err)
	}
}

func orgName(i int) string { return fmt.Sprintf("org-%06d", i) }

// fleetOf is an archive of a registry with so many orgs: one of them as the
// driver writes it, and the others in its likeness.
func fleetOf(b *testing.B, orgs int) []byte {
	b.Helper()
	s, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "one.db"), time.Now)
	if err != nil {
		b.Fatal(err)
	}
	const first = "org-999999"
	l := begun(b, s, first)
	store := s.Org(orgcontexttest.For(first))
	if err := store.PutOrg(b.Context(), l, registry.Org{Org: first, State: "ready", Plan: []byte("{}")}); err != nil {
		b.Fatal(err)
	}
	for _, layer := range []string{"account", "boundary", "cluster", "bootstrap"} {
		err := store.PutLayer(b.Context(), l, registry.Layer{Layer: layer, State: "done", Resources: 40, Outputs: map[string]any{"accountId": first}})
		if err != nil {
			b.Fatal(err)
		}
	}
	if err := store.Claim(b.Context(), l, true, finding.Identity{Kind: "account", Value: first}); err != nil {
		b.Fatal(err)
	}
	for range 20 {
		if err := calls["append"](b, store, l, 0); err != nil {
			b.Fatal(err)
		}
	}
	end(b, s, l)
	var one bytes.Buffer
	if _, err := s.Export(b.Context(), &one); err != nil {
		b.Fatal(err)
	}
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	lines := bytes.SplitAfter(one.Bytes(), []byte("\n"))
	rows := lines[1 : len(lines)-2]
	var out bytes.Buffer
	out.Write(lines[0])
	for i := range orgs {
		for _, row := range rows {
			out.Write(bytes.ReplaceAll(row, []byte(first), []byte(orgName(i))))
		}
	}
	sum := sha256.Sum256(out.Bytes())
	tail, err := json.Marshal(map[string]any{"rows": orgs * len(rows), "sha256": hex.EncodeToString(sum[:])})
	if err != nil {
		b.Fatal(err)
	}
	out.Write(append(tail, '\n'))
	return out.Bytes()
}

func filled(b *testing.B, s registry.Store, archive []byte) registry.Store {
	b.Helper()
	b.Cleanup(func() { _ = s.Close() })
	if _, err := s.Import(b.Context(), bytes.NewReader(archive)); err != nil {
		b.Fatal(err)
	}
	return s
}

func filed(b *testing.B, archive []byte) registry.Store {
	b.Helper()
	s, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "registry.db"), time.Now)
	if err != nil {
		b.Fatal(err)
	}
	return filled(b, s, archive)
}

// served is a registry on a server, with its policies or without.
func served(b *testing.B, archive []byte, policies bool) registry.Store {
	b.Helper()
	db := pgtest.Database(b)
	s, err := postgres.Open(b.Context(), db.Service, time.Now)
	if err != nil {
		b.Fatal(err)
	}
	filled(b, s, archive)
	conn := connection(b, db.Superuser)
	if !policies {
		_, err := conn.Exec(b.Context(), `DO $$ DECLARE t text; BEGIN
			FOR t IN SELECT relname FROM pg_class WHERE relrowsecurity AND relnamespace = 'freehold'::regnamespace LOOP
				EXECUTE format('ALTER TABLE freehold.%I DISABLE ROW LEVEL SECURITY', t);
			END LOOP; END $$`)
		if err != nil {
			b.Fatal(err)
		}
	}
	if _, err := conn.Exec(b.Context(), `ANALYZE`); err != nil {
		b.Fatal(err)
	}
	return s
}
