package engine

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
)

func TestTheWordsOfOtherProgramsBecomeSentinels(t *testing.T) {
	s := Stack{Org: "acme", Layer: "cluster", Name: "acme.cluster"}
	for reason, tc := range map[string]struct {
		text string
		kind error
		next string
	}{
		"a lock of the file backend": {
			"error: the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end or delete the lock file with `pulumi cancel`.",
			ErrLocked, "",
		},
		"a lock of the Pulumi service": {"[409] Conflict: Another update is currently in progress.", ErrLocked, ""},
		"a stack that is not there":    {"error: no stack named 'acme.cluster' found", ErrNoStack, ""},
		"a plugin that is not there": {
			"error: no resource plugin 'pulumi-resource-aws' found in the workspace at version v6.83.0 or on your $PATH",
			ErrPluginMissing, "run: pulumi plugin install resource aws v6.83.0",
		},
		"an expired session":                    {"operation error EC2: DescribeVpcs, api error ExpiredToken: The security token included in the request is expired", ErrCredentials, ""},
		"the wrong account":                     {"AWS account ID not allowed: 111122223333", ErrWrongAccount, ""},
		"throttling":                            {"api error Throttling: Rate exceeded", ErrThrottled, ""},
		"throttling by EC2":                     {"api error RequestLimitExceeded: Request limit exceeded.", ErrThrottled, ""},
		"a quota of trails":                     {"MaximumNumberOfTrailsExceededException: User: 1 already has 5 trails in eu-central-1.", ErrQuota, ""},
		"a quota of buckets":                    {"api error TooManyBuckets: You have attempted to create more buckets than allowed", ErrQuota, ""},
		"a quota of VPCs":                       {"api error VpcLimitExceeded: The maximum number of VPCs has been reached.", ErrQuota, ""},
		"a quota of accounts":                   {"ConstraintViolationException: You have exceeded the allowed number of AWS accounts.", ErrQuota, ""},
		"a quota of accounts, when it was made": {"unexpected state 'FAILED', wanted target 'SUCCEEDED'. last error: ACCOUNT_LIMIT_EXCEEDED", ErrQuota, ""},
		"accounts that were made too fast":      {"ConstraintViolationException: ACCOUNT_CREATION_RATE_LIMIT_EXCEEDED", ErrQuota, ""},
		"a creation beside another":             {"last error: CONCURRENT_ACCOUNT_MODIFICATION", ErrThrottled, ""},
		"a hold by EC2":                         {"api error PendingVerification: Your request for accessing resources in this region is being validated", ErrVerification, ""},
		"a hold by Organizations":               {"last error: PENDING_BUSINESS_VALIDATION", ErrVerification, ""},
		"an organization that is new":           {"FinalizingOrganizationException: AWS Organizations is initializing your organization", ErrVerification, ""},
		"three closings at a time":              {"ConstraintViolationException: CLOSE_ACCOUNT_REQUESTS_LIMIT_EXCEEDED", ErrCloseQueue, ""},
		"a closing beside another":              {"operation error Organizations: CloseAccount, api error ConcurrentModificationException: x", ErrCloseQueue, ""},
		"the closings of a month":               {"ConstraintViolationException: You have exceeded close account quota for the past 30 days.", ErrCloseQuota, ""},
		"a quota of a service":                  {"ServiceQuotaExceededException: too many", ErrQuota, ""},
		"a name that is taken":                  {"api error EntityAlreadyExists: Role with name x already exists.", ErrNameInUse, ""},
		"a class's parameters": {
			`resource "urn:x" was not successfully created by the Kubernetes API server: StorageClass.storage.k8s.io "freehold-gp3" is invalid: parameters: Forbidden: updates to parameters are forbidden.`,
			ErrImmutable, "",
		},
		"a class's policy": {
			`StorageClass.storage.k8s.io "freehold-gp3" is invalid: [parameters: Forbidden: updates to parameters are forbidden., reclaimPolicy: Forbidden: updates to reclaimPolicy are forbidden.]`,
			ErrImmutable, "",
		},
		"a binding's role": {
			`ClusterRoleBinding.rbac.authorization.k8s.io "x" is invalid: roleRef: Invalid value: rbac.RoleRef{APIGroup:"rbac.authorization.k8s.io", Kind:"ClusterRole", Name:"y"}: cannot change roleRef`,
			ErrImmutable, "",
		},
		"a selector":           {`Deployment.apps "x" is invalid: spec.selector: Invalid value: v1.LabelSelector{MatchLabels:map[string]string{"a":"b"}}: field is immutable`, ErrImmutable, ""},
		"frozen data":          {"ConfigMap \"x\" is invalid: data: Forbidden: field is immutable when `immutable` is set", ErrImmutable, ""},
		"what is invalid":      {`Deployment.apps "x" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0`, ErrFailed, ""},
		"a policy":             {"error: preview failed: 1 policy violation", ErrPolicy, ""},
		"a protected resource": {"unable to delete resource \"urn\" as it is currently marked for protection", ErrProtected, ""},
		"anything else":        {"error: the sky fell", ErrFailed, ""},
	} {
		t.Run(reason, func(t *testing.T) {
			e := &Engine{}
			err := e.classify(t.Context(), s, "update", errors.New("failed to run update: exit status 255\ncode: 255\nstdout: \nstderr: "+tc.text+"\n"), nil)
			var got *Error
			if !errors.As(err, &got) || got.Kind != tc.kind { //nolint:errorlint // the sentinel itself is compared
				t.Fatalf("got %v, want kind %v", err, tc.kind)
			}
			if tc.next != "" && got.Next != tc.next {
				t.Errorf("next: %q, want %q", got.Next, tc.next)
			}
			if got.Next == "" {
				t.Error("it does not say what to do next")
			}
		})
	}
}

func TestTheProgressOfARunIsNotItsCause(t *testing.T) {
	const stdout = "Updating (acme.cluster):\nLoading policy packs...: starting\nLoading policy packs...: done\n\n +  aws:ec2:Vpc vpc creating\nPolicies:\n    freehold@v0.0.0 (local: policy)\n"
	for reason, tc := range map[string]struct {
		said, stderr string
		kind         error
	}{
		"a quota that a resource met":        {said: "api error VpcLimitExceeded: too many", kind: ErrQuota},
		"a name that is taken":               {said: "EntityAlreadyExists: Role with name x already exists.", kind: ErrNameInUse},
		"credentials that ended":             {said: "ExpiredToken: The security token included in the request is expired", kind: ErrCredentials},
		"what has no name":                   {said: "the sky fell", kind: ErrFailed},
		"rules that are not asked any more":  {said: "failed to run policy: context canceled", kind: ErrFailed},
		"rules that end":                     {said: "failed to run policy: rpc error: code = Unavailable desc = EOF", kind: ErrUnanalyzed},
		"an end without a word":              {kind: ErrFailed},
		"rules that nobody could ask, by it": {said: "failed to load policy pack at policy", kind: ErrUnanalyzed},
		"rules that nobody could ask":        {stderr: "error: failed to load policy pack at policy", kind: ErrUnanalyzed},
	} {
		t.Run(reason, func(t *testing.T) {
			run := newWatch(Stack{}, nil, time.Now)
			if tc.said != "" {
				run.take(apitype.EngineEvent{DiagnosticEvent: &apitype.DiagnosticEvent{
					URN: "urn:pulumi:acme.cluster::freehold::aws:ec2/vpc:Vpc::vpc", Severity: "error", Message: tc.said,
				}})
			}
			err := (&Engine{}).classify(t.Context(), Stack{Name: "acme.cluster"}, "update",
				errors.New("failed to run update: exit status 255\ncode: 255\nstdout: "+stdout+"\nstderr: "+tc.stderr+"\n"), run)
			var got *Error
			if !errors.As(err, &got) || got.Kind != tc.kind { //nolint:errorlint // the sentinel itself is compared
				t.Errorf("got %v, want kind %v", err, tc.kind)
			}
		})
	}
}

func TestAFailureNamesTheResourceAndItsCause(t *testing.T) {
	const urn = "urn:pulumi:acme.cluster::freehold::freehold:index:Network$aws:ec2/vpc:Vpc::vpc"
	w := newWatch(Stack{}, nil, time.Now)
	w.take(apitype.EngineEvent{DiagnosticEvent: &apitype.DiagnosticEvent{
		URN: urn, Severity: "error", Prefix: "<{%fg 1%}>error: <{%reset%}>", Message: "api error VpcLimitExceeded:\n  too many\n",
	}})
	w.take(apitype.EngineEvent{ResOpFailedEvent: &apitype.ResOpFailedEvent{Metadata: apitype.StepEventMetadata{
		Op: apitype.OpCreate, URN: urn, Type: "aws:ec2/vpc:Vpc",
	}}})
	w.take(apitype.EngineEvent{DiagnosticEvent: &apitype.DiagnosticEvent{
		URN: "urn:pulumi:acme.cluster::freehold::pulumi:pulumi:Stack::freehold-acme.cluster", Severity: "error", Message: "update failed",
	}})
	want := []Failure{{URN: urn, Type: "aws:ec2/vpc:Vpc", Name: "vpc", Op: "create", Message: "api error VpcLimitExceeded:; too many"}}
	if d := cmp.Diff(want, w.failures()); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestAFailureSaysWhetherNobodyCanMakeTheChangeAndWhichItIs(t *testing.T) {
	const urn = "urn:pulumi:acme.bootstrap::freehold::kubernetes:storage.k8s.io/v1:StorageClass::storage"
	inputs := func(typ string) map[string]any { return map[string]any{"parameters": map[string]any{"type": typ}} }
	step := apitype.StepEventMetadata{
		Op: apitype.OpCreateReplacement, URN: urn, Type: "kubernetes:storage.k8s.io/v1:StorageClass",
		Old: &apitype.StepEventStateMetadata{Inputs: inputs("gp2")}, New: &apitype.StepEventStateMetadata{Inputs: inputs("gp3")},
	}
	// A preview never says that the step failed.
	for _, preview := range []bool{false, true} {
		w := newWatch(Stack{}, nil, time.Now)
		w.take(apitype.EngineEvent{ResourcePreEvent: &apitype.ResourcePreEvent{Metadata: step}})
		w.take(apitype.EngineEvent{DiagnosticEvent: &apitype.DiagnosticEvent{
			URN: urn, Severity: "error", Message: `StorageClass.storage.k8s.io "a" is invalid: parameters: Forbidden: updates to parameters are forbidden.`,
		}})
		if !preview {
			w.take(apitype.EngineEvent{ResOpFailedEvent: &apitype.ResOpFailedEvent{Metadata: step}})
		}
		got := w.failures()
		if len(got) != 1 || !got[0].Immutable {
			t.Fatalf("preview: %t: got %+v", preview, got)
		}
		if d := cmp.Diff([]map[string]any{inputs("gp2"), inputs("gp3")}, []map[string]any{got[0].OldInputs, got[0].NewInputs}); d != "" {
			t.Errorf("preview: %t (-want +got):\n%s", preview, d)
		}
	}
}

func TestALockIsAbandonedOnlyWhenEveryHolderIsADeadProcessOfThisMachine(t *testing.T) {
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	line := func(host, pid string) string {
		return "file:///x: created by root@" + host + " (pid " + pid + ") at 2026\n"
	}
	for reason, tc := range map[string]struct {
		text string
		want bool
	}{
		"a dead process of this machine":    {line(host, "4194399"), true},
		"a process of another machine":      {line("elsewhere", "4194399"), false},
		"a dead one here and one elsewhere": {line(host, "4194399") + line("elsewhere", "1"), false},
		"words that name no holder":         {"locked", false},
		"a live process that is no pulumi":  {line(host, "1"), true},
	} {
		t.Run(reason, func(t *testing.T) {
			if _, err := os.Stat("/proc/self/comm"); err != nil && reason == "a live process that is no pulumi" {
				t.Skip("this system does not tell a process's name without a program")
			}
			if got := (&Engine{}).abandoned(t.Context(), Stack{Name: "acme.cluster"}, tc.text); got != tc.want {
				t.Errorf("abandoned: %v, want %v", got, tc.want)
			}
		})
	}
}

func TestALockOfAnotherMachineIsAbandonedOnlyWhenItsOperationIsKnownToBeOver(t *testing.T) {
	at := time.Date(2026, 11, 29, 14, 0, 0, 0, time.UTC)
	line := func(host string) string {
		return "s3://b/l.json: created by root@" + host + " (pid 7) at 2026-11-29T14:00:00Z\n"
	}
	for reason, tc := range map[string]struct {
		text string
		over func(Lock) (bool, error)
		want bool
	}{
		"an operation that is over":      {line("elsewhere"), func(Lock) (bool, error) { return true, nil }, true},
		"one that is not known to be":    {line("elsewhere"), func(Lock) (bool, error) { return false, nil }, false},
		"one of which nobody can tell":   {line("elsewhere"), func(Lock) (bool, error) { return true, errors.New("no registry") }, false},
		"one that nobody is asked about": {line("elsewhere"), nil, false},
		"a lock that does not say when":  {"created by root@elsewhere (pid 7)\n", func(Lock) (bool, error) { return true, nil }, false},
		"two, of which one is not over":  {line("elsewhere") + line("there"), func(l Lock) (bool, error) { return l.Host == "elsewhere", nil }, false},
		"two that are over":              {line("elsewhere") + line("there"), func(l Lock) (bool, error) { return l.At.Equal(at) && l.PID == 7, nil }, true},
	} {
		t.Run(reason, func(t *testing.T) {
			e := &Engine{opts: Options{Log: slog.New(slog.DiscardHandler)}}
			if tc.over != nil {
				e.opts.Over = func(_ context.Context, s Stack, l Lock) (bool, error) {
					if s.Name != "acme.cluster" {
						t.Errorf("asked about %s", s.Name)
					}
					return tc.over(l)
				}
			}
			if got := e.abandoned(t.Context(), Stack{Name: "acme.cluster"}, tc.text); got != tc.want {
				t.Errorf("abandoned: %v, want %v", got, tc.want)
			}
		})
	}
}

func TestALockSaysWhoHasIt(t *testing.T) {
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	const locked = "error: the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end or delete the lock file with `pulumi cancel`."
	for reason, tc := range map[string]struct{ holder, next string }{
		"a process of this machine": {
			"\n  file:///x/1.json: created by root@" + host + " (pid 7) at 2026-11-29T00:00:00Z",
			"process 7 on " + host + " has it: wait until it ends, then run the same command again",
		},
		"a process of another machine": {
			"\n  file:///x/1.json: created by root@ci-runner-3 (pid 7) at 2026-11-29T00:00:00Z",
			"process 7 on ci-runner-3 has it: wait until it ends; if that machine is gone, remove the lock with: pulumi cancel --stack acme.cluster",
		},
		"nobody knows": {"", "wait for the other update to end; if its process is gone, run the same command again"},
	} {
		t.Run(reason, func(t *testing.T) {
			err := (&Engine{}).classify(t.Context(), Stack{Name: "acme.cluster"}, "update", errors.New("x\nstderr: "+locked+tc.holder), nil)
			var got *Error
			if !errors.Is(err, ErrLocked) || !errors.As(err, &got) || got.Next != tc.next {
				t.Errorf("got %v\nnext: %s\nwant: %s", err, got.Next, tc.next)
			}
		})
	}
}

func TestLostResourcesAreAddedBehindTheRecordedOnesWithoutTheirSecrets(t *testing.T) {
	d := map[string]any{
		"resources":          []any{map[string]any{"urn": "parent"}, map[string]any{"urn": "p"}},
		"pending_operations": []any{map[string]any{}},
	}
	lost := []Step{{
		URN: "u", ID: "vpc-1", Type: "t", Parent: "parent", Provider: "p::1",
		NewInputs: map[string]any{"cidr": "10.0.0.0/16", "token": "[secret]"}, NewOutputs: map[string]any{"vpcId": "vpc-1"},
	}, {
		URN: "stranger", ID: "vpc-2", Type: "t", Parent: "parent", Provider: "not-made-yet::2",
	}}
	if err := addResources(d, lost); err != nil {
		t.Fatal(err)
	}
	in := map[string]any{"cidr": "10.0.0.0/16"}
	want := map[string]any{"resources": []any{
		map[string]any{"urn": "parent"},
		map[string]any{"urn": "p"},
		map[string]any{"urn": "u", "custom": true, "id": "vpc-1", "type": "t", "parent": "parent", "provider": "p::1", "inputs": in,
			"outputs": map[string]any{"cidr": "10.0.0.0/16", "vpcId": "vpc-1", "__meta": map[string]any{}}},
	}}
	if diff := cmp.Diff(want, d); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	lost[0].URN, lost[0].Parent = "v", "nobody"
	if err := addResources(d, lost); err == nil {
		t.Error("a resource whose parent is not recorded was added")
	}
}
