package gateway

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// Stop says how long a gateway that is told to stop waits.
type Stop struct {
	// Streams is how long a service may take to end its streams itself, with a
	// message that says where to resume. The gateway ends those that are left,
	// between two messages, with "unavailable".
	Streams time.Duration
	// Requests is how long everything may take that is under way, streams
	// included. Connections that are still busy then are closed.
	Requests time.Duration
}

// Serve answers on l until ctx ends, and then stops: it takes no further
// connections, lets what is under way end within the bounds of stop, and returns nil.
func (g *Gateway) Serve(ctx context.Context, l net.Listener, c *tls.Config, stop Stop) error {
	server := g.o.Bounds.Server(g.Handler(), g.o.Log, g.o.Now)
	server.TLSConfig = c
	l = g.o.Bounds.Listener(l, g.o.Hosts.Proxies)
	served := make(chan error, 1)
	go func() { served <- server.ServeTLS(l, "", "") }()
	select {
	case err := <-served:
		return fmt.Errorf("gateway: serve on %s: %w", l.Addr(), err)
	case <-ctx.Done():
	}
	g.stopping.Store(true)
	defer g.endStreams()
	defer time.AfterFunc(stop.Streams, g.endStreams).Stop()
	// ctx has ended; what is under way gets its time all the same.
	within, cancel := context.WithTimeout(context.WithoutCancel(ctx), stop.Requests)
	defer cancel()
	if err := server.Shutdown(within); err != nil {
		g.o.Log.Warn("shutdown timeout reached: closing connections with requests still in progress", "timeout", stop.Requests)
		if err := server.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			return fmt.Errorf("gateway: close: %w", err)
		}
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("gateway: serve on %s: %w", l.Addr(), err)
	}
	return nil
}
