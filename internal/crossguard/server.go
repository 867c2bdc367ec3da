package crossguard

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/judge"
	"freehold.dev/freehold/policies"
)

// Ledger knows which accounts are whose.
type Ledger interface {
	// Foreign returns those of some accounts that another org than this one owns.
	Foreign(ctx context.Context, org string, accounts []string) ([]string, error)
}

// Option changes how the pack answers.
type Option func(*server)

// WithLedger has the pack ask a ledger about every account that a resource may name.
// Without one no account is known to be another org's, and where a number stands
// decides whether it is one.
func WithLedger(l Ledger) Option { return func(s *server) { s.ledger = l } }

// server is the pack for one run of one stack.
type server struct {
	pulumirpc.UnimplementedAnalyzerServer
	rules   []policies.Rule
	version string
	ledger  Ledger // may be nil

	mu      sync.Mutex
	scope   *policies.Scope // nil: not configured
	preview bool
	// made are the resources in the order in which they were judged, as inputs:
	// what the engine shows of a whole stack are outputs.
	made  []policies.Resource
	place map[string]int
	// foreign are the accounts of other orgs that a resource names, by its URN.
	foreign map[string][]string
	// open are the resources, by URN, of which a rule could not decide yet.
	open map[string]bool
}

func newServer(rules []policies.Rule, version string, options ...Option) *server {
	s := &server{rules: rules, version: version, foreign: map[string][]string{}, place: map[string]int{}, open: map[string]bool{}}
	for _, o := range options {
		o(s)
	}
	return s
}

// Handshake needs nothing of the engine.
func (s *server) Handshake(context.Context, *pulumirpc.AnalyzerHandshakeRequest) (*pulumirpc.AnalyzerHandshakeResponse, error) {
	return &pulumirpc.AnalyzerHandshakeResponse{}, nil
}

// GetPluginInfo returns the version.
func (s *server) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{Version: s.version}, nil
}

// GetAnalyzerInfo lists the rules. Each is mandatory, and the pack takes no
// configuration: with one, the CLI could switch rules off.
func (s *server) GetAnalyzerInfo(context.Context, *emptypb.Empty) (*pulumirpc.AnalyzerInfo, error) {
	out := &pulumirpc.AnalyzerInfo{Name: Pack, DisplayName: "Freehold's isolation rules", Version: s.version}
	for _, r := range s.rules {
		kind := pulumirpc.PolicyType_POLICY_TYPE_RESOURCE
		if r.CheckStack != nil {
			kind = pulumirpc.PolicyType_POLICY_TYPE_STACK
		}
		out.Policies = append(out.Policies, &pulumirpc.PolicyInfo{
			Name: r.ID, DisplayName: r.Title, Description: r.Why, RemediationSteps: r.Fix, Tags: r.Criteria,
			EnforcementLevel: pulumirpc.EnforcementLevel_MANDATORY, PolicyType: kind, Severity: severity(string(r.Severity)),
		})
	}
	return out, nil
}

// ConfigureStack learns whose stack it is.
func (s *server) ConfigureStack(_ context.Context, req *pulumirpc.AnalyzerStackConfigureRequest) (
	*pulumirpc.AnalyzerStackConfigureResponse, error,
) {
	scope, err := scopeOf(req.GetStack(), req.GetConfig())
	if err != nil {
		return nil, status.Error(codes.FailedPrecondition, err.Error())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.scope, s.preview = &scope, req.GetDryRun()
	return &pulumirpc.AnalyzerStackConfigureResponse{}, nil
}

// Analyze judges one resource by its inputs, before it is made or changed.
func (s *server) Analyze(ctx context.Context, req *pulumirpc.AnalyzeRequest) (*pulumirpc.AnalyzeResponse, error) {
	r, err := resourceOf(req.GetUrn(), req.GetType(), req.GetName(), req.GetProperties(), req.GetProvider())
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.scope == nil {
		return s.answer([]finding.Policy{unscoped(r)}, true)
	}
	if at, again := s.place[r.URN]; again {
		s.made[at] = r
	} else {
		s.place[r.URN] = len(s.made)
		s.made = append(s.made, r)
	}
	if s.foreign[r.URN], err = foreign(ctx, s.ledger, s.scope.Org, r); err != nil {
		return nil, err
	}
	found := s.judge(r).Resource(r)
	for _, f := range found {
		if f.Answer == string(policies.Undecided) {
			s.open[r.URN] = true
		}
	}
	// When something is about to be made its inputs are all known. What is left
	// open then hangs on the scope, which lacks the account while the account is
	// made in this very run: AnalyzeStack asks again.
	return s.answer(found, !s.preview && s.scope.AccountID != "")
}

// AnalyzeStack judges the stack as a whole, and what was open.
func (s *server) AnalyzeStack(_ context.Context, req *pulumirpc.AnalyzeStackRequest) (*pulumirpc.AnalyzeResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.scope == nil {
		return s.answer([]finding.Policy{unscoped(policies.Resource{Type: "pulumi:pulumi:Stack", Name: "?"})}, true)
	}
	if s.scope.AccountID == "" {
		s.scope.AccountID = accountOf(req.GetResources())
	}
	j := judge.Judge{Rules: s.rules, Scope: *s.scope}
	stack := slices.Clone(s.made)
	for _, whole := range req.GetResources() {
		r, err := resourceOf(whole.GetUrn(), whole.GetType(), whole.GetName(), whole.GetProperties(), whole.GetProvider())
		if err != nil {
			return nil, err
		}
		// What the program did not ask for was refreshed, and is about to be taken
		// away: a rule that it breaks must not keep it, and no rule may count on it.
		if at, asked := s.place[r.URN]; asked {
			stack[at] = completed(stack[at], r)
		}
	}
	found := j.Stack(stack)
	if !s.preview {
		for _, r := range s.made {
			if s.open[r.URN] {
				found = append(found, s.judge(r).Resource(r)...)
			}
		}
	}
	return s.answer(found, !s.preview)
}

// judge is the judge of one resource, who knows whose the accounts are that it names.
func (s *server) judge(r policies.Resource) judge.Judge {
	scope := *s.scope
	scope.Foreign = s.foreign[r.URN]
	return judge.Judge{Rules: s.rules, Scope: scope, Beside: s.made}
}

// accountOf finds the account that the stack makes. Its id is the end of its
// ARN: arn:aws:organizations::MANAGEMENT:account/ORGANIZATION/ID.
func accountOf(made []*pulumirpc.AnalyzerResource) string {
	for _, r := range made {
		if r.GetType() != "aws:organizations/account:Account" {
			continue
		}
		arn := r.GetProperties().GetFields()["arn"].GetStringValue()
		if id := arn[strings.LastIndex(arn, "/")+1:]; len(id) == 12 && strings.Trim(id, "0123456789") == "" {
			return id
		}
	}
	return ""
}

func unscoped(r policies.Resource) finding.Policy {
	return finding.Policy{
		Rule: OwnRule, Title: "Every resource is judged", Severity: string(policies.Critical),
		Resource: finding.Resource{Type: r.Type, Name: r.Name, URN: r.URN}, Answer: string(policies.Violated),
		Message: "the rules do not know whose it is, so nothing is allowed",
		Why:     "a resource that no rule has looked at may be shared with anybody",
		Fix:     "run it with freehold, which gives the rules the scope of the stack",
	}
}

// answer wraps findings for the way through the engine's events. What blocks
// is mandatory; an open answer does where it is final, and what somebody
// answers for is only shown.
func (s *server) answer(found []finding.Policy, final bool) (*pulumirpc.AnalyzeResponse, error) {
	out := &pulumirpc.AnalyzeResponse{}
	for _, f := range found {
		text, err := json.Marshal(f)
		if err != nil {
			return nil, fmt.Errorf("write what rule %s found: %w", f.Rule, err)
		}
		level := pulumirpc.EnforcementLevel_ADVISORY
		if f.Blocks() && (final || f.Answer != string(policies.Undecided)) {
			level = pulumirpc.EnforcementLevel_MANDATORY
		}
		out.Diagnostics = append(out.Diagnostics, &pulumirpc.AnalyzeDiagnostic{
			PolicyName: f.Rule, PolicyPackName: Pack, PolicyPackVersion: s.version, Description: f.Title,
			Message: string(text), EnforcementLevel: level, Urn: f.Resource.URN, Severity: severity(f.Severity),
		})
	}
	return out, nil
}

func severity(s string) pulumirpc.PolicySeverity {
	switch policies.Severity(s) {
	case policies.Critical:
		return pulumirpc.PolicySeverity_POLICY_SEVERITY_CRITICAL
	case policies.High:
		return pulumirpc.PolicySeverity_POLICY_SEVERITY_HIGH
	case policies.Medium:
		return pulumirpc.PolicySeverity_POLICY_SEVERITY_MEDIUM
	}
	return pulumirpc.PolicySeverity_POLICY_SEVERITY_UNSPECIFIED
}
