package localhost

import (
	"errors"
	"math/rand/v2"
	"net"
	"strconv"
	"sync/atomic"
)

// Ports are drawn below those that a system gives to connections and to whoever
// listens at port 0: from 32768 on Linux, from 49152 elsewhere (RFC 6335, section 6).
const firstPort, ports = 10000, 20000

// drawn counts on with each port: a process begins anywhere, and draws none again
// before all others.
var drawn = func() *atomic.Uint32 {
	n := &atomic.Uint32{}
	n.Store(rand.Uint32N(ports))
	return n
}()

// FreePort returns a port of 127.0.0.1 that nobody listens at, for a server that
// takes no port 0. A connection that somebody makes meanwhile does not take it, as it
// could take one that a listener at port 0 had and gave up; nor does this process
// draw it again soon. Another program that wants this very port can.
func FreePort() (int, error) {
	const tries = 1000
	var last error
	for range tries {
		port := firstPort + int(drawn.Add(1)%ports)
		l, err := net.Listen("tcp", loopback(port))
		if err != nil {
			last = err
			continue
		}
		return port, l.Close()
	}
	return 0, errors.Join(errors.New("no free port of the loopback"), last)
}

// FreeAddress is FreePort with the address, "127.0.0.1:12345".
func FreeAddress() (string, error) {
	port, err := FreePort()
	return loopback(port), err
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
