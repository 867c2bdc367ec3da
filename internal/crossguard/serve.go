package crossguard

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime/debug"
	"strings"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"freehold.dev/freehold/internal/crossguard/handover"
	"freehold.dev/freehold/internal/localhost"
	"freehold.dev/freehold/policies"
)

// engineLost is how often the pack looks whether its engine is still there. An
// orphan would hold the stack's lock, which it has inherited.
const engineLost = 5 * time.Second

// maxMessage is what the engine itself allows.
const maxMessage = 400 << 20

// Serve serves the pack until ctx ends or the engine at that address is gone.
// It says the port on stdout, and stdout carries nothing else.
func Serve(ctx context.Context, engine string, stdout io.Writer, rules []policies.Rule, version string, options ...Option) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if engine != "" {
		if err := rpcutil.Healthcheck(ctx, engine, engineLost, cancel); err != nil {
			return fmt.Errorf("watch the engine: %w", err)
		}
	}
	listener, err := localhost.Listen(ctx)
	if err != nil {
		return fmt.Errorf("serve the rules: %w", err)
	}
	server := grpc.NewServer(grpc.UnaryInterceptor(recovered), grpc.MaxRecvMsgSize(maxMessage))
	pulumirpc.RegisterAnalyzerServer(server, newServer(rules, version, options...))
	// Whoever still waits for an answer is told that there will be none.
	context.AfterFunc(ctx, server.Stop)
	if _, err := fmt.Fprintf(stdout, "%d\n", listener.Addr().(*net.TCPAddr).Port); err != nil {
		return errors.Join(fmt.Errorf("report to the engine where the rules are served: %w", err), listener.Close())
	}
	return server.Serve(listener)
}

// HandOver serves the pack from this process to the engines that it starts, until
// ctx ends. It returns the environment in which the processes that those start for
// the pack are messengers. A pack ends with its messenger, as it would with a
// process of its own, and the other way round.
func HandOver(ctx context.Context, rules []policies.Rule, version string, options ...Option) (map[string]string, error) {
	listener, err := localhost.Listen(ctx)
	if err != nil {
		return nil, fmt.Errorf("serve the rules: %w", err)
	}
	context.AfterFunc(ctx, func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return // it is closed
			}
			go take(ctx, conn, rules, version, options)
		}
	}()
	return map[string]string{handover.Variable: listener.Addr().String()}, nil
}

// take serves one messenger. What goes wrong ends the connection, and the engine
// then says that the pack is not there.
func take(ctx context.Context, conn net.Conn, rules []policies.Rule, version string, options []Option) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	context.AfterFunc(ctx, func() { _ = conn.Close() })
	from := bufio.NewReader(conn)
	engine, err := from.ReadString('\n')
	if err != nil {
		return
	}
	go func() {
		_, _ = io.Copy(io.Discard, from) // it has no more to say: this is its end
		cancel()
	}()
	_ = Serve(ctx, strings.TrimSpace(engine), conn, rules, version, options...) // see above
}

// recovered turns a panic into an error of the call, which stops the
// operation and says why. Unrecovered it would too, without a word.
func recovered(ctx context.Context, req any, _ *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (out any, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = status.Errorf(codes.Internal, "the policy pack panicked: %v\n%s", p, debug.Stack())
		}
	}()
	return handle(ctx, req)
}
