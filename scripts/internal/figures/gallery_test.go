package figures

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"whyhow/katas/kit/figure"
	"whyhow/scripts/internal/gotest"
)

func TestDrawReplacesTheFiguresOfEarlierRuns(t *testing.T) {
	g := Gallery{Dir: t.TempDir()}
	recorded := func(names ...string) *gotest.Report {
		r := &gotest.Report{Kata: "q05", Subject: "learner"}
		for _, name := range names {
			data, err := json.Marshal(figure.Figure{Title: "t", Panels: []figure.Panel{{Heat: &figure.Heat{Values: [][]float64{{1}}}}}})
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(t.TempDir(), name+".json")
			if err := os.WriteFile(path, data, 0o666); err != nil {
				t.Fatal(err)
			}
			r.Figures = append(r.Figures, gotest.Figure{Test: "TestWhy", Path: path})
		}
		return r
	}
	for _, c := range []struct {
		names []string
		left  int
	}{{[]string{"loss", "field"}, 4}, {nil, 4}, {[]string{"loss"}, 2}} {
		if _, err := g.Draw(recorded(c.names...)); err != nil {
			t.Fatal(err)
		}
		left, err := os.ReadDir(filepath.Join(g.Dir, "figures", "q05"))
		if err != nil {
			t.Fatal(err)
		}
		if len(left) != c.left {
			t.Errorf("after a run with the figures %v there are %d files, want %d", c.names, len(left), c.left)
		}
	}
}
