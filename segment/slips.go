package segment

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/geosegment/caddy-geosegment/geo"
)

// Here is what people type who know what they want, but not how it is written.
// Some of it would mean something else without a word: `within 5km of 45,46 9,19`
// is two points, and `city New York` two cities.

// slips refuses values that are written wrongly, before they are read.
func (c *compiler) slips(kind string, config Rule) error {
	switch kind {
	case "country":
		if err := oneName("country", config.Country, countryForm); err != nil {
			return err
		}
		return CommaList(kind, config.Country)
	case "continent":
		return CommaList(kind, config.Continent)
	case "postal":
		return CommaList(kind, config.Postal)
	case "timezone":
		return CommaList(kind, config.TimeZone)
	case "segment":
		return CommaList(kind, config.Segment)
	case "region":
		if err := oneName("region", config.Region, regionForm); err != nil {
			return err
		}
		return commaNames(kind, config.Region, func(s string) bool { return regionCode.MatchString(strings.ToUpper(s)) })
	case "city":
		return c.citySlips(config)
	case "in_area":
		if c.Areas == nil {
			return nil
		}
		if err := oneName("area", config.InArea, formIf(func(s string) bool { _, err := c.Areas.Find(s); return err == nil })); err != nil {
			return err
		}
		return commaNames(kind, config.InArea, func(string) bool { return false })
	case "within":
		return c.withinSlips(config.Within)
	}
	return nil
}

// CommaList is an error if there are commas in the values of a rule.
func CommaList(kind string, values []string) error {
	if !slices.ContainsFunc(values, func(v string) bool { return strings.ContainsAny(v, ",;") }) {
		return nil
	}
	words := []string{kind}
	for _, v := range values {
		for part := range strings.FieldsFuncSeq(v, func(r rune) bool { return r == ',' || r == ';' }) {
			if part = strings.TrimSpace(part); part != "" {
				words = append(words, Quote(part))
			}
		}
	}
	return fmt.Errorf("values are separated by blanks, without commas: write %s", strings.Join(words, " "))
}

// commaNames is CommaList for names, which may have commas inside. It finds
// those at the ends, and those between words that are all values for
// themselves.
func commaNames(kind string, values []string, isValue func(string) bool) error {
	for _, v := range values {
		trimmed := strings.Trim(v, ",;")
		parts := strings.Split(trimmed, ",")
		joined := len(parts) > 1 && !isValue(v) && !strings.Contains(v, " ") && !slices.ContainsFunc(parts, func(p string) bool { return !isValue(p) })
		if trimmed != v || joined {
			return CommaList(kind, values)
		}
	}
	return nil
}

// Quote puts a word with blanks into quotes.
func Quote(word string) string {
	if strings.Contains(word, " ") {
		return `"` + word + `"`
	}
	return word
}

// maxWords is how many words of a line are tried as one name.
const maxWords = 4

// run finds neighbouring values that are a name only together. form gives what
// to type for a name that is known, else "". stranger is one of the values that
// is not known alone, or "".
func run(values []string, form func(string) string) (known, stranger string) {
	for i := range values {
		for n := min(maxWords, len(values)-i); n > 1; n-- {
			words := values[i : i+n]
			known := form(strings.TrimRight(strings.Join(words, " "), ",;"))
			if known == "" || strings.Trim(words[n-1], ",;") == "" {
				continue
			}
			if j := slices.IndexFunc(words, func(w string) bool { return form(w) == "" }); j >= 0 {
				stranger = words[j]
			}
			return known, stranger
		}
	}
	return "", ""
}

// oneName is an error where a value is not known, but is with its neighbours.
func oneName(what string, values []string, form func(string) string) error {
	known, stranger := run(values, form)
	switch {
	case stranger == "":
		return nil
	case strings.Contains(known, " "):
		return fmt.Errorf("%q is no %s: write %s in quotes", stranger, what, Quote(known))
	}
	return fmt.Errorf("%q is no %s: write %s", stranger, what, known)
}

// formIf is the name itself if it is known.
func formIf(known func(string) bool) func(string) string {
	return func(s string) string {
		if known(s) {
			return s
		}
		return ""
	}
}

// countryForm is the code of a country that is written out or as a code.
func countryForm(s string) string {
	for _, code := range geo.TerritoryCodes(s) {
		if len(code) == 2 {
			return code
		}
	}
	return ""
}

// countryMeant is an error for what is no country, but another territory.
func countryMeant(s string, err error) error {
	folded := geo.Fold(s)
	if folded == "eu" || folded == "european union" {
		return fmt.Errorf("%q is no country: for the European Union write eu, a rule of its own", s)
	}
	for code, name := range geo.Continents {
		if folded == geo.Fold(name) {
			return fmt.Errorf("%q is no country: write continent %s", s, code)
		}
	}
	codes := geo.RegionsByName(s)
	switch {
	case strings.Contains(err.Error(), "did you mean") || len(codes) == 0:
		return err
	case len(codes) == 1:
		return fmt.Errorf("%q is no country: write country %s, or for %s alone region %s", s, codes[0][:2], s, codes[0])
	}
	return fmt.Errorf("%q is no country: write region %s", s, strings.Join(codes, " or "))
}

// regionForm is the name of a region, which may have a pin.
func regionForm(s string) string {
	name, pin, pinned := strings.Cut(s, ",")
	known := len(geo.RegionsByName(name)) > 0
	if pinned {
		known = slices.ContainsFunc(geo.TerritoryCodes(pin), func(code string) bool {
			_, ok := geo.RegionByName(code[:2], name)
			return ok
		})
	}
	if !known {
		return ""
	}
	return s
}

func (c *compiler) citySlips(config Rule) error {
	if c.Cities == nil {
		return nil
	}
	known, stranger := run(config.City, c.cityForm)
	if stranger != "" {
		return oneName("city", config.City, c.cityForm)
	}
	if known != "" {
		c.warn(config.Source, func() error { return fmt.Errorf("%q is one city: if it is meant, put it into quotes", known) })
	}
	return commaNames("city", config.City, func(s string) bool { return c.cityForm(s) != "" })
}

// cityForm is what to type for a known city: its name, or "Portland, US-OR" for
// "Portland, OR"; else "".
func (c *compiler) cityForm(s string) string {
	if c.Cities == nil || len(c.Cities.Names(s)) > 0 {
		return s
	}
	i := strings.LastIndexByte(s, ',')
	if i < 0 {
		return ""
	}
	pin := strings.ToUpper(strings.TrimSpace(s[i+1:]))
	if len(pin) < 2 || len(pin) > 3 {
		return ""
	}
	for _, n := range c.Cities.Names(s[:i]) {
		form := s[:i] + ", " + n.Country + "-" + pin
		if _, ok := geo.RegionByCode(n.Country + "-" + pin); ok && len(c.Cities.Names(form)) > 0 {
			return form
		}
	}
	return ""
}

func isNumeric(place string) bool {
	return strings.Trim(place, "0123456789+-.,; ") == "" && place != ""
}

var (
	decimalCommas = regexp.MustCompile(`^([+-]?\d{1,3}),(\d+)(?:[,;] ?| )([+-]?\d{1,3}),(\d+)(?: |$)`)
	apartByBlank  = regexp.MustCompile(`^([+-]?\d{1,3}\.\d+)[,;]? ([+-]?\d{1,3}\.\d+)(?: |$)`)
)

func (c *compiler) withinSlips(w *Within) error {
	if len(w.Of) > 1 {
		if err := c.storeMeant(w.Of); err != nil {
			return err
		}
	}
	points := slices.DeleteFunc(slices.Clone(w.Of), func(place string) bool { return !isNumeric(place) })
	text := strings.Join(points, " ")
	if p := decimalCommas.FindStringSubmatch(text); p != nil && !strings.Contains(text, ".") {
		return fmt.Errorf("%q looks like decimal commas: write %s.%s,%s.%s; whole degrees have a decimal here: %s.0,%s.0",
			strings.TrimSpace(p[0]), p[1], p[2], p[3], p[4], p[1], p[2])
	}
	if p := apartByBlank.FindStringSubmatch(text); p != nil {
		return fmt.Errorf("%q is one point: write it without a blank: %s,%s", strings.TrimSpace(p[0]), p[1], p[2])
	}
	if c.Cities == nil {
		return nil
	}
	known, stranger := run(w.Of, c.cityForm)
	switch {
	case known == "":
		return nil
	case stranger == "":
		return fmt.Errorf("%q is one city: put it into quotes; if several are meant, write one line for each, under any { }", known)
	case c.Places != nil:
		if _, err := c.Places.Find(stranger); err == nil { // one of the operator's own
			return nil
		}
	}
	return oneName("city", w.Of, c.cityForm)
}

var (
	anyStore = regexp.MustCompile(`(?i)^(?:(?:the|an?|any|all|of|my|our|nearest|closest|next) )*(?:store|shop)s?$`)
	oneStore = regexp.MustCompile(`(?i)^(?:the )?(?:store|shop)s?[ :#]+(\S+)$`)
)

// storeMeant is an error for other ways to say `store` and `store:CODE`.
func (c *compiler) storeMeant(of []string) error {
	text := strings.Join(of, " ")
	if anyStore.MatchString(text) {
		return fmt.Errorf("%q: for any store write store", text)
	}
	if p := oneStore.FindStringSubmatch(text); p != nil && c.Stores != nil {
		if _, ok := c.Stores.Store(p[1]); ok {
			if meant := "store:" + p[1]; meant != text {
				return fmt.Errorf("%q: write %s", text, meant)
			}
		}
	}
	return nil
}

// placeMeant is an error for the place number i, which is not known.
func (c *compiler) placeMeant(of []string, i int, err error) error {
	if err := c.storeMeant(of[i : i+1]); err != nil {
		return err
	}
	if c.Places == nil {
		return err
	}
	around := of[max(0, i-maxWords+1):min(len(of), i+maxWords)]
	if meant := oneName("place", around, formIf(func(s string) bool { _, err := c.Places.Find(s); return err == nil })); meant != nil {
		return meant
	}
	return err
}

var (
	postalRange = regexp.MustCompile(`^([0-9]{3,})-([0-9]{3,})$`)
	postalStart = regexp.MustCompile(`^([0-9]+)(?:[xX]+|[%?#.…]+)$`)
	dutchPostal = regexp.MustCompile(`^[0-9]{4}[xX]{2}$`)
)

// postalSlip refuses ranges, and other signs than the star.
func postalSlip(s string) error {
	if p := postalStart.FindStringSubmatch(s); p != nil && !dutchPostal.MatchString(s) {
		return fmt.Errorf("%q: for all that begin so write %s*", s, p[1])
	}
	p := postalRange.FindStringSubmatch(s)
	if p == nil || len(p[1]) != len(p[2]) {
		return nil
	}
	same := 0
	for same < len(p[1]) && p[1][same] == p[2][same] {
		same++
	}
	if same == 0 {
		return fmt.Errorf("%q: ranges are not known: list the codes, or their beginnings with a star, like %s*", s, p[1][:2])
	}
	return fmt.Errorf("%q: ranges are not known: write %s* for all that begin so, or list the codes", s, p[1][:same])
}

// warn notes what looks wrong in the rule that is being compiled, but may be
// meant.
func (c *compiler) warn(source string, why func() error) {
	context := c.context
	c.warnings = append(c.warnings, func() error { return at(source, "%s: %w", context, why()) })
}

// warnApart warns of lines of countries or continents of which all must be
// true, but that have none in common.
func (c *compiler) warnApart(configs []Rule, source, context string) {
	c.context = context
	for _, kind := range []string{"country", "continent"} {
		var common, lines []string
		for _, config := range configs {
			line := slices.Clone(config.Country)
			if kind == "continent" {
				line = slices.Clone(config.Continent)
			}
			if len(line) == 0 {
				continue
			}
			lines = append(lines, kind+" "+strings.Join(line, " "))
			for i := range line {
				line[i] = strings.ToUpper(strings.TrimSpace(line[i]))
			}
			if len(lines) > 1 {
				line = slices.DeleteFunc(line, func(v string) bool { return !slices.Contains(common, v) })
			}
			if common = line; len(common) > 0 {
				continue
			}
			if config.Source != "" {
				source = config.Source
			}
			c.warn(source, func() error {
				return errors.New(strings.Join(lines, " and ") + " can never all be true: write them on one line, or match any")
			})
			break
		}
	}
}
