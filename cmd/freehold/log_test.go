package main_test

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/internal/event"
)

// stored is an operation as the registry's log has it.
type stored struct {
	Org, Kind string
	Ends      []event.Type
}

// logs reads the operations of a home, oldest first, and fails for each whose log
// has a gap or goes on after the end.
func (h home) logs() []stored {
	h.t.Helper()
	registry := h.database(filepath.Join(h.dir, "sandbox", "registry.db"))
	operations, err := registry.QueryContext(h.t.Context(), `select org, id, kind from operations order by org, started, token`)
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = operations.Close() }()
	var all []stored
	for operations.Next() {
		var o stored
		var id string
		if err := operations.Scan(&o.Org, &id, &o.Kind); err != nil {
			h.t.Fatal(err)
		}
		events := h.eventsOf(registry, o.Org, id)
		for i, e := range events {
			if e.Type.Terminal() {
				o.Ends = append(o.Ends, e.Type)
			}
			if e.Type.Terminal() != (i == len(events)-1) {
				h.t.Errorf("%s %s: event %d of %d is %s", o.Org, id, i+1, len(events), e.Type)
			}
		}
		all = append(all, o)
	}
	if err := operations.Err(); err != nil {
		h.t.Fatal(err)
	}
	return all
}

// eventsOf reads the log of one operation.
func (h home) eventsOf(registry *sql.DB, org, operation string) []event.Event {
	h.t.Helper()
	rows, err := registry.QueryContext(h.t.Context(), `select seq, body from events where org = ? and operation = ? order by seq`, org, operation)
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var all []event.Event
	for rows.Next() {
		var seq int
		var body string
		var e event.Event
		if err := rows.Scan(&seq, &body); err != nil {
			h.t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(body), &e); err != nil {
			h.t.Fatalf("event %d of %s %s: %v", seq, org, operation, err)
		}
		if all = append(all, e); seq != len(all) {
			h.t.Errorf("event %d of %s %s has number %d", len(all), org, operation, seq)
		}
	}
	if err := rows.Err(); err != nil {
		h.t.Fatal(err)
	}
	return all
}

// Whatever happens to an operation, its stored log ends, once.
func TestEveryPathEndsInOneTerminalEvent(t *testing.T) {
	t.Parallel()
	h, _ := onboarded(t)

	h.want(1, "onboard", "-f", h.spec("globex"), "--fault", "organizations:CreateAccount=error:1")
	h.want(6, "onboard", "-f", h.spec("globex"), "--quota", "organizations:accounts=1")
	blocked := h.spec("acme", inhabited, "network: {flowLogRetentionDays: 30}")
	h.withHousePack().want(3, "onboard", "-f", blocked)
	file := h.spec("acme", inhabited)

	interrupted := h.start("onboard", "-f", file)
	interrupted.until(starts("boundary"))
	if err := interrupted.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if _, code := interrupted.wait(); code != 1 {
		t.Errorf("interrupted: exit %d\n%s", code, interrupted.stderr)
	}
	h.killedWhen(starts("cluster"), "onboard", "-f", file)
	h.pipelined(file, "run-7")

	end := func(org string, types ...event.Type) stored { return stored{org, "onboard", types} }
	want := []stored{
		end("acme", event.OperationSucceeded), // by which the world was made
		end("acme", event.OperationBlocked),
		end("acme", event.OperationFailed),    // interrupted
		end("acme", event.OperationFailed),    // killed
		end("acme", event.OperationSucceeded), // which has ended the killed one
		end("globex", event.OperationFailed),
		end("globex", event.OperationPending),
	}
	if d := cmp.Diff(want, h.logs()); d != "" {
		t.Errorf("operations by their terminal events (-want +got):\n%s", d)
	}
}

// pipelined onboards with the script that pipelines run, and wants it to say
// how that ended.
func (h home) pipelined(file, request string) {
	h.t.Helper()
	script, err := filepath.Abs(filepath.Join("..", "..", "docs", "pipelines", "onboard.sh"))
	if err != nil {
		h.t.Fatal(err)
	}
	c := exec.CommandContext(h.t.Context(), "sh", script, file, request)
	c.Dir = h.t.TempDir()
	c.Env = append(h.command(h.t.Context()).Env, "FREEHOLD_CLOUD=sandbox", "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	c.WaitDelay = 5 * time.Second
	if r := h.finish(c); r.code != 0 {
		h.t.Fatalf("onboard.sh: exit %d\n%s", r.code, r.stderr)
	}
	read := func(name string) string {
		text, err := os.ReadFile(filepath.Join(c.Dir, name))
		if err != nil {
			h.t.Fatal(err)
		}
		return string(text)
	}
	events := decodeEvents(h.t, result{stdout: read("onboard.ndjson")})
	last := events[len(events)-1]
	want := fmt.Sprintf("outcome=ready\norg=acme\noperation=%s\n", last.Operation)
	if d := cmp.Diff(want, read("onboard.env")); d != "" || last.Type != event.OperationSucceeded {
		h.t.Errorf("onboard.sh says (-want +got):\n%s\nand the last event is %s", d, last.Type)
	}
}
