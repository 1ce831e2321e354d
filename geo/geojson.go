package geo

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"strings"

	"github.com/peterstace/simplefeatures/geom"
)

// Areas are named areas. They are immutable and safe for concurrent use.
type Areas struct {
	byName map[string]*Area // by folded name
	names  []string         // as written
	source string
}

// ReadAreas reads polygons from GeoJSON files (RFC 7946): a FeatureCollection
// or a Feature, whose property "name" names the area, or a bare geometry,
// which takes the file's name. Features that are no polygon, or have no name,
// are passed over, but not a file in which nothing is left. A name that occurs
// twice is an error. Errors name the file and the feature.
func ReadAreas(paths ...string) (*Areas, error) {
	a := &Areas{byName: map[string]*Area{}, source: strings.Join(paths, ", ")}
	for _, path := range paths {
		if err := a.readFile(path); err != nil {
			return nil, fmt.Errorf("areas %s: %w", path, err)
		}
	}
	return a, nil
}

// geoJSON is the part of a GeoJSON object that leads to geometries.
type geoJSON struct {
	Type       string          `json:"type"`
	Features   []geoJSON       `json:"features"`
	Geometry   json.RawMessage `json:"geometry"`
	Properties map[string]any  `json:"properties"`
}

func (a *Areas) readFile(path string) error {
	file, err := OpenFile(path)
	if err != nil {
		return err
	}
	defer file.Close()
	data, err := io.ReadAll(file)
	if err != nil {
		return plainPathError(err)
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	var root geoJSON
	if err := json.Unmarshal(data, &root); err != nil {
		return fmt.Errorf("broken GeoJSON: %w", err)
	}
	var features []geoJSON
	switch root.Type {
	case "FeatureCollection":
		features = root.Features
	case "Feature":
		features = []geoJSON{root}
	case "Polygon", "MultiPolygon":
		name := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
		features = []geoJSON{{Geometry: data, Properties: map[string]any{"name": name}}}
	default:
		return fmt.Errorf("not GeoJSON with areas: the type is %q; expected FeatureCollection, Feature, Polygon or MultiPolygon", root.Type)
	}
	before := len(a.names)
	for i, f := range features {
		name, _ := f.Properties["name"].(string)
		if err := a.add(strings.TrimSpace(name), f.Geometry); err != nil {
			return fmt.Errorf("feature %d, %q: %w", i+1, name, err)
		}
	}
	if len(a.names) == before {
		return errors.New(`there is no polygon with a name; each needs a property "name"`)
	}
	return nil
}

// add adds an area, if the geometry is one.
func (a *Areas) add(name string, raw json.RawMessage) error {
	if name == "" || len(raw) == 0 || string(raw) == "null" {
		return nil
	}
	// Checked below, where the jumps at the date line are gone.
	geometry, err := geom.UnmarshalGeoJSON(raw, geom.NoValidate{})
	if err != nil {
		return fmt.Errorf("broken geometry: %w", err)
	}
	if t := geometry.Type(); t != geom.TypePolygon && t != geom.TypeMultiPolygon {
		return nil
	}
	if _, twice := a.byName[Fold(name)]; twice {
		return errors.New("the name is there twice")
	}
	area := &Area{name: name}
	for _, part := range geometry.Dump() {
		rings, err := unwrapPolygon(part.MustAsPolygon())
		if err != nil {
			return err
		}
		if len(rings) > 0 {
			area.polygons = append(area.polygons, newPolygon(rings))
		}
	}
	if len(area.polygons) == 0 {
		return errors.New("the polygon is empty")
	}
	a.byName[Fold(name)] = area
	a.names = append(a.names, name)
	return nil
}

// unwrapPolygon checks a polygon, and gives its rings without jumps at the
// date line, holes on the same turn of the globe as the ring around them.
func unwrapPolygon(polygon geom.Polygon) ([][]Point, error) {
	var rings [][]Point
	var checked []geom.LineString
	for i, line := range polygon.DumpRings() {
		ring, err := readRing(line.Coordinates())
		if err != nil {
			return nil, err
		}
		ring = unwrapRing(ring)
		if i > 0 && len(rings) > 0 {
			turnTo(ring, rings[0])
		}
		rings = append(rings, ring)
		flat := make([]float64, 0, 2*len(ring))
		for _, p := range ring {
			flat = append(flat, p.Lng, p.Lat)
		}
		checked = append(checked, geom.NewLineString(geom.NewSequence(flat, geom.DimXY)))
	}
	if err := geom.NewPolygon(checked).Validate(); err != nil {
		return nil, fmt.Errorf("%w (longitude latitude)", err)
	}
	return rings, nil
}

// readRing reads the positions of a ring, which GeoJSON writes longitude first.
func readRing(positions geom.Sequence) ([]Point, error) {
	ring := make([]Point, positions.Length())
	for i := range ring {
		at := positions.GetXY(i)
		p := Point{Lat: at.Y, Lng: at.X}
		switch {
		case math.Abs(p.Lat) > 90 && math.Abs(p.Lng) <= 90:
			return nil, fmt.Errorf("position %v,%v: GeoJSON has longitude first, and these look swapped: latitude %v is beyond 90", at.X, at.Y, at.Y)
		case !(math.Abs(p.Lat) <= 90):
			return nil, fmt.Errorf("position %v,%v: latitude %v is out of range: expected -90 to 90", at.X, at.Y, at.Y)
		case !(math.Abs(p.Lng) <= 360): // beyond 180 is how some tools cross the date line
			return nil, fmt.Errorf("position %v,%v: longitude %v is out of range: expected -180 to 180", at.X, at.Y, at.X)
		}
		ring[i] = p
	}
	if len(ring) < 4 {
		return nil, fmt.Errorf("a ring has %d positions; expected at least 4, the last the same as the first", len(ring))
	}
	if first, last := ring[0], ring[len(ring)-1]; first != last {
		return nil, fmt.Errorf("a ring is not closed: it begins at %v,%v and ends at %v,%v", first.Lng, first.Lat, last.Lng, last.Lat)
	}
	return ring, nil
}

// turnTo moves a hole by whole turns to the ring around it.
func turnTo(hole, outer []Point) {
	west, east := math.Inf(1), math.Inf(-1)
	for _, p := range outer {
		west, east = min(west, p.Lng), max(east, p.Lng)
	}
	for _, turn := range [2]float64{360, -360} {
		if moved := hole[0].Lng + turn; (hole[0].Lng < west || hole[0].Lng > east) && moved >= west && moved <= east {
			for i := range hole {
				hole[i].Lng += turn
			}
		}
	}
}

// Len is the number of areas.
func (a *Areas) Len() int { return len(a.names) }

// Find finds an area by its name; the error says what to type instead.
func (a *Areas) Find(name string) (*Area, error) {
	if area, ok := a.byName[Fold(name)]; ok {
		return area, nil
	}
	switch near := Closest(name, a.names); {
	case len(a.names) == 0:
		return nil, fmt.Errorf("unknown area %q: no areas are configured; name a GeoJSON file with `areas FILE`", name)
	case near != "":
		return nil, fmt.Errorf("unknown area %q: did you mean %q?", name, near)
	default:
		return nil, fmt.Errorf("unknown area %q: it is not in %s", name, a.source)
	}
}
