package cli

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/internal/dataplane"
	"freehold.dev/freehold/internal/lifecycle"
	"freehold.dev/freehold/internal/spec"
)

// quoted is a cause in the cloud's own words, with the frames behind it hidden.
type quoted struct {
	text string
	err  error
}

func (q quoted) Error() string { return q.text }
func (q quoted) Unwrap() error { return q.err }

func TestAnErrorSaysWhatFailedWhyAndWhatToDo(t *testing.T) {
	cause := errors.New("connection refused")
	deep := fmt.Errorf("reach cluster c: %w", fmt.Errorf("get kubeconfig: %w", fmt.Errorf("assume role r: %w", fmt.Errorf("sign request: %w", cause))))
	for reason, tc := range map[string]struct {
		err     error
		verbose bool
		want    string
	}{
		"nothing": {nil, false, ""},
		"a cause alone": {
			cause, false, "freehold: connection refused\n",
		},
		"a short chain is one line": {
			fmt.Errorf("open registry: %w", cause), false, "freehold: open registry: connection refused\n",
		},
		"a long chain loses its middle": {
			deep, false, "freehold: reach cluster c: …: connection refused\n",
		},
		"and has it with -v": {
			deep, true, `freehold: reach cluster c: …: connection refused
  caused by: reach cluster c: get kubeconfig: assume role r: sign request: connection refused
`,
		},
		"a chain that is still long breaks before the cause": {
			fmt.Errorf("read the account: region eu-west-1: %w", fmt.Errorf("list keys: %w", cause)), false,
			"freehold: read the account: region eu-west-1: list keys\n  connection refused\n",
		},
		"the org, the layer and the resource come first": {
			&lifecycle.Error{
				Org: "acme", Layer: "cluster", Resource: `aws:eks/cluster:Cluster "eks"`, Doing: "create", Next: "raise the quota",
				Err: quoted{"LimitExceededException: too many clusters: 100", fmt.Errorf("up: %w", cause)},
			}, false, `freehold: acme: cluster: create aws:eks/cluster:Cluster "eks" failed
  LimitExceededException: too many clusters: 100
next: raise the quota
`,
		},
		"of AWS's errors the API's own words stay": {
			&lifecycle.Error{
				Org: "acme", Layer: "boundary", Resource: `aws:cloudtrail/trail:Trail "trail"`, Doing: "create",
				Err: errors.New("creating CloudTrail Trail (t): operation error CloudTrail: CreateTrail, https response error StatusCode: 400, RequestID: cc-1, api error MaximumNumberOfTrailsExceededException: User: 1 has 5 trails"),
			}, false,
			"freehold: acme: boundary: create aws:cloudtrail/trail:Trail \"trail\" failed\n  creating CloudTrail Trail (t): MaximumNumberOfTrailsExceededException: User: 1 has 5 trails\n",
		},
		"what hides behind the cloud's words is for -v": {
			&lifecycle.Error{Org: "acme", Doing: "onboard", Err: quoted{"AccessDenied", fmt.Errorf("up: %w", cause)}}, true,
			`freehold: acme: onboard failed: AccessDenied
  caused by: acme: onboard: AccessDenied
  caused by: up: connection refused
`,
		},
		"a request that cannot be done names the reason only": {
			&lifecycle.Error{Org: "acme", Err: fmt.Errorf("%w: no such org", lifecycle.ErrInvalid), Next: "list them"}, false,
			"freehold: acme: no such org\nnext: list them\n",
		},
		"a long reason moves to a line of its own": {
			&lifecycle.Error{Org: "acme", Err: fmt.Errorf("%w: versions.coreDns: no such version: v1: take v2", lifecycle.ErrInvalid)}, false,
			"freehold: acme: versions.coreDns\n  no such version: v1: take v2\n",
		},
		"how it ended is a part of what failed": {
			&lifecycle.Error{Org: "acme", Layer: "account", Err: fmt.Errorf("%w: quota accounts: 10 of 10", lifecycle.ErrPending), Next: "ask AWS"}, false,
			"freehold: acme: account: pending on the cloud\n  quota accounts: 10 of 10\nnext: ask AWS\n",
		},
		"an answer that is no": {
			&lifecycle.Error{Org: "acme", Doing: "offboard", Err: fmt.Errorf("%w: typed \"acne\"", lifecycle.ErrCancelled), Next: "again"}, false,
			"freehold: acme: offboard cancelled: typed \"acne\"\nnext: again\n",
		},
		"more than one, each with its advice": {
			errors.Join(&lifecycle.Error{Org: "acme", Err: cause, Next: "look"}, errReported, fmt.Errorf("close: %w", cause)), false,
			"freehold: acme: connection refused\nnext: look\nfreehold: close: connection refused\n",
		},
		"the lines of a cause stay together": {
			&lifecycle.Error{Org: "acme", Err: errors.New("two things\nwent wrong\n")}, false, "freehold: acme: two things\n  went wrong\n",
		},
		"every reason of a refusal is a line": {
			&lifecycle.Error{Org: "acme", Err: fmt.Errorf("%w, for 2 reasons:\n  a\n    next: b\n  c\n    next: d", lifecycle.ErrInvalid), Next: "e"}, false,
			`freehold: acme: invalid request, for 2 reasons:
  a
    next: b
  c
    next: d
next: e
`,
		},
		"every mistake of a spec is a line": {
			spec.Mistakes{{File: "a.yaml", Line: 1, Column: 2, Field: "org", Problem: "is missing"}, {File: "a.yaml", Line: 3, Column: 4, Problem: "is empty"}}, false,
			"freehold: a.yaml:1:2: org: is missing\nfreehold: a.yaml:3:4: is empty\n",
		},
		"a mistake on the command line names the help": {
			&usageError{command: "freehold onboard", text: "onboard: -f FILE is missing"}, false,
			"freehold: onboard: -f FILE is missing\nsee: freehold onboard --help\n",
		},
		"what the result has said is not repeated": {errors.Join(nil, errViolated), false, ""},
		"failures along with differences": {
			&differentError{&lifecycle.Error{Org: "acme", Err: cause}}, false, "freehold: acme: connection refused\n",
		},
	} {
		t.Run(reason, func(t *testing.T) {
			var b strings.Builder
			printError(&b, tc.err, tc.verbose)
			if d := cmp.Diff(tc.want, b.String()); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
			for line := range strings.Lines(b.String()) {
				if strings.HasPrefix(line, "freehold: ") && strings.Count(line, ": ") > mostColons {
					t.Errorf("a chain that nobody follows: %s", line)
				}
			}
		})
	}
}

func TestARefusalNamesThePlaceOfTheField(t *testing.T) {
	a := &app{doc: document{"acme.yaml", []byte("org: acme\nregion: eu-central-1\naccount: {email: a@example.com}\ncluster:\n  version: '1.35'\n")}}
	refused := func(fields ...string) error {
		e := &lifecycle.Error{Org: "acme", Err: lifecycle.ErrInvalid, Next: "set it back"}
		for _, f := range fields {
			e.Refusals = append(e.Refusals, dataplane.Refusal{Field: f})
		}
		return a.placed(e)
	}
	for want, err := range map[string]error{
		"freehold: acme: invalid request\n  at acme.yaml:5:12: cluster.version\nnext: set it back\n":                           refused("cluster.version"),
		"freehold: acme: invalid request\n  at acme.yaml:2:9: region\n  at acme.yaml:3:18: account.email\nnext: set it back\n": refused("region", "account.email"),
		"freehold: acme: invalid request\nnext: set it back\n":                                                                 refused("network.zones", ""),
	} {
		var out strings.Builder
		printError(&out, err, false)
		if out.String() != want || exitCode(err) != exitInvalid {
			t.Errorf("exit %d, and\n%swant\n%s", exitCode(err), out.String(), want)
		}
	}
}
