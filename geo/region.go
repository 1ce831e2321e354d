package geo

import (
	_ "embed"
	"encoding/csv"
	"slices"
	"strings"
	"sync"

	"github.com/agnivade/levenshtein"
)

// regionsCSV has the subdivisions of ISO 3166-2, sorted by code: English name
// where one is in use, the code of the subdivision around it (empty for the
// first order), other spellings, codes that ISO has withdrawn, and names and
// withdrawn codes of what lies wholly inside it, separated by bars.
//
// It is generated from the npm packages iso-3166 (MIT) and
// cldr-subdivisions-full (Unicode CLDR, Unicode License v3), and from names
// added by hand: see gazetteer/generate/regions.
//
//go:embed regions.csv
var regionsCSV string

// region is one row of the table.
type region struct {
	code, name, parent string
	aliases            []string
}

func (r region) country() string { return r.code[:2] }

// regionTable finds rows by code and by name.
//
// invariant: the rows under a name are sorted by rank, so that the first of a
// country is the one that is meant.
type regionTable struct {
	rows   []region           // sorted by code
	exact  map[string][]int32 // by foldRegion of a name or alias
	bare   map[string][]int32 // by bareRegion of it
	parts  map[string][]int32 // by bareRegion of the name of a part
	byCode map[string]int32
	former map[string]former // by withdrawn code
}

// former tells which region a withdrawn code is now, or is now a part of.
type former struct {
	row  int32
	part bool
}

var regions = sync.OnceValue(readRegions)

func readRegions() *regionTable {
	rows, err := csv.NewReader(strings.NewReader(regionsCSV)).ReadAll()
	if err != nil {
		panic("geo: regions.csv: " + err.Error()) // embedded: cannot happen in a tested build
	}
	t := &regionTable{
		exact: map[string][]int32{}, bare: map[string][]int32{}, parts: map[string][]int32{},
		byCode: map[string]int32{}, former: map[string]former{},
	}
	for i, row := range rows[1:] {
		r := region{code: row[0], name: row[1], parent: row[2], aliases: splitList(row[3])}
		t.rows = append(t.rows, r)
		t.byCode[r.code] = int32(i)
		for _, code := range splitList(row[4]) {
			t.former[code] = former{row: int32(i)}
		}
		for _, part := range splitList(row[5]) {
			if fullRegionCode.MatchString(part) {
				t.former[part] = former{int32(i), true}
			} else {
				addOnce(t.parts, bareRegion(foldRegion(part)), int32(i))
			}
		}
	}
	for rank := range 4 { // the best first: see rank
		for i, r := range t.rows {
			for j, name := range append([]string{r.name}, r.aliases...) {
				if r.rank(j > 0) == rank {
					folded := foldRegion(name)
					addOnce(t.exact, folded, int32(i))
					addOnce(t.bare, bareRegion(folded), int32(i))
				}
			}
		}
	}
	return t
}

func splitList(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, "|")
}

// rank orders the regions of a country that share a name: a first-order one
// before those inside it, since that is the order that databases state, and a
// name before an alias.
func (r region) rank(alias bool) int {
	rank := 0
	if r.parent != "" {
		rank = 2
	}
	if alias {
		rank++
	}
	return rank
}

func addOnce(m map[string][]int32, key string, i int32) {
	if !slices.Contains(m[key], i) {
		m[key] = append(m[key], i)
	}
}

// foldRegion is Fold for names of regions, where St. Andrew is Saint Andrew.
func foldRegion(name string) string {
	folded := Fold(name)
	for _, short := range []string{"st. ", "st "} {
		if rest, ok := strings.CutPrefix(folded, short); ok {
			return "saint " + rest
		}
	}
	return folded
}

// genericWords say what kind of region it is; one source writes them, another
// does not. "City" is not one of them: Mexico City is not in the State of Mexico.
var genericWords = func() map[string]bool {
	words := map[string]bool{}
	for w := range strings.FieldsSeq(`the of de province provincia region state governorate county oblast
		prefecture department departamento district canton municipality division parish emirate krai kray
		republic voivodeship voivodship territory autonomous okrug community principality urban`) {
		words[w] = true
	}
	return words
}()

// separators are all that does not make two spellings of a region differ.
var separators = strings.NewReplacer("'", "", ".", " ", ",", " ", "/", " ", "(", " ", ")", " ")

// bareRegion drops generic words and punctuation from a folded name, unless
// nothing would be left.
func bareRegion(folded string) string {
	words := strings.Fields(separators.Replace(folded))
	kept := slices.DeleteFunc(slices.Clone(words), func(w string) bool { return genericWords[w] })
	if len(kept) == 0 {
		kept = words
	}
	return strings.Join(kept, " ")
}

// RegionByName finds the ISO 3166-2 code of a country's region by its name
// ("IT", "Lombardy" → "IT-25"), without regard to case, diacritics and words
// like "Province of". Where regions of two orders share a name it is the
// larger one; a name that only fits without such words must fit one region.
// The name of what was a region and lies wholly inside one of today gives that
// ("FR", "Rhône-Alpes" → "FR-ARA").
func RegionByName(country, name string) (code string, ok bool) {
	code, _, ok = regions().find(country, name)
	return code, ok
}

// find also tells whether it is the name of only a part of the region.
func (t *regionTable) find(country, name string) (code string, part, ok bool) {
	folded := foldRegion(name)
	if found := t.inCountry(t.exact[folded], country); len(found) > 0 {
		return found[0].code, false, true
	}
	bare := bareRegion(folded)
	found := t.inCountry(t.bare[bare], country)
	if len(found) == 0 {
		found, part = t.inCountry(t.parts[bare], country), true
	}
	if len(found) == 0 || len(found) > 1 && (found[0].parent == "") == (found[1].parent == "") {
		return "", false, false
	}
	return found[0].code, part, true
}

func (t *regionTable) inCountry(rows []int32, country string) []region {
	var found []region
	for _, i := range rows {
		if t.rows[i].country() == country {
			found = append(found, t.rows[i])
		}
	}
	return found
}

// RegionByCode finds the English name of a region by its upper-case
// ISO 3166-2 code.
func RegionByCode(code string) (name string, ok bool) {
	t := regions()
	i, ok := t.byCode[code]
	if !ok {
		return "", false
	}
	return t.rows[i].name, true
}

// RegionParent is the code of the region that a region is a part of, or "" for
// one of the first order or one that is not in the table.
func RegionParent(code string) string {
	t := regions()
	if i, ok := t.byCode[code]; ok {
		return t.rows[i].parent
	}
	return ""
}

// RegionsByName finds the codes of the regions of that name, sorted, at most
// one in each country: the one that RegionByName finds there.
func RegionsByName(name string) []string {
	t, folded := regions(), foldRegion(name)
	rows := t.exact[folded]
	for _, less := range []map[string][]int32{t.bare, t.parts} {
		if len(rows) == 0 {
			rows = less[bareRegion(folded)]
		}
	}
	var codes []string
	for _, i := range rows {
		if code, ok := RegionByName(t.rows[i].country(), name); ok {
			codes = append(codes, code)
		}
	}
	slices.Sort(codes)
	return slices.Compact(codes)
}

// ClosestRegion is the English name of the region that is spelled most like
// name, in any of its spellings, or "" when none is near enough to be meant:
// at most a third of the letters differ. Of equally near ones a first-order
// region goes before others.
func ClosestRegion(name string) string {
	t, folded := regions(), foldRegion(name)
	best, bestDistance := region{}, len([]rune(folded))/3+1
	for candidate, rows := range t.exact {
		if len(candidate)-len(folded) > 4*bestDistance { // bytes of a rune
			continue
		}
		r := t.rows[rows[0]]
		d := levenshtein.ComputeDistance(folded, candidate)
		nearer := d < bestDistance
		if d == bestDistance && best.code != "" { // break ties, as maps have no order
			first, bestFirst := r.parent == "", best.parent == ""
			nearer = first && !bestFirst || first == bestFirst && r.code < best.code
		}
		if nearer {
			best, bestDistance = r, d
		}
	}
	return best.name
}
