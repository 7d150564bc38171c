// Package figure holds what a why step found as data: lines, points, bands, bars and heat maps in one to four panels.
// A why step records it with Save; drawing it is the work of others.
package figure

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Figure is one to four panels side by side under a common title.
type Figure struct {
	Title   string  // what the figure shows; required
	Caption string  `json:",omitempty"` // below the panels: how it was made, and what to see in it
	Panels  []Panel // 1…4
}

// Panel is one plot: exactly one of Series, Bars and Heat.
type Panel struct {
	Title  string   `json:",omitempty"`
	X, Y   Axis     // with Series both need a label, with Bars Y does
	Series []Series `json:",omitempty"`
	Bars   []Bar    `json:",omitempty"`
	Heat   *Heat    `json:",omitempty"`
}

// Axis is how a panel is measured. The zero Axis is linear and fits its data.
type Axis struct {
	Label string   `json:",omitempty"`
	Log   bool     `json:",omitempty"` // every value must then be positive; not for a heat map, nor for the X of bars
	Ticks []string `json:",omitempty"` // names for the positions 0, 1, 2, …; of a heat map the columns (X) and the rows (Y, the first on top)
	Min   *float64 `json:",omitempty"` // nil fits the data; new(0.5) sets an end
	Max   *float64 `json:",omitempty"`
}

// Mark is how a series is drawn.
type Mark string

// The marks. A series is a line unless it says otherwise.
const (
	Line       Mark = ""
	Dashed     Mark = "dashed"
	Points     Mark = "points"
	LinePoints Mark = "line and points"
	Band       Mark = "band" // the area between Low and High
)

// Series is one curve. X and Y have the same length; a band has X, Low and High instead. X is finite. A NaN or an
// infinity in Y, Low or High leaves a gap; two finite points must remain for a line or a band, one for points.
type Series struct {
	Name string // required, and unique, where a panel has several
	X, Y []float64
	Mark Mark
	Low  []float64
	High []float64
}

// Bar is one bar. Bars of the same Label stand beside each other; Group is the colour, the same in every Label. Either every bar
// has a Group or none has. Its value is finite.
type Bar struct {
	Label string
	Value float64
	Group string `json:",omitempty"`
}

// Heat is a rectangular table as colours. A NaN or an infinity is an empty cell; one value at least is finite.
type Heat struct {
	Values    [][]float64 // row 0 is on top
	Numbers   bool        // print each value in its cell
	Min, Max  *float64    // the ends of the colours; nil fits the data: set both where panels are compared
	Names     []string    // of the values 0, 1, 2, … in the key, where there are no others
	Diverging bool        // for values around 0, which gets the neutral colour: the ends are then ±the largest magnitude
}

var fileName = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// Save writes f as name.json into t.ArtifactDir(); with `go test -artifacts` the file stays. The name is lower-case letters, digits and single
// dashes. A figure shows what a step found and decides nothing: what of it cannot be drawn is left out, and logged in a line that begins with
// [Log]. Where nothing is left (see Check), nothing is written.
func Save(t testing.TB, name string, f Figure) {
	t.Helper()
	unsaved := func(err error) { t.Helper(); t.Logf("%s%q is not saved: %v", Log, name, err) }
	if !fileName.MatchString(name) {
		unsaved(fmt.Errorf("a name is lower-case letters, digits and single dashes"))
		return
	}
	f, without := f.drawable()
	if len(without) > 0 {
		t.Logf("%s%q is drawn without %s", Log, name, strings.Join(without, "; "))
	}
	if err := f.Check(); err != nil {
		unsaved(err)
		return
	}
	data, err := json.MarshalIndent(f, "", "\t")
	if err == nil {
		file := filepath.Join(t.ArtifactDir(), name+".json")
		if err = os.WriteFile(file, data, 0o666); err != nil {
			_ = os.Remove(file) // on a full disk, half of one may be there
		}
	}
	if err != nil {
		unsaved(err)
	}
}

// Log begins what is logged of a figure that is not drawn as it was saved.
const Log = "figure "

// Check returns what makes f impossible to draw or to read, nil if nothing does: a missing title or axis label,
// lengths that do not match, no finite value, a value that is not positive on a logarithmic axis.
func (f Figure) Check() error {
	if f.Title == "" {
		return fmt.Errorf("it has no title")
	}
	if n := len(f.Panels); n < 1 || n > 4 {
		return fmt.Errorf("it has %d panels, not 1 to 4", n)
	}
	for i, p := range f.Panels {
		if err := p.check(); err != nil {
			return fmt.Errorf("panel %d: %w", i, err)
		}
	}
	return nil
}

func (p Panel) check() error {
	kinds := 0
	for _, has := range []bool{len(p.Series) > 0, len(p.Bars) > 0, p.Heat != nil} {
		if has {
			kinds++
		}
	}
	if kinds != 1 {
		return fmt.Errorf("it needs exactly one of Series, Bars and Heat, got %d of them", kinds)
	}
	if err := p.X.check(); err != nil {
		return fmt.Errorf("x axis: %w", err)
	}
	if err := p.Y.check(); err != nil {
		return fmt.Errorf("y axis: %w", err)
	}
	switch {
	case p.Heat != nil:
		return p.checkHeat()
	case len(p.Bars) > 0:
		return p.checkBars()
	default:
		return p.checkSeries()
	}
}

func (a Axis) check() error {
	for _, end := range []*float64{a.Min, a.Max} {
		if end != nil && !finite(*end) {
			return fmt.Errorf("an end at %v", *end)
		}
		if end != nil && a.Log && *end <= 0 {
			return fmt.Errorf("an end at %v on a logarithmic axis", *end)
		}
	}
	if a.Min != nil && a.Max != nil && *a.Min >= *a.Max {
		return fmt.Errorf("from %v to %v is no range", *a.Min, *a.Max)
	}
	return nil
}

func (p Panel) checkSeries() error {
	if p.X.Label == "" || p.Y.Label == "" {
		return fmt.Errorf("both axes of a panel of series need a label")
	}
	type curve struct {
		name string
		band bool
	}
	seen := map[curve]bool{}
	for i, s := range p.Series {
		c := curve{s.Name, s.Mark == Band}
		if seen[c] || s.Name == "" && len(p.Series) > 1 {
			return fmt.Errorf("series %d: each of several series needs a name of its own, got %q", i, s.Name)
		}
		seen[c] = true
		if err := s.check(p.X.Log, p.Y.Log); err != nil {
			return fmt.Errorf("series %d (%q): %w", i, s.Name, err)
		}
	}
	return nil
}

func (s Series) check(logX, logY bool) error {
	need := 2
	switch s.Mark {
	case Points, LinePoints:
		need = 1
	case Line, Dashed, Band:
	default:
		return fmt.Errorf("unknown mark %q", s.Mark)
	}
	if s.Mark == Band {
		if len(s.Y) > 0 {
			return fmt.Errorf("a band has Low and High, not Y")
		}
		if len(s.Low) != len(s.X) || len(s.High) != len(s.X) {
			return fmt.Errorf("lengths differ: X has %d values, Low %d, High %d", len(s.X), len(s.Low), len(s.High))
		}
	} else {
		if len(s.Low) > 0 || len(s.High) > 0 {
			return fmt.Errorf("only a band has Low and High")
		}
		if len(s.Y) != len(s.X) {
			return fmt.Errorf("lengths differ: X has %d values, Y %d", len(s.X), len(s.Y))
		}
	}
	for i, x := range s.X {
		if !finite(x) {
			return fmt.Errorf("value X[%d] = %v", i, x)
		}
		if logX && x <= 0 {
			return fmt.Errorf("value X[%d] = %v on a logarithmic axis", i, x)
		}
	}
	for name, values := range map[string][]float64{"Y": s.Y, "Low": s.Low, "High": s.High} {
		for i, y := range values {
			if logY && finite(y) && y <= 0 {
				return fmt.Errorf("%s[%d] = %v on a logarithmic axis", name, i, y)
			}
		}
	}
	drawn := 0
	for i := range s.X {
		if s.Mark == Band && s.Low[i] > s.High[i] {
			return fmt.Errorf("value Low[%d] = %v is above High[%d] = %v", i, s.Low[i], i, s.High[i])
		}
		if s.Mark == Band && finite(s.Low[i]) && finite(s.High[i]) || s.Mark != Band && finite(s.Y[i]) {
			drawn++
		}
	}
	if drawn < need {
		return fmt.Errorf("%d finite points of %d, it needs %d", drawn, len(s.X), need)
	}
	return nil
}

func (p Panel) checkBars() error {
	if p.Y.Label == "" {
		return fmt.Errorf("the y axis of bars needs a label")
	}
	if p.X.Log {
		return fmt.Errorf("the x axis of bars cannot be logarithmic")
	}
	seen := map[[2]string]bool{}
	for i, b := range p.Bars {
		switch {
		case b.Label == "":
			return fmt.Errorf("bar %d has no label", i)
		case (b.Group == "") != (p.Bars[0].Group == ""):
			return fmt.Errorf("bar %d (%q): either every bar has a group or none has", i, b.Label)
		case seen[[2]string{b.Label, b.Group}]:
			return fmt.Errorf("bar %d: %q %q is there twice", i, b.Label, b.Group)
		case !finite(b.Value):
			return fmt.Errorf("bar %d (%q): its value is %v", i, b.Label, b.Value)
		case p.Y.Log && b.Value <= 0:
			return fmt.Errorf("bar %d (%q): its value is %v on a logarithmic axis", i, b.Label, b.Value)
		}
		seen[[2]string{b.Label, b.Group}] = true
	}
	return nil
}

func (p Panel) checkHeat() error {
	if p.X.Log || p.Y.Log {
		return fmt.Errorf("a heat map's axes cannot be logarithmic")
	}
	if err := (Axis{Min: p.Heat.Min, Max: p.Heat.Max}).check(); err != nil {
		return fmt.Errorf("colours: %w", err)
	}
	found := false
	for i, row := range p.Heat.Values {
		if len(row) != len(p.Heat.Values[0]) {
			return fmt.Errorf("row %d of the heat map has %d values, row 0 has %d", i, len(row), len(p.Heat.Values[0]))
		}
		for j, v := range row {
			found = found || finite(v)
			if finite(v) && p.Heat.unnamed(v) {
				return fmt.Errorf("row %d, column %d of the heat map is %v, which has no name", i, j, v)
			}
		}
	}
	if !found {
		return fmt.Errorf("the heat map has no finite value")
	}
	columns, rows := len(p.Heat.Values[0]), len(p.Heat.Values)
	if n := len(p.X.Ticks); n != 0 && n != columns {
		return fmt.Errorf("%d x ticks for %d columns", n, columns)
	}
	if n := len(p.Y.Ticks); n != 0 && n != rows {
		return fmt.Errorf("%d y ticks for %d rows", n, rows)
	}
	return nil
}

// unnamed says whether the values have names, but v has none.
func (h Heat) unnamed(v float64) bool {
	n := len(h.Names)
	return n > 0 && (v != math.Trunc(v) || v < 0 || v >= float64(n))
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
