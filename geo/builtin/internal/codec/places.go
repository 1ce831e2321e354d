package codec

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/geosegment/caddy-geosegment/geo"
)

// Place is what a label stands for. A place without a city stands for what
// its region, and one without a region for what its country has in common.
type Place struct {
	Country string // ISO 3166-1 alpha-2
	Region  string
	City    string
	Lat     int16 // in units of Unit
	Lng     int16
}

// Unit is what the coordinates of places count, in degrees: 0.02° are 2.2 km
// of latitude, small beside any accuracy radius.
const Unit = 0.02

// maxPlaces bounds what damaged data can make a reader allocate.
const maxPlaces = 1 << 20

// Group gives the grouping of places that are in order: by country, then
// region. The first is the zero Place.
func Group(places []Place) *Labels {
	l := &Labels{}
	for i, p := range places {
		newCountry := i == 0 || p.Country != places[i-1].Country
		if newCountry {
			l.Countries = append(l.Countries, uint32(len(l.Regions)))
		}
		if newCountry || p.Region != places[i-1].Region {
			l.Regions = append(l.Regions, uint32(i))
		}
	}
	l.Countries = append(l.Countries, uint32(len(l.Regions)))
	l.Regions = append(l.Regions, uint32(len(places)))
	return l
}

// WritePlaces gives the places as compressed columns. A name leaves out what
// it begins with in common with the name before, so their order should be
// alphabetical within a region; coordinates are differences from the place
// before in the same region.
//
//	count
//	flate( country, region and city of each: kept bytes, length, rest … )
//	flate( low bytes of lat, high bytes of lat, low bytes of lng … )
func WritePlaces(places []Place) []byte {
	var names, points bytes.Buffer
	var before Place
	columns := make([][]byte, 4)
	for _, p := range places {
		writeName(&names, before.Country, p.Country)
		writeName(&names, before.Region, p.Region)
		writeName(&names, before.City, p.City)
		lat, lng := zigzag(p.Lat-before.Lat), zigzag(p.Lng-before.Lng)
		columns[0] = append(columns[0], byte(lat>>8))
		columns[1] = append(columns[1], byte(lat))
		columns[2] = append(columns[2], byte(lng>>8))
		columns[3] = append(columns[3], byte(lng))
		before = p
	}
	for _, c := range columns {
		points.Write(c)
	}
	out := binary.AppendUvarint(nil, uint64(len(places)))
	for _, section := range []*bytes.Buffer{&names, &points} {
		packed := deflate(section.Bytes())
		out = binary.AppendUvarint(out, uint64(len(packed)))
		out = append(out, packed...)
	}
	return out
}

func writeName(to *bytes.Buffer, before, name string) {
	kept := 0
	for kept < min(len(before), len(name), 255) && before[kept] == name[kept] {
		kept++
	}
	to.WriteByte(byte(kept))
	to.WriteByte(byte(len(name) - kept))
	to.WriteString(name[kept:])
}

func zigzag(v int16) uint16   { return uint16(v<<1) ^ uint16(v>>15) }
func unzigzag(v uint16) int16 { return int16(v>>1) ^ -int16(v&1) }

func deflate(data []byte) []byte {
	var packed bytes.Buffer
	w, _ := flate.NewWriter(&packed, flate.BestCompression)
	w.Write(data)
	w.Close()
	return packed.Bytes()
}

var errPlaces = errors.New("the table of places is damaged")

// ReadPlaces reads what WritePlaces gave.
func ReadPlaces(data []byte) ([]Place, error) {
	count, data, err := Uvarint(data)
	if err != nil || count == 0 || count > maxPlaces {
		return nil, fmt.Errorf("%w: %d places", errPlaces, count)
	}
	var sections [2][]byte
	for i := range sections {
		var packed []byte
		if packed, data, err = Section(data); err != nil {
			return nil, err
		}
		if sections[i], err = io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(packed)), int64(count)*64)); err != nil {
			return nil, fmt.Errorf("%w: %w", errPlaces, err)
		}
	}
	names, points := sections[0], sections[1]
	if len(points) != 4*int(count) {
		return nil, errPlaces
	}
	places := make([]Place, count)
	var before Place
	for i := range places {
		p := &places[i]
		for _, name := range []struct{ before, to *string }{
			{&before.Country, &p.Country}, {&before.Region, &p.Region}, {&before.City, &p.City},
		} {
			if names, err = readName(names, *name.before, name.to); err != nil {
				return nil, err
			}
		}
		column := func(c int) uint16 { return uint16(points[c*int(count)+i]) }
		p.Lat = before.Lat + unzigzag(column(0)<<8|column(1))
		p.Lng = before.Lng + unzigzag(column(2)<<8|column(3))
		before = *p
	}
	if places[0] != (Place{}) {
		return nil, fmt.Errorf("%w: it begins with %v, expected nothing", errPlaces, places[0])
	}
	return places, nil
}

func readName(data []byte, before string, to *string) ([]byte, error) {
	if len(data) < 2 || int(data[0]) > len(before) || len(data) < 2+int(data[1]) {
		return nil, errPlaces
	}
	rest := data[2 : 2+int(data[1])]
	if int(data[0]) == len(before) && len(rest) == 0 {
		*to = before // shared: most regions are the one before
	} else {
		*to = before[:data[0]] + string(rest)
	}
	return data[2+len(rest):], nil
}

var errShort = errors.New("the data ends early")

// Uvarint takes a number from the start of data.
func Uvarint(data []byte) (uint64, []byte, error) {
	v, n := binary.Uvarint(data)
	if n <= 0 {
		return 0, nil, errShort
	}
	return v, data[n:], nil
}

// Section takes from the start of data what its length precedes.
func Section(data []byte) (section, rest []byte, err error) {
	length, data, err := Uvarint(data)
	if err != nil || length > uint64(len(data)) {
		return nil, nil, errShort
	}
	return data[:length], data[length:], nil
}

// Point is where the place is.
func (p *Place) Point() geo.Point {
	return geo.Point{Lat: degrees(p.Lat), Lng: degrees(p.Lng)}
}

// degrees gives the double nearest to the decimal.
func degrees(units int16) float64 { return float64(units) / (1 / Unit) }
