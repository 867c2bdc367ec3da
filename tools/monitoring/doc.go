// Package monitoring holds the tests of docs/monitoring: the alerts and dashboards
// of the namespace controller and of the server, judged by Prometheus' own code.
//
// It is a module of its own, so that Prometheus' hundreds of dependencies stay
// out of what Freehold is built from. What the controller serves is in
// docs/monitoring/metrics.txt, which a test in internal/controller holds against
// a controller that runs; what the server serves is in server-metrics.txt, which a
// test in internal/server/edge holds against its metrics.
package monitoring
