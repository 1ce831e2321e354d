// Generate prunes DB-IP City Lite to the data file of the built-in database:
//
//	go run ./geo/builtin/generate [-budget BYTES] [-o FILE] IPV4.mmdb IPV6.mmdb
//	go run ./geo/builtin/generate -table IPV4.mmdb IPV6.mmdb
//
// The same input gives the same file, byte for byte, on the same architecture.
// It takes about a minute and 6 GB of memory.
//
//	records.go    read the two files, put records under labels
//	trie.go       a binary tree of all networks, and what each label would
//	              cost in each node
//	prune.go      the tree of least cost: distortion + λ · bits
//	prices.go     what a node takes in bits, as the round before has shown
//	fit.go        rounds, until prices and λ fit the budget
//	evaluate.go   accuracy classes, and the agreement with the full database
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

func main() {
	budget := flag.Int("budget", 1_000_000, "`bytes` that the data file may have")
	table := flag.Bool("table", false, "write no data file, but print what other budgets would give")
	out := flag.String("o", "data.bin", "`file` to write")
	flag.Parse()
	if flag.NArg() != 2 {
		fmt.Fprintln(os.Stderr, "usage: generate [flags] IPV4.mmdb IPV6.mmdb")
		flag.PrintDefaults()
		os.Exit(2)
	}
	if err := run(flag.Arg(0), flag.Arg(1), *budget, *table, *out); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

func run(ipv4, ipv6 string, budget int, table bool, out string) error {
	start := time.Now()
	progress := func(format string, a ...any) {
		fmt.Fprintf(os.Stderr, "%5.1fs  %s\n", time.Since(start).Seconds(), fmt.Sprintf(format, a...))
	}
	families := []*family{newIPv4(), newIPv6()}
	for i, path := range []string{ipv4, ipv6} {
		f := families[i]
		if err := f.load(path); err != nil {
			return fmt.Errorf("%s: %w", filepath.Base(path), err)
		}
		progress("%s: %d networks, %d records, of %s", f.name, len(f.networks), len(f.records), f.month)
	}
	g := newGenerator(families, progress)
	budgets := []int{budget}
	if table {
		budgets = []int{500_000, 1_000_000, 1_500_000, 2_000_000, 2_800_000}
	}
	var fitted *result
	var err error
	for _, b := range budgets {
		if fitted, err = g.fit(b); err != nil {
			return err
		}
		fmt.Print(fitted.report(families))
	}
	if table {
		return nil
	}
	return os.WriteFile(out, fitted.file.Bytes(), 0o644)
}

// report tells people what a result is worth.
func (r *result) report(families []*family) string {
	text := fmt.Sprintf("%d bytes: %d places %d", len(r.file.Bytes()), r.places, len(r.file.Places))
	for i, name := range []string{"IPv4 low half", "high half", "IPv6"} {
		text += fmt.Sprintf(", %s %d", name, len(r.file.Trees[i].Data))
	}
	text += "\n"
	for i, f := range families {
		text += fmt.Sprintf("  %s: %7d leaves", f.name, len(r.leaves[i]))
		for _, w := range f.weighings {
			a := f.agreement(r.leaves[i], r.labels, w.of)
			text += fmt.Sprintf("; by %s: country %.2f %%, region %.1f %%, city %.1f %%, within 25 km %.1f %%, within the accuracy radius %.1f %%",
				w.name, a.country, a.region, a.city, a.near, a.within)
		}
		text += "\n"
	}
	return text
}
