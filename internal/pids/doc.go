// Package pids says of another process of this machine when it started, and
// whether it has ended although its pid is still taken.
package pids
