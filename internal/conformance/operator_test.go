// Package conformance_test runs Freehold's programs on genuine AWS provider
// code and an AWS that Freehold did not write.
package conformance_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"freehold.dev/freehold/internal/conformance/lab"
)

// operator is a user of Freehold at a machine of the lab.
type operator struct {
	t   *testing.T
	lab *lab.Lab
	env []string
}

func newOperator(t *testing.T, l *lab.Lab, env ...string) operator {
	t.Helper()
	return operator{t: t, lab: l, env: append([]string{"FREEHOLD_CLOUD=aws"}, env...)}
}

// in is the operator in a subtest.
func (o operator) in(t *testing.T) operator {
	o.t = t
	return o
}

// result is one finished command.
type result struct {
	code           int
	stdout, stderr string
	took           time.Duration
}

func (o operator) command(args ...string) *exec.Cmd {
	cmd := o.lab.Command(o.t.Context(), o.lab.Tool("freehold"), args...)
	cmd.Env = append(cmd.Env, o.env...)
	return cmd
}

// run runs freehold on AWS and returns how it ended, whatever that is.
func (o operator) run(args ...string) result {
	o.t.Helper()
	cmd := o.command(args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	began := time.Now()
	err := cmd.Run()
	r := result{stdout: stdout.String(), stderr: stderr.String(), took: time.Since(began)}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		r.code = exit.ExitCode()
	} else if err != nil {
		o.t.Fatalf("freehold %s: %v", strings.Join(args, " "), err)
	}
	cpu := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	o.t.Logf("freehold %s: exit %d after %s and %s of CPU", strings.Join(args, " "), r.code, r.took.Round(time.Millisecond), cpu.Round(time.Millisecond))
	return r
}

// want runs freehold and fails unless it exits with code.
func (o operator) want(code int, args ...string) result {
	o.t.Helper()
	r := o.run(args...)
	if r.code != code {
		o.t.Fatalf("freehold %s: exit %d, want %d\nstdout:\n%s\nstderr:\n%s", strings.Join(args, " "), r.code, code, r.stdout, r.stderr)
	}
	return r
}

// spec writes an org's document.
func (o operator) spec(org, account string, more ...string) string {
	o.t.Helper()
	doc := fmt.Sprintf("apiVersion: freehold.dev/v1alpha1\nkind: DataPlane\norg: %s\nregion: %s\naccount:\n%s\n%s\n",
		org, lab.Region, account, strings.Join(more, "\n"))
	file := o.lab.Dir(org + ".yaml")
	if err := os.WriteFile(file, []byte(doc), 0o600); err != nil {
		o.t.Fatal(err)
	}
	return file
}

func decode[T any](t *testing.T, r result) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(r.stdout), &v); err != nil {
		t.Fatalf("not JSON: %v\n%s", err, r.stdout)
	}
	return v
}
