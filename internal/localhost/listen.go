package localhost

import (
	"context"
	"fmt"
	"net"
)

// Listen listens at a free port of 127.0.0.1 for the processes of this user only:
// whoever else of this machine connects is hung up on before a byte is read. What
// the engine asks its plugins carries no proof of who asks, and any user of a
// machine may connect to its loopback.
//
// Linux says whose a connection is. Elsewhere, and where the answer cannot be had,
// see OwnersKnown.
func Listen(ctx context.Context) (net.Listener, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp4", loopback(0))
	if err != nil {
		return nil, fmt.Errorf("listen on this machine's loopback: %w", err)
	}
	return &own{Listener: l, mine: mine}, nil
}

// own is a listener that accepts only what mine says is of this user.
type own struct {
	net.Listener
	mine func(net.Conn) bool
}

// Accept waits for the next connection of this user.
func (l *own) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil || l.mine(conn) {
			return conn, err
		}
		_ = conn.Close() // nobody that is owed an answer
	}
}
