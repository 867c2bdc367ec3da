package conformance_test

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"freehold.dev/freehold/internal/conformance/lab"
)

// row is one thing that AWS, or its provider, refuses. Its twin is a thing of
// the world that is the same but right: both chains accept that one first, so
// that it is the change, and nothing else, that is refused.
type row struct {
	name string
	twin string
	// change is put over the twin's inputs, by property path; gone takes one away.
	change props
	// updates changes the twin itself; else another one is made beside it.
	updates bool
	// usedBy is what stands in the way of deleting the twin; without it, and
	// what it takes along, the twin is deleted without a word.
	usedBy []string
	// guarded is true if it is EKS's deletion protection that stands there.
	guarded bool
	// because is in what each chain says, a regular expression.
	because string
	// emulatorAccepts says why only AWS itself refuses it, and doc where AWS
	// says so: the genuine chain must accept it, and the sandbox must not.
	emulatorAccepts, doc string
}

type goneProperty struct{}

var gone goneProperty

// yesMan are all rows, by service.
var yesMan = slices.Concat(organizationsRows, iamRows, dataRows, auditRows, networkRows, groupRows, clusterRows, nodeRows)

// estate are all things of the world.
var estate = slices.Concat(organizationsThings, iamThings, dataThings, auditThings, networkThings, groupThings, clusterThings, nodeThings)

// chains starts both chains, and gives each its world.
func chains(t *testing.T) (genuineWorld, sandboxWorld *world) {
	t.Helper()
	l := lab.Start(t)
	return newWorld(t, genuine(t, l), estate), newWorld(t, sandboxed(t), estate)
}

// TestYesMan holds the sandbox against genuine provider code: what AWS refuses,
// the sandbox refuses, and what AWS accepts, it accepts.
func TestYesMan(t *testing.T) {
	t.Parallel()
	theirs, ours := chains(t)
	tally := map[string]int{}
	var mu sync.Mutex
	// Rows wait for the provider far more than they compute, and the world is
	// made as they ask for it: many at once, whatever -parallel says.
	var wg sync.WaitGroup
	free := make(chan struct{}, 16)
	seen := map[string]bool{}
	for i, r := range yesMan {
		if seen[r.name] {
			t.Errorf("two rows are called %q", r.name)
		}
		seen[r.name] = true
		free <- struct{}{}
		wg.Go(func() {
			defer func() { <-free }()
			t.Run(r.name, func(t *testing.T) {
				verdict := r.compare(t, theirs, ours, fmt.Sprintf("row-%03d", i))
				mu.Lock()
				defer mu.Unlock()
				tally[verdict]++
			})
		})
	}
	wg.Wait()
	t.Logf("%d rows: %d refused by both, %d only documented by AWS, %d disagreements",
		len(yesMan), tally[refusedByBoth], tally[documented], tally[disagreement])
}

// The verdicts on a row.
const (
	refusedByBoth = "refused by both"
	documented    = "only documented"
	disagreement  = "disagreement"
)

func (r row) compare(t *testing.T, theirs, ours *world, fresh string) string {
	t.Helper()
	answers := map[*world]error{}
	for _, w := range []*world{theirs, ours} {
		err := r.try(t, w, fresh)
		if _, is := errors.AsType[*refusal](err); err != nil && !is {
			t.Errorf("%s: %v", w.chain.name, err)
			return disagreement
		}
		answers[w] = err
	}
	genuinely, sandbox := answers[theirs], answers[ours]
	t.Logf("genuine: %v", genuinely)
	t.Logf("sandbox: %v", sandbox)
	because := regexp.MustCompile("(?is)" + r.because)
	switch {
	case sandbox == nil && genuinely != nil:
		t.Error("the sandbox says yes to what the genuine provider refuses")
	case sandbox == nil:
		t.Error("both say yes: the row says nothing")
	case r.emulatorAccepts != "" && genuinely != nil:
		t.Errorf("the mark is stale: the genuine provider refuses it")
	case r.emulatorAccepts == "" && genuinely == nil:
		t.Error("the genuine provider accepts it: is the sandbox wrong, or does AWS's documentation say no? Mark it then.")
	case r.emulatorAccepts != "" && !strings.HasPrefix(r.doc, "https://docs.aws.amazon.com/"):
		t.Error("the row does not say where AWS says so")
	case !because.MatchString(sandbox.Error()):
		t.Errorf("the sandbox refuses it, but not because of %q", r.because)
	case genuinely != nil && !because.MatchString(genuinely.Error()):
		t.Errorf("the genuine provider refuses it, but not because of %q", r.because)
	case genuinely == nil:
		return documented
	default:
		return refusedByBoth
	}
	return disagreement
}

// try shows that a chain accepts the twin, and returns how it refuses the row.
func (r row) try(t *testing.T, w *world, fresh string) error {
	t.Helper()
	twin, err := w.thing(t, r.twin)
	if err != nil {
		return fmt.Errorf("the innocent twin is refused: %w", hide(err))
	}
	th := w.things[r.twin]
	p, err := w.providers[th.in]()
	if err != nil {
		return hide(err)
	}
	if len(r.usedBy) > 0 || r.guarded {
		return r.tryDelete(t, w, p, twin)
	}
	if r.updates {
		fresh = r.twin
	}
	in, err := w.fill(t, th.props, fresh)
	if err != nil {
		return hide(err)
	}
	changed := resource.NewObjectProperty(in)
	words := []string{fresh}
	for path, v := range r.change {
		if err := w.set(t, changed, path, v, fresh); err != nil {
			return hide(err)
		}
		if text, is := v.(string); is && strings.ContainsAny(text, ":-") {
			text, _ = w.text(t, text, fresh) // it was filled in a line ago
			words = append(words, text)
		}
	}
	if r.updates {
		still := *twin // what is refused leaves the twin as it is
		return p.update(t, &still, changed.ObjectValue())
	}
	_, err = p.create(t, th.token, fresh, changed.ObjectValue(), words...)
	return err
}

// hide keeps a refusal that is no verdict on the row from being one.
func hide(err error) error { return errors.New(err.Error()) }

func (w *world) set(t *testing.T, in resource.PropertyValue, path string, v any, fresh string) error {
	t.Helper()
	at, err := resource.ParsePropertyPath(path)
	if err != nil {
		return err
	}
	if v == gone {
		if !at.Delete(in) {
			return fmt.Errorf("%s cannot be taken away", path)
		}
		return nil
	}
	if v, err = w.value(t, v, fresh); err != nil {
		return err
	}
	if !at.Set(in, resource.NewPropertyValue(v)) {
		return fmt.Errorf("%s cannot be set", path)
	}
	return nil
}

// tryDelete deletes the twin while it is used, which is refused, and again
// when it is not, which is not.
func (r row) tryDelete(t *testing.T, w *world, p *configured, twin *made) error {
	t.Helper()
	var users []*made
	for _, name := range r.usedBy {
		m, err := w.thing(t, name)
		if err != nil {
			return hide(err)
		}
		users = append(users, m)
	}
	guard := func(on bool) error { return nil }
	if r.guarded {
		account, err := w.thing(t, "account")
		if err != nil {
			return hide(err)
		}
		guard = func(on bool) error { return w.chain.protect(t, account.id, twin.id, on) }
	}
	if err := guard(true); err != nil {
		return hide(err)
	}
	refused := p.delete(t, twin)
	if refused == nil {
		return nil
	}
	if err := guard(false); err != nil {
		return hide(err)
	}
	for _, m := range slices.Backward(users) {
		q, err := w.providers[w.things[m.name].in]()
		if err != nil {
			return hide(err)
		}
		if err := q.delete(t, m); err != nil {
			return fmt.Errorf("what stands in the way cannot be deleted: %w", hide(err))
		}
	}
	if err := p.delete(t, twin); err != nil {
		return fmt.Errorf("it cannot be deleted when nothing uses it: %w", hide(err))
	}
	return refused
}
