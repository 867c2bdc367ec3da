package gateway

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"connectrpc.com/connect/v2"
	"connectrpc.com/connect/v2/connecthttp"
	"connectrpc.com/grpcreflect/v2"
	"google.golang.org/protobuf/reflect/protoreflect"

	freeholdv1 "freehold.dev/freehold/internal/api/freehold/v1"
	"freehold.dev/freehold/internal/api/freehold/v1/freeholdv1connect"
	"freehold.dev/freehold/internal/server/edge"
	"freehold.dev/freehold/internal/server/route"
)

// get asks for the set of projects as the namespace controller does.
func (w *world) get(host, token string, headers ...string) *http.Response {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, "https://"+host+"/v1/projects", nil)
	if err != nil {
		w.t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", token)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Add(headers[i], headers[i+1])
	}
	resp, err := w.http(true).Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { resp.Body.Close() })
	return resp
}

func TestProjectsOverPlainHTTP(t *testing.T) {
	w := newWorld(t, nil)
	resp := w.get(acme, "Bearer token of acme")
	etag := resp.Header.Get("ETag")
	if got := dump(t, resp); etag != `"r1"` || !strings.Contains(got, "Content-Type: application/json") || !strings.Contains(got, `{"kind":"ProjectSet","org":"acme"}`) {
		t.Errorf("got %s", got)
	}
	if got := w.service.last().Header.Get("Freehold-Context"); !strings.HasSuffix(got, "to /freehold.v1.ProjectService/GetProjectSet") {
		t.Errorf("the token is for %s", got)
	}
	for tag, want := range map[string]int{etag: 304, "W/" + etag: 304, `"r0", "r1"`: 304, "*": 304, `"r0"`: 200, "r1": 200, "": 200} {
		if resp := w.get(acme, "Bearer token of acme", "If-None-Match", tag); resp.StatusCode != want || resp.Header.Get("ETag") != etag {
			t.Errorf("If-None-Match %s: %s, ETag %s", tag, resp.Status, resp.Header.Get("ETag"))
		}
	}
	w.service.mu.Lock()
	w.service.revision = "r2"
	w.service.mu.Unlock()
	if resp := w.get(acme, "Bearer token of acme", "If-None-Match", etag); resp.StatusCode != 200 || resp.Header.Get("ETag") != `"r2"` {
		t.Errorf("a new revision: %s, %s", resp.Status, resp.Header.Get("ETag"))
	}

	if resp := w.get(acme, ""); resp.StatusCode != 401 {
		t.Errorf("no token: %s", resp.Status)
	}
	if resp := w.get(globex, "Bearer token of acme"); resp.StatusCode != 401 {
		t.Errorf("on another host: %s", resp.Status)
	}
	w.service.mu.Lock()
	w.service.org = "globex"
	w.service.mu.Unlock()
	if resp := w.get(acme, "Bearer token of acme"); resp.StatusCode != 500 || strings.Contains(dump(t, resp), "globex") {
		t.Errorf("another org's set: %s", resp.Status)
	}
	w.service.mu.Lock()
	w.service.down = true
	w.service.mu.Unlock()
	resp = w.get(acme, "Bearer token of acme")
	after := resp.Header.Get("Retry-After")
	if got := dump(t, resp); resp.StatusCode != 503 || after != "30" || strings.Contains(got, "secret") {
		t.Errorf("the registry is away: Retry-After %s, %s", after, got)
	}
}

func TestOneOrgsRequestsDoNotCountForAnother(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.Limits.PerSecond, o.Limits.Burst = 0.01, 3 })
	ask := func(org string, options ...connecthttp.Option) error {
		client := w.client(org+"."+base, "Bearer token of "+org, options...)
		_, err := freeholdv1connect.NewOperationServiceClient(client).ListOperations(t.Context(), &freeholdv1.ListOperationsRequest{})
		return err
	}
	for range 3 {
		if err := ask("acme"); err != nil {
			t.Fatal(err)
		}
	}
	for name, options := range protocols {
		if err := ask("acme", options...); connect.CodeOf(err) != connect.CodeResourceExhausted || err.Error() != "resource_exhausted: too many requests" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if resp := w.get(acme, "Bearer token of acme"); resp.StatusCode != 429 || resp.Header.Get("Retry-After") == "" {
		t.Errorf("%s, Retry-After %q", resp.Status, resp.Header.Get("Retry-After"))
	}
	if err := ask("globex"); err != nil {
		t.Error(err)
	}
}

func TestAnOrgOverItsLimitDoesNotKeepIdentityBusyAndTellsNobodyThatItExists(t *testing.T) {
	var asked atomic.Int64
	w := newWorld(t, func(o *Options) {
		o.Limits.PerSecond, o.Limits.Burst, o.Identity = 0.01, 2, identity{asked: &asked}
	})
	for i, want := range []int{200, 200, 429, 429, 429} {
		if resp := w.get(acme, "Bearer token of acme"); resp.StatusCode != want {
			t.Errorf("request %d: %s", i+1, resp.Status)
		}
	}
	if n := asked.Load(); n != 2 {
		t.Errorf("identity was asked %d times", n)
	}
	busy, nobody := dump(t, w.get(acme, "Bearer x")), dump(t, w.get("nobody."+base, "Bearer x"))
	if busy != nobody || !strings.HasPrefix(busy, "401") {
		t.Errorf("an outsider can tell the org that is over its limit:\n%s\n%s", busy, nobody)
	}
}

func TestRecentTokensAreForgotten(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	r := newRecent(func() time.Time { return now })
	r.add(tokenKey{1})
	now = now.Add(recentFor + time.Second)
	if !r.has(tokenKey{1}) {
		t.Error("forgotten after half a minute")
	}
	now = now.Add(recentFor)
	if r.has(tokenKey{1}) {
		t.Error("remembered after a minute")
	}
	for i := range 5 * recentMost {
		r.add(tokenKey{byte(i), byte(i >> 8), byte(i >> 16)})
	}
	if n := len(r.new) + len(r.last); n > 2*recentMost {
		t.Errorf("%d tokens are remembered", n)
	}
}

func TestStreamsAndOtherRequestsAreBoundedApart(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.Limits.Streams, o.Limits.Concurrent = 1, 1 })
	client := w.operations()
	stream := w.follow(client)
	w.service.next <- struct{}{}
	receive(t, stream, 1)
	second, err := client.StreamOperationEvents(t.Context(), &freeholdv1.StreamOperationEventsRequest{Follow: true})
	if err == nil {
		_, err = second.Receive()
	}
	if connect.CodeOf(err) != connect.CodeResourceExhausted {
		t.Errorf("a second stream: %v", err)
	}
	if _, err := client.ListOperations(t.Context(), &freeholdv1.ListOperationsRequest{}); err != nil {
		t.Errorf("beside the stream: %v", err)
	}
	if err := stream.Close(); err != nil {
		t.Fatal(err)
	}
	// The place is free again once the gateway has noticed.
	eventually(t, func() bool { return sequences(t, client, &freeholdv1.StreamOperationEventsRequest{}) == "1 2 3 <nil>" })
}

func TestAnAddressPaysForFailuresOnly(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.Limits.FailuresBurst, o.Limits.FailuresPerSecond = 3, 0.01 })
	for range 10 {
		if resp := w.get(acme, "Bearer token of acme"); resp.StatusCode != 200 {
			t.Fatal(resp.Status)
		}
	}
	for range 3 {
		if resp := w.get(acme, "Bearer x"); resp.StatusCode != 401 {
			t.Fatal(resp.Status)
		}
	}
	// Before anybody is asked who that is: it would be a way to guess tokens.
	if resp := w.get(acme, "Bearer token of acme"); resp.StatusCode != 429 || resp.Header.Get("Retry-After") == "" {
		t.Errorf("%s, Retry-After %q", resp.Status, resp.Header.Get("Retry-After"))
	}
}

func TestARequestThatIsTooLargeReachesNoService(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.Bounds.BodyBytes = 1000 })
	for name, options := range protocols {
		if name == "Connect, compressed" || name == "gRPC, compressed" {
			continue // 2000 letters are few bytes then
		}
		_, err := w.operations(options...).ListOperations(t.Context(), &freeholdv1.ListOperationsRequest{PageToken: strings.Repeat("x", 2000)})
		if connect.CodeOf(err) != connect.CodeResourceExhausted && name != "Connect, GET" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if w.service.last() != nil && w.service.last().Method != http.MethodGet {
		t.Error("a service was reached")
	}
}

func TestIdentityThatCannotSayIsNotARefusal(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.Identity = identity{down: true} })
	resp := w.get(acme, "Bearer token of acme")
	if got := dump(t, resp); !strings.HasPrefix(got, "503") || !strings.Contains(got, "Retry-After: 1") || strings.Contains(got, "registry") {
		t.Errorf("got %s", got)
	}
}

func TestReflectionNeedsNoTokenAndHidesWhatIsBetweenServices(t *testing.T) {
	w := newWorld(t, nil)
	for _, host := range []string{acme, "op." + base, "nobody." + base} {
		client := grpcreflect.NewClient(w.client(host, "", connecthttp.WithGRPC()))
		stream := client.NewStream(t.Context())
		names, err := stream.ListServices()
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, n := range names {
			got = append(got, string(n))
		}
		if !slices.Contains(got, "freehold.v1.OperationService") || slices.ContainsFunc(got, func(n string) bool { return !strings.HasPrefix(n, "freehold.v1.") }) {
			t.Errorf("%s: %q", host, got)
		}
		if files, err := stream.FileContainingSymbol("freehold.v1.OperationService.ListOperations"); err != nil || len(files) == 0 {
			t.Errorf("%s: %v, %v", host, files, err)
		}
		for _, hidden := range []string{"freehold.internal.v1.IdentityService", "freehold.internal.v1.ExchangeRequest"} {
			if _, err := stream.FileContainingSymbol(protoreflect.FullName(hidden)); err == nil {
				t.Errorf("%s describes %s", host, hidden)
			}
		}
		if err := stream.Close(); err != nil && !errors.Is(err, io.EOF) {
			t.Error(err)
		}
	}
}

func TestAPublicHandlerNeedsNoToken(t *testing.T) {
	const path = "/.well-known/x"
	w := newWorld(t, func(o *Options) {
		o.Public = map[string]http.Handler{path: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			host, _ := edge.HostOf(r.Context())
			_, _ = io.WriteString(w, "public on "+host.Name)
		})}
	})
	resp, err := w.http(true).Get("https://" + acme + path)
	if err != nil {
		t.Fatal(err)
	}
	if got := dump(t, resp); !strings.Contains(got, "public on "+acme) {
		t.Errorf("got %s", got)
	}
}

func TestReady(t *testing.T) {
	w := newWorld(t, nil)
	if err := w.gateway.Ready(t.Context()); err != nil {
		t.Error(err)
	}
	if w.service.last() != nil {
		t.Error("the probe is a request that the service's guard would note")
	}
	away := func(s route.Service) {
		c := w.gateway.o.Callees[s]
		if c.Transport == nil {
			c = w.gateway.o.Callees[route.Control]
		}
		at := *c.URL
		at.Host = "127.0.0.1:1"
		c.URL = &at
		w.gateway.o.Callees[s] = c
	}
	away(route.Drift)
	if err := w.gateway.Ready(t.Context()); err != nil {
		t.Errorf("one service is away: %v", err)
	}
	if !strings.Contains(w.log.String(), "service drift does not answer") {
		t.Errorf("the log does not name it: %s", w.log)
	}
	away(route.Control)
	away(route.Worker)
	if err := w.gateway.Ready(t.Context()); err == nil || !strings.Contains(err.Error(), "service control does not answer") {
		t.Errorf("all services are away: %v", err)
	}

	w = newWorld(t, nil)
	away(route.Identity)
	if err := w.gateway.Ready(t.Context()); err == nil || !strings.Contains(err.Error(), "service identity does not answer") {
		t.Errorf("identity is away: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if newWorld(t, nil).gateway.Ready(ctx) == nil {
		t.Error("it is ready although nobody could be asked")
	}
}
