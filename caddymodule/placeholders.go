package caddymodule

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/geosegment/caddy-geosegment/geo"
	"github.com/geosegment/caddy-geosegment/segment"
	"github.com/geosegment/caddy-geosegment/store"
)

// The placeholders. This is the only place that names them. A value that is
// not known is "".
var (
	locationPlaceholders = map[string]func(l *geo.Location) string{
		"geo.country":     func(l *geo.Location) string { return l.Country },
		"geo.region":      func(l *geo.Location) string { return l.Region().Code },
		"geo.region_name": func(l *geo.Location) string { return l.Region().Name },
		"geo.city":        func(l *geo.Location) string { return l.City },
		"geo.city_id":     func(l *geo.Location) string { return number(l.CityID) },
		"geo.postal":      func(l *geo.Location) string { return l.Postal },
		"geo.continent":   func(l *geo.Location) string { return l.Continent },
		"geo.eu": func(l *geo.Location) string {
			if l.Country == "" {
				return ""
			}
			return strconv.FormatBool(l.EU)
		},
		"geo.timezone": func(l *geo.Location) string { return l.TimeZone },
		"geo.lat":      func(l *geo.Location) string { return degrees(l, l.Point.Lat) },
		"geo.lng":      func(l *geo.Location) string { return degrees(l, l.Point.Lng) },
		"geo.asn":      func(l *geo.Location) string { return number(l.ASN) },
		"geo.org":      func(l *geo.Location) string { return l.Org },
		"geo.source":   func(l *geo.Location) string { return l.Source },
	}
	decisionPlaceholders = map[string]func(d *segment.Decision) string{
		"geo.accuracy_km":   accuracyKm,
		"segment.names":     func(d *segment.Decision) string { return strings.Join(d.Segments, ",") },
		"segment.primary":   (*segment.Decision).Primary,
		"store.distance_km": storeKm,
	}
	storePlaceholders = map[string]func(s *store.Store) string{
		"store.code": func(s *store.Store) string { return s.Code },
		"store.name": func(s *store.Store) string { return s.Name },
	}
)

const isSegment = "segment.is."

func number(n uint32) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatUint(uint64(n), 10)
}

func degrees(l *geo.Location, v float64) string {
	if !l.HasPoint {
		return ""
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}

// ours reports whether a placeholder is geosegment's to answer. Whatever has
// one of its prefixes is, so that no misspelt one reaches a visitor literally.
func ours(key string) bool {
	return strings.HasPrefix(key, "geo.") || strings.HasPrefix(key, "segment.") || strings.HasPrefix(key, "store.")
}

// placeholder answers a placeholder; see caddy.ReplacerFunc.
func (t *told) placeholder(key string) (any, bool) {
	if !ours(key) {
		return nil, false
	}
	return t.value(key), true
}

func (t *told) value(key string) string {
	d := t.decision
	if get, ok := locationPlaceholders[key]; ok {
		return get(d.Location)
	}
	if get, ok := decisionPlaceholders[key]; ok {
		return get(d)
	}
	if name, ok := strings.CutPrefix(key, isSegment); ok {
		if i, ok := t.engine.Segment(name); ok {
			return strconv.FormatBool(d.Matches(i))
		}
		return ""
	}
	if d.Store == nil {
		return ""
	}
	if get, ok := storePlaceholders[key]; ok {
		return get(d.Store)
	}
	if column, ok := strings.CutPrefix(key, "store."); ok {
		return d.Store.Attribute(column)
	}
	return ""
}

// checkPlaceholder refuses a placeholder of ours that does not exist.
func (g *generation) checkPlaceholder(key string) error {
	if name, ok := strings.CutPrefix(key, isSegment); ok {
		_, err := g.engine.FindSegment(name)
		return err
	}
	var known []string
	for name := range locationPlaceholders {
		known = append(known, name)
	}
	for name := range decisionPlaceholders {
		known = append(known, name)
	}
	for name := range storePlaceholders {
		known = append(known, name)
	}
	if strings.HasPrefix(key, "store.") {
		if g.stores == nil {
			return fmt.Errorf("placeholder {%s}: no stores are configured", key)
		}
		for _, column := range g.stores.Columns() {
			known = append(known, "store."+column)
		}
	}
	if slices.Contains(known, key) {
		return nil
	}
	if near := geo.Closest(key, known); near != "" {
		return fmt.Errorf("unknown placeholder {%s}: did you mean {%s}?", key, near)
	}
	prefix, _, _ := strings.Cut(key, ".")
	known = slices.DeleteFunc(known, func(name string) bool { return !strings.HasPrefix(name, prefix+".") })
	slices.Sort(known)
	return fmt.Errorf("unknown placeholder {%s}: expected one of {%s}", key, strings.Join(known, "} {"))
}
