package geo

import (
	"slices"
	"strings"
)

// TerritoryCodes gives the codes of the countries (ISO 3166-1) and regions
// (ISO 3166-2) that a text stands for, by code or English name: "IT", "us-or",
// "Italy"; "Georgia" is a country and a region. It is nil for any other text.
func TerritoryCodes(s string) []string {
	folded := Fold(s)
	code := strings.ToUpper(strings.ReplaceAll(folded, " ", "-"))
	if _, ok := CountryByCode(code); ok {
		return []string{code}
	}
	if current, ok := regions().current(code); ok {
		return []string{current}
	}
	if folded == "" {
		return nil
	}
	return slices.Concat(countriesByName()[folded], RegionsByName(folded))
}
