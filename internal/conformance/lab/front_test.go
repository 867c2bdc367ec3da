package lab

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// calling serves a front of an emulator, and makes calls to a service by it.
func calling(t *testing.T, emulator http.HandlerFunc, service, target string) (f *Front, call func(context.Context) (status int, err error)) {
	t.Helper()
	server := httptest.NewServer(emulator)
	t.Cleanup(server.Close)
	f, err := newFront(server.Listener.Addr().String(), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f, func(ctx context.Context) (int, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, f.URL(), strings.NewReader("{}"))
		if err != nil {
			return 0, err
		}
		req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1/"+service+"/aws4_request")
		req.Header.Set("X-Amz-Target", target)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return 0, err
		}
		return resp.StatusCode, resp.Body.Close()
	}
}

// In each call to Organizations the emulator finishes what has begun: of one request
// for an account, two calls at a time make two accounts.
func TestCallsToOrganizationsAreAnsweredOneAfterTheOther(t *testing.T) {
	t.Parallel()
	var inside atomic.Int64
	f, call := calling(t, func(w http.ResponseWriter, _ *http.Request) {
		if inside.Add(1) > 1 {
			w.WriteHeader(http.StatusConflict)
		}
		time.Sleep(5 * time.Millisecond)
		inside.Add(-1)
		_, _ = io.WriteString(w, "{}")
	}, "organizations", "AWSOrganizationsV20161128.ListAccounts")
	var calls sync.WaitGroup
	for range 8 {
		calls.Go(func() {
			if status, err := call(t.Context()); err != nil || status != http.StatusOK {
				t.Errorf("another call to Organizations was under way: %d, %v", status, err)
			}
		})
	}
	calls.Wait()
	if n := len(f.Calls()); n != 8 {
		t.Errorf("%d calls were recorded, want 8", n)
	}
}

// What AWS has received it carries out. A call that the record lacked would be held
// against policies that it had changed.
func TestACallIsRecordedThoughItsCallerIsKilledBeforeTheAnswer(t *testing.T) {
	t.Parallel()
	arrived, gone := make(chan bool), make(chan bool)
	f, call := calling(t, func(w http.ResponseWriter, _ *http.Request) {
		close(arrived)
		<-gone
		time.Sleep(50 * time.Millisecond) // the front hears of it meanwhile
		_, _ = io.WriteString(w, "{}")
	}, "secretsmanager", "secretsmanager.CreateSecret")
	ctx, kill := context.WithCancel(t.Context())
	go func() {
		<-arrived
		kill()
	}()
	if _, err := call(ctx); err == nil {
		t.Fatal("the call was answered")
	}
	close(gone)
	for deadline := time.Now().Add(30 * time.Second); len(f.Calls()) == 0; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the call is not recorded")
		}
	}
}
