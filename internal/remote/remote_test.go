package remote_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect/v2"
	"google.golang.org/protobuf/types/known/structpb"

	v1 "freehold.dev/freehold/internal/api/freehold/v1"
	"freehold.dev/freehold/internal/api/reason"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/lifecycle"
	"freehold.dev/freehold/internal/registry"
	"freehold.dev/freehold/internal/remote"
	"freehold.dev/freehold/internal/remote/session"
	"freehold.dev/freehold/internal/spec"
)

// calls are all that a client asks of an org's server.
var calls = map[string]func(context.Context, *remote.Client) error{
	"caller":     func(ctx context.Context, c *remote.Client) error { _, err := c.Caller(ctx); return err },
	"status":     func(ctx context.Context, c *remote.Client) error { _, err := c.Status(ctx, "acme"); return err },
	"data plane": func(ctx context.Context, c *remote.Client) error { _, err := c.DataPlane(ctx); return err },
	"operations": func(ctx context.Context, c *remote.Client) error { _, err := c.Operations(ctx, "acme"); return err },
	"operation":  func(ctx context.Context, c *remote.Client) error { _, err := c.Operation(ctx, "acme", ""); return err },
	"events":     func(ctx context.Context, c *remote.Client) error { _, err := c.Events(ctx, "acme", "", 0); return err },
	"follow": func(ctx context.Context, c *remote.Client) error {
		return c.Follow(ctx, "acme", "", 0, func(event.Event) {})
	},
	"wait": func(ctx context.Context, c *remote.Client) error {
		_, err := c.Wait(ctx, "acme", "", time.Minute)
		return err
	},
	"cancel": func(ctx context.Context, c *remote.Client) error {
		_, err := c.Cancel(ctx, "acme", "", nil)
		return err
	},
	"resume": func(ctx context.Context, c *remote.Client) error {
		_, err := c.Resume(ctx, "acme", "", nil)
		return err
	},
	"projects":  func(ctx context.Context, c *remote.Client) error { _, err := c.Projects(ctx, "acme"); return err },
	"drift":     func(ctx context.Context, c *remote.Client) error { _, err := c.Drift(ctx, "acme", nil); return err },
	"reports":   func(ctx context.Context, c *remote.Client) error { _, err := c.DriftReports(ctx, 1); return err },
	"audit log": func(ctx context.Context, c *remote.Client) error { _, err := c.AuditLog(ctx, "acme", 0); return err },
	"verify": func(ctx context.Context, c *remote.Client) error {
		_, err := c.VerifyAuditLog(ctx, "acme", "")
		return err
	},
	"exceptions": func(ctx context.Context, c *remote.Client) error { _, err := c.Exceptions(ctx); return err },
	"evidence":   func(ctx context.Context, c *remote.Client) error { _, err := c.EvidenceList(ctx); return err },
	"one evidence": func(ctx context.Context, c *remote.Client) error {
		_, err := c.Evidence(ctx, "audit-log", io.Discard)
		return err
	},
	"plan": func(ctx context.Context, c *remote.Client) error {
		_, err := c.Plan(ctx, nil, lifecycle.PlanOptions{}, nil)
		return err
	},
	"onboard": func(ctx context.Context, c *remote.Client) error {
		_, err := c.Onboard(ctx, "acme", nil, lifecycle.OnboardOptions{}, nil)
		return err
	},
	"add a project": func(ctx context.Context, c *remote.Client) error {
		_, err := c.ChangeProjects(ctx, "acme", lifecycle.ProjectChange{Add: &spec.Project{Name: "lab"}}, lifecycle.Call{}, nil)
		return err
	},
	"remove a project": func(ctx context.Context, c *remote.Client) error {
		_, err := c.ChangeProjects(ctx, "acme", lifecycle.ProjectChange{Remove: "lab"}, lifecycle.Call{}, nil)
		return err
	},
}

func TestAnAnswerAboutAnotherOrgIsNeverUsed(t *testing.T) {
	f := &fake{
		org:   "globex",
		begin: func(*v1.OnboardDataPlaneRequest) (*v1.Operation, error) { return &v1.Operation{Id: "op-1"}, nil },
		wait: func() (*v1.Operation, *v1.OperationEvent) {
			return &v1.Operation{Id: "op-1"}, &v1.OperationEvent{Type: "operation.succeeded"}
		},
		stream: func(_ *v1.StreamOperationEventsRequest, send func(*v1.StreamOperationEventsResponse) error) error {
			e := numbered(1)
			e.Org = "globex"
			return send(e)
		},
		parts: []*v1.FetchEvidenceResponse{{Content: &v1.FetchEvidenceResponse_Chunk{Chunk: []byte("x")}}},
	}
	c := f.serve(t)
	for name, call := range calls {
		if err := call(t.Context(), c); err == nil || !strings.Contains(err.Error(), `answered about org "globex", expected "acme"`) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAServerIsNotAskedAboutAnotherOrg(t *testing.T) {
	f := &fake{}
	c := f.serve(t)
	for name, call := range map[string]func() error{
		"status":     func() error { _, err := c.Status(t.Context(), "globex"); return err },
		"operations": func() error { _, err := c.Operations(t.Context(), "globex"); return err },
		"follow":     func() error { return c.Follow(t.Context(), "globex", "", 0, nil) },
		"drift":      func() error { _, err := c.Drift(t.Context(), "globex", nil); return err },
		"orgs":       func() error { _, err := c.Orgs(t.Context()); return err },
		"compare":    func() error { _, err := c.Shared(t.Context()); return err },
		"audit log":  func() error { _, err := c.AuditLog(t.Context(), "globex", 0); return err },
		"projects":   func() error { _, err := c.Projects(t.Context(), "globex"); return err },
	} {
		if err := call(); !errors.Is(err, lifecycle.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(f.seen) > 0 {
		t.Errorf("%d requests were sent", len(f.seen))
	}
}

// Each way in which a server refuses is the error of lifecycle that decides the exit status.
func TestARefusalIsTheErrorThatTheCommandLineKnows(t *testing.T) {
	blocked := reason.Add(connect.NewError(connect.CodeFailedPrecondition, "acme: blocked by policy: FH201\nfix it"), reason.Blocked, "fix it")
	for name, c := range map[string]struct {
		err  error
		kind error // nil: it failed
		says string
		next string
	}{
		"invalid":   {connect.NewError(connect.CodeInvalidArgument, "document:3:1: org: wrong"), lifecycle.ErrInvalid, "document:3:1: org: wrong", ""},
		"not found": {connect.NewError(connect.CodeNotFound, "acme: invalid request: no such operation"), lifecycle.ErrInvalid, "invalid request: no such operation", ""},
		"advice": {
			reason.Add(connect.NewError(connect.CodeNotFound, "acme: no\nlook with: freehold operations events acme --follow"), "", "look with: freehold operations events acme --follow"),
			lifecycle.ErrInvalid, "invalid request: no", "look with: freehold operations events --follow",
		},
		"busy":            {connect.NewError(connect.CodeAborted, "another operation holds this org: op-1"), lifecycle.ErrBusy, "op-1", "operations wait"},
		"blocked":         {blocked, lifecycle.ErrBlocked, "acme: show the operation: blocked by policy: FH201", "fix it"},
		"pending":         {reason.Add(connect.NewError(connect.CodeUnavailable, "quota"), reason.Pending, ""), lifecycle.ErrPending, "quota", ""},
		"ended":           {connect.NewError(connect.CodeFailedPrecondition, "it has ended"), lifecycle.ErrInvalid, "it has ended", ""},
		"unauthenticated": {connect.NewError(connect.CodeUnauthenticated, "unauthenticated"), nil, "does not accept the token", "freehold login https://acme.freehold.localhost:8443"},
		"no right":        {connect.NewError(connect.CodePermissionDenied, "permission denied"), nil, "permission denied", "get caller"},
		"no admin":        {connect.NewError(connect.CodePermissionDenied, "the document changes access"), nil, "permission denied: the document changes access", "get caller"},
		"internal":        {connect.NewError(connect.CodeInternal, "request 7"), nil, "failed: request 7", ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := &fake{err: c.err}
			_, err := f.serve(t).Operation(t.Context(), "acme", "")
			e, ok := errors.AsType[*lifecycle.Error](err)
			if !ok || !strings.Contains(err.Error(), c.says) || !strings.Contains(e.Next, c.next) || e.Org != "acme" {
				t.Fatalf("got %v, next %q", err, e.Next)
			}
			for _, kind := range []error{lifecycle.ErrInvalid, lifecycle.ErrBusy, lifecycle.ErrBlocked, lifecycle.ErrPending, lifecycle.ErrCancelled} {
				if errors.Is(err, kind) != errors.Is(c.kind, kind) {
					t.Errorf("it is %v: %t", kind, errors.Is(err, kind))
				}
			}
			if n := len(f.seen); n != 1 {
				t.Errorf("asked %d times", n)
			}
		})
	}
}

func TestAReadIsRepeatedWhileNobodyAnswers(t *testing.T) {
	f := &fake{}
	n := 0
	f.interrupt = func(w http.ResponseWriter, _ *http.Request) bool {
		if n++; n == 1 {
			panic(http.ErrAbortHandler)
		}
		if n == 2 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		return n == 2
	}
	if _, err := f.serve(t).DataPlane(t.Context()); err != nil || n != 3 {
		t.Errorf("after %d tries: %v", n, err)
	}
}

func TestATokenGoesToItsOwnHostOnly(t *testing.T) {
	f := &fake{}
	f.interrupt = func(w http.ResponseWriter, r *http.Request) bool {
		w.Header().Set("Location", "https://elsewhere.example.com"+r.URL.Path)
		w.WriteHeader(http.StatusTemporaryRedirect)
		return true
	}
	c := f.serve(t)
	if _, err := c.DataPlane(t.Context()); err == nil {
		t.Error("a redirect was followed")
	}
	for _, got := range f.seen {
		if got != "Bearer t0k3n" {
			t.Errorf("sent %q", got)
		}
	}
	// Even a client that would follow sends no token there.
	following := &fake{interrupt: f.interrupt}
	c = following.serve(t, func(o *remote.Options) { o.HTTP.CheckRedirect = nil })
	_, err := c.DataPlane(t.Context())
	if err == nil || !strings.Contains(err.Error(), "was not sent to elsewhere.example.com") || len(following.seen) != 1 {
		t.Errorf("%d requests, %v", len(following.seen), err)
	}
}

func TestWhoeverIsNotLoggedInIsToldTheCommandThatFixesIt(t *testing.T) {
	f := &fake{}
	c := f.serve(t, func(o *remote.Options) {
		o.Token = func(context.Context) (string, error) { return "", fmt.Errorf("%w to acme", session.ErrLoggedOut) }
	})
	_, err := c.DataPlane(t.Context())
	e, ok := errors.AsType[*lifecycle.Error](err)
	if !ok || !errors.Is(err, session.ErrLoggedOut) || e.Next != "freehold login https://acme.freehold.localhost:8443" || len(f.seen) > 0 {
		t.Errorf("%d requests, %v", len(f.seen), err)
	}
}

func TestAllPagesAreRead(t *testing.T) {
	all, err := (&fake{}).serve(t).Operations(t.Context(), "acme")
	var ids []string
	for _, o := range all {
		ids = append(ids, o.ID)
	}
	if err != nil || !slices.Equal(ids, []string{"op-2", "op-1"}) {
		t.Errorf("%v, %v", ids, err)
	}
}

// chain is a log of n entries, as a registry writes it.
func chain(t *testing.T, n int) []*v1.AuditEntry {
	t.Helper()
	var out []*v1.AuditEntry
	previous := ""
	for i := range n {
		e := event.AuditEntry{
			Org: "acme", Seq: int64(i + 1), At: time.Date(2026, 5, 4, 12, 0, i, 123456000, time.UTC), Actor: "user:i#ada", What: "onboard", Result: "done", Previous: previous,
		}
		hash, err := registry.Chain(e)
		if err != nil {
			t.Fatal(err)
		}
		previous = hash
		out = append(out, &v1.AuditEntry{
			Sequence: e.Seq, At: e.At.Format(time.RFC3339Nano), Actor: e.Actor, What: e.What, Result: e.Result, Previous: e.Previous, Hash: hash,
		})
	}
	return out
}

func TestTheAuditLogIsVerifiedHere(t *testing.T) {
	whole := chain(t, 5)
	f := &fake{audit: whole}
	c := f.serve(t)
	got, err := c.VerifyAuditLog(t.Context(), "acme", whole[3].GetHash())
	if err != nil || !got.OK || got.Entries != 5 || got.Head != whole[4].GetHash() {
		t.Errorf("%+v, %v", got, err)
	}
	f.audit = whole[:3]
	if got, err = c.VerifyAuditLog(t.Context(), "acme", whole[3].GetHash()); err != nil || got.OK {
		t.Errorf("the newest are missing: %+v, %v", got, err)
	}
	changed := chain(t, 5)
	changed[1].Actor = "user:i#vera"
	f.audit = changed
	if got, err = c.VerifyAuditLog(t.Context(), "acme", ""); err != nil || got.OK || !strings.Contains(got.Problem, "entry 2") {
		t.Errorf("one was changed: %+v, %v", got, err)
	}
}

func TestEvidenceIsWhatItsDigestSays(t *testing.T) {
	text := []byte(strings.Repeat("evidence ", 10000))
	sum := sha256.Sum256(text)
	about := &v1.Evidence{Name: "audit-log", Size: int64(len(text)), Sha256: hex.EncodeToString(sum[:])}
	send := func(pieces ...[]byte) []*v1.FetchEvidenceResponse {
		out := []*v1.FetchEvidenceResponse{{Content: &v1.FetchEvidenceResponse_Evidence{Evidence: about}}}
		for _, p := range pieces {
			out = append(out, &v1.FetchEvidenceResponse{Content: &v1.FetchEvidenceResponse_Chunk{Chunk: p}})
		}
		return out
	}
	f := &fake{parts: send(text[:40000], text[40000:])}
	c := f.serve(t)
	var w bytes.Buffer
	got, err := c.Evidence(t.Context(), "audit-log", &w)
	if err != nil || got.SHA256 != about.Sha256 || !bytes.Equal(w.Bytes(), text) {
		t.Errorf("%+v, %v", got, err)
	}
	for name, parts := range map[string][]*v1.FetchEvidenceResponse{
		"cut off": send(text[:40000]), "changed": send(append([]byte("E"), text[1:]...)), "without a description": send(text)[1:], "nothing": nil,
	} {
		f.parts = parts
		if _, err := c.Evidence(t.Context(), "audit-log", io.Discard); !errors.Is(err, remote.ErrDigest) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAPlanIsOneThatTheCommandLinePrints(t *testing.T) {
	policy := []any{map[string]any{"rule": "FH201", "org": "acme", "answer": "violated", "message": "public"}}
	plan, err := structpb.NewStruct(map[string]any{
		"org": "acme", "hash": "h", "hashVersion": 2, "plan": map[string]any{"org": "acme"}, "layers": []any{}, "policy": policy,
		"changes": []any{map[string]any{"layer": "cluster", "op": "create", "type": "t", "name": "n"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	f := &fake{plan: &v1.PlanDataPlaneResponse{Org: "acme", Different: true, Plan: plan}}
	got, err := f.serve(t).Plan(t.Context(), nil, lifecycle.PlanOptions{}, nil)
	e, _ := errors.AsType[*lifecycle.Error](err)
	if !errors.Is(err, lifecycle.ErrBlocked) || e == nil || len(e.Policy) != 1 || !got.Different() || got.Hash != "h" {
		t.Errorf("%+v, %v", got, err)
	}
	if name := fmt.Sprintf("%T", got.Decided); name != "plan.Plan" {
		t.Errorf("the plan is a %s", name)
	}
}

func TestAFindingThatSomebodyAnswersForIsNoDrift(t *testing.T) {
	got, err := (&fake{}).serve(t).Drift(t.Context(), "acme", nil)
	if err != nil || len(got.Findings) != 1 || got.Findings[0].Policy.Rule != "FH301" || got.Drifted() || !got.Complete() {
		t.Errorf("%+v, %v", got, err)
	}
}
