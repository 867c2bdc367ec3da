package main_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"freehold.dev/freehold/internal/event"
)

// running is a freehold that runs, and whose events are read as it sends them.
// A test that must act in the middle of an operation waits for the event that
// says so, and never for a time.
type running struct {
	t      testing.TB
	cmd    *exec.Cmd
	lines  *bufio.Scanner
	stderr *bytes.Buffer
}

// start starts freehold with its events as JSON lines.
func (h home) start(args ...string) *running {
	h.t.Helper()
	return begin(h.t, h.command(h.t.Context(), append(args, "-o", "ndjson")...))
}

// begin starts a freehold that prints its events as JSON lines.
func begin(t testing.TB, c *exec.Cmd) *running {
	t.Helper()
	r := &running{t: t, cmd: c, stderr: new(bytes.Buffer)}
	c.Stderr = r.stderr
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	r.lines = bufio.NewScanner(out)
	r.lines.Buffer(nil, 64<<20) // the terminal event carries the whole result
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	return r
}

// next returns the next event, and false when there is none to come.
func (r *running) next() (event.Event, bool) {
	r.t.Helper()
	if !r.lines.Scan() {
		if err := r.lines.Err(); err != nil {
			r.t.Fatalf("read the events of %v: %v", r.cmd.Args, err)
		}
		return event.Event{}, false
	}
	return decodeEvent(r.t, r.lines.Bytes()), true
}

// until reads events up to the first that is meant.
func (r *running) until(meant func(event.Event) bool) event.Event {
	r.t.Helper()
	for {
		e, more := r.next()
		if !more {
			r.t.Fatalf("%v ended before the event came: %v\n%s", r.cmd.Args, r.cmd.Wait(), r.stderr)
		}
		if meant(e) {
			return e
		}
	}
}

// wait reads what is left, and returns all of it and the exit status.
func (r *running) wait() (rest []event.Event, code int) {
	r.t.Helper()
	for e, more := r.next(); more; e, more = r.next() {
		rest = append(rest, e)
	}
	if err := r.cmd.Wait(); err != nil {
		if _, is := errors.AsType[*exec.ExitError](err); !is && !errors.Is(err, exec.ErrWaitDelay) {
			r.t.Fatalf("%v: %v", r.cmd.Args, err)
		}
	}
	return rest, r.cmd.ProcessState.ExitCode()
}

// kill ends freehold with -9, and is an error unless it died of that.
func (r *running) kill() error {
	if err := r.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	_ = r.cmd.Wait()
	status, is := r.cmd.ProcessState.Sys().(syscall.WaitStatus)
	if !is || !status.Signaled() || status.Signal() != syscall.SIGKILL {
		return fmt.Errorf("the kill came too late: %v had ended by itself (%s)", r.cmd.Args, r.cmd.ProcessState)
	}
	return nil
}

// killedWhen starts freehold, and kills it with -9 at the first event that is meant.
func (h home) killedWhen(meant func(event.Event) bool, args ...string) {
	h.t.Helper()
	r := h.start(args...)
	r.until(meant)
	if err := r.kill(); err != nil {
		h.t.Fatal(err)
	}
}

// starts is the event with which a layer starts.
func starts(layer string) func(event.Event) bool {
	return func(e event.Event) bool { return e.Type == event.LayerStarted && e.Layer == layer }
}

// decodeEvent reads the event in a CloudEvent.
func decodeEvent(t testing.TB, line []byte) event.Event {
	t.Helper()
	var cloud struct{ Data event.Event }
	if err := json.Unmarshal(line, &cloud); err != nil {
		t.Fatalf("not a CloudEvent: %v\n%s", err, line)
	}
	return cloud.Data
}

// decodeEvents reads all that a run with -o ndjson has said.
func decodeEvents(t testing.TB, r result) []event.Event {
	t.Helper()
	var all []event.Event
	for line := range strings.Lines(r.stdout) {
		all = append(all, decodeEvent(t, []byte(line)))
	}
	return all
}
