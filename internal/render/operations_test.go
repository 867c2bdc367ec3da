package render_test

import (
	"bytes"
	"encoding/json"
	"io"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/render"
)

func TestTheLogOfTheOperationsForPeople(t *testing.T) {
	at := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	stray := []finding.Finding{{Type: "aws:ec2/volume:Volume", Name: "pvc", ID: "vol-1"}, {Type: "aws:s3/bucket:Bucket", Name: "old", ID: "old"}}
	for reason, tc := range map[string]struct {
		write func(io.Writer) error
		want  string
	}{
		"operations, a running one among them": {func(w io.Writer) error {
			return render.TextOperations(w, event.Operations{Org: "acme", Operations: []event.Operation{
				{ID: "op-2", Org: "acme", Kind: "offboard", State: "running", Started: at.Add(time.Hour)},
				{ID: "op-1", Org: "acme", Kind: "onboard", State: "failed", Started: at, Finished: at.Add(time.Minute), Error: "two\nlines"},
			}})
		}, `OPERATION  KIND      STATE    STARTED               TOOK   ERROR
op-2       offboard  running  2026-05-04 13:00:00Z
op-1       onboard   failed   2026-05-04 12:00:00Z  1m00s  two lines
`},
		"no operations": {func(w io.Writer) error { return render.TextOperations(w, event.Operations{Org: "acme"}) }, "acme has no operations\n"},
		"events": {func(w io.Writer) error {
			return render.TextLog(w, event.Log{Org: "acme", Operation: "op-1", Events: []event.Event{
				{Seq: 9, Time: at, Kind: "onboard", Layer: "cluster", Type: event.ResourceStarted, Op: "create", ResourceType: "aws:ec2/vpc:Vpc", ResourceName: "vpc"},
				{Seq: 10, Time: at, Kind: "onboard", Layer: "cluster", Type: event.LayerFinished, Changes: map[string]int{"create": 2, "same": 1}},
				{Seq: 11, Time: at, Kind: "onboard", Type: event.OperationFailed, Message: "no", Next: "run it again"},
			}})
		}, `acme onboard op-1

SEQ  TIME                  LAYER    EVENT             DETAILS
9    2026-05-04 12:00:00Z  cluster  resource.started  create aws:ec2/vpc:Vpc "vpc"
10   2026-05-04 12:00:00Z  cluster  layer.finished    2 created
11   2026-05-04 12:00:00Z  -        operation.failed  no; run it again
`},
		"no events": {func(w io.Writer) error { return render.TextLog(w, event.Log{Org: "acme"}) }, "acme: no events\n"},
		"claims": {func(w io.Writer) error {
			return render.TextClaims(w, event.Claims{Org: "acme", Claims: []event.Claim{{Kind: "VPC", Value: "vpc-1", Made: true}, {Kind: "e-mail", Value: "a@b.c"}}})
		}, "KIND    VALUE  STATE\nVPC     vpc-1  in use\ne-mail  a@b.c  reserved\n"},
		"no claims": {func(w io.Writer) error { return render.TextClaims(w, event.Claims{Org: "acme"}) }, "acme has no claims\n"},
		"released claims": {func(w io.Writer) error {
			return render.TextReleased(w, event.Claims{Org: "acme", Claims: []event.Claim{{Kind: "VPC", Value: "vpc-1"}, {Kind: "e-mail", Value: "a@b.c"}}})
		}, "acme: released 2 claims\n  VPC     vpc-1\n  e-mail  a@b.c\n"},
		"nothing to release": {func(w io.Writer) error { return render.TextReleased(w, event.Claims{Org: "acme"}) }, "acme: nothing to release\n"},
		"what would be pruned": {func(w io.Writer) error { return render.TextPrune(w, event.Plan{Org: "acme", Prune: stray}) },
			`onboard --prune removes 2 resources that no layer declares from the account of acme:

  aws:ec2/volume:Volume  pvc  vol-1
  aws:s3/bucket:Bucket   old  old
`},
		"what was pruned": {func(w io.Writer) error {
			return render.TextOnboarding(w, event.Onboarding{Org: "acme", Changed: true, Pruned: stray})
		}, `acme is ready (0s)

  LAYER  RESOURCES  CHANGES  TOOK


pruned: 2 resources that no layer declared
  aws:ec2/volume:Volume  pvc  vol-1
  aws:s3/bucket:Bucket   old  old
`},
		"nothing to prune": {func(w io.Writer) error { return render.TextPrune(w, event.Plan{Org: "acme"}) },
			"nothing to prune: every resource in the account of acme is declared by a layer\n"},
		"a plan that would prune only": {func(w io.Writer) error {
			return render.TextPlan(w, event.Plan{Org: "acme", Layers: []event.LayerResult{{Layer: "account", State: "done"}}, Prune: stray})
		}, "account    no changes\nacme: 2 to prune\n"},
		"a plan that moves pods": {func(w io.Writer) error {
			return render.TextPlan(w, event.Plan{Org: "acme", Moves: []event.Move{
				{Pool: "a", From: "freehold-acme-a", To: "freehold-acme-a_2", Nodes: 3, Because: []finding.Difference{
					{Path: "instanceTypes[0]", Want: `"m6i.xlarge"`, Have: `"m6i.large"`}, {Path: "launchTemplate.id", Have: `"lt-1"`},
				}},
				{Pool: "b", From: "freehold-acme-b", Nodes: 1},
				{Pool: "c", From: "freehold-acme-c", To: "freehold-acme-c_2"},
			}, Changes: []event.Change{{Op: "create"}, {Op: "delete"}}})
		}, `move: the pods on node group freehold-acme-a (3 nodes) move to node group freehold-acme-a_2 first, and then it is deleted (EKS cannot change in place: instanceTypes[0] "m6i.large" to "m6i.xlarge", launchTemplate.id "lt-1" to (not known yet))
move: the pods on node group freehold-acme-b (1 node) move to the other pools first, and then it is deleted (pool b is no longer in the spec)
move: the pods on node group freehold-acme-c (0 nodes) move to node group freehold-acme-c_2 first, and then it is deleted (an earlier change of pool c did not end)
acme: 1 to create, 1 to delete
`},
		"a plan that would only record": {func(w io.Writer) error {
			return render.TextPlan(w, event.Plan{Org: "acme", Recorded: []finding.Difference{
				{Path: "access.people.roles[0].groups[0]", Want: `"audit"`, Have: `"security"`}, {Path: "access.aws", Want: "{}"},
			}})
		}, `recorded   nothing in the cloud changes with this
  access.people.roles[0].groups[0]: "security", want "audit"
  access.aws: nothing, want {}
acme: 2 to record
`},
		"a plan that would change and prune": {func(w io.Writer) error {
			return render.TextPlan(w, event.Plan{Org: "acme", Changes: []event.Change{{Op: "update"}}, Prune: stray})
		}, "acme: 1 to update, 2 to prune\n"},
	} {
		t.Run(reason, func(t *testing.T) {
			var b bytes.Buffer
			if err := tc.write(&b); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tc.want, b.String()); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

// A consumer that reads a stream and then a replay sees each event under one id.
func TestAStoredEventReadsTheSameInEveryReplay(t *testing.T) {
	at := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	for kind, result := range map[string]any{
		"onboard":  event.Onboarding{Org: "acme", Operation: "op", DataPlane: event.DataPlane{Org: "acme"}, Duration: 93 * time.Minute},
		"projects": event.Onboarding{Org: "acme", Layers: []event.LayerResult{{Layer: "bootstrap", Changes: map[string]int{"same": 1}}}},
		"offboard": event.Offboarding{Org: "acme", Left: []finding.Finding{{Kind: finding.Unmanaged, ID: "<vol>"}}},
		"release":  event.Claims{Org: "acme", Claims: []event.Claim{{Kind: "VPC", Value: "vpc-1"}}},
		"drift":    nil,
	} {
		t.Run(kind, func(t *testing.T) {
			live := event.Event{Type: event.OperationSucceeded, Time: at, Org: "acme", Operation: "op", Seq: 12, Kind: kind, Result: result}
			text, err := json.Marshal(live)
			if err != nil {
				t.Fatal(err)
			}
			var stored event.Event
			if err := json.Unmarshal(text, &stored); err != nil {
				t.Fatal(err)
			}
			if stored, err = stored.Restored(); err != nil {
				t.Fatal(err)
			}
			first, err := render.CloudEvent(live, 12)
			if err != nil {
				t.Fatal(err)
			}
			again, err := render.CloudEvent(stored, 1)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(first), string(again)); d != "" {
				t.Errorf("(-stream +replay):\n%s", d)
			}
			var ce struct{ ID string }
			if err := json.Unmarshal(again, &ce); err != nil || ce.ID != "op-12" {
				t.Errorf("id %q, %v", ce.ID, err)
			}
		})
	}
}

func TestAStoredResultOfAnotherShapeIsAnError(t *testing.T) {
	e := event.Event{Org: "acme", Operation: "op", Kind: "onboard", Result: map[string]any{"layers": "none"}}
	if _, err := e.Restored(); err == nil {
		t.Error("it is accepted")
	}
}
