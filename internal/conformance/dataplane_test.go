package conformance_test

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/internal/conformance/lab"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/finding"
)

const (
	ownAccount   = "444455556666" // that initech brings
	otherAccount = "777788889999" // of nobody that Freehold knows
	externalID   = "initech-7f3a91c05e"

	// versions are those of the emulator's catalogue of add-ons, which is not EKS's.
	versions = "versions: {kubeProxy: v1.35.1-eksbuild.4, ebsCsi: v1.55.0-eksbuild.1, podIdentityAgent: v1.3.10-eksbuild.2}"
	// sessions are shorter than the run of a layer.
	sessions = 25 * time.Second
)

// customer is one org of the scenario.
type customer struct {
	operator // who onboards it

	org  string
	spec string
	made event.Onboarding
	// wayIn is into an account that the customer brings.
	wayIn *finding.WayIn
}

// in is the customer in a subtest.
func (c *customer) in(t *testing.T) *customer {
	d := *c
	d.t = t
	return &d
}

// TestTwoCustomersComeAndGo is one story, because its first chapter takes
// minutes: the genuine provider waits for AWS as it always does.
func TestTwoCustomersComeAndGo(t *testing.T) {
	t.Parallel()
	l := lab.Start(t)
	l.Plugin("aws")
	l.Clusters("freehold-acme", "freehold-initech")
	in := bring(t, l)
	o := newOperator(t, l, "FREEHOLD_HOME="+l.Dir("home"))
	acme := &customer{operator: o, org: "acme", spec: o.spec("acme", "  email: aws+acme@example.com", versions, people("acme"), publicEndpoint, twoProjects, "deletionProtection: false")}
	// Another operator, whose states are in a bucket and encrypted with a key.
	remote := newOperator(t, l, "FREEHOLD_HOME="+l.Dir("elsewhere"), "FREEHOLD_BACKEND=s3://"+stateBucket+"/states?region="+lab.Region,
		"FREEHOLD_SECRETS_PROVIDER=awskms://alias/freehold-{org}?region="+lab.Region)
	keepStates(t, l, "initech")
	initech := &customer{operator: remote, org: "initech", wayIn: in, spec: o.spec("initech",
		"  mode: existing\n  roleArn: "+in.Role+"\n  externalId: "+externalID, versions, people("initech"), "deletionProtection: false")}
	both := []*customer{acme, initech}
	record := func() { saveCalls(t, l.Front.Calls()) }
	defer record()

	o.want(0, "doctor")
	t.Run("what EKS does not have is refused before anything is made", func(t *testing.T) {
		refusedVersions(t, o.in(t))
	})

	l.ShortSessions(sessions)
	t.Run("both are onboarded, though sessions end again and again, and each is killed in the middle, the vended one in every layer", func(t *testing.T) {
		before := l.Front.Sessions()
		var wait sync.WaitGroup
		wait.Go(func() {
			acme.in(t).killedEverywhere()
			acme.in(t).onboard(acme)
		})
		wait.Go(func() {
			initech.in(t).killed(ownAccount, 60+rand.IntN(400))
			initech.in(t).onboard(initech)
		})
		wait.Wait()
		for _, c := range both {
			ends := 0
			for role, n := range l.Front.Sessions() {
				if strings.Contains(role, ":"+c.made.DataPlane.AccountID+":") {
					ends += n - before[role]
				}
			}
			if ends < 6 { // with sessions of an hour there are four: each layer's, and Freehold's own
				t.Errorf("%s: its roles were assumed %d times; no session can have ended in the middle", c.org, ends)
			}
		}
	})
	l.ShortSessions(0)
	if t.Failed() {
		return
	}
	t.Run("each cluster has the endpoint that was asked for, a public one and a private one", func(t *testing.T) {
		for c, want := range map[*customer]string{acme: "True True 203.0.113.7/32", initech: "False True False"} {
			got, err := l.Shell(c.made.DataPlane.AccountID, `aws eks describe-cluster --name "$CLUSTER" --output text \
				--query 'cluster.resourcesVpcConfig.[endpointPublicAccess, endpointPrivateAccess, endpointPublicAccess && publicAccessCidrs]'`, "CLUSTER="+c.made.DataPlane.ClusterName)
			if got = strings.Join(strings.Fields(got), " "); got != want || err != nil {
				t.Errorf("%s: the endpoint is public, private, for whom: %s (%v), want %s", c.org, got, err, want)
			}
		}
	})
	t.Run("plan finds nothing to do", func(t *testing.T) {
		together(t, both, func(c *customer) { c.want(0, "plan", "-f", c.spec) })
	})
	t.Run("nothing drifts", func(t *testing.T) {
		together(t, both, func(c *customer) {
			found := decode[event.Drift](t, c.want(0, "drift", c.org, "-o", "json"))
			if diff := cmp.Diff(c.wayIn, found.WayIn); diff != "" {
				t.Errorf("%s: the way in (-want +got):\n%s", c.org, diff)
			}
		})
	})
	t.Run("no rule is violated, in states and in accounts, and nothing is shared", func(t *testing.T) {
		together(t, both, func(c *customer) { c.want(0, "audit", c.org) })
	})
	t.Run("onboard again changes nothing, also where what was made could not be recorded and was taken over", func(t *testing.T) {
		together(t, both, func(c *customer) {
			if c.org == acme.org {
				c.forgotten(l)
			}
			again := decode[event.Onboarding](t, c.want(0, "onboard", "-f", c.spec, "-o", "json"))
			if again.Changed || len(again.Unmanaged) > 0 {
				t.Errorf("%s: changed %t, unmanaged %+v", c.org, again.Changed, again.Unmanaged)
			}
		})
	})
	t.Run("each way of sharing that somebody makes by hand is found with both ends, exactly", func(t *testing.T) {
		acme.in(t).sharesEverything(l, initech)
	})
	t.Run("a kubeconfig's token is the bootstrap role's, and only for that cluster", func(t *testing.T) {
		acme.in(t).kubeconfigWorks(l, initech.org)
		initech.in(t).kubeconfigWorks(l, acme.org)
	})
	t.Run("what is changed behind Freehold's back shows up, exactly, and is put back", func(t *testing.T) {
		acme.in(t).changedBehind(l)
	})
	t.Run("a role that leads elsewhere is refused before any write", func(t *testing.T) {
		acme.in(t).ledElsewhere(l)
	})
	t.Run("another management account is refused before any write", func(t *testing.T) {
		acme.in(t).signedInElsewhere(l)
	})
	t.Run("offboarding leaves each account empty, and closes the vended one", func(t *testing.T) {
		var wait sync.WaitGroup
		wait.Go(func() { acme.in(t).offboarded(l) })
		wait.Go(func() {
			initech.in(t).occupied(l)
			initech.in(t).offboarded(l)
		})
		wait.Wait()
		status, err := l.Shell(lab.ManagementAccount, "aws organizations describe-account --account-id "+acme.made.DataPlane.AccountID+
			" --query Account.Status --output text")
		if err != nil || status != "SUSPENDED" {
			t.Errorf("acme's account is %q (%v), want SUSPENDED: closed", status, err)
		}
	})
	record()
	if !t.Failed() {
		checkCalls(t, l, l.Front.Calls())
	}
}

// together does something with each customer at the same time.
func together(t *testing.T, all []*customer, do func(*customer)) {
	t.Helper()
	var wait sync.WaitGroup
	for _, c := range all {
		wait.Go(func() { do(c.in(t)) })
	}
	wait.Wait()
}

const twoProjects = `projects:
- name: shop
  members: [{group: "acme:shop", role: editor}]
  serviceAccounts: [{name: uploader, podIdentity: {policies: ["arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"]}}]
- name: billing`

// publicEndpoint goes with people: initech has the default, a private one. An
// emulator lets everybody in at both.
const publicEndpoint = `  endpoint: {access: public, allow: [203.0.113.7/32]}`

// people are who an org's members are. Nobody asks the issuer here.
func people(org string) string {
	return strings.ReplaceAll(`cluster:
  identityProvider:
    issuerUrl: https://login.ORG.example/staff
    clientId: ORG-kubernetes
    usernameClaim: email
    usernamePrefix: "ORG:"
    groupsClaim: groups
    groupsPrefix: "ORG:"
    requiredClaims: {hd: ORG.example}`, "ORG", org)
}

// saveCalls keeps the record of a run where it is asked for, to look into it.
func saveCalls(t *testing.T, calls []lab.Call) {
	t.Helper()
	file := os.Getenv("FREEHOLD_CONFORMANCE_CALLS")
	if file == "" {
		return
	}
	text, err := json.Marshal(calls)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// stateBucket is where the second operator keeps states.
const stateBucket = "freehold-states"

// keepStates makes the bucket and an org's key, as docs/aws.md says.
func keepStates(t *testing.T, l *lab.Lab, org string) {
	t.Helper()
	_, err := l.Shell(lab.ManagementAccount, `
		aws s3api create-bucket --bucket "$BUCKET" --create-bucket-configuration LocationConstraint="$AWS_REGION"
		aws s3api put-bucket-versioning --bucket "$BUCKET" --versioning-configuration Status=Enabled
		key=$(aws kms create-key --query KeyMetadata.KeyId --output text)
		aws kms create-alias --alias-name "alias/freehold-$ORG" --target-key-id "$key"`, "BUCKET="+stateBucket, "ORG="+org)
	if err != nil {
		t.Fatalf("make the bucket of states: %v", err)
	}
}

// onboard onboards the customer and notes in known what was made.
func (c *customer) onboard(known *customer) {
	c.t.Helper()
	r := c.run("onboard", "-f", c.spec, "-o", "json")
	if r.code != 0 {
		c.t.Errorf("onboard %s: exit %d\n%s", c.org, r.code, r.stderr)
		return
	}
	known.made = decode[event.Onboarding](c.t, r)
	if len(known.made.Unmanaged) > 0 {
		c.t.Errorf("%s: unmanaged: %+v", c.org, known.made.Unmanaged)
	}
}

// refusedVersions asks for a version of an add-on, and of Kubernetes, that EKS
// does not have.
func refusedVersions(t *testing.T, o operator) {
	t.Helper()
	before := len(o.lab.Changes(lab.ManagementAccount))
	file := o.spec("hooli", "  email: aws+hooli@example.com", strings.Replace(versions, "v1.35.1-eksbuild.4", "v1.35.0-eksbuild.77", 1))
	r := o.want(4, "onboard", "-f", file)
	for _, says := range []string{"versions.kubeProxy", "v1.35.0-eksbuild.77", "v1.35.1-eksbuild.4", "next: set versions.kubeProxy"} {
		if !strings.Contains(r.stderr, says) {
			t.Errorf("it does not say %q:\n%s", says, r.stderr)
		}
	}
	o.want(4, "plan", "-f", file)
	if after := len(o.lab.Changes(lab.ManagementAccount)); after != before {
		t.Errorf("%d things were changed all the same", after-before)
	}
}

// kubeconfigWorks asks the cluster's own API server as the kubeconfig says, and
// the server, as EKS does, whose the token is. Another cluster's server does
// not take it.
func (c *customer) kubeconfigWorks(l *lab.Lab, other string) {
	t := c.t
	t.Helper()
	kubeconfig := c.want(0, "kubeconfig", c.org).stdout
	if regexp.MustCompile(`(?m)^\s+(token|password|client-key-data):`).MatchString(kubeconfig) {
		t.Errorf("%s: the kubeconfig holds a secret:\n%s", c.org, kubeconfig)
	}
	file := l.Dir(c.org + ".kubeconfig")
	if err := os.WriteFile(file, []byte(kubeconfig), 0o600); err != nil {
		t.Fatal(err)
	}
	kubectl := l.Command(t.Context(), l.Tool("kubectl"), "--kubeconfig", file, "auth", "whoami", "-o", "jsonpath={.status.userInfo.username}")
	got, err := kubectl.CombinedOutput()
	want := "arn:aws:iam::" + c.made.DataPlane.AccountID + ":role/freehold-" + c.org + "-bootstrap"
	if string(got) != want || err != nil {
		t.Errorf("%s: the API server says %q (%v), want %s", c.org, got, err, want)
	}
	token, err := l.Token(t.Context(), kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	if who, err := l.Whose(t.Context(), token, "freehold-"+c.org); who != want || err != nil {
		t.Errorf("%s: the token is %q's (%v), want %s", c.org, who, err, want)
	}
	kubectl = l.Command(t.Context(), l.Tool("kubectl"), "--server", l.Endpoint("freehold-"+other), "--insecure-skip-tls-verify", "--token", token, "auth", "whoami")
	if out, err := kubectl.CombinedOutput(); err == nil {
		t.Errorf("%s: another customer's cluster took the token: %s", c.org, out)
	}
}

// ledElsewhere has the provision role's sessions be another account's.
func (c *customer) ledElsewhere(l *lab.Lab) {
	t := c.t
	t.Helper()
	l.Adopt(otherAccount, "somebody", "")
	role := "arn:aws:iam::" + c.made.DataPlane.AccountID + ":role/freehold-" + c.org + "-provision"
	before := l.Changes(otherAccount)
	l.Front.Mislead(role, "arn:aws:iam::"+otherAccount+":role/somebody")
	defer l.Front.Mislead(role, "")
	r := c.want(1, "onboard", "-f", c.spec)
	if !strings.Contains(r.stderr, otherAccount) && !strings.Contains(r.stderr, "not allowed") {
		t.Errorf("it does not say where the role leads:\n%s", r.stderr)
	}
	if diff := cmp.Diff(before, l.Changes(otherAccount)); diff != "" {
		t.Errorf("something was changed in account %s (-before +after):\n%s", otherAccount, diff)
	}
}

// signedInElsewhere runs with the credentials of another management account.
func (c *customer) signedInElsewhere(l *lab.Lab) {
	t := c.t
	t.Helper()
	before := map[string][]string{}
	accounts := []string{lab.ManagementAccount, otherAccount, c.made.DataPlane.AccountID}
	for _, a := range accounts {
		before[a] = l.Changes(a)
	}
	o := c.operator
	o.env = append(slices.Clone(o.env), l.SignedIn(otherAccount, "somebody")...)
	for _, args := range [][]string{{"onboard", "-f", c.spec}, {"plan", "-f", c.spec}, {"drift", c.org}, {"offboard", c.org, "--yes", c.org}} {
		r := o.want(4, args...)
		if !strings.Contains(r.stderr, "sign in to account "+lab.ManagementAccount) {
			t.Errorf("freehold %s does not say where to sign in:\n%s", args[0], r.stderr)
		}
	}
	for _, a := range accounts {
		if diff := cmp.Diff(before[a], l.Changes(a)); diff != "" {
			t.Errorf("something was changed in account %s (-before +after):\n%s", a, diff)
		}
	}
}
