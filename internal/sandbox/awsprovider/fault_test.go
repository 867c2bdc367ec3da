package awsprovider

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc/status"
)

func TestFaultsAreParsedStrictly(t *testing.T) {
	cases := map[string]struct {
		want Fault
		err  string
	}{
		"iam:CreateRole=error":          {want: Fault{"iam", "CreateRole", FaultError, 0}},
		"eks:CreateCluster=timeout:2":   {want: Fault{"eks", "CreateCluster", FaultTimeout, 2}},
		"ec2:CreateVpc=lost:1":          {want: Fault{"ec2", "CreateVpc", FaultLost, 1}},
		"sts:AssumeRole=throttle":       {want: Fault{"sts", "AssumeRole", FaultThrottle, 0}},
		"iam:CreateRole":                {err: "want service:Action=error|timeout|throttle|lost[:count]"},
		"CreateRole=error":              {err: "want service:Action"},
		"iamm:CreateRole=error":         {err: `unknown service "iamm"; did you mean "iam"?`},
		"iam:CreateRoll=error":          {err: `unknown action "CreateRoll" of iam; did you mean "CreateRole"?`},
		"iam:CreateRole=explode":        {err: `unknown kind "explode"`},
		"iam:CreateRole=error:0":        {err: `"0" is not a count of 1 or more`},
		"iam:CreateRole=error:x":        {err: `"x" is not a count of 1 or more`},
		"organizations:DescribeAccount": {err: "want service:Action"},
	}
	for s, tc := range cases {
		got, err := ParseFault(s)
		if tc.err == "" && err != nil || tc.err != "" && (err == nil || !strings.Contains(err.Error(), tc.err)) {
			t.Errorf("%s: got %v, want %q", s, err, tc.err)
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s: %s", s, diff)
		}
	}
}

func TestLatencyIsParsedStrictly(t *testing.T) {
	for s, want := range map[string]time.Duration{"": 0, "none": 0, "realistic": time.Minute, "realistic/60": time.Second, "realistic/0.5": 2 * time.Minute} {
		if l, err := ParseLatency(s); err != nil || l.Of(time.Minute) != want {
			t.Errorf("%q: a minute takes %v (%v), want %v", s, l.Of(time.Minute), err, want)
		}
	}
	for _, s := range []string{"real", "realistic/", "realistic/0", "realistic/-1", "realistic/x", "realistic/NaN"} {
		if _, err := ParseLatency(s); err == nil {
			t.Errorf("%q was accepted", s)
		}
	}
}

// outcomes are a call's entries in the journal.
func (w *world) outcomes(action string) []string {
	w.t.Helper()
	entries, err := w.backend.Store.Entries(w.t.Context(), 0)
	if err != nil {
		w.t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		if e.Action == action {
			out = append(out, e.Outcome)
		}
	}
	return out
}

func TestFaultsHappenAndAreRetriedAsTheGenuineProviderDoes(t *testing.T) {
	cases := map[string]struct {
		fault string
		want  string // the error; empty: it works out
		calls []string
		there bool
	}{
		"throttled twice":        {"iam:CreateRole=throttle:2", "", []string{"ThrottlingException", "ThrottlingException", "ok"}, true},
		"throttled for ever":     {"iam:CreateRole=throttle", "ThrottlingException: Rate exceeded", strings.Split(strings.Repeat("ThrottlingException ", maxAttempts-1)+"ThrottlingException", " "), false},
		"one time-out":           {"iam:CreateRole=timeout:1", "", []string{"RequestTimeout", "ok"}, true},
		"two time-outs":          {"iam:CreateRole=timeout:2", "RequestTimeout", []string{"RequestTimeout", "RequestTimeout"}, false},
		"an internal failure":    {"iam:CreateRole=error:1", "StatusCode: 500", []string{"InternalFailure"}, false},
		"an answer that is lost": {"iam:CreateRole=lost:1", "RequestError: send request failed", []string{"ok"}, true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "none", tc.fault)
			m := w.management()
			err := m.create("role", roleToken, props{"name": "r", "assumeRolePolicy": ec2Trust})
			if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
			if err != nil && !strings.Contains(err.Error(), "creating IAM Role (r): operation error IAM: CreateRole") {
				t.Errorf("the error does not say what was tried: %v", err)
			}
			if diff := cmp.Diff(tc.calls, w.outcomes("CreateRole")); diff != "" {
				t.Error(diff)
			}
			if got := len(m.rows(roleToken)) == 2; got != tc.there {
				t.Errorf("the role is there: %v, want %v", got, tc.there)
			}
		})
	}
}

func TestFaultsOfUpdatesReadsDeletesAndLogins(t *testing.T) {
	w := newWorld(t, "none", "iam:TagRole=error:1", "iam:GetRole=error:1", "iam:DeleteRole=error:1", "organizations:DescribeOrganization=error:1", "sts:AssumeRole=error:1")
	m := w.management()
	m.must("role", roleToken, props{"name": "r", "assumeRolePolicy": ec2Trust})
	want := func(what string, err error) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), "InternalFailure") {
			t.Errorf("%s: got %v", what, err)
		}
	}
	want("update", m.update("role", props{"tags": props{"a": "b"}}))
	_, err := m.client.Read(t.Context(), &pulumirpc.ReadRequest{Urn: urnOf(roleToken, "role"), Id: "r"})
	want("read", err)
	want("delete", m.delete("role"))
	_, err = m.client.Invoke(t.Context(), &pulumirpc.InvokeRequest{Tok: "aws:organizations/getOrganization:getOrganization"})
	want("invoke", err)
	id := func() string { m.must("a", accountToken, props{"email": "a@x.example"}); return m.made["a"].id }()
	_, err = w.connect(props{"region": "eu-west-1", "assumeRole": props{"roleArn": "arn:aws:iam::" + id + ":role/" + VendedRole}})
	want("login", err)
	if err := m.delete("role"); err != nil {
		t.Errorf("the second deletion: %v", err)
	}
}

func TestWaitingTakesItsTimeAndCanBeCancelled(t *testing.T) {
	w := newWorld(t, "realistic/600") // an account takes 100 ms
	m := w.management()
	start := time.Now()
	m.must("a", accountToken, props{"email": "a@x.example"})
	if d := time.Since(start); d < 100*time.Millisecond || d > 2*time.Second {
		t.Errorf("an account took %v, want about 100 ms", d)
	}
	entries, err := w.backend.Store.Entries(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	if last := entries[len(entries)-1]; last.Action != "CreateAccount" || last.Latency != 100*time.Millisecond {
		t.Errorf("the journal tells of another latency: %+v", last)
	}

	slow := newWorld(t, "realistic")
	m = slow.management()
	go func() {
		for len(slow.outcomes("CreateAccount")) == 0 {
			time.Sleep(time.Millisecond)
		}
		_, _ = m.client.Cancel(context.Background(), nil)
	}()
	err = m.create("b", accountToken, props{"email": "b@x.example"})
	var half *pulumirpc.ErrorResourceInitFailed
	for _, d := range status.Convert(err).Details() {
		if f, is := d.(*pulumirpc.ErrorResourceInitFailed); is {
			half = f
		}
	}
	if half == nil || half.GetId() != m.rows(accountToken)[0].ID {
		t.Errorf("a creation that was cancelled while waiting is not reported as half made: %v", err)
	}
	if !strings.Contains(err.Error(), errCancelled.Error()) {
		t.Errorf("got %v, want %v", err, errCancelled)
	}
}

func TestAPanicIsAnErrorAndNotTheEnd(t *testing.T) {
	ty := byToken[roleToken]
	check := ty.Check
	ty.Check = func(*Call) error { panic(errors.New("boom")) }
	defer func() { ty.Check = check }()
	m := newWorld(t, "none").management()
	err := m.create("role", roleToken, props{"name": "r", "assumeRolePolicy": ec2Trust})
	if err == nil || !strings.Contains(err.Error(), "panicked: boom") {
		t.Errorf("got %v", err)
	}
	m.must("policy", policyToken, props{"name": "p", "policy": allow})
}

// TestRetriesAreReportedToTheEngine has an engine that writes down what it hears.
func TestRetriesAreReportedToTheEngine(t *testing.T) {
	w := newWorld(t, "none", "iam:CreateRole=throttle:1")
	engine := &logs{}
	address := engine.serve(t)
	m := w.management()
	if _, err := m.client.Attach(t.Context(), &pulumirpc.PluginAttach{Address: address}); err != nil {
		t.Fatal(err)
	}
	m.must("role", roleToken, props{"name": "r", "assumeRolePolicy": ec2Trust})
	if len(engine.got) != 1 || !strings.HasPrefix(engine.got[0].GetMessage(), "Throttling: retrying iam:CreateRole") ||
		engine.got[0].GetSeverity() != pulumirpc.LogSeverity_WARNING || engine.got[0].GetUrn() != urnOf(roleToken, "role") {
		t.Errorf("the engine heard %v", engine.got)
	}
}
