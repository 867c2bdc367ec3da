package engine_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"
)

// strangers is the variable by which this test, run again, is a process that calls
// whoever serves at these ports, and prints what became of each call.
const strangers = "ENGINE_TEST_STRANGER"

// attempts are the calls of whoever found a port: each is a way to make something, to
// read something, or to have a run say what did not happen.
var attempts = []struct {
	method  string
	in, out proto.Message
}{
	{"ResourceMonitor/SupportsFeature", &pulumirpc.SupportsFeatureRequest{Id: "secrets"}, &pulumirpc.SupportsFeatureResponse{}},
	{"ResourceMonitor/RegisterResource", &pulumirpc.RegisterResourceRequest{Type: "test:index:Group", Name: "mallory"}, &pulumirpc.RegisterResourceResponse{}},
	{"ResourceMonitor/RegisterResource", &pulumirpc.RegisterResourceRequest{Type: "pulumi:providers:fleet", Name: "mallory", Custom: true}, &pulumirpc.RegisterResourceResponse{}},
	{"ResourceMonitor/RegisterResource", &pulumirpc.RegisterResourceRequest{Type: "fleet:index:Ship", Name: "mallory", Custom: true, ImportId: "another's"}, &pulumirpc.RegisterResourceResponse{}},
	{"ResourceMonitor/ReadResource", &pulumirpc.ReadResourceRequest{Type: "fleet:index:Ship", Name: "mallory", Id: "another's"}, &pulumirpc.ReadResourceResponse{}},
	{"ResourceMonitor/RegisterResourceOutputs", &pulumirpc.RegisterResourceOutputsRequest{Urn: "urn:pulumi:acme.account::freehold::test:index:Group::g", Outputs: &structpb.Struct{}}, &emptypb.Empty{}},
	{"ResourceMonitor/Invoke", &pulumirpc.ResourceInvokeRequest{Tok: "fleet:index:secret"}, &pulumirpc.InvokeResponse{}},
	{"ResourceMonitor/SignalAndWaitForShutdown", &emptypb.Empty{}, &emptypb.Empty{}},
	{"Engine/GetRootResource", &pulumirpc.GetRootResourceRequest{}, &pulumirpc.GetRootResourceResponse{}},
	{"Engine/Log", &pulumirpc.LogRequest{Severity: pulumirpc.LogSeverity_ERROR, Message: "mallory was here"}, &emptypb.Empty{}},
	{"LanguageRuntime/Run", &pulumirpc.RunRequest{MonitorAddress: "127.0.0.1:1", Stack: "acme.account", Project: "freehold"}, &pulumirpc.RunResponse{}},
	{"Analyzer/Analyze", &pulumirpc.AnalyzeRequest{Type: "test:index:Group", Name: "mallory"}, &pulumirpc.AnalyzeResponse{}},
	{"ResourceProvider/Create", &pulumirpc.CreateRequest{Urn: "urn:pulumi:acme.account::freehold::fleet:index:Ship::mallory", Name: "mallory"}, &pulumirpc.CreateResponse{}},
}

// beStranger prints a line "port method code" for each attempt, or for the first alone.
func beStranger(ports string) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	tries := attempts
	if harmless, ok := strings.CutPrefix(ports, "harmless,"); ok {
		ports, tries = harmless, attempts[:1]
	}
	for port := range strings.SplitSeq(ports, ",") {
		conn, err := grpc.NewClient("127.0.0.1:"+port, grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		for _, a := range tries {
			err := conn.Invoke(ctx, "/pulumirpc."+a.method, a.in, a.out)
			fmt.Println(port, a.method, status.Code(err))
		}
		_ = conn.Close()
	}
}
