package geosegment

import (
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// Imports run strictly downward, and only the top may know Caddy.
func TestImportsRunDownward(t *testing.T) {
	const module = "github.com/geosegment/caddy-geosegment/"
	layers := []string{"geo", "store", "segment", "caddymodule"} // from the bottom
	for level, layer := range layers {
		forbidden := []string{module + "cmd"}
		for _, above := range layers[level+1:] {
			forbidden = append(forbidden, module+above)
		}
		if layer != "caddymodule" {
			forbidden = append(forbidden, "github.com/caddyserver/", "net/http")
		}
		files := 0
		err := filepath.WalkDir(layer, func(path string, _ os.DirEntry, err error) error {
			if err != nil || filepath.Ext(path) != ".go" {
				return err
			}
			files++
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
			if err != nil {
				return err
			}
			for _, spec := range file.Imports {
				name, err := strconv.Unquote(spec.Path.Value)
				if err != nil {
					return err
				}
				for _, f := range forbidden {
					if strings.HasPrefix(name, f) {
						t.Errorf("%s imports %s", path, name)
					}
				}
			}
			return nil
		})
		if err != nil || files == 0 {
			t.Errorf("%s: %d files, %v", layer, files, err)
		}
	}
}
