package segment_test

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/geosegment/caddy-geosegment/geo"
	"github.com/geosegment/caddy-geosegment/geo/builtin"
	"github.com/geosegment/caddy-geosegment/geo/gazetteer"
	"github.com/geosegment/caddy-geosegment/segment"
)

func matches(t *testing.T, r segment.Rule, l geo.Location, at time.Time) bool {
	t.Helper()
	names, err := gazetteer.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	e, err := segment.Compile([]segment.Segment{{Name: "s", Rules: []segment.Rule{r}}}, segment.Options{Cities: names, Places: names})
	if err != nil {
		t.Fatalf("%+v: %v", r, err)
	}
	return e.Decide(segment.Visitor{Answer: e.Answer(&l), Time: at}).Primary() == "s"
}

// Names as people type them against names as databases have them.
func TestCitiesAsTyped(t *testing.T) {
	in := func(city, region string) geo.Location {
		return geo.Location{Country: region[:2], City: city, Regions: []geo.Region{{Code: region}}}
	}
	for _, tt := range []struct {
		rule string
		l    geo.Location
		want bool
	}{
		{"Paris, Texas", in("Paris", "US-TX"), true},
		{"Paris, Texas", in("Paris", "FR-IDF"), false},
		{"Portland, Oregon", in("Portland", "US-OR"), true},
		{"Portland, Oregon", in("Portland", "US-ME"), false},
		{"Milan, Lombardy", in("Milan", "IT-25"), true},
		{"Milan, Lombardy", in("Milan", "US-MI"), false},
		{"Milan, Italy", in("Milan", "IT-25"), true},
		{"Milan, Italy", in("Milan", "US-MI"), false},
		{"Tbilisi, Georgia", in("Tbilisi", "GE-TB"), true},
		{"Athens, Georgia", in("Athens", "US-GA"), true},
		{"Ampelokipoi, Thessaloniki", in("Ampelokipoi, Thessaloniki", "GR-B"), true},
		{"Washington, D.C.", in("Washington", "US-DC"), true},
		{"Washington, D.C.", in("Washington D.C. (Capitol Hill)", "US-DC"), true},
		{"Washington", in("Washington D.C.", "US-DC"), true},
		{"Washington, D.C.", in("Washington", "GB-SND"), false},
		{"New York", in("New York (Manhattan)", "US-NY"), true},
		{"New York City", in("New York", "US-NY"), true},
		{"Saint Petersburg, RU", in("St Petersburg", "RU-SPE"), true},
		{"St. Petersburg", in("Saint Petersburg", "RU-SPE"), true},
		{"St Louis", in("St. Louis", "US-MO"), true},
		{"Sankt Gallen", in("St. Gallen", "CH-SG"), true},
		{"Davao", in("Davao City", "PH-11"), true},
		{"Carson", in("Carson City", "US-NV"), false},
		{"Nürnberg", in("Nuremberg", "DE-BY"), true},
		{"Braunschweig", in("Brunswick", "DE-NI"), true},
		{"Antwerpen", in("Antwerp", "BE-VLG"), true},
		{"Göteborg", in("Gothenburg", "SE-O"), true},
		{"Luzern", in("Lucerne", "CH-LU"), true},
		{"Paris", in("Paris 18 Buttes-Montmartre", "FR-IDF"), true},
		{"Frankfurt (Oder)", in("Frankfurt am Main", "DE-HE"), false},
		{"Milano", in("Milan", "IT-25"), true},
		{"München", in("Munich", "DE-BY"), true},
	} {
		if got := matches(t, segment.Rule{City: []string{tt.rule}}, tt.l, time.Time{}); got != tt.want {
			t.Errorf("city %q of %s, %s: %v", tt.rule, tt.l.City, tt.l.Region().Code, got)
		}
	}
}

func TestRenamedZones(t *testing.T) {
	for _, tt := range [][2]string{{"Europe/Kyiv", "Europe/Kiev"}, {"Europe/Kiev", "Europe/Kyiv"}, {"Asia/Calcutta", "Asia/Kolkata"}, {"US/Pacific", "America/Los_Angeles"}} {
		if !matches(t, segment.Rule{TimeZone: tt[:1]}, geo.Location{Country: "UA", TimeZone: tt[1]}, time.Time{}) {
			t.Errorf("timezone %s does not match %s", tt[0], tt[1])
		}
	}
	if matches(t, segment.Rule{TimeZone: []string{"Europe/Brussels"}}, geo.Location{Country: "NL", TimeZone: "Europe/Amsterdam"}, time.Time{}) {
		t.Error("Amsterdam is in the zone of Brussels")
	}
}

// Where clocks jump over midnight, hours after it still belong to the day
// before.
func TestHoursAfterAJumpOverMidnight(t *testing.T) {
	for zone, date := range map[string]string{"America/Havana": "2036-03-09", "America/Santiago": "2027-09-05", "Africa/Cairo": "2027-04-30"} {
		where, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		day, err := time.ParseInLocation(time.DateOnly+" 15:04", date+" 12:00", where)
		if err != nil {
			t.Fatal(err)
		}
		for i := -3; i < 3; i++ {
			start := day.AddDate(0, 0, i)
			next := time.Date(start.Year(), start.Month(), start.Day()+1, 1, 30, 0, 0, where)
			r := segment.Rule{During: &segment.During{Dates: start.Format(time.DateOnly), Hours: "22:00-06:00", Zone: zone}}
			if !matches(t, r, geo.Location{}, next) {
				t.Errorf("%s is not in the night of %s", next, start.Format(time.DateOnly))
			}
		}
	}
}

// Whoever writes the name of one of the world's largest cities means what
// the built-in database calls it.
func TestLargestCitiesAreMeant(t *testing.T) {
	db, err := builtin.Database()
	if err != nil {
		t.Fatal(err)
	}
	places := map[string]geo.Location{}
	if err := db.Networks(false, func(_ netip.Addr, record uint32) error {
		var l geo.Location
		if record == 0 {
			return nil
		}
		err := db.Read(record, &l)
		if l.City != "" && len(l.Regions) > 0 {
			places[l.Country+l.Regions[0].Name+l.City] = l
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	names, err := gazetteer.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	var missed []string
	largest := names.Largest(300)
	for _, c := range largest {
		rule := segment.Rule{City: []string{c}}
		e, err := segment.Compile([]segment.Segment{{Name: "s", Rules: []segment.Rule{rule}}}, segment.Options{Cities: names})
		if err != nil {
			t.Fatal(err)
		}
		at, err := names.Find(c)
		if err != nil {
			t.Fatal(err)
		}
		found, near := false, ""
		for _, l := range places {
			if geo.Distance(l.Point, at) > 30_000 {
				continue
			}
			near += fmt.Sprintf("; %s, %s", l.City, l.Regions[0].Name)
			if code, ok := geo.RegionByName(l.Country, l.Regions[0].Name); ok {
				l.Regions = []geo.Region{{Code: code}}
			}
			found = found || len(e.Decide(segment.Visitor{Answer: e.Answer(&l)}).Segments) > 0
		}
		if !found && near != "" {
			missed = append(missed, c+" is none of"+near)
		}
	}
	// Some are no city of their own there: Manhattan, Dombivli.
	if len(missed) > len(largest)/20 {
		for _, m := range missed {
			t.Logf("%.300s", m)
		}
		t.Errorf("%d of the %d largest cities are not found", len(missed), len(largest))
	}
}
