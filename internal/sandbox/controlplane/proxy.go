package controlplane

import (
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// proxy passes connections from the stable endpoint to the API server as they
// are, TLS included, and knows since when nobody has used it. While the API
// server sleeps it keeps them waiting.
type proxy struct {
	listener net.Listener
	now      func() time.Time
	knock    chan struct{} // somebody waits for the API server
	failed   chan error    // the endpoint cannot be served any more

	mu     sync.Mutex
	open   map[net.Conn]bool // both ends
	last   time.Time         // of the last connection's start or end
	gate   chan struct{}     // closed while target is there
	target string            // empty: nothing is there
	closed bool
	work   sync.WaitGroup
}

func newProxy(l net.Listener, now func() time.Time) *proxy {
	return &proxy{
		listener: l, now: now, knock: make(chan struct{}, 1), failed: make(chan error, 1),
		open: map[net.Conn]bool{}, last: now(), gate: make(chan struct{}),
	}
}

// serve passes connections until the proxy is closed.
func (p *proxy) serve() {
	for {
		in, err := p.listener.Accept()
		if err != nil {
			if !errors.Is(err, net.ErrClosed) {
				p.failed <- fmt.Errorf("serve the endpoint: %w", err)
			}
			return
		}
		p.work.Go(func() { p.pass(in) })
	}
}

func (p *proxy) pass(in net.Conn) {
	if !p.enter(in) {
		in.Close()
		return
	}
	defer p.leave(in)
	out, err := net.DialTimeout("tcp", p.there(), 5*time.Second)
	if err != nil {
		return // the API server is being started again; the client will retry
	}
	if !p.enter(out) {
		out.Close()
		return
	}
	defer p.leave(out)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.Copy(out, in) // either side may end the connection
		closeWrite(out)
	}()
	_, _ = io.Copy(in, out)
	closeWrite(in)
	in.Close()
	<-done
}

func closeWrite(c net.Conn) {
	if t, ok := c.(*net.TCPConn); ok {
		_ = t.CloseWrite() // it fails only on a connection that has ended
	}
}

func (p *proxy) enter(c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	p.open[c], p.last = true, p.now()
	if p.target == "" {
		select {
		case p.knock <- struct{}{}:
		default: // it is known already
		}
	}
	return true
}

// there waits until there is an API server, and returns where; empty: there will
// not be one. It stays for as long as the caller's connection is open.
func (p *proxy) there() string {
	p.mu.Lock()
	gate := p.gate
	p.mu.Unlock()
	<-gate
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.target
}

// wake lets connections through to an API server, those that wait as well.
func (p *proxy) wake(target string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.closed {
		p.target = target
		close(p.gate)
	}
}

// sleepIfIdle keeps connections waiting from now on, when nobody has used the
// proxy for that long. From then on, a connection knocks.
func (p *proxy) sleepIfIdle(d time.Duration) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || !p.idle(d) {
		return false
	}
	p.target, p.gate = "", make(chan struct{})
	select {
	case <-p.knock: // of somebody who has left
	default:
	}
	return true
}

// idle reports whether nobody has used the proxy for that long.
func (p *proxy) idle(d time.Duration) bool {
	return len(p.open) == 0 && p.now().Sub(p.last) >= d
}

// unused returns since when nobody has used the proxy; zero: somebody does.
func (p *proxy) unused() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.open) > 0 {
		return time.Time{}
	}
	return p.last
}

func (p *proxy) leave(c net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.open, c)
	p.last = p.now()
	c.Close()
}

// closeIfIdle closes the proxy when nobody has used it for that long. A client
// that connects later is refused, and so knows that it must start the cluster.
func (p *proxy) closeIfIdle(d time.Duration) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	idle := p.idle(d)
	if idle {
		p.end()
	}
	return idle
}

// close ends every connection.
func (p *proxy) close() {
	p.mu.Lock()
	p.end()
	for c := range p.open {
		c.Close()
	}
	p.mu.Unlock()
	p.work.Wait()
}

// end lets nobody in any more, and lets go who waits. The caller holds mu.
func (p *proxy) end() {
	if p.closed {
		return
	}
	p.closed = true
	p.listener.Close()
	if p.target == "" {
		close(p.gate)
	}
}
