// Command regions makes geo/regions.csv. It takes the unpacked npm packages
// iso-3166 (MIT), for codes, what is inside what, and official names, and
// cldr-subdivisions-full (Unicode License v3), for English names:
//
//	npm pack iso-3166@4.4.0 cldr-subdivisions-full@48.2.0
//	go run ./geo/gazetteer/generate/regions ISO_3166 CLDR >geo/regions.csv
//
// names.csv and former.csv next to this file correct and add by hand. The same
// packages give the same file, byte for byte.
package main

import (
	_ "embed"
	"encoding/csv"
	"encoding/json"
	"log"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/geosegment/caddy-geosegment/geo"
)

// namesCSV has English names and other spellings that databases use and the
// packages do not have: a name replaces theirs, aliases add to theirs. A row
// with a code that the packages lack adds that region. Where regions were
// merged or split, an old name is here only if it means the same land.
//
//go:embed names.csv
var namesCSV string

// formerCSV has what was replaced: the withdrawn codes of a region of today that
// is the same land, or its successor, and the names and withdrawn codes of what
// lies wholly inside it. What lies in two regions of today has no row.
//
//go:embed former.csv
var formerCSV string

type region struct {
	code, name, parent string
	aliases            []string
	codes, parts       string // separated by bars
}

// withdrawn are codes that iso-3166 still lists, and that would hide others:
// the counties of Denmark before 2007 and the districts of Luxembourg before 2015.
var withdrawn = regexp.MustCompile(`^(DK-[01]..|LU-[DGL])$`)

// renumbered are the countries whose codes have changed their meaning, for
// which CLDR still names the old ones.
var renumbered = map[string]bool{"IR": true, "MA": true}

func main() {
	log.SetFlags(0)
	if len(os.Args) != 3 {
		log.Fatal("usage: regions ISO_3166 CLDR >regions.csv")
	}
	regions := readISO(filepath.Join(os.Args[1], "2.js"))
	english := readCLDR(filepath.Join(os.Args[2], "subdivisions", "en", "en.json"))
	for code, r := range regions {
		name := english[strings.ToLower(strings.Replace(code, "-", "", 1))]
		if name != "" && !renumbered[code[:2]] {
			r.name, r.aliases = plain(name), []string{r.name}
		}
	}
	for _, row := range readTable(namesCSV) {
		code, name := row[0], row[1]
		r := regions[code]
		if r == nil {
			r = &region{code: code, name: name}
			regions[code] = r
		}
		if name != "" {
			r.name, r.aliases = name, append(r.aliases, r.name)
		}
		r.aliases = append(r.aliases, strings.Split(row[2], "|")...)
	}
	for _, row := range readTable(formerCSV) {
		r := regions[row[0]]
		if r == nil {
			log.Fatalf("former.csv: no region %s", row[0])
		}
		r.codes, r.parts = row[1], row[2]
	}

	w := csv.NewWriter(os.Stdout)
	w.Write([]string{"code", "name", "parent", "aliases", "codes", "parts"})
	for _, code := range slices.Sorted(maps.Keys(regions)) {
		r := regions[code]
		if _, ok := geo.CountryByCode(code[:2]); !ok {
			log.Printf("left out %s: unknown country", code)
			continue
		}
		w.Write([]string{r.code, r.name, r.parent, strings.Join(distinct(r.name, r.aliases), "|"), r.codes, r.parts})
	}
	w.Flush()
	if err := w.Error(); err != nil {
		log.Fatal(err)
	}
}

// readTable gives the rows below the heading.
func readTable(text string) [][]string {
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		log.Fatal(err)
	}
	return rows[1:]
}

// entry matches a region in the package's JavaScript, which is formatted by a
// program.
var entry = regexp.MustCompile(`code: '([A-Z]{2}-[A-Z0-9]{1,3})',\s*name: ('[^']*'|"[^"]*"),\s*parent: '([A-Z0-9-]+)'`)

func readISO(path string) map[string]*region {
	text, err := os.ReadFile(path)
	if err != nil {
		log.Fatal(err)
	}
	regions := map[string]*region{}
	for _, m := range entry.FindAllStringSubmatch(string(text), -1) {
		r := &region{code: m[1], name: plain(m[2][1 : len(m[2])-1])}
		if strings.Contains(m[3], "-") {
			r.parent = m[3]
		}
		regions[r.code] = r
	}
	if n := strings.Count(string(text), "    code: "); n != len(regions) {
		log.Fatalf("%s: read %d of %d regions", path, len(regions), n)
	}
	maps.DeleteFunc(regions, func(code string, _ *region) bool { return withdrawn.MatchString(code) })
	return regions
}

// plain drops the footnote marks and brackets that lists add to some names.
func plain(name string) string {
	name, _, _ = strings.Cut(name, " [")
	return strings.TrimSpace(strings.TrimRight(name, "*†²"))
}

// distinct are the aliases in order, without those that are compared as equal
// to an earlier one or are not written in Latin letters.
func distinct(name string, aliases []string) []string {
	seen := map[string]bool{geo.Fold(name): true, "": true}
	var list []string
	for _, a := range aliases {
		if folded := geo.Fold(a); !seen[folded] && !strings.Contains(a, "|") && !strings.ContainsFunc(a, foreign) {
			seen[folded] = true
			list = append(list, a)
		}
	}
	return list
}

func foreign(r rune) bool { return unicode.IsLetter(r) && !unicode.Is(unicode.Latin, r) }

// readCLDR gives English names by codes like "it25".
func readCLDR(path string) map[string]string {
	var file struct {
		Subdivisions struct {
			LocaleDisplayNames struct {
				Subdivisions map[string]string
			}
		}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		log.Fatal(err)
	}
	if err := json.Unmarshal(text, &file); err != nil {
		log.Fatalf("%s: %v", path, err)
	}
	return file.Subdivisions.LocaleDisplayNames.Subdivisions
}
