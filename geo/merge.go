package geo

import (
	"errors"
	"math"
	"slices"
)

// ranges cut all keys of keyBits bits: from keys[i] on they have ids[i]. An id
// stands for records, as in family.
type ranges struct {
	keyBits uint
	keys    []uint64
	ids     []uint32
	width   int // sources that were merged
	records []uint32
}

// askID is the id of ranges in which the sources must be asked.
const askID = math.MaxUint32

var errTooLarge = errors.New("geo: the networks take more memory than allowed")

// idCount is the number of ids, without askID.
func (r *ranges) idCount() uint32 {
	return uint32(len(r.records)/max(r.width, 1)) + uint32(1-min(r.width, 1))
}

// grow makes room for n more ranges.
func (r *ranges) grow(n int) {
	r.keys, r.ids = slices.Grow(r.keys, n), slices.Grow(r.ids, n)
}

// add adds a range behind all others.
func (r *ranges) add(key uint64, id uint32) {
	if n := len(r.ids); n == 0 || r.ids[n-1] != id {
		if n == cap(r.ids) { // append would grow by a quarter, and copy often
			r.grow(n + 1024)
		}
		r.keys, r.ids = append(r.keys, key), append(r.ids, id)
	}
}

// merger lays the networks of one more source over ranges.
//
//	base     │ a       │ b          │ a    …
//	source   │ 1            │ 2     │        …
//	out      │ a1      │ b1 │ b2    │ a2     …
type merger struct {
	base  *ranges
	index int // of the range of base that holds key

	key    uint64 // where the source's current network begins; it is not yet in out
	record uint32 // its record

	out       *ranges
	maxRanges int
	byPair    map[uint64]uint32 // ids by base id << 32 | record
	recent    [1 << 12]pairID   // of byPair, by some bits of a hash: neighbours are alike
}

type pairID struct {
	pair uint64
	id   uint32
}

func newMerger(base *ranges, maxRanges int) *merger {
	return &merger{
		base: base, maxRanges: maxRanges, byPair: map[uint64]uint32{},
		out: &ranges{keyBits: base.keyBits, width: base.width + 1, records: make([]uint32, base.width+1)},
	}
}

// set begins a network of the source at a key. One that began at the same key
// is replaced: another address with that key begins there.
func (m *merger) set(key uint64, record uint32) error {
	switch {
	case key < m.key: // again finer than a key, which asks already
		return nil
	case key > m.key:
		if err := m.flush(key); err != nil {
			return err
		}
		m.key = key
	}
	m.record = record
	return nil
}

// flush puts the current network, which ends before a key, into out.
func (m *merger) flush(end uint64) error {
	for key := m.key; key < end; {
		next := end // where the range of base ends
		for ; m.index+1 < len(m.base.keys); m.index++ {
			if k := m.base.keys[m.index+1]; k > key {
				next = min(end, k)
				break
			}
		}
		id, err := m.id(m.base.ids[m.index])
		if err != nil {
			return err
		}
		if m.out.add(key, id); len(m.out.keys) > m.maxRanges {
			return errTooLarge
		}
		key = next
	}
	return nil
}

// id is the id of a base id with the current record.
func (m *merger) id(base uint32) (uint32, error) {
	switch {
	case base == askID || m.record == AskSource:
		return askID, nil
	case base == 0 && m.record == 0:
		return 0, nil
	}
	pair := uint64(base)<<32 | uint64(m.record)
	near := &m.recent[pair*0x9e3779b97f4a7c15>>52]
	if near.pair == pair {
		return near.id, nil
	}
	id, known := m.byPair[pair]
	if !known {
		id = m.out.idCount()
		if id == maxIDs-1 {
			return 0, errTooLarge
		}
		m.byPair[pair] = id
		width := m.base.width
		m.out.records = append(m.out.records, m.base.records[int(base)*width:][:width]...)
		m.out.records = append(m.out.records, m.record)
	}
	*near = pairID{pair, id}
	return id, nil
}
