package reading

import "strings"

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

// Mentions returns the accounts that a text names: in ARNs and by themselves, also
// in the encodings that readings takes off.
func Mentions(text string) []Mention {
	found, _ := AllMentions(text)
	return found
}

// AllMentions is Mentions, and reports whether the whole text could be read.
func AllMentions(text string) (found []Mention, whole bool) {
	whole = Visit(text, func(plain string) {
		if len(plain) >= shortestMention {
			found = scan(found, plain)
		}
	})
	return found, whole
}

// shortestMention is the length of an account's id.
const shortestMention = 12

// leading is how much of the text before an account says what it is.
const leading = 32

// scan reads a text from left to right: ARNs first, as the digits inside them
// are not to be found twice.
func scan(out []Mention, text string) []Mention {
	r := arnReader{text: text}
	for i := 0; i < len(text); {
		switch c := text[i]; {
		case c == 'a' && strings.HasPrefix(text[i:], "arn:"):
			arn, account, head, ok := r.read(i)
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
			if account, size := dashed(text, i); size > 0 {
				out = append(out, Mention{Account: account, Text: text[i : i+size], lead: text[max(0, i-leading):i]})
				end = i + size
			} else if end-i == 12 && Edge(text, i-1) && Edge(text, end) && !inUUID(text, i) {
				out = append(out, Mention{Account: text[i:end], Text: around(text, i, end), lead: text[max(0, i-leading):i]})
			}
			i = end
		default:
			i++
		}
	}
	return out
}

// longestARN is what IAM takes; one that does not end must not be read to the end of
// the text again and again.
const longestARN = 2048

// longestVariable is more than any policy variable has, with its default:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
const longestVariable = 256

// arnReader reads the ARNs of a text from left to right.
type arnReader struct {
	text string
	// stop is the first place after since where an ARN may end: for the many that may
	// begin before it, it is looked for once.
	since, stop int
}

// read reads the ARN at a place of the text, which goes on after it: iam.ParseARN does
// not. A policy variable in it is one piece, with the colon that it holds. head is what
// comes before the colon after the account.
func (r *arnReader) read(at int) (arn, account string, head int, ok bool) {
	text := r.text[at:min(len(r.text), at+longestARN)]
	part, start, end := 0, 0, len(text)
	for i := 0; i < len(text); i++ {
		c := text[i]
		variable := -1
		if c == '{' {
			variable = strings.IndexByte(text[i:min(len(text), i+longestVariable)], '}')
		}
		switch {
		case variable > 0:
			i += variable
		case c == ':':
			if part == 4 {
				account, head = text[start:i], i
			}
			part, start = part+1, i+1
		case part == 4 && c == '/': // not an ARN: the account has no slash
			return "", "", 0, false
		case c == '{' || endsARN[c]:
			end = i
			i = len(text)
		}
		if part >= 5 {
			i = min(r.next(at+i+1)-at, len(text)) - 1
		}
	}
	return text[:end], account, head, part >= 5
}

// next is the next place at which an ARN ends or a variable begins.
func (r *arnReader) next(from int) int {
	if r.since <= from && from <= r.stop {
		return r.stop
	}
	for r.since, r.stop = from, from; r.stop < len(r.text); r.stop++ {
		if c := r.text[r.stop]; c == '{' || endsARN[c] {
			break
		}
	}
	return r.stop
}

var endsARN = func() (ends [256]bool) {
	for _, c := range []byte(" \t\r\n\"'`,;<>|\\)]}") {
		ends[c] = true
	}
	return ends
}()

// dashed reads an account as the console shows it, in three groups: 1234-5678-9012.
func dashed(text string, at int) (account string, size int) {
	const form = "0000-0000-0000"
	if len(text)-at < len(form) || text[at+4] != '-' || text[at+9] != '-' {
		return "", 0
	}
	word := text[at : at+len(form)]
	account = word[:4] + word[5:9] + word[10:]
	part := func(i int) bool { return !Edge(text, i) || i >= 0 && i < len(text) && text[i] == '-' }
	if strings.Trim(account, "0123456789") != "" || part(at-1) || part(at+len(form)) {
		return "", 0
	}
	return account, len(form)
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// Edge reports whether there is no letter or digit at a place: within a digest
// or a unique id, twelve digits in a row are chance.
func Edge(text string, i int) bool {
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
