//go:build !linux && !darwin

package pids

// Started does not know.
func Started(int) (start string, ended bool) { return "", false }
