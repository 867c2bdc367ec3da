package event

import "time"

// Step is one step of an operation, as the registry remembers it.
type Step struct {
	// Seq numbers the steps of an operation from 1, in the order in which they began.
	Seq   int64  `json:"sequence"`
	Name  string `json:"name"`
	Layer string `json:"layer,omitempty"`
	// Attempt counts from 1: a step that failed for a passing cause is tried again.
	Attempt int `json:"attempt"`
	// State is running, done, failed, or interrupted: its process is gone.
	State    string    `json:"state"`
	Started  time.Time `json:"started"`
	Finished time.Time `json:"finished,omitzero"`
	// Deadline is when the step is given up.
	Deadline time.Time `json:"deadline,omitzero"`
	Error    string    `json:"error,omitempty"`
	// Holder is the process that runs it. Its times are by that process's clock.
	Holder string `json:"holder,omitempty"`
}

// The states of a step.
const (
	StepRunning     = "running"
	StepDone        = "done"
	StepFailed      = "failed"
	StepInterrupted = "interrupted"
)
