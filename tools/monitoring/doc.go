// Package monitoring holds the tests of docs/monitoring: the namespace
// controller's alerts and dashboard, judged by Prometheus' own code.
//
// It is a module of its own, so that Prometheus' hundreds of dependencies stay
// out of what Freehold is built from. What the controller serves is in
// docs/monitoring/metrics.txt, which a test in internal/controller holds against
// a controller that runs.
package monitoring
