package gateway

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// An identity service that is killed answers half, or not at all. Nobody is told that
// their token is bad, and the address they come from is not held to what follows.
func TestIdentityThatDiesIsNotARefusalAndNobodysFailure(t *testing.T) {
	for name, dies := range map[string]http.HandlerFunc{
		"before its answer": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"in the middle of its answer": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/proto")
			_, _ = w.Write([]byte("\x0a"))
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		},
		"with its connection": func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Type: application/proto\r\nContent-Length: 100\r\n\r\n\x0a")
			_ = conn.Close()
		},
	} {
		t.Run(name, func(t *testing.T) {
			dying := httptest.NewUnstartedServer(dies)
			dying.EnableHTTP2 = name != "with its connection"
			dying.StartTLS()
			t.Cleanup(dying.Close)
			at, err := url.Parse(dying.URL)
			if err != nil {
				t.Fatal(err)
			}
			w := newWorld(t, func(o *Options) {
				o.Identity = NewExchanger(Callee{URL: at, Transport: dying.Client().Transport})
				o.Limits.FailuresBurst, o.Limits.FailuresPerSecond = 3, 0.001
			})
			for range 10 {
				if got := dump(t, w.get(acme, "Bearer token of acme")); !strings.HasPrefix(got, "503") {
					t.Fatalf("got %s", got)
				}
			}
		})
	}
}

func TestATokenThatIsNoTextIsRefused(t *testing.T) {
	w := newWorld(t, nil)
	if got := dump(t, w.get(acme, "Bearer token of acme\xff")); !strings.HasPrefix(got, "401") {
		t.Errorf("got %s", got)
	}
}
