package render_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"
	"github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/render"
)

func TestListsAreNeverNull(t *testing.T) {
	for _, v := range []any{
		event.Plan{Org: "acme"}, event.Onboarding{Org: "acme"}, event.Status{Org: "acme"}, event.Drift{Org: "acme"},
		event.Offboarding{Org: "acme"}, []event.Status{{Org: "acme"}}, []event.Drift{{Org: "acme"}}, []event.Status(nil),
		[]event.Drift(nil), []event.Check(nil), []event.SandboxItem(nil), event.Comparison{},
		event.Operations{Org: "acme"}, event.Log{Org: "acme", Events: []event.Event{{Result: event.Onboarding{Org: "acme"}}}}, event.Log{Org: "acme"},
		event.Claims{Org: "acme"}, event.Projects{Org: "acme"},
		finding.Audit{Org: "acme"}, finding.Report{Org: "acme"},
	} {
		var b bytes.Buffer
		if err := render.JSON(&b, v); err != nil {
			t.Fatal(err)
		}
		text := strings.ReplaceAll(b.String(), `"plan": null`, "")
		if strings.Contains(text, "null") {
			t.Errorf("%T: %s", v, text)
		}
	}
}

func TestJSONKeepsWhatPeopleWrote(t *testing.T) {
	var b bytes.Buffer
	if err := render.JSONLine(&b, event.Check{Name: "a<b>&c"}); err != nil {
		t.Fatal(err)
	}
	if want := "{\"name\":\"a<b>&c\",\"ok\":false,\"detail\":\"\"}\n"; b.String() != want {
		t.Errorf("%q, want %q", b.String(), want)
	}
}

func TestCloudEventIsOneThatTheSDKReads(t *testing.T) {
	e := event.Event{Type: event.OperationFailed, Time: time.Date(2026, 5, 4, 12, 0, 0, 5, time.UTC), Org: "acme", Operation: "op-1", Message: "no\nway"}
	line, err := render.CloudEvent(e, 3)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.ContainsRune(line, '\n') {
		t.Errorf("more than one line: %s", line)
	}
	var ce cloudevents.Event
	if err := json.Unmarshal(line, &ce); err != nil {
		t.Fatal(err)
	}
	if err := ce.Validate(); err != nil {
		t.Error(err)
	}
	var data event.Event
	if err := ce.DataAs(&data); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(e, data); diff != "" {
		t.Errorf("data (-want +got):\n%s", diff)
	}
	got := []string{ce.Type(), ce.Source(), ce.Subject(), ce.SpecVersion(), ce.Extensions()["org"].(string)}
	if diff := cmp.Diff([]string{"dev.freehold.operation.failed", "freehold", "acme", "1.0", "acme"}, got); diff != "" {
		t.Errorf("attributes (-want +got):\n%s", diff)
	}

	later := e
	later.Time = e.Time.Add(1)
	again, err := render.CloudEvent(later, 3)
	if err != nil {
		t.Fatal(err)
	}
	var other cloudevents.Event
	if err := json.Unmarshal(again, &other); err != nil {
		t.Fatal(err)
	}
	if other.ID() == ce.ID() {
		t.Errorf("a resumed operation that counts from the start repeats the id %s", ce.ID())
	}
}

func TestAStoredEventHasTheSameIDHoweverOftenItIsSent(t *testing.T) {
	stored := event.Event{Type: event.Diagnostic, Time: time.Unix(5, 0).UTC(), Org: "acme", Operation: "op-1", Seq: 7}
	later := stored
	later.Time = time.Unix(6, 0).UTC()
	other := stored
	other.Operation = "op-2"
	var got []string
	for n, e := range []event.Event{stored, later, other} {
		line, err := render.CloudEvent(e, n)
		if err != nil {
			t.Fatal(err)
		}
		var ce cloudevents.Event
		if err := json.Unmarshal(line, &ce); err != nil {
			t.Fatal(err)
		}
		got = append(got, ce.ID())
	}
	if diff := cmp.Diff([]string{"op-1-7", "op-1-7", "op-2-7"}, got); diff != "" {
		t.Errorf("ids (-want +got):\n%s", diff)
	}
}

func TestDurationsAsPeopleSayThem(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", 40 * time.Millisecond: "0.0s", 1500 * time.Millisecond: "1.5s", 10 * time.Second: "10s", 59900 * time.Millisecond: "59s",
		time.Minute: "1m00s", 3*time.Minute + 5*time.Second: "3m05s", time.Hour + 2*time.Minute + 9*time.Second: "1h02m",
	} {
		if got := render.Took(d); got != want {
			t.Errorf("%v: %s, want %s", d, got, want)
		}
	}
}

func TestCountsLeaveOutWhatStayedTheSame(t *testing.T) {
	changes := map[string]int{"same": 9, "delete": 1, "create": 3, "replace": 2, "update": 0, "discard": 4}
	if got, want := render.Counts(changes), "3 created, 2 replaced, 1 deleted, 4 discard"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got, want := render.WouldCount(changes), "3 to create, 2 to replace, 1 to delete, 4 to discard"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestComparisonFoldsWhatDoesNotFit(t *testing.T) {
	status := func(org string) event.Status {
		return event.Status{Org: org, DataPlane: event.DataPlane{
			Org: org, AccountID: "100000000002", BoundaryARN: "arn:aws:iam::100000000002:policy/freehold-" + org,
		}}
	}
	var b bytes.Buffer
	c := event.Comparison{Orgs: []event.Status{status("acme"), status("globex"), status("initech")}}
	if err := render.TextComparison(&b, c, 90); err != nil {
		t.Fatal(err)
	}
	want := `          acme                               globex
account   100000000002                       100000000002
boundary  100000000002:policy/freehold-acme  100000000002:policy/freehold-globex

          initech
account   100000000002
boundary  100000000002:policy/freehold-initech

nothing in common
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestOffboardingShowsWhatIsLeft(t *testing.T) {
	var b bytes.Buffer
	o := event.Offboarding{
		Org: "acme", AccountClosed: true, Duration: time.Minute, DataPlane: event.DataPlane{AccountID: "100000000002"},
		Layers: []event.LayerResult{{Layer: "cluster", State: "removed", Changes: map[string]int{"delete": 60}, Duration: time.Second}, {Layer: "account", State: "skipped"}},
		Left:   []finding.Finding{{Type: "aws:ec2/volume:Volume", Name: "pvc", ID: "vol-1"}},
	}
	if err := render.TextOffboarding(&b, o); err != nil {
		t.Fatal(err)
	}
	want := `acme is offboarded (1m00s)

  LAYER    RESOURCES  CHANGES     TOOK
  cluster  0          60 deleted  1.0s
  account  0          skipped

  account 100000000002 was closed

left in the account: 1 resource
  aws:ec2/volume:Volume  pvc  vol-1
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
