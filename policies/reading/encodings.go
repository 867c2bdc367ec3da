package reading

import (
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"compress/zlib"
	"encoding/base64"
	"hash/maphash"
	"html"
	"io"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"unicode/utf8"

	"github.com/klauspost/compress/zstd"
)

// The bounds of readings. A text of an honest program has two or three encodings,
// one inside the other, and grows by little: JSON in base64, a script in gzip.
const (
	wrappings   = 6       // encodings, one inside the other
	readGrowth  = 4       // times the text's own size, of all readings together
	readAtLeast = 1 << 20 // bytes that a short text may grow to, by decompression
	archives    = 64      // decompressions of one text
)

// Visit visits a text, and what it says in the encodings in which a reader may miss
// something and AWS, a node or a program does not: escapes of JSON and of shells,
// percent encoding, character references, base64 with and without padding and line
// breaks, what is compressed inside of it, hex digits, and UTF-16. Encodings may be inside each
// other. whole is false where the text holds more than is read within bounds: what is
// in it is not known then.
//
// Every rule that looks for something in texts looks through this, and through nothing
// else. What a program puts together from parts of its own is not found.
func Visit(text string, visit func(text string)) (whole bool) {
	if tooShort(text) {
		visit(text)
		return true
	}
	cache := &readTexts
	if len(text) > longText {
		cache = &readLongTexts
	}
	r := cache.get(text)
	for _, t := range r.texts {
		visit(t)
	}
	return r.whole
}

// readTexts and readLongTexts remember the texts that were read last: several rules ask
// about the same one after the other, some of them for each resource of a stack.
var (
	readTexts     = newReadingCache(2048)
	readLongTexts = newReadingCache(64)
)

// longText is the length of a text of which few are remembered, for they may be large. Most
// policy documents are shorter.
const longText = 8 << 10

type readingCache struct {
	seed  maphash.Seed
	slots []atomic.Pointer[reading]
}

func newReadingCache(slots int) readingCache {
	return readingCache{maphash.MakeSeed(), make([]atomic.Pointer[reading], slots)}
}

type reading struct {
	texts []string // the text itself first
	whole bool
}

func (c *readingCache) get(text string) *reading {
	slot := &c.slots[maphash.String(c.seed, text)%uint64(len(c.slots))]
	if r := slot.Load(); r != nil && r.texts[0] == text {
		return r
	}
	r := &reading{texts: []string{text}, whole: true}
	if !plainText(text) {
		r = readAll(text)
	}
	slot.Store(r)
	return r
}

// reader reads one text.
type reader struct {
	reading
	seen     map[string]bool
	left     int // bytes
	archives int
	next     []string // found in the texts that are being read
}

func readAll(text string) *reading {
	r := &reader{seen: map[string]bool{text: true}, left: readGrowth*len(text) + readAtLeast, archives: archives}
	r.texts, r.whole = []string{text}, true
	level := r.texts
	for range wrappings {
		r.next = nil
		for _, t := range level {
			r.unwrap(t)
		}
		r.texts = append(r.texts, r.next...)
		if level = r.next; len(level) == 0 {
			return &r.reading
		}
	}
	r.next = nil
	for _, t := range level {
		r.unwrap(t)
	}
	r.whole = r.whole && len(r.next) == 0
	return &r.reading
}

// found notes a text that another says, unless it was read before.
func (r *reader) found(text string) {
	switch {
	case len(text) < shortestFound || r.seen[text]:
	case len(text) > r.left:
		r.whole = false
	default:
		r.left -= len(text)
		r.seen[text] = true
		r.next = append(r.next, text)
	}
}

// unwrap takes one encoding off a text, each that it can have.
func (r *reader) unwrap(text string) {
	if strings.IndexByte(text, '\\') >= 0 {
		r.found(unescape(text))
		r.found(goingOn.ReplaceAllLiteralString(text, ""))
	}
	if strings.IndexByte(text, '%') >= 0 {
		r.found(unpercent(text))
	}
	if strings.IndexByte(text, '&') >= 0 {
		r.found(html.UnescapeString(text))
	}
	if strings.IndexByte(text, 0) >= 0 {
		r.found(strings.ReplaceAll(text, "\x00", "")) // UTF-16 of what AWS reads is every other byte
	}
	words(text, r.word)
}

// The classes of the bytes of a text.
const (
	letter = 1 << iota // of base64
	blank
	special // begins what means something else
)

var classes, base64Value = func() (classes [256]byte, values [256]byte) {
	for i := range values {
		values[i] = 0xff
	}
	for i, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") {
		classes[c], values[c] = letter, byte(i)
	}
	classes['-'], values['-'] = letter, 62 // of the alphabet for URLs
	classes['_'], values['_'] = letter, 63
	for _, c := range []byte(" \t\r\n") {
		classes[c] = blank
	}
	for _, c := range []byte("\\%&\x00") {
		classes[c] = special
	}
	return classes, values
}()

const (
	// shortestFound is the length of the shortest text in which anything is looked for:
	// s3://abc. Less is chance.
	shortestFound = 8
	shortestWord  = (shortestFound*8 + 5) / 6
)

// tooShort reports whether a text has no encoding in it because there is no room for one.
func tooShort(text string) bool {
	if len(text) >= shortestWord {
		return false
	}
	for i := range len(text) {
		if c := text[i]; c == '%' || c == '\\' || c == '&' {
			return false
		}
	}
	return true
}

// plainText reports whether a text has no encoding in it: most have none.
func plainText(text string) bool {
	run := 0
	for i := 0; i < len(text); i++ {
		switch classes[text[i]] {
		case letter:
			run++
		case blank:
		case special:
			return false
		default:
			if run >= shortestWord && promising(text[:i], run) {
				return false
			}
			run = 0
		}
	}
	return run < shortestWord || !promising(text, run)
}

// promising reports whether the letters at the end of a text can be base64 of
// something that is read.
func promising(text string, letters int) bool {
	tail := text[len(text)-letters:]
	for i := 0; i < len(tail); i++ {
		if classes[tail[i]] != letter {
			return true // with blanks in between; words looks closer
		}
	}
	for at := range 4 {
		if begins(tail, at) {
			return true
		}
	}
	return beginsHex(tail) || beginsUnread(tail)
}

// shortestHex is the length of what is read as text in hex digits, of which digests and
// ids have none.
const shortestHex = 2 * shortestFound

// beginsHex reports whether there are hex digits in a word whose first bytes are text.
func beginsHex[T string | []byte](word T) bool {
	found := false
	hexRuns(word, func(start, _ int) { found = found || readableHex(word[start:start+shortestHex]) })
	return found
}

// hexRuns visits the runs of hex digits in a word that are long enough, from both of the
// places at which a byte can begin.
func hexRuns[T string | []byte](word T, visit func(start, end int)) {
	start := 0
	for i := 0; i <= len(word); i++ {
		if i < len(word) && hexValue(word[i]) >= 0 {
			continue
		}
		for at := start; at < start+2 && i-at >= shortestHex; at++ {
			visit(at, i)
		}
		start = i + 1
	}
}

func readableHex[T string | []byte](digits T) bool {
	for i := 0; i+1 < len(digits); i += 2 {
		if !readableByte[byte(hexValue(digits[i])<<4|hexValue(digits[i+1]))] {
			return false
		}
	}
	return true
}

// hex decodes the runs of hex digits in a word, as far as they are text.
func (r *reader) hex(word []byte) {
	hexRuns(word, func(start, end int) {
		if !readableHex(word[start : start+shortestHex]) {
			return
		}
		plain := make([]byte, 0, (end-start)/2)
		for ; start+1 < end; start += 2 {
			plain = append(plain, byte(hexValue(word[start])<<4|hexValue(word[start+1])))
		}
		r.segments(plain, nil)
	})
}

// begins reports whether two quads of letters in a row, of those that begin at a place
// modulo four, are of readable text, or one begins what is compressed.
func begins[T string | []byte](word T, at int) bool {
	before := false
	for i := at; i+4 <= len(word); i += 4 {
		a, b, c, d := base64Value[word[i]], base64Value[word[i+1]], base64Value[word[i+2]], base64Value[word[i+3]]
		one, two, three := a<<2|b>>4, b<<4|c>>2, c<<6|d
		now := readableByte[one] && readableByte[two] && readableByte[three]
		if now && before || compressed(word[i:i+4]) != nil {
			return true
		}
		before = now
	}
	return false
}

var readableByte = func() (readable [256]bool) {
	for c := ' '; c < 0x7f; c++ {
		readable[c] = true
	}
	for _, c := range []byte("\x00\t\r\n") {
		readable[c] = true
	}
	return readable
}()

// pause is a place in a run of letters at which what is encoded may begin or end: after
// a sign that also separates, or where blanks were.
type pause struct {
	at    int
	blank bool // within a line
}

// words visits the runs of base64's letters in a text, without the blanks in them.
func words(text string, visit func(word []byte, pauses []pause)) {
	var word []byte
	var pauses []pause
	end := func() {
		if len(word) >= shortestWord {
			visit(word, pauses)
		}
		word, pauses = word[:0], pauses[:0]
	}
	blanks, line := false, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; classes[c] {
		case letter:
			if blanks && len(word) > 0 {
				pauses = append(pauses, pause{len(word), !line})
			}
			blanks, line = false, false
			word = append(word, c)
			if c == '/' || c == '-' || c == '_' || c == '+' {
				pauses = append(pauses, pause{len(word), false})
			}
		case blank:
			blanks, line = true, line || c == '\n' || c == '\r'
		default:
			end()
			blanks, line = false, false
		}
	}
	end()
}

// word decodes a run of letters from each of the four places at which a quad can begin,
// as if nothing in it were a pause, as if all were, and as if those within lines were,
// or the first and the last.
func (r *reader) word(word []byte, pauses []pause) {
	r.hex(word)
	r.whole = r.whole && !beginsUnread(word)
	for at := range 4 {
		if !begins(word, at) {
			continue
		}
		plain := decode(word[at:])
		var all, within []int
		for _, p := range pauses {
			if p.at > at {
				byteAt := (p.at - at) * 3 / 4
				all = append(all, byteAt)
				if p.blank {
					within = append(within, byteAt)
				}
			}
		}
		r.segments(plain, nil)
		if len(all) > 0 {
			r.segments(plain, all)
		}
		if len(all) > 2 {
			r.segments(plain, []int{all[0], all[len(all)-1]})
		}
		if len(within) > 0 && len(within) < len(all) {
			r.segments(plain, within)
		}
		for i := at; i+4 <= len(word); i += 4 {
			if open := compressed(word[i : i+4]); open != nil {
				r.decompress(plain[(i-at)/4*3:], open)
			}
		}
	}
}

// decode decodes letters, and drops the bits at the end that are no byte.
func decode(word []byte) []byte {
	plain := make([]byte, 0, len(word)*3/4)
	for ; len(word) >= 4; word = word[4:] {
		a, b, c, d := base64Value[word[0]], base64Value[word[1]], base64Value[word[2]], base64Value[word[3]]
		plain = append(plain, a<<2|b>>4, b<<4|c>>2, c<<6|d)
	}
	if len(word) > 1 {
		plain = append(plain, base64Value[word[0]]<<2|base64Value[word[1]]>>4)
	}
	if len(word) > 2 {
		plain = append(plain, base64Value[word[1]]<<4|base64Value[word[2]]>>2)
	}
	return plain
}

// date is how a certificate writes when it begins and ends: the tag and the length of a
// UTCTime, twelve digits and a Z. They are not an account.
//
// https://www.rfc-editor.org/rfc/rfc5280#section-4.1.2.5.1
const date = "\x17\x0d............Z"

func isDate(plain []byte) bool {
	if len(plain) < len(date) || plain[0] != date[0] || plain[1] != date[1] || plain[len(date)-1] != 'Z' {
		return false
	}
	return len(bytes.Trim(plain[2:len(date)-1], "0123456789")) == 0
}

// segments notes the parts of bytes that can be read. Letters that are no base64 give
// none: eight readable bytes in a row are not chance. Before each of pauses, a line
// ends.
func (r *reader) segments(plain []byte, pauses []int) {
	var segment []byte
	for i := 0; i < len(plain); i++ {
		c := plain[i]
		if isDate(plain[i:]) {
			i += len(date) - 1
			c = date[0]
		}
		for len(pauses) > 0 && pauses[0] <= i {
			pauses = pauses[1:]
			segment = append(segment, '\n')
		}
		switch {
		case c == 0: // UTF-16 has one beside each letter
		case readableByte[c]:
			segment = append(segment, c)
		default:
			if len(segment) >= shortestFound {
				r.found(string(segment))
			}
			segment = segment[:0]
		}
	}
	if len(segment) >= shortestFound {
		r.found(string(segment))
	}
}

// compressed returns how to open what a quad of base64 begins; nil for what is not
// compressed.
func compressed[T string | []byte](quad T) func(io.Reader) (io.Reader, error) {
	switch quad[0] {
	case 'H':
		if string(quad) == "H4sI" {
			return func(in io.Reader) (io.Reader, error) { return gzip.NewReader(in) }
		}
	case 'e': // the level is in the second byte
		if s := string(quad[:3]); s == "eJw" || s == "eJx" || s == "eJy" || s == "eJz" || s == "eNo" || s == "eNp" || s == "eNq" || s == "eNr" || s == "eAE" || s == "eF4" {
			return func(in io.Reader) (io.Reader, error) { return zlib.NewReader(in) }
		}
	case 'K':
		if string(quad) == "KLUv" {
			return func(in io.Reader) (io.Reader, error) {
				return zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(zstdMemory))
			}
		}
	case 'Q':
		if string(quad) == "Qlpo" {
			return func(in io.Reader) (io.Reader, error) { return bzip2.NewReader(in), nil }
		}
	}
	return nil
}

// zstdMemory bounds what a frame of Zstandard may ask for.
const zstdMemory = 64 << 20

// unread are the beginnings, in base64, of what is not unpacked: xz, 7z, LZ4, RAR and
// zip. They are so long that nothing else begins with them by chance.
var unread = []string{"/Td6WFoA", "N3q8ryccAA", "BCJNGG", "BCJNGE", "BCJNGH", "UmFyIRoH", "UEsDBBQA", "UEsDBAoA", "UEsDBC0A"}

// beginsUnread reports whether a word is of what is not unpacked.
func beginsUnread[T string | []byte](word T) bool {
	return slices.ContainsFunc(unread, func(head string) bool { return len(word) >= len(head) && string(word[:len(head)]) == head })
}

// decompress notes what can be read of what is compressed, also where the end is
// missing or damaged.
func (r *reader) decompress(packed []byte, open func(io.Reader) (io.Reader, error)) {
	if r.archives--; r.archives < 0 {
		r.whole = false
		return
	}
	in, err := open(bytes.NewReader(packed))
	if err != nil {
		return // it only begins like one
	}
	var plain bytes.Buffer
	n, _ := io.Copy(&plain, io.LimitReader(in, int64(r.left)+1))
	if n > int64(r.left) {
		r.whole = false
		return
	}
	r.left -= int(n)
	if quad := base64.StdEncoding.EncodeToString(plain.Bytes()[:min(3, plain.Len())]); len(quad) == 4 {
		if open := compressed(quad); open != nil {
			r.decompress(plain.Bytes(), open)
		}
	}
	r.segments(plain.Bytes(), nil)
}

// goingOn is a line's end that a backslash makes none. YAML drops the blanks that follow.
var goingOn = regexp.MustCompile(`\\\r?\n[ \t]*`)

// unescape replaces the escapes that JSON, YAML, shells and the languages of scripts
// have in common.
func unescape(text string) string {
	var out strings.Builder
	out.Grow(len(text))
	for i := 0; i < len(text); {
		next := strings.IndexByte(text[i:], '\\')
		if next < 0 || i+next+1 >= len(text) {
			break
		}
		out.WriteString(text[i : i+next])
		i += next
		r, size := escape(text[i+1:])
		switch {
		case size == 0:
			out.WriteByte('\\')
		case r >= 0:
			out.WriteRune(r)
		}
		i += 1 + size
		text, i = text[i:], 0
	}
	out.WriteString(text)
	return out.String()
}

// escape returns what stands after a backslash, and its size; 0 for no escape, and -1
// for a line that goes on.
func escape(text string) (r rune, size int) {
	switch c := text[0]; c {
	case 'u', 'x', 'U':
		digits, most := 1, map[byte]int{'u': 4, 'x': 2, 'U': 8}[c]
		if strings.HasPrefix(text[1:], "{") {
			digits, most = 2, 8
		}
		n, end := 0, digits
		for end < len(text) && end < digits+most && hexValue(text[end]) >= 0 {
			n, end = n<<4|hexValue(text[end]), end+1
		}
		if end == digits {
			return 0, 0
		}
		if digits == 2 && strings.HasPrefix(text[end:], "}") {
			end++
		}
		if n > utf8.MaxRune {
			n = utf8.RuneError
		}
		return rune(n), end
	case '0', '1', '2', '3', '4', '5', '6', '7':
		n, end := 0, 0
		for end < len(text) && end < 4 && text[end] >= '0' && text[end] <= '7' && (end < 3 || c == '0') {
			n, end = n<<3|int(text[end]-'0'), end+1
		}
		return rune(n), end
	case 'n', 'r':
		return '\n', 1
	case 't':
		return '\t', 1
	case '"', '\'', '\\', '/', '`':
		return rune(c), 1
	case '\n':
		return -1, 1
	case '\r':
		if strings.HasPrefix(text, "\r\n") {
			return -1, 2
		}
		return -1, 1
	default:
		return 0, 0
	}
}

// unpercent replaces every percent encoding, and leaves a percent sign that is none.
func unpercent(text string) string {
	var out strings.Builder
	out.Grow(len(text))
	for {
		i := strings.IndexByte(text, '%')
		if i < 0 || i+3 > len(text) {
			break
		}
		out.WriteString(text[:i])
		if high, low := hexValue(text[i+1]), hexValue(text[i+2]); high >= 0 && low >= 0 {
			out.WriteByte(byte(high<<4 | low))
			text = text[i+3:]
		} else {
			out.WriteByte('%')
			text = text[i+1:]
		}
	}
	out.WriteString(text)
	return out.String()
}

func hexValue(c byte) int {
	switch {
	case isDigit(c):
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	default:
		return -1
	}
}
