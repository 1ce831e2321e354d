package caddymodule

import (
	"fmt"
	"slices"
	"strings"

	"github.com/geosegment/caddy-geosegment/geo"
	"github.com/geosegment/caddy-geosegment/segment"
)

// Here is what to say to whoever uses another word, or the right one in
// another place. Wrong values are the business of package segment.

var (
	ruleNames = []string{
		"country", "continent", "eu", "region", "city", "postal", "metro", "asn", "timezone",
		"within", "in_area", "accuracy", "located", "unlocated", "during", "segment", "not", "all", "any",
	}
	fileOptions   = []string{"database", "places", "areas"} // that take several files
	globalOptions = []string{"database", "cache_size", "index_memory", "default_accuracy", "reload_interval", "places", "areas", "stores", "segment"}
	siteOptions   = []string{"rewrite", "header", "headers", "prefix"}
)

// otherWords are the rules that other words stand for.
var otherWords = func() map[string]string {
	words := map[string]string{}
	for rule, others := range map[string]string{
		"country":   "countries nation",
		"region":    "regions state states province provinces county",
		"city":      "cities town towns",
		"postal":    "zip zipcode zip_code postcode post_code postalcode postal_code plz cap",
		"within":    "near nearby close radius distance around",
		"in_area":   "area areas polygon",
		"asn":       "as isp network",
		"during":    "hours days day date dates time times schedule",
		"not":       "exclude except without unless",
		"any { }":   "one_of either",
		"unlocated": "unknown",
	} {
		for other := range strings.FieldsSeq(others) {
			words[other] = rule
		}
	}
	return words
}()

func unknownRule(met string) string {
	lower := strings.ToLower(met)
	switch {
	case slices.Contains(ruleNames, lower) || lower == "match":
		if met != lower {
			return fmt.Sprintf("unknown rule %q: names of rules are lower case: write %s", met, lower)
		}
		return fmt.Sprintf("unknown rule %q: match stands in a segment or in not { }; here write all { } or any { }", met)
	case lower == "or":
		return `unknown rule "or": write match any in the segment, or put the rules into any { }`
	case lower == "and":
		return `unknown rule "and": all the rules must be true without it; leave it out`
	case otherWords[lower] != "":
		return fmt.Sprintf("unknown rule %q: did you mean %s?", met, otherWords[lower])
	case slices.Contains(globalOptions, met):
		return fmt.Sprintf("unknown rule %q: it is an option, and belongs before or behind the segment", met)
	}
	return fmt.Sprintf("unknown rule %q%s", met, suggest(met, ruleNames))
}

func unknownGlobalOption(met string) string {
	switch {
	case slices.Contains(siteOptions, met):
		return met + " belongs into the site, as in: shop.example.com { geosegment { " + met + " … } }"
	case slices.Contains(ruleNames, met):
		return met + " is a rule, and belongs into a segment { }"
	}
	return fmt.Sprintf("unknown geosegment option %q%s", met, suggest(met, globalOptions))
}

func unknownSiteOption(met string) string {
	switch {
	case slices.Contains(globalOptions, met):
		return met + " belongs into the global options, at the start of the Caddyfile: { geosegment { " + met + " … } }"
	case slices.Contains(ruleNames, met):
		return met + " is a rule, and belongs into a segment { } in the global options"
	}
	return fmt.Sprintf("unknown geosegment option %q%s", met, suggest(met, siteOptions))
}

// suggest is the nearest of the words that could have been meant, or all.
func suggest(met string, words []string) string {
	if near := geo.Closest(met, words); near != "" {
		return fmt.Sprintf(": did you mean %s?", near)
	}
	return ": expected one of " + strings.Join(words, " ")
}

// withinMeant is an error for a distance with a blank before its unit, and for
// another word than `of` or none, if the rest is plain.
func withinMeant(args []string) error {
	var radius, without string
	var rest []string
	switch {
	case len(args) > 2 && geo.LengthMeant(args[0]+args[1]) != "":
		radius, rest = geo.LengthMeant(args[0]+args[1]), args[2:]
		without = radius + ", without a blank, as in: "
	case len(args) > 1:
		radius, rest = geo.LengthMeant(args[0]), args[1:]
	}
	for len(rest) > 0 && slices.Contains([]string{"of", "from", "around", "near", "to", "off"}, strings.ToLower(rest[0])) {
		rest = rest[1:]
	}
	if radius == "" || len(rest) == 0 {
		return nil
	}
	line := "within " + radius + " of"
	for _, place := range rest {
		line += " " + segment.Quote(place)
	}
	return fmt.Errorf("met %q: write %s%s", "within "+strings.Join(args, " "), without, line)
}
