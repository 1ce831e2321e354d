package geo

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
	"weak"

	"github.com/oschwald/maxminddb-golang/v2"
	"github.com/oschwald/maxminddb-golang/v2/mmdbdata"
)

// Database is one MaxMind-DB file. It is immutable and safe for concurrent
// use. There is nothing to close: the file is read into memory, so that
// overwriting it in place cannot crash a reader, and the memory is freed when
// the last user drops the Database.
type Database struct {
	path   string
	reader *maxminddb.Reader
	layout layout
}

// layout is one of the record layouts that are read, with the decoder that
// turns a record into a Location.
type layout struct {
	name   string
	decode func(maxminddb.Result, *Location) error
}

// opened lets a reloaded configuration share the databases that the old one
// still holds, as long as the files are the same.
var opened = struct {
	sync.Mutex
	files map[string]openFile
}{files: map[string]openFile{}}

type openFile struct {
	info fs.FileInfo
	db   weak.Pointer[Database]
}

// OpenDatabase reads a MaxMind-DB file. The layout of its records is
// recognised by their content. Errors name the file and what is wrong with it.
func OpenDatabase(path string) (*Database, error) {
	opened.Lock()
	defer opened.Unlock()
	file, err := OpenFile(path)
	if err != nil {
		return nil, fmt.Errorf("database %s: %w", path, err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, fmt.Errorf("database %s: %w", path, plainPathError(err))
	}
	if known, ok := opened.files[path]; ok && sameVersion(known.info, info) {
		if db := known.db.Value(); db != nil {
			return db, nil
		}
	}
	data := bytes.NewBuffer(make([]byte, 0, info.Size()+bytes.MinRead))
	if _, err := data.ReadFrom(file); err != nil {
		return nil, fmt.Errorf("database %s: %w", path, plainPathError(err))
	}
	db, err := NewDatabase(path, data.Bytes())
	if err != nil {
		return nil, err
	}
	maps.DeleteFunc(opened.files, func(_ string, f openFile) bool { return f.db.Value() == nil })
	opened.files[path] = openFile{info, weak.Make(db)}
	return db, nil
}

// sameVersion reports whether two stats of a path saw the same content.
func sameVersion(a, b fs.FileInfo) bool {
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

// NewDatabase is OpenDatabase for a file that is in memory already; name
// stands for it in errors. The data must not be changed afterwards.
func NewDatabase(name string, data []byte) (*Database, error) {
	if len(data) == 0 {
		return nil, fmt.Errorf("database %s: the file is empty; expected a MaxMind-DB (.mmdb) file", name)
	}
	reader, err := maxminddb.OpenBytes(data)
	if err != nil {
		return nil, fmt.Errorf("database %s: not a complete MaxMind-DB (.mmdb) file: %w", name, err)
	}
	db := &Database{path: name, reader: reader}
	if db.layout, err = db.recognise(); err != nil {
		return nil, fmt.Errorf("database %s: %w", name, err)
	}
	return db, nil
}

// Path is the path or name the database was opened with.
func (db *Database) Path() string { return db.path }

// Layout names the recognised layout: "maxmind", "maxmind asn" or "flat".
func (db *Database) Layout() string { return db.layout.name }

// Type is what the file calls itself, like "GeoLite2-City".
func (db *Database) Type() string { return db.reader.Metadata.DatabaseType }

// Built is when the file was made.
func (db *Database) Built() time.Time { return db.reader.Metadata.BuildTime().UTC() }

// String describes the database for a log line.
func (db *Database) String() string {
	return fmt.Sprintf("%s (%s, %s layout, built %s)", db.path, db.Type(), db.layout.name, db.Built().Format(time.DateOnly))
}

// aliases are prefixes that a file of both families may lead back to its IPv4
// networks, which Networks does not repeat.
var aliases = []netip.Addr{netip.MustParseAddr("2001::"), netip.MustParseAddr("2002::")}

// Networks implements Source.
func (db *Database) Networks(ipv6 bool, add func(start netip.Addr, record uint32) error) error {
	within := netip.MustParsePrefix("0.0.0.0/0")
	asked := aliases
	if ipv6 {
		if db.reader.Metadata.IPVersion == 4 {
			return nil
		}
		// Little is known outside of it, and is asked for.
		within = netip.MustParsePrefix("2000::/3")
		if err := add(netip.IPv6Unspecified(), AskSource); err != nil {
			return err
		}
	}
	for result := range db.reader.NetworksWithin(within, maxminddb.IncludeNetworksWithoutData()) {
		if err := result.Err(); err != nil {
			return fmt.Errorf("database %s: %w", db.path, err)
		}
		start := result.Prefix().Addr()
		if start.BitLen() != within.Addr().BitLen() || start.Less(within.Addr()) { // a wider network
			start = within.Addr()
		}
		for ipv6 && len(asked) > 0 && !start.Less(asked[0]) {
			if err := add(asked[0], AskSource); err != nil {
				return err
			}
			asked = asked[1:]
		}
		if err := add(start, recordOf(result)); err != nil {
			return err
		}
	}
	if ipv6 {
		return add(netip.MustParseAddr("4000::"), AskSource)
	}
	return nil
}

// recordOf is the number of a record: its offset in the file plus one.
func recordOf(result maxminddb.Result) uint32 {
	if !result.Found() {
		return 0
	}
	return uint32(result.Offset()) + 1
}

// Find implements Source.
func (db *Database) Find(addr netip.Addr) (uint32, error) {
	if addr.Is6() && db.reader.Metadata.IPVersion == 4 {
		return 0, nil // the reader makes this an error; to us it is just not there
	}
	result := db.reader.Lookup(addr)
	if err := result.Err(); err != nil {
		return 0, fmt.Errorf("database %s: %w", db.path, err)
	}
	return recordOf(result), nil
}

// Read implements Source.
func (db *Database) Read(record uint32, l *Location) error {
	err := db.layout.decode(db.reader.LookupOffset(uintptr(record-1)), l)
	runtime.KeepAlive(db)
	if err != nil {
		return fmt.Errorf("database %s: record at offset %d: %w", db.path, record-1, err)
	}
	if _, ok := CountryByCode(l.Country); !ok { // "ZZ", "XX", "-" stand for unknown
		l.Country, l.EU = "", false
		if l.Point == (Point{}) { // as does 0,0 then
			l.HasPoint, l.Accuracy = false, 0
		}
	}
	return nil
}

// probedRecords is how many records are looked at to recognise a layout: some
// of them may lack the telling fields.
const probedRecords = 1000

// recognise looks at the field names of the first records.
func (db *Database) recognise() (layout, error) {
	fields := fieldKinds{}
	records := 0
	for result := range db.reader.Networks() {
		if err := result.Decode(&fields); err != nil {
			return layout{}, fmt.Errorf("the file is damaged: %w", err)
		}
		if records++; records == probedRecords {
			break
		}
	}
	for _, l := range layouts {
		if l.has(fields) {
			return l.layout, nil
		}
	}
	if records == 0 {
		return layout{}, errors.New("the file has no records")
	}
	names := slices.Sorted(maps.Keys(fields))
	if len(names) == 0 {
		names = []string{"none"}
	}
	return layout{}, fmt.Errorf("unknown record layout in a %q database: expected the fields of GeoIP2/GeoLite2 City, Country or ASN,"+
		" or flat ones like country_code, city, latitude; met: %s", db.Type(), strings.Join(names, " "))
}

// fieldKinds collects the names and kinds of the top-level fields of records.
type fieldKinds map[string]mmdbdata.Kind

func (f *fieldKinds) UnmarshalMaxMindDBCursor(cursor mmdbdata.Cursor) (mmdbdata.Cursor, error) {
	if kind, err := cursor.Kind(); err != nil || kind != mmdbdata.KindMap {
		if err == nil {
			(*f)["(a record that is not a map)"] = kind
		}
		next, skipErr := cursor.Skip()
		return next, errors.Join(err, skipErr)
	}
	return eachField(cursor, func(key []byte, value mmdbdata.Cursor) (mmdbdata.Cursor, error) {
		kind, err := value.Kind()
		if err != nil {
			return value, err
		}
		(*f)[string(key)] = kind
		return value.Skip()
	})
}

// eachField walks the fields of a map; read returns the value's successor.
func eachField(cursor mmdbdata.Cursor, read func(key []byte, value mmdbdata.Cursor) (mmdbdata.Cursor, error)) (mmdbdata.Cursor, error) {
	fields, err := cursor.Map()
	if err != nil {
		return mmdbdata.Cursor{}, err
	}
	var next mmdbdata.Cursor
	for {
		key, value, ok := fields.Next(next)
		if !ok {
			return fields.End()
		}
		if next, err = read(key, value); err != nil {
			return mmdbdata.Cursor{}, err
		}
	}
}
