package builtin

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// checkTable checks what the comment of table says is invariant.
func checkTable[O uint8 | uint32](t *testing.T, name string, table *table[O], blocks int) {
	t.Helper()
	if len(table.blocks) != blocks+1 || table.blocks[0] != 0 || int(table.blocks[blocks]) != len(table.starts) {
		t.Fatalf("%s: %d blocks from %d to %d, want %d from 0 to %d", name,
			len(table.blocks)-1, table.blocks[0], table.blocks[blocks], blocks, len(table.starts))
	}
	if len(table.starts) != len(table.records) || len(table.starts) == 0 {
		t.Fatalf("%s: %d starts, %d records, want as many, and some", name, len(table.starts), len(table.records))
	}
	if !slices.IsSorted(table.blocks) || table.blocks[1] == 0 || table.starts[0] != 0 {
		t.Errorf("%s: does not cover its addresses", name)
	}
	for b := range blocks {
		if starts := table.starts[table.blocks[b]:table.blocks[b+1]]; !slices.IsSorted(starts) {
			t.Fatalf("%s: the starts of block %d do not ascend", name, b)
		}
	}
	for i := range table.records[1:] {
		if table.records[i] == table.records[i+1] {
			t.Fatalf("%s: ranges %d and %d have both the record %d", name, i, i+1, table.records[i])
		}
	}
}

func TestTables(t *testing.T) {
	db := open(t)
	checkTable(t, "0.0.0.0/1", db.ipv4[0], 1<<15)
	checkTable(t, "128.0.0.0/1", db.ipv4[1], 1<<15)
	checkTable(t, "2000::/3", db.ipv6, 1<<blockBits)
}

// TestTableFind compares find with a plain list of all offsets.
func TestTableFind(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	const blocks = 8
	for range 200 {
		table := newTable[uint8](blocks, 10)
		var want [blocks * 256]uint32
		for at := 0; at < len(want); {
			record := random.Uint32N(4)
			table.add(at/256, uint8(at%256), record)
			for end := at + 1 + random.IntN(1+random.IntN(700)); at < min(end, len(want)); at++ {
				want[at] = record
			}
		}
		table.finish()
		checkTable(t, "random", table, blocks)
		for at, record := range want {
			if got := table.find(at/256, uint8(at%256)); got != record {
				t.Fatalf("find(%d, %d) = %d, want %d", at/256, at%256, got, record)
			}
		}
	}
}
