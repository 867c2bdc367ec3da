package main_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// inhabited is what the customer of a world has beside what each has. Its people log
// in at the trial's identity provider, for which a port is kept.
var inhabited = fmt.Sprintf(`deletionProtection: false
tags: {team: blue}
projects:
  - name: web
    serviceAccounts: [{name: uploader}]
  - name: data
    quota: {cpu: "8", memory: 16Gi}
access:
  people:
    issuerUrl: https://localhost:%s/acme
    usernameClaim: email
    roles:
      - {role: admin, groups: [acme-admins]}
      - {role: operator, groups: [acme-operators]}
      - {role: viewer, groups: [acme-viewers]}`, trialPort)

// onboarded returns a home in which acme was onboarded, and the document that it
// was onboarded with. Its control plane is stopped, and starts when it is needed.
//
// An onboard takes longer than most of what is tested after it. So it is done
// once for as many tests as run at the same time, and each gets what it left: a
// test may do to it whatever it wants, and nobody sees that.
func onboarded(t *testing.T) (h home, file string) {
	t.Helper()
	w := worlds.take(t)
	h = home{t: t, dir: w.dir}
	t.Cleanup(func() {
		h.reset()
		worlds.give(w)
	})
	return h, h.spec("acme", inhabited)
}

// world is a home as an onboard left it. It is put back where it was made: what
// is in it names its path and its clusters' ports, in states that are encrypted
// too, so that it would not work in another place.
type world struct {
	dir    string // the home; it is there while a test has the world
	stored string // what was in it
	// ports are the clusters', held while no test has the world: a cluster of
	// another home could get them.
	ports []net.Listener
}

// pool has the worlds that no test has now.
type pool struct {
	mu   sync.Mutex
	free []*world
	all  []*world
}

var worlds pool

// take puts a world back in its place, or makes one where each is in use.
func (p *pool) take(t *testing.T) *world {
	t.Helper()
	p.mu.Lock()
	var w *world
	if last := len(p.free) - 1; last >= 0 {
		w, p.free = p.free[last], p.free[:last]
	}
	p.mu.Unlock()
	if w == nil {
		w = makeWorld(t)
		p.mu.Lock()
		p.all = append(p.all, w)
		p.mu.Unlock()
		return w
	}
	for _, l := range w.ports {
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	w.ports = nil
	if err := duplicate(t.Context(), w.stored, w.dir); err != nil {
		t.Fatal(err)
	}
	return w
}

// give takes a world back whose home is gone. One whose ports are taken
// meanwhile is not given out again.
func (p *pool) give(w *world) {
	if err := w.hold(); err != nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.free = append(p.free, w)
}

// remove removes what is stored of all worlds.
func (p *pool) remove() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var errs []error
	for _, w := range p.all {
		errs = append(errs, os.RemoveAll(w.stored))
	}
	return errors.Join(errs...)
}

// makeWorld onboards acme in an empty home, stops its control plane, and stores
// what there is then.
func makeWorld(t *testing.T) *world {
	t.Helper()
	dir, err := os.MkdirTemp("", "fh-") //nolint:usetesting // it outlives the test, and its path stays short
	if err != nil {
		t.Fatal(err)
	}
	h, w := home{t: t, dir: dir}, &world{dir: dir, stored: dir + "-stored"}
	made := false
	defer func() {
		if !made {
			h.reset()
		}
	}()
	h.want(0, "onboard", "-f", h.spec("acme", inhabited))
	h.want(0, "sandbox", "stop")
	if err := duplicate(t.Context(), w.dir, w.stored); err != nil {
		t.Fatal(err)
	}
	made = true
	return w
}

// duplicate copies a folder with all modes, times and links in it.
func duplicate(ctx context.Context, from, to string) error {
	if out, err := exec.CommandContext(ctx, "cp", "-pPR", from, to).CombinedOutput(); err != nil {
		return fmt.Errorf("copy %s to %s: %w\n%s", from, to, err, out)
	}
	return nil
}

// hold listens on the clusters' ports.
func (w *world) hold() error {
	records, err := filepath.Glob(filepath.Join(w.stored, "sandbox", "cloud", "clusters", "*", "*", "*", "cluster.json"))
	if err != nil {
		return err
	}
	for _, name := range records {
		var record struct{ Port int }
		raw, err := os.ReadFile(name)
		if err == nil {
			err = json.Unmarshal(raw, &record)
		}
		if err != nil {
			return err
		}
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", record.Port))
		if err != nil {
			return err
		}
		w.ports = append(w.ports, l)
	}
	return nil
}
