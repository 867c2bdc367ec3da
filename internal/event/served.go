package event

import "time"

// Caller is who somebody is to a server.
type Caller struct {
	Org string `json:"org"`
	// Subject is the kind, the issuer and the issuer's own name for the caller.
	Subject string   `json:"subject"`
	Name    string   `json:"name,omitempty"`
	Roles   []string `json:"roles"`
}

// DriftReports are what the latest drift runs over an org found, the newest first.
type DriftReports struct {
	Org     string  `json:"org"`
	Reports []Drift `json:"reports"`
}

// Exceptions are the violations of isolation rules that somebody answers for.
type Exceptions struct {
	Org        string      `json:"org"`
	Exceptions []Exception `json:"exceptions"`
}

// Exception is one of them.
type Exception struct {
	Org      string `json:"org"`
	Rule     string `json:"rule"`
	Resource string `json:"resource"`
	Reason   string `json:"reason"`
	Approver string `json:"approver"`
	Expires  string `json:"expires"` // 2006-01-02, the last day on which it holds
	// Active is whether it still holds.
	Active bool `json:"active"`
}

// EvidenceList is what a reviewer can fetch.
type EvidenceList struct {
	Org      string     `json:"org"`
	Evidence []Evidence `json:"evidence"`
}

// Evidence is one document for a reviewer.
type Evidence struct {
	Org         string `json:"org"`
	Name        string `json:"name"`
	Description string `json:"description"`
	MediaType   string `json:"mediaType"`
	Size        int64  `json:"size"`
	SHA256      string `json:"sha256"`
	// File is where it was written to; empty: on a stream.
	File string `json:"file,omitempty"`
}

// Login is a login to a server.
type Login struct {
	Server  string    `json:"server"`
	Issuer  string    `json:"issuer"`
	Expires time.Time `json:"expires"`
	// Renews is whether it goes on after that by itself.
	Renews bool `json:"renews"`
}
