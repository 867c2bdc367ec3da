package conformance_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/eks"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"

	"freehold.dev/freehold/internal/conformance/lab"
	"freehold.dev/freehold/internal/sandbox/awsprovider"
	"freehold.dev/freehold/internal/sandbox/store"
)

// props are a resource's inputs, as a program writes them.
type props = map[string]any

// chain is one AWS with the provider in front of it: the genuine provider on an
// emulator, or the sandbox's own provider on the sandbox.
type chain struct {
	name string
	// management is the organization's own account, root the root of its tree.
	management, root string
	// adopted is the ARN of the role of a customer's own account.
	adopted string
	// start starts one more provider, not configured yet.
	start func(t *testing.T) (pulumirpc.ResourceProviderClient, error)
	// protect switches a cluster's deletion protection, which no provider knows.
	protect func(t *testing.T, account, cluster string, on bool) error
	// refused tells the AWS errors since a time of calls that would change something
	// and say one of the names.
	refused func(since time.Time, names []string) []string
}

// The account that is not the organization's, and how its role is assumed.
const (
	adoptedAccount = "444455556666"
	adoptedRole    = "freehold-onboarding"
	adoptedID      = "an-external-id-of-the-customer"
)

// genuine is the provider that the stacks run on outside of the sandbox, found
// as the engine finds it, on the lab's emulator.
func genuine(t *testing.T, l *lab.Lab) *chain {
	t.Helper()
	path := l.Plugin("aws")
	roots, err := organizations.NewFromConfig(l.In(lab.ManagementAccount)).ListRoots(t.Context(), &organizations.ListRootsInput{})
	if err != nil {
		t.Fatal(err)
	}
	return &chain{
		name: "genuine", management: lab.ManagementAccount, root: *roots.Roots[0].Id,
		adopted: l.Adopt(adoptedAccount, adoptedRole, adoptedID),
		start:   func(t *testing.T) (pulumirpc.ResourceProviderClient, error) { return launch(t, l, path) },
		protect: func(t *testing.T, account, cluster string, on bool) error {
			_, err := eks.NewFromConfig(l.In(account)).UpdateClusterConfig(t.Context(), &eks.UpdateClusterConfigInput{Name: &cluster, DeletionProtection: &on})
			return err
		},
		refused: func(since time.Time, names []string) []string {
			var errs []string
			for _, c := range l.Front.Calls() {
				said := c.Path + c.Form.Encode() + string(c.Body)
				named := slices.ContainsFunc(names, func(name string) bool { return strings.Contains(said, name) })
				if c.Error != "" && c.Time.After(since) && named && changes(c) && !slices.Contains(errs, c.Error) {
					errs = append(errs, c.Error)
				}
			}
			return errs
		},
	}
}

// changes reports whether a call would change something: only then its error is a refusal.
func changes(c lab.Call) bool {
	if c.Action == "" {
		return c.Method != "GET" && c.Method != "HEAD"
	}
	for _, reads := range []string{"Describe", "Get", "List"} {
		if strings.HasPrefix(c.Action, reads) {
			return false
		}
	}
	return true
}

// sandboxed is the sandbox's provider on a sandbox of its own. Quotas are out of
// the way: what they refuse is no refusal of the inputs.
func sandboxed(t *testing.T) *chain {
	t.Helper()
	s, err := store.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	backend, err := awsprovider.New(t.Context(), awsprovider.Options{
		Store: s, Env: awsprovider.Env{Now: time.Now}, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, quota := range []string{"ec2:vpcs", "ec2:elastic-ips", "ec2:internet-gateways", "organizations:accounts", "cloudtrail:trails"} {
		if err := backend.SetQuota(t.Context(), quota, 100); err != nil {
			t.Fatal(err)
		}
	}
	if err := backend.Adopt(t.Context(), adoptedAccount, adoptedRole, adoptedID); err != nil {
		t.Fatal(err)
	}
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := grpc.NewServer(awsprovider.ServerOptions()...)
	awsprovider.Register(g, backend)
	go func() {
		// It returns when it is stopped; a loopback listener has no other end.
		_ = g.Serve(l)
	}()
	t.Cleanup(g.Stop)
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return &chain{
		name: "sandbox", management: awsprovider.ManagementAccount, root: awsprovider.RootID,
		adopted: "arn:aws:iam::" + adoptedAccount + ":role/" + adoptedRole,
		start:   func(t *testing.T) (pulumirpc.ResourceProviderClient, error) { return dial(t, port) },
		protect: func(t *testing.T, account, cluster string, on bool) error {
			found, err := backend.Change(t.Context(), awsprovider.Root(account, lab.Region), awsprovider.TypeOf(clusterToken), cluster, "UpdateClusterConfig",
				func(out map[string]any) { out[awsprovider.DeletionProtection] = on })
			if err == nil && !found {
				err = fmt.Errorf("no cluster %s", cluster)
			}
			return err
		},
		refused: func(time.Time, []string) []string { return nil },
	}
}

// engine takes a plugin's log, as the engine would.
type engine struct {
	pulumirpc.UnimplementedEngineServer
}

func (engine) Log(context.Context, *pulumirpc.LogRequest) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

// serveEngine serves an engine for plugins to log to, and returns its address.
func serveEngine(t *testing.T) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer()
	pulumirpc.RegisterEngineServer(s, engine{})
	go func() {
		// It returns when it is stopped; a loopback listener has no other end.
		_ = s.Serve(l)
	}()
	t.Cleanup(s.Stop)
	return l.Addr().String()
}

// launch starts a plugin as the engine does: it is told where the engine is,
// and says on its first line where it is itself.
func launch(t *testing.T, l *lab.Lab, path string) (pulumirpc.ResourceProviderClient, error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cmd := l.Command(ctx, path, serveEngine(t))
	// Killed outright it could not end what it started itself.
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	out, err := cmd.StdoutPipe()
	if err != nil {
		cancel()
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		cancel()
		return nil, err
	}
	t.Cleanup(func() { stop(cmd, cancel) })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return nil, fmt.Errorf("%s did not say its port: %w", path, err)
	}
	return dial(t, strings.TrimSpace(line))
}

func stop(cmd *exec.Cmd, cancel context.CancelFunc) {
	cancel()
	_ = cmd.Wait() // it was told to end: its status says no more than that
}

func dial(t *testing.T, port string) (pulumirpc.ResourceProviderClient, error) {
	t.Helper()
	if _, err := strconv.Atoi(port); err != nil {
		return nil, fmt.Errorf("%q is no port", port)
	}
	conn, err := grpc.NewClient("127.0.0.1:"+port, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(400<<20)))
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { _ = conn.Close() })
	return pulumirpc.NewResourceProviderClient(conn), nil
}

// configured is one provider of a chain, in one account.
type configured struct {
	chain  *chain
	client pulumirpc.ResourceProviderClient
}

// refusal is what a provider said when it refused a step. Anything else that
// goes wrong is an error of the test.
type refusal struct{ text string }

func (r *refusal) Error() string { return r.text }

// connect starts a provider with the settings that a stack gives: what is no
// text goes over the wire as JSON.
func (c *chain) connect(t *testing.T, config props) (*configured, error) {
	t.Helper()
	client, err := c.start(t)
	if err != nil {
		t.Fatalf("%s: %v", c.name, err)
	}
	wire := resource.PropertyMap{}
	for k, v := range config {
		text, is := v.(string)
		if !is {
			encoded, err := json.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			text = string(encoded)
		}
		wire[resource.PropertyKey(k)] = resource.NewStringProperty(text)
	}
	const urn = "urn:pulumi:test::conformance::pulumi:providers:aws::org"
	if _, err := client.Handshake(t.Context(), &pulumirpc.ProviderHandshakeRequest{}); err != nil && status.Code(err) != codes.Unimplemented {
		t.Fatalf("%s: handshake: %v", c.name, err)
	}
	checked, err := client.CheckConfig(t.Context(), &pulumirpc.CheckRequest{Urn: urn, News: marshal(t, wire)})
	if err != nil {
		return nil, &refusal{err.Error()}
	}
	if len(checked.GetFailures()) > 0 {
		return nil, &refusal{failures(checked)}
	}
	if _, err := client.Configure(t.Context(), &pulumirpc.ConfigureRequest{
		Args: checked.GetInputs(), AcceptSecrets: true, AcceptResources: true, SendsOldInputs: true, SendsOldInputsToDelete: true,
	}); err != nil {
		return nil, &refusal{err.Error()}
	}
	return &configured{chain: c, client: client}, nil
}

func failures(r *pulumirpc.CheckResponse) string {
	var all []string
	for _, f := range r.GetFailures() {
		all = append(all, f.GetProperty()+": "+f.GetReason())
	}
	return strings.Join(all, "; ")
}

func marshal(t *testing.T, m resource.PropertyMap) *structpb.Struct {
	t.Helper()
	s, err := plugin.MarshalProperties(m, plugin.MarshalOptions{KeepUnknowns: true, KeepSecrets: true})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func unmarshal(t *testing.T, s *structpb.Struct) resource.PropertyMap {
	t.Helper()
	m, err := plugin.UnmarshalProperties(s, plugin.MarshalOptions{KeepUnknowns: true, SkipNulls: true})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// made is one resource, as its provider knows it.
type made struct {
	token, name string
	id          string
	in, out     resource.PropertyMap
}

func (m *made) urn() string { return urnOf(m.token, m.name) }

func urnOf(token, name string) string {
	return "urn:pulumi:test::conformance::" + token + "::" + name
}

// check returns the inputs as the provider completes them.
func (c *configured) check(t *testing.T, token, name string, olds, news resource.PropertyMap) (resource.PropertyMap, error) {
	t.Helper()
	req := &pulumirpc.CheckRequest{Urn: urnOf(token, name), Name: name, Type: token, News: marshal(t, news), RandomSeed: []byte("01234567890123456789012345678901")}
	if olds != nil {
		req.Olds = marshal(t, olds)
	}
	resp, err := c.client.Check(t.Context(), req)
	if err != nil {
		return nil, &refusal{err.Error()}
	}
	if len(resp.GetFailures()) > 0 {
		return nil, &refusal{failures(resp)}
	}
	return unmarshal(t, resp.GetInputs()), nil
}

// create checks the inputs and makes the resource. The words tell its calls from
// others'; without any it is waited for as long as it takes.
func (c *configured) create(t *testing.T, token, name string, in resource.PropertyMap, words ...string) (*made, error) {
	t.Helper()
	checked, err := c.check(t, token, name, nil, in)
	if err != nil {
		return nil, err
	}
	var resp *pulumirpc.CreateResponse
	err = c.patiently(t, words, func(ctx context.Context) error {
		resp, err = c.client.Create(ctx, &pulumirpc.CreateRequest{Urn: urnOf(token, name), Name: name, Type: token, Properties: marshal(t, checked), Timeout: 240})
		return err
	})
	if err != nil {
		return nil, err
	}
	return &made{token: token, name: name, id: resp.GetId(), in: checked, out: unmarshal(t, resp.GetProperties())}, nil
}

// diff compares a resource with other inputs for it.
func (c *configured) diff(t *testing.T, m *made, news resource.PropertyMap) (*pulumirpc.DiffResponse, error) {
	t.Helper()
	resp, err := c.client.Diff(t.Context(), &pulumirpc.DiffRequest{
		Urn: m.urn(), Name: m.name, Type: m.token, Id: m.id, Olds: marshal(t, m.out), OldInputs: marshal(t, m.in), News: marshal(t, news),
	})
	if err != nil {
		return nil, &refusal{err.Error()}
	}
	return resp, nil
}

// update checks other inputs for a resource and changes it.
func (c *configured) update(t *testing.T, m *made, in resource.PropertyMap) error {
	t.Helper()
	checked, err := c.check(t, m.token, m.name, m.in, in)
	if err != nil {
		return err
	}
	if _, err := c.diff(t, m, checked); err != nil {
		return err
	}
	resp, err := c.client.Update(t.Context(), &pulumirpc.UpdateRequest{
		Urn: m.urn(), Name: m.name, Type: m.token, Id: m.id, Olds: marshal(t, m.out), OldInputs: marshal(t, m.in), News: marshal(t, checked), Timeout: 60,
	})
	if err != nil {
		return &refusal{err.Error()}
	}
	m.in, m.out = checked, unmarshal(t, resp.GetProperties())
	return nil
}

// patience is how long AWS may refuse before a provider is stopped: the genuine
// one asks again for minutes, in case what is in the way or missing is on its way.
const patience = 6 * time.Second

// patiently makes a call that changes what has one of the names, and stops it if
// AWS has refused that for long enough.
func (c *configured) patiently(t *testing.T, names []string, call func(context.Context) error) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	begun, done := time.Now(), make(chan error, 1)
	go func() { done <- call(ctx) }()
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case err := <-done:
			if err != nil {
				return &refusal{err.Error()}
			}
			return nil
		case <-tick.C:
		}
		if time.Since(begun) < patience {
			continue
		}
		if errs := c.chain.refused(begun, names); len(errs) > 0 {
			cancel()
			if err := <-done; err == nil {
				return nil // it was through at the last moment
			}
			return &refusal{strings.Join(errs, ", ")}
		}
	}
}

// delete takes a resource away.
func (c *configured) delete(t *testing.T, m *made) error {
	t.Helper()
	return c.patiently(t, []string{m.id}, func(ctx context.Context) error {
		_, err := c.client.Delete(ctx, &pulumirpc.DeleteRequest{
			Urn: m.urn(), Name: m.name, Type: m.token, Id: m.id, Properties: marshal(t, m.out), OldInputs: marshal(t, m.in), Timeout: 120,
		})
		return err
	})
}
