package remote_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	v1 "freehold.dev/freehold/internal/api/freehold/v1"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/lifecycle"
	"freehold.dev/freehold/internal/remote"
	"freehold.dev/freehold/internal/remote/dial"
)

func (f *fake) ListOrganizations(_ context.Context, q *v1.ListOrganizationsRequest) (*v1.ListOrganizationsResponse, error) {
	org, next := "acme", "acme"
	if q.GetPageToken() != "" {
		org, next = "globex", ""
	}
	return &v1.ListOrganizationsResponse{NextPageToken: next, Organizations: []*v1.FleetOrganization{{
		Org: org, Organization: &v1.Organization{State: "ready", Layers: []*v1.Layer{{Layer: "account", State: "done", Resources: 4}}},
		DataPlane: &v1.DataPlane{Region: "eu-central-1"}, LastOperation: &v1.Operation{Id: "op-1", State: v1.OperationState_OPERATION_STATE_FAILED},
	}}}, f.err
}

func (f *fake) CompareOrganizations(context.Context, *v1.CompareOrganizationsRequest) (*v1.CompareOrganizationsResponse, error) {
	return &v1.CompareOrganizationsResponse{Shared: []*v1.SharedIdentity{{Kind: "vpc", Value: "vpc-1", Owners: []string{"acme", "globex"}}}}, f.err
}

func (f *fake) ListFleetAuditEntries(context.Context, *v1.ListFleetAuditEntriesRequest) (*v1.ListFleetAuditEntriesResponse, error) {
	return &v1.ListFleetAuditEntriesResponse{Entries: []*v1.AuditEntry{{Sequence: 1, At: "2026-05-04T12:00:00Z"}}}, f.err
}

func (f *fake) OnboardOrganization(context.Context, *v1.OnboardOrganizationRequest) (*v1.OnboardOrganizationResponse, error) {
	op, err := f.begin(nil)
	return &v1.OnboardOrganizationResponse{Org: "globex", Operation: op}, err
}

func (f *fake) WaitOrganizationOperation(_ context.Context, q *v1.WaitOrganizationOperationRequest) (*v1.WaitOrganizationOperationResponse, error) {
	op, _ := f.wait()
	return &v1.WaitOrganizationOperationResponse{Org: q.GetOrg(), Operation: op}, f.err
}

func operators(t *testing.T) func(*remote.Options) {
	at, err := dial.Parse("https://op.freehold.localhost:8443")
	if err != nil {
		t.Fatal(err)
	}
	return func(o *remote.Options) { o.Server = at }
}

func TestTheOperatorsHostReadsOverAllOrgs(t *testing.T) {
	c := (&fake{}).serve(t, operators(t))
	all, err := c.Orgs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	status := func(org string) event.Status {
		return event.Status{
			Org: org, State: "ready", DataPlane: event.DataPlane{Org: org, Region: "eu-central-1"}, Last: &event.Operation{ID: "op-1", Org: org, State: "failed"},
			Layers: []event.LayerResult{{Layer: "account", Stack: org + ".account", State: "done", Resources: 4}},
		}
	}
	if diff := cmp.Diff([]event.Status{status("acme"), status("globex")}, all); diff != "" {
		t.Errorf("orgs (-want +got):\n%s", diff)
	}
	if one, err := c.Status(t.Context(), "globex"); err != nil || one.Org != "globex" {
		t.Errorf("globex is %+v, %v", one, err)
	}
	if _, err := c.Status(t.Context(), "initech"); !errors.Is(err, lifecycle.ErrInvalid) {
		t.Errorf("an org that is not there: %v", err)
	}
	shared, err := c.Shared(t.Context())
	if diff := cmp.Diff([]finding.Shared{{Kind: "vpc", Value: "vpc-1", Owners: []string{"acme", "globex"}}}, shared); diff != "" || err != nil {
		t.Errorf("%v, shared (-want +got):\n%s", err, diff)
	}
	if log, err := c.AuditLog(t.Context(), "", 0); err != nil || len(log.Entries) != 1 || log.Org != "" {
		t.Errorf("log %+v, %v", log, err)
	}
	if _, err := c.Operations(t.Context(), "acme"); !errors.Is(err, lifecycle.ErrInvalid) {
		t.Errorf("the operations of an org: %v", err)
	}
}

func TestAnOrgIsOnboardedFromTheOperatorsHost(t *testing.T) {
	for name, c := range map[string]struct {
		state v1.OperationState
		kind  error
	}{
		"ready":   {v1.OperationState_OPERATION_STATE_SUCCEEDED, nil},
		"blocked": {v1.OperationState_OPERATION_STATE_BLOCKED, lifecycle.ErrBlocked},
		"pending": {v1.OperationState_OPERATION_STATE_PENDING, lifecycle.ErrPending},
	} {
		t.Run(name, func(t *testing.T) {
			asked := 0
			f := &fake{begin: func(*v1.OnboardDataPlaneRequest) (*v1.Operation, error) {
				return &v1.Operation{Id: "op-1", Kind: "onboard", State: v1.OperationState_OPERATION_STATE_RUNNING}, nil
			}}
			f.wait = func() (*v1.Operation, *v1.OperationEvent) {
				if asked++; asked == 1 {
					return &v1.Operation{Id: "op-1", State: v1.OperationState_OPERATION_STATE_RUNNING}, nil
				}
				return &v1.Operation{Id: "op-1", Kind: "onboard", Done: true, State: c.state, StartTime: timestamppb.Now(), EndTime: timestamppb.Now()}, nil
			}
			client := f.serve(t, operators(t))
			got, err := client.Onboard(t.Context(), "globex", []byte("org: globex"), lifecycle.OnboardOptions{}, nil)
			if got.Org != "globex" || got.Operation != "op-1" || !errors.Is(err, c.kind) || (err == nil) != (c.kind == nil) {
				t.Errorf("%+v, %v", got, err)
			}
			if _, err := client.Onboard(t.Context(), "acme", []byte("org: acme"), lifecycle.OnboardOptions{}, nil); err == nil {
				t.Error("an answer about another org was used")
			}
		})
	}
}
