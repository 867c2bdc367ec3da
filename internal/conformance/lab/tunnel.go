package lab

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
)

// tunnels are the API servers that the front passes on to unread, as a proxy on
// the way to AWS does. The official eks component waits for the public endpoint
// of a cluster that it made, and asks for it by whatever proxy is named for
// HTTP: it knows no NO_PROXY.
// https://github.com/pulumi/pulumi-eks/blob/v3.9.1/nodejs/eks/cluster/cluster.ts
type tunnels map[string]bool

// reaches lets the front pass on to an API server.
func (f *Front) reaches(endpoint string) error {
	u, err := url.Parse(endpoint)
	if err != nil {
		return fmt.Errorf("lab: endpoint: %w", err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tunnels[u.Host] = true
	return nil
}

// serveTunnel joins a caller to an API server of the lab, until either is done.
// Nothing else is reached: no run of the lane asks for anything from outside.
func (f *Front) serveTunnel(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	known := f.tunnels[r.Host]
	f.mu.Unlock()
	if !known {
		http.Error(w, "the lab has no API server "+r.Host, http.StatusForbidden)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), 10*time.Second)
	defer cancel()
	to, err := new(net.Dialer).DialContext(ctx, "tcp", r.Host)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer func() { _ = to.Close() }()
	w.WriteHeader(http.StatusOK)
	from, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return // the caller is gone
	}
	defer func() { _ = from.Close() }()
	// Each direction ends with an error or not, and the other with it.
	done := make(chan struct{}, 2)
	join := func(dst io.Writer, src io.Reader) {
		_, _ = io.Copy(dst, src)
		done <- struct{}{}
	}
	go join(to, buffered)
	go join(from, to)
	<-done
}
