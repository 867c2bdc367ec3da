package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/lifecycle"
	"freehold.dev/freehold/internal/render"
)

// How many orgs are onboarded at the same time: each costs a Pulumi process and
// its providers.
const (
	usualParallel = 4
	mostParallel  = 64
)

// many is one run over several orgs.
type many struct {
	app      *app
	onboards Onboarder
	opts     lifecycle.OnboardOptions
	sheets   []sheet // in the order of their orgs
	places   int
	view     manyView

	results []event.OrgOnboarding
	errs    []error // of each org
}

// onboardMany onboards the orgs of several documents, so many at a time. One that
// fails does not stop the others; the error has those of all of them.
func (a *app) onboardMany(cmd *cobra.Command, named []string, parallel int, sarif string, o lifecycle.OnboardOptions) error {
	sheets, err := a.readSheets(cmd, named)
	if err != nil {
		return err
	}
	a.opt.Parallel = parallel
	p, err := a.open(cmd)
	if err != nil {
		return err
	}
	o.RequestID = a.opt.RequestID // each org's own operation is known by it
	began := a.env.Now()
	outlooks, book := make([]*outlook, len(sheets)), a.history(cmd.Context(), "onboard")
	for i, s := range sheets {
		outlooks[i] = a.outlook(cmd.Context(), book, s.org)
	}
	m := &many{
		app: a, onboards: p, opts: o, sheets: sheets, places: parallel, view: a.manyView(sheets, outlooks, parallel),
		results: make([]event.OrgOnboarding, len(sheets)), errs: make([]error, len(sheets)),
	}
	m.run(cmd.Context())

	var names, ran []string
	var found []finding.Policy
	for _, r := range m.results {
		names = append(names, r.Org)
		if r.State != event.OnboardingNotStarted {
			ran = append(ran, r.Org)
		}
		if r.Result != nil {
			found = append(found, r.Result.Policy...)
		}
	}
	all := event.Onboardings{
		Org: strings.Join(names, ","), Parallel: parallel, Orgs: m.results, Duration: a.env.Now().Sub(began),
	}
	a.flush(cmd.Context(), ran...)
	err = withSARIF(m.verdict(), sarif, all.Org, found)
	all.Exit = exitCode(err)
	// The result is printed also when some failed: the others did not.
	return errors.Join(err, a.printOperation(all, func(w io.Writer) error { return render.TextOnboardings(w, all) }))
}

// run onboards every org, and returns when all have ended.
func (m *many) run(ctx context.Context) {
	a := m.app
	a.streamed = true
	quiet := context.AfterFunc(ctx, func() { m.view.say(stopping) })
	each(ctx, m.places, len(m.sheets), m.view.start, func(i int, start bool) { m.one(ctx, i, start) })
	quiet()
	m.view.close()
}

// one onboards one org, or ends it where it is not to be started any more.
func (m *many) one(ctx context.Context, i int, start bool) {
	a, s := m.app, m.sheets[i]
	st := newStream("onboard", s.org, a.env.Now, func(e event.Event) { m.view.event(i, e) })
	st.logged = a.logged(ctx)
	began := a.env.Now()
	r := event.OrgOnboarding{Org: s.org, File: s.name}
	var result event.Onboarding
	err := error(&lifecycle.Error{Org: s.org, Err: fmt.Errorf("%w: not started", lifecycle.ErrCancelled)})
	if start {
		if result, err = m.onboards.Onboard(ctx, s.spec, m.opts, st.sink); result.Operation != "" {
			r.Result = &result
		}
		r.Duration = a.env.Now().Sub(began)
	}
	st.end(known(result, result.Org), err)
	err = s.placed(err)
	r.State, r.Exit = onboardingState(err, start), exitCode(err)
	if err != nil {
		r.Error, r.Next = err.Error(), nextStep(err)
	}
	m.results[i], m.errs[i] = r, err
	m.view.end(i, r)
}

// each calls start and then do for 0, 1, 2… in that order, at most n at the same
// time: the next begins as soon as any of those before it ends. When ctx has
// ended, do is called for the rest with started false, one after the other.
func each(ctx context.Context, n, count int, start func(i int), do func(i int, started bool)) {
	places := make(chan struct{}, n)
	var running sync.WaitGroup
	for i := range count {
		select {
		case places <- struct{}{}:
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			do(i, false)
			continue
		}
		start(i)
		begins := make(chan struct{}) // or the one that was made last would run first
		running.Go(func() {
			defer func() { <-places }()
			close(begins)
			do(i, true)
		})
		<-begins
	}
	running.Wait()
}

// onboardingState is the end of an onboarding that its error says.
func onboardingState(err error, started bool) event.OnboardingState {
	if !started {
		return event.OnboardingNotStarted
	}
	switch exitCode(err) {
	case exitDone:
		return event.OnboardingSucceeded
	case exitBlocked:
		return event.OnboardingBlocked
	case exitInvalid:
		return event.OnboardingRefused
	case exitBusy:
		return event.OnboardingBusy
	case exitPending:
		return event.OnboardingPending
	default:
		return event.OnboardingFailed
	}
}

// verdict is how the whole run ended: nil when every org is ready.
func (m *many) verdict() error {
	var out manyError
	var left []string
	for i, err := range m.errs {
		if err == nil {
			continue
		}
		out.exit = worse(out.exit, exitCode(err))
		if m.results[i].State == event.OnboardingNotStarted {
			left = append(left, m.results[i].Org)
			continue
		}
		out.errs = append(out.errs, err)
	}
	if len(left) > 0 {
		out.errs = append(out.errs, &lifecycle.Error{
			Err:  fmt.Errorf("%w: not started: %s", lifecycle.ErrCancelled, strings.Join(left, ", ")),
			Next: "run the same command again; it changes nothing in the orgs that are ready",
		})
	}
	if len(out.errs) == 0 {
		return nil
	}
	return &out
}

// manyError is what went wrong in a run over several orgs. Its exit status is the
// worst of theirs.
type manyError struct {
	errs []error
	exit int
}

func (e *manyError) Error() string   { return errors.Join(e.errs...).Error() }
func (e *manyError) Unwrap() []error { return e.errs }
