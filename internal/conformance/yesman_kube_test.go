package conformance_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil/rpcerror"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/structpb"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kubeschema "k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"freehold.dev/freehold/internal/sandbox"
	"freehold.dev/freehold/internal/sandbox/controlplane/controlplanetest"
	"freehold.dev/freehold/internal/sandbox/kubeprovider"
)

// kubeRow is one thing that a program, or somebody with kubectl, does, and what
// a provider has to say of it. $ns in objects is the namespace of the row's
// provider, and $x begins the names of what is in none.
type kubeRow struct {
	name  string
	typ   string
	given props  // is made first, and accepted
	hand  byHand // is done then
	do    string // one of doings
	with  props  // what the program says then; nil: what is given
	// auto, ignore and seconds are what the engine sends beside it.
	auto    *pulumirpc.CheckRequest_AutonamingOptions
	ignore  []string
	seconds float64
	want    string // a regular expression that all of the answer fits
}

// byHand is a write by somebody else, a merge patch by a named manager.
type byHand struct {
	manager string
	patch   string // "-" deletes
	create  props  // makes an object instead
}

// TestYesManKubernetes holds the sandbox's kubernetes provider against a real API
// server, and the official plugin, where it is on the PATH, against the same.
func TestYesManKubernetes(t *testing.T) {
	t.Parallel()
	_, rc := controlplanetest.Start(t)
	chains := map[string]*kubeChain{"sandbox": sandboxKube(t, rc)}
	if path, err := exec.LookPath("pulumi-resource-kubernetes"); err == nil {
		chains["official"] = officialKube(t, rc, path)
	} else {
		t.Logf("NOT TESTED on the official plugin: %v", err)
	}
	if len(kubeRows) < 40 {
		t.Errorf("there are %d rows", len(kubeRows))
	}
	for who, c := range chains {
		t.Run(who, func(t *testing.T) {
			t.Parallel()
			c.prepare(t, who)
			for i, r := range kubeRows {
				t.Run(r.name, func(t *testing.T) {
					t.Parallel()
					got := c.try(t, r, fmt.Sprintf("%s-%02d", who, i))
					t.Log(got)
					if !regexp.MustCompile("(?s)^" + r.want + "$").MatchString(got) {
						t.Errorf("it says\n%s\nand not\n%s", got, r.want)
					}
				})
			}
		})
	}
}

// kubeChain is one provider, with a hand on its cluster.
type kubeChain struct {
	provider pulumirpc.ResourceProviderClient
	hand     dynamic.Interface
	config   string // the kubeconfig
	// connect makes another instance of the provider.
	connect func(t *testing.T, settings props) pulumirpc.ResourceProviderClient
}

// kubeconfigOf writes how a server is reached as a kubeconfig.
func kubeconfigOf(t *testing.T, rc *rest.Config, server string) string {
	t.Helper()
	c := clientcmdapi.NewConfig()
	c.CurrentContext = "c"
	c.Contexts["c"] = &clientcmdapi.Context{Cluster: "k", AuthInfo: "u"}
	c.Clusters["k"] = &clientcmdapi.Cluster{Server: server, CertificateAuthorityData: rc.CAData}
	c.AuthInfos["u"] = &clientcmdapi.AuthInfo{
		Token: rc.BearerToken, ClientCertificateData: rc.CertData, ClientKeyData: rc.KeyData,
	}
	text, err := clientcmd.Write(*c)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func sandboxKube(t *testing.T, rc *rest.Config) *kubeChain {
	t.Helper()
	c := newKubeChain(t, rc)
	c.connect = func(t *testing.T, settings props) pulumirpc.ResourceProviderClient {
		t.Helper()
		p := kubeprovider.New(func(_ context.Context, kubeconfig string) (*rest.Config, error) {
			return clientcmd.RESTConfigFromKubeConfig([]byte(kubeconfig))
		}, time.Now)
		attached, err := sandbox.Attach(t.Context(), nil, sandbox.Kubernetes(p))
		if err != nil {
			t.Fatal(err)
		}
		_, port, _ := strings.Cut(attached, ":")
		return connected(t, port, settings)
	}
	c.provider = c.connect(t, props{"kubeconfig": c.config})
	return c
}

func officialKube(t *testing.T, rc *rest.Config, path string) *kubeChain {
	t.Helper()
	c := newKubeChain(t, rc)
	// Who takes what the plugin reports, and drops it.
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	pulumirpc.RegisterEngineServer(server, pulumirpc.UnimplementedEngineServer{})
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	c.connect = func(t *testing.T, settings props) pulumirpc.ResourceProviderClient {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), path, listener.Addr().String())
		cmd.Env = append(os.Environ(), "HOME="+t.TempDir())
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
		port, err := bufio.NewReader(out).ReadString('\n')
		if err != nil {
			t.Fatalf("%s says no port: %v", path, err)
		}
		return connected(t, strings.TrimSpace(port), settings)
	}
	c.provider = c.connect(t, props{"kubeconfig": c.config})
	return c
}

func newKubeChain(t *testing.T, rc *rest.Config) *kubeChain {
	t.Helper()
	hand, err := dynamic.NewForConfig(rc)
	if err != nil {
		t.Fatal(err)
	}
	return &kubeChain{hand: hand, config: kubeconfigOf(t, rc, rc.Host)}
}

func connected(t *testing.T, port string, settings props) pulumirpc.ResourceProviderClient {
	t.Helper()
	conn, err := grpc.NewClient("127.0.0.1:"+port, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(1<<28)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	p := pulumirpc.NewResourceProviderClient(conn)
	variables := map[string]string{}
	for k, v := range settings {
		variables["kubernetes:config:"+k] = fmt.Sprint(v)
	}
	if _, err := p.Configure(t.Context(), &pulumirpc.ConfigureRequest{
		Args: kubeWire(t, settings), AcceptSecrets: true, AcceptResources: true,
		Variables: variables, //nolint:staticcheck // the official provider reads its settings here
	}); err != nil {
		t.Fatal(err)
	}
	return p
}

func kubeWire(t *testing.T, m props) *structpb.Struct {
	t.Helper()
	s, err := plugin.MarshalProperties(resource.NewPropertyMapFromMap(m), plugin.MarshalOptions{KeepUnknowns: true, KeepSecrets: true})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// kubeValues opens secrets and leaves out what is the provider's own.
func kubeValues(t *testing.T, s *structpb.Struct) props {
	t.Helper()
	m, err := plugin.UnmarshalProperties(s, plugin.MarshalOptions{KeepUnknowns: true, SkipNulls: true})
	if err != nil {
		t.Fatal(err)
	}
	out := props{}
	for k, v := range m {
		if !resource.IsInternalPropertyKey(k) {
			out[string(k)] = v.Mappable()
		}
	}
	return out
}

// prepare makes what rows need.
func (c *kubeChain) prepare(t *testing.T, who string) {
	t.Helper()
	for _, o := range []props{
		{"apiVersion": "v1", "kind": "Namespace", "metadata": props{"name": "yes-" + who}},
		{"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": props{"name": "late-" + who}, "provisioner": "example.com/none", "volumeBindingMode": "WaitForFirstConsumer"},
	} {
		c.byHand(t, o, byHand{manager: "setup", create: o})
	}
}

// kubeState is what an engine keeps of one resource.
type kubeState struct {
	urn             string
	id              string
	inputs, outputs *structpb.Struct
}

// try does a row, and returns what comes of it as a line.
func (c *kubeChain) try(t *testing.T, r kubeRow, fresh string) string {
	t.Helper()
	who, _, _ := strings.Cut(fresh, "-")
	fill := func(p props) props { return filled(t, p, "yes-"+who, fresh) }
	s := kubeState{urn: "urn:pulumi:acme.bootstrap::freehold::" + r.typ + "::x"}
	with := fill(r.with)
	if r.hand.create != nil {
		o := fill(r.hand.create)
		c.byHand(t, o, byHand{manager: r.hand.manager, create: o})
	}
	if r.given != nil {
		given := fill(r.given)
		if r.with == nil {
			with = given
		}
		checked, err := c.provider.Check(t.Context(), &pulumirpc.CheckRequest{Urn: s.urn, News: kubeWire(t, given)})
		if err != nil {
			t.Fatalf("what is right is refused: %v", err)
		}
		made, err := c.provider.Create(t.Context(), &pulumirpc.CreateRequest{Urn: s.urn, Properties: checked.GetInputs(), Timeout: 20})
		if err != nil {
			t.Fatalf("what is right is refused: %v", err)
		}
		s.id, s.inputs, s.outputs = made.GetId(), checked.GetInputs(), made.GetProperties()
		if r.hand.patch != "" {
			c.byHand(t, given, r.hand)
		}
	}
	do := doings[r.do]
	if do == nil {
		t.Fatalf("there is no %q", r.do)
	}
	return do(c, t, r, s, with)
}

// filled puts in the namespace and the names of one provider.
func filled(t *testing.T, p props, ns, fresh string) props {
	t.Helper()
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	who, _, _ := strings.Cut(fresh, "-")
	var out props
	if err := json.Unmarshal([]byte(strings.NewReplacer("$ns", ns, "$x", fresh, "$who", who).Replace(string(text))), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// byHand does what somebody does to an object beside the provider.
func (c *kubeChain) byHand(t *testing.T, o props, h byHand) {
	t.Helper()
	meta, _ := o["metadata"].(props)
	if meta == nil {
		m, _ := o["metadata"].(map[string]any)
		meta = m
	}
	version, kind := fmt.Sprint(o["apiVersion"]), fmt.Sprint(o["kind"])
	gv, err := kubeschema.ParseGroupVersion(version)
	if err != nil {
		t.Fatal(err)
	}
	plural := strings.ToLower(kind) + "s"
	if strings.HasSuffix(kind, "Class") {
		plural = strings.ToLower(kind) + "es"
	}
	var r dynamic.ResourceInterface = c.hand.Resource(gv.WithResource(plural))
	if ns, set := meta["namespace"].(string); set {
		r = c.hand.Resource(gv.WithResource(plural)).Namespace(ns)
	}
	name := fmt.Sprint(meta["name"])
	switch {
	case h.create != nil:
		body, _ := json.Marshal(h.create)
		_, err = r.Patch(t.Context(), name, types.ApplyPatchType, body, metav1.PatchOptions{FieldManager: h.manager})
	case h.patch == "-":
		err = r.Delete(t.Context(), name, metav1.DeleteOptions{})
	default:
		_, err = r.Patch(t.Context(), name, types.MergePatchType, []byte(h.patch), metav1.PatchOptions{FieldManager: h.manager})
	}
	if err != nil {
		t.Fatal(err)
	}
}

// doings are what can be asked of a provider, each with its answer as a line.
var doings = map[string]func(c *kubeChain, t *testing.T, r kubeRow, s kubeState, with props) string{
	"check": func(c *kubeChain, t *testing.T, r kubeRow, s kubeState, with props) string {
		checked, err := c.check(t, r, s, with)
		if err != "" {
			return err
		}
		return oneLine(t, kubeValues(t, checked))
	},
	"preview": func(c *kubeChain, t *testing.T, r kubeRow, s kubeState, with props) string {
		return c.create(t, r, s, with, true)
	},
	"create": func(c *kubeChain, t *testing.T, r kubeRow, s kubeState, with props) string {
		return c.create(t, r, s, with, false)
	},
	"diff": func(c *kubeChain, t *testing.T, r kubeRow, s kubeState, with props) string {
		return c.diff(t, r, s, with)
	},
	"refresh": func(c *kubeChain, t *testing.T, r kubeRow, s kubeState, with props) string {
		read, err := c.provider.Read(t.Context(), &pulumirpc.ReadRequest{Urn: s.urn, Id: s.id, Inputs: s.inputs, Properties: s.outputs})
		if err != nil {
			return failure(err)
		}
		if read.GetId() == "" {
			return "gone"
		}
		s.inputs, s.outputs = read.GetInputs(), read.GetProperties()
		return c.diff(t, r, s, with)
	},
	"preview of an update": func(c *kubeChain, t *testing.T, r kubeRow, s kubeState, with props) string {
		return c.update(t, r, s, with, true)
	},
	"update": func(c *kubeChain, t *testing.T, r kubeRow, s kubeState, with props) string {
		return c.update(t, r, s, with, false)
	},
	"delete": func(c *kubeChain, t *testing.T, r kubeRow, s kubeState, _ props) string {
		if _, err := c.provider.Delete(t.Context(), &pulumirpc.DeleteRequest{Urn: s.urn, Id: s.id, Properties: s.outputs, OldInputs: s.inputs, Timeout: r.seconds}); err != nil {
			return failure(err)
		}
		return "gone"
	},
	"configure anew": func(c *kubeChain, t *testing.T, r kubeRow, _ kubeState, with props) string {
		old := props{"kubeconfig": testKubeconfig("https://a.example.com", "u")}
		news := maps.Clone(with)
		if was, ok := news["was"].(map[string]any); ok {
			maps.Copy(old, was)
			delete(news, "was")
		}
		for _, m := range []props{old, news} {
			if server, ok := m["kubeconfig"].(string); ok && strings.HasPrefix(server, "https://") {
				at, user, _ := strings.Cut(server, " ")
				m["kubeconfig"] = testKubeconfig(at, user)
			}
			if m["kubeconfig"] == "unknown" {
				m["kubeconfig"] = resource.MakeComputed(resource.NewProperty(""))
			}
		}
		resp, err := c.provider.DiffConfig(t.Context(), &pulumirpc.DiffRequest{
			Urn: "urn:pulumi:acme.bootstrap::freehold::pulumi:providers:kubernetes::cluster", Olds: kubeWire(t, old), News: kubeWire(t, news),
		})
		if err != nil {
			return failure(err)
		}
		if len(resp.GetReplaces()) == 0 {
			return "kept"
		}
		return "replaced: " + strings.Join(resp.GetReplaces(), " ")
	},
	// What is asked while the cluster cannot be reached: with says what, and the settings.
	"unreachable": func(c *kubeChain, t *testing.T, _ kubeRow, s kubeState, with props) string {
		settings, _ := with["settings"].(map[string]any)
		settings = maps.Clone(settings)
		if settings == nil {
			settings = props{}
		}
		settings["kubeconfig"] = testKubeconfig("https://127.0.0.1:1", "u")
		p := c.connect(t, settings)
		switch with["ask"] {
		case "create":
			_, err := p.Create(t.Context(), &pulumirpc.CreateRequest{Urn: s.urn, Properties: s.inputs})
			return failure(err)
		case "preview":
			_, err := p.Create(t.Context(), &pulumirpc.CreateRequest{Urn: s.urn, Properties: s.inputs, Preview: true})
			return failure(err)
		case "delete":
			_, err := p.Delete(t.Context(), &pulumirpc.DeleteRequest{Urn: s.urn, Id: s.id, Properties: s.outputs})
			return failure(err)
		}
		read, err := p.Read(t.Context(), &pulumirpc.ReadRequest{Urn: s.urn, Id: s.id, Inputs: s.inputs, Properties: s.outputs})
		if err == nil && read.GetId() == "" {
			return "gone"
		}
		return failure(err)
	},
}

func testKubeconfig(server, user string) string {
	return `{"apiVersion":"v1","kind":"Config","current-context":"c","contexts":[{"name":"c","context":{"cluster":"k","user":"` + user +
		`"}}],"clusters":[{"name":"k","cluster":{"server":"` + server + `"}}],"users":[{"name":"` + user + `","user":{"token":"x"}}]}`
}

// check returns the checked inputs, or what is wrong with them.
func (c *kubeChain) check(t *testing.T, r kubeRow, s kubeState, with props) (*structpb.Struct, string) {
	t.Helper()
	resp, err := c.provider.Check(t.Context(), &pulumirpc.CheckRequest{
		Urn: s.urn, Olds: s.inputs, News: kubeWire(t, with), Autonaming: r.auto, RandomSeed: []byte("seed"),
	})
	if err != nil {
		return nil, failure(err)
	}
	if len(resp.GetFailures()) > 0 {
		return nil, "error: " + resp.GetFailures()[0].GetReason()
	}
	return resp.GetInputs(), ""
}

func (c *kubeChain) create(t *testing.T, r kubeRow, s kubeState, with props, preview bool) string {
	t.Helper()
	inputs, wrong := c.check(t, r, s, with)
	if wrong != "" {
		return wrong
	}
	resp, err := c.provider.Create(t.Context(), &pulumirpc.CreateRequest{Urn: s.urn, Properties: inputs, Timeout: r.seconds, Preview: preview})
	if err != nil {
		return failure(err)
	}
	out := kubeValues(t, resp.GetProperties())
	delete(out, "status")
	return "made " + resp.GetId()
}

// update returns what the object has afterwards.
func (c *kubeChain) update(t *testing.T, r kubeRow, s kubeState, with props, preview bool) string {
	t.Helper()
	news, wrong := c.check(t, r, s, with)
	if wrong != "" {
		return wrong
	}
	resp, err := c.provider.Update(t.Context(), &pulumirpc.UpdateRequest{
		Urn: s.urn, Id: s.id, Olds: s.outputs, OldInputs: s.inputs, News: news, Preview: preview, Timeout: r.seconds, IgnoreChanges: r.ignore,
	})
	if err != nil {
		return failure(err)
	}
	out := kubeValues(t, resp.GetProperties())
	meta, _ := out["metadata"].(map[string]any)
	return oneLine(t, props{"data": out["data"], "labels": meta["labels"]})
}

// diff says what an update would change.
func (c *kubeChain) diff(t *testing.T, r kubeRow, s kubeState, with props) string {
	t.Helper()
	news, wrong := c.check(t, r, s, with)
	if wrong != "" {
		return wrong
	}
	resp, err := c.provider.Diff(t.Context(), &pulumirpc.DiffRequest{
		Urn: s.urn, Id: s.id, Olds: s.outputs, OldInputs: s.inputs, News: news, IgnoreChanges: r.ignore,
	})
	if err != nil {
		return failure(err)
	}
	if resp.GetChanges() == pulumirpc.DiffResponse_DIFF_NONE {
		return "same"
	}
	var lines []string
	for _, path := range slices.Sorted(maps.Keys(resp.GetDetailedDiff())) {
		lines = append(lines, resp.GetDetailedDiff()[path].GetKind().String()+" "+path)
	}
	if resp.GetDeleteBeforeReplace() {
		lines = append(lines, "delete first")
	}
	return strings.Join(lines, "; ")
}

// failure is an error with all of its reasons; "accepted" is none.
func failure(err error) string {
	if err == nil {
		return "accepted"
	}
	known, ok := rpcerror.FromError(err)
	if !ok {
		return "error: " + err.Error()
	}
	text := "error: " + known.Message()
	for _, d := range known.Details() {
		if f, ok := d.(*pulumirpc.ErrorResourceInitFailed); ok {
			text = "kept: " + strings.Join(f.GetReasons(), " | ")
		}
	}
	return text
}

func oneLine(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
