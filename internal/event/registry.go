package event

import "time"

// Migration is what bringing a registry's schema up to date did.
type Migration struct {
	From int64 `json:"from"`
	To   int64 `json:"to"`
}

// Archive is what an export of a registry wrote, or an import read.
type Archive struct {
	Orgs int `json:"orgs"`
	Rows int `json:"rows"`
	// Running is how many operations had not ended.
	Running int `json:"running"`
	// File is where it is; empty: on a stream.
	File string `json:"file,omitempty"`
}

// AuditEntry says who did what. It never holds a secret.
type AuditEntry struct {
	// Org is empty in the fleet's own log.
	Org string `json:"org,omitempty"`
	// Seq numbers the entries of a log from 1, without a gap.
	Seq int64     `json:"seq"`
	At  time.Time `json:"at"`
	// Actor is who acted, Request what the actor's call is known by.
	Actor   string `json:"actor"`
	Request string `json:"request,omitempty"`
	// What was done, and with which Result: "done", or why it was refused.
	What   string `json:"what"`
	Result string `json:"result"`
	// Previous is the hash of the entry before, empty in the first.
	Previous string `json:"previous"`
	// Hash is that of the entry: see registry.Chain.
	Hash string `json:"hash"`
}

// AuditLog is a part of the log of who did what.
type AuditLog struct {
	// Org is empty for the fleet's own log.
	Org     string       `json:"org,omitempty"`
	Entries []AuditEntry `json:"entries"`
}

// AuditVerdict says whether an audit log is as it was written.
type AuditVerdict struct {
	// Org is empty for the fleet's own log.
	Org     string `json:"org,omitempty"`
	Entries int64  `json:"entries"`
	// Head is the hash of the newest entry: whoever keeps it notices later that
	// entries are missing at the end.
	Head string `json:"head"`
	OK   bool   `json:"ok"`
	// Problem says what is wrong.
	Problem string `json:"problem,omitempty"`
}
