package operation_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/operation"
	"freehold.dev/freehold/internal/orgcontext/orgcontexttest"
	"freehold.dev/freehold/internal/registry"
	"freehold.dev/freehold/internal/registry/sqlite"
)

// stoppedTTL is short, so that the test need not wait for long, and long enough
// that the process is stopped before its first renewal.
const stoppedTTL = 1500 * time.Millisecond

// hold is the second process: it holds acme, and does one more thing for each
// line that it reads.
func hold(file string) {
	ctx := context.Background()
	s, err := sqlite.Open(ctx, file, time.Now)
	if err != nil {
		fmt.Println(err)
		return
	}
	holder := operation.ThisProcess()
	op, err := operation.Begin(ctx, operation.Options{Store: s, Now: time.Now, Holder: holder, TTL: stoppedTTL}, orgcontexttest.For("acme"), onboard, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("held by", holder.Name())
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		var err error
		switch in.Text() {
		case "write":
			err = op.PutOrg(ctx, registry.Org{Org: "acme", State: "late", Plan: []byte("{}")})
		case "emit":
			op.Emit(diagnostic("late"))
		case "wait":
			<-op.Context().Done()
			err = context.Cause(op.Context())
		case "end":
			err = op.End(ctx, event.Event{Type: event.OperationSucceeded})
		}
		fmt.Println("lost:", errors.Is(err, registry.ErrLost))
	}
}

// second is a process that holds acme.
type second struct {
	*exec.Cmd

	name string // as a holder
	in   io.Writer
	out  *bufio.Scanner
}

func startSecond(t *testing.T, file string) *second {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "OPERATION_TEST_HOLD="+file)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	s := &second{Cmd: cmd, in: in, out: bufio.NewScanner(out)}
	name, ok := strings.CutPrefix(s.line(t), "held by ")
	if !ok {
		t.Fatalf("the second process: %s", s.out.Text())
	}
	s.name = name
	return s
}

func (s *second) line(t *testing.T) string {
	t.Helper()
	if !s.out.Scan() {
		t.Fatalf("the second process is gone: %v", s.out.Err())
	}
	return s.out.Text()
}

func (s *second) do(t *testing.T, what string) string {
	t.Helper()
	if _, err := fmt.Fprintln(s.in, what); err != nil {
		t.Fatal(err)
	}
	return s.line(t)
}

func (s *second) signal(t *testing.T, sig syscall.Signal) {
	t.Helper()
	if err := s.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
}

func TestAKilledProcessIsTakenOverAtOnce(t *testing.T) {
	tellsTheDead(t)
	file := filepath.Join(t.TempDir(), "registry.db")
	other, s, w := startSecond(t, file), open(t, file), &screen{}
	o := operation.Options{Store: s, Now: time.Now, Holder: operation.ThisProcess()}
	if _, err := operation.Begin(t.Context(), o, orgcontexttest.For("acme"), onboard, w.show); !errors.Is(err, registry.ErrBusy) {
		t.Fatalf("while the other process lives: %v, want ErrBusy", err)
	}
	other.signal(t, syscall.SIGKILL)
	// Nobody has asked yet how it ended: it is a zombie.
	for began := time.Now(); !o.Holder.Dead(other.name); time.Sleep(time.Millisecond) {
		if time.Since(began) > time.Minute {
			t.Fatal("it is not called dead")
		}
	}
	// Its lease was short. With this one the org would be busy for an hour.
	first, err := of(s, "acme").Last(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := of(s, "acme").Renew(t.Context(), registry.Lease{Org: "acme", Operation: first.ID, Token: 1}, other.name, time.Hour); err != nil {
		t.Fatal(err)
	}
	op, err := operation.Begin(t.Context(), o, orgcontexttest.For("acme"), onboard, w.show)
	if err != nil {
		t.Fatalf("after the kill: %v", err)
	}
	end(t, op)
	same(t, "shown", []string{"operation.failed", "operation.started", "operation.succeeded"}, w.words())
	if err := other.Wait(); !killed(err) {
		t.Errorf("the other process ended with %v, and not by the signal", err)
	}
	if !o.Holder.Dead(other.name) {
		t.Error("it is dead no more, now that its parent knows how it ended")
	}
}

func killed(err error) bool {
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok {
		return false
	}
	status, ok := exit.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == syscall.SIGKILL
}

func TestAStoppedProcessIsTakenOverAfterItsLeaseAndCanDoNoHarm(t *testing.T) {
	file := filepath.Join(t.TempDir(), "registry.db")
	other, s, w := startSecond(t, file), open(t, file), &screen{}
	other.signal(t, syscall.SIGSTOP)
	var status syscall.WaitStatus
	if _, err := syscall.Wait4(other.Process.Pid, &status, syscall.WUNTRACED, nil); err != nil || !status.Stopped() {
		t.Fatalf("it has not stopped: %v, %v", status, err)
	}
	o := operation.Options{Store: s, Now: time.Now, Holder: operation.ThisProcess()}
	if o.Holder.Dead(other.name) {
		t.Error("a stopped process is called dead")
	}
	op, err := operation.Begin(t.Context(), o, orgcontexttest.For("acme"), onboard, w.show)
	for began := time.Now(); errors.Is(err, registry.ErrBusy) && time.Since(began) < time.Minute; {
		time.Sleep(10 * time.Millisecond)
		op, err = operation.Begin(t.Context(), o, orgcontexttest.For("acme"), onboard, w.show)
	}
	if err != nil {
		t.Fatalf("after the lease: %v", err)
	}
	if err := op.PutOrg(t.Context(), registry.Org{Org: "acme", State: "onboarding", Plan: []byte("{}")}); err != nil {
		t.Fatal(err)
	}
	before, err := of(s, "acme").Org(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	other.signal(t, syscall.SIGCONT)
	for _, what := range []string{"write", "wait", "end"} {
		if got := other.do(t, what); got != "lost: true" {
			t.Errorf("%s after it woke up: %s", what, got)
		}
	}
	other.do(t, "emit")
	end(t, op)
	after, err := of(s, "acme").Org(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	same(t, "org", before, after)
	same(t, "shown", []string{"operation.failed", "operation.started", "operation.succeeded"}, w.words())
	events, err := of(s, "acme").Events(t.Context(), w.shown()[0].Operation, 0)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "events of the stopped operation", 2, len(events))
}

func TestOnlyAProcessOfThisHostAndBootIsCalledDead(t *testing.T) {
	tellsTheDead(t)
	me := operation.ThisProcess()
	if strings.Contains(me.Name(), " - ") {
		t.Fatalf("%q: something is not known", me.Name())
	}
	// No process has this pid: it is beyond what Linux and macOS give.
	const nobody = "99999999"
	replaced := func(field int, value string, pid string) string {
		fields := strings.Fields(me.Name())
		fields[1] = pid
		fields[field] = value
		return strings.Join(fields, " ")
	}
	self := fmt.Sprint(os.Getpid())
	for reason, tc := range map[string]struct {
		name string
		dead bool
	}{
		"itself":                                 {me.Name(), false},
		"its parent, of which no start is known": {replaced(2, "-", fmt.Sprint(os.Getppid())), false},
		"the first process":                      {replaced(2, "-", "1"), false},
		"nobody":                                 {replaced(1, nobody, nobody), true},
		"an earlier process with its pid":        {replaced(2, "1", self), true},
		"a process that did not know its start":  {replaced(2, "-", self), false},
		"another host":                           {replaced(0, "elsewhere", nobody), false},
		"an unknown host":                        {replaced(0, "-", nobody), false},
		"another boot":                           {replaced(3, "earlier", nobody), false},
		"an unknown boot":                        {replaced(3, "-", nobody), false},
		"another container":                      {replaced(4, "pid:[1],time:[2]", nobody), false},
		"no pid":                                 {replaced(1, "x", "x"), false},
		"the pid of a group":                     {replaced(1, "-"+nobody, "-"+nobody), false},
		"the pid of everybody":                   {replaced(1, "0", "0"), false},
		"nothing":                                {"", false},
		"another kind of holder":                 {"worker-7", false},
	} {
		t.Run(reason, func(t *testing.T) {
			if got := me.Dead(tc.name); got != tc.dead {
				t.Errorf("%q: dead %v, want %v", tc.name, got, tc.dead)
			}
		})
	}
}

func TestAProcessThatDoesNotKnowItselfCallsNobodyDead(t *testing.T) {
	var unknown operation.Process
	if name := strings.Replace(unknown.Name(), "0", "99999999", 1); unknown.Dead(name) {
		t.Errorf("%q is called dead by %q", name, unknown.Name())
	}
}

func tellsTheDead(t *testing.T) {
	t.Helper()
	if runtime.GOOS != "linux" && runtime.GOOS != "darwin" {
		t.Skip("no process is called dead on " + runtime.GOOS)
	}
}
