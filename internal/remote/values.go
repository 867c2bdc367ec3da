package remote

import (
	"fmt"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	v1 "freehold.dev/freehold/internal/api/freehold/v1"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/finding"
)

// at is a time; the zero time where there is none.
func at(t *timestamppb.Timestamp) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.AsTime()
}

func took(d *durationpb.Duration) time.Duration { return d.AsDuration() }

// values is a JSON object; nil where there is none.
func values(s *structpb.Struct) map[string]any {
	if s == nil {
		return nil
	}
	return s.AsMap()
}

func state(s v1.OperationState) string {
	if s == v1.OperationState_OPERATION_STATE_UNSPECIFIED {
		return ""
	}
	return strings.ToLower(strings.TrimPrefix(s.String(), "OPERATION_STATE_"))
}

func operationOf(org string, o *v1.Operation) event.Operation {
	return event.Operation{
		ID: o.GetId(), Org: org, Kind: o.GetKind(), State: state(o.GetState()), Started: at(o.GetStartTime()), Finished: at(o.GetEndTime()),
		Error: o.GetError(), Request: o.GetRequestId(), Reason: event.Reason(o.GetReason()), RetryAt: at(o.GetRetryTime()),
	}
}

func stepOf(s *v1.OperationStep) event.Step {
	return event.Step{
		Seq: s.GetSequence(), Name: s.GetName(), Layer: s.GetLayer(), Attempt: int(s.GetAttempt()), State: s.GetState(),
		Started: at(s.GetStartTime()), Finished: at(s.GetEndTime()), Deadline: at(s.GetDeadline()), Error: s.GetError(),
	}
}

// eventOf is an event with its result in the result's own type.
func eventOf(org string, e *v1.OperationEvent) (event.Event, error) {
	out := event.Event{
		Type: event.Type(e.GetType()), Seq: e.GetSequence(), Time: at(e.GetTime()), Org: org, Operation: e.GetOperation(), Kind: e.GetKind(),
		Layer: e.GetLayer(), URN: e.GetUrn(), ResourceType: e.GetResourceType(), ResourceName: e.GetResourceName(), Op: e.GetOp(),
		Total: int(e.GetTotal()), Duration: took(e.GetDuration()), Message: e.GetMessage(), Next: e.GetNext(),
		Reason: event.Reason(e.GetReason()), RetryAt: at(e.GetRetryTime()),
	}
	for op, n := range e.GetChanges() {
		if out.Changes == nil {
			out.Changes = map[string]int{}
		}
		out.Changes[op] = int(n)
	}
	if e.GetResult() != nil {
		out.Result = values(e.GetResult())
	}
	return out.Restored()
}

func layersOf(org string, all []*v1.Layer) []event.LayerResult {
	var out []event.LayerResult
	for _, l := range all {
		out = append(out, event.LayerResult{
			Layer: l.GetLayer(), Stack: org + "." + l.GetLayer(), State: l.GetState(), Resources: int(l.GetResources()), Error: l.GetError(),
		})
	}
	return out
}

func dataPlaneOf(org string, d *v1.DataPlane) event.DataPlane {
	return event.DataPlane{
		Org: org, Region: d.GetRegion(), AccountID: d.GetAccountId(), BoundaryARN: d.GetBoundaryArn(), VPCID: d.GetVpcId(), CIDR: d.GetCidr(),
		ClusterName: d.GetClusterName(), ClusterARN: d.GetClusterArn(), ClusterEndpoint: d.GetClusterEndpoint(), OIDCIssuer: d.GetOidcIssuer(),
		DataKeyARN: d.GetDataKeyArn(), Projects: d.GetProjects(),
	}
}

func statusOf(org string, o *v1.Organization, d event.DataPlane, last *v1.Operation) event.Status {
	if d.Region == "" {
		d.Region = o.GetRegion()
	}
	s := event.Status{Org: org, State: o.GetState(), Hash: o.GetPlanHash(), DataPlane: d, Layers: layersOf(org, o.GetLayers())}
	if last != nil {
		one := operationOf(org, last)
		s.Last = &one
	}
	return s
}

func projectOf(org string, p *v1.Project) event.Project {
	out := event.Project{
		Org: org, Name: p.GetName(), DisplayName: p.GetDisplayName(), Source: p.GetSource(), Recorded: p.GetRecorded(), Phase: p.GetPhase(), Ready: p.GetReady(),
		Message: p.GetMessage(), Namespace: p.GetNamespace(), Created: at(p.GetCreateTime()), Spec: values(p.GetSpec()),
	}
	for name, u := range p.GetUsage() {
		if out.Usage == nil {
			out.Usage = map[string]event.ProjectUsage{}
		}
		out.Usage[name] = event.ProjectUsage{Used: u.GetUsed(), Hard: u.GetHard()}
	}
	for _, m := range p.GetMembers() {
		out.Members = append(out.Members, event.ProjectMember{Group: m.GetGroup(), User: m.GetUser(), Role: m.GetRole()})
	}
	for _, c := range p.GetConditions() {
		out.Conditions = append(out.Conditions, event.ProjectCondition{Type: c.GetType(), Status: c.GetStatus(), Reason: c.GetReason(), Message: c.GetMessage()})
	}
	return out
}

func driftOf(org string, r *v1.DriftReport) event.Drift {
	out := event.Drift{Org: org, At: at(r.GetTime()), Layers: layersOf(org, r.GetLayers()), Duration: took(r.GetDuration())}
	for _, f := range r.GetFindings() {
		one := finding.Finding{
			Kind: finding.Kind(f.GetKind()), Layer: f.GetLayer(), Type: f.GetType(), Name: f.GetName(), ID: f.GetId(), URN: f.GetUrn(), Message: f.GetMessage(),
		}
		for _, d := range f.GetDifferences() {
			one.Differences = append(one.Differences, finding.Difference{Path: d.GetPath(), Want: d.GetWant(), Have: d.GetHave()})
		}
		if f.GetRule() != "" {
			one.Policy = &finding.Policy{
				Rule: f.GetRule(), Org: org, Layer: f.GetLayer(), Message: f.GetMessage(), Answer: "violated",
				Resource: finding.Resource{Type: f.GetType(), Name: f.GetName(), URN: f.GetUrn(), ID: f.GetId()},
			}
			if f.GetAcceptedBy() != "" {
				one.Policy.Exception = &finding.Exception{Approver: f.GetAcceptedBy()}
			}
		}
		out.Findings = append(out.Findings, one)
	}
	return out
}

// entryOf is an entry as its hash was computed: the time to its own precision.
func entryOf(org string, e *v1.AuditEntry) (event.AuditEntry, error) {
	written, err := time.Parse(time.RFC3339Nano, e.GetAt())
	if err != nil {
		return event.AuditEntry{}, fmt.Errorf("entry %d of the audit log: %w", e.GetSequence(), err)
	}
	return event.AuditEntry{
		Org: org, Seq: e.GetSequence(), At: written, Actor: e.GetActor(), Request: e.GetRequest(), What: e.GetWhat(), Result: e.GetResult(),
		Previous: e.GetPrevious(), Hash: e.GetHash(),
	}, nil
}
