package lab

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	organizationstypes "github.com/aws/aws-sdk-go-v2/service/organizations/types"

	"freehold.dev/freehold/internal/iam"
)

// The variables by which "make conformance" tells the tests what there is.
const (
	// enabled is set by the lane, and by nothing else.
	enabled = "FREEHOLD_CONFORMANCE"
	// emulatorCommand starts the emulator; "-H HOST -p PORT" is appended.
	emulatorCommand = "FREEHOLD_CONFORMANCE_EMULATOR"
	// endpoint is an AWS API that runs already, instead.
	endpoint = "FREEHOLD_CONFORMANCE_ENDPOINT"
	// started is a file that gets the name of each test that starts a lab: the
	// lane tells by it that it was not skipped.
	started = "FREEHOLD_CONFORMANCE_STARTED"
	// tools is the folder of bin/: freehold, pulumi and freehold-kube.
	tools = "FREEHOLD_TOOLS"
)

const (
	// ManagementAccount is the account of a key that the emulator does not know.
	ManagementAccount = "123456789012"
	// Region is where the lab's data planes are.
	Region = "eu-central-1"
	// Provisioner is the role that Freehold runs as.
	Provisioner = "arn:aws:iam::" + ManagementAccount + ":role/freehold-provisioner"
	// AccessRole is the role that Organizations makes in an account that it vends.
	AccessRole = "OrganizationAccountAccessRole"
)

// Lab is one emulated AWS with an organization, its front, and a user's machine
// in front of both.
type Lab struct {
	t     testing.TB
	dir   string
	Front *Front
	// direct reaches the emulator without the front: what the lab does by
	// itself is in no record.
	direct aws.Config
	env    map[string]string
	planes *planes
	// refresh signs the machine in anew, now.
	refresh func()
	// awsCommand is the folder of the aws command for scripts.
	awsCommand func() (string, error)
}

// Start starts a lab for as long as the test. Out of the lane it skips the
// test, and says so.
func Start(t testing.TB) *Lab {
	t.Helper()
	if os.Getenv(enabled) == "" {
		t.Skip("NOT TESTED against genuine provider code and an AWS emulator: run make conformance")
	}
	if err := record(os.Getenv(started), t.Name()); err != nil {
		t.Fatalf("lab: record that %s asks the emulator: %v", t.Name(), err)
	}
	l := &Lab{t: t, dir: t.TempDir()}
	l.awsCommand = sync.OnceValues(l.serveAWSCommand)
	address := emulator(t, l.endpointsFile())
	front, err := newFront(address, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = front.Close() })
	l.Front = front
	l.direct = aws.Config{
		Region:       Region,
		BaseEndpoint: aws.String("http://" + address),
		Credentials:  credentials.NewStaticCredentialsProvider("testing", "testing", ""),
	}
	front.trust = l.trusts
	if err := l.found(t.Context()); err != nil {
		t.Fatalf("lab: found the organization: %v", err)
	}
	if err := l.signIn(); err != nil {
		t.Fatalf("lab: sign in as the provisioner: %v", err)
	}
	return l
}

// record adds a line to a file, where there is one.
func record(file, line string) error {
	if file == "" {
		return nil
	}
	f, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(line + "\n")
	return errors.Join(err, f.Close())
}

// found makes what is there before Freehold comes: an organization with both
// kinds of policies enabled, and the provisioner's role.
func (l *Lab) found(ctx context.Context) error {
	org := organizations.NewFromConfig(l.direct)
	if _, err := org.CreateOrganization(ctx, &organizations.CreateOrganizationInput{
		FeatureSet: organizationstypes.OrganizationFeatureSetAll,
	}); err != nil {
		return err
	}
	roots, err := org.ListRoots(ctx, &organizations.ListRootsInput{})
	if err != nil {
		return err
	}
	for _, kind := range []organizationstypes.PolicyType{
		organizationstypes.PolicyTypeServiceControlPolicy, organizationstypes.PolicyTypeResourceControlPolicy,
	} {
		_, err := org.EnablePolicyType(ctx, &organizations.EnablePolicyTypeInput{RootId: roots.Roots[0].Id, PolicyType: kind})
		if _, is := errors.AsType[*organizationstypes.PolicyTypeAlreadyEnabledException](err); err != nil && !is {
			return err
		}
	}
	return l.role(ctx, l.direct, "freehold-provisioner", trust("arn:aws:iam::"+ManagementAccount+":root", ""))
}

// Adopt makes a customer's own account, with a role that the provisioner may
// assume when it gives the external id, and returns the role's ARN.
func (l *Lab) Adopt(account, role, externalID string) string {
	l.t.Helper()
	if err := l.role(l.t.Context(), l.In(account), role, trust(Provisioner, externalID)); err != nil {
		l.t.Fatalf("lab: make account %s: %v", account, err)
	}
	return "arn:aws:iam::" + account + ":role/" + role
}

func (l *Lab) role(ctx context.Context, cfg aws.Config, name, trust string) error {
	_, err := awsiam.NewFromConfig(cfg).CreateRole(ctx, &awsiam.CreateRoleInput{
		RoleName: aws.String(name), AssumeRolePolicyDocument: aws.String(trust),
	})
	return err
}

// Dir is a folder of the lab's own.
func (l *Lab) Dir(elem ...string) string {
	return filepath.Join(append([]string{l.dir}, elem...)...)
}

// Setenv gives the test's own process the environment of a user's machine: the
// endpoint is the front, the credentials are those of the provisioner, fetched
// anew before they expire.
func (l *Lab) Setenv() {
	l.t.Helper()
	t, ok := l.t.(interface{ Setenv(key, value string) })
	if !ok {
		l.t.Fatal("lab: this test cannot set variables")
	}
	for k, v := range l.env {
		t.Setenv(k, v)
	}
}

// Command makes a command of a user's machine.
func (l *Lab) Command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = l.environ()
	cmd.Dir = l.dir
	cmd.WaitDelay = 5 * time.Second
	return cmd
}

// environ is the environment of the lab's commands: nothing of AWS that this
// process was started with, and what the machine has. An empty variable is
// left out, because the aws command takes an empty profile for a name.
func (l *Lab) environ() []string {
	env := slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "AWS_") })
	for k, v := range l.env {
		if v != "" {
			env = append(env, k+"="+v)
		}
	}
	return env
}

// Tool returns the path of one of the programs that "make build" built.
func (l *Lab) Tool(name string) string {
	l.t.Helper()
	path := filepath.Join(os.Getenv(tools), name)
	if _, err := os.Stat(path); err != nil {
		l.t.Fatalf("lab: %v: run make conformance, which builds it", err)
	}
	return path
}

// Plugin returns the path of a genuine provider plugin, or skips the test and
// says how to get it.
func (l *Lab) Plugin(name string) string {
	l.t.Helper()
	path, err := exec.LookPath("pulumi-resource-" + name)
	if err != nil {
		l.t.Skipf("NOT TESTED on genuine provider code: %v: run pulumi plugin install resource %s, and put it on PATH", err, name)
	}
	return path
}

// machine is the environment of a user's machine.
func (l *Lab) machine(credentialsFile string) map[string]string {
	config := l.Dir("aws-config")
	text := "[default]\nregion = " + Region + "\ncredential_process = cat " + credentialsFile + "\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		l.t.Fatal(err)
	}
	url := l.Front.URL()
	_, port, _ := strings.Cut(strings.TrimPrefix(url, "http://"), ":")
	return map[string]string{
		"AWS_ENDPOINT_URL": url,
		// S3 Control puts the account in front of the host, and no resolver
		// knows that name; the front is asked as a proxy.
		"AWS_ENDPOINT_URL_S3_CONTROL": "http://s3-control.localhost:" + port,
		"HTTP_PROXY":                  url,
		"NO_PROXY":                    "127.0.0.1",
		"AWS_CONFIG_FILE":             config,
		"AWS_SHARED_CREDENTIALS_FILE": l.Dir("no-credentials"),
		"AWS_REGION":                  Region,
		"AWS_DEFAULT_REGION":          Region, // the first aws command knows no other
		"AWS_EC2_METADATA_DISABLED":   "true",
		"AWS_ACCESS_KEY_ID":           "",
		"AWS_SECRET_ACCESS_KEY":       "",
		"AWS_SESSION_TOKEN":           "",
		"AWS_PROFILE":                 "",
		"AWS_PAGER":                   "",
		// No run of the lane asks for anything from outside.
		"PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
	}
}

// trust is a trust policy for one principal, with an external id if there is one.
func trust(principal, externalID string) string {
	s := iam.Statement{
		Effect: iam.Allow, Principal: iam.Principals(principal), Action: iam.Values{"sts:AssumeRole"},
	}
	if externalID != "" {
		s.Condition = iam.Condition{"StringEquals": {"sts:ExternalId": {externalID}}}
	}
	return iam.New(s).String()
}
