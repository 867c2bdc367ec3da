package cli

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/term"
)

// escaped writes what a terminal would act on, or would not show, as its code point:
// what an argument, a name in the cloud or somebody's error message holds can neither
// move the cursor nor look like another text. The escape is JSON's, so that a JSON
// document stays the same document. Its methods may be called by several goroutines
// at once.
type escaped struct {
	mu   sync.Mutex
	w    io.Writer
	rest []byte // the beginning of a character whose end has not come
}

// Write writes all of p but the beginning of a character at its end.
func (e *escaped) Write(p []byte) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	text := append(e.rest, p...)
	whole := len(text)
	for back := 1; back < utf8.UTFMax && back <= len(text); back++ {
		if at := len(text) - back; utf8.RuneStart(text[at]) {
			if !utf8.FullRune(text[at:]) {
				whole = at
			}
			break
		}
	}
	e.rest = bytes.Clone(text[whole:])
	if _, err := io.WriteString(e.w, escape(string(text[:whole]))); err != nil {
		return 0, err
	}
	return len(p), nil
}

// forFile is where a document that has a digest is written to byte by byte. On a
// terminal nobody compares digests.
func forFile(w io.Writer) io.Writer {
	raw := unescaped(w)
	if f, ok := raw.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return w
	}
	return raw
}

// unescaped is where an escaped writer writes to, for what draws and for another
// command's own words; any other is returned as it is.
func unescaped(w io.Writer) io.Writer {
	if e, ok := w.(*escaped); ok {
		return e.w
	}
	return w
}

// escape returns a text as an escaped writer writes it.
func escape(s string) string {
	if strings.IndexFunc(s, acts) < 0 {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		switch {
		case !acts(r):
			b.WriteRune(r)
		case utf16.RuneLen(r) == 2:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// acts reports whether a character is anything but text: a control, also one of the
// eight-bit set (C1), a mark that is not seen or turns the direction of writing, a
// separator of lines that is not ours, or no character at all.
func acts(r rune) bool {
	return r == utf8.RuneError || r != '\n' && r != '\t' && unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp)
}
