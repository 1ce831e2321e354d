package gazetteer

import (
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/agnivade/levenshtein"

	"github.com/geosegment/caddy-geosegment/geo"
)

// clearlyLarger is how many times the inhabitants of the next city of the same
// name a city must have to be meant without a pin.
const clearlyLarger = 5

// listed is how many candidates an error lists.
const listed = 6

// Find implements geo.Gazetteer: it gives the position of a city by its
// English or local name, without regard to case and diacritics.
//
// The text after the last comma pins the city to a country or region, by code
// or by English name: "Paris, US", "Portland, US-OR", "Milan, Italy". Of
// several cities of a name it gives the largest if that has five times the
// inhabitants of the next; otherwise the error lists them in the form to type.
// The names that GeoNames and English use go before those of other languages.
func (g *Gazetteer) Find(name string) (geo.Point, error) {
	q := g.parse(name)
	found := g.named(q.folded, q.pins)
	switch {
	case len(found) == 0:
		return geo.Point{}, g.unknown(name, q)
	case len(found) > 1 && !g.larger(found[0], found[1]):
		return geo.Point{}, g.ambiguous(name, q.text, found)
	}
	return g.point(found[0]), nil
}

// Names gives all names, folded, of the cities that a name may stand for, the
// largest first: "Milano" → "milan", but not those by which another city of the
// country is meant. The name may have a pin, as for Find. It is nil for a name
// that no city here has; the city may still exist, as small ones are not here.
func (g *Gazetteer) Names(name string) []geo.CityName {
	q := g.parse(name)
	var names []geo.CityName
	for _, c := range g.named(q.folded, q.pins) {
		country := g.pin(c)[:2]
		for _, n := range g.namesOf(c) {
			name := g.names.at(int(n))
			if !slices.Contains(g.named(name, []string{country}), c) {
				continue
			}
			names = append(names, geo.CityName{Name: name, Country: country})
			// Some databases say Davao City for Davao; but Carson City is another city.
			city := name + " city"
			if g.other[n] == 0 && !slices.ContainsFunc(g.named(city, []string{country}), func(other int) bool { return other != c }) {
				names = append(names, geo.CityName{Name: city, Country: country})
			}
		}
	}
	return names
}

// Largest gives the n largest cities in the form to type, the largest first.
func (g *Gazetteer) Largest(n int) []string {
	largest := make([]string, 0, n)
	for c := range min(n, len(g.cities)) {
		largest = append(largest, g.display.at(c)+", "+g.pin(c))
	}
	return largest
}

// Unknown is the error for a name that no city here has. It suggests others.
func (g *Gazetteer) Unknown(name string) error { return g.unknown(name, g.parse(name)) }

func (g *Gazetteer) larger(a, b int) bool {
	return uint64(g.cities[a].population) >= clearlyLarger*max(uint64(g.cities[b].population), 1)
}

// query is a name taken apart.
type query struct {
	text   string   // the name as written, without the pin
	folded string   // the same folded
	pins   []string // country and region codes, any of which will do; nil without a pin
	tail   string   // what follows the last comma, folded, if it is no pin
	err    error    // what is wrong with it, where that is plain
}

var commas = strings.NewReplacer("，", ",", "﹐", ",", "︐", ",")

// parse works on the folded text, so that hyphens do not matter in codes
// either.
func (g *Gazetteer) parse(name string) query {
	name = commas.Replace(name) // as Fold does
	folded := geo.Fold(name)
	i := strings.LastIndexByte(folded, ',')
	if i < 0 {
		return query{text: strings.TrimSpace(name), folded: folded}
	}
	head, tail := strings.TrimSpace(folded[:i]), strings.TrimSpace(folded[i+1:])
	q := query{text: head, folded: head, pins: geo.TerritoryCodes(tail)}
	if j := strings.LastIndexByte(name, ','); j >= 0 {
		q.text = strings.TrimSpace(name[:j])
	}
	if q.pins != nil {
		return q
	}
	q.tail = tail
	written := strings.TrimSpace(name[strings.LastIndexByte(name, ',')+1:])
	if _, err := geo.ParseCountry(written); err != nil && (len(tail) == 2 || strings.Contains(err.Error(), "did you mean")) {
		q.err = fmt.Errorf("%q: %w", name, err)
	}
	if len(g.named(folded, nil)) > 0 { // "Washington, D.C."
		q.folded = folded
	} else {
		q.pins = []string{} // none fits
	}
	return q
}

// named gives the cities of that folded name inside any of the pins, the
// largest first, one for each region. Other names count only where no main or
// English name fits.
func (g *Gazetteer) named(folded string, pins []string) []int {
	for other := range byte(2) {
		var found []int
		first := sort.Search(g.names.len(), func(i int) bool { return g.names.at(i) >= folded })
		for i := first; i < g.names.len() && g.names.at(i) == folded; i++ {
			c := int(g.of[i])
			if g.other[i] == other && inside(g.pin(c), pins) &&
				!slices.ContainsFunc(found, func(f int) bool { return g.pin(f) == g.pin(c) }) {
				found = append(found, c)
			}
		}
		if len(found) > 0 {
			return found
		}
	}
	return nil
}

// inside reports whether a city's pin is one of the pins or, where that is a
// country, in it.
func inside(pin string, pins []string) bool {
	return pins == nil || slices.ContainsFunc(pins, func(p string) bool {
		return pin == p || len(p) == 2 && pin[:2] == p
	})
}

func (g *Gazetteer) ambiguous(name, text string, found []int) error {
	var forms []string
	for _, c := range found[:min(len(found), listed)] {
		alone := !slices.ContainsFunc(found, func(f int) bool { return f != c && g.pin(f)[:2] == g.pin(c)[:2] })
		forms = append(forms, g.form(c, text, alone))
	}
	return fmt.Errorf("%q is ambiguous: write one of %s", name, strings.Join(forms, " "))
}

// form is what to type for a city: its name, or text where that is another
// name of it, with the country if that suffices, else with the region, else
// its position.
func (g *Gazetteer) form(c int, text string, country bool) string {
	folded := geo.Fold(text)
	if display := g.display.at(c); folded == "" || geo.Fold(display) == folded {
		text, folded = display, geo.Fold(display)
	}
	pin := g.pin(c)
	for _, p := range []string{pin[:2], pin} {
		if found := g.named(folded, []string{p}); (country || len(p) > 2) && len(found) > 0 && found[0] == c &&
			(len(found) == 1 || g.larger(found[0], found[1])) {
			return strconv.Quote(text + ", " + p)
		}
	}
	return g.point(c).String()
}

// unknown is the error for a name that is not there. It suggests cities of
// that name elsewhere, or else those that are spelled most like it.
func (g *Gazetteer) unknown(name string, q query) error {
	near, text, country := g.named(q.folded, nil), q.text, true
	if q.tail != "" { // "Portland, OR"
		suffix := "-" + strings.ToUpper(q.tail)
		there := slices.DeleteFunc(slices.Clone(near), func(c int) bool { return !strings.HasSuffix(g.pin(c), suffix) })
		if len(there) > 0 {
			near, country = there, false
		} else if q.err != nil {
			return q.err
		}
	}
	if len(near) == 0 {
		near, text = g.part(q.folded, q.pins), ""
	}
	if len(near) == 0 {
		near = g.closest(q.folded, q.pins)
	}
	if len(near) == 0 {
		near = g.closest(q.folded, nil)
	}
	var forms []string
	for _, c := range near[:min(len(near), 3)] {
		forms = append(forms, g.form(c, text, country))
	}
	switch len(forms) {
	case 0:
		return fmt.Errorf("unknown place %q: write a point like 45.4642,9.19, or add it to a places file", name)
	case 1:
		return fmt.Errorf("unknown place %q: did you mean %s?", name, forms[0])
	default:
		return fmt.Errorf("unknown place %q: did you mean one of %s?", name, strings.Join(forms, " "))
	}
}

// part gives the cities inside the pins that the longest run of words at the
// start or end of folded names: "milano centro", "greater london".
func (g *Gazetteer) part(folded string, pins []string) []int {
	words := strings.Fields(folded)
	for n := len(words) - 1; n > 0; n-- {
		for _, run := range [][]string{words[:n], words[len(words)-n:]} {
			if found := g.named(strings.Join(run, " "), pins); len(found) > 0 {
				return found
			}
		}
	}
	return nil
}

// closest gives the cities inside the pins with the name that is spelled most
// like folded, the largest first. At most a third of the letters may differ;
// of names as close, those that are not only local go before.
func (g *Gazetteer) closest(folded string, pins []string) []int {
	letters := utf8.RuneCountInString(folded)
	limit := letters / 3
	best := 2*limit + 1 // twice the distance, and one for a local name
	var found []int
	for i := range g.names.len() {
		candidate := g.names.at(i)
		if tooLong := len(candidate) - utf8.UTFMax*len(folded); limit == 0 || tooLong > utf8.UTFMax*limit {
			continue
		}
		if d := utf8.RuneCountInString(candidate) - letters; d > limit || -d > limit || !inside(g.pin(int(g.of[i])), pins) {
			continue
		}
		switch d := 2*levenshtein.ComputeDistance(folded, candidate) + int(g.other[i]); {
		case d > best:
		case d < best:
			best, found = d, []int{int(g.of[i])}
		default:
			found = append(found, int(g.of[i]))
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

var _ geo.Gazetteer = (*Gazetteer)(nil)
