package event

import "time"

// Onboardings is the result of onboarding several orgs in one run.
type Onboardings struct {
	// Org names the orgs, by commas.
	Org string `json:"org"`
	// Exit is the run's exit status: the worst of the orgs'.
	Exit int `json:"exit"`
	// Parallel is how many orgs were onboarded at the same time, at most.
	Parallel int `json:"parallel"`
	// Orgs are in the order of their names, in which they were started.
	Orgs     []OrgOnboarding `json:"orgs"`
	Duration time.Duration   `json:"duration"`
}

// OrgOnboarding is what became of one of several orgs.
type OrgOnboarding struct {
	Org string `json:"org"`
	// File is the document that asked for it.
	File  string          `json:"file"`
	State OnboardingState `json:"state"`
	// Exit is the exit status that onboard would have had for this org alone.
	Exit int `json:"exit"`
	// Error says why it did not succeed, Next what to do about it.
	Error string `json:"error,omitempty"`
	Next  string `json:"next,omitempty"`
	// Result is complete when the org is ready, and says how far it got when it
	// is not; nil: nothing of it was begun.
	Result   *Onboarding   `json:"result,omitempty"`
	Duration time.Duration `json:"duration"`
}

// OnboardingState is how the onboarding of one of several orgs ended.
type OnboardingState string

// The ends of an onboarding.
const (
	OnboardingSucceeded  OnboardingState = "succeeded"
	OnboardingFailed     OnboardingState = "failed"
	OnboardingBlocked    OnboardingState = "blocked"     // by a policy
	OnboardingRefused    OnboardingState = "refused"     // what the document asks for cannot be done
	OnboardingBusy       OnboardingState = "busy"        // another operation holds the org
	OnboardingPending    OnboardingState = "pending"     // the cloud must act first
	OnboardingNotStarted OnboardingState = "not-started" // the run was interrupted before
)

// OnboardingStates are all of them, in the order in which they are counted.
func OnboardingStates() []OnboardingState {
	return []OnboardingState{
		OnboardingSucceeded, OnboardingFailed, OnboardingRefused, OnboardingBlocked, OnboardingBusy, OnboardingPending, OnboardingNotStarted,
	}
}
