package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"freehold.dev/freehold/internal/wait"
)

// lock is held by every CLI process that runs in a stack's folder, and by what
// it has started, for as long as one of them lives.
type lock struct {
	stack, file string
	within      time.Duration
	now         func() time.Time
	// waits reports what is waited for, and for how long so far.
	waits func(what string, waited time.Duration)
}

// acquire waits for the lock and returns the file that holds it. An earlier CLI
// process has it, one that outlived its Freehold, or a plugin of one. It polls,
// because a blocking flock cannot be cancelled.
func (l lock) acquire(ctx context.Context) (*os.File, error) {
	f, err := os.OpenFile(l.file, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock stack %s: %w", l.stack, err)
	}
	earlier, by := "an earlier pulumi process of stack "+l.stack, ""
	err = wait.Until(ctx, wait.For{
		What: earlier + " to finish", Every: 50 * time.Millisecond, Within: l.within, Now: l.now, SayEvery: 10 * time.Second,
		Say: func(waited time.Duration) {
			by = named(holders(l.file))
			l.waits(earlier+by+" to finish", waited)
		},
	}, func(context.Context) (bool, error) { return tryLock(f) })
	switch {
	case err == nil:
		return f, nil
	case errors.Is(err, wait.ErrDeadline):
		err = &Error{
			Stack: l.stack, Doing: "run", Kind: ErrLocked,
			Detail: fmt.Sprintf("%s%s is still running after %s", earlier, by, l.within),
			Next:   nextHeld(l.file, by),
		}
	case ctx.Err() != nil:
		err = fmt.Errorf("%w while %s was finishing: %w", ErrCancelled, earlier+by, context.Cause(ctx))
	default:
		err = fmt.Errorf("lock stack %s: %w", l.stack, err)
	}
	return nil, errors.Join(err, f.Close())
}

func nextHeld(lock, by string) string {
	if by == "" {
		return "see what has " + lock + " open (lsof), let it finish or end it, then run the same command again"
	}
	return "let it finish, or end it if it hangs, then run the same command again: it goes on where it stopped"
}

// holder is a process that has a lock's file open.
type holder struct {
	pid  int
	name string
}

func named(all []holder) string {
	var out []string
	for _, h := range all {
		out = append(out, fmt.Sprintf("process %d, %s", h.pid, h.name))
	}
	if len(out) == 0 {
		return ""
	}
	return " (" + strings.Join(out, "; ") + ")"
}

// holders finds the processes that have the file open, where the system shows
// that. Another Freehold has it open to wait for it, so a pulumi process goes first.
func holders(file string) []holder {
	file, err := filepath.EvalSymlinks(file)
	if err != nil {
		return nil
	}
	links, err := filepath.Glob("/proc/[0-9]*/fd/*")
	if err != nil {
		return nil
	}
	var all []holder
	for _, l := range links {
		to, err := os.Readlink(l)
		pid, perr := strconv.Atoi(strings.Split(l, "/")[2])
		if err != nil || perr != nil || to != file || pid == os.Getpid() {
			continue
		}
		comm, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "comm"))
		if err != nil {
			continue // it has ended meanwhile
		}
		h := holder{pid, strings.TrimSpace(string(comm))}
		if !slices.Contains(all, h) {
			all = append(all, h)
		}
	}
	pulumi := slices.DeleteFunc(slices.Clone(all), func(h holder) bool { return !strings.Contains(h.name, "pulumi") })
	if len(pulumi) > 0 {
		return pulumi
	}
	return all
}
