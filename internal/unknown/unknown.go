// Package unknown has the one value that stands for what nobody knows yet: an
// id that a cloud gives when the thing is made, or whatever is derived from one.
// Pulumi writes a text in its place, a UUID, into the events of a preview and
// into states. Read replaces that text when properties come in, so that nobody
// behind it takes it for an id.
package unknown

import (
	"encoding/json"
	"slices"
	"strings"
)

// Value stands for a value that is not known yet.
type Value struct {
	// Text is what is known of a text of which a part is not: an ARN whose last
	// part the cloud gives. It has Pulumi's own text in the place of the rest,
	// and is empty where nothing is known.
	Text string
}

// String is what a person reads in its place.
func (Value) String() string { return "(known after apply)" }

// MarshalJSON writes what a person reads in its place.
func (v Value) MarshalJSON() ([]byte, error) { return json.Marshal(v.String()) }

// marks are the texts in the place of a text, a truth value, a number, an asset,
// an archive, a list and an object. Events and states have the first for all of
// them, and what providers send has each.
// https://github.com/pulumi/pulumi/blob/master/sdk/go/common/resource/plugin/rpc.go
// https://github.com/pulumi/pulumi/blob/master/pkg/resource/stack/deployment.go
var marks = []string{
	"04da6b54-80e4-46f7-96ec-b56ff0331ba9",
	"1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
	"3eeb2bf0-c639-47a8-9e75-3b44932eb421",
	"030794c1-ac77-496b-92df-f27374a8bd58",
	"e48ece36-62e2-4504-bad9-02848725956a",
	"6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
	"dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
}

// A property that is no plain value is an object with Signature, by which it
// says what it is.
// https://github.com/pulumi/pulumi/blob/master/sdk/go/common/resource/sig/sig.go
const (
	Signature = "4dabf18193072939515e22adb298388d"
	Secret    = "1b47061264138c4ac30d75fd1eb44270"
	Output    = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
)

// Sealed is what the engine shows in the place of a secret.
const Sealed = "[secret]"

// Text reports whether a text is, or has in it, what Pulumi writes for a value
// that is not known yet.
func Text(s string) bool {
	const length = 36
	return len(s) >= length && slices.ContainsFunc(marks, func(mark string) bool { return strings.Contains(s, mark) })
}

// Known reports whether a text says what it is: it is neither unknown nor a
// secret that is not shown.
func Known(s string) bool { return s != Sealed && !Text(s) }

// Read copies a value of an event with a Value in the place of each text that
// stands for one, and Sealed in the place of each secret.
func Read(v any) any {
	switch v := v.(type) {
	case string:
		switch {
		case !Text(v):
			return v
		case slices.Contains(marks, v):
			return Value{}
		default:
			return Value{Text: v}
		}
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = Read(e)
		}
		return out
	case map[string]any:
		switch v[Signature] {
		case Secret:
			return Sealed
		case Output:
			return output(v)
		}
		return Properties(v)
	default:
		return v
	}
}

// output reads a value that comes with what it depends on. One without a value
// is not known yet.
func output(v map[string]any) any {
	known, is := v["value"]
	switch {
	case v["secret"] == true:
		return Sealed
	case !is:
		return Value{}
	default:
		return Read(known)
	}
}

// Properties reads those of a resource; nil for none.
func Properties(in map[string]any) map[string]any {
	if in == nil {
		return nil
	}
	out := make(map[string]any, len(in))
	for k, v := range in {
		out[k] = Read(v)
	}
	return out
}

// Without copies properties without what is not known and without secrets, which
// are not shown. A list is left out that has such a thing in it: the places of
// the others would shift.
func Without(in map[string]any) map[string]any {
	if in == nil {
		return nil
	}
	out := make(map[string]any, len(in))
	for k, v := range in {
		if inner, is := v.(map[string]any); is {
			out[k] = Without(inner)
		} else if !Hidden(v) {
			out[k] = v
		}
	}
	return out
}

// Hidden reports whether a value that was read, or something in it, is not known
// or a secret that is not shown.
func Hidden(v any) bool { return holds(v, func(s string) bool { return !Known(s) }) }

// In reports whether a value that was read is not known, or something in it.
func In(v any) bool { return holds(v, Text) }

func holds(v any, text func(string) bool) bool {
	switch v := v.(type) {
	case Value:
		return true
	case string:
		return text(v)
	case []any:
		return slices.ContainsFunc(v, func(e any) bool { return holds(e, text) })
	case map[string]any:
		for _, e := range v {
			if holds(e, text) {
				return true
			}
		}
	}
	return false
}
