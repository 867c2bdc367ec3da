package controller

import (
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// An object that somebody keeps changing is restored some times at once, and
// then once a second: fast enough for a slip, and slow enough that two
// controllers that disagree do not wear the API server out.
const (
	contestBurst = 20
	contestPause = time.Second
)

// contestedAfter is how often an object is restored until it counts as contested:
// each time within Options.contestQuiet of the one before. Between a change and its
// restoration the fence is open, so from then on its condition is not true, until
// nobody has changed it for that long.
const contestedAfter = 3

// reasonContested is why a condition does not hold that somebody works against.
const reasonContested = "Contested"

// contestAdvice follows what is contested in a condition's message.
const contestAdvice = ". It is restored each time and does not hold in between: stop whoever changes it, or change the Project. The condition is true again after "

// contests counts restorations, by project and object. Like memory it may be lost:
// what a status says is contested stays so until it has been quiet.
type contests struct {
	mu sync.Mutex
	of map[string]map[objectKey]*contest
}

// contest is what somebody does to one object.
type contest struct {
	limit     *rate.Limiter
	condition string // that does not hold meanwhile
	says      string // who does what
	times     int    // without a quiet time in between
	last      time.Time
}

func newContests() *contests { return &contests{of: map[string]map[objectKey]*contest{}} }

// note counts one more restoration, and reports whether it may be done now.
func (c *contests) note(key objectKey, condition, says string, now time.Time, quiet time.Duration) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	of := c.of[key.project()]
	if of == nil {
		of = map[objectKey]*contest{}
		c.of[key.project()] = of
	}
	one := of[key]
	if one == nil {
		one = &contest{limit: rate.NewLimiter(rate.Every(contestPause), contestBurst)}
		of[key] = one
	}
	if now.Sub(one.last) > quiet {
		one.times = 0
	}
	one.times, one.last, one.condition, one.says = one.times+1, now, condition, says
	return one.limit.AllowN(now, 1)
}

// carry takes over from a project's status what an earlier process found contested.
func (c *contests) carry(project string, was []metav1.Condition, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.of[project] != nil {
		return
	}
	of := map[objectKey]*contest{}
	c.of[project] = of
	for _, s := range steps {
		if found := meta.FindStatusCondition(was, s.condition); found != nil && found.Reason == reasonContested {
			says, _, _ := strings.Cut(found.Message, contestAdvice)
			of[objectKey{namespace: project, name: s.condition}] = &contest{
				limit: rate.NewLimiter(rate.Every(contestPause), contestBurst), condition: s.condition, says: says, times: contestedAfter, last: now,
			}
		}
	}
}

// about says what of a project is contested that a condition is about, and for how
// long it will be at least; empty: nothing is.
func (c *contests) about(project, condition string, now time.Time, quiet time.Duration) (says string, left time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []string
	for _, one := range c.of[project] {
		if one.condition != condition || one.times < contestedAfter || now.Sub(one.last) >= quiet {
			continue
		}
		all = append(all, one.says)
		left = max(left, one.last.Add(quiet).Sub(now))
	}
	slices.Sort(all)
	return strings.Join(slices.Compact(all), "; "), left
}

func (c *contests) forget(project string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.of, project)
}

// contested is the answer of a step whose objects somebody keeps changing.
func (l *look) contested(condition string) answer {
	quiet := l.options.contestQuiet
	says, left := l.contests.about(l.p.Name, condition, l.now, quiet)
	if says == "" {
		return answer{}
	}
	l.soon(left) // to see whether it is over
	return answer{reason: reasonContested, message: says + contestAdvice + quiet.String() + " without a change"}
}

// mayRestore counts that an object is not what it should be, and reports whether it
// may be restored now. If not, that is done in a moment.
func (l *look) mayRestore(key objectKey, who, does string) bool {
	if l.contests.note(key, l.step, who+" keeps "+does+" "+key.Kind+" "+key.name, l.now, l.options.contestQuiet) {
		return true
	}
	l.soon(contestPause)
	return false
}
