package render

import (
	"cmp"
	"fmt"
	"io"
	"strconv"
	"strings"

	"freehold.dev/freehold/internal/event"
)

// TextWebhooks writes one line per endpoint.
func TextWebhooks(w io.Writer, all event.Webhooks) error {
	if len(all.Endpoints) == 0 {
		_, err := fmt.Fprintf(w, "%s has no webhooks\n", all.Org)
		return err
	}
	rows := [][]string{{"NAME", "URL", "SECRET", "EVENTS", "WAITING", "DEAD", "STATE"}}
	for _, e := range all.Endpoints {
		rows = append(rows, []string{
			e.Name, e.URL, e.Secret, strings.Join(e.Events, ","), strconv.Itoa(e.Waiting), strconv.Itoa(e.Dead), endpointState(e),
		})
	}
	return table(w, "", rows)
}

// TextAllWebhooks writes one line per endpoint of all orgs.
func TextAllWebhooks(w io.Writer, all []event.Webhooks) error {
	if len(all) == 0 {
		_, err := fmt.Fprintln(w, "no org has webhooks")
		return err
	}
	rows := [][]string{{"ORG", "NAME", "URL", "WAITING", "DEAD", "STATE"}}
	for _, org := range all {
		for _, e := range org.Endpoints {
			rows = append(rows, []string{org.Org, e.Name, e.URL, strconv.Itoa(e.Waiting), strconv.Itoa(e.Dead), endpointState(e)})
		}
	}
	return table(w, "", rows)
}

// endpointState says whether an endpoint gets what it should, and why not.
func endpointState(e event.Webhook) string {
	switch {
	case e.Disabled != "":
		return "disabled: " + oneLine(e.Disabled)
	case e.Error != "":
		return "next attempt " + textTime(e.Next) + ": " + oneLine(e.Error)
	default:
		return "ok"
	}
}

// TextDeliveries writes one line per endpoint.
func TextDeliveries(w io.Writer, all []event.Deliveries) error {
	said := false
	for _, d := range all {
		for _, e := range d.Endpoints {
			said = true
			if _, err := fmt.Fprintf(w, "%s %s: %d delivered%s\n", d.Org, e.Name, e.Delivered, left(e)); err != nil {
				return err
			}
		}
	}
	if !said {
		_, err := fmt.Fprintln(w, "nothing to deliver")
		return err
	}
	return nil
}

// left says what an endpoint did not get, and why; "" when it got everything.
func left(e event.Delivery) string {
	if e.Waiting == 0 && e.Dead == 0 && e.Unsent == "" {
		return ""
	}
	text := fmt.Sprintf(", %d waiting", e.Waiting)
	if e.Dead > 0 {
		text += fmt.Sprintf(", %d dead", e.Dead)
	}
	why := cmp.Or(e.Unsent, e.Disabled, e.Error)
	if e.Busy && why == "" {
		why = "another process sends to it"
	}
	if why != "" {
		text += ": " + oneLine(why)
	}
	if e.Error != "" && e.Unsent == "" && e.Disabled == "" {
		text += "; next attempt " + textTime(e.Next)
	}
	return text
}

// TextLeft writes what of an operation's events was not delivered when it ended.
func TextLeft(w io.Writer, d event.Deliveries) error {
	waits := false
	for _, e := range d.Endpoints {
		if e.Waiting == 0 {
			continue
		}
		waits = true
		if _, err := fmt.Fprintf(w, "webhooks of %s: endpoint %s:%s\n", d.Org, e.Name, strings.TrimPrefix(left(e), ",")); err != nil {
			return err
		}
	}
	if !waits {
		return nil
	}
	_, err := fmt.Fprintf(w, "freehold webhooks deliver %s sends what is waiting\n", d.Org)
	return err
}

// TextDeadLetters writes one line per dead letter.
func TextDeadLetters(w io.Writer, all event.DeadLetters) error {
	if len(all.Letters) == 0 {
		_, err := fmt.Fprintf(w, "%s has no dead letters\n", all.Org)
		return err
	}
	rows := [][]string{{"ENDPOINT", "ID", "CREATED", "ATTEMPTS", "ERROR"}}
	for _, l := range all.Letters {
		rows = append(rows, []string{l.Endpoint, l.ID, textTime(l.Created), strconv.Itoa(l.Attempts), oneLine(l.Error)})
	}
	return table(w, "", rows)
}

// TextResent writes what is sent again.
func TextResent(w io.Writer, all event.DeadLetters) error {
	if len(all.Letters) == 0 {
		_, err := fmt.Fprintf(w, "%s has no dead letters\n", all.Org)
		return err
	}
	_, err := fmt.Fprintf(w, "%s: %s again; freehold webhooks deliver %s sends them now\n", all.Org, plural(len(all.Letters), "event waits", "events wait"), all.Org)
	return err
}
