package gazetteer

import (
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/geosegment/caddy-geosegment/geo"
)

func builtinOf(t testing.TB) *Gazetteer {
	t.Helper()
	g, err := Builtin()
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestFind(t *testing.T) {
	milan, rome := geo.Point{Lat: 45.464, Lng: 9.19}, geo.Point{Lat: 41.9, Lng: 12.5}
	munich, cologne := geo.Point{Lat: 48.137, Lng: 11.575}, geo.Point{Lat: 50.94, Lng: 6.96}
	naples, portland := geo.Point{Lat: 40.84, Lng: 14.25}, geo.Point{Lat: 45.52, Lng: -122.68}
	for name, want := range map[string]geo.Point{
		"Milan": milan, "Milan, IT": milan, "milan,it": milan, " MILANO , it ": milan, "Milan, Italy": milan, "Milano, Lombardy": milan, "Milan, IT-25": milan,
		"Rome": rome, "Roma": rome, "Rome, IT": rome, "Naples": naples, "Napoli": naples,
		"München": munich, "Munich": munich, "Munchen": munich, "Köln": cologne, "Cologne": cologne,
		"Portland": portland, "Portland, US-OR": portland, "Portland, us-or": portland, "Portland, Oregon": portland,
		"Portland, US-ME":  {Lat: 43.66, Lng: -70.26},
		"Paris":            {Lat: 48.86, Lng: 2.35},
		"Paris, US-TX":     {Lat: 33.66, Lng: -95.56},
		"Washington, D.C.": {Lat: 38.9, Lng: -77.04},
		"Washington, US":   {Lat: 38.9, Lng: -77.04},
		"Atlanta, Georgia": {Lat: 33.75, Lng: -84.39}, // a country's name, too
		"Tbilisi, Georgia": {Lat: 41.7, Lng: 44.8},
		"Toronto, CA-ON":   {Lat: 43.7, Lng: -79.4},
		"Sydney, AU-NSW":   {Lat: -33.87, Lng: 151.21},
		"Leeds, GB-ENG":    {Lat: 53.8, Lng: -1.55},
		"Bruges":           {Lat: 51.21, Lng: 3.22},
		"São Paulo":        {Lat: -23.55, Lng: -46.63},
		"Sao Paulo, BR-SP": {Lat: -23.55, Lng: -46.63},
		"Geneva":           {Lat: 46.2, Lng: 6.15},
		"Frankfurt":        {Lat: 50.11, Lng: 8.68},
	} {
		got, err := builtinOf(t).Find(name)
		if err != nil || geo.Distance(got, want) > 10_000 {
			t.Errorf("Find(%q) = %v, %v, want near %v", name, got, err, want)
		}
	}
}

func TestFindErrors(t *testing.T) {
	for name, want := range map[string]string{
		"Springfield, US":  `"Springfield, US" is ambiguous: write one of "Springfield, US-MO" "Springfield, US-MA" "Springfield, US-IL" "Springfield, US-OR" "Springfield, US-OH" "Springfield, US-VA"`,
		"Birmingham":       `"Birmingham" is ambiguous: write one of "Birmingham, GB" "Birmingham, US-AL" "Birmingham, US-MI"`,
		"cordoba":          `"cordoba" is ambiguous: write one of "Córdoba, AR" "Córdoba, ES" "Córdoba, MX"`,
		"Paris, US":        `"Paris, US" is ambiguous: write one of "Paris, US-TX" "Paris, US-TN"`,
		"Milanoo":          `unknown place "Milanoo": did you mean "Milan, IT"?`,
		"Millan":           `unknown place "Millan": did you mean one of "Milan, IT" "Millau, FR"?`,
		"Milano Centro":    `unknown place "Milano Centro": did you mean "Milan, IT"?`,
		"Citta Milano, IT": `unknown place "Citta Milano, IT": did you mean "Milan, IT"?`,
		"Milan, FR":        `unknown place "Milan, FR": did you mean "Milan, IT"?`,
		"Milan, IT-MI":     `unknown place "Milan, IT-MI": did you mean "Milan, IT"?`,
		"Pariss, US":       `unknown place "Pariss, US": did you mean one of "Paris, US-TX" "Paris, US-TN"?`,
		"Portland, OR":     `unknown place "Portland, OR": did you mean "Portland, US-OR"?`,
		"London, UK":       `"London, UK": unknown country "UK": did you mean GB (United Kingdom)?`,
		"Milan, ZZ":        `"Milan, ZZ": unknown country "ZZ": expected an ISO 3166-1 code of two letters like IT`,
		"Xyzzy":            `unknown place "Xyzzy": write a point like 45.4642,9.19, or add it to a places file`,
		"":                 `unknown place "": write a point like 45.4642,9.19, or add it to a places file`,
		", IT":             `unknown place ", IT": write a point like 45.4642,9.19, or add it to a places file`,
	} {
		if p, err := builtinOf(t).Find(name); err == nil || err.Error() != want {
			t.Errorf("Find(%q) = %v, %v\nwant %s", name, p, err, want)
		}
	}
}

// TestErrorsCanBeTyped takes the forms out of the errors and types them.
func TestErrorsCanBeTyped(t *testing.T) {
	g := builtinOf(t)
	for _, name := range []string{"Springfield", "San Jose", "Santa Cruz", "Victoria", "Victorai", "Hyderabat", "Georgetown", "San Juan", "Pristin", "Taipeh Cty", "Aachn", "Newcastle"} {
		_, err := g.Find(name)
		if err == nil {
			continue
		}
		_, list, _ := strings.Cut(err.Error(), " one of ")
		if list == "" {
			_, list, _ = strings.Cut(err.Error(), "mean ")
		}
		for i, form := range strings.Split(list, `"`) {
			if i%2 == 1 {
				if _, err := g.Find(form); err != nil {
					t.Errorf("Find(%q) offers %q, but: %v", name, form, err)
				}
			}
		}
	}
}

// TestCapitals: positions from general knowledge, not from the source.
func TestCapitals(t *testing.T) {
	for _, c := range []struct {
		name     string
		lat, lng float64
	}{
		{"Rome, IT", 41.9, 12.5}, {"Paris, FR", 48.86, 2.35}, {"Berlin, DE", 52.52, 13.4}, {"Madrid, ES", 40.42, -3.7},
		{"Lisbon, PT", 38.72, -9.14}, {"London, GB", 51.51, -0.13}, {"Dublin, IE", 53.35, -6.26}, {"Brussels, BE", 50.85, 4.35},
		{"Amsterdam, NL", 52.37, 4.9}, {"Luxembourg, LU", 49.61, 6.13}, {"Bern, CH", 46.95, 7.45}, {"Vienna, AT", 48.21, 16.37},
		{"Prague, CZ", 50.08, 14.44}, {"Bratislava, SK", 48.15, 17.11}, {"Warsaw, PL", 52.23, 21.01}, {"Budapest, HU", 47.5, 19.04},
		{"Copenhagen, DK", 55.68, 12.57}, {"Oslo, NO", 59.91, 10.75}, {"Stockholm, SE", 59.33, 18.07}, {"Helsinki, FI", 60.17, 24.94},
		{"Reykjavik, IS", 64.15, -21.94}, {"Tallinn, EE", 59.44, 24.75}, {"Riga, LV", 56.95, 24.11}, {"Vilnius, LT", 54.69, 25.28},
		{"Kyiv, UA", 50.45, 30.52}, {"Minsk, BY", 53.9, 27.57}, {"Moscow, RU", 55.76, 37.62}, {"Bucharest, RO", 44.43, 26.1},
		{"Sofia, BG", 42.7, 23.32}, {"Athens, GR", 37.98, 23.73}, {"Belgrade, RS", 44.79, 20.46}, {"Zagreb, HR", 45.81, 15.98},
		{"Ljubljana, SI", 46.06, 14.51}, {"Sarajevo, BA", 43.86, 18.41}, {"Skopje, MK", 42.0, 21.43}, {"Tirana, AL", 41.33, 19.82},
		{"Podgorica, ME", 42.44, 19.26}, {"Pristina, XK", 42.66, 21.17}, {"Valletta, MT", 35.9, 14.51}, {"Nicosia, CY", 35.17, 33.36},
		{"San Marino, SM", 43.94, 12.45}, {"Vatican City, VA", 41.9, 12.45}, {"Monaco, MC", 43.73, 7.42}, {"Vaduz, LI", 47.14, 9.52},
		{"Ankara, TR", 39.93, 32.86}, {"Jerusalem, IL", 31.78, 35.22}, {"Cairo, EG", 30.04, 31.24}, {"Tunis, TN", 36.81, 10.18},
		{"Algiers, DZ", 36.75, 3.06}, {"Rabat, MA", 34.02, -6.83}, {"Nairobi, KE", -1.29, 36.82}, {"Addis Ababa, ET", 9.02, 38.75},
		{"Pretoria, ZA", -25.75, 28.19}, {"Abuja, NG", 9.06, 7.49}, {"Accra, GH", 5.6, -0.19}, {"Dakar, SN", 14.72, -17.47},
		{"Riyadh, SA", 24.71, 46.68}, {"Abu Dhabi, AE", 24.45, 54.38}, {"Doha, QA", 25.29, 51.53}, {"Tehran, IR", 35.69, 51.39},
		{"Baghdad, IQ", 33.31, 44.37}, {"New Delhi, IN", 28.61, 77.21}, {"Islamabad, PK", 33.69, 73.05}, {"Dhaka, BD", 23.81, 90.41},
		{"Colombo, LK", 6.93, 79.85}, {"Kathmandu, NP", 27.72, 85.32}, {"Bangkok, TH", 13.76, 100.5}, {"Hanoi, VN", 21.03, 105.85},
		{"Jakarta, ID", -6.2, 106.82}, {"Kuala Lumpur, MY", 3.14, 101.69}, {"Singapore, SG", 1.29, 103.85}, {"Manila, PH", 14.6, 120.98},
		{"Beijing, CN", 39.9, 116.4}, {"Seoul, KR", 37.57, 126.98}, {"Tokyo, JP", 35.68, 139.69}, {"Taipei, TW", 25.03, 121.57},
		{"Ulaanbaatar, MN", 47.92, 106.92}, {"Astana, KZ", 51.17, 71.43}, {"Tashkent, UZ", 41.3, 69.24}, {"Canberra, AU", -35.28, 149.13},
		{"Wellington, NZ", -41.29, 174.78}, {"Suva, FJ", -18.14, 178.44}, {"Ottawa, CA", 45.42, -75.7}, {"Washington, US", 38.9, -77.04},
		{"Mexico City, MX", 19.43, -99.13}, {"Havana, CU", 23.11, -82.37}, {"Bogotá, CO", 4.71, -74.07}, {"Caracas, VE", 10.48, -66.9},
		{"Quito, EC", -0.18, -78.47}, {"Lima, PE", -12.05, -77.04}, {"La Paz, BO", -16.5, -68.15}, {"Santiago, CL", -33.45, -70.67},
		{"Buenos Aires, AR", -34.6, -58.38}, {"Montevideo, UY", -34.9, -56.16}, {"Asunción, PY", -25.26, -57.58}, {"Brasília, BR", -15.79, -47.88},
	} {
		got, err := builtinOf(t).Find(c.name)
		if err != nil {
			t.Errorf("Find(%q): %v", c.name, err)
		} else if d := geo.Distance(got, geo.Point{Lat: c.lat, Lng: c.lng}); d > 30_000 {
			t.Errorf("Find(%q) = %v, %.0f km off", c.name, got, d/1000)
		}
	}
}

// TestRegions: codes from general knowledge.
func TestRegions(t *testing.T) {
	for _, name := range []string{
		"Milan, IT-25", "Rome, IT-62", "Naples, IT-72", "Palermo, IT-82", "Bolzano, IT-32", "Barcelona, ES-CT", "Madrid, ES-MD", "Seville, ES-AN",
		"Paris, FR-IDF", "Lyon, FR-ARA", "Marseille, FR-PAC", "Lille, FR-HDF", "Munich, DE-BY", "Cologne, DE-NW", "Hamburg, DE-HH", "Dresden, DE-SN",
		"London, GB-ENG", "Edinburgh, GB-SCT", "Cardiff, GB-WLS", "Belfast, GB-NIR", "Dublin, IE-L", "Amsterdam, NL-NH", "Antwerp, BE-VLG", "Zürich, CH-ZH",
		"Vienna, AT-9", "Prague, CZ-10", "Brno, CZ-64", "Kraków, PL-12", "Budapest, HU-BU", "Athens, GR-I", "Stockholm, SE-AB", "Oslo, NO-03",
		"Copenhagen, DK-84", "Helsinki, FI-18", "Moscow, RU-MOW", "Kyiv, UA-30", "Lviv, UA-46", "Istanbul, TR-34", "Cairo, EG-C", "Tehran, IR-23",
		"Mumbai, IN-MH", "Beijing, CN-BJ", "Shenzhen, CN-GD", "Tokyo, JP-13", "Osaka, JP-27", "Seoul, KR-11", "Jakarta, ID-JK", "Hanoi, VN-HN",
		"Sydney, AU-NSW", "Melbourne, AU-VIC", "Auckland, NZ-AUK", "Toronto, CA-ON", "Montréal, CA-QC", "Boston, US-MA", "Chicago, US-IL", "Dallas, US-TX",
		"Mexico City, MX-CMX", "Guadalajara, MX-JAL", "São Paulo, BR-SP", "Bogotá, CO-DC", "Buenos Aires, AR-C", "La Plata, AR-B", "Santiago, CL-RM", "Cape Town, ZA-WC",
	} {
		if _, err := builtinOf(t).Find(name); err != nil {
			t.Error(err)
		}
	}
}

func TestInvariants(t *testing.T) {
	g := builtinOf(t)
	if g.Len() < 24_000 || len(citiesGz) > 1<<20 {
		t.Errorf("%d cities in %d bytes, want at least 24,000 in at most 1 MiB", g.Len(), len(citiesGz))
	}
	for i := range g.Len() {
		if i > 0 && g.cities[i].population > g.cities[i-1].population {
			t.Fatalf("city %d is larger than the one before", i)
		}
		if !g.point(i).Valid() {
			t.Errorf("%s: %v is not valid", g.display.at(i), g.point(i))
		}
		name := g.display.at(i) + ", " + g.pin(i)
		if found := g.named(geo.Fold(g.display.at(i)), []string{g.pin(i)}); len(found) == 0 || found[0] > i {
			t.Errorf("%q is not found, nor a larger city with that English name", name)
		}
	}
	for _, pin := range g.pins {
		_, region := geo.RegionByCode(pin)
		if _, country := geo.CountryByCode(pin); !country && !region {
			t.Errorf("unknown pin %q", pin)
		}
	}
	for i := range g.names.len() {
		if n := g.names.at(i); n == "" || n != geo.Fold(n) || i > 0 && n < g.names.at(i-1) {
			t.Fatalf("name %d %q is empty, not folded or out of order", i, n)
		}
	}
}

func TestDamaged(t *testing.T) {
	for _, n := range []int{0, 10, 1000, len(citiesGz) / 2, len(citiesGz) - 1} {
		if _, err := decode(citiesGz[:n]); err == nil {
			t.Errorf("decode of %d bytes succeeds", n)
		}
	}
}

func TestMemory(t *testing.T) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	g, err := decode(citiesGz)
	if err != nil {
		t.Fatal(err)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	runtime.KeepAlive(g)
	if used := int64(after.HeapAlloc) - int64(before.HeapAlloc); used > 6_000_000 {
		t.Errorf("the gazetteer takes %d bytes, want at most 6 MB", used)
	}
}

func TestNames(t *testing.T) {
	g := builtinOf(t)
	for name, want := range map[string]geo.CityName{
		"Milano": {Name: "milan", Country: "IT"}, "milan, it": {Name: "milan", Country: "IT"}, "München": {Name: "munich", Country: "DE"},
		"Firenze, Italy": {Name: "florence", Country: "IT"}, "New York City": {Name: "new york", Country: "US"},
		"Paris, Texas": {Name: "paris", Country: "US"},
	} {
		if got := g.Names(name); !slices.Contains(got, want) {
			t.Errorf("Names(%q) = %v, want %v among them", name, got, want)
		}
	}
	for _, n := range g.Names("Paris, Texas") {
		if n.Country != "US" {
			t.Errorf("Paris, Texas is in %s", n.Country)
		}
	}
	if got := g.Names("Milanoo"); got != nil {
		t.Errorf("Names of a slip = %v", got)
	}
	if err := g.Unknown("Milanoo"); err == nil || !strings.Contains(err.Error(), "did you mean") {
		t.Errorf("Unknown of a slip = %v", err)
	}
	for c := range g.cities { // every city has its main name
		if main := geo.Fold(g.display.at(c)); !slices.ContainsFunc(g.namesOf(c), func(n uint32) bool { return g.names.at(int(n)) == main }) {
			t.Errorf("%s lacks its main name", g.display.at(c))
		}
	}
}

func FuzzFind(f *testing.F) {
	for _, s := range []string{"Milan, IT", "Portland, US-OR", "Portland, OR", "Washington, D.C.", "Köln", "Milanoo", "Xyzzy", "poblacion, san felipe，", ",", ", IT", "a，b", "\xff,it", "Springfield, US", "ﬀ, it"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if len(name) > 200 {
			return
		}
		g := builtinOf(t)
		p, err := g.Find(name)
		q, errFolded := g.Find(geo.Fold(name))
		if p != q || (err == nil) != (errFolded == nil) {
			t.Errorf("Find(%q) = %v, %v, but folded %v, %v", name, p, err, q, errFolded)
		}
		if err == nil && !p.Valid() {
			t.Errorf("Find(%q) = %v", name, p)
		}
	})
}

// BenchmarkLoad is what the first named place of a configuration costs:
// go test -bench . -benchmem ./geo/gazetteer
func BenchmarkLoad(b *testing.B) {
	for b.Loop() {
		if _, err := decode(citiesGz); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkFind is one place of a rule.
func BenchmarkFind(b *testing.B) {
	g := builtinOf(b)
	for _, name := range []string{"Milan", "Milan, IT", "Portland, US-OR", "Milan, Italy"} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := g.Find(name); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkFindUnknown is a misspelled place, with the search for suggestions.
func BenchmarkFindUnknown(b *testing.B) {
	g := builtinOf(b)
	for b.Loop() {
		if _, err := g.Find("Milanoo"); err == nil {
			b.Fatal("found")
		}
	}
}
