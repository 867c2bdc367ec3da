package cli_test

import (
	"context"
	"errors"
	"io"

	"freehold.dev/freehold/internal/event"
)

// keeper keeps a registry whose archive is one line.
type keeper struct{ w *world }

var archived = event.Archive{Orgs: 2, Rows: 40, Running: 1}

func (k keeper) Migrate(context.Context) (event.Migration, error) {
	if k.w.trouble == "old" {
		return event.Migration{From: 5, To: 8}, nil
	}
	return event.Migration{From: 8, To: 8}, nil
}

func (k keeper) Export(_ context.Context, w io.Writer) (event.Archive, error) {
	if k.w.trouble == "disk full" {
		return event.Archive{}, errors.New("disk full")
	}
	_, err := io.WriteString(w, "an archive\n")
	return archived, err
}

func (k keeper) Import(_ context.Context, r io.Reader) (event.Archive, error) { return k.Check(r) }

func (k keeper) Check(r io.Reader) (event.Archive, error) {
	text, err := io.ReadAll(r)
	if err == nil && (string(text) != "an archive\n" || k.w.trouble == "bad disk") {
		err = errors.New("it is not a whole archive")
	}
	if err != nil {
		return event.Archive{}, err
	}
	return archived, nil
}

func (w *world) AuditLog(_ context.Context, name string, after int64) (event.AuditLog, error) {
	if name != "" && w.orgs[name] == nil {
		return event.AuditLog{Org: name}, w.unknown(name, "audit-log")
	}
	log := event.AuditLog{Org: name, Entries: []event.AuditEntry{}}
	for i := after + 1; i <= 2; i++ {
		log.Entries = append(log.Entries, event.AuditEntry{
			Org: name, Seq: i, At: w.clock.Now(), Actor: "operator:ada@desk", What: "begin onboard", Result: "done", Hash: "h",
		})
	}
	return log, nil
}

func (w *world) VerifyAuditLog(ctx context.Context, name, hash string) (event.AuditVerdict, error) {
	log, err := w.AuditLog(ctx, name, 0)
	v := event.AuditVerdict{Org: name, Entries: int64(len(log.Entries)), Head: "h", OK: true}
	if hash != "" && hash != "h" {
		v.OK, v.Problem = false, "no entry has the hash "+hash
	}
	return v, err
}
