package cli

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/render"
)

// board is what is known about a running operation, folded from its events. It
// draws nothing: the terminal's view and the plain lines both read it.
type board struct {
	org, kind string
	started   time.Time
	layers    []*layerBoard
	ended     *event.Event // the terminal event
	outlook   *outlook     // nil: nothing is said of how long it takes
}

// layerBoard is one layer's part of a board.
type layerBoard struct {
	name     string
	state    layerState
	op       string // create, update or delete; empty: not known
	touched  bool   // something in it is changed
	started  time.Time
	took     time.Duration
	total    int // 0: not known
	finished int
	failed   int
	changes  map[string]int
	running  map[string]work // by URN
	waiting  string          // what it waits for, in words
	waitsOn  string          // the URN of the resource that it waits for, if it is one
	message  string          // why it failed
}

type layerState int

const (
	layerWaits layerState = iota
	layerRuns
	layerDone
	layerFailed
)

// work is one resource that the engine is working on.
type work struct {
	what    string // `create aws:eks/cluster:Cluster "eks"`
	started time.Time
}

// newBoard shows every layer from the start, in the order in which the
// operation runs them.
func newBoard(org, kind string, now time.Time) *board {
	b := &board{org: org, kind: kind, started: now}
	if kind == "release" {
		return b // it runs no layer
	}
	order := plan.Layers()
	if kind == "offboard" {
		slices.Reverse(order)
	}
	for _, l := range order {
		b.layer(string(l))
	}
	return b
}

func (b *board) layer(name string) *layerBoard {
	for _, l := range b.layers {
		if l.name == name {
			return l
		}
	}
	l := &layerBoard{name: name, running: map[string]work{}}
	b.layers = append(b.layers, l)
	return l
}

// apply folds one event in.
func (b *board) apply(e event.Event) {
	// A drawing is full of what a terminal acts on, and cannot be escaped as a whole.
	for _, text := range []*string{&e.Org, &e.Layer, &e.Op, &e.ResourceType, &e.ResourceName, &e.Message} {
		*text = escape(*text)
	}
	if e.Org != "" {
		b.org = e.Org
	}
	if e.Type.Terminal() {
		b.ended = &e // of an earlier operation, until its own comes
		return
	}
	if e.Layer == "" {
		return
	}
	l := b.layer(e.Layer)
	if e.Total > 0 {
		l.total = e.Total
	}
	switch e.Type {
	case event.LayerStarted:
		*l = layerBoard{name: l.name, state: layerRuns, op: e.Op, started: e.Time, total: e.Total, running: map[string]work{}}
	case event.LayerFinished:
		l.end(layerDone, e)
	case event.LayerFailed:
		l.end(layerFailed, e)
		l.message = e.Message
	case event.ResourceStarted:
		l.waiting, l.waitsOn = "", ""
		// Before it changes anything, the engine looks through what is there.
		l.touched = l.touched || render.Counts(map[string]int{e.Op: 1}) != ""
		l.running[e.URN] = work{what: strings.TrimSpace(e.Op + " " + resource(e)), started: e.Time}
	case event.ResourceFinished:
		l.over(e.URN)
		l.finished++
	case event.ResourceFailed:
		l.over(e.URN)
		l.failed++
	case event.Waiting:
		l.waiting, l.waitsOn = strings.TrimPrefix(e.Message, "waiting for "), e.URN
	default:
		// The rest does not belong to a layer.
	}
}

// over is the end of the work on a resource, and of a wait for it.
func (l *layerBoard) over(urn string) {
	delete(l.running, urn)
	if urn != "" && l.waitsOn == urn {
		l.waiting, l.waitsOn = "", ""
	}
}

func (l *layerBoard) end(state layerState, e event.Event) {
	l.state, l.changes, l.waiting = state, e.Changes, ""
	l.running = map[string]work{}
	l.took = e.Duration
	if l.took == 0 && !l.started.IsZero() {
		l.took = e.Time.Sub(l.started)
	}
}

// outcome says in a few words how a layer ended that succeeded.
func (b *board) outcome(l *layerBoard) string {
	text := render.Counts(l.changes)
	switch b.kind {
	case "drift":
		return "read"
	case "plan":
		text = render.WouldCount(l.changes)
	}
	if text == "" {
		return "no changes"
	}
	return text
}

// elapsed is how long the layer has been running, or ran.
func (l *layerBoard) elapsed(now time.Time) time.Duration {
	if l.state == layerRuns {
		return now.Sub(l.started)
	}
	return l.took
}

// progress is "12/60 resources", or "12 resources" while the total is not known.
func (l *layerBoard) progress() string {
	switch {
	case l.total > 0:
		return fmt.Sprintf("%d/%d resources", min(l.finished, l.total), max(l.total, l.finished))
	case l.finished == 1:
		return "1 resource"
	default:
		return fmt.Sprintf("%d resources", l.finished)
	}
}

// waitsFor is what the layer is waiting for: what somebody said, or else the
// resource that has been running for longest.
func (l *layerBoard) waitsFor(now time.Time) string {
	if l.waiting != "" {
		return l.waiting
	}
	if len(l.running) == 0 {
		return ""
	}
	all := make([]work, 0, len(l.running))
	for _, w := range l.running {
		all = append(all, w)
	}
	oldest := slices.MinFunc(all, func(a, b work) int {
		return cmp.Or(a.started.Compare(b.started), cmp.Compare(a.what, b.what))
	})
	text := fmt.Sprintf("%s (%s)", oldest.what, render.Took(now.Sub(oldest.started)))
	if more := len(all) - 1; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

func resource(e event.Event) string {
	if e.ResourceName == "" {
		return e.ResourceType
	}
	return fmt.Sprintf("%s %q", e.ResourceType, e.ResourceName)
}
