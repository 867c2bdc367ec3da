package finding

import (
	"encoding/json"
	"fmt"
	"strconv"

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
