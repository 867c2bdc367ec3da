package document

import (
	"hash/maphash"
	"sync/atomic"

	"freehold.dev/freehold/internal/iam"
)

// parsedTexts remembers the documents that were read last. Half a dozen rules
// ask about the same text one after the other, and reading it is most of what
// they cost.
var parsedTexts = cache{seed: maphash.MakeSeed()}

// cache has one slot for each of a few hashes. A slot that another text
// takes over costs one more reading, and nothing else.
type cache struct {
	seed  maphash.Seed
	slots [64]atomic.Pointer[parsedText]
}

type parsedText struct {
	text string
	doc  iam.Document
	err  error
}

func (c *cache) get(text string) (iam.Document, error) {
	slot := &c.slots[maphash.String(c.seed, text)%uint64(len(c.slots))]
	if p := slot.Load(); p != nil && p.text == text {
		return p.doc, p.err
	}
	doc, err := parseText(text)
	slot.Store(&parsedText{text, doc, err})
	return doc, err
}
