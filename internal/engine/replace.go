package engine

import (
	"fmt"
	"slices"
	"strings"
)

// ReplaceError says that an up was not begun: it would have deleted resources
// of the types in Stack.NewFirst before, or while, what takes their place is made
// under the same name.
type ReplaceError struct {
	Stack string
	// Steps are the replacements, with the inputs before and after.
	Steps []Step
}

// Error names the resources.
func (e *ReplaceError) Error() string {
	var names []string
	for _, s := range e.Steps {
		names = append(names, fmt.Sprintf("%s %q (%s)", s.Type, s.Name, strings.Join(s.Diffs, ", ")))
	}
	return fmt.Sprintf("update stack %s: it would replace in its place %s", e.Stack, strings.Join(names, ", "))
}

// replaced returns the steps that replace a resource of the types which the
// stack wants to be made anew first, each once.
func replaced(s Stack, steps []Step) []Step {
	var out []Step
	for _, st := range steps {
		if st.Op == "replace" && slices.Contains(s.NewFirst, st.Type) {
			out = append(out, st)
		}
	}
	return out
}
