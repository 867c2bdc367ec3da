// Package handover makes the process that the engine starts for the policy pack
// a messenger, where the Freehold that started the engine serves the pack itself.
//
// The engine starts the pack twice in each run, and a whole Freehold takes a tenth
// of a second to start: it links the SDKs of most of AWS. Go initializes packages
// in the order of their paths, as far as their imports allow. This one imports
// the standard library alone, so its turn comes before theirs, and a messenger
// never gets to them.
// https://go.dev/ref/spec#Program_initialization
package handover

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const (
	// Executable is the name by which the engine starts the pack.
	Executable = "pulumi-analyzer-policy-freehold"
	// Variable is the environment variable that says where a pack is served. The
	// process that is found there is told the engine's address in a line, answers
	// with the pack's port in a line, and serves it for as long as the connection is.
	Variable = "FREEHOLD_RULES"
)

// Named reports whether the engine started this process to serve the pack.
func Named(argv0 string) bool {
	return strings.TrimSuffix(filepath.Base(argv0), ".exe") == Executable
}

func init() {
	address := os.Getenv(Variable)
	if address == "" || len(os.Args) < 2 || !Named(os.Args[0]) {
		return
	}
	// The rules of this process would do but for the ledger, which only whoever started
	// the engine may ask: they are no second choice.
	conn, err := net.DialTimeout("tcp", address, time.Minute)
	if err == nil {
		err = Carry(conn, os.Args[1], os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "freehold:", err)
		os.Exit(1) //nolint:forbidigo // it takes the place of main
	}
	os.Exit(0) //nolint:forbidigo // it takes the place of main
}

// Carry tells who serves the pack of the engine, tells the engine where the pack
// is, and returns when it is served no longer.
func Carry(conn net.Conn, engine string, stdout io.Writer) error {
	defer func() { _ = conn.Close() }()
	if _, err := fmt.Fprintln(conn, engine); err != nil {
		return fmt.Errorf("ask for the rules: %w", err)
	}
	said, err := io.Copy(stdout, conn)
	if err == nil && said == 0 {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return fmt.Errorf("have the rules served: %w", err)
	}
	return nil
}
