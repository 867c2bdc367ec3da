//go:build !linux

package main_test

import "context"

// use says nothing where there is no /proc.
func use(context.Context, string) <-chan usage {
	out := make(chan usage, 1)
	out <- usage{}
	return out
}
