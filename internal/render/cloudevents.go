package render

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strconv"

	"freehold.dev/freehold/internal/event"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"
)

// CloudEventSource is the source attribute of every event.
const CloudEventSource = "freehold"

// CloudEventID is the id attribute of e. That of a stored event is made of its
// operation and its sequence number, so that it is the same however often the
// event is sent. An event that was not stored (a plan's, a drift's) has the
// number n of its stream, and its time in the id: another run counts n from the
// start.
func CloudEventID(e event.Event, n int) string {
	operation := cmp.Or(e.Operation, "none")
	if e.Seq > 0 {
		return fmt.Sprintf("%s-%d", operation, e.Seq)
	}
	return fmt.Sprintf("%s-%s-%d", operation, strconv.FormatInt(e.Time.UnixNano(), 36), n)
}

// CloudEvent returns e as one CloudEvents 1.0 document on one line, without a
// newline. The org is the subject and also the extension attribute "org", so
// that it is found at the top of this document as of every other; an event of
// no known org has neither. Its id is CloudEventID's.
func CloudEvent(e event.Event, n int) ([]byte, error) {
	e.Result = listed(e.Result)
	ce := cloudevents.New()
	ce.SetID(CloudEventID(e, n))
	ce.SetSource(CloudEventSource)
	ce.SetType(event.CloudEventPrefix + string(e.Type))
	ce.SetTime(e.Time)
	if e.Org != "" {
		ce.SetSubject(e.Org)
		ce.SetExtension("org", e.Org)
	}
	if err := ce.SetData(cloudevents.ApplicationJSON, e); err != nil {
		return nil, fmt.Errorf("event %s of %s: %w", e.Type, e.Org, err)
	}
	line, err := json.Marshal(ce)
	if err != nil {
		return nil, fmt.Errorf("event %s of %s: %w", e.Type, e.Org, err)
	}
	return line, nil
}
