package registry

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/gowebpki/jcs"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/orgcontext"
)

// AuditPage is how many entries of an audit log are read at once.
const AuditPage = 1000

// Note says how somebody's request was decided.
type Note struct {
	By orgcontext.Context
	// What was asked for, and with which Result: "allowed: …" or "denied: …".
	What, Result string
}

// FleetNote is a Note about a request for the fleet.
type FleetNote struct {
	By           orgcontext.Fleet
	What, Result string
}

// Chain is the hash of an entry: SHA-256, in hexadecimal, of the entry without
// its hash as canonical JSON (RFC 8785). The hash of the entry before is in it,
// so that no entry can be changed, removed or put in between without changing
// all that follow.
func Chain(e event.AuditEntry) (string, error) {
	e.Hash = ""
	text, err := json.Marshal(struct {
		event.AuditEntry

		Hash string `json:"hash,omitempty"`
	}{AuditEntry: e})
	if err != nil {
		return "", err
	}
	canonical, err := jcs.Transform(text)
	if err != nil {
		return "", fmt.Errorf("entry %d of the audit log: %w", e.Seq, err)
	}
	sum := sha256.Sum256(canonical)
	return hex.EncodeToString(sum[:]), nil
}

// Verify reports the first of the entries that is not what was written after
// the one before it; the first entry has to follow after, the zero value of
// which is the beginning of the log. It wraps ErrAppended. That the newest
// entries are missing shows only to somebody who kept a later hash.
func Verify(after event.AuditEntry, entries []event.AuditEntry) error {
	last := after
	for _, e := range entries {
		switch hash, err := Chain(e); {
		case err != nil:
			return err
		case e.Seq != last.Seq+1:
			return fmt.Errorf("%w: entry %d follows entry %d", ErrAppended, e.Seq, last.Seq)
		case e.Previous != last.Hash:
			return fmt.Errorf("%w: entry %d does not follow the entry before it", ErrAppended, e.Seq)
		case e.Hash != hash:
			return fmt.Errorf("%w: entry %d is not what its hash says", ErrAppended, e.Seq)
		}
		last = e
	}
	return nil
}
