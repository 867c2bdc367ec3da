package main_test

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/registry/postgres/pgtest"
)

// Four machines share a registry, a backend, the passphrases and a cloud that has
// faults, and are asked for changes of some orgs. While they work they are killed,
// or stopped for longer than their lease lasts, while another machine is asked for
// the same. In the end each org is as it was last asked to be, each operation has
// one terminal event, which its receiver has had, in order, no account was made
// twice, and the audit logs are whole.
//
// It is bounded by the number of orgs and of requests for each, which "make
// torture" raises: FREEHOLD_TORTURE_ORGS, FREEHOLD_TORTURE_REQUESTS, and
// FREEHOLD_TEST_SEED draws an earlier run again, as far as two runs can be alike.
func TestWhateverHappensToItsProcessesEachOrgEndsAsItWasLastAskedToBe(t *testing.T) {
	t.Parallel()
	for driver, at := range map[string]func(dir string) string{
		"in PostgreSQL": func(string) string { return pgtest.Database(t).Service },
		"in SQLite":     func(dir string) string { return filepath.Join(dir, "registry.db") },
	} {
		if driver == "in SQLite" && os.Getenv("FREEHOLD_TORTURE_ORGS") == "" {
			continue // one driver is enough for every day
		}
		t.Run(driver, func(t *testing.T) { torment(t, at) })
	}
}

func torment(t *testing.T, registryAt func(dir string) string) {
	orgs := int(number(t, "FREEHOLD_TORTURE_ORGS", 2))
	requests := int(number(t, "FREEHOLD_TORTURE_REQUESTS", 2))
	seed := number(t, "FREEHOLD_TEST_SEED", uint64(time.Now().UnixNano()))
	t.Logf("FREEHOLD_TEST_SEED=%d", seed)
	x := newTorture(t, registryAt)

	var wg sync.WaitGroup
	gate := make(chan struct{}, 4) // as many machines as work at a time
	for i := range orgs {
		wg.Go(func() {
			o := &tormented{torture: x, org: fmt.Sprintf("t%02d", i), random: rand.New(rand.NewPCG(seed, uint64(i)))} //nolint:gosec // moments, not secrets
			o.machines[0].want(0, "webhooks", "add", o.org, "--url", x.hook+"/"+o.org, "--secret", "env:TORTURE_SECRET")
			for n := range requests {
				gate <- struct{}{}
				o.request(n, n == requests-1 && i%2 == 1)
				<-gate
			}
		})
	}
	wg.Wait()
	x.check(orgs)
}

// torture is what the machines share.
type torture struct {
	t        testing.TB
	machines []home
	mu       sync.Mutex
	// asked is what each org was last asked to be; "" is offboarded.
	asked map[string]string
	fates map[string]int
	// received are the ids of the events that were sent of each org, each once and
	// in the order in which it came for the first time.
	received map[string][]string
	hook     string // the receiver's URL
}

// receive is an endpoint of orgs, of which each second event is refused once.
func (x *torture) receive(w http.ResponseWriter, r *http.Request) {
	org, id := strings.TrimPrefix(r.URL.Path, "/"), r.Header.Get("webhook-id")
	x.mu.Lock()
	defer x.mu.Unlock()
	if slices.Contains(x.received[org], id) {
		return
	}
	if refused := id + " was refused"; len(x.received[org])%2 == 1 && !slices.Contains(x.received["refused"], refused) {
		x.received["refused"] = append(x.received["refused"], refused)
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	x.received[org] = append(x.received[org], id)
}

func newTorture(t *testing.T, registryAt func(dir string) string) *torture {
	t.Helper()
	x := &torture{t: t, asked: map[string]string{}, fates: map[string]int{}, received: map[string][]string{}}
	receiver := httptest.NewServer(http.HandlerFunc(x.receive))
	t.Cleanup(receiver.Close)
	x.hook = receiver.URL
	x.machines = fleet(t, 4, registryAt, "FREEHOLD_QUOTA=organizations:accounts=100",
		"FREEHOLD_WEBHOOK_HOSTS=127.0.0.1", "TORTURE_SECRET=whsec_"+base64.StdEncoding.EncodeToString([]byte("a secret of thirty-two bytes....")))
	return x
}

// fleet are machines that share a backend, the secrets' passphrases, the cloud, and
// a registry, and nothing else.
func fleet(t *testing.T, n int, registryAt func(dir string) string, env ...string) (machines []home) {
	t.Helper()
	shared, err := os.MkdirTemp("", "fh-fleet-") //nolint:usetesting // the sandbox is stopped in it before it is removed
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(shared) })
	for _, dir := range []string{"state", "secrets"} {
		if err := os.Mkdir(filepath.Join(shared, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	env = append(env, "FREEHOLD_BACKEND=file://"+filepath.Join(shared, "state"), "FREEHOLD_REGISTRY="+registryAt(shared),
		"FREEHOLD_SECRETS_PROVIDER=passphrase://"+filepath.Join(shared, "secrets"))
	for range n {
		h := newHome(t)
		h.cloud, h.env = filepath.Join(shared, "cloud"), slices.Clone(env)
		machines = append(machines, h)
	}
	return machines
}

// tormented is one org's life.
type tormented struct {
	*torture

	org    string
	random *rand.Rand
}

// machine is one of them, and not the one that was named.
func (o *tormented) machine(but home) home {
	for {
		if h := o.machines[o.random.IntN(len(o.machines))]; h.dir != but.dir {
			return h
		}
	}
}

// request asks for one more change, under an id of its own, until it is done.
func (o *tormented) request(n int, last bool) {
	args := []string{"offboard", o.org, "--yes", o.org, "--close-account"}
	doc := ""
	if !last {
		doc = fmt.Sprintf("deletionProtection: false\ntags: {request: \"%d\", city: %s}\nnetwork: {flowLogRetentionDays: %d}\nprojects: [{name: p%d}]",
			n, []string{"Köln", "Basel", "Zürich"}[n%3], []int{30, 60, 90}[n%3], n)
		args = nil
	}
	for try := range 30 {
		h := o.machine(home{})
		run := args
		if !last {
			run = []string{"onboard", "-f", h.spec(o.org, doc)}
		}
		run = append(slices.Clone(run), "--request-id", fmt.Sprintf("%s-%d-%d", o.org, n, try))
		if try == 0 {
			run = append(run, "--fault", o.fault())
		}
		if o.live(h, run) {
			if !last {
				o.drifts()
			}
			o.mu.Lock()
			o.asked[o.org] = doc
			o.mu.Unlock()
			return
		}
	}
	o.t.Errorf("%s: request %d was not done in 30 tries", o.org, n)
}

// drifts looks at the org from a machine, half of the time: that holds nothing,
// and never holds anybody up. An org that was just changed has no drift.
func (o *tormented) drifts() {
	if o.random.IntN(2) == 0 {
		return
	}
	if r := o.machine(home{}).run("drift", o.org); r.code != 0 {
		o.t.Errorf("%s: drift exits with %d:\n%s%s", o.org, r.code, r.stdout, r.stderr)
	}
}

// fault is something that goes wrong in the cloud, once.
func (o *tormented) fault() string {
	all := []string{"eks:CreateCluster=timeout:1", "kms:CreateKey=lost:1", "iam:CreateRole=throttle:2", "s3:CreateBucket=error:1", "organizations:CreateAccount=lost:1"}
	return all[o.random.IntN(len(all))]
}

// live runs one request, whatever becomes of its processes, and reports whether
// it was done.
func (o *tormented) live(h home, args []string) bool {
	r := h.start(args...)
	fate := []string{"none", "killed", "killed", "stopped"}[o.random.IntN(4)]
	for range o.random.IntN(150) {
		if _, more := r.next(); !more {
			fate = "over" // it was faster
			break
		}
	}
	o.mu.Lock()
	o.fates[fate]++
	o.mu.Unlock()
	switch fate {
	case "killed":
		if err := r.kill(); err != nil {
			return r.cmd.ProcessState.ExitCode() == 0
		}
		return o.again(h, args)
	case "stopped":
		if err := r.cmd.Process.Signal(syscall.SIGSTOP); err != nil && !errors.Is(err, os.ErrProcessDone) {
			o.t.Error(err)
		}
		done := o.again(h, args)
		if err := r.cmd.Process.Signal(syscall.SIGCONT); err != nil && !errors.Is(err, os.ErrProcessDone) {
			o.t.Error(err)
		}
		// It wakes up, and finds that the org is another's.
		if _, code := r.wait(); !slices.Contains([]int{0, 1, 3, 5}, code) {
			o.t.Errorf("%s: a process that woke up exits with %d:\n%s", o.org, code, r.stderr)
		}
		return done
	default:
		_, code := r.wait()
		if code != 0 {
			o.t.Logf("%s: exit %d: %s", o.org, code, said(r.stderr.String()))
		}
		return code == 0
	}
}

// said is what a command said of its failure: the last lines.
func said(stderr string) string {
	lines := strings.Split(strings.TrimSpace(stderr), "\n")
	return strings.Join(lines[max(0, len(lines)-4):], " | ")
}

// again makes the same request on other machines until the first one's process
// no longer holds the org, and reports whether it was done.
func (o *tormented) again(first home, args []string) bool {
	for range 60 {
		h := o.machine(first)
		if args[0] == "onboard" { // each machine has a file of its own
			text, err := os.ReadFile(args[2])
			if err != nil {
				o.t.Error(err)
				return false
			}
			args = slices.Clone(args)
			args[2] = filepath.Join(h.dir, o.org+".yaml")
			if err := os.WriteFile(args[2], text, 0o600); err != nil {
				o.t.Error(err)
				return false
			}
		}
		switch r := h.run(args...); r.code {
		case 0:
			return true
		case 5: // the other one's lease lasts on
			time.Sleep(time.Second)
		case 1: // the operation has failed of a fault, and another request is made
			o.t.Logf("%s: failed after %s: %s", o.org, r.took, said(r.stderr))
			return false
		default:
			o.t.Errorf("%s: %v exits with %d:\n%s", o.org, args, r.code, r.stderr)
			return false
		}
	}
	o.t.Errorf("%s: nobody took over in a minute", o.org)
	return false
}

// check looks at everything that has to hold in the end.
func (x *torture) check(orgs int) {
	x.t.Logf("fates of processes: %v", x.fates)
	h := x.machines[0]
	for i := range orgs {
		org := fmt.Sprintf("t%02d", i)
		if doc := x.asked[org]; doc != "" {
			if r := h.run("plan", "-f", h.spec(org, doc)); r.code != 0 {
				x.t.Errorf("%s is not as it was last asked to be: plan exits with %d:\n%s%s", org, r.code, r.stdout, r.stderr)
			}
			if r := h.run("drift", org); r.code != 0 {
				x.t.Errorf("%s: drift exits with %d:\n%s%s", org, r.code, r.stdout, r.stderr)
			}
		} else if st := decode[event.Status](x.t, h.want(0, "status", org, "-o", "json")); st.State != "offboarded" {
			x.t.Errorf("%s is %s, want it offboarded", org, st.State)
		}
		if r := h.run("audit-log", "verify", org); r.code != 0 {
			x.t.Errorf("%s: the audit log: %s", org, r.stdout)
		}
	}
	if twice := h.madeTwice(); len(twice) > 0 {
		x.t.Errorf("made twice: %v", twice)
	}
	for i := range orgs { // refused once more, and then taken
		for range 2 {
			h.run("webhooks", "deliver", fmt.Sprintf("t%02d", i), "--now")
		}
		h.want(0, "webhooks", "deliver", fmt.Sprintf("t%02d", i), "--now")
	}
	x.checkRegistry(h.want(0, "registry", "export").stdout)
}

// checkRegistry looks at all that a registry holds.
func (x *torture) checkRegistry(text string) {
	ends, states := map[string]int{}, map[string]string{}
	sent := map[string][]string{} // by org: the id of each terminal event, in the order of tokens
	tokens := map[string]float64{}
	owners := map[string]string{}
	for line := range strings.Lines(text) {
		var l struct {
			Table string
			Row   map[string]any
		}
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			x.t.Fatal(err)
		}
		field := func(name string) string { s, _ := l.Row[name].(string); return s }
		switch l.Table {
		case "operations":
			states[field("org")+" "+field("id")] = field("state")
			tokens[field("org")+" "+field("id")], _ = l.Row["token"].(float64)
		case "events":
			if event.Type(field("type")).Terminal() {
				ends[field("org")+" "+field("operation")]++
				seq, _ := l.Row["seq"].(float64)
				sent[field("org")] = append(sent[field("org")], fmt.Sprintf("%s-%d", field("operation"), int(seq)))
			}
		case "outbox":
			x.t.Errorf("an event of %s was not delivered: %s", field("org"), field("error"))
		case "ledger":
			id := field("kind") + " " + field("value")
			if was, ok := owners[id]; ok && was != field("org") {
				x.t.Errorf("%s has two owners, %s and %s", id, was, field("org"))
			}
			owners[id] = field("org")
		}
	}
	for op, state := range states {
		if state == "running" || ends[op] != 1 {
			x.t.Errorf("operation %s is %s, and has %d terminal events, want one", op, state, ends[op])
		}
	}
	for org, ids := range sent {
		token := func(id string) float64 { return tokens[org+" "+id[:strings.LastIndex(id, "-")]] }
		slices.SortFunc(ids, func(a, b string) int { return cmp.Compare(token(a), token(b)) })
		if diff := gocmp.Diff(ids, x.received[org]); diff != "" {
			x.t.Errorf("the terminal events of %s that its receiver had (-stored +received):\n%s", org, diff)
		}
	}
	if len(states) == 0 || len(owners) == 0 {
		x.t.Errorf("%d operations and %d identities are in the registry", len(states), len(owners))
	}
}
