package cli

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"freehold.dev/freehold/internal/lifecycle"
	"freehold.dev/freehold/internal/spec"
)

// mostColons is how many times a line of an error may go on with ": ", the one
// after the program's name included. A longer chain is broken into two lines,
// and its middle left out.
const mostColons = 3

// printError writes err for people: what failed, why, and what to do next. The
// whole chain of causes is for verbose.
func printError(w io.Writer, err error, verbose bool) {
	if different, ok := errors.AsType[*differentError](err); ok {
		err = different.failed
	}
	for _, one := range apart(err) {
		if shown(one) {
			continue
		}
		printOne(w, one, verbose)
	}
}

func printOne(w io.Writer, err error, verbose bool) {
	if mistakes, ok := errors.AsType[spec.Mistakes](err); ok {
		for _, m := range mistakes {
			fmt.Fprintf(w, "freehold: %s\n", m)
		}
		return
	}
	fmt.Fprint(w, problemOf(err))
	if verbose {
		for _, text := range chain(err) {
			fmt.Fprintf(w, "  caused by: %s\n", indent(text))
		}
	}
	if failed, ok := errors.AsType[*lifecycle.Error](err); ok {
		printPolicy(w, failed.Policy)
	}
	if usage, ok := errors.AsType[*usageError](err); ok {
		fmt.Fprintf(w, "see: %s --help\n", usage.command)
		return
	}
	if at, ok := errors.AsType[*placedError](err); ok {
		for _, m := range at.places {
			fmt.Fprintf(w, "  at %s:%d:%d: %s\n", m.File, m.Line, m.Column, m.Field)
		}
	}
	if next := nextStep(err); next != "" {
		fmt.Fprintf(w, "next: %s\n", next)
	}
}

// problem is an error as people read it.
type problem struct {
	what string // `acme: cluster: create aws:eks/cluster:Cluster "eks" failed`; empty: unknown
	why  string
	// bare says that what names a place only.
	bare bool
}

// String is one line, or two where one would be a chain that nobody follows.
func (p problem) String() string {
	line := "freehold: "
	if p.what != "" {
		line += p.what + ": "
	}
	if line += p.why; p.what == "" || strings.Count(line, ": ") <= mostColons && !strings.Contains(p.why, "\n") {
		return indent(line) + "\n"
	}
	if !p.bare {
		return fmt.Sprintf("freehold: %s\n  %s\n", p.what, indent(p.why))
	}
	first, rest, lines := strings.Cut(strings.TrimSpace(p.why), "\n")
	if !lines {
		first, rest, _ = strings.Cut(p.why, ": ")
	}
	return fmt.Sprintf("freehold: %s: %s\n  %s\n", p.what, first, indent(rest))
}

func problemOf(err error) problem {
	failed, ok := errors.AsType[*lifecycle.Error](err)
	if !ok {
		frames := short(frames(err))
		if last := len(frames) - 1; last > 0 && strings.Count(strings.Join(frames, ": "), ": ") >= mostColons {
			return problem{what: strings.Join(frames[:last], ": "), why: frames[last]}
		}
		return problem{why: strings.Join(frames, ": ")}
	}
	var what []string
	for _, s := range []string{failed.Org, failed.Layer} {
		if s != "" {
			what = append(what, s)
		}
	}
	why := cloudsWords(strings.Join(short(frames(failed.Err)), ": "))
	// That the request is at fault is the exit status's to say.
	why = strings.TrimPrefix(why, lifecycle.ErrInvalid.Error()+": ")
	outcome, why := outcomeOf(why)
	bare := outcome == ""
	if doing := strings.TrimSpace(failed.Doing + " " + failed.Resource); doing != "" {
		if outcome != lifecycle.ErrCancelled.Error() {
			why, outcome = strings.TrimPrefix(outcome+": "+why, ": "), "failed"
		}
		what, bare = append(what, doing+" "+outcome), false
	} else if outcome != "" {
		what = append(what, outcome)
	}
	return problem{what: strings.Join(what, ": "), why: why, bare: bare}
}

// awsFrames is what AWS's SDK puts before an API's own error.
var awsFrames = regexp.MustCompile(`operation error [\w ]+: \w+, (https response error StatusCode: \d+, RequestID: [\w-]*, )?(api error )?`)

// cloudsWords leaves AWS's own error of what its SDK and the provider wrote
// around it. The rest, the request's id among it, is for verbose and for the log.
func cloudsWords(text string) string { return awsFrames.ReplaceAllString(text, "") }

// outcomeOf splits a cause that begins with how the operation ended.
func outcomeOf(why string) (outcome, rest string) {
	for _, err := range []error{
		lifecycle.ErrBusy, lifecycle.ErrBlocked, lifecycle.ErrPending, lifecycle.ErrProtected, lifecycle.ErrCancelled,
	} {
		if rest, ok := strings.CutPrefix(why, err.Error()+": "); ok {
			return err.Error(), rest
		}
	}
	return "", why
}

// short leaves out the middle of a long chain: what was tried and the cause say
// most.
func short(frames []string) []string {
	if len(frames) <= mostColons {
		return frames
	}
	return []string{frames[0], "…", frames[len(frames)-1]}
}

// frames are what each wrapping of err added, the outermost first, and then the
// cause in its own words.
func frames(err error) []string {
	var out []string
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			break
		}
		head, ok := strings.CutSuffix(err.Error(), inner.Error())
		if !ok {
			break
		}
		if head = strings.TrimRight(head, " :,"); head != "" {
			out = append(out, head)
		}
		err = inner
	}
	return append(out, err.Error())
}

// chain is every text on the way to the causes of err that the text before it
// does not contain, the outermost first.
func chain(err error) []string {
	var out []string
	var walk func(error)
	walk = func(err error) {
		if err == nil {
			return
		}
		text := err.Error()
		if !slices.ContainsFunc(out, func(s string) bool { return strings.Contains(s, text) }) {
			out = append(out, text)
		}
		walk(errors.Unwrap(err))
		if joined, ok := err.(interface{ Unwrap() []error }); ok {
			for _, one := range joined.Unwrap() {
				walk(one)
			}
		}
	}
	walk(err)
	return out
}

// apart splits what errors.Join put together.
func apart(err error) []error {
	if err == nil {
		return nil
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	texts := make([]string, 0, len(joined.Unwrap()))
	for _, one := range joined.Unwrap() {
		texts = append(texts, one.Error())
	}
	if strings.Join(texts, "\n") != err.Error() {
		return []error{err} // fmt.Errorf with more than one %w
	}
	var out []error
	for _, one := range joined.Unwrap() {
		out = append(out, apart(one)...)
	}
	return out
}

// indent sets the lines after the first below it, unless they are already.
func indent(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	for i, line := range lines[1:] {
		if !strings.HasPrefix(line, "  ") {
			lines[i+1] = "  " + line
		}
	}
	return strings.Join(lines, "\n")
}
