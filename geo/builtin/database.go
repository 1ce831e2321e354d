package builtin

import (
	_ "embed"
	"errors"
	"fmt"
	"net/netip"
	"sync"

	"github.com/geosegment/caddy-geosegment/geo"
	"github.com/geosegment/caddy-geosegment/geo/builtin/internal/codec"
)

// Attribution is what the license of the data asks to be shown where its
// results are.
const Attribution = "IP Geolocation by DB-IP (https://db-ip.com), CC BY 4.0"

//go:embed data.bin
var data []byte

// Database gives the built-in database. It is decoded when it is first asked
// for, and shared by all who ask.
func Database() (*DB, error) { return database() }

var database = sync.OnceValues(func() (*DB, error) { return decode(data) })

// DB is a built-in database. It implements geo.Source. It is immutable and
// safe for concurrent use.
type DB struct {
	ipv4      [2]*table[uint8] // for a half each; blocks are /16, offsets count /24
	ipv6      *table[uint32]   // blocks are /21 of 2000::/3, offsets count /48
	records   []record         // record n is at n-1
	places    []codec.Place
	month     string
	agreement string
}

// record is what addresses have in common that are answered alike.
type record struct {
	place uint32
	class uint8 // of accuracy
}

// Global unicast IPv6 addresses are in 2000::/3; a block is told by the
// blockBits that follow.
const (
	unicastBits  = 3
	unicast      = 1 // the value of those bits
	blockBits    = 18
	offsetBitsV6 = codec.DepthIPv6 - unicastBits - blockBits
)

// Find implements geo.Source. It allocates nothing, and never fails.
func (db *DB) Find(addr netip.Addr) (uint32, error) {
	switch {
	case addr.Is4():
		a := addr.As4()
		return db.ipv4[a[0]>>7].find(int(a[0]&127)<<8|int(a[1]), a[2]), nil
	case addr.Is6():
		a := addr.As16()
		high := uint64(a[0])<<40 | uint64(a[1])<<32 | uint64(a[2])<<24 | uint64(a[3])<<16 | uint64(a[4])<<8 | uint64(a[5])
		if block, offset, ok := splitIPv6(high); ok {
			return db.ipv6.find(block, offset), nil
		}
	}
	return 0, nil
}

// splitIPv6 splits the upper 48 bits of an address; ok is false for one that
// is not global unicast.
func splitIPv6(high uint64) (block int, offset uint32, ok bool) {
	return int(high >> offsetBitsV6 & (1<<blockBits - 1)), uint32(high & (1<<offsetBitsV6 - 1)),
		high>>(codec.DepthIPv6-unicastBits) == unicast
}

// Read implements geo.Source.
func (db *DB) Read(number uint32, l *geo.Location) error {
	if number == 0 || int(number) > len(db.records) {
		return fmt.Errorf("built-in database: no record %d: expected 1 to %d", number, len(db.records))
	}
	r := db.records[number-1]
	p := &db.places[r.place]
	l.Country = p.Country
	if p.Region != "" {
		l.Regions = []geo.Region{{Name: p.Region}}
	}
	l.City = p.City
	l.Point, l.HasPoint = p.Point(), true
	l.Accuracy = codec.Accuracy(r.class)
	return nil
}

// Month is the month of the full database: "2026-06".
func (db *DB) Month() string { return db.month }

// Agreement says how often this database and the full one agree, for a log
// line.
func (db *DB) Agreement() string { return db.agreement }

// String describes the database for a log line.
func (db *DB) String() string {
	return fmt.Sprintf("built-in (DB-IP City Lite %s, pruned)", db.month)
}

// decode makes a database of the data that generate has written.
func decode(data []byte) (*DB, error) {
	file, err := codec.Parse(data)
	if err == nil {
		var db *DB
		if db, err = decodeFile(file); err == nil {
			return db, nil
		}
	}
	return nil, fmt.Errorf("built-in database: %w", err)
}

func decodeFile(file *codec.File) (*DB, error) {
	places, err := codec.ReadPlaces(file.Places)
	if err != nil {
		return nil, err
	}
	db := &DB{places: places, month: file.Month, agreement: file.Agreement}
	labels := codec.Group(places)
	// The trees share nothing while they are read, so they are read side by
	// side. A record's number is its label and class until all are known.
	var failed [codec.Trees]error
	var all sync.WaitGroup
	read := func(tree int, add func(start uint64, key uint32)) {
		t := &file.Trees[tree]
		failed[tree] = codec.Read(t.Data, codec.Extents[tree], t.Leaves, labels, func(l codec.Leaf) {
			add(l.Start, l.Label*codec.Classes+uint32(l.Class))
		})
	}
	for half, tree := range []int{codec.IPv4Low, codec.IPv4High} {
		all.Go(func() {
			t := newTable[uint8](1<<15, file.Trees[tree].Leaves)
			read(tree, func(start uint64, key uint32) { t.add(int(start>>48&(1<<15-1)), uint8(start>>40), key) })
			t.finish()
			db.ipv4[half] = t
		})
	}
	all.Go(func() {
		t := newTable[uint32](1<<blockBits, file.Trees[codec.IPv6].Leaves+1)
		t.add(0, 0, 0) // what begins before 2000::/3 is not looked at
		read(codec.IPv6, func(start uint64, key uint32) {
			if block, offset, ok := splitIPv6(start >> (64 - codec.DepthIPv6)); ok {
				t.add(block, offset, key)
			}
		})
		t.finish()
		db.ipv6 = t
	})
	all.Wait()
	if err := errors.Join(failed[:]...); err != nil {
		return nil, err
	}
	db.number()
	return db, nil
}

// number gives numbers to the records that occur, in the order of their keys:
// 0 to label 0, nothing, of any class.
func (db *DB) number() {
	numbers := make([]uint32, len(db.places)*codec.Classes)
	for _, records := range [][]uint32{db.ipv4[0].records, db.ipv4[1].records, db.ipv6.records} {
		for _, key := range records {
			numbers[key] = 1
		}
	}
	clear(numbers[:codec.Classes])
	for key, used := range numbers {
		if used > 0 {
			db.records = append(db.records, record{uint32(key / codec.Classes), uint8(key % codec.Classes)})
			numbers[key] = uint32(len(db.records))
		}
	}
	for _, records := range [][]uint32{db.ipv4[0].records, db.ipv4[1].records, db.ipv6.records} {
		for i, key := range records {
			records[i] = numbers[key]
		}
	}
}

var _ geo.Source = (*DB)(nil)
