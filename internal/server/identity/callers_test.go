package identity_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"freehold.dev/freehold/internal/api/freehold/v1/freeholdv1connect"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/orgcontext/delegation"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/server/edge"
	"freehold.dev/freehold/internal/server/identity"
)

// who is a caller in one line.
func who(c delegation.Claims) string {
	kind, _, _ := strings.Cut(c.Subject, ":")
	return fmt.Sprintf("%s %s %s: %s", c.Org, kind, c.Name, strings.Join(c.Roles, " "))
}

func TestAPipelineIsKnownByItsWholeSubjectAndClaims(t *testing.T) {
	w := newWorld(t)
	ci, other := w.issuer.At("/ci"), w.issuer.At("/other")
	w.record("acme", "ready", event.DataPlane{}, fmt.Sprintf(`access:
  people: {issuerUrl: '%s', roles: [{role: admin, groups: [admins]}]}
  pipelines:
  - {name: deploy, issuerUrl: '%s', subject: 'repo:acme/platform:environment:production', claims: {ref_protected: 'true', run: '7'}}
  - {name: report, issuerUrl: '%s', subject: 'repo:acme/platform:ref:refs/heads/main', role: viewer}
  - {name: elsewhere, issuerUrl: '%s', subject: 'repo:acme/tools:ref:refs/heads/main', role: admin}`, w.issuer.URL, ci.URL, ci.URL, other.URL))
	job := func(change map[string]any) map[string]any {
		all := map[string]any{"aud": acmeHost, "sub": "repo:acme/platform:environment:production", "ref_protected": "true", "run": 7}
		maps.Copy(all, change)
		return all
	}
	for want, token := range map[string]string{
		"acme workload deploy: pipeline": ci.Token(job(nil)),
		"acme workload report: viewer":   ci.Token(job(map[string]any{"sub": "repo:acme/platform:ref:refs/heads/main", "ref_protected": nil})),
	} {
		if got := who(w.accepted(call(token))); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	if got := who(w.accepted(call(ci.Token(job(map[string]any{"ref_protected": true, "run": "7"}))))); got != "acme workload deploy: pipeline" {
		t.Error(got)
	}
	for reason, c := range map[string]struct {
		token string
		want  identity.Reason
	}{
		"another branch":                {ci.Token(job(map[string]any{"sub": "repo:acme/platform:ref:refs/heads/dev"})), identity.SubjectRefused},
		"another case":                  {ci.Token(job(map[string]any{"sub": "repo:Acme/platform:environment:production"})), identity.SubjectRefused},
		"a longer subject":              {ci.Token(job(map[string]any{"sub": "repo:acme/platform:environment:production2"})), identity.SubjectRefused},
		"a subject of another issuer":   {ci.Token(job(map[string]any{"sub": "repo:acme/tools:ref:refs/heads/main"})), identity.SubjectRefused},
		"a claim that is not there":     {ci.Token(job(map[string]any{"ref_protected": nil})), identity.ClaimsDiffer},
		"a claim with another value":    {ci.Token(job(map[string]any{"ref_protected": "false"})), identity.ClaimsDiffer},
		"a claim that is a list":        {ci.Token(job(map[string]any{"ref_protected": []string{"true"}})), identity.ClaimsDiffer},
		"a claim that is nothing":       {ci.Token(job(map[string]any{"run": map[string]any{}})), identity.ClaimsDiffer},
		"a job with groups of people":   {ci.Token(job(map[string]any{"sub": "x", "groups": "admins"})), identity.SubjectRefused},
		"a person with a job's name":    {w.issuer.Token(job(nil)), identity.GroupsMissing},
		"an access token":               {ci.Key().Sign(t, map[string]any{"alg": "ES256", "kid": ci.Key().ID, "typ": "at+jwt"}, ci.Claims(job(map[string]any{"client_id": "a", "jti": "1"}))), identity.TypeRefused},
		"for the audience of a default": {ci.Token(job(map[string]any{"aud": "https://github.com/acme"})), identity.AudienceRefused},
	} {
		if got := w.refused(call(c.token)); got != c.want {
			t.Errorf("%s: %s, want %s", reason, got, c.want)
		}
	}
}

// GitHub's issuer is everybody's: the audience and the subject tell orgs apart.
func TestTwoOrgsMayHaveOneIssuer(t *testing.T) {
	w := newWorld(t)
	for _, org := range []string{"acme", "globex"} {
		w.record(org, "ready", event.DataPlane{}, fmt.Sprintf("access: {pipelines: [{name: deploy, issuerUrl: '%s', subject: 'repo:%s/platform:x'}]}", w.issuer.URL, org))
	}
	at := func(org, subject string) identity.Exchange {
		e := call(w.issuer.Token(map[string]any{"aud": org + "." + base, "sub": subject}))
		e.Host = org + "." + base
		return e
	}
	w.accepted(at("acme", "repo:acme/platform:x"))
	w.accepted(at("globex", "repo:globex/platform:x"))
	if got := w.refused(at("acme", "repo:globex/platform:x")); got != identity.SubjectRefused {
		t.Error(got)
	}
	e := at("globex", "repo:acme/platform:x")
	e.Host = acmeHost
	if got := w.refused(e); got != identity.AudienceRefused {
		t.Error(got)
	}
	w.fetched(1, "for two orgs")
}

func TestARoleOfTheOrgsOwnAccountIsAccepted(t *testing.T) {
	// AWS's issuers have its names; this transport sends them to the test's.
	w := newWorld(t, func(w *world, o *identity.Options) {
		o.Transport = elsewhere{o.Transport, "a.tokens.sts.global.api.aws", w.issuer.URL, "/aws"}
	})
	aws := w.issuer.At("/aws")
	aws.URL = "https://a.tokens.sts.global.api.aws"
	const role, of = "arn:aws:iam::" + account + ":role/compliance/reporting", "https://sts.amazonaws.com/"
	w.record("acme", "ready", event.DataPlane{AccountID: account}, "access: {aws: {issuerUrl: '"+aws.URL+"', roles: [{roleArn: '"+role+"', role: viewer}, {roleArn: 'arn:aws:iam::210987654321:role/x', role: admin}]}}")
	token := func(change map[string]any) string {
		all := map[string]any{"aud": acmeHost, "sub": role, of: map[string]any{"aws_account": account, "principal_tags": map[string]any{"team": "a"}}}
		maps.Copy(all, change)
		return aws.Token(all)
	}
	if got, want := who(w.accepted(call(token(nil)))), "acme workload reporting: viewer"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	for reason, c := range map[string]struct {
		change map[string]any
		want   identity.Reason
	}{
		"another role":                      {map[string]any{"sub": "arn:aws:iam::" + account + ":role/reporting"}, identity.SubjectRefused},
		"a user":                            {map[string]any{"sub": "arn:aws:iam::" + account + ":user/reporting"}, identity.SubjectRefused},
		"a role of another account":         {map[string]any{"sub": "arn:aws:iam::210987654321:role/x", of: map[string]any{"aws_account": "210987654321"}}, identity.AccountDiffers},
		"another account's claim":           {map[string]any{of: map[string]any{"aws_account": "210987654321"}}, identity.AccountDiffers},
		"a listed role of another account":  {map[string]any{"sub": "arn:aws:iam::210987654321:role/x"}, identity.AccountDiffers},
		"no account":                        {map[string]any{of: map[string]any{}}, identity.AccountDiffers},
		"no claim of AWS's":                 {map[string]any{of: nil}, identity.ClaimMissing},
		"a claim of AWS's that is a text":   {map[string]any{of: account}, identity.ClaimMissing},
		"an account beside AWS's own claim": {map[string]any{of: nil, "aws_account": account}, identity.ClaimMissing},
	} {
		if got := w.refused(call(token(c.change))); got != c.want {
			t.Errorf("%s: %s, want %s", reason, got, c.want)
		}
	}
	// Whose account it is, is not known before it is made.
	w.record("globex", "onboarding", event.DataPlane{}, "access: {aws: {issuerUrl: '"+aws.URL+"', roles: [{roleArn: '"+role+"', role: viewer}]}}")
	e := call(token(map[string]any{"aud": globeHost}))
	e.Host = globeHost
	if got := w.refused(e); got != identity.AccountDiffers {
		t.Error(got)
	}
}

func TestOfTheOrgsClusterOnlyTheControllerIsAccepted(t *testing.T) {
	w := newWorld(t)
	mine, theirs := w.issuer.At("/id/acme"), w.issuer.At("/id/globex")
	w.record("acme", "ready", event.DataPlane{OIDCIssuer: mine.URL})
	w.record("globex", "ready", event.DataPlane{OIDCIssuer: theirs.URL})
	const controller = "system:serviceaccount:freehold-system:namespace-controller"
	token := func(change map[string]any) map[string]any {
		all := map[string]any{"aud": []string{acmeHost}, "sub": controller}
		maps.Copy(all, change)
		return all
	}
	e := call(mine.Token(token(nil)))
	e.Procedure = freeholdv1connect.ProjectServiceGetProjectSetProcedure
	if got, want := who(w.accepted(e)), "acme workload namespace-controller: controller"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	for reason, c := range map[string]struct {
		token string
		want  identity.Reason
	}{
		"another service account":       {mine.Token(token(map[string]any{"sub": "system:serviceaccount:shop:namespace-controller"})), identity.SubjectRefused},
		"a person":                      {mine.Token(token(map[string]any{"sub": "ada", "groups": "system:masters"})), identity.SubjectRefused},
		"a node":                        {mine.Token(token(map[string]any{"sub": "system:node:a"})), identity.SubjectRefused},
		"for the cluster's own API":     {mine.Token(token(map[string]any{"aud": "https://kubernetes.default.svc"})), identity.AudienceRefused},
		"for the audience of before":    {mine.Token(token(map[string]any{"aud": "freehold"})), identity.AudienceRefused},
		"another org's cluster":         {theirs.Token(token(nil)), identity.IssuerUnknown},
		"another cluster with our name": {theirs.Key().Sign(t, map[string]any{"alg": "ES256", "kid": theirs.Key().ID}, mine.Claims(token(nil))), identity.SignatureWrong},
	} {
		if got := w.refused(call(c.token)); got != c.want {
			t.Errorf("%s: %s, want %s", reason, got, c.want)
		}
	}
}

func TestOperatorsAreKnownAtTheirHostOnly(t *testing.T) {
	w := newWorld(t)
	if _, err := identity.New(identity.Options{Hosts: edge.Hosts{Base: base, Operators: operators}, TrustDomain: domain, Operators: &plan.People{Roles: []plan.GroupRole{{Role: "admin", Groups: []string{"a"}}}}}); err == nil || !strings.Contains(err.Error(), "fleet-viewer, fleet-operator") {
		t.Errorf("a role of orgs for operators: %v", err)
	}
	url := w.issuer.URL + "/op"
	op := newWorld(t, func(_ *world, o *identity.Options) {
		o.Transport = w.issuer.Transport()
		o.Operators = &plan.People{IssuerURL: url, Tokens: "id", UsernameClaim: "sub", GroupsClaim: "groups", Roles: []plan.GroupRole{
			{Role: "fleet-operator", Groups: []string{"sre"}}, {Role: "fleet-viewer", Groups: []string{"support"}},
		}}
	})
	issuer := w.issuer.At("/op")
	op.record("acme", "ready", event.DataPlane{}, fmt.Sprintf(peopleOf, issuer.URL))
	e := call(issuer.Token(map[string]any{"aud": operators, "sub": "grace", "groups": []string{"sre", "admins"}}))
	e.Host, e.Procedure = operators, listAll
	c := op.accepted(e)
	if got, want := who(c), " user grace: fleet-operator"; got != want || !c.Fleet || c.Host != operators {
		t.Errorf("%s, want %s: %+v", got, want, c)
	}
	there := func(change func(*identity.Exchange)) identity.Exchange {
		e := e
		change(&e)
		return e
	}
	for reason, c := range map[string]struct {
		call identity.Exchange
		want identity.Reason
	}{
		"their token at an org's host":       {there(func(e *identity.Exchange) { e.Host, e.Procedure = acmeHost, list }), identity.AudienceRefused},
		"a customers' service at their host": {there(func(e *identity.Exchange) { e.Procedure = list }), identity.ProcedureUnknown},
		"a customer's token at their host": {there(func(e *identity.Exchange) {
			e.Authorization = "Bearer " + issuer.Token(ada(nil))
		}), identity.AudienceRefused},
		"a group of a customer": {there(func(e *identity.Exchange) {
			e.Authorization = "Bearer " + issuer.Token(map[string]any{"aud": operators, "sub": "x", "groups": "admins"})
		}), identity.RoleMissing},
	} {
		if got := op.refused(c.call); got != c.want {
			t.Errorf("%s: %s, want %s", reason, got, c.want)
		}
	}
}

func TestAChangeOfAccessTakesEffectWithinSeconds(t *testing.T) {
	w := acmeOnly(t)
	good := func() identity.Exchange { return call(w.token(w.issuer.Key())) }
	hooli := good()
	hooli.Host = "hooli." + base
	if got := w.refused(hooli); got != identity.OrgUnknown {
		t.Error(got)
	}
	w.accepted(good())
	w.record("acme", "ready", event.DataPlane{}, strings.Replace(fmt.Sprintf(peopleOf, w.issuer.URL), "admins", "others", 1))
	w.record("hooli", "ready", event.DataPlane{})
	w.later(identity.Remembered + time.Millisecond)
	if got := w.accepted(good()).Roles; strings.Join(got, " ") != "viewer" {
		t.Errorf("roles %v", got)
	}
	hooli.Authorization = good().Authorization
	if got := w.refused(hooli); got != identity.IssuerUnknown {
		t.Errorf("an org that was onboarded meanwhile: %s", got)
	}
	w.record("acme", "offboarded", event.DataPlane{}, fmt.Sprintf(peopleOf, w.issuer.URL))
	w.later(identity.Remembered + time.Millisecond)
	if got := w.refused(good()); got != identity.OrgUnknown {
		t.Errorf("an org that left: %s", got)
	}
}
