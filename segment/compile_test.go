package segment

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/geosegment/caddy-geosegment/geo"
)

func TestCompileErrors(t *testing.T) {
	one := func(r Rule) []Segment { return []Segment{{Name: "s", Rules: []Rule{r}}} }
	refer := func(name string, to ...string) Segment { return Segment{Name: name, Rules: []Rule{{Segment: to}}} }
	for name, tt := range map[string]struct {
		segments []Segment
		want     string
	}{
		"no name":             {[]Segment{{Rules: []Rule{{EU: true}}}}, `segment "": a name has 1 to 64 letters, digits, _ and -`},
		"blank in name":       {[]Segment{{Name: "a b", Rules: []Rule{{EU: true}}}}, `segment "a b": a name has`},
		"newline in name":     {[]Segment{{Name: "a\n", Rules: []Rule{{EU: true}}}}, `a name has`},
		"twice":               {[]Segment{{Name: "a", Rules: []Rule{{EU: true}}, Source: "Caddyfile:3"}, {Name: "a", Source: "Caddyfile:7"}}, "Caddyfile:7: segment a is there twice, first at Caddyfile:3"},
		"no rules":            {[]Segment{{Name: "a", Source: "Caddyfile:3"}}, "Caddyfile:3: segment a has no rules; write at least one"},
		"match":               {[]Segment{{Name: "a", Match: "some", Rules: []Rule{{EU: true}}}}, `segment a: match "some": expected all or any`},
		"empty rule":          {one(Rule{}), "segment s: a rule is empty"},
		"two rules in one":    {one(Rule{EU: true, Country: []string{"IT"}}), "segment s: a rule has country and eu; expected one of them"},
		"source of a rule":    {one(Rule{Country: []string{"XX"}, Source: "Caddyfile:9"}), `Caddyfile:9: segment s: country: unknown country "XX"`},
		"source inherited":    {[]Segment{{Name: "s", Source: "Caddyfile:8", Rules: []Rule{{Not: &Rule{Country: []string{"XX"}}}}}}, `Caddyfile:8: segment s: not: country: unknown country "XX"`},
		"country":             {one(Rule{Country: []string{"Italy"}}), `segment s: country: unknown country "Italy": did you mean IT (Italy)?`},
		"no country":          {one(Rule{Country: []string{}}), "segment s: country: a value is missing: expected a code like IT"},
		"continent":           {one(Rule{Continent: []string{"Europe"}}), "did you mean EU?"},
		"region without -":    {one(Rule{Region: []string{"IT25"}}), `region: malformed region code "IT25": expected country and region with a hyphen`},
		"region with _":       {one(Rule{Region: []string{"it_25"}}), `malformed region code "it_25"`},
		"region number":       {one(Rule{Region: []string{"25"}}), `region code "25" lacks its country: did you mean JP-25 (Shiga), `},
		"region suffix":       {one(Rule{Region: []string{"ENG"}}), `region code "ENG" lacks its country: did you mean GB-ENG (England)?`},
		"region suffix CA":    {one(Rule{Region: []string{"CA"}}), `region code "CA" lacks its country: did you mean US-CA (California), `},
		"region suffix BY":    {one(Rule{Region: []string{"by"}}), `region code "by" lacks its country: did you mean NG-BY (Bayelsa), DE-BY (Bavaria), `},
		"region no suffix":    {one(Rule{Region: []string{"QQQ"}}), `malformed region code "QQQ": expected country and region`},
		"region number no":    {one(Rule{Region: []string{"IT-99"}}), `unknown region code "IT-99": codes in Italy are like IT-21 (Piedmont)`},
		"region abbreviation": {one(Rule{Region: []string{"DE-BAY"}}), `unknown region code "DE-BAY": did you mean DE-BY (Bavaria)?`},
		"region begins so":    {one(Rule{Region: []string{"US-Cal"}}), `unknown region code "US-Cal": did you mean US-CA (California)?`},
		"region long code":    {one(Rule{Region: []string{"DE-BAYERN"}}), `malformed region code "DE-BAYERN": expected country and region with a hyphen between, like IT-25 or US-CA; did you mean DE-BY (Bavaria)?`},
		"pin of no region":    {one(Rule{City: []string{"Paris, US-TEX"}}), `unknown region code "US-TEX": did you mean US-TX (Texas)?`},
		"region too long":     {one(Rule{Region: []string{"IT-2555"}}), `malformed region code "IT-2555"`},
		"region without end":  {one(Rule{Region: []string{"IT-"}}), `malformed region code "IT-"`},
		"region country":      {one(Rule{Region: []string{"UK-ENG"}}), `malformed region code "UK-ENG": unknown country "UK": did you mean GB`},
		"region elsewhere":    {one(Rule{Region: []string{"Lombardy, FR"}}), `unknown region "Lombardy, FR": did you mean IT-25?`},
		"region misspelt":     {one(Rule{Region: []string{"Lombardie"}}), `unknown region "Lombardie": did you mean "Lombardy"?`},
		"no region":           {one(Rule{Region: []string{}}), "region: a value is missing: expected a code like IT-25 or a name"},
		"region name":         {one(Rule{Region: []string{" "}}), `region: " " is not a name`},
		"city country":        {one(Rule{City: []string{"Paris, UK"}}), `city: "Paris, UK": unknown country "UK": did you mean GB`},
		"city country name":   {one(Rule{City: []string{"Paris, Frence"}}), "did you mean FR (France)?"},
		"city region":         {one(Rule{City: []string{"Paris, XX-TX"}}), `malformed region code "XX-TX"`},
		"no city":             {one(Rule{City: []string{}}), "city: a value is missing"},
		"postal":              {one(Rule{Postal: []string{"*"}}), `postal: "*": expected a code like 20121`},
		"postal star inside":  {one(Rule{Postal: []string{"2*1"}}), `postal: "2*1": expected`},
		"metro":               {one(Rule{Metro: []uint32{0}}), "metro: 0 is no such number"},
		"asn":                 {one(Rule{ASN: []uint32{}}), "asn: a value is missing: expected a number like 3269"},
		"timezone":            {one(Rule{TimeZone: []string{"Europe/Milan"}}), `timezone: unknown time zone "Europe/Milan"`},
		"radius unit":         {one(Rule{Within: &Within{Radius: "5", Of: []string{"Milan, IT"}}}), `within: length "5" has no unit: write 5km, 5mi or 5m`},
		"radius zero":         {one(Rule{Within: &Within{Radius: "0km", Of: []string{"Milan, IT"}}}), `length "0km" must be above zero`},
		"radius negative":     {one(Rule{Within: &Within{Radius: "-5km", Of: []string{"Milan, IT"}}}), "must be above zero"},
		"radius NaN":          {one(Rule{Within: &Within{Radius: "NaNkm", Of: []string{"Milan, IT"}}}), "is not a length"},
		"no place":            {one(Rule{Within: &Within{Radius: "5km", Of: nil}}), `within: a place is missing: write it as in: within 5km of "Milan, IT"`},
		"unquoted place":      {one(Rule{Within: &Within{Radius: "5km", Of: []string{"Milan,", "IT"}}}), `"Milan," is no place: write "Milan, IT" in quotes`},
		"unknown place":       {one(Rule{Within: &Within{Radius: "5km", Of: []string{"Milano"}}}), `unknown place "Milano"`},
		"bad point":           {one(Rule{Within: &Within{Radius: "5km", Of: []string{"91,200"}}}), "latitude 91 is out of range"},
		"swapped point":       {one(Rule{Within: &Within{Radius: "5km", Of: []string{"120.9,14.5"}}}), "look swapped"},
		"half a point":        {one(Rule{Within: &Within{Radius: "5km", Of: []string{"45.46,"}}}), `place "45.46," ends in a comma: write a point without a blank`},
		"long cycle":          {longCycle(), "segment c0 refers to itself: c0 → c1 → c2 → c3 → c4 → c5 → c6 → c7 → … → c29 → c0"},
		"unknown store":       {one(Rule{Within: &Within{Radius: "5km", Of: []string{"store:MI02"}}}), `unknown store "MI02": did you mean MI01?`},
		"confidence zero":     {one(Rule{Within: &Within{Radius: "5km", Of: []string{"Milan, IT"}, Confidence: "0%"}}), `within: confidence "0%": expected 1% to 99%, like 60%`},
		"confidence all":      {one(Rule{Within: &Within{Radius: "5km", Of: []string{"Milan, IT"}, Confidence: "100%"}}), `confidence "100%": expected 1% to 99%`},
		"confidence NaN":      {one(Rule{Within: &Within{Radius: "5km", Of: []string{"Milan, IT"}, Confidence: "NaN%"}}), `confidence "NaN%"`},
		"confidence bare":     {one(Rule{Within: &Within{Radius: "5km", Of: []string{"Milan, IT"}, Confidence: "60"}}), `confidence "60": expected 1% to 99%`},
		"unknown area":        {one(Rule{InArea: []string{"Lombardy Plains"}}), `in_area: unknown area "Lombardy Plains": did you mean "Lombardy Plain"?`},
		"no area":             {one(Rule{InArea: []string{}}), "in_area: a value is missing: expected the name of an area"},
		"accuracy":            {one(Rule{Accuracy: "50"}), `accuracy: length "50" has no unit`},
		"during nothing":      {one(Rule{During: &During{Zone: "Europe/Rome"}}), "during: expected dates like"},
		"during dates":        {one(Rule{During: &During{Dates: "2026-13-01"}}), `"2026-13-01" is not a date`},
		"during last":         {one(Rule{During: &During{Dates: "2026-11-20..x"}}), `"x" is not a date`},
		"during backwards":    {one(Rule{During: &During{Dates: "2026-12-24..2026-11-20"}}), "the last day is before the first"},
		"during no dates":     {one(Rule{During: &During{Dates: ".."}}), "expected a first and a last day"},
		"during day":          {one(Rule{During: &During{Days: "Mon-Fry"}}), `"Fry" is not a day`},
		"during first day":    {one(Rule{During: &During{Days: "-Fri"}}), `"" is not a day`},
		"during hours":        {one(Rule{During: &During{Hours: "9-18"}}), `"9-18" is not understood: write 09:00-18:00`},
		"during hour":         {one(Rule{During: &During{Hours: "09:00-25:00"}}), `"25:00" is not a time of day`},
		"during start":        {one(Rule{During: &During{Hours: "24:00-09:00"}}), `"24:00" is not a time of day`},
		"during no end":       {one(Rule{During: &During{Hours: "09:00"}}), "expected a start and an end"},
		"during same":         {one(Rule{During: &During{Hours: "09:00-09:00"}}), "start and end are the same"},
		"during zone":         {one(Rule{During: &During{Hours: "09:00-10:00", Zone: "Rome"}}), `unknown time zone "Rome"`},
		"unknown segment":     {[]Segment{refer("a", "bb"), {Name: "bbb", Rules: []Rule{{EU: true}}}}, `segment a: segment: unknown segment "bb"`},
		"misspelt segment":    {[]Segment{refer("a", "near_mila"), {Name: "near_milan", Rules: []Rule{{EU: true}}}}, `unknown segment "near_mila": did you mean near_milan?`},
		"no segment":          {[]Segment{refer("a"), {Name: "b"}}, "segment a: a rule is empty"},
		"cycle of one":        {[]Segment{refer("a", "a")}, "segment a refers to itself: a → a"},
		"cycle":               {[]Segment{refer("x", "a"), refer("a", "b"), {Name: "b", Rules: []Rule{{Not: &Rule{Segment: []string{"c"}}}}}, refer("c", "a")}, "segment a refers to itself: a → b → c → a"},
		"empty group":         {one(Rule{All: []Rule{}}), "segment s: all has no rules"},
		"inside a group":      {one(Rule{Any: []Rule{{EU: true}, {Country: []string{"XX"}}}}), "segment s: any: country: unknown"},
		"inside not in group": {one(Rule{Not: &Rule{Any: []Rule{{Country: []string{"XX"}}}}}), "segment s: not: any: country: unknown"},
	} {
		_, err := Compile(tt.segments, Options{Places: places, Areas: areas(t), Stores: directory(t)})
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want %q", name, err, tt.want)
		}
	}
	for _, of := range []string{"store", "store:MI01"} {
		_, err := Compile(one(Rule{Within: &Within{Radius: "5km", Of: []string{of}}}), Options{})
		if err == nil || !strings.Contains(err.Error(), "no stores are configured") {
			t.Errorf("%s without stores: error %v", of, err)
		}
	}
	if _, err := Compile(one(Rule{InArea: []string{"x"}}), Options{}); err == nil || !strings.Contains(err.Error(), "no areas are configured") {
		t.Errorf("an area without areas: error %v", err)
	}
	if _, err := Compile(one(Rule{Within: &Within{Radius: "5km", Of: []string{"Milan"}}}), Options{}); err == nil || !strings.Contains(err.Error(), "no places are configured") {
		t.Errorf("a name without places: error %v", err)
	}
}

// longCycle is thirty segments that refer to each other in a ring.
func longCycle() []Segment {
	var segments []Segment
	for i := range 30 {
		segments = append(segments, Segment{Name: fmt.Sprintf("c%d", i), Rules: []Rule{{Segment: []string{fmt.Sprintf("c%d", (i+1)%30)}}}})
	}
	return segments
}

// cityNames knows Milan, by two names.
type cityNames struct{}

func (cityNames) Names(name string) []geo.CityName {
	if strings.HasPrefix(name, "Milan") {
		return []geo.CityName{{Name: "milan", Country: "IT"}}
	}
	return nil
}

func (cityNames) Unknown(string) error { return errors.New("unknown place") }

// A local name finds the English one; a name that nobody knows is a warning.
func TestCityNames(t *testing.T) {
	e, err := Compile([]Segment{
		{Name: "local", Rules: []Rule{{City: []string{"Milano"}}}},
		{Name: "pinned", Rules: []Rule{{City: []string{"Milano, IT"}}}},
		{Name: "elsewhere", Rules: []Rule{{City: []string{"Milano, US"}}}},
		{Name: "slip", Rules: []Rule{{City: []string{"Mailand", "3173435"}, Source: "Caddyfile:9"}}},
	}, Options{Cities: cityNames{}})
	if err != nil {
		t.Fatal(err)
	}
	if got := e.Decide(Visitor{Answer: e.Answer(milan())}).Segments; !slices.Equal(got, []string{"local", "pinned", "slip"}) {
		t.Errorf("segments %v", got)
	}
	if w, n := e.Warnings(9); n != 1 || len(w) != 1 || w[0].Error() != "Caddyfile:9: segment slip: city: unknown place" {
		t.Errorf("warnings %v", w)
	}
}

// A part of a region stands for all of it, which is a warning.
func TestRegionPartWarnings(t *testing.T) {
	e, err := Compile([]Segment{
		{Name: "whole", Rules: []Rule{{Region: []string{"FR-ARA", "Normandy", "PL-MZ", "Alsace", "GB-LND"}}}},
		{Name: "name", Rules: []Rule{{Region: []string{"Rhône-Alpes, FR"}, Source: "Caddyfile:5"}}},
		{Name: "code", Rules: []Rule{{Region: []string{"FR-V"}, Source: "Caddyfile:9"}}},
	}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	w, n := e.Warnings(9)
	if n != 2 || w[0].Error() != `Caddyfile:5: region: "Rhône-Alpes, FR" is only a part of FR-ARA (Auvergne-Rhône-Alpes) now, and all of that is meant` ||
		w[1].Error() != `Caddyfile:9: region: "FR-V" is only a part of FR-ARA (Auvergne-Rhône-Alpes) now, and all of that is meant` {
		t.Errorf("warnings %v", w)
	}
}

// Names with commas that are no pin, and other values that look wrong but are not.
func TestCompileAccepts(t *testing.T) {
	for _, r := range []Rule{
		{City: []string{"Ampelokipoi, Thessaloniki"}}, {City: []string{"Cologne (Kalk, Cologne)"}}, {Region: []string{"Province 1"}},
		{Region: []string{"Al-Qassim", "Goa", "GB-LND", "London", "GR-54", "CZ-PR", "KZ-ALA", "NO-01", "FR-75", "HK-X"}}, {Region: []string{"Limburg, NL"}}, {Within: &Within{Radius: "5 km", Of: []string{" 45.4 , 9.1 "}}},
		{During: &During{Dates: "2026-11-20.."}}, {During: &During{Dates: "..2026-11-20"}}, {During: &During{Days: "Friday-mon", Hours: "00:00-24:00"}},
	} {
		if _, err := Compile([]Segment{{Name: "s", Rules: []Rule{r}}}, Options{}); err != nil {
			t.Errorf("%+v: %v", r, err)
		}
	}
}

// Every field of Rule is known to kind, and survives JSON.
func TestRuleFields(t *testing.T) {
	rules := map[string]string{
		"country": `["IT"]`, "continent": `["EU"]`, "eu": `true`, "region": `["IT-25"]`, "city": `["Milan"]`, "postal": `["201*"]`,
		"metro": `[807]`, "asn": `[3269]`, "timezone": `["Europe/Rome"]`, "within": `{"radius":"5km","of":["Milan, IT","store"]}`,
		"in_area": `["Elsewhere"]`, "accuracy": `"50km"`, "located": `true`, "unlocated": `true`, "during": `{"days":"Mon-Fri","hours":"09:00-18:00","zone":"Europe/Rome"}`,
		"segment": `["other"]`, "not": `{"eu":true}`, "all": `[{"eu":true}]`, "any": `[{"eu":true}]`,
	}
	if want := reflect.TypeFor[Rule]().NumField() - 1; len(rules) != want { // all but source
		t.Errorf("%d rules tested, but there are %d", len(rules), want)
	}
	for kind, value := range rules {
		text := `{"` + kind + `":` + value + `}`
		var r Rule
		if err := json.Unmarshal([]byte(text), &r); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if got, err := r.kind(); got != kind || err != nil {
			t.Errorf("kind of %s = %q, %v", text, got, err)
		}
		if again, err := json.Marshal(r); err != nil || string(again) != text {
			t.Errorf("%s becomes %s, %v", text, again, err)
		}
		if _, err := Compile([]Segment{{Name: "s", Rules: []Rule{r}}, {Name: "other", Rules: []Rule{{EU: true}}}}, Options{Places: places, Areas: areas(t), Stores: directory(t)}); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestCalendar(t *testing.T) {
	rome, err := time.LoadLocation("Europe/Rome")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		during During
		at     string
		want   bool
	}{
		{During{Dates: "2026-11-20..2026-12-24"}, "2026-11-19 23:59", false},
		{During{Dates: "2026-11-20..2026-12-24"}, "2026-11-20 00:00", true},
		{During{Dates: "2026-11-20..2026-12-24"}, "2026-12-24 23:59", true},
		{During{Dates: "2026-11-20..2026-12-24"}, "2026-12-25 00:00", false},
		{During{Dates: "2026-12-24"}, "2026-12-24 12:00", true},
		{During{Dates: "2026-12-24"}, "2027-12-24 12:00", false},
		{During{Dates: "..2026-12-24"}, "1999-01-01 00:00", true},
		{During{Dates: "2026-12-24.."}, "2030-01-01 00:00", true},
		{During{Days: "Mon-Fri"}, "2026-11-23 00:00", true},  // Monday
		{During{Days: "Mon-Fri"}, "2026-11-22 23:59", false}, // Sunday
		{During{Days: "Sat,Sun"}, "2026-11-22 12:00", true},
		{During{Days: "Fri-Mon"}, "2026-11-22 12:00", true},
		{During{Days: "Fri-Mon"}, "2026-11-24 12:00", false},
		{During{Hours: "09:00-18:00"}, "2026-11-23 08:59", false},
		{During{Hours: "09:00-18:00"}, "2026-11-23 09:00", true},
		{During{Hours: "09:00-18:00"}, "2026-11-23 17:59", true},
		{During{Hours: "09:00-18:00"}, "2026-11-23 18:00", false},
		{During{Hours: "00:00-24:00"}, "2026-11-23 23:59", true},
		{During{Hours: "22:00-02:00"}, "2026-11-23 23:00", true},
		{During{Hours: "22:00-02:00"}, "2026-11-23 01:59", true},
		{During{Hours: "22:00-02:00"}, "2026-11-23 02:00", false},
		{During{Days: "Sat", Hours: "22:00-02:00"}, "2026-11-22 01:00", true},  // Sunday morning, since Saturday
		{During{Days: "Sat", Hours: "22:00-02:00"}, "2026-11-21 01:00", false}, // Saturday morning, since Friday
		{During{Dates: "2026-12-31", Hours: "20:00-04:00"}, "2027-01-01 03:00", true},
		{During{Dates: "2026-12-31", Hours: "20:00-04:00"}, "2026-12-31 03:00", false},
		{During{Dates: "2026-11-20..2026-12-24", Days: "Mon", Hours: "09:00-10:00"}, "2026-11-23 09:30", true},
		{During{Dates: "2026-11-20..2026-12-24", Days: "Mon", Hours: "09:00-10:00"}, "2026-11-24 09:30", false},
		// The clocks go forward at 02:00 and back at 03:00.
		{During{Hours: "02:00-03:00"}, "2026-03-29 03:00", false},
		{During{Hours: "02:00-03:00"}, "2026-10-25 02:30", true},
	} {
		c, err := newCalendar(&tt.during)
		if err != nil {
			t.Fatal(err)
		}
		at, err := time.ParseInLocation("2006-01-02 15:04", tt.at, rome)
		if err != nil {
			t.Fatal(err)
		}
		now := newClock(at)
		if got := c.contains(&now); got != tt.want {
			t.Errorf("%+v at %s = %v, want %v", tt.during, tt.at, got, tt.want)
		}
	}
}
