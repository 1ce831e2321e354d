package caddymodule_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the JSON of testdata/adapt anew")

// Each file has a Caddyfile, a line of hyphens, and the JSON it becomes.
// Run `go test ./caddymodule -run Adapt -update` to write the JSON anew.
func TestAdapt(t *testing.T) {
	files, err := filepath.Glob("testdata/adapt/*.caddyfiletest")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		caddyfile, want, _ := strings.Cut(string(content), "----------\n")
		config, err := adapt(caddyfile)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		var got bytes.Buffer
		if err := json.Indent(&got, config, "", "\t"); err != nil {
			t.Fatal(err)
		}
		got.WriteByte('\n')
		if *update {
			if err := os.WriteFile(file, []byte(caddyfile+"----------\n"+got.String()), 0o600); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if got.String() != want {
			t.Errorf("%s: the JSON is now\n%s", file, got.String())
		}
	}
}
