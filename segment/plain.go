package segment

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/geosegment/caddy-geosegment/geo"
)

// plainRule compiles a rule that has no rules inside.
func (c *compiler) plainRule(kind string, config Rule) (rule, error) {
	switch kind {
	case "country":
		codes, err := each(config.Country, "a code like IT", func(s string) (string, error) {
			country, err := geo.ParseCountry(s)
			if err != nil {
				return "", countryMeant(s, err)
			}
			return country.Code, nil
		})
		return oneOf(hasCountry, codes, textKey, func(f *facts) string { return f.Country }), err
	case "continent":
		codes, err := each(config.Continent, "a code like EU", geo.ParseContinent)
		return oneOf(hasContinent, codes, textKey, func(f *facts) string { return f.Continent }), err
	case "eu":
		return located{needs: hasOnly(hasEU), outcome: func(f *facts) Outcome {
			if f.Country == "" {
				return Unknown
			}
			return outcome(f.EU)
		}}, nil
	case "region":
		return c.regionRule(config)
	case "city":
		return c.cities(config)
	case "postal":
		return postalRule(config.Postal)
	case "metro":
		codes, err := each(config.Metro, "a number like 807", itself)
		return oneOf(hasMetro, codes, numberKey, func(f *facts) uint32 { return f.Metro }), err
	case "asn":
		numbers, err := each(config.ASN, "a number like 3269", itself)
		return oneOf(hasASN, numbers, numberKey, func(f *facts) uint32 { return f.ASN }), err
	case "timezone":
		names, err := each(config.TimeZone, "an IANA name like Europe/Rome", func(s string) (string, error) {
			zone, err := geo.TimeZone(s)
			if err != nil {
				return "", err
			}
			return geo.ZoneName(zone.String()), nil
		})
		return oneOf(hasTimeZone, names, textKey, func(f *facts) string { return f.zone }), err
	case "within":
		return c.within(config.Within)
	case "in_area":
		areas, err := each(config.InArea, "the name of an area", func(name string) (*geo.Area, error) {
			if c.Areas == nil {
				return nil, fmt.Errorf("unknown area %q: no areas are configured", name)
			}
			return c.Areas.Find(name)
		})
		return inAreas(areas), err
	case "accuracy":
		radius, err := geo.ParseLength(config.Accuracy)
		return located{needs: anywhere, outcome: func(f *facts) Outcome {
			if f.Accuracy == 0 {
				return Unknown
			}
			return outcome(f.Accuracy <= radius)
		}}, err
	case "located":
		return located{needs: anywhere, outcome: func(f *facts) Outcome { return outcome(f.Located()) }}, nil
	case "unlocated":
		return located{needs: hasOnly(hasNothing), outcome: func(f *facts) Outcome { return outcome(!f.Located()) }}, nil
	case "during":
		return duringRule(config.During)
	default: // "segment"
		return c.reference(config.Segment)
	}
}

// each reads the values of a rule, of which there must be one.
func each[V, W any](values []V, expected string, read func(V) (W, error)) ([]W, error) {
	if len(values) == 0 {
		return nil, fmt.Errorf("a value is missing: expected %s", expected)
	}
	list := make([]W, 0, len(values))
	for _, v := range values {
		w, err := read(v)
		if err != nil {
			return nil, err
		}
		list = append(list, w)
	}
	return list, nil
}

func itself(n uint32) (uint32, error) {
	if n == 0 {
		return 0, errors.New("0 is no such number")
	}
	return n, nil
}

var (
	regionCode = regexp.MustCompile(`^[A-Z]{2}-[A-Z0-9]{1,3}$`)
	// What was meant as a code: IT25, IT_25, 25, ENG, IT-, IT-LOMB.
	codeLike = regexp.MustCompile(`^\S*[\d_]\S*$|^[A-Z]{2,3}$|^[A-Z]{2}-[A-Z]*$`)
	// What may be one without its country, if it is no name: ca.
	bareCode = regexp.MustCompile(`^[A-Za-z0-9]{1,3}$`)
)

// parseRegionCode reads a full ISO 3166-2 code in either case; ok tells whether
// it is written like one.
func parseRegionCode(s string) (code string, ok bool, err error) {
	if !regionCode.MatchString(strings.ToUpper(s)) {
		return "", false, nil
	}
	code, err = geo.ParseRegion(s)
	return code, err == nil, err
}

// parseName reads a name with an optional pin, a country or region by code or
// name: `Paris, US`, `Portland, US-OR`, `Paris, Texas`. A comma that no pin
// follows belongs to the name.
func parseName(s string) (name, error) {
	plain := name{text: geo.Fold(s)}
	if plain.text == "" {
		return plain, fmt.Errorf("%q is not a name", s)
	}
	i := strings.LastIndexByte(s, ',')
	if i < 0 {
		return plain, nil
	}
	text, pin := s[:i], strings.TrimSpace(s[i+1:])
	if code, ok, err := parseRegionCode(pin); ok || err != nil {
		return name{text: geo.Fold(text), in: []territory{newTerritory(code)}}, err
	}
	if codes := geo.TerritoryCodes(pin); len(codes) > 0 {
		n := name{text: geo.Fold(text)}
		for _, code := range codes {
			t := newTerritory(code)
			n.in = append(n.in, t)
			n.doubtful = n.doubtful || t.region != ""
		}
		return n, nil
	}
	_, err := geo.ParseCountry(pin)
	if len(pin) == 2 || strings.Contains(err.Error(), "did you mean") {
		return name{}, fmt.Errorf("%q: %w", s, err)
	}
	return plain, nil
}

func (c *compiler) regionRule(config Rule) (rule, error) {
	rules, err := each(config.Region, "a code like IT-25 or a name like Lombardy", func(s string) (located, error) {
		r, codes, err := oneRegion(s)
		written, _, _ := strings.Cut(s, ",")
		for _, code := range codes {
			if geo.IsPartOfRegion(written, code) {
				name, _ := geo.RegionByCode(code)
				c.warnings = append(c.warnings, func() error {
					return at(config.Source, "region: %q is only a part of %s (%s) now, and all of that is meant", s, code, name)
				})
			}
		}
		return r, err
	})
	return anyOf(rules), err
}

// oneRegion is the rule for one value of `region`, and the codes that the value
// stands for. A name stands for the codes it has, so that both mean the same on
// every database.
func oneRegion(s string) (located, []string, error) {
	none := func(err error) (located, []string, error) { return located{}, nil, err }
	written := strings.TrimSpace(s)
	code, ok, err := parseRegionCode(written)
	if err != nil {
		return none(err)
	}
	if ok {
		return inside(code), []string{code}, nil
	}
	isCode := codeLike.MatchString(written)
	if isCode || bareCode.MatchString(written) && len(geo.RegionsByName(written)) == 0 {
		if err := geo.BareRegionCode(written); err != nil {
			return none(err)
		}
	}
	if isCode {
		_, err := geo.ParseRegion(written)
		return none(err)
	}
	n, err := parseName(s)
	if err != nil {
		return none(err)
	}
	codes := geo.RegionsByName(n.text)
	if n.in != nil {
		codes = nil
		for _, t := range n.in {
			if code, ok := geo.RegionByName(t.country, n.text); ok {
				codes = append(codes, code)
			}
		}
	}
	if len(codes) > 0 {
		rules := make([]located, len(codes))
		for i, code := range codes {
			rules[i] = inside(code)
		}
		return anyOf(rules), codes, nil
	}
	if elsewhere := geo.RegionsByName(n.text); len(elsewhere) > 0 {
		return none(fmt.Errorf("unknown region %q: did you mean %s?", s, strings.Join(elsewhere, " or ")))
	}
	if near := geo.ClosestRegion(n.text); near != "" {
		return none(fmt.Errorf("unknown region %q: did you mean %q? If not, write its ISO 3166-2 code", s, near))
	}
	return oneOfNames(hasRegionName, []name{n}, func(f *facts) []string { return f.regions }), nil, nil
}

func inside(code string) located {
	t := newTerritory(code)
	return located{
		needs:   withKeys(hasRegion, []string{code}, textKey),
		outcome: func(f *facts) Outcome { return f.inside(t) },
	}
}

// cities is the rule for `city`. A local name stands for the English ones too,
// which databases have. A name that is not in the list of cities may be a
// small town or a slip, so that it is a warning.
func (c *compiler) cities(config Rule) (rule, error) {
	var names []name
	var ids []uint32
	_, err := each(config.City, `a name like "Milan, IT" or a GeoNames id`, func(s string) (struct{}, error) {
		if id, err := strconv.ParseUint(s, 10, 32); err == nil && id > 0 {
			ids = append(ids, uint32(id))
			return struct{}{}, nil
		}
		var known []geo.CityName
		if c.Cities != nil {
			known = c.Cities.Names(s)
		}
		if known == nil {
			if form := c.cityForm(s); form != s && form != "" {
				return struct{}{}, fmt.Errorf("unknown city %q: did you mean %q?", s, form)
			}
		}
		n, err := parseName(s)
		if err != nil {
			return struct{}{}, err
		}
		names = append(names, name{text: cityName(n.text), in: n.in})
		if n.doubtful {
			names = append(names, name{text: cityName(s)})
		}
		if c.Cities == nil {
			return struct{}{}, nil
		}
		if known == nil {
			c.warn(config.Source, func() error { return c.Cities.Unknown(s) })
		}
		for _, k := range known {
			in := n.in
			if in == nil {
				in = []territory{newTerritory(k.Country)}
			}
			names = append(names, name{text: cityName(k.Name), in: in})
		}
		return struct{}{}, nil
	})
	var rules []located
	if len(names) > 0 {
		rules = append(rules, oneOfNames(hasCity, names, func(f *facts) []string { return f.cities }))
	}
	if len(ids) > 0 {
		rules = append(rules, oneOf(hasCityID, ids, numberKey, func(f *facts) uint32 { return f.CityID }))
	}
	return anyOf(rules), err
}

// cityName is the form in which names of cities are compared: Washington, D.C.
// is also written Washington DC, and Saint Petersburg St. Petersburg.
func cityName(s string) string {
	words := strings.Fields(strings.NewReplacer(".", "", ",", " ").Replace(geo.Fold(s)))
	for i, w := range words {
		if w == "saint" || w == "sankt" {
			words[i] = "st"
		}
	}
	return strings.Join(words, " ")
}

// plainPostal is the form in which postal codes are compared.
func plainPostal(s string) string {
	return strings.ToUpper(strings.ReplaceAll(s, " ", ""))
}

func postalRule(values []string) (rule, error) {
	codes, err := each(values, "a code like 20121, or 201* for all that begin so", func(s string) (string, error) {
		code := plainPostal(s)
		if head := strings.TrimSuffix(code, "*"); head == "" || strings.Contains(head, "*") {
			return "", fmt.Errorf("%q: expected a code like 20121, or 201* for all that begin so", s)
		}
		return code, postalSlip(s)
	})
	needs := withKeys(hasPostal, codes, postalKey)
	return located{needs: needs, outcome: func(f *facts) Outcome {
		if f.postal == "" {
			return Unknown
		}
		return outcome(slices.ContainsFunc(codes, func(code string) bool {
			head, isPrefix := strings.CutSuffix(code, "*")
			return f.postal == code || isPrefix && strings.HasPrefix(f.postal, head)
		}))
	}}, err
}

func duringRule(d *During) (rule, error) {
	c, err := newCalendar(d)
	if err != nil {
		return nil, err
	}
	r := during{calendar: c}
	if d.Zone != "" {
		r.zone, err = geo.TimeZone(d.Zone)
	}
	return r, err
}

func (c *compiler) within(w *Within) (rule, error) {
	radius, err := geo.ParseLength(w.Radius)
	if err != nil {
		return nil, err
	}
	if len(w.Of) == 0 {
		return nil, fmt.Errorf(`a place is missing: write it as in: within %s of "Milan, IT"`, w.Radius)
	}
	circles := circles{radius: radius}
	if w.Confidence != "" {
		if circles.confidence, err = parsePercent(w.Confidence); err != nil {
			return nil, err
		}
	}
	for i, place := range w.Of {
		code, oneStore := strings.CutPrefix(place, "store:")
		switch {
		case (oneStore || place == "store") && c.Stores == nil:
			return nil, fmt.Errorf("%q: no stores are configured", place)
		case place == "store":
			circles.stores = true
		case oneStore:
			s, ok := c.Stores.Store(code)
			if !ok {
				if err := c.storeMeant(w.Of); err != nil {
					return nil, err
				}
				return nil, unknown("store", code, c.Stores.Codes())
			}
			circles.centres = append(circles.centres, s.Point)
		default:
			p, err := c.point(place)
			if err != nil {
				return nil, c.placeMeant(w.Of, i, err)
			}
			circles.centres = append(circles.centres, p)
		}
	}
	return located{needs: circles.access(), outcome: circles.contain}, nil
}

// parsePercent reads a confidence like 60%.
func parsePercent(s string) (float64, error) {
	number, ok := strings.CutSuffix(strings.TrimSpace(s), "%")
	percent, err := strconv.ParseFloat(number, 64)
	if !ok || err != nil || !(percent >= 1 && percent <= 99) {
		return 0, fmt.Errorf("confidence %q: expected 1%% to 99%%, like 60%%", s)
	}
	return percent / 100, nil
}

// point finds a place that is written as lat,lng or by name.
func (c *compiler) point(place string) (geo.Point, error) {
	numeric := isNumeric(place)
	if numeric && strings.HasSuffix(place, ",") {
		return geo.Point{}, fmt.Errorf("place %q ends in a comma: write a point without a blank, like 45.4642,9.19", place)
	}
	if numeric {
		return geo.ParsePoint(place)
	}
	if strings.HasSuffix(place, ",") {
		return geo.Point{}, fmt.Errorf(`place %q ends in a comma: put names with blanks into quotes, like "Milan, IT"`, place)
	}
	if c.Places == nil {
		return geo.Point{}, fmt.Errorf("unknown place %q: no places are configured; write a point like 45.4642,9.19", place)
	}
	return c.Places.Find(place)
}
