// Package forecast says how long a layer's run will take: from the durations of
// the runs before it, and where there are none yet, from what others have
// published. It reads no clock and no store.
//
// How much is said depends on how many runs there are, because a quantile of a
// handful of runs is only their longest one:
//
//	runs  said
//	0     what others report, and that there is no history
//	1     the shortest and the longest, and what others report
//	5     the median, and the longest
//	20    the median and the 95th percentile
//	100   also that a run is slower than 99 of 100
package forecast

import (
	"slices"
	"sync"
	"time"
)

// Kind is what a run does to its layer. Runs of different kinds take different
// times, and are never compared with each other.
type Kind string

// The kinds of runs.
const (
	First   Kind = "first"   // the layer is made
	Change  Kind = "change"  // something in it is changed
	Same    Kind = "same"    // everything in it is found as it should be
	Removal Kind = "removal" // the layer is removed
)

// Kinds are all kinds of runs.
func Kinds() []Kind { return []Kind{First, Change, Same, Removal} }

// Kept is how many of the last runs of a layer and a kind are looked at.
const Kept = 200

// How many runs it takes to say something of them.
const (
	enoughForUsual = 5
	enoughForP95   = 20
	enoughForP99   = 100
)

// Book holds the durations of earlier runs by layer and kind. The zero value has
// none, and counts with what others have published. It may be used by several
// goroutines.
type Book struct {
	// Elsewhere is true where runs do not take what others have published, as in
	// the sandbox. It is still said, and nothing is counted with it.
	Elsewhere bool

	mu   sync.Mutex
	runs map[page][]time.Duration
}

type page struct {
	layer string
	kind  Kind
}

// Add notes durations of finished runs.
func (b *Book) Add(layer string, kind Kind, took ...time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.runs == nil {
		b.runs = map[page][]time.Duration{}
	}
	at := page{layer, kind}
	b.runs[at] = append(b.runs[at], took...)
}

// Estimate is what is known of runs of a layer and a kind.
func (b *Book) Estimate(layer string, kind Kind) Estimate {
	b.mu.Lock()
	runs := slices.Clone(b.runs[page{layer, kind}])
	b.mu.Unlock()
	e := Of(runs)
	if p, ok := Published(layer, kind); ok {
		e.prior, e.counts = &p, !b.Elsewhere && p.Only == ""
	}
	return e
}
