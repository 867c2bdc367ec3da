package main_test

import (
	"errors"
	"os/exec"
	"strings"
	"testing"
)

func asExit(err error, into **exec.ExitError) bool { return errors.As(err, into) }

func stderrOf(err error) string {
	var exit *exec.ExitError
	if asExit(err, &exit) {
		return string(exit.Stderr)
	}
	return ""
}

// A fault is retried, or reported with the layer, the resource, the cause and what
// to do next; a run without it completes.
func TestAnInjectedFaultIsRetriedOrReportedAndARerunCompletes(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	file := h.spec("acme", twoProjects)

	const again = "next: run the same command again: it goes on where it stopped"
	for _, tc := range []struct {
		flags []string
		code  int
		says  []string
	}{
		{[]string{"--fault", "organizations:CreateAccount=error:1"}, 1, []string{"acme: account: aws:organizations/account:Account", again}},
		{[]string{"--fault", "kms:CreateKey=error:1"}, 1, []string{"acme: boundary: aws:kms/key:Key", again}},
		{[]string{"--quota", "cloudtrail:trails=0"}, 6, []string{
			"acme: boundary: aws:cloudtrail/trail:Trail", "next: ask AWS to raise the quota, then run the same command again",
		}},
		{[]string{"--quota", "cloudtrail:trails=5", "--fault", "ec2:CreateVpc=error:1"}, 1, []string{"acme: cluster: aws:ec2/vpc:Vpc", again}},
		{[]string{"--fault", "eks:CreateCluster=error:1"}, 1, []string{"acme: cluster: aws:eks/cluster:Cluster", again}},
	} {
		t.Run(strings.Join(tc.flags, " "), func(t *testing.T) {
			r := h.want(tc.code, append([]string{"onboard", "-f", file}, tc.flags...)...)
			for _, s := range tc.says {
				if !strings.Contains(r.stderr, s) {
					t.Errorf("it does not say %q:\n%s", s, r.stderr)
				}
			}
		})
	}
	t.Run("throttling is waited out", func(t *testing.T) {
		h.want(0, "onboard", "-f", file, "--fault", "eks:CreateNodegroup=throttle:2", "--fault", "eks:CreateCluster=timeout:1")
	})
	if twice := h.madeTwice(); len(twice) > 0 {
		t.Errorf("made twice: %v", twice)
	}
	h.want(0, "drift", "acme")
}

// A lost answer is the nastiest fault: AWS has made the thing, and nobody knows.
func TestALostAnswerIsFoundAndNotMadeAgain(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	// Each fault is met in a layer that has nothing yet, where the call is sure to come.
	for org, faults := range map[string][]string{
		"lost-role": {"iam:CreateRole=lost:1"}, "lost-more": {"kms:CreateKey=lost:1", "ec2:CreateVpc=lost:1"},
	} {
		file := h.spec(org, twoProjects)
		lost := false
		onboard := func(code int, more ...string) {
			t.Helper()
			r := h.want(code, append([]string{"onboard", "-f", file}, more...)...)
			if lost && !strings.Contains(r.stderr, "taken over") {
				t.Errorf("%s: it does not say that it took something over:\n%s", org, r.stderr)
			}
			lost = true
		}
		for _, fault := range faults {
			onboard(1, "--fault", fault)
		}
		onboard(0)
		h.want(0, "drift", org)
		h.want(0, "sandbox", "stop", org)
	}
	if twice := h.madeTwice(); len(twice) > 0 {
		t.Errorf("made twice: %v", twice)
	}
}
