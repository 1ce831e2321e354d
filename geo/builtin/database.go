package builtin

import (
	_ "embed"
	"encoding/binary"
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

// Database gives the built-in database, which all who ask share.
func Database() (*DB, error) { return database() }

var database = sync.OnceValues(func() (*DB, error) { return decode(data) })

// DB is a built-in database. It implements geo.Source. It is immutable and
// safe for concurrent use.
//
// A record's number is the label of its place and its class of accuracy.
type DB struct {
	file   *codec.File
	places []codec.Place
	labels *codec.Labels
	// compiled is for Find alone.
	compiled func() (*geo.Networks, error)
}

// Networks implements geo.Source. It decodes the networks anew each time.
func (db *DB) Networks(ipv6 bool, add func(start netip.Addr, record uint32) error) error {
	if ipv6 {
		return db.read(codec.IPv6, func(start uint64, record uint32) error {
			var a [16]byte
			binary.BigEndian.PutUint64(a[:], start)
			return add(netip.AddrFrom16(a), record)
		})
	}
	add4 := func(start uint64, record uint32) error {
		var a [4]byte
		binary.BigEndian.PutUint32(a[:], uint32(start>>32))
		return add(netip.AddrFrom4(a), record)
	}
	// The second half is read while the first one is, by another processor.
	type network struct {
		start  uint64
		record uint32
	}
	networks := make([]network, 0, db.file.Trees[codec.IPv4High].Leaves)
	read := make(chan error, 1)
	go func() {
		read <- db.read(codec.IPv4High, func(start uint64, record uint32) error {
			networks = append(networks, network{start, record})
			return nil
		})
	}()
	err := db.read(codec.IPv4Low, add4)
	if err = errors.Join(err, <-read); err != nil {
		return err
	}
	for _, n := range networks {
		if err := add4(n.start, n.record); err != nil {
			return err
		}
	}
	return nil
}

// NetworkCount is how many networks there are, at most.
func (db *DB) NetworkCount(ipv6 bool) int {
	trees := db.file.Trees
	if ipv6 {
		return trees[codec.IPv6].Leaves + 1
	}
	return trees[codec.IPv4Low].Leaves + trees[codec.IPv4High].Leaves
}

// read decodes a tree.
func (db *DB) read(tree int, add func(start uint64, record uint32) error) error {
	t := &db.file.Trees[tree]
	var failed error
	err := codec.Read(t.Data, codec.Extents[tree], t.Leaves, db.labels, func(l codec.Leaf) {
		record := l.Label*codec.Classes + uint32(l.Class)
		if l.Label == 0 { // nothing, of any class
			record = 0
		}
		if failed == nil {
			failed = add(l.Start, record)
		}
	})
	if err = errors.Join(err, failed); err != nil {
		return fmt.Errorf("built-in database: %w", err)
	}
	return nil
}

// unicast is all of IPv6 that is known here.
var unicast = netip.MustParsePrefix("2000::/3")

// Find implements geo.Source.
func (db *DB) Find(addr netip.Addr) (uint32, error) {
	if addr.Is6() && !unicast.Contains(addr) {
		return 0, nil
	}
	networks, err := db.compiled()
	if err != nil {
		return 0, err
	}
	records, err := networks.Records(addr)
	return records[0], err
}

// Read implements geo.Source.
func (db *DB) Read(record uint32, l *geo.Location) error {
	label, class := record/codec.Classes, record%codec.Classes
	if label == 0 || int(label) >= len(db.places) {
		return fmt.Errorf("built-in database: no record %d: expected %d to %d", record, codec.Classes, len(db.places)*codec.Classes-1)
	}
	p := &db.places[label]
	l.Country = p.Country
	if p.Region != "" {
		l.Regions = []geo.Region{{Name: p.Region}}
	}
	l.City = p.City
	l.Point, l.HasPoint = p.Point(), true
	l.Accuracy = codec.Accuracy(uint8(class))
	return nil
}

// Month is the month of the full database: "2026-06".
func (db *DB) Month() string { return db.file.Month }

// Agreement says how often this database and the full one agree, for a log
// line.
func (db *DB) Agreement() string { return db.file.Agreement }

// String describes the database for a log line.
func (db *DB) String() string {
	return fmt.Sprintf("built-in (DB-IP City Lite %s, pruned)", db.file.Month)
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
	db := &DB{file: file, places: places, labels: codec.Group(places)}
	db.compiled = sync.OnceValues(func() (*geo.Networks, error) {
		return geo.CompileNetworks([]geo.Source{db}, geo.DefaultIndexMemory)
	})
	return db, nil
}

var _ geo.Source = (*DB)(nil)
