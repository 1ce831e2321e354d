package geo

import (
	"strings"
	"testing"
	"time"
	"unicode"

	"golang.org/x/text/language"
)

func TestFold(t *testing.T) {
	for in, want := range map[string]string{
		"Milan":                 "milan",
		"  São  Paulo ":         "sao paulo",
		"MÜNCHEN":               "munchen",
		"Straße":                "strasse",
		"Île-de-France":         "ile de france",
		"Reggio nell’Emilia":    "reggio nell'emilia",
		"Łódź":                  "lodz",
		"Ærøskøbing":            "aeroskobing",
		"İstanbul":              "istanbul",
		"Thành phố Hồ Chí Minh": "thanh pho ho chi minh",
		"東京":                    "東京",
		"":                      "",
		" - ":                   "",
		"-Foo--Bar-":            "foo bar",
		strings.Repeat("A", 99): strings.Repeat("a", 99),
	} {
		if got := Fold(in); got != want {
			t.Errorf("Fold(%q) = %q, want %q", in, got, want)
		}
	}
}

// Folding is idempotent for every character, alone and between letters.
func TestFoldOfEveryCharacter(t *testing.T) {
	for r := rune(0); r <= unicode.MaxRune; r++ {
		for _, s := range []string{string(r), "n" + string(r) + "n"} {
			if once := Fold(s); Fold(once) != once {
				t.Errorf("Fold(%q) = %q, but folded again %q", s, once, Fold(once))
			}
		}
	}
}

func FuzzFold(f *testing.F) {
	for _, s := range []string{"São Paulo", "Reggio nell’Emilia", "a\xff b", "\xf3ã", "0000000000000000Ꭳ0", "  x-", "İ", "ﬀ", "`", "\u0300", "-\u0301-"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		once := Fold(s)
		if twice := Fold(once); twice != once {
			t.Errorf("Fold(%q) = %q, but folded again %q", s, once, twice)
		}
		if strings.TrimSpace(once) != once {
			t.Errorf("Fold(%q) = %q has blanks at its ends", s, once)
		}
		// The short way for ASCII agrees with the long one.
		if ascii, ok := foldASCII(s); ok && ascii != Fold(s + "é")[:len(ascii)] {
			t.Errorf("foldASCII(%q) = %q, but Fold with an é behind gives %q", s, ascii, Fold(s+"é"))
		}
	})
}

func TestClosest(t *testing.T) {
	places := []string{"Milan, IT", "Turin, IT", "Munich, DE", "Monza, IT"}
	for in, want := range map[string]string{
		"Milano, IT": "Milan, IT",
		"milan it":   "Milan, IT",
		"Turn, IT":   "Turin, IT",
		"Reykjavik":  "",
		"":           "",
	} {
		if got := Closest(in, places); got != want {
			t.Errorf("Closest(%q) = %q, want %q", in, got, want)
		}
	}
	if got := Closest("ac", []string{"ab", "aa"}); got != "" {
		t.Errorf("Closest of two letters = %q, want nothing: one of two letters is half of it", got)
	}
	if got := Closest("abcd", []string{"abcf", "abce"}); got != "abce" {
		t.Errorf("Closest of equally near = %q, want the first of the alphabet", got)
	}
}

func TestCountries(t *testing.T) {
	if n := len(countries()); n != 250 {
		t.Errorf("%d countries, want 249 of ISO 3166-1 and XK", n)
	}
	eu := 0
	for code, c := range countries() {
		if _, ok := Continents[c.Continent]; !ok || c.Name == "" || c.Code != code || len(code) != 2 {
			t.Errorf("country %+v is incomplete", c)
		}
		region, err := language.ParseRegion(code)
		if err != nil || !region.IsCountry() {
			t.Errorf("%s is not a country in CLDR: %v", code, err)
		}
		// CLDR's containment is an independent source for membership.
		inEU := language.MustParseRegion("EU").Contains(region) && code != "GB" // this CLDR is from before 2020
		overseas := strings.Contains("AX GF GP MQ RE YT MF", code)
		if c.EU != (inEU || overseas) {
			t.Errorf("%s in the European Union: %v, CLDR says %v", code, c.EU, inEU)
		}
		if c.EU && !overseas {
			eu++
		}
		if c.TimeZone != "" {
			if _, err := TimeZone(c.TimeZone); err != nil {
				t.Errorf("%s: %v", code, err)
			}
		}
	}
	if eu != 27 {
		t.Errorf("%d member states, want 27", eu)
	}
	// UN M49 regions, as CLDR has them, for continents without a political side.
	for continent, region := range map[string]string{"AF": "002", "SA": "005", "OC": "009"} {
		for code, c := range countries() {
			inside := language.MustParseRegion(region).Contains(language.MustParseRegion(code))
			if c.Continent == continent && !inside && !strings.Contains("TL UM CC CX", code) {
				t.Errorf("%s is in %s, but not in M49 region %s", code, continent, region)
			}
		}
	}
}

func TestParseCountry(t *testing.T) {
	for in, want := range map[string]string{"IT": "IT", "it": "IT", " xk ": "XK"} {
		if got, err := ParseCountry(in); err != nil || got.Code != want {
			t.Errorf("ParseCountry(%q) = %v, %v, want %s", in, got, err, want)
		}
	}
	for in, want := range map[string]string{
		"UK": "did you mean GB (United Kingdom)?", "Italy": "did you mean IT (Italy)?",
		"DEU": "did you mean DE (Germany)?", "usa": "did you mean US", "GER": "did you mean DE", "Österreich": "did you mean AT", "XKX": "XK",
		"germny": "did you mean DE (Germany)?", "ZZ": "expected an ISO 3166-1 code", "": "expected an ISO 3166-1 code",
	} {
		if got, err := ParseCountry(in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseCountry(%q) = %v, %v, want an error with %q", in, got, err, want)
		}
	}
}

func TestParseContinent(t *testing.T) {
	if got, err := ParseContinent("eu"); err != nil || got != "EU" {
		t.Errorf(`ParseContinent("eu") = %q, %v`, got, err)
	}
	for in, want := range map[string]string{"europe": "did you mean EU?", "XX": "expected one of AF AN AS EU NA OC SA"} {
		if _, err := ParseContinent(in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseContinent(%q): error %v, want %q", in, err, want)
		}
	}
}

func TestTimeZone(t *testing.T) {
	for range 2 { // the second time from memory
		zone, err := TimeZone("Europe/Rome")
		if err != nil {
			t.Fatal(err)
		}
		if got := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC).In(zone).Hour(); got != 14 {
			t.Errorf("noon UTC is %d o'clock in a Roman summer, want 14", got)
		}
	}
	for _, name := range []string{"", "Local", "Europe/Milan", "../etc/passwd", "CEST "} {
		if _, err := TimeZone(name); err == nil || !strings.Contains(err.Error(), "expected an IANA name") {
			t.Errorf("TimeZone(%q): error %v", name, err)
		}
	}
}
