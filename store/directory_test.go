package store

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/geosegment/caddy-geosegment/geo"
)

const list = "\ufeffURL,Code,NAME,lat,lng,\n" +
	"https://x/2,MI02,\"Acme, Navigli\",45.4519,9.1757,\n" +
	",MI01, Acme Duomo ,45.4641,9.1919,\n" +
	"https://x/3,FJ01,Acme Suva,-18.1416,178.4419,\n"

func TestRead(t *testing.T) {
	d, err := Read(strings.NewReader(list))
	if err != nil {
		t.Fatal(err)
	}
	if d.Len() != 3 || !slices.Equal(d.Codes(), []string{"FJ01", "MI01", "MI02"}) || !slices.Equal(d.Columns(), []string{"url"}) {
		t.Errorf("%d stores %v with %v", d.Len(), d.Codes(), d.Columns())
	}
	s, ok := d.Store("MI02")
	if !ok || s.Name != "Acme, Navigli" || s.Point != (geo.Point{Lat: 45.4519, Lng: 9.1757}) || s.Attribute("url") != "https://x/2" {
		t.Errorf(`Store("MI02") = %+v, %v`, s, ok)
	}
	if s, _ := d.Store("MI01"); s.Name != "Acme Duomo" || s.Attribute("url") != "" || s.Attribute("phone") != "" {
		t.Errorf(`Store("MI01") = %+v`, s)
	}
	for _, code := range []string{"", "mi01", "MI03", "Z"} {
		if s, ok := d.Store(code); ok {
			t.Errorf("Store(%q) = %+v, want none", code, s)
		}
	}
	// From the far side of the date line.
	if s, metres := d.Nearest(geo.Point{Lat: -18, Lng: -179}); s.Code != "FJ01" || metres < 260_000 || metres > 290_000 {
		t.Errorf("nearest to Vanua Balavu = %s at %v m", s.Code, metres)
	}
}

func TestReadErrors(t *testing.T) {
	for name, tt := range map[string]struct{ content, want string }{
		"empty":             {"", "the file is empty; expected a first row with the columns code,name,lat,lng"},
		"no required":       {"code,name,lat\nA,a,1\n", "line 1: missing column lng; expected at least code,name,lat,lng, met code,name,lat"},
		"other words":       {"id,title,latitude,longitude\n", "line 1: missing column code and name and lat and lng"},
		"zero stores":       {"code,name,lat,lng\n", "there is no store in it"},
		"empty code":        {"code,name,lat,lng\nA,a,1,2\n ,b,1,2\n", "line 3: the store code is empty"},
		"duplicate":         {"code,name,lat,lng\nA,a,1,2\nB,b,1,2\nA,c,1,2\n", `line 4: store "A" is there twice`},
		"bad coordinate":    {"code,name,lat,lng\nA,a,\"45,1\",9\n", `line 2: store "A": latitude "45,1" is not a number`},
		"no coordinate":     {"code,name,lat,lng\nA,a,,9\n", `line 2: store "A": latitude "" is not a number`},
		"swapped":           {"code,name,lat,lng\nA,a,120.9,14.5\n", `line 2: store "A": latitude 120.9 is beyond 90: latitude and longitude look swapped`},
		"out of range":      {"code,name,lat,lng\nA,a,1,181\n", `line 2: store "A": longitude 181 is out of range`},
		"missing as zero":   {"code,name,lat,lng\nA,a,0,0\n", `line 2: store "A": the point 0,0 is in the ocean`},
		"ragged":            {"code,name,lat,lng\nA,a,1,2\n\nB,b,1\n", "line 4: the row has 3 fields, but the first row 4"},
		"ragged, multiline": {"code,name,lat,lng\nA,\"two\nlines\",1,2\nB,b,1,2,3\n", "line 4: the row has 5 fields, but the first row 4"},
		"reserved":          {"code,name,lat,lng\nonline,a,1,2\n", `line 2: the store code "online" is reserved`},
		"dots":              {"code,name,lat,lng\n..,a,1,2\n", `line 2: the store code ".." means something else in a URL`},
		"control":           {"code,name,lat,lng\n\"A\nB\",a,1,2\n", "has a control character in it"},
	} {
		path := filepath.Join(t.TempDir(), "stores.csv")
		if err := os.WriteFile(path, []byte(tt.content), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := ReadFile(path)
		if err == nil || !strings.HasPrefix(err.Error(), "stores "+path+": ") || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want %q", name, err, tt.want)
		}
	}
	if _, err := ReadFile("nowhere.csv"); err == nil || err.Error() != "stores nowhere.csv: no such file or directory" {
		t.Errorf("missing: error %v", err)
	}
}

// randomList is a list of n stores: over the world, in one town, on the date
// line and at the poles, with many that share a point.
func randomList(r *rand.Rand, n int) string {
	var b strings.Builder
	b.WriteString("code,name,lat,lng,country,url\n")
	for i := range n {
		lat, lng := r.Float64()*180-90, r.Float64()*360-180
		switch r.IntN(5) {
		case 0:
			lat, lng = 45.4+r.Float64()/10, 9.1+r.Float64()/10
		case 1:
			lng = 180 - float64(r.IntN(2)*360)
		case 2:
			lat = 90 - float64(r.IntN(2)*180)
		case 3:
			lat, lng = float64(r.IntN(5)+1), float64(r.IntN(5)+1)
		}
		fmt.Fprintf(&b, "S%d,Store %d,%v,%v,IT,https://shop.example/%d\n", r.IntN(1e9)*n+i, i, lat, lng, i)
	}
	return b.String()
}

func TestNearestAgreesWithScan(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{1, 2, 30, 3000} {
		d, err := Read(strings.NewReader(randomList(r, n)))
		if err != nil {
			t.Fatal(err)
		}
		for range 300 {
			from := geo.Point{Lat: r.Float64()*180 - 90, Lng: r.Float64()*360 - 180}
			if r.IntN(2) == 0 {
				from = geo.Point{Lat: float64(r.IntN(7)), Lng: float64(r.IntN(7))}
			}
			var want *Store
			for i := range d.stores {
				s := &d.stores[i]
				if want == nil || geo.Distance(from, s.Point) < geo.Distance(from, want.Point) ||
					geo.Distance(from, s.Point) == geo.Distance(from, want.Point) && s.Code < want.Code {
					want = s
				}
			}
			got, metres := d.Nearest(from)
			if got != want || metres != geo.Distance(from, want.Point) {
				t.Fatalf("%d stores: Nearest(%v) = %s at %v, want %s at %v", n, from, got.Code, metres, want.Code, geo.Distance(from, want.Point))
			}
		}
	}
}

// Stands for the store part of a new record's answer. Run: go test -bench Nearest ./store
func BenchmarkNearest(b *testing.B) {
	r := rand.New(rand.NewPCG(3, 4))
	d, err := Read(strings.NewReader(randomList(r, 100_000)))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		d.Nearest(geo.Point{Lat: r.Float64()*180 - 90, Lng: r.Float64()*360 - 180})
	}
}

// Stands for loading a store list. Run: go test -bench Read ./store
func BenchmarkRead(b *testing.B) {
	text := randomList(rand.New(rand.NewPCG(5, 6)), 100_000)
	for b.Loop() {
		if _, err := Read(strings.NewReader(text)); err != nil {
			b.Fatal(err)
		}
	}
}
