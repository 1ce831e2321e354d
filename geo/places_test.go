package geo

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func writeFile(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestPlaces(t *testing.T) {
	first := writeFile(t, "a.csv", "\ufeff\"Lat\", Lng ,NAME,note\n45.4642,9.19,\"Milan, IT\",x\n48.1371,11.5754,München,\n")
	second := writeFile(t, "b.csv", "name;lat;lng\n\"Duomo di Milano\";45.4641;9.1919\n")
	places, err := ReadPlaces(nil, first, second)
	if err != nil {
		t.Fatal(err)
	}
	if places.Len() != 3 {
		t.Errorf("Len() = %d, want 3", places.Len())
	}
	for name, want := range map[string]Point{
		"Milan, IT": {45.4642, 9.19}, "milan, it": {45.4642, 9.19},
		"Munchen": {48.1371, 11.5754}, "DUOMO DI MILANO": {45.4641, 9.1919},
	} {
		if got, err := places.Find(name); err != nil || got != want {
			t.Errorf("Find(%q) = %v, %v, want %v", name, got, err, want)
		}
	}
	for name, want := range map[string]string{
		"Milano, IT": `unknown place "Milano, IT": did you mean "Milan, IT"?`,
		"Reykjavik":  `unknown place "Reykjavik": it is not in ` + first + ", " + second,
	} {
		if _, err := places.Find(name); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("Find(%q): error %v, want %q", name, err, want)
		}
	}
	none, err := ReadPlaces(nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := none.Find("Milan"); err == nil || !strings.Contains(err.Error(), "no places are configured") {
		t.Errorf("Find without places: error %v", err)
	}
}

// Own names go before others', and so does what they are mistaken for.
func TestPlacesBeforeOthers(t *testing.T) {
	others, err := ReadPlaces(nil, writeFile(t, "others.csv", "name,lat,lng\nMilan,1,1\nTurin,2,2\n"))
	if err != nil {
		t.Fatal(err)
	}
	places, err := ReadPlaces(others, writeFile(t, "own.csv", "name,lat,lng\nMilan,3,3\nThe Fair,4,4\n"))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]Point{"milan": {3, 3}, "turin": {2, 2}, "the fair": {4, 4}} {
		if got, err := places.Find(name); err != nil || got != want {
			t.Errorf("Find(%q) = %v, %v, want %v", name, got, err, want)
		}
	}
	for name, want := range map[string]string{"The Fare": `did you mean "The Fair"?`, "Turino": `did you mean "Turin"?`} {
		if _, err := places.Find(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Find(%q): error %v, want %q", name, err, want)
		}
	}
}

func TestPlacesErrors(t *testing.T) {
	for name, tt := range map[string]struct{ content, want string }{
		"empty":          {"", "the file is empty; expected a first row with the columns name,lat,lng"},
		"missing column": {"name,lat\na,1\n", "line 1: missing column lng; expected at least name,lat,lng, met name,lat"},
		"twice a column": {"name,lat,lng,lat\n", `line 1: the column "lat" is there twice`},
		"ragged":         {"name,lat,lng\na,1,2\nb,1\n", "line 3: the row has 2 fields, but the first row 3"},
		"quote":          {"name,lat,lng\n\"a,1,2\n", "line 2, column 8: extraneous or missing"},
		"bad number":     {"name,lat,lng\na,x,2\n", `line 2: place "a": latitude "x" is not a number`},
		"swapped":        {"name,lat,lng\na,1,2\nManila,120.98,14.6\n", `line 3: place "Manila": latitude 120.98 is beyond 90: latitude and longitude look swapped`},
		"no name":        {"name,lat,lng\n ,1,2\n", "line 2: the name is empty"},
		"twice":          {"name,lat,lng\nMünchen,1,2\nmunchen,1,2\n", `line 3: place "munchen" is there twice`},
	} {
		path := writeFile(t, "places.csv", tt.content)
		_, err := ReadPlaces(nil, path)
		if err == nil || !strings.HasPrefix(err.Error(), "places "+path+": ") || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want %q", name, err, tt.want)
		}
	}
	if _, err := ReadPlaces(nil, "nowhere.csv"); err == nil || err.Error() != "places nowhere.csv: no such file or directory" {
		t.Errorf("missing file: error %v", err)
	}
}
