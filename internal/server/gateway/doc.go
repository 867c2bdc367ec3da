// Package gateway answers what comes from outside. For each request it
//
//	decides the host            edge.Hosts, before anything else
//	finds the procedure         route, a total table
//	asks identity who calls     Exchange: a context token for one service
//	holds the org to its limit  edge.Limiter
//	passes the request on       over HTTP/2 and mutual TLS, with nothing of the
//	                            caller's in it but what proxy.go lists
//
// and passes the answer back as it comes: unary and streamed, in Connect, gRPC and
// gRPC-web. It decides nothing about rights: each service does that itself.
//
// Without a token there is one answer, the same for whatever is wrong, and
// reflection, because the API's definitions are open.
package gateway
