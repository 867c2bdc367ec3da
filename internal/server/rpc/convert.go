package rpc

import (
	"encoding/json"
	"fmt"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	freeholdv1 "freehold.dev/freehold/internal/api/freehold/v1"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/finding"
)

// stamp is unset for the zero time.
func stamp(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}

// structOf is v as the command line prints it.
func structOf(v any) (*structpb.Struct, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("write %T: %w", v, err)
	}
	out := &structpb.Struct{}
	if err := out.UnmarshalJSON(text); err != nil {
		return nil, fmt.Errorf("write %T: %w", v, err)
	}
	return out, nil
}

func states() map[string]freeholdv1.OperationState {
	return map[string]freeholdv1.OperationState{
		event.OperationStarted.State():   freeholdv1.OperationState_OPERATION_STATE_RUNNING,
		event.OperationSucceeded.State(): freeholdv1.OperationState_OPERATION_STATE_SUCCEEDED,
		event.OperationFailed.State():    freeholdv1.OperationState_OPERATION_STATE_FAILED,
		event.OperationBlocked.State():   freeholdv1.OperationState_OPERATION_STATE_BLOCKED,
		event.OperationPending.State():   freeholdv1.OperationState_OPERATION_STATE_PENDING,
	}
}

func operationOf(op event.Operation) *freeholdv1.Operation {
	return &freeholdv1.Operation{
		Id: op.ID, Kind: op.Kind, State: states()[op.State], Done: op.State != event.OperationStarted.State(),
		StartTime: stamp(op.Started), EndTime: stamp(op.Finished), Error: op.Error, RequestId: op.Request,
		Reason: string(op.Reason), RetryTime: stamp(op.RetryAt),
	}
}

func operationsOf(ops []event.Operation) []*freeholdv1.Operation {
	out := make([]*freeholdv1.Operation, len(ops))
	for i, op := range ops {
		out[i] = operationOf(op)
	}
	return out
}

func eventOf(ev event.Event) (*freeholdv1.OperationEvent, error) {
	out := &freeholdv1.OperationEvent{
		Type: string(ev.Type), Sequence: ev.Seq, Time: stamp(ev.Time), Operation: ev.Operation, Kind: ev.Kind, Layer: ev.Layer,
		Urn: ev.URN, ResourceType: ev.ResourceType, ResourceName: ev.ResourceName, Op: ev.Op, Total: int32(ev.Total),
		Message: ev.Message, Next: ev.Next, Reason: string(ev.Reason), RetryTime: stamp(ev.RetryAt),
	}
	if ev.Duration != 0 {
		out.Duration = durationpb.New(ev.Duration)
	}
	if len(ev.Changes) > 0 {
		out.Changes = map[string]int64{}
		for op, n := range ev.Changes {
			out.Changes[op] = int64(n)
		}
	}
	var err error
	if ev.Result != nil {
		out.Result, err = structOf(ev.Result)
	}
	return out, err
}

func layersOf(layers []event.LayerResult) []*freeholdv1.Layer {
	out := make([]*freeholdv1.Layer, len(layers))
	for i, l := range layers {
		out[i] = &freeholdv1.Layer{Layer: l.Layer, State: l.State, Resources: int32(l.Resources), Error: l.Error}
	}
	return out
}

func dataPlaneOf(d event.DataPlane) *freeholdv1.DataPlane {
	return &freeholdv1.DataPlane{
		Region: d.Region, AccountId: d.AccountID, BoundaryArn: d.BoundaryARN, VpcId: d.VPCID, Cidr: d.CIDR, ClusterName: d.ClusterName,
		ClusterArn: d.ClusterARN, ClusterEndpoint: d.ClusterEndpoint, OidcIssuer: d.OIDCIssuer, DataKeyArn: d.DataKeyARN, Projects: d.Projects,
	}
}

func projectOf(p event.Project) (*freeholdv1.Project, error) {
	out := &freeholdv1.Project{
		Name: p.Name, DisplayName: p.DisplayName, Recorded: p.Recorded, Phase: p.Phase, Ready: p.Ready, Message: p.Message,
		Namespace: p.Namespace, Source: p.Source, CreateTime: stamp(p.Created), Usage: map[string]*freeholdv1.ProjectUsage{},
	}
	for resource, u := range p.Usage {
		out.Usage[resource] = &freeholdv1.ProjectUsage{Used: u.Used, Hard: u.Hard}
	}
	for _, m := range p.Members {
		out.Members = append(out.Members, &freeholdv1.ProjectMember{Group: m.Group, User: m.User, Role: m.Role})
	}
	for _, c := range p.Conditions {
		out.Conditions = append(out.Conditions, &freeholdv1.ProjectCondition{Type: c.Type, Status: c.Status, Reason: c.Reason, Message: c.Message})
	}
	var err error
	if p.Spec != nil {
		out.Spec, err = structOf(p.Spec)
	}
	return out, err
}

func driftOf(d event.Drift) *freeholdv1.DriftReport {
	out := &freeholdv1.DriftReport{
		Time: stamp(d.At), Duration: durationpb.New(d.Duration), Drifted: d.Drifted(), Complete: d.Complete(), Layers: layersOf(d.Layers),
	}
	for _, f := range d.Findings {
		out.Findings = append(out.Findings, findingOf(f))
	}
	return out
}

func findingOf(f finding.Finding) *freeholdv1.DriftFinding {
	out := &freeholdv1.DriftFinding{Kind: string(f.Kind), Layer: f.Layer, Type: f.Type, Name: f.Name, Id: f.ID, Urn: f.URN, Message: f.Message}
	for _, d := range f.Differences {
		out.Differences = append(out.Differences, &freeholdv1.DriftDifference{Path: d.Path, Want: d.Want, Have: d.Have})
	}
	if f.Policy != nil {
		out.Rule = f.Policy.Rule
		if out.Message == "" {
			out.Message = f.Policy.Message
		}
		if f.Policy.Exception != nil {
			out.AcceptedBy = f.Policy.Exception.Approver
		}
	}
	return out
}

func entriesOf(entries []event.AuditEntry) []*freeholdv1.AuditEntry {
	out := make([]*freeholdv1.AuditEntry, len(entries))
	for i, e := range entries {
		out[i] = &freeholdv1.AuditEntry{
			Sequence: e.Seq, At: e.At.Format(time.RFC3339Nano), Actor: e.Actor, Request: e.Request, What: e.What, Result: e.Result,
			Previous: e.Previous, Hash: e.Hash, Time: stamp(e.At),
		}
	}
	return out
}

// page cuts a page out of all: limit is what was asked for, 0 for usual, and most
// bounds it. next is where the next page begins, 0 for none.
func page[T any](all []T, from, limit, usual, most int) (out []T, next int) {
	if limit <= 0 {
		limit = usual
	}
	limit = min(limit, most)
	from = min(max(from, 0), len(all))
	to := min(from+limit, len(all))
	if to < len(all) {
		next = to
	}
	return all[from:to], next
}
