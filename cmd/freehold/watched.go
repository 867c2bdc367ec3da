package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"freehold.dev/freehold/internal/operation"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/registry"
	"freehold.dev/freehold/internal/watchdog"
)

// watch is the process that ends what another one has started, when that one
// stands still. It returns the exit status.
func watch(in io.Reader, out, stderr io.Writer) int {
	if err := watchdog.Serve(in, out); err != nil {
		fmt.Fprintf(stderr, "freehold: %v\n", err)
		return 1
	}
	return 0
}

// watched lets stacks be changed only while this process holds their orgs: what it
// serves to the engine asks it, and what it has started has a watchdog, which is
// started with the first run that changes something.
type watched struct {
	held *operation.Held

	mu  sync.Mutex
	dog *watchdog.Watchdog
}

// confirm is a cloud.May.
func (w *watched) confirm(ctx context.Context, stack string) error {
	org, ok := plan.OrgOf(stack)
	if !ok {
		return fmt.Errorf("%q is the stack of no org: %w", stack, registry.ErrLost)
	}
	return w.held.Confirm(ctx, org)
}

// watch has a run of the engine for an org ended at the end of the org's lease.
func (w *watched) watch(pid int, org string) (stop func() (bool, error), err error) {
	dog, err := w.started()
	if err != nil {
		return nil, err
	}
	until := func() time.Duration { return w.held.Until(org) }
	watch, err := dog.Watch(pid, until)
	if err != nil {
		// It may have ended since the last run: this process may live for weeks.
		if dog, err = w.again(dog); err == nil {
			watch, err = dog.Watch(pid, until)
		}
	}
	if err != nil {
		return nil, err
	}
	return watch.Stop, nil
}

// again starts a watchdog in the place of one that does not watch any more.
func (w *watched) again(gone *watchdog.Watchdog) (*watchdog.Watchdog, error) {
	w.mu.Lock()
	if w.dog == gone {
		w.dog = nil
		_ = gone.Close() // it is gone: what it says of its end was said to the runs that it watched
	}
	w.mu.Unlock()
	return w.started()
}

func (w *watched) started() (*watchdog.Watchdog, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.dog != nil {
		return w.dog, nil
	}
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this executable: %w", err)
	}
	w.dog, err = watchdog.Start(self)
	return w.dog, err
}

func (w *watched) close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.dog == nil {
		return nil
	}
	return w.dog.Close()
}
