package audit

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// scanner reads JSON as a stream, and passes over what nobody wants without
// looking into it: most of a state is traces and dependencies. A json.Decoder
// looks at each byte of that three times, which was two thirds of an audit.
type scanner struct {
	r    *bufio.Reader
	kept []byte
	// said and within are what text and inside use again each time.
	said   []byte
	within *scanner
	// names are the keys of objects: a state has a million, and few different.
	names map[string]string
}

func newScanner(r io.Reader) *scanner { return &scanner{r: bufio.NewReaderSize(r, 1<<16)} }

// next is the next byte that is no white space; it is not taken.
func (s *scanner) next() (byte, error) {
	for {
		c, err := s.r.ReadByte()
		if errors.Is(err, io.EOF) {
			return 0, io.ErrUnexpectedEOF
		}
		if err != nil {
			return 0, err
		}
		if c != ' ' && c != '\n' && c != '\t' && c != '\r' {
			return c, s.r.UnreadByte()
		}
	}
}

// take takes the next byte, which must be one of those that may come.
func (s *scanner) take(may string) (byte, error) {
	c, err := s.next()
	if err != nil {
		return 0, err
	}
	for i := range len(may) {
		if c == may[i] {
			_, err = s.r.ReadByte()
			return c, err
		}
	}
	return 0, fmt.Errorf("%q where one of %q was expected", c, may)
}

// object visits the members of an object; visit reads or skips each value. It
// visits nothing of a null.
func (s *scanner) object(visit func(key string) error) error {
	return s.list('{', "}", func() error {
		key, err := s.name()
		if err != nil {
			return err
		}
		if _, err := s.take(":"); err != nil {
			return err
		}
		if err := visit(key); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		return nil
	})
}

// array visits the elements of an array; visit reads or skips each.
func (s *scanner) array(visit func() error) error { return s.list('[', "]", visit) }

func (s *scanner) list(opening byte, closing string, visit func() error) error {
	c, err := s.next()
	if err != nil {
		return err
	}
	if c == 'n' {
		var null struct{}
		return s.decode(&null)
	}
	if _, err := s.take(string(opening)); err != nil {
		return err
	}
	if c, err = s.next(); err != nil {
		return err
	}
	if c == closing[0] {
		_, err = s.take(closing)
		return err
	}
	for {
		if err := visit(); err != nil {
			return err
		}
		c, err := s.take("," + closing)
		if err != nil || c == closing[0] {
			return err
		}
	}
}

// decode reads one value into v.
func (s *scanner) decode(v any) error {
	s.kept = s.kept[:0]
	if err := s.value(true); err != nil {
		return err
	}
	if p, is := v.(*string); is {
		if text, ok := unquoted(s.kept); ok {
			*p = string(text)
			return nil
		}
	}
	return json.Unmarshal(s.kept, v)
}

// name reads the key of a member.
func (s *scanner) name() (string, error) {
	s.kept = s.kept[:0]
	if err := s.value(true); err != nil {
		return "", err
	}
	text, ok := unquoted(s.kept)
	if !ok {
		var key string
		err := json.Unmarshal(s.kept, &key)
		return key, err
	}
	if key, known := s.names[string(text)]; known {
		return key, nil
	}
	key := string(text)
	if s.names == nil {
		s.names = map[string]string{}
	}
	if len(s.names) < 1000 {
		s.names[key] = key
	}
	return key, nil
}

// unquoted returns what is between the quotes of a JSON text in which nothing
// is escaped: nearly every text of a state.
func unquoted(text []byte) ([]byte, bool) {
	n := len(text)
	if n < 2 || text[0] != '"' || text[n-1] != '"' || !utf8.Valid(text) {
		return nil, false
	}
	inner := text[1 : n-1]
	for _, c := range inner {
		if c < ' ' || c == '"' || c == '\\' {
			return nil, false
		}
	}
	return inner, true
}

// text takes one value and returns its text, which holds until the next call.
func (s *scanner) text() ([]byte, error) {
	s.kept = s.kept[:0]
	err := s.value(true)
	s.said = append(s.said[:0], s.kept...)
	return s.said, err
}

// inside reads a text that was taken.
func (s *scanner) inside(text []byte) *scanner {
	if s.within == nil {
		s.within = &scanner{r: bufio.NewReaderSize(nil, 1<<12)}
	}
	s.within.r.Reset(bytes.NewReader(text))
	return s.within
}

// skip passes over one value.
func (s *scanner) skip() error { return s.value(false) }

// What a byte means on the way to the end of a value.
const (
	plain = iota
	quote
	escape
	opens
	closes
	ends // the end of a number or a word, which is not part of it
)

var outside, quoting [256]byte

func init() {
	for _, c := range []byte("{[") {
		outside[c] = opens
	}
	for _, c := range []byte("}]") {
		outside[c] = closes
	}
	for _, c := range []byte(", \n\r\t") {
		outside[c] = ends
	}
	outside['"'], quoting['"'], quoting['\\'] = quote, quote, escape
}

// value takes one value, and keeps its text if asked to.
func (s *scanner) value(keep bool) error {
	if _, err := s.next(); err != nil {
		return err
	}
	depth, quoted, escaped, begun := 0, false, false, false
	for {
		if _, err := s.r.Peek(1); errors.Is(err, io.EOF) {
			return io.ErrUnexpectedEOF
		} else if err != nil {
			return err
		}
		chunk, err := s.r.Peek(s.r.Buffered())
		if err != nil {
			return err
		}
		n, done := 0, false
		for ; n < len(chunk) && !done; n++ {
			if escaped {
				escaped = false
				continue
			}
			if quoted {
				// Most of a text is neither quote nor escape.
				for n < len(chunk)-1 && quoting[chunk[n]] == plain {
					n++
				}
				switch quoting[chunk[n]] {
				case quote:
					quoted = false
					done = depth == 0
				case escape:
					escaped = true
				}
				continue
			}
			switch outside[chunk[n]] {
			case quote:
				quoted = true
			case opens:
				depth++
			case closes:
				if depth == 0 && begun {
					// It closes what the value is in.
					done = true
					n--
					break
				}
				if depth--; depth < 0 {
					return errors.New("a bracket is closed that was not opened")
				}
				done = depth == 0
			case ends:
				if depth == 0 {
					done = true
					n--
				}
			}
			begun = true
		}
		if keep {
			s.kept = append(s.kept, chunk[:n]...)
		}
		if _, err := s.r.Discard(n); err != nil {
			return err
		}
		if done {
			return nil
		}
	}
}
