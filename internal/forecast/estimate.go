package forecast

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"
)

// Estimate is what earlier runs say of the next.
type Estimate struct {
	runs   []time.Duration // in order
	prior  *Prior          // nil: nobody has published anything
	counts bool            // the prior can be counted with
}

// Of is the estimate from the durations of earlier runs, in any order.
func Of(runs []time.Duration) Estimate {
	return Estimate{runs: slices.Sorted(slices.Values(runs))}
}

// Runs is how many earlier runs there are.
func (e Estimate) Runs() int { return len(e.runs) }

// Quantile is the shortest of the runs that is at least as long as the fraction
// q of all of them; 0 when there are none.
func (e Estimate) Quantile(q float64) time.Duration {
	if len(e.runs) == 0 {
		return 0
	}
	rank := int(math.Ceil(q * float64(len(e.runs))))
	return e.runs[min(max(rank, 1), len(e.runs))-1]
}

// Usual is the median.
func (e Estimate) Usual() time.Duration { return e.Quantile(0.5) }

// Late reports whether a run that has taken so long is slower than the runs
// before it: than 99 of 100 of them, or than all where there are fewer. With too
// few runs to tell, it is late when it takes longer than others report.
func (e Estimate) Late(elapsed time.Duration) bool {
	switch n := len(e.runs); {
	case n >= enoughForP99:
		return elapsed > e.Quantile(0.99)
	case n >= enoughForUsual:
		return elapsed > e.runs[n-1]
	default:
		return e.counts && elapsed > e.prior.Most
	}
}

// Say compares a run that has taken so long with the runs before it, in words
// that follow the run's own duration: "usually 10m40s, p95 13m". It never names
// a number that there are too few runs for.
func (e Estimate) Say(elapsed time.Duration) string {
	n := len(e.runs)
	switch {
	case n >= enoughForP99 && e.Late(elapsed):
		return fmt.Sprintf("slower than 99 of 100 (usually %s)", Text(e.Usual()))
	case n >= enoughForUsual && e.Late(elapsed):
		return fmt.Sprintf("slower than all %d before (usually %s)", n, Text(e.Usual()))
	case n >= enoughForP95:
		return fmt.Sprintf("usually %s, p95 %s", Text(e.Usual()), Text(e.Quantile(0.95)))
	case n >= enoughForUsual:
		return fmt.Sprintf("usually %s, at most %s in %d runs", Text(e.Usual()), Text(e.runs[n-1]), n)
	}
	text := "no history here yet"
	switch {
	case n == 1:
		text = "one run here yet, " + Text(e.runs[0])
	case n > 1:
		text = fmt.Sprintf("%d runs here yet, %s", n, between(e.runs[0], e.runs[n-1]))
	}
	switch {
	case e.prior == nil:
		return text
	case e.Late(elapsed):
		return text + "; longer than the " + between(e.prior.Least, e.prior.Most) + " that " + e.prior.By + " report"
	default:
		return text + "; " + e.prior.String()
	}
}

// Left is how much longer a run takes that has taken so long; unknown when no
// earlier run took as long, and when nothing is known. It is the median of what
// was left of the runs that took longer.
func (e Estimate) Left(elapsed time.Duration) Left {
	if len(e.runs) > 0 {
		first, _ := slices.BinarySearchFunc(e.runs, elapsed, func(run, elapsed time.Duration) int {
			return cmp.Or(cmp.Compare(run, elapsed), -1) // past those that took just as long
		})
		if first == len(e.runs) {
			return Left{}
		}
		return Known(Estimate{runs: e.runs[first:]}.Usual() - elapsed)
	}
	if !e.counts {
		return Left{}
	}
	for _, end := range []time.Duration{(e.prior.Least + e.prior.Most) / 2, e.prior.Most} {
		if elapsed < end {
			return Left{For: end - elapsed, Known: true, Reported: true}
		}
	}
	return Left{}
}

// Text is a duration as people say it, without seconds that are zero: 0.4s, 12s,
// 10m40s, 13m, 1h02m.
func Text(d time.Duration) string {
	switch d = max(d, 0); {
	case d < 9950*time.Millisecond:
		return fmt.Sprintf("%.1fs", d.Seconds())
	case d < time.Minute-500*time.Millisecond:
		return fmt.Sprintf("%ds", int(d.Round(time.Second).Seconds()))
	}
	if d = d.Round(time.Second); d < time.Hour {
		if s := int(d.Seconds()) % 60; s != 0 {
			return fmt.Sprintf("%dm%02ds", int(d.Minutes()), s)
		}
		return fmt.Sprintf("%dm", int(d.Minutes()))
	}
	return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
}

func between(least, most time.Duration) string {
	if Text(least) == Text(most) {
		return Text(least)
	}
	return Text(least) + " to " + Text(most)
}
