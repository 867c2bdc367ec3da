// Package cli is the freehold command line: one file a command. It reads flags,
// environment and files, calls one use case, and renders what came back. It
// decides nothing about data planes. Run never exits the process; it returns
// the exit status, which exitCode alone decides.
//
// Results go to standard output, everything else (progress, questions, errors)
// to standard error. With --output ndjson an operation's events go to standard
// output instead, and the operation's result is on its terminal event.
//
// Every operation that streams events ends in exactly one terminal event, and
// that event agrees with the exit status: see stream.
package cli
