package server_test

import (
	"bufio"
	"bytes"
	"context"
	crand "crypto/rand"
	"crypto/tls"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"connectrpc.com/connect/v2"
	"connectrpc.com/connect/v2/connecthttp"
	"github.com/go-jose/go-jose/v4"

	freeholdv1 "freehold.dev/freehold/internal/api/freehold/v1"
	"freehold.dev/freehold/internal/api/freehold/v1/freeholdv1connect"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/oidctest"
	"freehold.dev/freehold/internal/orgcontext/orgcontexttest"
	"freehold.dev/freehold/internal/registry"
	"freehold.dev/freehold/internal/registry/postgres"
	"freehold.dev/freehold/internal/registry/postgres/pgtest"
	"freehold.dev/freehold/internal/server/edge"
	"freehold.dev/freehold/internal/server/servertest"
)

const (
	// within is how long a service that was started again may take until it answers.
	within = 20 * time.Second
	// patience is that of the clients: longer than the five seconds for which a service
	// that stands still in the middle of a transaction holds its org, and shorter than
	// one stands still here.
	patience = 20 * time.Second
)

// Whatever happens to the services, to their database and to the identity provider:
// nobody gets an answer about another org, nobody who is known is told otherwise, and
// each event reaches whoever follows it once and in order.
//
// FREEHOLD_TEST_KILLS=n does to them n times what is done once every day.
func TestServicesThatAreKilledUnderLoadLoseNothingAndMixUpNobody(t *testing.T) {
	rounds, err := strconv.Atoi(os.Getenv("FREEHOLD_TEST_KILLS"))
	if err != nil {
		rounds = 1
	}
	db, issuer := pgtest.Database(t), oidctest.Serve(t)
	s, err := postgres.Open(t.Context(), db.Service, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	orgs := []string{"acme", "globex", "initech"}
	for _, org := range append(orgs, "hooli") {
		if err := servertest.Fill(t.Context(), s, org, issuer.URL, time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	lengthy(t, s, "hooli")
	p := newProcesses(t, issuer, db)
	for _, name := range services {
		p.answers(name)
	}

	ctx, stop := context.WithCancel(t.Context())
	var load, following sync.WaitGroup
	for i, org := range orgs {
		begun, err := s.Org(orgcontexttest.For(org)).Begin(t.Context(), registry.Request{Kind: "onboard", Holder: "elsewhere", TTL: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		load.Go(func() { speak(ctx, t, s, org, begun.Lease) })
		for _, q := range questions {
			load.Go(func() { p.ask(ctx, org, q) })
		}
		load.Go(func() { p.trespass(ctx, org, orgs[(i+1)%len(orgs)]) })
		for _, option := range [][]connecthttp.Option{nil, {connecthttp.WithGRPC()}} {
			following.Go(func() { p.follow(t.Context(), org, begun.Lease.Operation, option...) })
		}
	}
	p.chaos(rounds)
	stop()
	load.Wait()
	// Each operation has ended now, and whoever follows it hears that.
	following.Wait()
	for _, org := range orgs {
		verdict, err := freeholdv1connect.NewAuditServiceClient(p.Client(org, p.Token(org, org+"-viewers"))).VerifyAuditLog(t.Context(), &freeholdv1.VerifyAuditLogRequest{})
		if err != nil || !verdict.GetOk() || verdict.GetOrg() != org || verdict.GetEntries() == 0 {
			t.Errorf("the audit log of %s: %v, %v", org, verdict, err)
		}
	}
}

// chaos is what happens to the services.
func (p *processes) chaos(rounds int) {
	slow := p.slow()
	kill := func(name string) {
		p.disturb("kill "+name, name, func() {
			p.end(name, syscall.SIGKILL)
			time.Sleep(300 * time.Millisecond)
			p.start(name)
		})
	}
	stopped := func(name string, d time.Duration) {
		p.disturb(fmt.Sprintf("stop %s for %s", name, d), name, func() {
			_ = p.running[name].Process.Signal(syscall.SIGSTOP)
			time.Sleep(d)
			_ = p.running[name].Process.Signal(syscall.SIGCONT)
		})
	}
	for _, name := range []string{"identity", "worker", "drift"} {
		kill(name)
	}
	// Longer than it takes to find out that a connection is dead.
	stopped("drift", 28*time.Second)
	slow()
	for round := range rounds {
		for _, i := range rand.Perm(len(services)) {
			if name := services[i]; round > 0 || name == "control" || name == "gateway" {
				kill(name)
			}
		}
		for _, name := range []string{"control", "gateway"} {
			p.disturb("end "+name+" in order", name, func() {
				p.end(name, syscall.SIGTERM)
				p.start(name)
			})
		}
		for _, name := range []string{"gateway", "identity", "control"} {
			stopped(name, 2*time.Second)
		}
		for _, how := range []pgtest.Stop{pgtest.Fast, pgtest.Immediate} {
			p.disturb("restart PostgreSQL by "+string(how), database, func() {
				if err := p.postgres.Stop(how); err != nil {
					p.t.Fatal(err)
				}
				time.Sleep(time.Second)
				if err := p.postgres.Resume(); err != nil {
					p.t.Fatal(err)
				}
			})
		}
		p.withoutIssuer()
	}
}

// withoutIssuer takes the identity provider away. Who comes with a key that is known
// does not notice, as ask sees, and nobody else gets in.
func (p *processes) withoutIssuer() {
	p.t.Helper()
	p.Issuer.Answer(func(w http.ResponseWriter, _ *http.Request) { panic(http.ErrAbortHandler) })
	defer p.Issuer.Answer(nil)
	time.Sleep(time.Second)
	if err := p.call("acme", p.Token("acme", "acme-viewers"), listing); err != nil {
		p.t.Errorf("without the issuer, by a key that is known: %v", err)
	}
	other := oidctest.NewKey(p.t, jose.ES256, "unknown")
	token := other.Sign(p.t, map[string]any{"alg": other.Algorithm, "kid": other.ID}, p.Issuer.Claims(map[string]any{
		"sub": "somebody", "aud": servertest.Host("acme"), "groups": []string{"acme-viewers"},
	}))
	if err := p.call("acme", token, listing); connect.CodeOf(err) != connect.CodeUnauthenticated {
		p.t.Errorf("without the issuer, by a key that is not known: %v, want unauthenticated", err)
	}
}

// question is one procedure, with the service that answers it, and how.
type question struct {
	service string
	want    connect.Code // 0: it succeeds
	role    string
	ask     func(context.Context, *connect.Client) (org string, err error)
}

var listing = question{"control", 0, "viewers", func(ctx context.Context, c *connect.Client) (string, error) {
	got, err := freeholdv1connect.NewOperationServiceClient(c).ListOperations(ctx, &freeholdv1.ListOperationsRequest{PageSize: 2})
	return got.GetOrg(), err
}}

// questions are one for each service, and some more. Those that are answered with
// an error need no cloud, and show that the service is there all the same.
var questions = []question{
	listing,
	{"control", 0, "viewers", func(ctx context.Context, c *connect.Client) (string, error) {
		got, err := freeholdv1connect.NewDataPlaneServiceClient(c).GetDataPlane(ctx, &freeholdv1.GetDataPlaneRequest{})
		return got.GetOrg(), err
	}},
	{"control", 0, "viewers", func(ctx context.Context, c *connect.Client) (string, error) {
		got, err := freeholdv1connect.NewAuditServiceClient(c).ListAuditEntries(ctx, &freeholdv1.ListAuditEntriesRequest{PageSize: 3})
		return got.GetOrg(), err
	}},
	{"worker", connect.CodeNotFound, "operators", func(ctx context.Context, c *connect.Client) (string, error) {
		got, err := freeholdv1connect.NewOperationServiceClient(c).ResumeOperation(ctx, &freeholdv1.ResumeOperationRequest{Operation: "none"})
		return got.GetOrg(), err
	}},
	{"drift", connect.CodePermissionDenied, "viewers", func(ctx context.Context, c *connect.Client) (string, error) {
		got, err := freeholdv1connect.NewDriftServiceClient(c).RunDrift(ctx, &freeholdv1.RunDriftRequest{})
		return got.GetOrg(), err
	}},
}

// call asks once, and returns what is not as it is to be.
func (p *processes) call(org, token string, q question, options ...connecthttp.Option) error {
	return p.callBy(p.Client(org, token, options...), org, q)
}

func (p *processes) callBy(c *connect.Client, org string, q question) error {
	ctx, cancel := context.WithTimeout(p.t.Context(), patience)
	defer cancel()
	got, err := q.ask(ctx, c)
	switch {
	case err == nil && got != org:
		p.t.Errorf("a caller of %s got an answer about %q", org, got)
	case err == nil && q.want != 0:
		return fmt.Errorf("it succeeded, want %s", q.want)
	case err != nil && connect.CodeOf(err) == q.want:
		return nil
	}
	return err
}

// answers waits until a service answers.
func (p *processes) answers(name string) {
	p.t.Helper()
	i := max(0, slices.IndexFunc(questions, func(q question) bool { return q.service == name }))
	until := time.Now().Add(within)
	for {
		err := p.call("acme", p.Token("acme", "acme-"+questions[i].role), questions[i])
		if err == nil {
			return
		}
		if time.Now().After(until) {
			p.t.Fatalf("%s does not answer: %v", name, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// calm returns a function that reports whether services were there from then on.
func (p *processes) calm(names ...string) func() bool {
	var before []int64
	for _, name := range names {
		before = append(before, p.disturbed[name].Load())
	}
	return func() bool {
		for i, name := range names {
			if now := p.disturbed[name].Load(); now != before[i] || now%2 == 1 {
				return false
			}
		}
		return true
	}
}

// needs are what a question is answered with.
func (q question) needs() []string { return []string{"gateway", "identity", q.service, database} }

// excused reports whether an error is one that a caller may get while something is
// away: that it is, or that the caller has waited for long enough. Where the gateway
// is away, it is whatever the caller's own library makes of a connection that breaks.
func excused(err error, gateway func() bool) bool {
	if e, ok := errors.AsType[*connect.Error](err); (!ok || !e.IsRemote()) && !gateway() {
		return true
	}
	code := connect.CodeOf(err)
	return code == connect.CodeUnavailable || code == connect.CodeDeadlineExceeded
}

// ask asks all the time, in the name of whom the server knows.
func (p *processes) ask(ctx context.Context, org string, q question) {
	var asked, away int
	for client := p.Client(org, p.Token(org, org+"-"+q.role)); pause(ctx, 500*time.Millisecond); asked++ {
		calm, gateway := p.calm(q.needs()...), p.calm("gateway")
		switch err := p.callBy(client, org, q); {
		case err == nil:
		case calm():
			p.t.Errorf("%s asks %s, which is there: %v", org, q.service, err)
		case excused(err, gateway):
			away++
		default:
			p.t.Errorf("%s asks %s while something is away: %v, want unavailable", org, q.service, err)
		}
	}
	p.t.Logf("%s asked %s %d times, and heard %d times that something was away", org, q.service, asked, away)
	if asked-away < 5 {
		p.t.Errorf("%s was answered %d of %d times", org, asked-away, asked)
	}
}

// trespass asks another org's host with a token of an org.
func (p *processes) trespass(ctx context.Context, org, other string) {
	client := p.Client(other, p.Token(org, org+"-viewers", other+"-viewers"))
	// An address that is refused more often than twice a second has to wait, and all
	// clients have one address here.
	for i := 0; pause(ctx, 2*time.Second); i++ {
		q := questions[i%len(questions)]
		bounded, cancel := context.WithTimeout(p.t.Context(), patience)
		calm, gateway := p.calm("gateway", "identity", database), p.calm("gateway")
		got, err := q.ask(bounded, client)
		cancel()
		if code := connect.CodeOf(err); err == nil || code != connect.CodeUnauthenticated && (calm() || !excused(err, gateway)) {
			p.t.Errorf("a token of %s at the host of %s: answer of %q, %v", org, other, got, err)
		}
	}
}

// follow follows an operation to its end, whatever that takes.
func (p *processes) follow(ctx context.Context, org, operation string, options ...connecthttp.Option) {
	client := freeholdv1connect.NewOperationServiceClient(p.Client(org, p.Token(org, org+"-viewers"), options...))
	var last int64
	streams := 0
	for ended := false; !ended; {
		calm, gateway := p.calm(listing.needs()...), p.calm("gateway")
		streams++
		var err error
		last, ended, err = p.stream(ctx, client, org, operation, last)
		if ctx.Err() != nil {
			p.t.Errorf("%s follows its operation to event %d, and then the test ends", org, last)
			return
		}
		switch {
		case ended, err == nil:
		case calm():
			p.t.Errorf("a stream of %s breaks while all is there: %v", org, err)
		case !excused(err, gateway):
			p.t.Errorf("a stream of %s ends with %v, want unavailable", org, err)
		}
		pause(ctx, 50*time.Millisecond)
	}
	p.t.Logf("%s followed %d events over %d streams", org, last, streams)
}

func (p *processes) stream(
	ctx context.Context, client freeholdv1connect.OperationServiceClient, org, operation string, last int64,
) (_ int64, ended bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := client.StreamOperationEvents(ctx, &freeholdv1.StreamOperationEventsRequest{Operation: operation, AfterSequence: last, Follow: true})
	if err != nil {
		return last, false, err
	}
	told := false
	for {
		m, err := stream.Receive()
		if errors.Is(err, io.EOF) {
			if !ended && !told {
				p.t.Errorf("a stream of %s ends after event %d, as if that was all", org, last)
			}
			return last, ended, nil
		}
		if err != nil {
			return last, ended, err
		}
		if m.GetOrg() != org {
			p.t.Errorf("a stream of %s has an event of %q", org, m.GetOrg())
		}
		if r := m.GetResume(); r != nil {
			told = true
			if r.GetAfterSequence() != last {
				p.t.Errorf("a stream of %s is to be resumed after %d, and %d came last", org, r.GetAfterSequence(), last)
			}
			continue
		}
		if got := m.GetEvent().GetSequence(); got != last+1 {
			p.t.Errorf("a stream of %s has event %d after %d", org, got, last)
		}
		if text := m.GetEvent().GetMessage(); text != "" && !strings.HasPrefix(text, "of "+org) {
			p.t.Errorf("a stream of %s has an event that says %q", org, text)
		}
		last, ended = m.GetEvent().GetSequence(), event.Type(m.GetEvent().GetType()).Terminal()
	}
}

// speak adds to an operation's events, and ends it with ctx.
func speak(ctx context.Context, t *testing.T, s registry.Store, org string, l registry.Lease) {
	of := s.Org(orgcontexttest.For(org))
	ev := event.Event{Type: event.Diagnostic, Org: org, Operation: l.Operation, Kind: "onboard"}
	for i := 0; pause(ctx, 250*time.Millisecond); i++ {
		ev.Time, ev.Message = time.Now(), fmt.Sprintf("of %s, %d", org, i)
		_, _ = of.Append(t.Context(), l, ev) // the database may be away
	}
	ev.Type, ev.Time, ev.Message = event.OperationFailed, time.Now(), "of "+org
	if _, err := of.End(t.Context(), l, ev); err != nil {
		t.Error(err)
	}
}

func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// lengthy is an operation that says more than all buffers on the way hold.
func lengthy(t *testing.T, s registry.Store, org string) {
	t.Helper()
	of := s.Org(orgcontexttest.For(org))
	begun, err := of.Begin(t.Context(), registry.Request{Kind: "onboard", Holder: "elsewhere", TTL: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	all := make([]event.Event, 100)
	for i := range all {
		var text strings.Builder
		for text.Len() < 1<<17 {
			text.WriteString(crand.Text()) // it does not compress well
		}
		all[i] = event.Event{Type: event.Diagnostic, Time: time.Now(), Org: org, Operation: begun.Lease.Operation, Kind: "onboard", Message: text.String()}
	}
	if _, err := of.Append(t.Context(), begun.Lease, all...); err != nil {
		t.Fatal(err)
	}
}

// slow has clients that do not read their streams. What it returns waits until the
// gateway has cut them off, which it does after the time that a write may take.
func (p *processes) slow() (cut func()) {
	p.t.Helper()
	began := time.Now()
	// By HTTP/2 the client's window is the bound, by HTTP/1 the buffers of the sockets.
	stream, err := freeholdv1connect.NewOperationServiceClient(p.Client("hooli", p.slowToken("slow-http2"))).
		StreamOperationEvents(p.t.Context(), &freeholdv1.StreamOperationEventsRequest{Follow: true})
	if err != nil {
		p.t.Fatal(err)
	}
	if _, err := stream.Receive(); err != nil {
		p.t.Fatal(err)
	}
	p.slowHTTP1()
	return func() {
		p.t.Helper()
		for _, who := range []string{"slow-http2", "slow-http1"} {
			took := p.cutAfter(who)
			p.t.Logf("%s was cut off after %s", who, took)
			if bound := edge.DefaultBounds().WriteTime; took < bound || took > bound+within {
				p.t.Errorf("%s was cut off after %s, want %s", who, took, bound)
			}
		}
		p.t.Logf("%s have passed", time.Since(began).Round(time.Millisecond))
	}
}

func (p *processes) slowToken(sub string) string {
	return p.Issuer.Token(map[string]any{"sub": sub, "email": sub + "@hooli.example", "aud": servertest.Host("hooli"), "groups": []string{"hooli-viewers"}})
}

func (p *processes) slowHTTP1() {
	p.t.Helper()
	conn, err := net.Dial("tcp", p.Address)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { _ = conn.Close() })
	if err := conn.(*net.TCPConn).SetReadBuffer(4 << 10); err != nil {
		p.t.Fatal(err)
	}
	client := tls.Client(conn, &tls.Config{RootCAs: p.Roots(), ServerName: servertest.Host("hooli"), MinVersion: tls.VersionTLS13})
	message := []byte(`{"follow":true}`)
	body := append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(message))), message...)
	req, err := http.NewRequestWithContext(p.t.Context(), http.MethodPost, p.URL("hooli")+freeholdv1connect.OperationServiceStreamOperationEventsProcedure, bytes.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/connect+json")
	req.Header.Set("Connect-Protocol-Version", "1")
	req.Header.Set("Authorization", "Bearer "+p.slowToken("slow-http1"))
	if err := req.Write(client); err != nil {
		p.t.Fatal(err)
	}
	line, err := bufio.NewReaderSize(client, 16).ReadString('\n')
	if err != nil || !strings.Contains(line, "200") {
		p.t.Fatalf("%q, %v", line, err)
	}
}

// cutAfter waits until the access log has the end of a caller's stream, and returns
// how long it lasted.
func (p *processes) cutAfter(sub string) time.Duration {
	p.t.Helper()
	for until := time.Now().Add(edge.DefaultBounds().WriteTime + within); time.Now().Before(until); time.Sleep(100 * time.Millisecond) {
		text, err := os.ReadFile(p.log("gateway"))
		if err != nil {
			p.t.Fatal(err)
		}
		for line := range bytes.Lines(text) {
			var entry struct {
				Caller string
				Took   time.Duration
			}
			if json.Unmarshal(line, &entry) == nil && strings.HasSuffix(entry.Caller, "#"+sub) {
				return entry.Took
			}
		}
	}
	p.t.Fatal(errors.New(sub + " still has its stream"))
	return 0
}
