// Package store knows a shop's physical stores: it reads the list of them and
// finds the nearest one.
package store

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"

	"github.com/geosegment/caddy-geosegment/geo"
)

// Online is the store code that stands for the web shop's own stock. No store
// of a Directory may have it.
const Online = "online"

// Store is a physical shop.
type Store struct {
	Code  string // unique in its Directory
	Name  string
	Point geo.Point

	columns []string // shared by all stores of a Directory
	values  []string // in the order of columns
}

// Attribute is the store's value in a further column of the list, by the
// column's lower-case name; it is empty where there is none.
func (s *Store) Attribute(column string) string {
	if i := slices.Index(s.columns, column); i >= 0 {
		return s.values[i]
	}
	return ""
}

// Directory is all stores with their spatial index. It is immutable and safe
// for concurrent use.
type Directory struct {
	stores  []Store // by code, so that the lowest id of the index is the lowest code
	columns []string
	index   *geo.Index
}

// ReadFile reads a store list from a CSV file; see Read.
func ReadFile(path string) (*Directory, error) {
	file, err := geo.OpenFile(path)
	if err != nil {
		return nil, fmt.Errorf("stores %s: %w", path, err)
	}
	defer file.Close()
	directory, err := Read(file)
	if err != nil {
		return nil, fmt.Errorf("stores %s: %w", path, err)
	}
	return directory, nil
}

// required are the columns that every list has.
var required = []string{"code", "name", "lat", "lng"}

// Read reads a store list as CSV. The first row names the columns, in any
// order and case; code, name, lat and lng (WGS 84 degrees) are required, all
// others are kept as attributes. A list without stores is an error, as it is
// far more likely a broken export than a shop that closed all of them. Errors
// name the line.
func Read(r io.Reader) (*Directory, error) {
	table, err := geo.NewTable(r, required...)
	if err != nil {
		return nil, err
	}
	d := &Directory{}
	var attributes []int // fields that are no required column
	for i, column := range table.Header {
		if column != "" && !slices.Contains(required, column) {
			d.columns = append(d.columns, column)
			attributes = append(attributes, i)
		}
	}
	codes := map[string]struct{}{}
	for table.Next() {
		s := Store{Code: table.Field("code"), Name: table.Field("name"), columns: d.columns}
		if err := checkCode(s.Code); err != nil {
			return nil, table.Errorf("%w", err)
		}
		if _, twice := codes[s.Code]; twice {
			return nil, table.Errorf("store %q is there twice", s.Code)
		}
		codes[s.Code] = struct{}{}
		if s.Point, err = geo.NewPoint(table.Field("lat"), table.Field("lng")); err != nil {
			return nil, table.Errorf("store %q: %w", s.Code, err)
		}
		if s.Point == (geo.Point{}) {
			return nil, table.Errorf("store %q: the point 0,0 is in the ocean: the coordinates seem to be missing", s.Code)
		}
		if len(attributes) > 0 {
			s.values = make([]string, len(attributes))
			for i, field := range attributes {
				s.values[i] = table.Row()[field]
			}
		}
		d.stores = append(d.stores, s)
	}
	if err := table.Err(); err != nil {
		return nil, err
	}
	if len(d.stores) == 0 {
		return nil, errors.New("there is no store in it")
	}
	slices.SortFunc(d.stores, func(a, b Store) int { return cmp.Compare(a.Code, b.Code) })
	d.index = geo.NewIndex(len(d.stores), func(id int) geo.Point { return d.stores[id].Point })
	return d, nil
}

// maxCode is how many bytes a store code may have.
const maxCode = 256

func checkCode(code string) error {
	switch {
	case code == "":
		return errors.New("the store code is empty")
	case code == Online:
		return fmt.Errorf("the store code %q is reserved for the web shop's own stock", code)
	case code == "." || code == "..":
		return fmt.Errorf("the store code %q means something else in a URL", code)
	case len(code) > maxCode:
		return fmt.Errorf("the store code %q… has %d bytes; at most %d fit into headers and URLs", code[:20], len(code), maxCode)
	case strings.ContainsFunc(code, unicode.IsControl):
		return fmt.Errorf("the store code %q has a control character in it", code)
	}
	return nil
}

// Len is the number of stores.
func (d *Directory) Len() int { return len(d.stores) }

// Columns are the lower-case names of the attributes, in the list's order.
func (d *Directory) Columns() []string { return d.columns }

// Codes are the codes of all stores, sorted.
func (d *Directory) Codes() []string {
	codes := make([]string, len(d.stores))
	for i := range d.stores {
		codes[i] = d.stores[i].Code
	}
	return codes
}

// Store finds a store by its code.
func (d *Directory) Store(code string) (*Store, bool) {
	i, ok := slices.BinarySearchFunc(d.stores, code, func(s Store, code string) int { return cmp.Compare(s.Code, code) })
	if !ok {
		return nil, false
	}
	return &d.stores[i], true
}

// Nearest is the store nearest to a point, and its distance in metres; of
// equally near ones it is that with the lowest code. It is nil if the point is
// not Valid. It does not allocate.
func (d *Directory) Nearest(p geo.Point) (*Store, float64) {
	id, metres, ok := d.index.Nearest(p)
	if !ok {
		return nil, 0
	}
	return &d.stores[id], metres
}
