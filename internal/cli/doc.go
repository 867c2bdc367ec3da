// Package cli is the freehold command line: one file per command. It reads flags,
// environment and files, calls one use case, and renders the result. It decides
// nothing about data planes. Run never exits the process; it returns the exit
// status, which exitCode alone decides.
//
// Results are written to standard output, everything else (progress, questions,
// errors) to standard error. With --output ndjson an operation's events are
// written to standard output instead, and its result is on the terminal event.
//
// Every operation that streams events ends in exactly one terminal event, and
// that event agrees with the exit status: see stream.
package cli
