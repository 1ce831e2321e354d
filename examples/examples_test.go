// Package examples holds configurations to run and to begin with. This test
// does what their comments, and README.md, say, and compares what one sees.
package examples

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	_ "github.com/caddyserver/caddy/v2/modules/standard"

	_ "github.com/geosegment/caddy-geosegment"
)

// session is a command and what it prints.
type session struct {
	command, output string
}

var comment = regexp.MustCompile(`(?m)^#( {5})?`)

// sessions finds the lines that begin with "$ curl" in a text, each with the
// lines up to the next command or the end of the block.
func sessions(text string) []session {
	var list []session
	inside := false
	for line := range strings.Lines(comment.ReplaceAllString(text, "")) {
		switch {
		case strings.HasPrefix(line, "$ curl "):
			list = append(list, session{command: strings.TrimSpace(line[2:])})
			inside = true
		case strings.HasPrefix(line, "```") || strings.HasPrefix(line, "{"):
			inside = false
		case inside:
			list[len(list)-1].output += line
		}
	}
	return list
}

// ports are what the examples listen on; each is exchanged for a free one.
func freePorts(t *testing.T) *strings.Replacer {
	t.Helper()
	var pairs []string
	for _, port := range []string{"8080", "8081"} {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close()
		pairs = append(pairs, "localhost:"+port, listener.Addr().String())
	}
	return strings.NewReplacer(pairs...)
}

// try runs a configuration from its folder, and the sessions against it.
func try(t *testing.T, folder, file string, list []session) {
	t.Helper()
	if len(list) == 0 {
		t.Fatalf("%s: no commands to try", file)
	}
	t.Chdir(folder)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	ports := freePorts(t)
	quiet := strings.Replace(ports.Replace(string(text)), "{\n", "{\n\tadmin off\n\tpersist_config off\n\tlog {\n\t\toutput discard\n\t}\n", 1)
	quiet = strings.Replace(quiet, "\tadmin localhost:2019\n", "", 1)
	config, _, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(quiet), nil)
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	if err := caddy.Load(config, true); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	defer func() { _ = caddy.Stop() }()
	for _, s := range list {
		command := exec.Command("sh", "-c", strings.Replace(ports.Replace(s.command), "curl ", "curl -sS ", 1))
		output, err := command.CombinedOutput()
		if got := string(output); err != nil || strings.TrimRight(got, "\n ") != strings.TrimRight(s.output, "\n ") {
			t.Errorf("%s: %s\nprints\n%s\nbut is said to print\n%s\n%v", file, s.command, got, s.output, err)
		}
	}
}

func TestExamples(t *testing.T) {
	files, err := filepath.Glob("*/Caddyfile")
	if err != nil || len(files) < 3 {
		t.Fatalf("examples %v, %v", files, err)
	}
	for _, file := range files {
		t.Run(filepath.Dir(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			try(t, filepath.Dir(file), "Caddyfile", sessions(string(text)))
		})
	}
}

func TestREADME(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	list := sessions(string(readme))
	if len(list) < 3 {
		t.Fatalf("README.md has %d commands to try", len(list))
	}
	try(t, "..", "Caddyfile.example", list)
}

// Every Caddyfile in README.md can be loaded in a configuration that has the
// files and places it names.
func TestREADMECaddyfiles(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?ms)^```caddyfile\n(.*?)^```").FindAllStringSubmatch(string(readme), -1)
	if len(blocks) < 3 {
		t.Fatalf("README.md has %d Caddyfiles", len(blocks))
	}
	for i, block := range blocks {
		text := block[1]
		switch {
		case strings.HasPrefix(text, "segment "):
			text = "{\n\tgeosegment {\n\t\tstores stores.csv\n\t\tareas areas.geojson\n" + text + "\n}\n}\n"
		case strings.HasPrefix(text, "geosegment {"):
			text = "{\n" + text + "\n}\n"
		}
		if _, _, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(text), map[string]any{"filename": fmt.Sprintf("README.md, Caddyfile %d", i+1)}); err != nil {
			t.Errorf("%v\n%s", err, text)
		}
	}
}
