package lifecycle

import (
	"context"
	"strings"

	"freehold.dev/freehold/internal/engine"
	"freehold.dev/freehold/internal/event"
)

// Over reports whether a lock of a state is known to be left over from an
// operation that is over. Whoever asks holds the org.
//
// A lock names its host and its time there. It is an operation's if the registry
// has a step of one on the layer, in a process of that host, at that time: two
// cannot have had the lock at once. The step has ended, and with it its run of the
// engine, or somebody has taken over from its process. On Linux a run dies with its
// process, so that one that was killed has left nothing behind; of another system
// nobody can tell.
func (r Records) Over(ctx context.Context, s engine.Stack, l engine.Lock) (bool, error) {
	steps, err := r.of(s.Org).Worked(ctx, s.Layer, l.At)
	if err != nil {
		return false, err
	}
	for _, step := range steps {
		holder := strings.Fields(step.Holder)
		if len(holder) < holderFields || holder[0] != l.Host {
			continue
		}
		if step.State != event.StepInterrupted || strings.HasPrefix(holder[holderFields-1], "pid:[") {
			return true, nil
		}
	}
	return false, nil
}

// holderFields are those of a process's name as a holder: the host comes first, and
// last, on Linux, the name space of its pids.
const holderFields = 5
