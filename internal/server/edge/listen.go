package edge

import (
	"net"
	"net/netip"
	"sync"
)

// Listener accepts no more connections than it may, in all and from one address.
// What is over the bound is closed at once: a handshake costs more than an attempt.
// Proxies hold connections for many, so that only the bound of all applies to them.
func (b Bounds) Listener(l net.Listener, proxies []netip.Prefix) net.Listener {
	return &listener{Listener: l, bounds: b, hosts: Hosts{Proxies: proxies}, each: map[netip.Prefix]int{}}
}

type listener struct {
	net.Listener
	bounds Bounds
	hosts  Hosts

	mu   sync.Mutex
	all  int
	each map[netip.Prefix]int
}

// Accept returns the next connection that may be open.
func (l *listener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err // net/http looks at its type
		}
		if closed := l.admit(conn); closed != nil {
			return &counted{Conn: conn, closed: closed}, nil
		}
		_ = conn.Close()
	}
}

// admit counts a connection. It returns what counts it out again, or nil.
func (l *listener) admit(conn net.Conn) (closed func()) {
	ap, _ := netip.ParseAddrPort(conn.RemoteAddr().String())
	addr := ap.Addr().Unmap().WithZone("")
	key := network(addr)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.all >= l.bounds.Connections || l.each[key] >= l.bounds.PeerConnections && !l.hosts.isProxy(addr) {
		return nil
	}
	l.all++
	l.each[key]++
	return sync.OnceFunc(func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.all--
		if l.each[key]--; l.each[key] == 0 {
			delete(l.each, key)
		}
	})
}

type counted struct {
	net.Conn
	closed func()
}

// Close closes the connection, and makes room for another one.
func (c *counted) Close() error {
	c.closed()
	return c.Conn.Close()
}
