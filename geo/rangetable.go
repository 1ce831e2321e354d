package geo

import "math/bits"

// rangeTable finds the id of a key by the ranges that the keys are cut into.
// The upper bits of a key are a block, the lower bits are the place in it.
//
//	blocks   0 │ 2 │ 2 │ 5 …                    of each block, its first range …
//	           └───────┐└──────────┐
//	ranges   0:7  80:3 │ (none) │ 0:9  16:3 │ …  … each place:id in one word
//
// A block without a range of its own at place 0 begins with the last range of
// the block before, which is the one before in the slice, too.
//
// There are so many blocks that one has two to four ranges on average. So most
// searches touch two cache lines that are not in the processor's caches, one
// of blocks and one of ranges; the tree of a file has 17 to 40 to walk through.
//
// invariant: the first range is at key 0; places ascend within a block;
// neighbouring ranges have different ids.
type rangeTable struct {
	placeBits uint // of a key below its block
	idBits    uint
	ask       uint32 // the id that stands for askID
	blocks    []uint32
	ranges    []uint64
}

// maxIDs keeps the blocks that place and id leave over below 32 MB.
const maxIDs = 1 << 24

// newRangeTable makes a table of ranges whose ids are below maxIDs.
func newRangeTable(r *ranges) rangeTable {
	t := rangeTable{ask: r.idCount(), ranges: make([]uint64, len(r.keys))}
	t.idBits = uint(bits.Len32(t.ask))
	blockBits := max(bits.Len(uint(len(r.keys)))-2, int(r.keyBits+t.idBits)-64, 0)
	t.placeBits = r.keyBits - min(uint(blockBits), r.keyBits)
	t.blocks = make([]uint32, 1, 1<<(r.keyBits-t.placeBits)+1)
	for i, key := range r.keys {
		for block := key >> t.placeBits; uint64(len(t.blocks)) <= block; {
			t.blocks = append(t.blocks, uint32(i))
		}
		t.ranges[i] = key&(1<<t.placeBits-1)<<t.idBits | uint64(min(r.ids[i], t.ask))
	}
	for len(t.blocks) < cap(t.blocks) {
		t.blocks = append(t.blocks, uint32(len(r.keys)))
	}
	return t
}

// find gives the id of a key.
func (t *rangeTable) find(key uint64) uint32 {
	block := key >> t.placeBits
	idMask := uint64(1)<<t.idBits - 1
	upTo := key&(1<<t.placeBits-1)<<t.idBits | idMask
	low, high := t.blocks[block], t.blocks[block+1]
	for low < high {
		if middle := (low + high) / 2; t.ranges[middle] <= upTo {
			low = middle + 1
		} else {
			high = middle
		}
	}
	if id := uint32(t.ranges[low-1] & idMask); id != t.ask {
		return id
	}
	return askID
}
