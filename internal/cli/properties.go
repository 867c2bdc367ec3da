package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
)

// typed returns the sandbox and the full form of a type.
func (a *app) typed(cmd *cobra.Command, short string) (Sandbox, string, error) {
	s, err := a.wireSandbox(cmd)
	if err != nil {
		return nil, "", err
	}
	typ, err := fullType(cmd, s.Types(), short)
	return s, typ, err
}

// fullType finds the one type that is meant: by its full form, without its
// package, or by its last word alone when that is unambiguous.
func fullType(cmd *cobra.Command, types []string, short string) (string, error) {
	if slices.Contains(types, short) {
		return short, nil
	}
	var fit []string
	for _, t := range types {
		_, unpacked, _ := strings.Cut(t, ":")
		if unpacked == short || strings.EqualFold(t[strings.LastIndex(t, ":")+1:], short) {
			fit = append(fit, t)
		}
	}
	switch len(fit) {
	case 1:
		return fit[0], nil
	case 0:
		return "", usagef(cmd, "the sandbox has no type %q", short)
	default:
		slices.Sort(fit)
		return "", usagef(cmd, "type %q is ambiguous: %s", short, strings.Join(fit, ", "))
	}
}

// assignment is one PATH=VALUE.
type assignment struct {
	path  []any // string for a property, int for an index
	typed string
	value any // nil removes
}

// assignments accepts the named arguments and at least one PATH=VALUE.
func assignments(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < len(names) {
			return usagef(cmd, "%s: %s is missing", cmd.Name(), names[len(args)])
		}
		if len(args) == len(names) {
			return usagef(cmd, "%s: PATH=VALUE is missing", cmd.Name())
		}
		return nil
	}
}

func parseAssignments(cmd *cobra.Command, args []string) ([]assignment, error) {
	var sets []assignment
	for _, arg := range args {
		path, rest, err := parsePath(arg)
		if err != nil {
			return nil, usagef(cmd, "%s: %v", arg, err)
		}
		a := assignment{path: path, typed: arg}
		if json.Unmarshal([]byte(rest), &a.value) != nil {
			a.value = rest
		}
		sets = append(sets, a)
	}
	return sets, nil
}

// parsePath reads `tags["a.b"][0].c=` and returns what follows the "=".
func parsePath(s string) (path []any, rest string, err error) {
	for {
		switch {
		case strings.HasPrefix(s, `["`):
			end := strings.Index(s, `"]`)
			if end < 0 {
				return nil, "", fmt.Errorf(`[" is not closed by "]`)
			}
			path, s = append(path, s[2:end]), s[end+2:]
		case strings.HasPrefix(s, "["):
			end := strings.Index(s, "]")
			if end < 0 {
				return nil, "", fmt.Errorf("[ is not closed by ]")
			}
			i, err := strconv.Atoi(s[1:end])
			if err != nil || i < 0 {
				return nil, "", fmt.Errorf("%q is not a valid index", s[1:end])
			}
			path, s = append(path, i), s[end+1:]
		default:
			end := strings.IndexAny(s, ".[=")
			if end < 0 {
				return nil, "", fmt.Errorf("want PATH=VALUE")
			}
			if end == 0 {
				return nil, "", fmt.Errorf("the path contains an empty name")
			}
			path, s = append(path, s[:end]), s[end:]
		}
		switch {
		case strings.HasPrefix(s, "="):
			if _, index := path[0].(int); index {
				return nil, "", fmt.Errorf("the path starts with an index")
			}
			return path, s[1:], nil
		case strings.HasPrefix(s, "."):
			s = s[1:]
		case !strings.HasPrefix(s, "["):
			return nil, "", fmt.Errorf("want PATH=VALUE")
		}
	}
}

// assign makes the assignments, in order.
func assign(cmd *cobra.Command, properties map[string]any, sets []assignment) error {
	for _, a := range sets {
		if _, err := put(properties, a.path, a.value); err != nil {
			return usagef(cmd, "%s: %v", a.typed, err)
		}
	}
	return nil
}

// put returns into with value at path. It creates objects and lists on the way,
// and an index may be one past the end of a list.
func put(into any, path []any, value any) (any, error) {
	if len(path) == 0 {
		return value, nil
	}
	switch step := path[0].(type) {
	case string:
		object, ok := into.(map[string]any)
		if into == nil {
			object, ok = map[string]any{}, true
		}
		if !ok {
			return nil, fmt.Errorf("%q: the parent is not an object", step)
		}
		if value == nil && len(path) == 1 {
			delete(object, step)
			return object, nil
		}
		child, err := put(object[step], path[1:], value)
		if err != nil {
			return nil, err
		}
		object[step] = child
		return object, nil
	default:
		i := step.(int)
		list, ok := into.([]any)
		if into != nil && !ok {
			return nil, fmt.Errorf("[%d]: the parent is not a list", i)
		}
		if i > len(list) {
			return nil, fmt.Errorf("[%d]: index out of range, the list has %d items", i, len(list))
		}
		if value == nil && len(path) == 1 {
			if i == len(list) {
				return list, nil
			}
			return slices.Delete(list, i, i+1), nil
		}
		if i == len(list) {
			list = append(list, nil)
		}
		child, err := put(list[i], path[1:], value)
		if err != nil {
			return nil, err
		}
		list[i] = child
		return list, nil
	}
}

// readProperties reads a JSON object from a file; without a file it is empty.
func (a *app) readProperties(cmd *cobra.Command, file string) (map[string]any, error) {
	properties := map[string]any{}
	if file == "" {
		return properties, nil
	}
	in := a.env.Stdin
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, usagef(cmd, "%v", err)
		}
		defer f.Close()
		in = f
	}
	text, err := io.ReadAll(in)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", file, err)
	}
	if err := json.Unmarshal(text, &properties); err != nil {
		return nil, usagef(cmd, "%s: want a JSON object: %v", file, err)
	}
	if properties == nil {
		properties = map[string]any{}
	}
	return properties, nil
}
