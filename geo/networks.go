package geo

import (
	"encoding/binary"
	"errors"
	"fmt"

	"net/netip"
	"slices"
	"sync"
	"weak"
)

// Source is a table of addresses and what is known of their location, like a
// *Database. It must be safe for concurrent use, and comparable with ==.
type Source interface {
	// Networks calls add for the networks of IPv4, or of IPv6, in the order of
	// their addresses: from start on, up to the next one, addresses have that
	// record, and so the same location. Zero means that there is none, as for
	// addresses before the first start; AskSource, that Find must be asked. It
	// ends with the error of add, if there is one.
	Networks(ipv6 bool, add func(start netip.Addr, record uint32) error) error
	// Find gives the record of one address, which is unmapped and has no
	// zone. It may be slow: it is asked where Networks were not enough.
	Find(addr netip.Addr) (record uint32, err error)
	// Read fills in what a record says. The location is empty before.
	Read(record uint32, l *Location) error
	// String describes the source for a log line.
	String() string
}

// AskSource is the record of addresses for which Find must be asked.
const AskSource = 1<<32 - 1

// MaxSources is how many sources can be asked together.
const MaxSources = 8

// DefaultIndexMemory is how many bytes the networks of one family may take
// unless told otherwise. A full city database takes 35 to 45 MB for each.
const DefaultIndexMemory = 256 << 20

// Networks finds the combined record of an address in one or more sources. It
// is compiled from them and immutable.
//
//	addr ──► table of its family ──► id ──► the records of the sources
//
// There are far fewer ids than networks, and they are dense, so that answers
// can stand in a slice.
type Networks struct {
	sources  []Source
	maxBytes int
	families [2]family // IPv4, IPv6
}

// family is the networks of one family of addresses. An id stands for one
// combination of records: records[id*k : id*k+k] for k sources. Id 0 is none
// of them, askID means to ask the sources.
type family struct {
	ranges  rangeTable
	records []uint32
	walk    bool // the table would be too large: every address is asked for
	outside bool // IPv6 outside of 2000::/3 is known to a source
}

// A key is the part of an address that is looked up: all of IPv4, and of IPv6
// what tells a /64 from others in 2000::/3.
const (
	ipv4Bits = 32
	ipv6Bits = 61
	unicast  = 1 // the upper three bits of 2000::/3
)

// halves gives the halves of an address, left-aligned.
func halves(addr netip.Addr) (upper, lower uint64) {
	if addr.Is4() {
		a := addr.As4()
		return uint64(binary.BigEndian.Uint32(a[:])) << 32, 0
	}
	a := addr.As16()
	return binary.BigEndian.Uint64(a[:8]), binary.BigEndian.Uint64(a[8:])
}

// find gives the family, by its index, and the id of a valid, unmapped
// address.
func (n *Networks) find(addr netip.Addr) (family int, id uint32) {
	upper, _ := halves(addr)
	if addr.Is4() {
		f := &n.families[0]
		if f.walk {
			return 0, askID
		}
		return 0, f.ranges.find(upper >> (64 - ipv4Bits))
	}
	f := &n.families[1]
	switch unicast := upper>>ipv6Bits == unicast; {
	case f.walk || !unicast && f.outside:
		return 1, askID
	case !unicast:
		return 1, 0
	}
	return 1, f.ranges.find(upper & (1<<ipv6Bits - 1))
}

// Compiled reports whether the networks of both families are: neither would
// have taken too much memory.
func (n *Networks) Compiled() bool { return !n.families[0].walk && !n.families[1].walk }

// Records gives the record of an address in each source.
func (n *Networks) Records(addr netip.Addr) (records [MaxSources]uint32, err error) {
	addr = addr.Unmap().WithZone("")
	if !addr.IsValid() {
		return records, nil
	}
	family, id := n.find(addr)
	if id == askID {
		return n.ask(addr)
	}
	return n.key(family, id), nil
}

// ask gives the record of an address in each source by asking for it.
func (n *Networks) ask(addr netip.Addr) (records recordKey, err error) {
	for i, source := range n.sources {
		record, failed := source.Find(addr)
		if failed != nil {
			err = errors.Join(err, failed)
		}
		records[i] = record
	}
	return records, err
}

// key gives the records that an id stands for.
func (n *Networks) key(family int, id uint32) (records recordKey) {
	k := len(n.sources)
	copy(records[:], n.families[family].records[int(id)*k:][:k])
	return records
}

// compiled lets a reloaded configuration share the Networks that the old one
// still holds, as long as the sources are the same.
var compiled = struct {
	sync.Mutex
	all []weak.Pointer[Networks]
}{}

// CompileNetworks compiles the networks of sources, which takes about a
// second for a full city database. A family that would take more than
// maxBytes is not compiled; its addresses are looked up in the sources one by
// one.
func CompileNetworks(sources []Source, maxBytes int) (*Networks, error) {
	if len(sources) > MaxSources {
		return nil, fmt.Errorf("%d databases, but at most %d can be asked together", len(sources), MaxSources)
	}
	compiled.Lock()
	defer compiled.Unlock()
	compiled.all = slices.DeleteFunc(compiled.all, func(p weak.Pointer[Networks]) bool { return p.Value() == nil })
	for _, p := range compiled.all {
		if n := p.Value(); n != nil && slices.Equal(n.sources, sources) && n.maxBytes == maxBytes {
			return n, nil
		}
	}
	n := &Networks{sources: slices.Clone(sources), maxBytes: maxBytes}
	var failed [2]error
	var both sync.WaitGroup
	for i := range n.families {
		both.Go(func() { failed[i] = n.compile(&n.families[i], i == 1) })
	}
	both.Wait()
	if err := errors.Join(failed[:]...); err != nil {
		return nil, err
	}
	compiled.all = append(compiled.all, weak.Make(n))
	return n, nil
}

// compile makes the table of a family.
func (n *Networks) compile(f *family, ipv6 bool) error {
	merged, err := n.merge(f, ipv6)
	switch {
	case errors.Is(err, errTooLarge):
		*f = family{walk: true}
	case err != nil:
		return err
	default:
		f.ranges = newRangeTable(merged)
		f.records = merged.records
	}
	return nil
}

// merge lays the networks of all sources over each other.
func (n *Networks) merge(f *family, ipv6 bool) (*ranges, error) {
	merged := &ranges{keyBits: ipv4Bits, keys: []uint64{0}, ids: []uint32{0}}
	if ipv6 {
		merged.keyBits = ipv6Bits
	}
	for _, source := range n.sources {
		m := newMerger(merged, n.maxBytes/8)
		if counter, ok := source.(interface{ NetworkCount(ipv6 bool) int }); ok {
			m.out.grow(min(counter.NetworkCount(ipv6), n.maxBytes/8))
		}
		end := uint64(1) << merged.keyBits
		err := source.Networks(ipv6, func(start netip.Addr, record uint32) error {
			upper, lower := halves(start)
			if !ipv6 {
				return m.set(upper>>(64-ipv4Bits), record)
			}
			switch prefix := upper >> ipv6Bits; {
			case prefix < unicast:
				f.outside = f.outside || record != 0
				return m.set(0, record) // until the next start, which may be beyond 2000::
			case prefix > unicast:
				f.outside = f.outside || record != 0
				return m.set(end, 0)
			}
			key := upper & (1<<ipv6Bits - 1)
			if lower != 0 { // finer than a key
				if err := m.set(key, AskSource); err != nil {
					return err
				}
				key++
			}
			return m.set(key, record)
		})
		if err == nil {
			err = m.set(end, 0)
		}
		if err != nil {
			return nil, err
		}
		merged = m.out
	}
	return merged, nil
}
