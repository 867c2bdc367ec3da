package webhook

import (
	"errors"
	"slices"
	"sync"
	"syscall"
)

// Intercept lets every connection fail that the client would make, and returns
// where to, in order.
func (c *Client) Intercept() (connected func() []string) {
	var (
		mu sync.Mutex
		at []string
	)
	before := c.guarded.Control
	c.guarded.Control = func(network, address string, raw syscall.RawConn) error {
		if err := before(network, address, raw); err != nil {
			return err
		}
		return c.free.Control(network, address, raw)
	}
	c.free.Control = func(_, address string, _ syscall.RawConn) error {
		mu.Lock()
		defer mu.Unlock()
		at = append(at, address)
		return errors.New("not in this test")
	}
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(at)
	}
}
