package geo

import (
	"fmt"
	"strings"
)

// Gazetteer finds named points. Its error says what is wrong with the name and
// what to type instead.
type Gazetteer interface {
	Find(name string) (Point, error)
}

// CityName is a name that databases may have for a city, and its country, an
// ISO 3166-1 code.
type CityName struct{ Name, Country string }

// Places is a Gazetteer of the operator's own names, which go before those of
// another one. It is immutable and safe for concurrent use.
type Places struct {
	points map[string]Point // by folded name
	names  []string         // as written
	others Gazetteer        // or nil
	source string
}

// ReadPlaces reads CSV files with the columns name, lat and lng, in any order;
// other columns are ignored. Names are compared without case and diacritics.
// A name that occurs twice is an error, also in two files. Names that are not
// there are looked for in others, which may be nil.
func ReadPlaces(others Gazetteer, paths ...string) (*Places, error) {
	p := &Places{points: map[string]Point{}, others: others, source: strings.Join(paths, ", ")}
	for _, path := range paths {
		if err := p.readFile(path); err != nil {
			return nil, fmt.Errorf("places %s: %w", path, err)
		}
	}
	return p, nil
}

func (p *Places) readFile(path string) error {
	file, err := OpenFile(path)
	if err != nil {
		return err
	}
	defer file.Close()
	table, err := NewTable(file, "name", "lat", "lng")
	if err != nil {
		return err
	}
	for table.Next() {
		name := table.Field("name")
		if name == "" {
			return table.Errorf("the name is empty")
		}
		point, err := NewPoint(table.Field("lat"), table.Field("lng"))
		if err != nil {
			return table.Errorf("place %q: %w", name, err)
		}
		if _, twice := p.points[Fold(name)]; twice {
			return table.Errorf("place %q is there twice", name)
		}
		p.points[Fold(name)] = point
		p.names = append(p.names, name)
	}
	return table.Err()
}

// Len is the number of names.
func (p *Places) Len() int { return len(p.names) }

// Find implements Gazetteer.
func (p *Places) Find(name string) (Point, error) {
	if point, ok := p.points[Fold(name)]; ok {
		return point, nil
	}
	var point Point
	var err error
	if p.others != nil {
		if point, err = p.others.Find(name); err == nil {
			return point, nil
		}
	}
	near := Closest(name, p.names)
	switch {
	case near == "" && err != nil:
		return point, err
	case near == "" && len(p.names) == 0:
		return Point{}, fmt.Errorf("unknown place %q: no places are configured; write a point like 45.4642,9.19, or name a places file", name)
	case near != "":
		return Point{}, fmt.Errorf("unknown place %q: did you mean %q?", name, near)
	default:
		return Point{}, fmt.Errorf("unknown place %q: it is not in %s; write a point like 45.4642,9.19, or add it there", name, p.source)
	}
}
