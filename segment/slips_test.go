package segment_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/geosegment/caddy-geosegment/geo"
	"github.com/geosegment/caddy-geosegment/geo/gazetteer"
	"github.com/geosegment/caddy-geosegment/segment"
	"github.com/geosegment/caddy-geosegment/store"
)

// fullOptions are the built-in cities, an own place, an area and a store.
func fullOptions(t *testing.T) segment.Options {
	t.Helper()
	file := func(name, content string) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	var o segment.Options
	cities, err := gazetteer.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	o.Cities = cities
	if o.Places, err = geo.ReadPlaces(cities, file("p.csv", "name,lat,lng\nOur Warehouse,45,9\nNew,1,2\n")); err != nil {
		t.Fatal(err)
	}
	if o.Areas, err = geo.ReadAreas(file("a.json", `{"type":"Feature","properties":{"name":"Old Town"},"geometry":{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,0]]]}}`)); err != nil {
		t.Fatal(err)
	}
	if o.Stores, err = store.ReadFile(file("s.csv", "code,name,lat,lng\nMI01,Duomo,45.46,9.19\n")); err != nil {
		t.Fatal(err)
	}
	return o
}

func compileOne(t *testing.T, options segment.Options, rules ...segment.Rule) (*segment.Engine, error) {
	t.Helper()
	return segment.Compile([]segment.Segment{{Name: "s", Rules: rules}}, options)
}

func within(of ...string) segment.Rule {
	return segment.Rule{Within: &segment.Within{Radius: "5km", Of: of}}
}

func TestSlips(t *testing.T) {
	type r = segment.Rule
	country := func(values ...string) r { return r{Country: values} }
	region := func(values ...string) r { return r{Region: values} }
	city := func(values ...string) r { return r{City: values} }
	postal := func(values ...string) r { return r{Postal: values} }
	length := func(radius string) r { return r{Within: &segment.Within{Radius: radius, Of: []string{"Milan"}}} }
	days := func(s string) r { return r{During: &segment.During{Days: s}} }
	dates := func(s string) r { return r{During: &segment.During{Dates: s}} }
	hours := func(s string) r { return r{During: &segment.During{Hours: s}} }
	options := fullOptions(t)
	for _, tt := range []struct {
		rule segment.Rule
		want string
	}{
		// Points and lengths.
		{within("45,46", "9,19"), `within: "45,46 9,19" looks like decimal commas: write 45.46,9.19; whole degrees have a decimal here: 45.0,46.0`},
		{within("-33,4642", "-70,65"), "write -33.4642,-70.65"},
		{within("45,46,", "9,19"), "write 45.46,9.19"},
		{within("45,46;", "9,19"), "write 45.46,9.19"},
		{within("45,46, 9,19"), "write 45.46,9.19"},
		{within("Milan", "45,46", "9,19"), "write 45.46,9.19"},
		{within("45.46", "9.19"), "write it without a blank: 45.46,9.19"},
		{within("45.46,", "9.19"), "write it without a blank: 45.46,9.19"},
		{length("5,5km"), `within: "5,5km" is not a length: write 5.5km`},
		{length("10miles"), "write 10mi"},
		{length("10mi."), "write 10mi"},

		// Stores.
		{within("stores"), `within: "stores": for any store write store`},
		{within("any", "store"), "for any store write store"},
		{within("the", "nearest", "store"), `"the nearest store": for any store write store`},
		{within("store", "MI01"), `"store MI01": write store:MI01`},
		{within("store:", "MI01"), `write store:MI01`},
		{within("Store:MI01"), `write store:MI01`},

		// Names with blanks.
		{city("New", "York"), `city: "New" is no city: write "New York" in quotes`},
		{city("Rome", "Rio", "de", "Janeiro"), `write "Rio de Janeiro" in quotes`},
		{city("Los", "Angeles"), `write "Los Angeles" in quotes`},
		{city("Buenos", "Aires,", "New", "York"), `write "Buenos Aires" in quotes`},
		{city("Milan,", "IT"), `city: "Milan," is no city: write "Milan, IT" in quotes`},
		{city("Portland,", "OR"), `write "Portland, US-OR" in quotes`},
		{within("New", "York", "City"), `write "New York City" in quotes`},
		{within("Los", "Angeles"), `within: "Los" is no city: write "Los Angeles" in quotes`},
		{within("San", "Marino"), `within: "San Marino" is one city: put it into quotes; if several are meant, write one line for each`},
		{within("Our", "Warehouse"), `"Our" is no place: write "Our Warehouse" in quotes`},
		{region("New", "York"), `region: "New" is no region: write "New York" in quotes`},
		{region("Limburg,", "NL"), `write "Limburg, NL" in quotes`},
		{country("United", "Kingdom"), `country: "United" is no country: write GB`},
		{r{InArea: []string{"Old", "Town"}}, `in_area: "Old" is no area: write "Old Town" in quotes`},

		// Lists with commas.
		{country("DE,", "AT"), "country: values are separated by blanks, without commas: write country DE AT"},
		{country("DE,AT"), "write country DE AT"},
		{country("DE;AT"), "write country DE AT"},
		{country("DE", ",", "AT"), "write country DE AT"},
		{r{Continent: []string{"EU,NA"}}, "write continent EU NA"},
		{r{TimeZone: []string{"Europe/Rome,", "Europe/Paris"}}, "write timezone Europe/Rome Europe/Paris"},
		{r{Segment: []string{"a,b"}}, "write segment a b"},
		{postal("20121,", "20122"), "write postal 20121 20122"},
		{region("IT-25,", "IT-21"), "write region IT-25 IT-21"},
		{region("IT-25,IT-21"), "write region IT-25 IT-21"},
		{city("Paris,", "London"), "write city Paris London"},
		{city("Paris,London"), "write city Paris London"},
		{city("Paris,", "New York"), `write city Paris "New York"`},
		{r{InArea: []string{"Old Town,"}}, `write in_area "Old Town"`},

		// Regions without their country, and countries.
		{city("Portland, OR"), `city: unknown city "Portland, OR": did you mean "Portland, US-OR"?`},
		{city("Washington, DC"), `did you mean "Washington, US-DC"?`},
		{city("Boston, MA"), `did you mean "Boston, US-MA"?`},
		{city("Perth, WA"), `did you mean "Perth, AU-WA"?`},
		{country("England"), `country: "England" is no country: write country GB, or for England alone region GB-ENG`},
		{country("Limburg"), `write region BE-VLI or NL-LI`},
		{country("EU"), `"EU" is no country: for the European Union write eu, a rule of its own`},
		{country("Europe"), `write continent EU`},
		{country("DEU"), `unknown country "DEU": did you mean DE (Germany)?`},

		// Postal codes.
		{postal("75001-75020"), `postal: "75001-75020": ranges are not known: write 750* for all that begin so, or list the codes`},
		{postal("10000-20000"), `ranges are not known: list the codes, or their beginnings with a star, like 10*`},
		{postal("75xxx"), `"75xxx": for all that begin so write 75*`},
		{postal("75XXX"), "write 75*"},
		{postal("75%"), "write 75*"},
		{postal("75..."), "write 75*"},

		// Times.
		{days("Weekends"), `during: "Weekends" is not understood: write Sat,Sun`},
		{days("weekdays"), "write Mon-Fri"},
		{days("Saturdays"), "write Sat"},
		{days("Sat/Sun"), "write Sat,Sun"},
		{days("Sat+Sun"), "write Sat,Sun"},
		{days("Mon–Fri"), "write Mon-Fri"},
		{days("Tues-Thurs"), "write Tue-Thu"},
		{days("evenings"), "write 18:00-22:00"},
		{days("Fry"), `"Fry" is not a day`},
		{dates("Mon..Fri"), "write Mon-Fri"},
		{dates("9am-5pm"), `"9am-5pm" is not understood: write 09:00-17:00`},
		{dates("12pm-12am"), "write 12:00-00:00"},
		{dates("9.30am-5pm"), "write 09:30-17:00"},
		{dates("18.00-22.00"), "write 18:00-22:00"},
		{dates("1800-2200"), "write 18:00-22:00"},
		{dates("18-23"), "write 18:00-23:00"},
		{dates("18h-22h"), "write 18:00-22:00"},
		{dates("9-5"), "write hours like 09:00-17:00 or 18:00-22:00"},
		{dates("9am"), "write hours like"},
		{dates("9-5pm"), "write hours like"},
		{dates("2026-2027"), "write hours like"},
		{hours("9:00-18:00"), "write 09:00-18:00"},
		{hours("18:00..22:00"), "write 18:00-22:00"},
		{hours("18:00 - 22:00"), "write 18:00-22:00"},
		{dates("24.12.2026"), `"24.12.2026" is not understood: write 2026-12-24`},
		{dates("1.12.2026-24.12.2026"), "write 2026-12-01..2026-12-24"},
		{dates("2026-11-27-2026-11-30"), "write 2026-11-27..2026-11-30"},
		{dates("2026-9-28"), "write 2026-09-28"},
		{dates("2026/09/28"), "write 2026-09-28"},
		{dates("20260928"), "write 2026-09-28"},
		{dates("09/28/2026"), "write 2026-09-28"},
		{dates("28/09/2026"), "write 2026-09-28"},
		{dates("09/08/2026"), `"09/08/2026" is not a date: expected year-month-day`},
	} {
		_, err := compileOne(t, options, tt.rule)
		if err == nil || !strings.HasPrefix(err.Error(), "segment s: ") || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v: error %v, want %q", tt.rule, err, tt.want)
		}
	}
}

// What looks like a slip, but is none.
func TestNoSlips(t *testing.T) {
	for _, r := range []segment.Rule{
		within("45.0,46.0", "9.0,19.0"), within("45,46"), within("45,46", "9.5,19"), within("Milan", "Rome"), within("store", "store:MI01"),
		within("New", "Milan"), within("New", "York, GB"), // New is a place of one's own
		{City: []string{"Milan", "Naples", "Bari"}}, {City: []string{"Milan,IT"}}, {City: []string{"Paris", "London"}}, {City: []string{"Paris, Texas", "Boston, US-MA"}},
		{City: []string{"3173435", "Milan"}}, {City: []string{"New York", "San Marino"}},
		{Region: []string{"IT-25", "Sicily", "Limburg, NL"}}, {Country: []string{"DE", "AT"}},
		{Postal: []string{"75", "75*", "1234 XX", "1234xx", "12345-6789", "100-0001", "01310-100", "SW1A 1AA"}},
	} {
		e, err := compileOne(t, fullOptions(t), r)
		if err != nil {
			t.Errorf("%+v: %v", r, err)
		} else if warnings, _ := e.Warnings(9); len(warnings) > 0 {
			t.Errorf("%+v: warnings %v", r, warnings)
		}
	}
}

func TestWarnings(t *testing.T) {
	type r = segment.Rule
	de, at, both := r{Country: []string{"DE"}, Source: "Caddyfile:3"}, r{Country: []string{"at"}, Source: "Caddyfile:4"}, r{Country: []string{"DE", "AT"}}
	const apart = "country DE and country at can never all be true: write them on one line, or match any"
	options := fullOptions(t)
	for name, tt := range map[string]struct {
		rules []r
		want  string // "" for none
	}{
		"countries":               {[]r{de, at}, "Caddyfile:4: segment s: " + apart},
		"in all":                  {[]r{{All: []r{de, at}}}, "Caddyfile:4: segment s: all: " + apart},
		"in not":                  {[]r{{Not: &r{All: []r{de, at}}}}, "Caddyfile:4: segment s: not: all: " + apart},
		"pairs but not all":       {[]r{{Country: []string{"DE", "AT"}}, {Country: []string{"AT", "CH"}}, {Country: []string{"CH", "DE"}}}, "segment s: country DE AT and country AT CH and country CH DE can never"},
		"continents":              {[]r{{Continent: []string{"EU"}}, {Continent: []string{"NA"}}}, "continent EU and continent NA can never all be true"},
		"any":                     {[]r{{Any: []r{de, at}}}, ""},
		"one in common":           {[]r{de, both}, ""},
		"country and continent":   {[]r{de, {Continent: []string{"EU"}}}, ""},
		"not":                     {[]r{de, {Not: &at}}, ""},
		"unknown city":            {[]r{{City: []string{"Xyzzyville"}, Source: "Caddyfile:9"}}, `Caddyfile:9: segment s: city: unknown place "Xyzzyville"`},
		"two cities that are one": {[]r{{City: []string{"San", "Marino"}}}, `segment s: city: "San Marino" is one city: if it is meant, put it into quotes`},
	} {
		e, err := compileOne(t, options, tt.rules...)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		warnings, count := e.Warnings(9)
		switch {
		case tt.want == "" && count > 0:
			t.Errorf("%s: warnings %v, want none", name, warnings)
		case tt.want != "" && (count != 1 || !strings.Contains(warnings[0].Error(), tt.want)):
			t.Errorf("%s: warnings %v, want %q", name, warnings, tt.want)
		}
	}
	e, err := segment.Compile([]segment.Segment{{Name: "s", Match: "any", Rules: []r{de, at}}}, options)
	if err != nil {
		t.Fatal(err)
	}
	if w, n := e.Warnings(9); n > 0 {
		t.Errorf("match any: warnings %v", w)
	}
}

func TestDuringMeant(t *testing.T) {
	for words, want := range map[string]string{
		"Sat Sun":                       "Sat,Sun",
		"Mon, Tue":                      "Mon,Tue",
		"Monday to Friday":              "Mon-Fri",
		"Mon - Fri 9 am - 5 pm":         "Mon-Fri 09:00-17:00",
		"2026-11-27 to 2026-11-30":      "2026-11-27..2026-11-30",
		"2026-09-28 - 2026-10-06":       "2026-09-28..2026-10-06",
		"from 24.12.2026 to 26.12.2026": "2026-12-24..2026-12-26",
		"2026-11-27.. Sat and Sun":      "2026-11-27.. Sat,Sun",
		"weekend evenings":              "Sat,Sun 18:00-22:00",
		"Sat Europe/Rome":               "Sat zone Europe/Rome",
		"Sat Sun zone Europe/Rome":      "Sat,Sun zone Europe/Rome",
		"18:00 to 22:00":                "18:00-22:00",
		"09:00-12:00 14:00-18:00":       "", // two of them need two rules
		"2026-11-27 2026-11-30":         "", // a range or two days
		"2026-11-30 to 2026-11-27":      "",
		"Sat tomorrow":                  "",
		"Sat 25:00-26:00":               "",
	} {
		if got := segment.DuringMeant(strings.Fields(words)); got != want {
			t.Errorf("DuringMeant(%q) = %q, want %q", words, got, want)
		}
	}
}
