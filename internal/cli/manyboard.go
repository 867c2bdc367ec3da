package cli

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/forecast"
	"freehold.dev/freehold/internal/render"
)

// manyBoard is what is known about a run over several orgs. It draws nothing.
type manyBoard struct {
	started time.Time
	places  int // how many run at the same time
	rows    []*manyRow
}

// manyRow is one org's part of it.
type manyRow struct {
	org     string
	board   *board
	started time.Time            // zero: it waits for a place
	ended   *event.OrgOnboarding // nil: not ended
}

func newManyBoard(orgs []string, places int, now time.Time) *manyBoard {
	b := &manyBoard{started: now, places: places}
	for _, org := range orgs {
		b.rows = append(b.rows, &manyRow{org: org, board: newBoard(org, "onboard", now)})
	}
	return b
}

func (b *manyBoard) start(i int, now time.Time) *manyRow {
	row := b.rows[i]
	row.started, row.board.started = now, now
	return row
}

func (b *manyBoard) end(i int, r event.OrgOnboarding) *manyRow {
	b.rows[i].ended = &r
	return b.rows[i]
}

// apply folds one event in, and lets the other orgs learn from it how long layers
// take.
func (r *manyRow) apply(e event.Event) {
	if r.board.outlook == nil || e.Type != event.LayerFinished {
		r.board.apply(e)
		return
	}
	l := r.board.layer(e.Layer)
	kind := r.board.kindOf(l)
	if kind == forecast.Same || kind == forecast.Change {
		// By its end it is known.
		kind = forecast.Same
		if render.Counts(e.Changes) != "" {
			kind = forecast.Change
		}
	}
	r.board.apply(e)
	r.board.outlook.book.Add(l.name, kind, l.took)
}

// left is how much longer the run takes.
func (b *manyBoard) left(now time.Time) forecast.Left {
	var running, waiting []forecast.Left
	for _, r := range b.rows {
		switch {
		case r.board.outlook == nil:
			return forecast.Left{}
		case r.runs():
			running = append(running, r.board.left(now))
		case r.waits():
			waiting = append(waiting, r.board.left(now))
		}
	}
	return forecast.Whole(running, waiting, b.places)
}

func (b *manyBoard) unfinished() bool {
	return slices.ContainsFunc(b.rows, func(r *manyRow) bool { return r.ended == nil })
}

func (r *manyRow) waits() bool { return r.ended == nil && r.started.IsZero() }
func (r *manyRow) runs() bool  { return r.ended == nil && !r.started.IsZero() }

// layer is the one that runs; nil: none does.
func (r *manyRow) layer() *layerBoard {
	for _, l := range r.board.layers {
		if l.state == layerRuns {
			return l
		}
	}
	return nil
}

// outlook says how the layer that runs compares with earlier runs, what a late one
// waits for, and how much longer the org takes.
func (r *manyRow) outlook(now time.Time) string {
	text := ""
	if l := r.layer(); l != nil {
		if usually := r.board.usually(l, now); usually != "" {
			text = fmt.Sprintf("  %s %s, %s", l.name, render.Took(l.elapsed(now)), usually)
		}
		if on := l.waitsFor(now); on != "" && r.board.late(l, now) {
			text += ", waiting for " + on
		}
	}
	if left := r.board.left(now).String(); left != "" {
		text += "  " + left
	}
	return text
}

// outcome says how an org ended: in a word, and in one line with what came of it
// or why.
func (r *manyRow) outcome() (word, text string) {
	word = render.OnboardingWord(r.ended.State)
	switch {
	case r.ended.State == event.OnboardingNotStarted:
		return word, ""
	case r.ended.Error != "":
		return word, escape(strings.Join(strings.Fields(cloudsWords(strings.TrimPrefix(r.ended.Error, r.org+": "))), " "))
	}
	all := map[string]int{}
	for _, l := range r.board.layers {
		for op, n := range l.changes {
			all[op] += n
		}
	}
	return word, cmp.Or(render.Counts(all), "no changes")
}

// totals counts the orgs: "3 ready, 1 failed, 4 running, 4 waiting".
func (b *manyBoard) totals() string {
	n := map[event.OnboardingState]int{}
	running, waiting := 0, 0
	for _, r := range b.rows {
		switch {
		case r.waits():
			waiting++
		case r.runs():
			running++
		default:
			n[r.ended.State]++
		}
	}
	var parts []string
	add := func(n int, word string) {
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, word))
		}
	}
	for _, s := range event.OnboardingStates() {
		add(n[s], render.OnboardingWord(s))
	}
	add(running, "running")
	add(waiting, "waiting")
	return strings.Join(parts, ", ")
}
