package main

import (
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"golang.org/x/term"
)

// runWithSignals runs a command to its end, hands it each signal once, and
// returns its status as a shell does: 128 and the signal for one that died of it.
//
// A terminal sends Ctrl-C to the whole foreground group. There the command
// stays in the group, where it can read what is typed, and is not told again:
// pulumi takes a second interrupt for "stop now". Elsewhere it gets a group of
// its own, so that who signals ours does not reach it twice.
func runWithSignals(cmd *exec.Cmd) (int, error) {
	forward := []os.Signal{syscall.SIGTERM}
	stdin, ok := cmd.Stdin.(*os.File)
	terminal := ok && term.IsTerminal(int(stdin.Fd()))
	if !terminal {
		forward = append(forward, os.Interrupt, syscall.SIGHUP)
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	}
	// Before the start: a signal in between would end us and leave the command.
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, forward...)
	defer signal.Stop(signals)
	if terminal {
		// It is for the command to say what Ctrl-C means.
		held := make(chan os.Signal, 1)
		signal.Notify(held, os.Interrupt)
		defer signal.Stop(held)
	}
	if err := cmd.Start(); err != nil {
		return 1, err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		select {
		case s := <-signals:
			if err := cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
				return 1, err
			}
		case err := <-ended:
			var exit *exec.ExitError
			if !errors.As(err, &exit) {
				return 0, err
			}
			if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
				return 128 + int(status.Signal()), nil
			}
			return exit.ExitCode(), nil
		}
	}
}
