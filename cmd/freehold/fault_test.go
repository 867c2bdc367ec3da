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

// A fault is retried, or told with the layer, the resource, the cause and what
// to do next; a run without it completes.
func TestAnInjectedFaultIsRetriedOrToldAndARerunCompletes(t *testing.T) {
	h := newHome(t)
	file := h.spec("acme", twoProjects)

	for _, tc := range []struct {
		fault string
		says  []string
	}{
		{"organizations:CreateAccount=error", []string{"acme", "account", "aws:organizations/account:Account"}},
		{"kms:CreateKey=error", []string{"acme", "boundary", "aws:kms/key:Key"}},
		{"ec2:CreateVpc=error", []string{"acme", "cluster", "aws:ec2/vpc:Vpc"}},
		{"eks:CreateCluster=error", []string{"acme", "cluster", "aws:eks/cluster:Cluster"}},
	} {
		t.Run(tc.fault, func(t *testing.T) {
			r := h.want(1, "onboard", "-f", file, "--fault", tc.fault+":1")
			for _, s := range append(tc.says, "next:") {
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
	h := newHome(t)
	file := h.spec("acme", twoProjects)
	for _, fault := range []string{"kms:CreateKey=lost:1", "ec2:CreateVpc=lost:1", "iam:CreateRole=lost:1"} {
		h.want(1, "onboard", "-f", file, "--fault", fault)
	}
	h.want(0, "onboard", "-f", file)
	if twice := h.madeTwice(); len(twice) > 0 {
		t.Errorf("made twice: %v", twice)
	}
	h.want(0, "drift", "acme")
}
