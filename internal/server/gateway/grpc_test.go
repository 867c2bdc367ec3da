package gateway

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"

	freeholdv1 "freehold.dev/freehold/internal/api/freehold/v1"
)

// gRPC's own client is stricter about trailers than Connect's.
func TestGRPCsOwnClient(t *testing.T) {
	w := newWorld(t, nil)
	conn, err := grpc.NewClient("passthrough:///"+acme,
		grpc.WithTransportCredentials(credentials.NewTLS(w.tls.Clone())),
		grpc.WithContextDialer(func(ctx context.Context, addr string) (net.Conn, error) { return w.dialer()(ctx, "tcp", addr) }),
	)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	const list, stream = "/freehold.v1.OperationService/ListOperations", "/freehold.v1.OperationService/StreamOperationEvents"
	as := func(token string) context.Context {
		return metadata.AppendToOutgoingContext(t.Context(), "authorization", token, "freehold-org", "globex")
	}
	ours := as("Bearer token of acme")

	var answer freeholdv1.ListOperationsResponse
	if err := conn.Invoke(ours, list, &freeholdv1.ListOperationsRequest{}, &answer); err != nil || answer.GetOrg() != "acme" {
		t.Errorf("unary: %v, %v", &answer, err)
	}
	for reason, c := range map[string]struct {
		ctx       context.Context
		procedure string
		request   *freeholdv1.ListOperationsRequest
		want      *status.Status
	}{
		"an error of the service": {ours, list, &freeholdv1.ListOperationsRequest{PageToken: "forbidden"}, status.New(codes.PermissionDenied, "permission denied")},
		"no token":                {t.Context(), list, &freeholdv1.ListOperationsRequest{}, status.New(codes.Unauthenticated, "unauthenticated")},
		"a bad token":             {as("Bearer x"), list, &freeholdv1.ListOperationsRequest{}, status.New(codes.Unauthenticated, "unauthenticated")},
		"no such procedure":       {ours, "/freehold.v1.OperationService/Drop", &freeholdv1.ListOperationsRequest{}, status.New(codes.Unauthenticated, "unauthenticated")},
	} {
		err := conn.Invoke(c.ctx, c.procedure, c.request, &answer)
		if got := status.Convert(err); got.Code() != c.want.Code() || got.Message() != c.want.Message() {
			t.Errorf("%s: %v, want %v", reason, got, c.want)
		}
	}

	events, err := conn.NewStream(ours, &grpc.StreamDesc{ServerStreams: true}, stream)
	if err != nil {
		t.Fatal(err)
	}
	if err := events.SendMsg(&freeholdv1.StreamOperationEventsRequest{}); err != nil {
		t.Fatal(err)
	}
	if err := events.CloseSend(); err != nil {
		t.Fatal(err)
	}
	for want := int64(1); ; want++ {
		var event freeholdv1.StreamOperationEventsResponse
		err := events.RecvMsg(&event)
		if errors.Is(err, io.EOF) && want == 4 {
			break
		}
		if err != nil || event.GetEvent().GetSequence() != want {
			t.Fatalf("event %d: %v, %v", want, &event, err)
		}
	}

	reflection, err := reflectionv1.NewServerReflectionClient(conn).ServerReflectionInfo(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := reflection.Send(&reflectionv1.ServerReflectionRequest{MessageRequest: &reflectionv1.ServerReflectionRequest_ListServices{}}); err != nil {
		t.Fatal(err)
	}
	if services, err := reflection.Recv(); err != nil || !strings.Contains(services.String(), "freehold.v1.OperationService") || strings.Contains(services.String(), "internal") {
		t.Errorf("reflection: %v, %v", services, err)
	}
	if err := reflection.CloseSend(); err != nil {
		t.Fatal(err)
	}
}
