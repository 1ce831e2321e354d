package codec

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

// File is the content of the data file:
//
//	magic
//	month, agreement, places, then for each tree its count of leaves, and it
//	checksum of all before: CRC-32C, big-endian
//
// Texts and parts are preceded by their length, a uvarint, and counts are
// uvarints.
type File struct {
	Month     string // of the full database: "2026-06"
	Agreement string // with the full database, for people to read
	Places    []byte // see WritePlaces
	Trees     [Trees]Tree
}

// Tree is a tree as it is stored, see Write.
type Tree struct {
	Leaves int
	Data   []byte
}

// The trees of a File. IPv4 has two, each for a half of the address space, so
// that two processors can read them at once.
const (
	IPv4Low  = iota // 0.0.0.0/1
	IPv4High        // 128.0.0.0/1
	IPv6
	Trees
)

// How deep the trees are in bits of the address; what is finer is not told
// apart.
const (
	DepthIPv4 = 24
	DepthIPv6 = 48
)

// Extents are those of the trees.
var Extents = [Trees]Extent{
	IPv4Low:  {Start: 0, Level: 1, Depth: DepthIPv4},
	IPv4High: {Start: 1 << 63, Level: 1, Depth: DepthIPv4},
	IPv6:     {Start: 0, Level: 0, Depth: DepthIPv6},
}

const magic = "geosegment coarse 1\n"

// maxLeaves bounds what damaged data can make a reader allocate.
const maxLeaves = 1 << 22

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Bytes gives the file.
func (f *File) Bytes() []byte {
	out := []byte(magic)
	section := func(data []byte) {
		out = binary.AppendUvarint(out, uint64(len(data)))
		out = append(out, data...)
	}
	section([]byte(f.Month))
	section([]byte(f.Agreement))
	section(f.Places)
	for _, t := range f.Trees {
		out = binary.AppendUvarint(out, uint64(t.Leaves))
		section(t.Data)
	}
	return binary.BigEndian.AppendUint32(out, crc32.Checksum(out, castagnoli))
}

// Parse takes a file apart. The parts are not looked into.
func Parse(data []byte) (*File, error) {
	body := len(data) - crc32.Size
	if body < len(magic) || string(data[:len(magic)]) != magic {
		return nil, fmt.Errorf("not a built-in database: expected it to begin with %q", magic)
	}
	if want, got := binary.BigEndian.Uint32(data[body:]), crc32.Checksum(data[:body], castagnoli); want != got {
		return nil, fmt.Errorf("the checksum is %08x: expected %08x", got, want)
	}
	return parseBody(data[len(magic):body])
}

func parseBody(data []byte) (*File, error) {
	f := &File{}
	var month, agreement []byte
	var err error
	for _, part := range []*[]byte{&month, &agreement, &f.Places} {
		if *part, data, err = Section(data); err != nil {
			return nil, err
		}
	}
	f.Month, f.Agreement = string(month), string(agreement)
	for i := range f.Trees {
		t := &f.Trees[i]
		var leaves uint64
		if leaves, data, err = Uvarint(data); err != nil {
			return nil, err
		}
		if leaves > maxLeaves {
			return nil, fmt.Errorf("%d leaves: expected at most %d", leaves, maxLeaves)
		}
		t.Leaves = int(leaves)
		if t.Data, data, err = Section(data); err != nil {
			return nil, err
		}
	}
	if len(data) > 0 {
		return nil, errors.New("the data has a surplus at its end")
	}
	return f, nil
}
