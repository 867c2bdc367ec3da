package edge

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// kept are the headers of a request that go past the edge, and no other does:
// a list of headers that must not pass would lack the next one that some
// framework takes a host, a peer or a caller from.
var kept = []string{
	"Authorization",
	// The body, and the answer that is asked for.
	"Accept", "Accept-Encoding", "Content-Encoding", "Content-Length", "Content-Type", "Te", "User-Agent",
	// Connect, gRPC and gRPC-web.
	"Connect-Accept-Encoding", "Connect-Content-Encoding", "Connect-Protocol-Version", "Connect-Timeout-Ms",
	"Grpc-Accept-Encoding", "Grpc-Encoding", "Grpc-Timeout", "X-Grpc-Web", "X-User-Agent",
	// A set of projects that the caller has already.
	"If-None-Match",
	// What http.CrossOriginProtection judges, and preflight requests.
	"Origin", "Sec-Fetch-Site", "Access-Control-Request-Headers", "Access-Control-Request-Method",
	// Linked to, and not continued.
	"Traceparent",
}

// forwarded is the header that a configured proxy may send besides. The host
// never comes from a proxy's header: a proxy passes on the one that it was asked for.
const forwarded = "X-Forwarded-For"

// cleanHeaders deletes every header that is not kept, and trailers, which no
// protocol of ours has in a request.
func (h Hosts) cleanHeaders(r *http.Request) {
	proxied := h.fromProxy(r)
	for name := range r.Header {
		if !slices.Contains(kept, name) && (!proxied || name != forwarded) {
			delete(r.Header, name)
		}
	}
	r.Trailer = nil
}

// ClientAddr returns the address of the client that sent r: the peer's, or,
// behind configured proxies, the one that the outermost of these saw. It is the
// zero address if neither is one.
func (h Hosts) ClientAddr(r *http.Request) netip.Addr {
	addr := peer(r)
	hops := strings.Split(strings.Join(r.Header[forwarded], ","), ",")
	// Each proxy appends the address that it saw. What stands before the first
	// that no proxy of ours wrote is the client's own invention.
	for _, hop := range slices.Backward(hops) {
		if !h.isProxy(addr) {
			break
		}
		before, err := netip.ParseAddr(strings.TrimSpace(hop))
		if err != nil {
			break
		}
		addr = before.Unmap()
	}
	return addr
}

func (h Hosts) fromProxy(r *http.Request) bool { return h.isProxy(peer(r)) }

func (h Hosts) isProxy(addr netip.Addr) bool {
	return slices.ContainsFunc(h.Proxies, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// peer is the other end of the connection.
func peer(r *http.Request) netip.Addr {
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr().Unmap().WithZone("")
}
