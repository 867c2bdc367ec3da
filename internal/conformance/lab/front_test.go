package lab

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// In each call to Organizations the emulator finishes what has begun: of one request
// for an account, two calls at a time make two accounts.
func TestCallsToOrganizationsAreAnsweredOneAfterTheOther(t *testing.T) {
	t.Parallel()
	var inside atomic.Int64
	emulator := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if inside.Add(1) > 1 {
			w.WriteHeader(http.StatusConflict)
		}
		time.Sleep(5 * time.Millisecond)
		inside.Add(-1)
		_, _ = io.WriteString(w, "{}")
	}))
	t.Cleanup(emulator.Close)
	f, err := newFront(emulator.Listener.Addr().String(), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	var calls sync.WaitGroup
	for range 8 {
		calls.Go(func() {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, f.URL(), strings.NewReader("{}"))
			if err != nil {
				t.Error(err)
				return
			}
			req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1/organizations/aws4_request")
			req.Header.Set("X-Amz-Target", "AWSOrganizationsV20161128.ListAccounts")
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Error(err)
				return
			}
			_ = resp.Body.Close()
			if resp.StatusCode != http.StatusOK {
				t.Error("another call to Organizations was under way")
			}
		})
	}
	calls.Wait()
	if n := len(f.Calls()); n != 8 {
		t.Errorf("%d calls were recorded, want 8", n)
	}
}
