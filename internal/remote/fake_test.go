package remote_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect/v2"
	"connectrpc.com/connect/v2/connecthttp"

	v1 "freehold.dev/freehold/internal/api/freehold/v1"
	"freehold.dev/freehold/internal/api/freehold/v1/freeholdv1connect"
	"freehold.dev/freehold/internal/remote"
	"freehold.dev/freehold/internal/remote/dial"
)

// fake is a server whose answers a test decides. It answers for org acme.
type fake struct {
	freeholdv1connect.UnimplementedOrganizationServiceHandler
	freeholdv1connect.UnimplementedDataPlaneServiceHandler
	freeholdv1connect.UnimplementedOperationServiceHandler
	freeholdv1connect.UnimplementedProjectServiceHandler
	freeholdv1connect.UnimplementedDriftServiceHandler
	freeholdv1connect.UnimplementedAuditServiceHandler
	freeholdv1connect.UnimplementedExceptionServiceHandler
	freeholdv1connect.UnimplementedEvidenceServiceHandler
	freeholdv1connect.UnimplementedFleetServiceHandler

	mu  sync.Mutex
	org string
	// err is the error of every call; nil: none.
	err error
	// stream sends one stream.
	stream func(q *v1.StreamOperationEventsRequest, send func(*v1.StreamOperationEventsResponse) error) error
	// begin is called for each onboarding that arrives.
	begin func(q *v1.OnboardDataPlaneRequest) (*v1.Operation, error)
	wait  func() (*v1.Operation, *v1.OperationEvent)
	plan  *v1.PlanDataPlaneResponse
	audit []*v1.AuditEntry
	parts []*v1.FetchEvidenceResponse
	// seen are the tokens that arrived, and break is called in front of each request.
	seen      []string
	interrupt func(w http.ResponseWriter, r *http.Request) bool
}

func (f *fake) GetOperation(_ context.Context, q *v1.GetOperationRequest) (*v1.GetOperationResponse, error) {
	id := q.GetOperation()
	if id == "" {
		id = "op-1"
	}
	return &v1.GetOperationResponse{Org: f.org, Operation: &v1.Operation{Id: id, Kind: "onboard", State: v1.OperationState_OPERATION_STATE_RUNNING}}, f.err
}

func (f *fake) ListOperations(_ context.Context, q *v1.ListOperationsRequest) (*v1.ListOperationsResponse, error) {
	if q.GetPageToken() == "" {
		return &v1.ListOperationsResponse{Org: f.org, Operations: []*v1.Operation{{Id: "op-2"}}, NextPageToken: "op-2"}, f.err
	}
	return &v1.ListOperationsResponse{Org: f.org, Operations: []*v1.Operation{{Id: "op-1"}}}, f.err
}

func (f *fake) StreamOperationEvents(_ context.Context, q *v1.StreamOperationEventsRequest, s freeholdv1connect.OperationServiceStreamOperationEventsServerStream) error {
	if f.err != nil {
		return f.err
	}
	return f.stream(q, s.Send)
}

func (f *fake) WaitOperation(context.Context, *v1.WaitOperationRequest) (*v1.WaitOperationResponse, error) {
	if f.err != nil {
		return nil, f.err
	}
	op, last := f.wait()
	return &v1.WaitOperationResponse{Org: f.org, Operation: op, Terminal: last}, nil
}

func (f *fake) CancelOperation(context.Context, *v1.CancelOperationRequest) (*v1.CancelOperationResponse, error) {
	return &v1.CancelOperationResponse{Org: f.org, Operation: &v1.Operation{Id: "op-1"}}, f.err
}

func (f *fake) ResumeOperation(context.Context, *v1.ResumeOperationRequest) (*v1.ResumeOperationResponse, error) {
	return &v1.ResumeOperationResponse{Org: f.org, Operation: &v1.Operation{Id: "op-1"}}, f.err
}

func (f *fake) GetOrganization(context.Context, *v1.GetOrganizationRequest) (*v1.GetOrganizationResponse, error) {
	return &v1.GetOrganizationResponse{Org: f.org, Organization: &v1.Organization{State: "ready", Region: "eu-central-1", Layers: []*v1.Layer{{Layer: "account", State: "done", Resources: 4}}}}, f.err
}

func (f *fake) GetCaller(context.Context, *v1.GetCallerRequest) (*v1.GetCallerResponse, error) {
	return &v1.GetCallerResponse{Org: f.org, Subject: "user:i#ada", Roles: []string{"admin"}}, f.err
}

func (f *fake) GetDataPlane(context.Context, *v1.GetDataPlaneRequest) (*v1.GetDataPlaneResponse, error) {
	return &v1.GetDataPlaneResponse{Org: f.org, DataPlane: &v1.DataPlane{Region: "eu-central-1", AccountId: "100000000001"}}, f.err
}

func (f *fake) PlanDataPlane(context.Context, *v1.PlanDataPlaneRequest) (*v1.PlanDataPlaneResponse, error) {
	if f.plan == nil {
		return &v1.PlanDataPlaneResponse{Org: f.org}, f.err
	}
	return f.plan, f.err
}

func (f *fake) OnboardDataPlane(_ context.Context, q *v1.OnboardDataPlaneRequest) (*v1.OnboardDataPlaneResponse, error) {
	if f.err != nil {
		return nil, f.err
	}
	op, err := f.begin(q)
	return &v1.OnboardDataPlaneResponse{Org: f.org, Operation: op}, err
}

func (f *fake) ListProjects(context.Context, *v1.ListProjectsRequest) (*v1.ListProjectsResponse, error) {
	return &v1.ListProjectsResponse{Org: f.org}, f.err
}

func (f *fake) AddProject(context.Context, *v1.AddProjectRequest) (*v1.AddProjectResponse, error) {
	return &v1.AddProjectResponse{Org: f.org, Operation: &v1.Operation{Id: "op-1"}}, f.err
}

func (f *fake) RemoveProject(context.Context, *v1.RemoveProjectRequest) (*v1.RemoveProjectResponse, error) {
	return &v1.RemoveProjectResponse{Org: f.org, Operation: &v1.Operation{Id: "op-1"}}, f.err
}

func (f *fake) RunDrift(context.Context, *v1.RunDriftRequest) (*v1.RunDriftResponse, error) {
	return &v1.RunDriftResponse{Org: f.org, Report: &v1.DriftReport{Findings: []*v1.DriftFinding{{Kind: "violated", Type: "t", Name: "n", Rule: "FH301", AcceptedBy: "ada"}}}}, f.err
}

func (f *fake) ListDriftReports(context.Context, *v1.ListDriftReportsRequest) (*v1.ListDriftReportsResponse, error) {
	return &v1.ListDriftReportsResponse{Org: f.org, Reports: []*v1.DriftReport{{}}}, f.err
}

func (f *fake) ListAuditEntries(_ context.Context, q *v1.ListAuditEntriesRequest) (*v1.ListAuditEntriesResponse, error) {
	out := &v1.ListAuditEntriesResponse{Org: f.org}
	for _, e := range f.audit { // two on a page
		if e.GetSequence() > q.GetAfterSequence() && len(out.Entries) < 2 {
			out.Entries = append(out.Entries, e)
		}
	}
	if n := len(out.Entries); n == 2 && out.Entries[1] != f.audit[len(f.audit)-1] {
		out.NextAfterSequence = out.Entries[1].GetSequence()
	}
	return out, f.err
}

func (f *fake) ListExceptions(context.Context, *v1.ListExceptionsRequest) (*v1.ListExceptionsResponse, error) {
	return &v1.ListExceptionsResponse{Org: f.org}, f.err
}

func (f *fake) ListEvidence(context.Context, *v1.ListEvidenceRequest) (*v1.ListEvidenceResponse, error) {
	return &v1.ListEvidenceResponse{Org: f.org}, f.err
}

func (f *fake) FetchEvidence(_ context.Context, _ *v1.FetchEvidenceRequest, s freeholdv1connect.EvidenceServiceFetchEvidenceServerStream) error {
	for _, p := range f.parts {
		p.Org = f.org
		if err := s.Send(p); err != nil {
			return err
		}
	}
	return f.err
}

// serve starts the server and returns a client of acme's host.
func (f *fake) serve(t *testing.T, o ...func(*remote.Options)) *remote.Client {
	t.Helper()
	if f.org == "" {
		f.org = "acme"
	}
	s := connect.NewServer()
	freeholdv1connect.RegisterOrganizationServiceHandler(s, f)
	freeholdv1connect.RegisterDataPlaneServiceHandler(s, f)
	freeholdv1connect.RegisterOperationServiceHandler(s, f)
	freeholdv1connect.RegisterProjectServiceHandler(s, f)
	freeholdv1connect.RegisterDriftServiceHandler(s, f)
	freeholdv1connect.RegisterAuditServiceHandler(s, f)
	freeholdv1connect.RegisterExceptionServiceHandler(s, f)
	freeholdv1connect.RegisterEvidenceServiceHandler(s, f)
	freeholdv1connect.RegisterFleetServiceHandler(s, f)
	mux := http.NewServeMux()
	connecthttp.Mount(mux, s)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		f.seen = append(f.seen, r.Header.Get("Authorization"))
		interrupt := f.interrupt
		f.mu.Unlock()
		if interrupt == nil || !interrupt(w, r) {
			mux.ServeHTTP(w, r)
		}
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	at, err := dial.Parse("https://acme.freehold.localhost:8443")
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	options := remote.Options{
		Server: at, Now: time.Now, Renewable: true,
		Token: func(context.Context) (string, error) { return "t0k3n", nil },
		HTTP: &http.Client{
			Transport: &http.Transport{
				TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: "example.com"}, ForceAttemptHTTP2: true,
				DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
					return new(net.Dialer).DialContext(ctx, network, server.Listener.Addr().String())
				},
			},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	for _, change := range o {
		change(&options)
	}
	return remote.New(options)
}
