package main_test

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"freehold.dev/freehold/internal/localhost"
)

// The ports of the server of a world. One test has them at a time: what a world's
// document says of its identity provider names one of them.
var (
	trialPort, apiPort = freePort(), freePort()
	serving            sync.Mutex
)

// keptPort is a port of the loopback that this process listens at while no server
// does, so that nobody else takes it: minutes pass between two servers.
type keptPort struct {
	port int
	kept net.Listener
}

func freePort() *keptPort {
	port, err := localhost.FreePort()
	p := &keptPort{port: port}
	if err := errors.Join(err, p.keep()); err != nil {
		panic(err) // no test of this package works without one
	}
	return p
}

func (p *keptPort) keep() (err error) {
	p.kept, err = net.Listen("tcp", net.JoinHostPort("127.0.0.1", p.String()))
	return err
}

func (p *keptPort) give() { _ = p.kept.Close() }

func (p *keptPort) String() string { return strconv.Itoa(p.port) }

// served is "freehold serve" over a home.
type served struct {
	home

	// stopWithin is how long it takes to stop in order; 0: five seconds.
	stopWithin time.Duration
	process    *exec.Cmd
	log        *bytes.Buffer
	logged     *sync.WaitGroup
}

// serve starts the server of a home, which ends with the test.
func (h home) serve() *served {
	h.t.Helper()
	serving.Lock()
	h.t.Cleanup(serving.Unlock)
	s := &served{home: h}
	s.start()
	h.t.Cleanup(func() {
		if s.process.ProcessState == nil {
			s.end(os.Kill)
		}
		if h.t.Failed() {
			h.t.Logf("the server's log:\n%s", s.log)
		}
	})
	return s
}

// start starts it, and waits until clients can connect.
func (s *served) start() {
	s.t.Helper()
	trialPort.give()
	apiPort.give()
	s.process = s.command(context.Background(), "serve")
	s.process.Env = append(s.process.Env,
		fmt.Sprint("FREEHOLD_SERVE_LISTEN_ADDRESS=127.0.0.1:", apiPort), "FREEHOLD_SERVE_LISTEN_OPERATIONS=127.0.0.1:0",
		fmt.Sprint("FREEHOLD_SERVE_TRIAL_ISSUER=https://localhost:", trialPort), fmt.Sprint("FREEHOLD_SERVE_STOP_WITHIN=", cmp.Or(s.stopWithin, 5*time.Second)),
	)
	said, err := s.process.StderrPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := s.process.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.log, s.logged = &bytes.Buffer{}, &sync.WaitGroup{}
	up := make(chan bool, 1)
	s.logged.Go(func() {
		lines := bufio.NewScanner(said)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			fmt.Fprintln(s.log, lines.Text())
			if strings.HasPrefix(lines.Text(), "serving ") {
				up <- true
			}
		}
		close(up)
	})
	if !<-up {
		s.logged.Wait()
		s.t.Fatalf("the server ended before it served: %v\n%s", s.process.Wait(), s.log)
	}
}

// end ends it by a signal, and returns its exit status.
func (s *served) end(by os.Signal) int {
	s.t.Helper()
	if err := s.process.Process.Signal(by); err != nil {
		s.t.Fatal(err)
	}
	s.logged.Wait()
	_ = s.process.Wait() // its status says it
	if err := errors.Join(trialPort.keep(), apiPort.keep()); err != nil {
		s.t.Fatal(err)
	}
	return s.process.ProcessState.ExitCode()
}

// token is one of a user of the trial's identity provider.
func (s *served) token(org, user string) string {
	s.t.Helper()
	return strings.TrimSpace(s.want(0, "sandbox", "token", org, "--as", user).stdout)
}

// client is freehold against the API of an org, as a user of its identity provider.
func (s *served) client(org, user string, args ...string) *exec.Cmd {
	s.t.Helper()
	c := exec.CommandContext(s.t.Context(), filepath.Join(bin, "freehold"), append([]string{"--server", fmt.Sprintf("https://%s.freehold.localhost:%s", org, apiPort)}, args...)...)
	c.Env = append(os.Environ(), "FREEHOLD_HOME="+s.dir, "FREEHOLD_CLOUD=", "FREEHOLD_TOKEN="+s.token(org, user))
	c.WaitDelay = 5 * time.Second
	return c
}

// as runs freehold against the API of an org, as a user of its identity provider.
func (s *served) as(org, user string, stdin string, args ...string) result {
	s.t.Helper()
	c := s.client(org, user, args...)
	c.Stdin = strings.NewReader(stdin)
	return s.finish(c)
}

// mustAs is as, with the exit status that is wanted.
func (s *served) mustAs(code int, org, user, stdin string, args ...string) result {
	s.t.Helper()
	r := s.as(org, user, stdin, args...)
	if r.code != code {
		s.t.Fatalf("freehold %s as %s of %s: exit %d, want %d\nstdout:\n%s\nstderr:\n%s", strings.Join(args, " "), user, org, r.code, code, r.stdout, r.stderr)
	}
	return r
}

func TestPeopleOfAnOrgUseItsAPIAsTheirRolesSay(t *testing.T) {
	t.Parallel()
	h, file := onboarded(t)
	s := h.serve()

	for _, what := range []string{"organization", "operations", "dataplane", "projects", "drift", "audit", "exceptions", "evidence"} {
		var answer struct{ Org string }
		if r := s.mustAs(0, "acme", "vera", "", "get", what, "-o", "json"); json.Unmarshal([]byte(r.stdout), &answer) != nil || answer.Org != "acme" {
			t.Errorf("get %s: org is %q:\n%s", what, answer.Org, r.stdout)
		}
	}
	denied := func(user, stdin string, args ...string) {
		t.Helper()
		if r := s.mustAs(1, "acme", user, stdin, args...); !strings.Contains(r.stderr, "permission denied") && !strings.Contains(r.stderr, "takes the role admin") {
			t.Errorf("freehold %s as %s: %s", strings.Join(args, " "), user, r.stderr)
		}
	}
	if r := s.mustAs(1, "acme", "nobody", "", "get", "operations"); !strings.Contains(r.stderr, "does not accept the token") {
		t.Errorf("somebody without a role: %s", r.stderr)
	}
	denied("vera", "", "drift", "run")
	denied("vera", "", "projects", "remove", "web", "--yes=web")
	s.mustAs(0, "acme", "oscar", "", "drift", "run")

	// Who has access, and where projects come from, is an admin's to say.
	document, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	authority, err := os.ReadFile(filepath.Join(h.dir, "sandbox", "serve", "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	pulled := string(document) + fmt.Sprintf("projectSource:\n  url: https://acme.freehold.localhost:%s/v1/projects\n  interval: 5s\n  caBundle: |\n    %s\n",
		apiPort, strings.ReplaceAll(strings.TrimSpace(string(authority)), "\n", "\n    "))
	denied("oscar", pulled, "onboard", "-f", "-")
	s.mustAs(0, "acme", "ada", pulled, "onboard", "-f", "-")
	if r := s.mustAs(4, "acme", "ada", strings.Replace(pulled, "org: acme", "org: globex", 1), "onboard", "-f", "-"); !strings.Contains(r.stderr, "globex") {
		t.Errorf("a document of another org: %s", r.stderr)
	}

	// The controller of the org's own cluster asks for the project, with its own token.
	s.mustAs(0, "acme", "oscar", "", "projects", "add", "--name", "lab")
	if r := s.mustAs(0, "acme", "vera", "", "projects", "list"); !strings.Contains(strings.Join(strings.Fields(r.stdout), " "), "lab api Ready") {
		t.Errorf("projects:\n%s", r.stdout)
	}
	events := strings.TrimSpace(s.mustAs(0, "acme", "vera", "", "operations", "events", "--follow", "-o", "ndjson").stdout)
	if lines := strings.Split(events, "\n"); !strings.Contains(lines[len(lines)-1], `"dev.freehold.operation.succeeded"`) || strings.Contains(events, "layer.started") {
		t.Errorf("events of the project:\n%s", events)
	}
	s.mustAs(0, "acme", "oscar", "", "projects", "remove", "lab", "--yes=lab")
	if r := s.mustAs(0, "acme", "vera", "", "projects", "list"); strings.Contains(r.stdout, "lab") {
		t.Errorf("projects after the removal:\n%s", r.stdout)
	}

	log := s.mustAs(0, "acme", "vera", "", "audit-log", "show").stdout
	for _, want := range []string{"denied: no policy permits it to the role viewer", "ada@acme.example", "GetProjectSet", "system:serviceaccount:freehold-system"} {
		if !strings.Contains(log, want) {
			t.Errorf("the audit log lacks %q:\n%s", want, log)
		}
	}
	s.mustAs(0, "acme", "vera", "", "audit-log", "verify")

	if code := s.end(syscall.SIGTERM); code != 0 {
		t.Errorf("asked to stop, the server exits with %d", code)
	}
}
