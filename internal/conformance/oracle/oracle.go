// Package oracle asks an IAM simulator that Freehold did not write what AWS would
// answer to a request. It runs as a process of its own, which is given policies and
// requests as JSON, and is installed by tools/oracle.sh for the conformance lane:
// it is under the AGPL, so nothing of it is linked, shipped or copied.
//
// The simulator is a second reader of AWS's documentation, and not AWS. What it
// reads differently is a row of the test's table of differences, with AWS's page.
package oracle

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"freehold.dev/freehold/internal/iam"
)

// folder is set by the lane: where the simulator is installed.
const folder = "FREEHOLD_ORACLE"

// Oracle is a running simulator. It is for one test, and for one goroutine.
type Oracle struct {
	in  io.WriteCloser
	out *bufio.Reader
}

// Start starts the simulator for as long as the test. Out of the lane it skips the
// test, and says so.
func Start(t testing.TB) *Oracle {
	t.Helper()
	at := os.Getenv(folder)
	if at == "" {
		t.Skip("NOT ASKED: the independent IAM simulator: run make conformance")
	}
	driver, err := filepath.Abs(filepath.Join("..", "..", "..", "tools", "oracle", "ask.js"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "node", driver, at)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("start the IAM simulator: %v", err)
	}
	t.Cleanup(func() {
		if err := errors.Join(in.Close(), cmd.Wait()); err != nil && t.Context().Err() == nil {
			t.Errorf("the IAM simulator: %v", err)
		}
	})
	return &Oracle{in: in, out: bufio.NewReaderSize(out, 1<<16)}
}

// Verdict is what the oracle answers.
type Verdict string

// The verdicts.
const (
	Allowed          Verdict = "Allowed"
	ImplicitlyDenied Verdict = "ImplicitlyDenied"
	ExplicitlyDenied Verdict = "ExplicitlyDenied"
)

// Reply is the oracle's answer to one question.
type Reply struct {
	Verdict Verdict `json:"result"`
	// BlockedBy are the kinds of policies that keep a request out which its own
	// policies allow.
	BlockedBy []string `json:"blockedBy"`
	// Ignored are condition keys that the action does not have, by AWS's Service
	// Authorization Reference: the oracle leaves them out.
	Ignored []string `json:"ignored"`
	// Error is why the oracle cannot answer: a policy or request that AWS does not
	// have.
	Error string `json:"error"`
}

// Ask asks all questions, and returns the replies in the same order.
func (o *Oracle) Ask(questions ...Question) ([]Reply, error) {
	wrote := make(chan error, 1)
	go func() {
		w := bufio.NewWriterSize(o.in, 1<<16)
		enc := json.NewEncoder(w)
		for _, q := range questions {
			if err := enc.Encode(q.simulation()); err != nil {
				wrote <- err
				return
			}
		}
		wrote <- w.Flush()
	}()
	replies := make([]Reply, 0, len(questions))
	for range questions {
		line, err := o.out.ReadBytes('\n')
		if err != nil {
			return nil, fmt.Errorf("the IAM simulator ended after %d of %d answers: %w", len(replies), len(questions), err)
		}
		var r Reply
		if err := json.Unmarshal(line, &r); err != nil {
			return nil, fmt.Errorf("the IAM simulator answers %s: %w", line, err)
		}
		replies = append(replies, r)
	}
	return replies, <-wrote
}

// simulation is a question in the simulator's own form.
func (q Question) simulation() map[string]any {
	context := map[string]any{}
	for k, v := range q.Context {
		context[k] = v
	}
	for k, v := range q.Lists {
		context[k] = []string(v)
	}
	// AWS has these in every request. Ours derives them from the caller.
	context["aws:PrincipalIsAWSService"] = fmt.Sprint(q.Service != "")
	var principal any = map[string]string{"type": "Anonymous"}
	switch {
	case q.Service != "":
		principal = q.Service
	case q.Principal != "":
		principal = q.Principal
		context["aws:PrincipalArn"] = q.Principal
		context["aws:PrincipalAccount"] = iam.AccountIn(q.Principal)
	}
	s := map[string]any{
		"request": map[string]any{
			"principal": principal, "action": q.Action, "contextVariables": context,
			"resource": map[string]string{"resource": q.Resource, "accountId": q.Owner},
		},
		"identityPolicies":        named("identity", q.Identity),
		"serviceControlPolicies":  levels("SCP", q.ServiceControl),
		"resourceControlPolicies": levels("RCP", q.ResourceControl),
	}
	if q.Boundary != nil {
		s["permissionBoundaryPolicies"] = named("boundary", []iam.Document{*q.Boundary})
	}
	if q.Resources != nil {
		s["resourcePolicy"] = q.Resources
	}
	return s
}

func named(kind string, docs []iam.Document) []map[string]any {
	out := []map[string]any{}
	for i, d := range docs {
		out = append(out, map[string]any{"name": fmt.Sprintf("%s %d", kind, i), "policy": d})
	}
	return out
}

// levels are the policies of a tree of organizational units, of which each level
// has to allow a request.
func levels(kind string, docs [][]iam.Document) []map[string]any {
	out := []map[string]any{}
	for i, level := range docs {
		out = append(out, map[string]any{"orgIdentifier": fmt.Sprintf("level %d", i), "policies": named(fmt.Sprintf("%s of level %d,", kind, i), level)})
	}
	return slices.Clip(out)
}
