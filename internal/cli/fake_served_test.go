package cli_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"freehold.dev/freehold/internal/cli"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/lifecycle"
	"freehold.dev/freehold/internal/remote/dial"
	"freehold.dev/freehold/internal/spec"
)

// fakeServer is a server over the world, as the command line sees it.
type fakeServer struct {
	*world

	org string
}

func (w *world) remote(o cli.Options) (cli.Remote, error) {
	s, err := dial.Parse(o.Server)
	if err != nil {
		return nil, err
	}
	return fakeServer{w, s.Org()}, nil
}

func serverOrg(raw string) (string, error) {
	s, err := dial.Parse(raw)
	return s.Org(), err
}

func (f fakeServer) Org() string { return f.org }

func (f fakeServer) Caller(context.Context) (event.Caller, error) {
	if f.trouble == "logged out" {
		return event.Caller{}, &lifecycle.Error{Org: f.org, Err: errors.New("not logged in to acme.freehold.example.com"), Next: "freehold login https://acme.freehold.example.com"}
	}
	return event.Caller{Org: f.org, Subject: "user:https://login.example.com#1", Name: "ada@example.com", Roles: []string{"admin"}}, nil
}

func (f fakeServer) DataPlane(ctx context.Context) (event.DataPlane, error) {
	s, err := f.Status(ctx, f.org)
	return s.DataPlane, err
}

func (f fakeServer) DriftReports(ctx context.Context, most int) (event.DriftReports, error) {
	d, err := f.Drift(ctx, f.org, func(event.Event) {})
	return event.DriftReports{Org: f.org, Reports: []event.Drift{d}[:min(most, 1)]}, err
}

func (f fakeServer) Exceptions(context.Context) (event.Exceptions, error) {
	return event.Exceptions{Org: f.org, Exceptions: []event.Exception{
		{Org: f.org, Rule: "FH301", Resource: "logs", Reason: "an auditor reads them", Approver: "security@example.com", Expires: "2027-03-31", Active: true},
	}}, nil
}

func (f fakeServer) EvidenceList(context.Context) (event.EvidenceList, error) {
	return event.EvidenceList{Org: f.org, Evidence: []event.Evidence{
		{Org: f.org, Name: "audit-log", Description: "who did what", MediaType: "application/json", Size: 3, SHA256: "ca3d"},
	}}, nil
}

func (f fakeServer) Evidence(ctx context.Context, name string, w io.Writer) (event.Evidence, error) {
	_, _ = io.WriteString(w, "{}\n")
	if f.trouble == "digest" {
		return event.Evidence{}, &lifecycle.Error{Org: f.org, Doing: "fetch evidence", Err: errors.New("the document is not what its digest says")}
	}
	all, err := f.EvidenceList(ctx)
	return all.Evidence[0], err
}

// document is read by the server, as it was written.
func (f fakeServer) document(text []byte) (spec.Spec, error) {
	return spec.Parse("document", bytes.NewReader(text))
}

func (f fakeServer) Plan(ctx context.Context, document []byte, o lifecycle.PlanOptions, sink event.Sink) (event.Plan, error) {
	s, err := f.document(document)
	if err != nil {
		return event.Plan{}, err
	}
	return f.world.Plan(ctx, s, o, sink)
}

func (f fakeServer) Onboard(ctx context.Context, _ string, document []byte, o lifecycle.OnboardOptions, sink event.Sink) (event.Onboarding, error) {
	s, err := f.document(document)
	if err != nil {
		return event.Onboarding{}, err
	}
	return f.world.Onboard(ctx, s, o, sink)
}

func (w *world) IDToken(_ context.Context, org, user string) (string, error) {
	if user == "eve" {
		return "", fmt.Errorf("unknown to the trial issuer: user %q", user)
	}
	return "token-of-" + user + "@" + org, nil
}

// fakeLogins are the logins of a script.
type fakeLogins struct{ *world }

func (f fakeLogins) Login(_ context.Context, r cli.LoginRequest) (event.Login, error) {
	if f.trouble == "no issuer" && r.Issuer == "" {
		return event.Login{}, fmt.Errorf("%w: %s does not say where", cli.ErrNoIssuer, r.Server)
	}
	if r.Browser {
		r.Visit("https://login.example.com/authorize", "")
	} else {
		r.Visit("https://login.example.com/device?user_code=ABCD-EFGH", "ABCD-EFGH")
	}
	if f.logged == nil {
		f.logged = map[string]bool{}
	}
	f.logged[r.Server] = true
	return event.Login{Server: r.Server, Issuer: "https://login.example.com", Expires: f.clock.Now().Add(15 * time.Minute), Renews: true}, nil
}

func (f fakeLogins) Logout(_ context.Context, server string) (bool, error) {
	was := f.logged[server]
	delete(f.logged, server)
	return was, nil
}
