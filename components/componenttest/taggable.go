package componenttest

import "freehold.dev/freehold/policies/table"

// Taggable reports whether AWS keeps tags of a type, as the rules' table says.
func Taggable(typ string) bool {
	at, ok := table.Of(typ).At("tags")
	return ok && at.Holds(table.Tags)
}
