package cli

import (
	"context"
	"fmt"
	"slices"
	"time"

	"freehold.dev/freehold/internal/forecast"
)

// outlook is what earlier runs say of how long an operation's layers take.
type outlook struct {
	book *forecast.Book
	made map[string]bool // the layers that were there when the operation began
}

// history is how long layers took before; nil where nobody would read of it, or
// it cannot be told.
func (a *app) history(ctx context.Context, kind string) *forecast.Book {
	if a.output == asNDJSON || a.lifecycle == nil || a.opt.Server != "" || !slices.Contains([]string{"onboard", "offboard", "projects"}, kind) {
		return nil
	}
	book, err := a.lifecycle.History(ctx)
	if err != nil {
		if a.opt.Verbose {
			fmt.Fprintf(a.log, "freehold: there is no forecast, because it is not known how long layers took before: %v\n", err)
		}
		return nil
	}
	book.Elsewhere = a.opt.Cloud == CloudSandbox
	return book
}

// outlook is that of an operation on an org; nil without a history. An org that
// is not known has no layers.
func (a *app) outlook(ctx context.Context, book *forecast.Book, org string) *outlook {
	if book == nil {
		return nil
	}
	o := &outlook{book: book, made: map[string]bool{}}
	if status, err := a.lifecycle.Status(ctx, org); err == nil {
		for _, l := range status.Layers {
			o.made[l.Layer] = l.State == "done"
		}
	}
	return o
}

// kindOf is what the layer's run does, as far as that shows. A layer that is
// there is taken to be as it should be until something in it is changed.
func (b *board) kindOf(l *layerBoard) forecast.Kind {
	switch {
	case b.kind == "offboard" || l.op == "delete":
		return forecast.Removal
	case l.op == "create" || l.op == "" && !b.outlook.made[l.name]:
		return forecast.First
	case l.touched:
		return forecast.Change
	default:
		return forecast.Same
	}
}

func (b *board) estimate(l *layerBoard) forecast.Estimate {
	return b.outlook.book.Estimate(l.name, b.kindOf(l))
}

// usually compares the layer's run with those before it, "usually 10m40s, p95
// 13m"; empty when nothing can be said.
func (b *board) usually(l *layerBoard, now time.Time) string {
	if b.outlook == nil {
		return ""
	}
	return b.estimate(l).Say(l.elapsed(now))
}

// late reports whether the layer's run is slower than those before it.
func (b *board) late(l *layerBoard, now time.Time) bool {
	return b.outlook != nil && b.estimate(l).Late(l.elapsed(now))
}

// left is how much longer the operation takes. Of a change of projects it is not
// known which layers are still to come.
func (b *board) left(now time.Time) forecast.Left {
	if b.outlook == nil || b.kind == "projects" {
		return forecast.Left{}
	}
	all := forecast.Known(0)
	for _, l := range b.layers {
		switch l.state {
		case layerRuns, layerWaits:
			all = all.Then(b.estimate(l).Left(l.elapsed(now)))
		case layerDone, layerFailed:
		}
	}
	return all
}
