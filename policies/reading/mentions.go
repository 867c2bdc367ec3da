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

// readARN reads an ARN at the beginning of a text that goes on after it, which
// iam.ParseARN does not. A policy variable in it is one piece, with the colon
// that it holds. head is what comes before the colon after the account.
func readARN(text string) (arn, account string, head int, ok bool) {
	text = text[:min(len(text), longestARN)]
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
		case endsARN[c] && depth == 0:
			end = i
			i = len(text)
		}
	}
	return text[:end], account, head, part >= 5
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
