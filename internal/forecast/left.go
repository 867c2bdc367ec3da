package forecast

import (
	"container/heap"
	"time"
)

// Left is how much longer something takes.
type Left struct {
	For time.Duration
	// Known is false where at least a part cannot be told: then it takes longer
	// than For says.
	Known bool
	// Reported is true where at least a part is what others have published.
	Reported bool
}

// Known is a duration that is known.
func Known(d time.Duration) Left { return Left{For: d, Known: true} }

// Then is l followed by more.
func (l Left) Then(more Left) Left {
	return Left{For: l.For + more.For, Known: l.Known && more.Known, Reported: l.Reported || more.Reported}
}

// About is "about 12m", "more than 12m" where a part is not known, and empty where
// nothing is.
func (l Left) About() string {
	switch {
	case l.Known:
		return "about " + coarse(l.For)
	case l.For < time.Second:
		return ""
	default:
		return "more than " + coarse(l.For)
	}
}

// String is "about 12m left", and says so where that is what others report.
func (l Left) String() string {
	text := l.About()
	if text == "" {
		return ""
	}
	if text += " left"; l.Reported {
		text += " by what others report"
	}
	return text
}

// coarse is a duration with as much precision as a forecast has.
func coarse(d time.Duration) string {
	switch {
	case d >= 10*time.Minute:
		d = max(d.Round(time.Minute), 10*time.Minute)
	case d >= time.Minute:
		d = d.Round(10 * time.Second)
	default:
		d = max(d.Round(time.Second), time.Second)
	}
	if d < 10*time.Second {
		return d.String()
	}
	return Text(d)
}

// Whole is how long it takes until all is done, of which some run and the rest
// waits for one of as many places as there are, in its order.
func Whole(running, waiting []Left, places int) Left {
	all := Left{Known: true}
	free := &ends{}
	note := func(end time.Duration, l Left) {
		heap.Push(free, end)
		all.For = max(all.For, end)
		all.Known, all.Reported = all.Known && l.Known, all.Reported || l.Reported
	}
	for _, l := range running {
		note(l.For, l)
	}
	for free.Len() < places {
		heap.Push(free, time.Duration(0))
	}
	for _, l := range waiting {
		at, ok := heap.Pop(free).(time.Duration)
		if !ok {
			break
		}
		note(at+l.For, l)
	}
	return all
}

// ends are the times at which places become free, the next first.
type ends []time.Duration

func (e ends) Len() int           { return len(e) }
func (e ends) Less(i, j int) bool { return e[i] < e[j] }
func (e ends) Swap(i, j int)      { e[i], e[j] = e[j], e[i] }

// Push and Pop are for package heap.
func (e *ends) Push(end any) {
	if d, ok := end.(time.Duration); ok {
		*e = append(*e, d)
	}
}

// Pop takes the last.
func (e *ends) Pop() any {
	last := (*e)[len(*e)-1]
	*e = (*e)[:len(*e)-1]
	return last
}
