package controlplane

import (
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// proxy passes connections from the stable endpoint to the API server as they
// are, TLS included, and knows since when nobody has used it.
type proxy struct {
	listener net.Listener
	target   string
	now      func() time.Time

	mu     sync.Mutex
	open   map[net.Conn]bool // both ends
	last   time.Time         // of the last connection's start or end
	closed bool
	work   sync.WaitGroup
}

func newProxy(l net.Listener, target string, now func() time.Time) *proxy {
	return &proxy{listener: l, target: target, now: now, open: map[net.Conn]bool{}, last: now()}
}

// serve passes connections until the proxy is closed.
func (p *proxy) serve() error {
	for {
		in, err := p.listener.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return nil
			}
			return err
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
	out, err := net.DialTimeout("tcp", p.target, 5*time.Second)
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
	return true
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
	idle := len(p.open) == 0 && p.now().Sub(p.last) >= d
	if idle {
		p.closed = true
	}
	p.mu.Unlock()
	if idle {
		p.listener.Close()
	}
	return idle
}

// close ends every connection.
func (p *proxy) close() {
	p.mu.Lock()
	p.closed = true
	p.listener.Close()
	for c := range p.open {
		c.Close()
	}
	p.mu.Unlock()
	p.work.Wait()
}
