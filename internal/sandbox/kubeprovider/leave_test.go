package kubeprovider

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"k8s.io/client-go/rest"
)

// A cluster to which somebody is connected is in use, and never sleeps.
func TestAnEngineThatHasLeftIsNotConnectedToTheClusterAnyMore(t *testing.T) {
	var open atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprint(w, `{"major":"1","minor":"35"}`)
	}))
	server.EnableHTTP2 = true
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			open.Add(1)
		}
		if s == http.StateClosed {
			open.Add(-1)
		}
	}
	server.StartTLS()
	t.Cleanup(server.Close)
	e := newEngine(t, &rest.Config{Host: server.URL, TLSClientConfig: rest.TLSClientConfig{Insecure: true}})
	if err := e.p.of(t.Context()).unreachable(t.Context()); err != nil {
		t.Fatal(err)
	}
	if open.Load() != 1 {
		t.Fatalf("%d connections to the cluster, expected one", open.Load())
	}
	e.p.forget("")
	for range 1000 {
		if open.Load() == 0 {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Errorf("%d connections are open five seconds later", open.Load())
}
