package remote

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"time"

	v1 "freehold.dev/freehold/internal/api/freehold/v1"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/lifecycle"
	"freehold.dev/freehold/internal/plan"
)

// beginWithin bounds the call that begins an operation: the server answers once
// it has begun.
const beginWithin = 5 * time.Minute

// requestID is what the server knows a request by: the caller's id, or one that
// is made up, so that a call whose answer was lost is not a second operation.
func requestID(asked string) string {
	if asked != "" {
		return asked
	}
	return "cli-" + rand.Text()
}

// Plan returns what Onboard would change.
func (c *Client) Plan(ctx context.Context, document []byte, o lifecycle.PlanOptions, _ event.Sink) (event.Plan, error) {
	const doing = "plan"
	got, err := c.dataPlane.PlanDataPlane(ctx, &v1.PlanDataPlaneRequest{Document: string(document), Prune: o.Prune})
	if err := c.mine(doing, got.GetOrg(), err); err != nil {
		return event.Plan{}, err
	}
	text, err := got.GetPlan().MarshalJSON()
	if err != nil {
		return event.Plan{}, c.problem(doing, err)
	}
	var out event.Plan
	if err := json.Unmarshal(text, &out); err != nil {
		return out, c.problem(doing, fmt.Errorf("the plan cannot be read: %w", err))
	}
	if err := c.mine(doing, out.Org, nil); err != nil {
		return event.Plan{}, err
	}
	out.Decided = decided(got)
	for _, f := range out.Policy {
		if f.Blocks() && f.Answer == "violated" {
			return out, &lifecycle.Error{Org: c.Org(), Err: lifecycle.ErrBlocked, Policy: out.Policy, Next: "change what the rule names, or record an accepted exception in the spec"}
		}
	}
	return out, nil
}

// decided is the plan itself in its own type, which a decoder of JSON cannot know.
func decided(got *v1.PlanDataPlaneResponse) any {
	raw := got.GetPlan().GetFields()["plan"]
	text, err := raw.MarshalJSON()
	if err != nil {
		return raw.AsInterface()
	}
	var p plan.Plan
	if err := json.Unmarshal(text, &p); err != nil {
		return raw.AsInterface() // one of a newer server
	}
	return p
}

// Onboard creates or changes a data plane: that of the server's org, or on the
// operators' host that of the org which the document names.
func (c *Client) Onboard(ctx context.Context, org string, document []byte, o lifecycle.OnboardOptions, sink event.Sink) (event.Onboarding, error) {
	if c.Org() == "" {
		return c.onboardAny(ctx, org, document, o, sink)
	}
	id := requestID(o.RequestID)
	got, err := repeat(ctx, beginWithin, func(ctx context.Context) (*v1.OnboardDataPlaneResponse, error) {
		return c.dataPlane.OnboardDataPlane(ctx, &v1.OnboardDataPlaneRequest{Document: string(document), RequestId: id, Prune: o.Prune})
	})
	if err := c.mine("onboard", got.GetOrg(), err); err != nil {
		return event.Onboarding{}, err
	}
	return onboarding(c.watch(ctx, got.GetOperation(), sink))
}

// onboardAny follows by its state: the events of an org are its own people's to read.
func (c *Client) onboardAny(ctx context.Context, org string, document []byte, o lifecycle.OnboardOptions, sink event.Sink) (event.Onboarding, error) {
	const doing = "onboard"
	if o.Prune {
		return event.Onboarding{}, c.problem(doing, fmt.Errorf("%w: --prune is for the server of the org", lifecycle.ErrInvalid))
	}
	id := requestID(o.RequestID)
	got, err := repeat(ctx, beginWithin, func(ctx context.Context) (*v1.OnboardOrganizationResponse, error) {
		return c.fleet.OnboardOrganization(ctx, &v1.OnboardOrganizationRequest{Document: string(document), RequestId: id})
	})
	if err == nil && got.GetOrg() != org {
		err = fmt.Errorf("the answer is about org %q, expected %q", got.GetOrg(), org)
	}
	if err != nil {
		return event.Onboarding{}, c.problem(doing, err)
	}
	op := got.GetOperation()
	begun := operationOf(org, op)
	if sink != nil {
		sink(event.Event{Type: event.OperationStarted, Time: begun.Started, Org: org, Operation: begun.ID, Kind: begun.Kind})
	}
	for !op.GetDone() {
		answer, err := repeat(ctx, 2*readWithin, func(ctx context.Context) (*v1.WaitOrganizationOperationResponse, error) {
			return c.fleet.WaitOrganizationOperation(ctx, &v1.WaitOrganizationOperationRequest{Org: org, Operation: op.GetId()})
		})
		if err != nil {
			return event.Onboarding{}, c.problem(doing, err)
		}
		op = answer.GetOperation()
	}
	end := operationOf(org, op)
	last := event.Event{
		Type: event.Type("operation." + end.State), Time: end.Finished, Org: org, Operation: end.ID, Kind: end.Kind, Message: end.Error,
		Reason: end.Reason, RetryAt: end.RetryAt,
	}
	out := event.Onboarding{Org: org, Operation: end.ID, Changed: true, Duration: end.Finished.Sub(end.Started), DataPlane: event.DataPlane{Org: org}}
	if err := lifecycle.Ended(last); err != nil {
		return out, err
	}
	made, err := c.Status(ctx, org)
	if err == nil {
		out.Layers, out.DataPlane = made.Layers, made.DataPlane
	}
	return out, err
}

// ChangeProjects adds a project or removes one.
func (c *Client) ChangeProjects(ctx context.Context, org string, change lifecycle.ProjectChange, call lifecycle.Call, sink event.Sink) (event.Onboarding, error) {
	if err := c.asked(org); err != nil {
		return event.Onboarding{}, err
	}
	doing, id := "projects remove", requestID(call.RequestID)
	begin := func(ctx context.Context) (begun, error) {
		return c.project.RemoveProject(ctx, &v1.RemoveProjectRequest{Name: change.Remove, RequestId: id})
	}
	if change.Add != nil {
		doing = "projects add"
		document, err := json.Marshal(change.Add)
		if err != nil {
			return event.Onboarding{}, c.problem(doing, err)
		}
		begin = func(ctx context.Context) (begun, error) {
			return c.project.AddProject(ctx, &v1.AddProjectRequest{Document: string(document), RequestId: id})
		}
	}
	got, err := repeat(ctx, beginWithin, begin)
	if err != nil {
		return event.Onboarding{}, c.problem(doing, err)
	}
	if err := c.mine(doing, got.GetOrg(), nil); err != nil {
		return event.Onboarding{}, err
	}
	return onboarding(c.watch(ctx, got.GetOperation(), sink))
}

// begun is the answer of a call that begins an operation.
type begun interface {
	GetOrg() string
	GetOperation() *v1.Operation
}

func onboarding(result any, err error) (event.Onboarding, error) {
	r, _ := result.(event.Onboarding)
	return r, err
}
