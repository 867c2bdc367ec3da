package lifecycletest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"freehold.dev/freehold/internal/event"
)

// errKilled is what a dead process gets from everything that it still calls. A
// real one would get nothing; what it does with the error reaches nobody.
var errKilled = errors.New("this process was killed")

// shared is the backend and the secrets provider of every machine that has no
// other one.
const shared = "shared"

// Machine is where a process runs. The zero value but for a name shares the
// backend and the secrets with all others.
type Machine struct {
	Name string
	// Backend names a backend of its own; empty: the shared one.
	Backend string
	// Secrets names a secrets provider of its own, a passphrase that only this
	// machine has; empty: the shared one.
	Secrets string
}

// Process is one run of Freehold. Its engine, its cloud and its registry stop
// together when it is killed.
type Process struct {
	w       *World
	machine Machine
	holder  string
	pid     int
	ctx     context.Context
	cancel  context.CancelCauseFunc
	// The rest is guarded by w.mu.
	dead   bool
	writes []Write
	last   int // the write after which it is killed; 0: none
}

// Write is one write of a process.
type Write struct {
	To   string // cloud, state or registry
	What string // what it did: make, record, event…
	Of   string // the type, the stack or the layer that it was about
	Name string // which one of those
}

// String says what was written.
func (w Write) String() string {
	return strings.TrimRight(w.To+": "+w.What+" "+w.Of+" "+w.Name, " ")
}

// Start starts a process on a machine. ctx ends with it, and not the other way
// round: a dead process has no context that goes on.
func (w *World) Start(ctx context.Context, m Machine) *Process {
	if m.Backend == "" {
		m.Backend = shared
	}
	if m.Secrets == "" {
		m.Secrets = shared
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	p := &Process{w: w, machine: m, pid: len(w.processes) + 1}
	p.holder = fmt.Sprintf("%s/%d", m.Name, p.pid)
	p.ctx, p.cancel = context.WithCancelCause(ctx)
	w.processes[p.holder] = p
	return p
}

// Context is the context of everything that the process does. It ends when the
// process is killed, so that nothing of it goes on waiting.
func (p *Process) Context() context.Context { return p.ctx }

// Engine is the process's engine.
func (p *Process) Engine() *Engine { return &Engine{p} }

// Cloud is the process's cloud.
func (p *Process) Cloud() *Cloud { return &Cloud{p} }

// KillAfter kills the process as soon as it has done n more writes, before it
// hears of the last one. Nothing that it tries afterwards reaches the world.
func (p *Process) KillAfter(n int) {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	p.last = len(p.writes) + n
}

// Kill kills the process now.
func (p *Process) Kill() {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	p.die()
}

// Killed reports whether the process was killed.
func (p *Process) Killed() bool {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	return p.dead
}

// Writes are the writes that the process has done, in order.
func (p *Process) Writes() []Write {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	return slices.Clone(p.writes)
}

// Sink returns a sink that a dead process shows nothing in.
func (p *Process) Sink(show event.Sink) event.Sink {
	return func(ev event.Event) {
		if show != nil && !p.Killed() {
			show(ev)
		}
	}
}

// Name is how the process names itself as the holder of an org.
func (p *Process) Name() string { return p.holder }

// Dead reports whether the process that named itself so is dead for sure, as
// far as it can be told from here: of a process on another machine, it cannot.
func (p *Process) Dead(holder string) bool {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	other, ok := p.w.processes[holder]
	return ok && other.machine.Name == p.machine.Name && other.dead
}

// SameClock is true: a world has one clock.
func (p *Process) SameClock(string) bool { return true }

func (p *Process) die() {
	p.dead = true
	p.cancel(errKilled)
}

// alive fails for a dead process. The caller holds w.mu.
func (p *Process) alive() error {
	if p.dead {
		return errKilled
	}
	return nil
}

// write does one write, unless the process is dead. What the world refuses is
// no write.
func (p *Process) write(what Write, do func() error) error {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	if err := p.alive(); err != nil {
		return err
	}
	if err := do(); err != nil {
		return err
	}
	p.writes = append(p.writes, what)
	p.w.data.Writes++
	if len(p.writes) == p.last {
		p.die()
		return errKilled
	}
	return nil
}

// read looks at the world, unless the process is dead.
func (p *Process) read(do func() error) error {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	if err := p.alive(); err != nil {
		return err
	}
	return do()
}
