package conformance_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"freehold.dev/freehold/internal/conformance/lab"
)

// world is what one chain has: things that are made when they are first asked
// for, each once, with what they refer to.
type world struct {
	chain  *chain
	things map[string]thing
	words  map[string]string

	mu        sync.Mutex
	providers map[string]func() (*configured, error)
	made      map[string]func() (*made, error)
}

// thing is one resource of the world. "$(vpc)" in its inputs is the id of the
// thing vpc, "$(role.arn)" an output, and "$(fresh)" a name of its own.
type thing struct {
	name  string
	in    string // the account: "org", or "management"
	token string
	props props
	after []string // what must be there first, although no input names it
}

func newWorld(t *testing.T, c *chain, things []thing) *world {
	t.Helper()
	w := &world{
		chain: c, things: map[string]thing{}, providers: map[string]func() (*configured, error){}, made: map[string]func() (*made, error){},
		words: map[string]string{"root": c.root, "management": c.management, "region": lab.Region},
	}
	for _, th := range things {
		if _, twice := w.things[th.name]; twice {
			t.Fatalf("two things are called %s", th.name)
		}
		w.things[th.name] = th
	}
	// The providers live as long as the test, whichever row asks first.
	w.providers["management"] = sync.OnceValues(func() (*configured, error) {
		return c.connect(t, props{"region": lab.Region, "allowedAccountIds": []any{c.management}})
	})
	w.providers["org"] = sync.OnceValues(func() (*configured, error) {
		account, err := w.thing(t, "account")
		if err != nil {
			return nil, err
		}
		return c.connect(t, orgConfig(account.id))
	})
	return w
}

// orgConfig is how a stack's provider reaches an account that was vended.
func orgConfig(account string) props {
	return props{"region": lab.Region, "allowedAccountIds": []any{account},
		"assumeRole": props{"roleArn": "arn:aws:iam::" + account + ":role/" + lab.AccessRole, "sessionName": "freehold"}}
}

// thing makes a thing, or returns it if somebody did.
func (w *world) thing(t *testing.T, name string) (*made, error) {
	w.mu.Lock()
	once, is := w.made[name]
	if !is {
		once = sync.OnceValues(func() (*made, error) {
			th, known := w.things[name]
			if !known {
				return nil, fmt.Errorf("the world has no %s", name)
			}
			for _, other := range th.after {
				if _, err := w.thing(t, other); err != nil {
					return nil, err
				}
			}
			in, err := w.fill(t, th.props, name)
			if err != nil {
				return nil, err
			}
			p, err := w.providers[th.in]()
			if err != nil {
				return nil, fmt.Errorf("provider of %s: %w", th.in, err)
			}
			m, err := p.create(t, th.token, name, in)
			if err != nil {
				return nil, fmt.Errorf("make %s: %w", name, err)
			}
			return m, nil
		})
		w.made[name] = once
	}
	w.mu.Unlock()
	return once()
}

// fill puts what is in the world into inputs.
func (w *world) fill(t *testing.T, in props, fresh string) (resource.PropertyMap, error) {
	v, err := w.value(t, in, fresh)
	if err != nil {
		return nil, err
	}
	return resource.NewPropertyMapFromMap(v.(props)), nil
}

func (w *world) value(t *testing.T, v any, fresh string) (any, error) {
	var err error
	switch v := v.(type) {
	case props:
		out := props{}
		for _, k := range slices.Sorted(maps.Keys(v)) {
			if out[k], err = w.value(t, v[k], fresh); err != nil {
				return nil, err
			}
		}
		return out, nil
	case []any:
		out := make([]any, len(v))
		for i := range v {
			if out[i], err = w.value(t, v[i], fresh); err != nil {
				return nil, err
			}
		}
		return out, nil
	case string:
		return w.text(t, v, fresh)
	default:
		return v, nil
	}
}

func (w *world) text(t *testing.T, s, fresh string) (string, error) {
	var out strings.Builder
	for {
		before, rest, is := strings.Cut(s, "$(")
		out.WriteString(before)
		if !is {
			return out.String(), nil
		}
		word, after, _ := strings.Cut(rest, ")")
		s = after
		if word == "fresh" {
			out.WriteString(fresh)
			continue
		}
		if known, is := w.words[word]; is {
			out.WriteString(known)
			continue
		}
		name, path, _ := strings.Cut(word, ".")
		m, err := w.thing(t, name)
		if err != nil {
			return "", err
		}
		if path == "" {
			out.WriteString(m.id)
			continue
		}
		at, err := resource.ParsePropertyPath(path)
		if err != nil {
			return "", err
		}
		v, is := at.Get(resource.NewObjectProperty(m.out))
		if !is || !v.IsString() {
			return "", fmt.Errorf("%s has no text at %s", name, path)
		}
		out.WriteString(v.StringValue())
	}
}
