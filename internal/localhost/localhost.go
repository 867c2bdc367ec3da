// Package localhost leads the names of this machine to this machine: localhost,
// and all names below it (RFC 6761, section 6.3). Not every resolver does.
package localhost

import (
	"context"
	"net"
	"strings"
)

// Is reports whether a name is one of this machine.
func Is(name string) bool {
	name = strings.ToLower(name)
	return name == "localhost" || strings.HasSuffix(name, ".localhost")
}

// Dial returns the dialer's function, which asks no resolver for such names.
func Dial(d *net.Dialer) func(ctx context.Context, network, addr string) (net.Conn, error) {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		name, port, err := net.SplitHostPort(addr)
		if err != nil || !Is(name) {
			return d.DialContext(ctx, network, addr)
		}
		conn, err := d.DialContext(ctx, network, net.JoinHostPort("127.0.0.1", port))
		if err == nil {
			return conn, nil
		}
		if conn, six := d.DialContext(ctx, network, net.JoinHostPort("::1", port)); six == nil {
			return conn, nil
		}
		return nil, err
	}
}
