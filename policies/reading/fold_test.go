package reading

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestIndexFoldFindsTheFirstInWhateverCase(t *testing.T) {
	wanted := []string{"aws", "ic.gov", "sgov.gov", "s3", "eks", "a", "."}
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOfN(rapid.SampledFrom([]string{
			"a", "W", "w", "S", "s", "3", "e", "K", "k", "g", "O", "o", "v", "V", "i", "C", ".", " ", "\u017f", "\u212a", "aws", "S3", "IC.gov",
		}), 0, 20).Draw(t, "text"), "")
		some := rapid.SliceOfNDistinct(rapid.SampledFrom(wanted), 0, 3, rapid.ID).Draw(t, "wanted")
		want := -1
		for _, a := range some {
			for at := 0; at+len(a) <= len(text); at++ {
				if asciiLower(text[at:at+len(a)]) == a && (want < 0 || at < want) {
					want = at
				}
			}
		}
		if got := IndexFold(text, some...); got != want {
			t.Errorf("in %q, the first of %q is at %d, want %d", text, some, got, want)
		}
	})
}

func asciiLower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c + 0x20
		}
	}
	return string(b)
}
