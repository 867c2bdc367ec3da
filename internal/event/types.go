package event

import (
	"fmt"
	"slices"
	"strings"
)

// Types are all types of events, in the order in which they come.
func Types() []Type {
	return []Type{
		OperationStarted, LayerStarted, LayerFinished, LayerFailed, ResourceStarted, ResourceFinished, ResourceFailed,
		Diagnostic, Waiting, OperationSucceeded, OperationFailed, OperationBlocked, OperationPending,
	}
}

// Selection is a choice of types: each entry is a type, or the first words of
// some, as "layer" is of "layer.started".
type Selection []string

// Terminal is the selection of the types that end an operation.
func Terminal() Selection {
	var s Selection
	for _, t := range Types() {
		if t.Terminal() {
			s = append(s, string(t))
		}
	}
	return s
}

// ParseSelection reads a selection as somebody typed it, with or without the
// prefix of the CloudEvents type. An entry that selects nothing is an error.
func ParseSelection(entries []string) (Selection, error) {
	var s Selection
	for _, typed := range entries {
		entry := strings.TrimPrefix(typed, CloudEventPrefix)
		one := Selection{entry}
		if !slices.ContainsFunc(Types(), one.Wants) {
			return nil, fmt.Errorf("event type %q is unknown: want one of %s, or the first words of some, such as layer", typed, list(Types()))
		}
		if !slices.Contains(s, entry) {
			s = append(s, entry)
		}
	}
	return s, nil
}

// Wants reports whether t is selected.
func (s Selection) Wants(t Type) bool {
	return slices.ContainsFunc(s, func(entry string) bool {
		return string(t) == entry || strings.HasPrefix(string(t), entry+".")
	})
}

func list(types []Type) string {
	words := make([]string, len(types))
	for i, t := range types {
		words[i] = string(t)
	}
	return strings.Join(words, ", ")
}
