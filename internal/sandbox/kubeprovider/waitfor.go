package kubeprovider

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/util/jsonpath"
)

// conditionsOf reads the annotation pulumi.com/waitFor: one expression or a JSON
// list of them, all of which have to hold (provider/pkg/metadata/overrides.go,
// ReadyCondition).
func conditionsOf(text string) (judge, error) {
	var expressions []string
	if json.Unmarshal([]byte(text), &expressions) != nil {
		expressions = []string{text}
	}
	if len(expressions) == 0 {
		return nil, errors.New("at least one condition must be specified")
	}
	var all []func(*unstructured.Unstructured) progress
	for _, e := range expressions {
		look, err := conditionOf(e)
		if err != nil {
			return nil, err
		}
		all = append(all, look)
	}
	return alone(func(live *unstructured.Unstructured) progress {
		for _, look := range all {
			if p := look(live); !p.ready {
				return p
			}
		}
		return progress{ready: true}
	}), nil
}

func conditionOf(expression string) (func(*unstructured.Unstructured) progress, error) {
	if rest, ok := strings.CutPrefix(expression, "condition="); ok {
		name, want, given := strings.Cut(rest, "=")
		if !given {
			want = "True"
		}
		return func(live *unstructured.Unstructured) progress { return holds(live, name, want) }, nil
	}
	rest, ok := strings.CutPrefix(expression, "jsonpath=")
	if !ok {
		return nil, fmt.Errorf(`expected a "jsonpath=" or "condition=" prefix, got %q`, expression)
	}
	return pathOf(rest)
}

// holds reports whether a condition has a status, and is of the object as it is.
func holds(live *unstructured.Unstructured, name, want string) progress {
	list, found, _ := unstructured.NestedSlice(live.Object, "status", "conditions")
	if !found {
		return progress{waits: "Has no .status.conditions"}
	}
	for _, item := range list {
		m, _ := item.(map[string]any)
		if !strings.EqualFold(stringOf(m["type"]), name) {
			continue
		}
		seen, found, _ := unstructured.NestedInt64(m, "observedGeneration")
		if !found {
			seen, found, _ = unstructured.NestedInt64(live.Object, "status", "observedGeneration")
		}
		if found && seen < live.GetGeneration() {
			return progress{waits: fmt.Sprintf("Generation %d is less than expected %d", seen, live.GetGeneration())}
		}
		if !strings.EqualFold(stringOf(m["status"]), want) {
			return progress{waits: fmt.Sprintf("Resource has condition %s=%s (want %s)", name, stringOf(m["status"]), want)}
		}
		return progress{ready: true}
	}
	return progress{}
}

// pathOf reads "{.path}" or "{.path}=value".
func pathOf(text string) (func(*unstructured.Unstructured) progress, error) {
	path, want, given := strings.Cut(text, "}=")
	if given {
		path += "}"
	}
	switch {
	case given && want == "":
		return nil, fmt.Errorf("%s= requires a value", path)
	case strings.HasPrefix(path, "'"):
		return nil, fmt.Errorf("%s should omit shell quotes", path)
	case !strings.HasPrefix(path, "{") || !strings.HasSuffix(path, "}"):
		return nil, fmt.Errorf("%s should be wrapped in brackets { ... }", path)
	}
	j := jsonpath.New("waitFor").AllowMissingKeys(true)
	if err := j.Parse(path); err != nil {
		return nil, fmt.Errorf("parsing %q: %w", path, err)
	}
	return func(live *unstructured.Unstructured) progress {
		found, err := j.FindResults(live.Object)
		if err != nil || len(found) == 0 || len(found[0]) == 0 {
			return progress{waits: path + " selected nothing"}
		}
		var have bytes.Buffer
		if err := j.PrintResults(&have, found[0][:1]); err != nil {
			return progress{waits: err.Error()}
		}
		if given && have.String() != want {
			return progress{waits: fmt.Sprintf("%s is %s (want %s)", path, have.String(), want)}
		}
		return progress{ready: true}
	}, nil
}
