package policies

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"freehold.dev/freehold/policies/example"
)

// encodings are how something can be written so that a reader misses it.
var encodings = []struct {
	name string
	in   func(string) string
}{
	{"as it is", func(s string) string { return s }},
	{"in JSON", func(s string) string { return marshalled(map[string]any{"k": s}) }},
	{"in JSON with every letter escaped", func(s string) string { return `{"k":"` + escaped(s, `\u%04x`) + `"}` }},
	{"in escapes of a shell", func(s string) string { return "printf $'" + escaped(s, `\x%02x`) + "'" }},
	{"in octal escapes", func(s string) string { return "printf '" + escaped(s, `\%03o`) + "'" }},
	{"in escapes of a script", func(s string) string { return `"` + escaped(s, `\u{%x}`) + `"` }},
	{"with every letter percent-encoded", func(s string) string { return "data: " + escaped(s, "%%%02X") + " at 100%" }},
	{"percent-encoded as paths are", url.PathEscape},
	{"in character references", func(s string) string { return "<a b='" + escaped(s, "&#%d;") + "'/>" }},
	{"on a line that goes on", func(s string) string { return s[:len(s)/2] + "\\\n" + s[len(s)/2:] }},
	{"in base64", func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }},
	{"in base64 without its padding", func(s string) string { return base64.RawStdEncoding.EncodeToString([]byte(s)) }},
	{"in base64 of addresses", func(s string) string { return "x=" + base64.RawURLEncoding.EncodeToString([]byte("~~~???>>>"+s)) }},
	{"in base64 with line breaks", func(s string) string { return broken(base64.StdEncoding.EncodeToString([]byte(s)), 5, "\n") }},
	{"in base64 with line breaks of Windows", func(s string) string { return broken(base64.StdEncoding.EncodeToString([]byte(s)), 7, "\r\n\t") }},
	{"in base64 after a word of the script", func(s string) string {
		return "echo " + base64.StdEncoding.EncodeToString([]byte(s)) + " | base64 -d | sh"
	}},
	{"in base64 between two lines", func(s string) string {
		return "base64 -d <<EOF\n" + broken(base64.StdEncoding.EncodeToString([]byte(s)), 76, "\n") + "\nEOF\n"
	}},
	{"in base64 of what is not text before it", func(s string) string {
		return base64.StdEncoding.EncodeToString(append([]byte{0xff, 0xd8, 0x80}, s...))
	}},
	{"in gzip and base64", func(s string) string { return base64.StdEncoding.EncodeToString(gzipped(s)) }},
	{"in gzip that is cut off", func(s string) string {
		packed := gzipped(s)
		return base64.StdEncoding.EncodeToString(packed[:len(packed)-8])
	}},
	{"in gzip and base64 in a document of cloud-init", func(s string) string {
		return "#cloud-config\nwrite_files:\n- encoding: gz+b64\n  content: " + base64.StdEncoding.EncodeToString(gzipped(s)) + "\n"
	}},
	{"in zlib and base64", func(s string) string {
		var b bytes.Buffer
		w := zlib.NewWriter(&b)
		_, _ = w.Write([]byte(s))
		_ = w.Close()
		return base64.StdEncoding.EncodeToString(b.Bytes())
	}},
	{"in UTF-16 and base64, as PowerShell takes it", func(s string) string {
		return "powershell -enc " + base64.StdEncoding.EncodeToString(inUTF16(s, binary.LittleEndian))
	}},
	{"in UTF-16 of the other order", func(s string) string {
		return base64.StdEncoding.EncodeToString(append([]byte{0xfe, 0xff}, inUTF16(s, binary.BigEndian)...))
	}},
}

func marshalled(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(text)
}

func escaped(s, format string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		fmt.Fprintf(&b, format, c)
	}
	return b.String()
}

func broken(s string, at int, with string) string {
	var lines []string
	for ; len(s) > at; s = s[at:] {
		lines = append(lines, s[:at])
	}
	return strings.Join(append(lines, s), with)
}

func gzipped(s string) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write([]byte(s))
	_ = w.Close()
	return b.Bytes()
}

func inUTF16(s string, order binary.ByteOrder) []byte {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		at := len(b)
		b = append(b, 0, 0)
		order.PutUint16(b[at:], u)
	}
	return b
}

// What is found in a text is found in every encoding of it, and in every encoding of
// that; by each rule that looks for something.
func TestEveryRuleFindsWhatIsEncoded(t *testing.T) {
	rules := byID(t)
	for _, what := range []struct{ rule, text string }{
		{"FH201", "arn:aws:iam::333333333333:role/x"},
		{"FH201", "333333333333"},
		{"FH202", "s3://globex"},
		{"FH202", "https://globex.s3.dualstack.eu-central-1.amazonaws.com/x"},
		{"FH203", "vpc-0a1b2c3d4e5f60718"},
		{"FH204", "https://FEDCBA9876543210FEDCBA9876543210.gr7.eu-central-1.eks.amazonaws.com"},
		{"FH506", "AKIAIOSFODNN7EXAMPLE"},
	} {
		for _, inner := range encodings {
			for _, outer := range encodings {
				e := example.Of("", "aws:ssm/parameter:Parameter", object{"value": outer.in(inner.in(what.text))})
				if v := ask(rules[what.rule], e); v.Answer != Violated {
					t.Errorf("%s %s, %s: %s says %s", what.text, inner.name, outer.name, what.rule, v.Answer)
				}
			}
		}
	}
}

func byID(t *testing.T) map[string]Rule {
	t.Helper()
	rules := map[string]Rule{}
	for _, r := range All() {
		rules[r.ID] = r
	}
	return rules
}

// What is honest has encodings, too, and is read to the end.
func TestWhatLooksEncodedAndNamesNothingPasses(t *testing.T) {
	rules := byID(t)
	certificate := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{0x30, 0x82, 0x03, 0x9f, 0xa0, 0x17, 0xe1, 0x44, 0x99}, 90))
	for _, tc := range []struct{ name, value string }{
		{"prose", "The nodes of this group run jobs at night; see the page on batch processing for who may start them, and why. 100% of them are spot."},
		{"a certificate", "-----BEGIN CERTIFICATE-----\n" + broken(certificate, 64, "\n") + "\n-----END CERTIFICATE-----\n"},
		{"a digest", "sha256:6672656568f1d0c0a17e0de1b1d2c3f405162738495a6b7c8d9eafb0c1d2e3f4"},
		{"a path of Windows", `C:\new\tools\x64\unins000.exe`},
		{"a regular expression", `^(\d{3})-\\.(?:[a-z]+\/)*%d$`},
		{"JSON in JSON in JSON", marshalled(marshalled(marshalled(object{"a": list{"b", 1, `c\d`}})))},
		{"a script in gzip, as nodes take it", base64.StdEncoding.EncodeToString(gzipped(strings.Repeat("#!/bin/bash\nset -euo pipefail\necho ready\n", 2000)))},
		{"an empty archive", base64.StdEncoding.EncodeToString(gzipped(""))},
		{"a word that begins as an archive does", "H4sIthis-is-not-an-archive-but-a-name"},
		{"what could be base64 and is a name", "freehold/acme/shop/AmazonEKSClusterAutoscalerRole-20260101T000000Z"},
		{"an address with an encoded path", "https://shop.example/a%20b/c%2Fd?e=100%25&f=%zz"},
	} {
		for _, id := range []string{"FH201", "FH202", "FH203", "FH204", "FH506"} {
			e := example.Of("", "aws:ssm/parameter:Parameter", object{"value": tc.value})
			if v := ask(rules[id], e); v.Answer != Pass {
				t.Errorf("%s: %s says %s %v", tc.name, id, v.Answer, v.Findings)
			}
		}
	}
}

// hostile are texts of a size that are made to take long, or to hide what they hold.
func hostile(size int) []struct {
	name, text string
	passes     bool
} {
	fill := func(s string) string { return strings.Repeat(s, size/len(s)+1)[:size] }
	nested := "vpc-0a1b2c3d4e5f60718 "
	for len(nested) < size/2 {
		nested = base64.StdEncoding.EncodeToString([]byte(nested))
	}
	percent := "%" + fill("25") + "41"
	bomb := base64.StdEncoding.EncodeToString(gzipped(string(gzipped(strings.Repeat("0", 64*size)))))
	return []struct {
		name, text string
		passes     bool
	}{
		{"zeros", fill("0"), true},
		{"letters of base64", fill("QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo"), true},
		{"letters that hold letters that hold letters", nested, false},
		{"percent signs of percent signs", percent, false},
		{"backslashes", fill(`\`), false},
		{"escapes", fill(`\u0041\x41\101`), true},
		{"character references", fill("&amp;&#38;&lt"), true},
		{"every encoding at once", fill(`\u0041%41&#65;QUJDREVGR0hJSktMTU5P` + "\x00"), false},
		{"beginnings of archives", fill("H4sIAAAAAAAA"), false},
		{"beginnings of archives in words", fill("H4sI QlpoOTFBWSZT eJw "), false},
		{"an archive of zeros", bomb + fill("="), false},
		{"beginnings of ARNs", fill("arn:aws:s3:::"), false},
		{"beginnings of ARNs in variables", fill("{arn:aws:s3:::"), false},
		{"beginnings of ARNs between variables", fill("{}arn:aws:s3:::"), false},
		{"beginnings of ARNs in variables only", fill("{arn:"), true},
		{"beginnings of hosts", fill("s3.amazonaws"), true},
		{"labels of one host", fill("a.s3.aws."), true},
		{"hosts", fill("a.s3.amazonaws.com "), false},
		{"schemes", fill("s3://"), false},
		{"hyphens", fill("vpc-"), true},
		{"blanks between letters", fill("Q U J D \n"), true},
		{"signs that separate", fill("QUJD/REVG-R0hJ_"), true},
		{"digits of twelve", fill("1234567890123 "), true},
		{"lines that go on", fill("\\\n"), true},
		{"zeros of UTF-16", fill("a\x00"), true},
	}
}

// referenceRules are those that look for something in every text.
var referenceRules = []string{"FH201", "FH202", "FH203", "FH204", "FH506"}

// One resource must not hold up the others, whatever is in it: a megabyte takes less
// than a second. The bound here is for a machine that does other things, too.
func TestHostileTextIsReadInTime(t *testing.T) {
	rules := byID(t)
	for _, h := range hostile(1 << 20) {
		begin := time.Now()
		violated := false
		for _, id := range referenceRules {
			v := ask(rules[id], example.Of("", "aws:ssm/parameter:Parameter", object{"value": h.text}))
			violated = violated || v.Answer != Pass
		}
		if took := time.Since(begin); took > 20*time.Second {
			t.Errorf("%s: took %s", h.name, took)
		}
		if violated == h.passes {
			t.Errorf("%s: passes %t, want %t", h.name, !violated, h.passes)
		}
	}
}

func BenchmarkHostileText(b *testing.B) {
	rules := map[string]Rule{}
	for _, r := range All() {
		rules[r.ID] = r
	}
	for _, h := range hostile(1 << 20) {
		b.Run(h.name, func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				text := h.text[:len(h.text)-1] + string(rune('0'+i%10)) // another text each time: what was read is remembered
				for _, id := range referenceRules {
					ask(rules[id], example.Of("", "aws:ssm/parameter:Parameter", object{"value": text}))
				}
			}
		})
	}
}
