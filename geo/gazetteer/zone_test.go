package gazetteer

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/geosegment/caddy-geosegment/geo"
)

// TestZone: positions and zones from general knowledge, not from the source.
func TestZone(t *testing.T) {
	g := builtinOf(t)
	for _, tt := range []struct {
		place, country string
		lat, lng       float64
		want           string
	}{
		{"New York", "US", 40.71, -74.01, "America/New_York"},
		{"Los Angeles", "US", 34.05, -118.24, "America/Los_Angeles"},
		{"Denver", "US", 39.74, -104.99, "America/Denver"},
		{"Phoenix", "US", 33.45, -112.07, "America/Phoenix"},
		{"El Paso, Texas", "US", 31.76, -106.49, "America/Denver"},
		{"Dallas", "US", 32.78, -96.8, "America/Chicago"},
		{"Pensacola, Florida", "US", 30.42, -87.22, "America/Chicago"},
		{"Miami", "US", 25.76, -80.19, "America/New_York"},
		{"Indianapolis", "US", 39.77, -86.16, "America/Indiana/Indianapolis"},
		{"Anchorage", "US", 61.22, -149.9, "America/Anchorage"},
		{"Honolulu", "US", 21.31, -157.86, "Pacific/Honolulu"},
		{"Toronto", "CA", 43.65, -79.38, "America/Toronto"},
		{"Thunder Bay", "CA", 48.38, -89.25, "America/Toronto"},
		{"Vancouver", "CA", 49.28, -123.12, "America/Vancouver"},
		{"Calgary", "CA", 51.05, -114.07, "America/Edmonton"},
		{"Regina", "CA", 50.45, -104.61, "America/Regina"},
		{"Halifax", "CA", 44.65, -63.57, "America/Halifax"},
		{"St. John's", "CA", 47.56, -52.71, "America/St_Johns"},
		{"Mexico City", "MX", 19.43, -99.13, "America/Mexico_City"},
		{"Cancún", "MX", 21.16, -86.85, "America/Cancun"},
		{"Tijuana", "MX", 32.51, -117.04, "America/Tijuana"},
		{"Ciudad Juárez", "MX", 31.69, -106.42, "America/Ciudad_Juarez"},
		{"Hermosillo", "MX", 29.07, -110.96, "America/Hermosillo"},
		{"São Paulo", "BR", -23.55, -46.63, "America/Sao_Paulo"},
		{"Manaus", "BR", -3.12, -60.02, "America/Manaus"},
		{"Rio Branco", "BR", -9.97, -67.81, "America/Rio_Branco"},
		{"Santiago", "CL", -33.45, -70.67, "America/Santiago"},
		{"Punta Arenas", "CL", -53.16, -70.91, "America/Punta_Arenas"},
		{"Coyhaique", "CL", -45.57, -72.07, "America/Coyhaique"},
		{"Quito", "EC", -0.18, -78.47, "America/Guayaquil"},
		{"Nuuk", "GL", 64.18, -51.72, "America/Nuuk"},
		{"Madrid", "ES", 40.42, -3.7, "Europe/Madrid"},
		{"Las Palmas", "ES", 28.12, -15.43, "Atlantic/Canary"},
		{"Ceuta", "ES", 35.89, -5.32, "Africa/Ceuta"},
		{"Lisbon", "PT", 38.72, -9.14, "Europe/Lisbon"},
		{"Funchal", "PT", 32.65, -16.91, "Atlantic/Madeira"},
		{"Ponta Delgada", "PT", 37.74, -25.67, "Atlantic/Azores"},
		{"Kyiv", "UA", 50.45, 30.52, "Europe/Kyiv"},
		{"Uzhhorod", "UA", 48.62, 22.29, "Europe/Kyiv"},
		{"Moscow", "RU", 55.76, 37.62, "Europe/Moscow"},
		{"Kaliningrad", "RU", 54.71, 20.51, "Europe/Kaliningrad"},
		{"Yekaterinburg", "RU", 56.84, 60.61, "Asia/Yekaterinburg"},
		{"Novosibirsk", "RU", 55.03, 82.92, "Asia/Novosibirsk"},
		{"Vladivostok", "RU", 43.12, 131.89, "Asia/Vladivostok"},
		{"Petropavlovsk-Kamchatsky", "RU", 53.02, 158.65, "Asia/Kamchatka"},
		{"Ulaanbaatar", "MN", 47.92, 106.92, "Asia/Ulaanbaatar"},
		{"Beijing", "CN", 39.9, 116.4, "Asia/Shanghai"},
		{"Zhanjiang", "CN", 21.27, 110.36, "Asia/Shanghai"},
		{"Jakarta", "ID", -6.2, 106.82, "Asia/Jakarta"},
		{"Denpasar", "ID", -8.65, 115.22, "Asia/Makassar"},
		{"Jayapura", "ID", -2.53, 140.72, "Asia/Jayapura"},
		{"Kinshasa", "CD", -4.33, 15.31, "Africa/Kinshasa"},
		{"Lubumbashi", "CD", -11.66, 27.48, "Africa/Lubumbashi"},
		{"Sydney", "AU", -33.87, 151.21, "Australia/Sydney"},
		{"Broken Hill", "AU", -31.95, 141.45, "Australia/Broken_Hill"},
		{"Brisbane", "AU", -27.47, 153.03, "Australia/Brisbane"},
		{"Adelaide", "AU", -34.93, 138.6, "Australia/Adelaide"},
		{"Darwin", "AU", -12.46, 130.84, "Australia/Darwin"},
		{"Perth", "AU", -31.95, 115.86, "Australia/Perth"},
		{"Auckland", "NZ", -36.85, 174.76, "Pacific/Auckland"},
		{"Papeete", "PF", -17.53, -149.57, "Pacific/Tahiti"},

		// The city across the border does not count, near as it is.
		{"El Paso in Mexico", "MX", 31.76, -106.49, "America/Ciudad_Juarez"},
		{"Tijuana in the United States", "US", 32.51, -117.04, "America/Los_Angeles"},

		// Far from every city of the country.
		{"Milan in the United States", "US", 45.46, 9.19, ""},
		{"Easter Island", "CL", -27.15, -109.43, ""},
		{"Galápagos", "EC", -0.74, -90.31, ""},
		{"Fernando de Noronha", "BR", -3.85, -32.42, ""},
		{"Chatham Islands", "NZ", -43.95, -176.56, ""},
		{"Kiritimati", "KI", 1.98, -157.47, ""},
		{"Marquesas", "PF", -8.92, -140.1, ""},
		{"North Pole", "CA", 90, 0, ""},
		{"McMurdo Station", "AQ", -77.85, 166.67, ""},

		{"a country with one zone", "IT", 45.46, 9.19, ""},
		{"an unknown country", "ZZ", 45.46, 9.19, ""},
		{"no country", "", 40.71, -74.01, ""},
		{"no point", "US", math.NaN(), 0, ""},
	} {
		if got := g.Zone(tt.country, geo.Point{Lat: tt.lat, Lng: tt.lng}); got != tt.want {
			t.Errorf("%s: Zone(%s, %v,%v) = %q, want %q", tt.place, tt.country, tt.lat, tt.lng, got, tt.want)
		}
	}
}

// TestZones: a city has a zone of its own if, and only if, its country has
// several, and every zone is one that rules can name.
func TestZones(t *testing.T) {
	g := builtinOf(t)
	used := map[uint8]bool{0: true}
	for i, c := range g.cities {
		used[c.zone] = true
		country, _ := geo.CountryByCode(g.pin(i)[:2])
		if own := g.zones[c.zone]; (own == "") != (country.TimeZone != "") {
			t.Errorf("%s, %s has the zone %q, its country %q", g.display.at(i), g.pin(i), own, country.TimeZone)
		}
	}
	if g.zones[0] != "" {
		t.Errorf("the first zone is %q", g.zones[0])
	}
	for i, name := range g.zones[1:] {
		if zone, err := geo.TimeZone(name); err != nil || zone.String() != geo.ZoneName(name) {
			t.Errorf("zone %q is %v, now named %q: %v", name, zone, geo.ZoneName(name), err)
		}
		if !used[uint8(i+1)] {
			t.Errorf("no city is in the zone %q", name)
		}
	}
}

// TestZoneNearest compares with a look at every city.
func TestZoneNearest(t *testing.T) {
	g := builtinOf(t)
	random := rand.New(rand.NewPCG(3, 9))
	unknown := 0
	const tries = 1000
	for range tries {
		c := random.IntN(g.Len())
		for g.cities[c].zone == 0 {
			c = random.IntN(g.Len())
		}
		country, p := g.pin(c)[:2], g.point(c)
		p.Lat = max(-90, min(90, p.Lat+4*random.NormFloat64()))
		p.Lng = math.Remainder(p.Lng+4*random.NormFloat64(), 360)

		want, nearest := "", 300_000.0
		for i := range g.Len() {
			if g.pin(i)[:2] != country {
				continue
			}
			if d := geo.Distance(p, g.point(i)); d < nearest {
				want, nearest = g.zones[g.cities[i].zone], d
			}
		}
		if want == "" {
			unknown++
		}
		if got := g.Zone(country, p); got != want {
			t.Errorf("Zone(%s, %v) = %q, want %q", country, p, got, want)
		}
	}
	if unknown == 0 || unknown > tries/2 {
		t.Errorf("%d of %d points are far from all cities: the test says little", unknown, tries)
	}
}

func TestZoneDoesNotAllocate(t *testing.T) {
	g := builtinOf(t)
	chicago := geo.Point{Lat: 41.88, Lng: -87.63}
	if n := testing.AllocsPerRun(100, func() { g.Zone("US", chicago) }); n != 0 {
		t.Errorf("Zone allocates %v times", n)
	}
}

// BenchmarkZone is what a new location in the United States costs, where the
// database states no time zone.
func BenchmarkZone(b *testing.B) {
	g := builtinOf(b)
	random := rand.New(rand.NewPCG(1, 2))
	points := make([]geo.Point, 1024)
	for i := range points {
		points[i] = geo.Point{Lat: 30 + 18*random.Float64(), Lng: -120 + 45*random.Float64()}
	}
	g.Zone("US", points[0])
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		g.Zone("US", points[i%len(points)])
	}
}

// BenchmarkIndexZones is what the first of them waits for.
func BenchmarkIndexZones(b *testing.B) {
	g := builtinOf(b)
	b.ReportAllocs()
	for b.Loop() {
		g.indexZones()
	}
}
