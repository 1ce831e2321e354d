package geo

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
)

var fullRegionCode = regexp.MustCompile(`^[A-Z]{2}-[A-Z0-9]{1,3}$`)

// ParseRegion reads an ISO 3166-2 code in either case. A code that ISO has
// withdrawn gives the one that took its place. In a country of which the table
// has no regions every code will do; in others the error suggests near ones.
func ParseRegion(s string) (string, error) {
	code := strings.ToUpper(strings.TrimSpace(s))
	if !fullRegionCode.MatchString(code) {
		return "", fmt.Errorf("malformed region code %q: expected country and region with a hyphen between, like IT-25 or US-CA%s",
			s, didYouMean("; ", similarRegions(code)))
	}
	country, err := ParseCountry(code[:2])
	if err != nil {
		return "", fmt.Errorf("malformed region code %q: %w", s, err)
	}
	t := regions()
	if current, ok := t.current(code); ok {
		return current, nil
	}
	all := t.of(country.Code)
	if len(all) == 0 {
		return code, nil
	}
	if near := similarRegions(code); len(near) > 0 {
		return "", fmt.Errorf("unknown region code %q%s", s, didYouMean(": ", near))
	}
	return "", fmt.Errorf("unknown region code %q: codes in %s are like %s", s, country.Name, describeRegion(all[0]))
}

// current gives the code of today for a code that may be withdrawn.
func (t *regionTable) current(code string) (string, bool) {
	if _, ok := t.byCode[code]; ok {
		return code, true
	}
	f, ok := t.former[code]
	if !ok {
		return "", false
	}
	return t.rows[f.row].code, true
}

// of gives the regions of a country, sorted by code.
func (t *regionTable) of(country string) []region {
	byCountry := func(r region, country string) int { return cmp.Compare(r.country(), country) }
	start, _ := slices.BinarySearchFunc(t.rows, country, byCountry)
	end, _ := slices.BinarySearchFunc(t.rows, country+"\xff", byCountry)
	return t.rows[start:end]
}

// IsPartOfRegion tells whether a name or a withdrawn code means not all of the
// region whose code it is turned into, as "Rhône-Alpes" and "FR-V" mean a part
// of FR-ARA.
func IsPartOfRegion(s, code string) bool {
	t := regions()
	if f, ok := t.former[strings.ToUpper(strings.TrimSpace(s))]; ok {
		return f.part && t.rows[f.row].code == code
	}
	country, _, _ := strings.Cut(code, "-")
	found, part, _ := t.find(country, s)
	return part && found == code
}

// maxSuggestions is how many regions an error suggests.
const maxSuggestions = 6

// similarRegions are the regions of a country that may be meant by a code that
// is none: those whose names begin as it does after the hyphen, or else those
// whose codes differ in one letter, or else those with similar names.
func similarRegions(code string) []region {
	country, rest, _ := strings.Cut(code, "-")
	all, folded := regions().of(country), Fold(rest)
	if len(folded) < 2 {
		return nil
	}
	bySpelling := func(fits func(name string) bool) func(region) bool {
		return func(r region) bool {
			return fits(foldRegion(r.name)) || slices.ContainsFunc(r.aliases, func(a string) bool { return fits(foldRegion(a)) })
		}
	}
	for _, fits := range []func(region) bool{
		bySpelling(func(name string) bool { return strings.HasPrefix(name, folded) }),
		func(r region) bool { return levenshtein.ComputeDistance(rest, r.code[3:]) == 1 },
		bySpelling(func(name string) bool { return levenshtein.ComputeDistance(folded, name) <= len(folded)/3 }),
	} {
		var found []region
		for _, r := range all {
			if fits(r) {
				found = append(found, r)
			}
		}
		if len(found) > 0 {
			return found
		}
	}
	return nil
}

// populous are the countries with the most people, in that order.
const populous = "IN CN US ID PK NG BR BD RU MX JP ET PH EG CD VN IR TR DE TH TZ GB FR ZA IT KE MM CO KR ES AR DZ UA CA PL AU NL BE"

// sortByChance sorts those first that are most likely meant: first-order
// regions, and those of countries with many people.
func sortByChance(list []region) {
	rank := func(r region) int {
		i := strings.Index(populous, r.country())
		if i < 0 {
			i = len(populous)
		}
		if r.parent != "" {
			i += len(populous) + 1
		}
		return i
	}
	slices.SortStableFunc(list, func(a, b region) int { return cmp.Compare(rank(a), rank(b)) })
}

// BareRegionCode is an error that suggests full codes for one that is written
// without its country ("CA" for "US-CA"), or nil where no code ends so.
func BareRegionCode(s string) error {
	rest := strings.ToUpper(strings.TrimSpace(s))
	var found []region
	for _, r := range regions().rows {
		if r.code[3:] == rest {
			found = append(found, r)
		}
	}
	if len(found) == 0 {
		return nil
	}
	return fmt.Errorf("region code %q lacks its country%s", s, didYouMean(": ", found))
}

// didYouMean ends a message: `: did you mean DE-BY (Bavaria)?`
func didYouMean(separator string, list []region) string {
	if len(list) == 0 {
		return ""
	}
	sortByChance(list)
	var words []string
	for _, r := range list[:min(len(list), maxSuggestions)] {
		words = append(words, describeRegion(r))
	}
	if len(list) > maxSuggestions {
		words = append(words, "another")
	}
	last := len(words) - 1
	text := words[last]
	if last > 0 {
		text = strings.Join(words[:last], ", ") + " or " + text
	}
	return separator + "did you mean " + text + "?"
}

func describeRegion(r region) string { return r.code + " (" + r.name + ")" }
