package audit

import (
	"bufio"
	"cmp"
	"container/heap"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
)

// entry notes that an org has something to do with a token. 64 bits stand for
// the token: two tokens that meet by chance are kept apart in the second pass.
type entry struct {
	hash uint64
	org  uint32 // the org's number, and the flags
}

const (
	// mentioned: the org names it, and does not own it.
	mentioned = uint32(1) << 31
	// exclusive: no two orgs may name it, whoever owns it: a hub that joins them.
	exclusive = uint32(1) << 30
	orgBits   = exclusive - 1
	// maxOrgs is how many orgs an index can number.
	maxOrgs = int(orgBits)
)

const entrySize = 12

// index sorts entries in bounded memory: what does not fit goes to a file in
// sorted runs, which are merged in the end. So the memory of an audit is the
// same for ten customers and for a hundred thousand.
type index struct {
	dir   string
	limit int // entries in memory

	mu   sync.Mutex
	buf  []entry
	runs []*os.File
}

func newIndex(dir string, limit int) *index { return &index{dir: dir, limit: limit} }

// add takes the entries of one org.
func (x *index) add(entries []entry) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	for len(entries) > 0 {
		if x.buf == nil {
			x.buf = make([]entry, 0, x.limit)
		}
		n := min(len(entries), x.limit-len(x.buf))
		x.buf = append(x.buf, entries[:n]...)
		entries = entries[n:]
		if len(x.buf) == x.limit {
			if err := x.spill(); err != nil {
				return err
			}
		}
	}
	return nil
}

func byHash(a, b entry) int { return cmp.Or(cmp.Compare(a.hash, b.hash), cmp.Compare(a.org, b.org)) }

func (x *index) spill() (err error) {
	slices.SortFunc(x.buf, byHash)
	f, err := os.CreateTemp(x.dir, "freehold-audit-")
	if err != nil {
		return fmt.Errorf("sort the fleet's identities: %w", err)
	}
	x.runs = append(x.runs, f)
	// The file goes with the process, also with one that is killed.
	if err := os.Remove(f.Name()); err != nil {
		return fmt.Errorf("sort the fleet's identities: %w", err)
	}
	w := bufio.NewWriterSize(f, 1<<16)
	var raw [entrySize]byte
	for _, e := range x.buf {
		binary.LittleEndian.PutUint64(raw[:8], e.hash)
		binary.LittleEndian.PutUint32(raw[8:], e.org)
		if _, err := w.Write(raw[:]); err != nil {
			return fmt.Errorf("sort the fleet's identities: %w", err)
		}
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("sort the fleet's identities: %w", err)
	}
	x.buf = x.buf[:0]
	return nil
}

// each visits all entries in order: by token, and for each those that own it first.
func (x *index) each(visit func(entry)) error {
	slices.SortFunc(x.buf, byHash)
	sources := merge{}
	if len(x.buf) > 0 {
		sources = append(sources, &sorted{head: x.buf[0], rest: x.buf[1:]})
	}
	for _, f := range x.runs {
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return fmt.Errorf("sort the fleet's identities: %w", err)
		}
		s := &sorted{file: bufio.NewReaderSize(f, 1<<16)}
		switch err := s.next(); {
		case errors.Is(err, io.EOF):
		case err != nil:
			return err
		default:
			sources = append(sources, s)
		}
	}
	heap.Init(&sources)
	for len(sources) > 0 {
		visit(sources[0].head)
		switch err := sources[0].next(); {
		case errors.Is(err, io.EOF):
			heap.Pop(&sources)
		case err != nil:
			return err
		default:
			heap.Fix(&sources, 0)
		}
	}
	return nil
}

func (x *index) close() error {
	var errs []error
	for _, f := range x.runs {
		errs = append(errs, f.Close())
	}
	return errors.Join(errs...)
}

// sorted is a run, in memory or in a file.
type sorted struct {
	head entry
	rest []entry
	file *bufio.Reader
}

func (s *sorted) next() error {
	if s.file == nil {
		if len(s.rest) == 0 {
			return io.EOF
		}
		s.head, s.rest = s.rest[0], s.rest[1:]
		return nil
	}
	var raw [entrySize]byte
	if _, err := io.ReadFull(s.file, raw[:]); err != nil {
		if errors.Is(err, io.EOF) {
			return io.EOF
		}
		return fmt.Errorf("sort the fleet's identities: %w", err)
	}
	s.head = entry{binary.LittleEndian.Uint64(raw[:8]), binary.LittleEndian.Uint32(raw[8:])}
	return nil
}

// merge is a heap of runs.
type merge []*sorted

func (m merge) Len() int           { return len(m) }
func (m merge) Less(i, j int) bool { return byHash(m[i].head, m[j].head) < 0 }
func (m merge) Swap(i, j int)      { m[i], m[j] = m[j], m[i] }
func (m *merge) Push(s any)        { *m = append(*m, s.(*sorted)) }
func (m *merge) Pop() any {
	last := (*m)[len(*m)-1]
	*m = (*m)[:len(*m)-1]
	return last
}

// suspects are the tokens under more than one org, and the orgs that have to do
// with one.
type suspects struct {
	hashes map[uint64]bool
	orgs   map[uint32]bool
}

// suspects finds the tokens that two orgs own, that one owns and another names,
// and that two name though no two may. It keeps nothing but what it finds.
func (x *index) suspects() (suspects, error) {
	out := suspects{hashes: map[uint64]bool{}, orgs: map[uint32]bool{}}
	accuse := func(hash uint64, orgs ...uint32) {
		out.hashes[hash] = true
		for _, o := range orgs {
			out.orgs[o] = true
		}
	}
	var (
		hash   uint64
		owners []uint32
		named  uint32 // an org that names an exclusive token of nobody
		isOne  bool
		first  = true
	)
	err := x.each(func(e entry) {
		if first || e.hash != hash {
			hash, owners, isOne, first = e.hash, owners[:0], false, false
		}
		org := e.org & orgBits
		switch {
		case e.org&mentioned == 0:
			if slices.Contains(owners, org) {
				return
			}
			if owners = append(owners, org); len(owners) > 1 {
				accuse(hash, owners...)
			}
		case len(owners) > 0:
			if !slices.Contains(owners, org) {
				accuse(hash, append(slices.Clone(owners), org)...)
			}
		case e.org&exclusive != 0:
			if isOne && named != org {
				accuse(hash, named, org)
			}
			named, isOne = org, true
		}
	})
	return out, err
}
