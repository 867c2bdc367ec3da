package gateway

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect/v2"
	"connectrpc.com/connect/v2/connecthttp"
	"github.com/google/go-cmp/cmp"

	freeholdv1 "freehold.dev/freehold/internal/api/freehold/v1"
	"freehold.dev/freehold/internal/api/freehold/v1/freeholdv1connect"
	"freehold.dev/freehold/internal/server/route"
)

var protocols = map[string][]connecthttp.Option{
	"Connect":             nil,
	"Connect, JSON":       {connecthttp.WithProtoJSON()},
	"Connect, GET":        {connecthttp.WithHTTPGet()},
	"Connect, compressed": {connecthttp.WithSendGzip(), connecthttp.WithCompressMinBytes(0)},
	"gRPC":                {connecthttp.WithGRPC()},
	"gRPC-web":            {connecthttp.WithGRPCWeb()},
	"gRPC-web, JSON":      {connecthttp.WithGRPCWeb(), connecthttp.WithProtoJSON()},
	"gRPC, compressed":    {connecthttp.WithGRPC(), connecthttp.WithSendGzip()},
}

func TestEachProtocolReachesItsService(t *testing.T) {
	w := newWorld(t, nil)
	for name, options := range protocols {
		t.Run(name, func(t *testing.T) {
			client := w.operations(options...)
			resp, err := client.ListOperations(t.Context(), &freeholdv1.ListOperationsRequest{PageSize: 5})
			if err != nil || resp.GetOrg() != "acme" || resp.GetNextPageToken() != "xxxxx" {
				t.Errorf("unary: %v, %v", resp, err)
			}
			// An answer that is larger than any buffer on the way.
			resp, err = client.ListOperations(t.Context(), &freeholdv1.ListOperationsRequest{PageSize: 1 << 20})
			if err != nil || len(resp.GetNextPageToken()) != 1<<20 {
				t.Errorf("a large answer: %d bytes, %v", len(resp.GetNextPageToken()), err)
			}
			_, err = client.ListOperations(t.Context(), &freeholdv1.ListOperationsRequest{PageToken: "forbidden"})
			if connect.CodeOf(err) != connect.CodePermissionDenied || err.Error() != "permission_denied: permission denied" {
				t.Errorf("an error: %v", err)
			}
			if got := sequences(t, client, &freeholdv1.StreamOperationEventsRequest{}); got != "1 2 3 <nil>" {
				t.Errorf("a stream: %s", got)
			}
			if got := sequences(t, client, &freeholdv1.StreamOperationEventsRequest{Operation: "missing"}); got != "not_found: no such operation" {
				t.Errorf("a stream with an error: %s", got)
			}
		})
	}
	for code, want := range map[string]int{"ok": 3 * len(protocols), "permission_denied": len(protocols), "not_found": len(protocols)} {
		if got := strings.Count(w.log.String(), `"code":"`+code+`"`); got != want {
			t.Errorf("the log has %d requests with the code %s, want %d:\n%s", got, code, want, w.log)
		}
	}
}

// sequences returns what a stream sends, and how it ends.
func sequences(t *testing.T, client freeholdv1connect.OperationServiceClient, r *freeholdv1.StreamOperationEventsRequest) string {
	t.Helper()
	stream, err := client.StreamOperationEvents(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	got := ""
	for {
		m, err := stream.Receive()
		if errors.Is(err, io.EOF) {
			return got + "<nil>"
		}
		if err != nil {
			return got + err.Error()
		}
		if resume := m.GetResume(); resume != nil {
			got += fmt.Sprintf("resume after %d ", resume.GetAfterSequence())
			continue
		}
		got += fmt.Sprint(m.GetEvent().GetSequence(), " ")
	}
}

func TestAServiceSeesNothingOfTheCallersButWhatIsListed(t *testing.T) {
	w := newWorld(t, nil)
	for _, h2 := range []bool{true, false} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://"+acme+"/freehold.v1.OperationService/ListOperations?org=globex", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range map[string]string{
			"Authorization": "Bearer token of acme", "Content-Type": "application/json", "Connect-Protocol-Version": "1", "Connect-Timeout-Ms": "60000", "User-Agent": "curl",
			"Freehold-Context": "forged", "Freehold-Org": "globex", "Freehold-Request": "forged", "Freehold_org": "globex", "X-Forwarded-Host": globex, "X-Forwarded-For": "10.0.0.1",
			"Forwarded": "host=" + globex, "Cookie": "x=y", "X-Request-Id": "forged", "Traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "Baggage": "org=globex",
			"Origin": "https://" + acme,
		} {
			req.Header.Set(name, value)
		}
		req.Trailer = http.Header{"Freehold-Org": {"globex"}}
		req.ContentLength = -1
		resp, err := w.http(h2).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		for name := range resp.Header {
			if strings.HasPrefix(name, "Freehold-") && name != requestHeader {
				t.Errorf("the answer has %s", name)
			}
		}
		id := resp.Header.Get(requestHeader)
		if body := dump(t, resp); !strings.HasPrefix(body, "200 OK") || !strings.Contains(body, `"org":"acme"`) || !strings.Contains(body, "no-store") {
			t.Errorf("HTTP/2 %v: %s", h2, body)
		}
		if len(id) != 32 {
			t.Errorf("the request's id is %q", id)
		}
		want := http.Header{
			"Connect-Protocol-Version": {"1"}, "Connect-Timeout-Ms": {"60000"}, "Content-Length": {"2"}, "Content-Type": {"application/json"}, "User-Agent": {"curl"},
			"Freehold-Context": {"context of acme for spiffe://freehold.test/freehold/control to /freehold.v1.OperationService/ListOperations"}, "Freehold-Org": {"acme"}, "Freehold-Request": {id},
		}
		seen := w.service.last()
		if diff := cmp.Diff(want, seen.Header); diff != "" {
			t.Errorf("headers (-want +got):\n%s", diff)
		}
		if seen.Trailer != nil || seen.URL.RawQuery != "" || seen.ProtoMajor != 2 {
			t.Errorf("the service sees %v, trailers %v, %s", seen.URL, seen.Trailer, seen.Proto)
		}
	}
}

// Go's proxy removes the headers that Connection names, as a proxy has to. It
// must not remove ours by that.
func TestAConnectionHeaderDoesNotStripTheContext(t *testing.T) {
	w := newWorld(t, nil)
	c := w.tls.Clone()
	c.ServerName = acme
	conn, err := tls.Dial("tcp", w.addr, c)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "POST /freehold.v1.OperationService/ListOperations HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer token of acme\r\nContent-Type: application/json\r\n"+
		"Connection: close, Freehold-Org, Freehold-Context, Freehold-Request\r\nFreehold-Org: globex\r\nContent-Length: 2\r\n\r\n{}", acme)
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if h := w.service.last().Header; resp.StatusCode != 200 || h.Get("Freehold-Org") != "acme" || h.Get("Freehold-Context") == "" {
		t.Errorf("%s, and the service saw %v", resp.Status, h)
	}
}

func TestTheAnswerIsTheSameWhateverIsWrong(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.Limits.FailuresBurst = 1000 })
	const list = "/freehold.v1.OperationService/ListOperations"
	wrong := []struct{ reason, host, path, token string }{
		{"no token", acme, list, ""},
		{"no token, and no such org", "nobody." + base, list, ""},
		{"a bad token", acme, list, "Bearer x"},
		{"another scheme", acme, list, "Basic dG9rZW46b2YgYWNtZQ=="},
		{"a bad token, and no such org", "nobody." + base, list, "Bearer x"},
		{"another org's token", globex, list, "Bearer token of acme"},
		{"an org's token for operators", "op." + base, "/freehold.v1.FleetService/ListOrganizations", "Bearer token of acme"},
		{"operators' procedure on an org's host", acme, "/freehold.v1.FleetService/ListOrganizations", "Bearer token of acme"},
		{"an org's procedure on the operators' host", "op." + base, list, "Bearer token of operators"},
		{"no such procedure", acme, "/freehold.v1.OperationService/DropOperations", "Bearer token of acme"},
		{"no such service", acme, "/freehold.v1.NobodyService/List", "Bearer token of acme"},
		{"a service between services", acme, "/freehold.internal.v1.IdentityService/Exchange", "Bearer token of acme"},
		{"a path that is written otherwise", acme, "/freehold.v1.OperationService%2FListOperations", "Bearer token of acme"},
		{"a path with dots", acme, "/x/.." + list, "Bearer token of acme"},
		{"a path with two slashes", acme, "/" + list, "Bearer token of acme"},
		{"the root", acme, "/", ""},
		{"liveness", acme, "/healthz", ""},
		{"readiness", acme, "/readyz", "Bearer token of acme"},
		{"metrics", acme, "/metrics", ""},
		{"identity confuses orgs", acme, list, "Bearer token of confused"},
	}
	for _, media := range []string{"application/json", "application/proto", "application/connect+json", "application/grpc", "application/grpc-web+proto", "text/html", ""} {
		for _, h2 := range []bool{true, false} {
			client := w.http(h2)
			first := ""
			for _, c := range wrong {
				req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://"+c.host+c.path, strings.NewReader("{}"))
				if err != nil {
					t.Fatal(err)
				}
				if c.token != "" {
					req.Header.Set("Authorization", c.token)
				}
				if media != "" {
					req.Header.Set("Content-Type", media)
				}
				resp, err := client.Do(req)
				if err != nil {
					t.Fatal(err)
				}
				got := dump(t, resp)
				if first == "" {
					first = got
				}
				if got != first {
					t.Errorf("%s, %s: the answer differs from %s's:\n%s\n%s", c.reason, media, wrong[0].reason, got, first)
				}
			}
			if !strings.Contains(first, "unauthenticated") || strings.Contains(first, "acme") || strings.Contains(first, requestHeader) {
				t.Errorf("%s: %s", media, first)
			}
		}
	}
	if w.service.last() != nil {
		t.Error("a service was reached")
	}
	// Whoever operates it sees what was wrong.
	for _, reason := range []string{"no token", "no such procedure", "procedure of another host", "unauthenticated: the token is not for globex." + base, "identity answered for another org"} {
		if !strings.Contains(w.log.String(), reason) {
			t.Errorf("the log does not say %q:\n%s", reason, w.log)
		}
	}
}

func TestMethodsThatAProcedureDoesNotHaveAreRefusedTheSameWay(t *testing.T) {
	w := newWorld(t, nil)
	for _, c := range []struct{ method, path string }{
		{http.MethodGet, "/freehold.v1.OperationService/CancelOperation?connect=v1&encoding=json&message={}"},
		{http.MethodPut, "/freehold.v1.OperationService/ListOperations"},
		{http.MethodDelete, "/v1/projects"}, {http.MethodPost, "/v1/projects"}, {http.MethodOptions, "/v1/projects"}, {http.MethodTrace, "/"},
	} {
		req, err := http.NewRequestWithContext(t.Context(), c.method, "https://"+acme+c.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer token of acme")
		resp, err := w.http(true).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if got := dump(t, resp); !strings.Contains(got, `{"code":"unauthenticated","message":"unauthenticated"}`) {
			t.Errorf("%s %s: %s", c.method, c.path, got)
		}
	}
	if w.service.last() != nil {
		t.Error("a service was reached")
	}
}

func TestARequestFromAnotherOriginIsRefused(t *testing.T) {
	w := newWorld(t, nil)
	for origin, want := range map[string]int{"https://" + globex: 401, "https://" + acme: 200, "null": 401} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://"+acme+"/freehold.v1.OperationService/ListOperations", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range map[string]string{"Origin": origin, "Authorization": "Bearer token of acme", "Content-Type": "application/json"} {
			req.Header.Set(name, value)
		}
		resp, err := w.http(true).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("from %s: %s", origin, resp.Status)
		}
	}
}

// A procedure that takes a stream of requests would need another gateway: this
// one reads a request as a whole before it passes it on.
func TestNoProcedureTakesAStream(t *testing.T) {
	for _, s := range route.Services() {
		for _, p := range route.Procedures(s) {
			m, ok := methods[p]
			if !ok {
				t.Errorf("%s has no definition", p)
			}
			if m.takesStream {
				t.Errorf("%s takes a stream", p)
			}
		}
	}
}

func TestTheAccessLogSaysWhatBecameOfARequestAndHoldsNoToken(t *testing.T) {
	w := newWorld(t, nil)
	if _, err := w.operations().ListOperations(t.Context(), &freeholdv1.ListOperationsRequest{}); err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{globex, "example.org"} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://"+acme+"/freehold.v1.OperationService/ListOperations", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = host
		req.Header.Set("Authorization", "Bearer token of acme")
		resp, err := w.http(true).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
	}
	eventually(t, func() bool { return strings.Count(w.log.String(), "\n") == 3 })
	lines := strings.Split(strings.TrimSpace(w.log.String()), "\n")
	for i, wants := range [][]string{
		{`"org":"acme"`, `"caller":"user:somebody"`, `"procedure":"/freehold.v1.OperationService/ListOperations"`, `"decision":"allowed"`, `"code":"ok"`, `"status":200`, `"peer":"127.0.0.1"`, `"took":`, `"bytes":`, `"protocol":"HTTP/2.0"`},
		{`"org":""`, `"decision":"misaddressed"`, `"reason":"tls-name-differs"`, `"code":"http_421"`, `"status":421`},
		{`"org":""`, `"decision":"misaddressed"`, `"reason":"host-unknown"`, `"code":"http_400"`, `"status":400`},
	} {
		for _, want := range wants {
			if !strings.Contains(lines[i], want) {
				t.Errorf("line %d lacks %s: %s", i+1, want, lines[i])
			}
		}
	}
	for _, secret := range []string{"token of acme", "context of"} {
		if strings.Contains(w.log.String(), secret) {
			t.Errorf("the log holds %q", secret)
		}
	}
}

func eventually(t *testing.T, ok func() bool) {
	t.Helper()
	for range 6000 {
		if ok() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("it did not come to that within a minute")
}

func TestMetricsNameNoOrg(t *testing.T) {
	w := newWorld(t, nil)
	if _, err := w.operations().ListOperations(t.Context(), &freeholdv1.ListOperationsRequest{}); err != nil {
		t.Fatal(err)
	}
	want := []string{"code=ok procedure=/freehold.v1.OperationService/ListOperations 1"}
	var got []string
	eventually(t, func() bool {
		got = nil
		families, err := w.metrics.Gather()
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range families {
			for _, m := range f.GetMetric() {
				series := ""
				for _, l := range m.GetLabel() {
					if strings.Contains(l.GetValue(), "acme") {
						t.Errorf("%s names an org", f.GetName())
					}
					series += l.GetName() + "=" + l.GetValue() + " "
				}
				if f.GetName() == "freehold_requests_total" {
					got = append(got, series+fmt.Sprint(m.GetCounter().GetValue()))
				}
			}
		}
		return len(got) == len(want)
	})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
