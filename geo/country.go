package geo

import (
	_ "embed"
	"encoding/csv"
	"fmt"
	"strings"
	"sync"

	"golang.org/x/text/language"
)

// countriesCSV has every ISO 3166-1 country, and XK (Kosovo), which databases
// use too: English name, continent as GeoNames has it, membership in the
// European Union (with the outermost regions that have codes of their own),
// and the IANA time zone where all of the country keeps the same time.
//
//go:embed countries.csv
var countriesCSV string

// Country is one country of the built-in table.
type Country struct {
	Code      string // ISO 3166-1 alpha-2
	Name      string // English
	Continent string // AF AN AS EU NA OC SA
	EU        bool
	TimeZone  string // IANA name; empty where the country has several times
}

var countries = sync.OnceValue(func() map[string]Country {
	rows, err := csv.NewReader(strings.NewReader(countriesCSV)).ReadAll()
	if err != nil {
		panic("geo: countries.csv: " + err.Error()) // embedded: cannot happen in a tested build
	}
	table := make(map[string]Country, len(rows))
	for _, row := range rows[1:] {
		table[row[0]] = Country{row[0], row[1], row[2], row[3] == "yes", row[4]}
	}
	return table
})

// countriesByName are the codes of countries by folded English name.
var countriesByName = sync.OnceValue(func() map[string][]string {
	names := map[string][]string{}
	for code, c := range countries() {
		names[Fold(c.Name)] = append(names[Fold(c.Name)], code)
	}
	return names
})

// CountryByCode finds a country by its upper-case code.
func CountryByCode(code string) (Country, bool) {
	c, ok := countries()[code]
	return c, ok
}

// commonCodes are the codes for what else people type for countries, folded:
// codes that are not ISO's, and names that are not English.
var commonCodes = map[string]string{
	"uk": "GB", "el": "GR", "uae": "AE", "ger": "DE", "sui": "CH", "ned": "NL", "den": "DK", "por": "PT", "cro": "HR",
	"great britain": "GB", "holland": "NL", "deutschland": "DE", "osterreich": "AT", "schweiz": "CH", "suisse": "CH", "svizzera": "CH",
	"espana": "ES", "nederland": "NL", "belgie": "BE", "belgique": "BE", "polska": "PL", "danmark": "DK", "sverige": "SE",
	"norge": "NO", "suomi": "FI", "hrvatska": "HR", "magyarorszag": "HU", "ellada": "GR",
}

// commonCode is the code for another code, also one of three letters, or
// another name; or "".
func commonCode(s string) string {
	folded := Fold(s)
	if code := commonCodes[folded]; code != "" {
		return code
	}
	if len(folded) == 3 {
		if region, err := language.ParseRegion(folded); err == nil {
			if c, ok := CountryByCode(region.String()); ok {
				return c.Code
			}
		}
	}
	return ""
}

// ParseCountry reads a country code in either case. Its error suggests the
// code for a country's name or a wrong code that is in common use.
func ParseCountry(s string) (Country, error) {
	code := strings.ToUpper(strings.TrimSpace(s))
	if c, ok := CountryByCode(code); ok {
		return c, nil
	}
	hint := commonCode(s)
	if hint == "" {
		names := make(map[string]string, len(countries()))
		for _, c := range countries() {
			names[c.Name] = c.Code
		}
		hint = names[Closest(s, keys(names))]
	}
	if hint != "" {
		return Country{}, fmt.Errorf("unknown country %q: did you mean %s (%s)?", s, hint, countries()[hint].Name)
	}
	return Country{}, fmt.Errorf("unknown country %q: expected an ISO 3166-1 code of two letters like IT", s)
}

// Continents are the codes of the seven continents, with their names.
var Continents = map[string]string{
	"AF": "Africa", "AN": "Antarctica", "AS": "Asia", "EU": "Europe",
	"NA": "North America", "OC": "Oceania", "SA": "South America",
}

// ParseContinent reads a continent code in either case.
func ParseContinent(s string) (string, error) {
	code := strings.ToUpper(strings.TrimSpace(s))
	if _, ok := Continents[code]; ok {
		return code, nil
	}
	for code, name := range Continents {
		if Fold(name) == Fold(s) {
			return "", fmt.Errorf("unknown continent %q: did you mean %s?", s, code)
		}
	}
	return "", fmt.Errorf("unknown continent %q: expected one of AF AN AS EU NA OC SA", s)
}
