package main_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"freehold.dev/freehold/internal/event"
)

// The server of an operation is killed in the middle, and the next one is asked to
// stop in the middle. Nobody asks for the operation again: whoever began it hears all
// of it, each event once, over three servers.
func TestAnOperationOutlivesEveryServerThatRunsIt(t *testing.T) {
	t.Parallel()
	h, _ := onboarded(t)
	lab := filepath.Join(h.dir, "lab.yaml")
	const project = `name: lab
serviceAccounts: [{name: uploader, podIdentity: {policies: ["arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"]}}]
`
	if err := os.WriteFile(lab, []byte(project), 0o600); err != nil {
		t.Fatal(err)
	}
	s := h.serve()
	client := begin(t, s.client("acme", "oscar", "projects", "add", "-f", lab, "-o", "ndjson"))
	var heard []event.Event
	until := func(meant func(event.Event) bool) {
		t.Helper()
		client.until(func(e event.Event) bool {
			heard = append(heard, e)
			return meant(e)
		})
	}

	until(makes("cluster"))
	if code := s.end(os.Kill); code != -1 {
		t.Fatalf("the server had ended by itself with %d", code)
	}
	s.stopWithin = 300 * time.Millisecond
	s.start()
	until(starts("bootstrap"))
	if code := s.end(syscall.SIGTERM); code != 0 {
		t.Errorf("asked to stop, the server exits with %d", code)
	}
	if !strings.Contains(s.log.String(), "operations are left to the next worker") {
		t.Errorf("the operation had ended before the server did:\n%s", s.log)
	}
	s.start()
	rest, code := client.wait()
	if code != 0 {
		t.Errorf("who began it exits with %d:\n%s", code, client.stderr)
	}
	heard = append(heard, rest...)
	ends := 0
	for i, e := range heard {
		if e.Org != "acme" || e.Operation != heard[0].Operation || e.Seq != int64(i+1) {
			t.Errorf("event %d: %d of operation %s of %s", i+1, e.Seq, e.Operation, e.Org)
		}
		if e.Type.Terminal() {
			ends++
		}
	}
	if last := heard[len(heard)-1]; ends != 1 || last.Type != event.OperationSucceeded {
		t.Errorf("it has %d ends, and the last event is %s", ends, last.Type)
	}
	recorded := decodeEvents(t, h.want(0, "operations", "events", "acme", heard[0].Operation, "-o", "ndjson"))
	if len(recorded) != len(heard) {
		t.Errorf("%d events are recorded, and %d were heard", len(recorded), len(heard))
	}
	if twice := h.madeTwice(); len(twice) > 0 {
		t.Errorf("made twice: %v", twice)
	}
	if got := s.mustAs(0, "acme", "vera", "", "projects", "list").stdout; !strings.Contains(got, "lab") {
		t.Errorf("projects:\n%s", got)
	}
	h.want(0, "drift", "acme")
	s.mustAs(0, "acme", "vera", "", "audit-log", "verify")
}
