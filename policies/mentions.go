package policies

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
	"unicode/utf8"
)

// Mention is an account that a text names.
type Mention struct {
	// Account is the id; of an ARN whatever stands in the account's place, which
	// may be empty, "aws", or a pattern.
	Account string
	// Text is the ARN, or the text around the id.
	Text string
	ARN  bool
	// lead is what stands before an account that stands alone, in the same text.
	lead string
}

// Mentions returns the accounts that a text names: in ARNs and by themselves,
// also in JSON with escapes, percent encoding and base64 inside the text, where
// a reader may miss them and AWS does not.
func Mentions(text string) []Mention {
	return mentions(nil, text, wrappings)
}

// wrappings is how many encodings are taken off a text, one inside the other.
const wrappings = 4

func mentions(out []Mention, text string, depth int) []Mention {
	if len(text) < 12 {
		return out
	}
	out = scan(out, text)
	if depth == 0 {
		return out
	}
	if strings.Contains(text, `\u`) && json.Valid([]byte(text)) {
		visitTexts(text, func(s string) { out = mentions(out, s, depth-1) })
	}
	if strings.Contains(text, "%") {
		if plain, err := url.PathUnescape(text); err == nil && plain != text {
			out = mentions(out, plain, depth-1)
		}
	}
	decoded(text, func(plain string) { out = mentions(out, plain, depth-1) })
	return out
}

// visitTexts visits every text of JSON: keys too, and those of a key that is
// there twice.
func visitTexts(in string, visit func(string)) {
	dec := json.NewDecoder(strings.NewReader(in))
	for {
		token, err := dec.Token()
		if err != nil {
			return
		}
		if s, ok := token.(string); ok {
			visit(s)
		}
	}
}

// decoded visits what is said in base64 in a text, as user data and Kubernetes
// Secrets do. The padding at the end carries nothing.
func decoded(text string, visit func(plain string)) {
	const shortest = 16 // an account id
	for i := 0; i < len(text); i++ {
		start := i
		for i < len(text) && base64Letters[text[i]] {
			i++
		}
		if i-start < shortest || !readable(text[start:start+4]) {
			continue
		}
		if plain, err := base64.RawStdEncoding.DecodeString(text[start:i]); err == nil && utf8.Valid(plain) {
			visit(string(plain))
		}
	}
}

var base64Letters = func() (letters [256]bool) {
	for _, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") {
		letters[c] = true
	}
	return letters
}()

// readable reports whether a word of base64 begins like text. Most words that
// happen to be of its letters do not, and are not decoded to the end.
func readable(begin string) bool {
	var plain [3]byte
	if _, err := base64.RawStdEncoding.Decode(plain[:], []byte(begin)); err != nil {
		return false
	}
	for _, c := range plain {
		if c < ' ' && c != '\n' && c != '\r' && c != '\t' || c == 0x7f {
			return false
		}
	}
	first, size := utf8.DecodeRune(plain[:])
	return first != utf8.RuneError || size != 1 || !utf8.FullRune(plain[:])
}

// leading is how much of the text before an account says what it is.
const leading = 32

// scan reads a text from left to right: ARNs first, as the digits inside them
// are not to be found twice.
func scan(out []Mention, text string) []Mention {
	for i := 0; i < len(text); {
		switch c := text[i]; {
		case c == 'a' && strings.HasPrefix(text[i:], "arn:"):
			arn, account, head, ok := readARN(text[i:])
			if !ok {
				i += len("arn:")
				continue
			}
			out = append(out, Mention{Account: account, Text: arn, ARN: true})
			// What comes after the account may name another: a bucket does.
			i += head
		case isDigit(c):
			end := i
			for end < len(text) && isDigit(text[end]) {
				end++
			}
			if end-i == 12 && edge(text, i-1) && edge(text, end) && !inUUID(text, i) {
				out = append(out, Mention{Account: text[i:end], Text: around(text, i, end), lead: text[max(0, i-leading):i]})
			}
			i = end
		default:
			i++
		}
	}
	return out
}

// readARN reads an ARN at the beginning of a text that goes on after it, which
// iam.ParseARN does not. A policy variable in it is one piece, with the colon
// that it holds. head is what comes before the colon after the account.
func readARN(text string) (arn, account string, head int, ok bool) {
	part, start, end, depth := 0, 0, len(text), 0
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '{':
			depth++
		case c == '}' && depth > 0:
			depth--
		case c == ':' && depth == 0:
			if part == 4 {
				account, head = text[start:i], i
			}
			part, start = part+1, i+1
		case part == 4 && c == '/': // not an ARN: the account has no slash
			return "", "", 0, false
		case strings.IndexByte(" \t\r\n\"'`,;<>|\\)]}", c) >= 0 && depth == 0:
			end = i
			i = len(text)
		}
	}
	return text[:end], account, head, part >= 5
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// edge reports whether there is no letter or digit at a place: within a digest
// or a unique id, twelve digits in a row are chance.
func edge(text string, i int) bool {
	if i < 0 || i >= len(text) {
		return true
	}
	c := text[i]
	return !isDigit(c) && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z')
}

// inUUID reports whether the twelve digits at a place are the end of a UUID.
func inUUID(text string, at int) bool {
	const head = len("00000000-0000-0000-0000-")
	if at < head {
		return false
	}
	for i, c := range []byte(text[at-head : at]) {
		hyphen := i == 8 || i == 13 || i == 18 || i == 23
		hex := isDigit(c) || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
		if hyphen != (c == '-') || !hyphen && !hex {
			return false
		}
	}
	return true
}

// around returns the word that an account's id is in.
func around(text string, from, to int) string {
	const blank = " \t\r\n\"'`,;"
	start := strings.LastIndexAny(text[:from], blank) + 1
	if n := strings.IndexAny(text[to:], blank); n >= 0 {
		return text[start : to+n]
	}
	return text[start:]
}
