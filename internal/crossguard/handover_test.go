package crossguard_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/emptypb"

	"freehold.dev/freehold/internal/crossguard"
	"freehold.dev/freehold/internal/crossguard/handover"
	"freehold.dev/freehold/internal/engine"
	"freehold.dev/freehold/internal/wait"
	"freehold.dev/freehold/policies"
)

// The pack's own process knows Freehold's rules. That another one decides shows
// that it was not the one that was asked.
func TestAnEngineIsGivenTheRulesOfWhoStartedIt(t *testing.T) {
	batches, _ := attempts(func(r policies.Rule) []policies.Example { return r.Good })
	batch := batches[len(batches)-1]
	rule := batch[0].rule
	rule.ID, rule.CheckStack = "FH999", nil
	rule.Check = func(policies.Resource, policies.Scope) policies.Verdict {
		return policies.Verdict{Answer: policies.Violated, Findings: []policies.Finding{{Message: "nothing is allowed here"}}}
	}
	env, err := crossguard.HandOver(t.Context(), []policies.Rule{rule}, "1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	e, cloud := newWorldWith(t, batch, env)
	_, err = e.Up(t.Context(), stackOf(batch), nil)
	failed, ok := errors.AsType[*engine.Error](err)
	if !ok || !errors.Is(err, engine.ErrPolicy) || len(failed.Policy) == 0 {
		t.Fatalf("got %v", err)
	}
	for _, f := range failed.Policy {
		if f.Rule != "FH999" {
			t.Errorf("%s was asked", f.Rule)
		}
	}
	if made := cloud.made.Load(); made > 0 {
		t.Errorf("%d resources were made", made)
	}
}

func TestAPackAndItsMessengerEndTogether(t *testing.T) {
	ask := func(ctx context.Context, t *testing.T) (messenger net.Conn, pack pulumirpc.AnalyzerClient) {
		t.Helper()
		env, err := crossguard.HandOver(ctx, policies.All(), "1.2.3")
		if err != nil {
			t.Fatal(err)
		}
		messenger, err = net.Dial("tcp", env[handover.Variable])
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = messenger.Close() })
		if _, err := messenger.Write([]byte("\n")); err != nil {
			t.Fatal(err)
		}
		port, err := bufio.NewReader(messenger).ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		conn, err := grpc.NewClient("127.0.0.1:"+strings.TrimSpace(port), grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		pack = pulumirpc.NewAnalyzerClient(conn)
		if info, err := pack.GetPluginInfo(ctx, &emptypb.Empty{}); err != nil || info.GetVersion() != "1.2.3" {
			t.Fatalf("%v, %v", info, err)
		}
		return messenger, pack
	}
	gone := func(t *testing.T, pack pulumirpc.AnalyzerClient) {
		t.Helper()
		err := wait.Until(t.Context(), wait.For{
			What: "the pack to end", Every: 10 * time.Millisecond, Within: 10 * time.Second, Now: time.Now,
		}, func(ctx context.Context) (bool, error) {
			_, err := pack.GetPluginInfo(ctx, &emptypb.Empty{})
			return err != nil, nil
		})
		if err != nil {
			t.Error(err)
		}
	}
	t.Run("the messenger is killed", func(t *testing.T) {
		messenger, pack := ask(t.Context(), t)
		if err := messenger.Close(); err != nil {
			t.Fatal(err)
		}
		gone(t, pack)
	})
	t.Run("who serves the pack has ended", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		messenger, pack := ask(ctx, t)
		cancel()
		gone(t, pack)
		if err := messenger.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, messenger); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error("the messenger was not told")
		}
	})
}

func TestAMessengerWithNothingToSayFails(t *testing.T) {
	here, there := net.Pipe()
	go func() {
		_, _ = bufio.NewReader(there).ReadString('\n')
		_ = there.Close()
	}()
	var said strings.Builder
	if err := handover.Carry(here, "127.0.0.1:1", &said); err == nil || said.Len() > 0 {
		t.Errorf("%v, %q", err, said.String())
	}
}
