package builtin

import "slices"

// table finds the record of an address by the ranges that the address space
// is cut into. The address is given as a number of a block, its upper bits,
// and an offset in it, its lower bits.
//
//	blocks   0 │ 2 │ 2 │ 5 …              of each block, its first range …
//	           └───────┐└──────────┐
//	starts   0  80 │ (none) │ 0  16  128 │ …   … which start at these offsets,
//	records  7   3 │        │ 9   3    7 │ …   and have these records
//
// A block without a range of its own at offset 0 begins with the last range
// of the block before, which is the one before in the slice, too.
//
// invariant: the first block has a range that starts at 0; starts ascend
// within a block; neighbouring ranges have different records.
type table[O uint8 | uint32] struct {
	blocks  []uint32 // one more than there are blocks
	starts  []O
	records []uint32
}

// find gives the record at an offset in a block. It takes two or three cache
// lines: the block, its starts, the record.
func (t *table[O]) find(block int, offset O) uint32 {
	lo, hi := t.blocks[block], t.blocks[block+1]
	for lo < hi {
		middle := (lo + hi) / 2
		if t.starts[middle] <= offset {
			lo = middle + 1
		} else {
			hi = middle
		}
	}
	return t.records[lo-1]
}

// newTable makes an empty table of so many blocks, with room for so many
// ranges.
func newTable[O uint8 | uint32](blocks, ranges int) *table[O] {
	return &table[O]{
		blocks:  make([]uint32, 1, blocks+1),
		starts:  make([]O, 0, ranges),
		records: make([]uint32, 0, ranges),
	}
}

// add adds a range. Ranges are added in the order of their addresses, the
// first one at the very start.
func (t *table[O]) add(block int, offset O, record uint32) {
	if n := len(t.records); n > 0 && t.records[n-1] == record {
		return
	}
	for len(t.blocks) <= block {
		t.blocks = append(t.blocks, uint32(len(t.records)))
	}
	t.starts = append(t.starts, offset)
	t.records = append(t.records, record)
}

// finish ends the adding. What it was given room for and did not need is freed.
func (t *table[O]) finish() {
	for len(t.blocks) < cap(t.blocks) {
		t.blocks = append(t.blocks, uint32(len(t.records)))
	}
	t.starts, t.records = slices.Clone(t.starts), slices.Clone(t.records)
}
