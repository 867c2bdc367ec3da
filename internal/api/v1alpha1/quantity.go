package v1alpha1

import (
	"encoding/json"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
)

// Quantity is an amount of a resource, as whoever asked for it wrote it; the
// zero Quantity is none. Kubernetes' own type turns 1024Mi into 1Gi when it is
// written again: a plan, its hash and the Project made from it would then
// differ from what was recorded of the same document before.
//
// It is a struct because Kubernetes' converter, which reads a whole number into
// no string, leaves a struct to UnmarshalJSON.
type Quantity struct {
	// Text is what was written, such as 500m or 8Gi.
	Text string
}

// MustQuantity returns a Quantity whose text is known to be one.
func MustQuantity(text string) Quantity {
	resource.MustParse(text)
	return Quantity{Text: text}
}

// Value is the amount. It panics for text that is not a quantity, which neither
// UnmarshalJSON nor a document's rules let through.
func (q Quantity) Value() resource.Quantity {
	if q.Text == "" {
		return resource.Quantity{}
	}
	return resource.MustParse(q.Text)
}

// String returns what was written.
func (q Quantity) String() string { return q.Text }

// MarshalJSON writes the text.
func (q Quantity) MarshalJSON() ([]byte, error) { return json.Marshal(q.Text) }

// UnmarshalJSON reads text, or a number as kubectl users like to write it, and
// refuses what is not a quantity.
func (q *Quantity) UnmarshalJSON(value []byte) error {
	text := string(value)
	switch {
	case text == "null":
		text = ""
	case strings.HasPrefix(text, `"`):
		if err := json.Unmarshal(value, &text); err != nil {
			return fmt.Errorf("quantity %s: %w", value, err)
		}
	}
	if text != "" {
		if _, err := resource.ParseQuantity(text); err != nil {
			return fmt.Errorf("quantity %s: %w", value, err)
		}
	}
	q.Text = text
	return nil
}
