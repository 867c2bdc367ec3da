package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/gowebpki/jcs"
)

// hash returns the SHA-256 of everything in the plan that reaches the cloud or is
// recorded of the org, as canonical JSON (RFC 8785). Notes are for people and are left out: better
// words for them are no other plan.
func hash(p Plan) string {
	p.Hash, p.Notes = "", nil
	text, err := json.Marshal(p)
	if err == nil {
		text, err = jcs.Transform(text)
	}
	if err != nil {
		// A Plan holds only text, numbers and lists of them.
		panic(fmt.Sprintf("hash a plan: %v", err))
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
