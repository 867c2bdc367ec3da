package finding

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"freehold.dev/freehold/internal/unknown"
)

// Join writes a property path as Pulumi does: keys that are no identifiers are quoted.
func Join(path, key string) string {
	for _, r := range key {
		if r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') {
			return path + "[" + strconv.Quote(key) + "]"
		}
	}
	if path == "" {
		return key
	}
	return path + "." + key
}

// JoinIndex is the path of an item of a list.
func JoinIndex(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

// Text is a value as a Difference has it: JSON, and empty for what is absent.
func Text(v any) string {
	if v == nil {
		return ""
	}
	if later, is := v.(unknown.Value); is {
		return later.String()
	}
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(b)
}

// Within reports whether a path is another one, or in it.
func Within(inner, outer string) bool {
	rest, ok := strings.CutPrefix(inner, outer)
	return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
}

// Union is all that two looks at the same resource found. Where one has a part of
// what the other has as a whole, the second look is kept.
func Union(first, second []Difference) []Difference {
	var out []Difference
	for _, d := range first {
		if !slices.ContainsFunc(second, func(o Difference) bool { return Within(d.Path, o.Path) || Within(o.Path, d.Path) }) {
			out = append(out, d)
		}
	}
	out = append(out, second...)
	slices.SortFunc(out, func(a, b Difference) int { return strings.Compare(a.Path, b.Path) })
	return out
}

// Empty reports whether a value says nothing: a comparison takes it for absent,
// as providers and API servers leave out what is empty.
func Empty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case map[string]any:
		return len(v) == 0
	case []any:
		return len(v) == 0
	default:
		return false
	}
}
