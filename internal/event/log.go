package event

import (
	"encoding/json"
	"fmt"
	"time"
)

// Operations are the operations of one org, the newest first.
type Operations struct {
	Org        string      `json:"org"`
	Operations []Operation `json:"operations"`
}

// OperationDetail is everything about one operation.
type OperationDetail struct {
	Org       string    `json:"org"`
	Operation Operation `json:"operation"`
	// Events is how many events it has stored.
	Events int64 `json:"events"`
	// Steps are what it did, in the order in which the steps began.
	Steps []Step `json:"steps,omitempty"`
	// Holder is who runs it; nil: nobody does, it has ended.
	Holder *Holder `json:"holder,omitempty"`
	// Terminal is the event that it ended with; nil: it runs.
	Terminal *Event `json:"terminal,omitempty"`
}

// Holder is the process that runs an operation.
type Holder struct {
	// Process names it: its host and its number there come first.
	Process string `json:"process"`
	// Until is when its lease ends unless it is renewed, by its own clock.
	Until time.Time `json:"until"`
}

// Log is the stored log of one operation, or the part of it that follows an
// event that was read before.
type Log struct {
	Org       string  `json:"org"`
	Operation string  `json:"operation"`
	Events    []Event `json:"events"`
}

// Restored returns a stored event with the result's own type, which a decoder
// of JSON cannot know. A replay then reads like the operation's own stream.
func (e Event) Restored() (Event, error) {
	var err error
	switch e.Kind {
	case "onboard", "projects":
		e.Result, err = restore[Onboarding](e.Result)
	case "offboard":
		e.Result, err = restore[Offboarding](e.Result)
	case "release":
		e.Result, err = restore[Claims](e.Result)
	}
	if err != nil {
		return e, fmt.Errorf("result of operation %s of %s: %w", e.Operation, e.Org, err)
	}
	return e, nil
}

// restore gives a result of decoded JSON the type T. A result that has a type
// already keeps it.
func restore[T any](result any) (any, error) {
	decoded, ok := result.(map[string]any)
	if !ok {
		return result, nil
	}
	text, err := json.Marshal(decoded)
	if err != nil {
		return nil, err
	}
	var typed T
	if err := json.Unmarshal(text, &typed); err != nil {
		return nil, err
	}
	return typed, nil
}
