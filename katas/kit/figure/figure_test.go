package figure_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/require"

	"whyhow/katas/kit/figure"
)

// lines returns a figure of one panel with the given series, which can be drawn if they can.
func lines(series ...figure.Series) figure.Figure {
	return figure.Figure{
		Title:  "Loss",
		Panels: []figure.Panel{{X: figure.Axis{Label: "epoch"}, Y: figure.Axis{Label: "loss"}, Series: series}},
	}
}

func bars(bars ...figure.Bar) figure.Figure {
	return figure.Figure{Title: "Costs", Panels: []figure.Panel{{Y: figure.Axis{Label: "MACs"}, Bars: bars}}}
}

func heat(values ...[]float64) figure.Figure {
	return figure.Figure{Title: "Uses", Panels: []figure.Panel{{Heat: &figure.Heat{Values: values}}}}
}

func logY(f figure.Figure) figure.Figure {
	f.Panels[0].Y.Log = true
	return f
}

func logX(f figure.Figure) figure.Figure {
	f.Panels[0].X.Log = true
	return f
}

func yAxis(f figure.Figure, a figure.Axis) figure.Figure {
	f.Panels[0].Y = a
	return f
}

var (
	nan, inf = math.NaN(), math.Inf(1)
	curve    = figure.Series{X: []float64{1, 2, 3}, Y: []float64{3, 2, 1}}
	named    = figure.Series{Name: "plain", X: []float64{1, 2, 3}, Y: []float64{3, 2, 1}}
)

func TestCheckAccepts(t *testing.T) {
	for name, f := range map[string]figure.Figure{
		"a curve":                     lines(curve),
		"a gap":                       lines(figure.Series{X: []float64{1, 2, 3}, Y: []float64{1, nan, 3}}),
		"a curve that diverged":       lines(figure.Series{X: []float64{1, 2, 3}, Y: []float64{1, 9, inf}}),
		"one point":                   lines(figure.Series{X: []float64{1}, Y: []float64{1}, Mark: figure.Points}),
		"one point of a marked line":  lines(figure.Series{X: []float64{1}, Y: []float64{1}, Mark: figure.LinePoints}),
		"dashed":                      lines(figure.Series{X: []float64{1, 2}, Y: []float64{1, 1}, Mark: figure.Dashed}),
		"a band":                      lines(figure.Series{X: []float64{1, 2}, Low: []float64{1, 1}, High: []float64{1, 2}, Mark: figure.Band}),
		"a curve and its range":       lines(named, figure.Series{Name: "plain", X: []float64{1, 2}, Low: []float64{1, 1}, High: []float64{1, 2}, Mark: figure.Band}),
		"logarithmic":                 logX(logY(lines(curve))),
		"a gap on a logarithmic axis": logY(lines(figure.Series{X: []float64{1, 2, 3}, Y: []float64{1, nan, 3}})),
		"an axis with ends":           yAxis(lines(curve), figure.Axis{Label: "loss", Min: new(0.0), Max: new(4.0)}),
		"bars":                        bars(figure.Bar{Label: "a", Value: -1}, figure.Bar{Label: "b"}),
		"grouped bars":                bars(figure.Bar{Label: "a", Group: "g", Value: 1}, figure.Bar{Label: "a", Group: "h", Value: 2}),
		"a heat map":                  heat([]float64{1, 2, 3}, []float64{4, nan, 6}),
		"four panels":                 {Title: "t", Panels: append(append(lines(curve).Panels, lines(curve).Panels...), append(bars(figure.Bar{Label: "a"}).Panels, heat([]float64{1}).Panels...)...)},
	} {
		require.NoError(t, f.Check(), name)
	}
}

func TestCheckRejects(t *testing.T) {
	ticks := heat([]float64{1, 2}, []float64{3, 4})
	ticks.Panels[0].X.Ticks = []string{"a", "b", "c"}
	rows := heat([]float64{1, 2}, []float64{3, 4})
	rows.Panels[0].Y.Ticks = []string{"a"}
	both := lines(curve)
	both.Panels[0].Bars = []figure.Bar{{Label: "a"}}
	unnamed := heat([]float64{1, 2})
	unnamed.Panels[0].Heat.Names = []string{"off", "on"}
	colours := heat([]float64{1, 2})
	colours.Panels[0].Heat.Min = new(inf)

	for _, c := range []struct {
		want string
		f    figure.Figure
	}{
		{"it has no title", figure.Figure{Panels: lines(curve).Panels}},
		{"it has 0 panels, not 1 to 4", figure.Figure{Title: "t"}},
		{"it has 5 panels, not 1 to 4", figure.Figure{Title: "t", Panels: make([]figure.Panel, 5)}},
		{"panel 0: it needs exactly one of Series, Bars and Heat, got 0 of them", lines()},
		{"panel 0: it needs exactly one of Series, Bars and Heat, got 2 of them", both},
		{"panel 0: both axes of a panel of series need a label", yAxis(lines(curve), figure.Axis{})},
		{"panel 0: the y axis of bars needs a label", yAxis(bars(figure.Bar{Label: "a"}), figure.Axis{})},
		{"panel 0: y axis: an end at NaN", yAxis(lines(curve), figure.Axis{Label: "l", Min: new(nan)})},
		{"panel 0: y axis: an end at 0 on a logarithmic axis", yAxis(lines(curve), figure.Axis{Label: "l", Log: true, Min: new(0.0)})},
		{"panel 0: y axis: from 1 to 1 is no range", yAxis(lines(curve), figure.Axis{Label: "l", Min: new(1.0), Max: new(1.0)})},
		{`panel 0: series 1: each of several series needs a name of its own, got ""`, lines(named, curve)},
		{`panel 0: series 1: each of several series needs a name of its own, got "plain"`, lines(named, named)},
		{`panel 0: series 0 (""): unknown mark "dotted"`, lines(figure.Series{X: curve.X, Y: curve.Y, Mark: "dotted"})},
		{`panel 0: series 0 (""): lengths differ: X has 3 values, Y 2`, lines(figure.Series{X: curve.X, Y: []float64{1, 2}})},
		{`panel 0: series 0 (""): only a band has Low and High`, lines(figure.Series{X: curve.X, Y: curve.Y, Low: curve.Y})},
		{`panel 0: series 0 (""): a band has Low and High, not Y`, lines(figure.Series{X: curve.X, Y: curve.Y, Mark: figure.Band})},
		{`panel 0: series 0 (""): lengths differ: X has 3 values, Low 3, High 0`, lines(figure.Series{X: curve.X, Low: curve.Y, Mark: figure.Band})},
		{`panel 0: series 0 (""): value Low[0] = 3 is above High[0] = 1`, lines(figure.Series{X: curve.X, Low: curve.Y, High: curve.X, Mark: figure.Band})},
		{`panel 0: series 0 (""): value X[1] = NaN`, lines(figure.Series{X: []float64{1, nan, 3}, Y: curve.Y})},
		{`panel 0: series 0 (""): 0 finite points of 3, it needs 2`, lines(figure.Series{X: curve.X, Y: []float64{nan, inf, nan}})},
		{`panel 0: series 0 (""): 1 finite points of 3, it needs 2`, lines(figure.Series{X: curve.X, Y: []float64{nan, 1, nan}})},
		{`panel 0: series 0 (""): 0 finite points of 0, it needs 1`, lines(figure.Series{Mark: figure.Points})},
		{`panel 0: series 0 (""): 0 finite points of 3, it needs 2`, lines(figure.Series{X: curve.X, Low: []float64{nan, nan, nan}, High: curve.X, Mark: figure.Band})},
		{`panel 0: series 0 (""): Y[1] = 0 on a logarithmic axis`, logY(lines(figure.Series{X: curve.X, Y: []float64{1, 0, 1}}))},
		{`panel 0: series 0 (""): Low[0] = -1 on a logarithmic axis`, logY(lines(figure.Series{X: []float64{1, 2}, Low: []float64{-1, 1}, High: []float64{2, 2}, Mark: figure.Band}))},
		{`panel 0: series 0 (""): value X[0] = -1 on a logarithmic axis`, logX(lines(figure.Series{X: []float64{-1, 2, 3}, Y: curve.Y}))},
		{"panel 0: bar 0 has no label", bars(figure.Bar{})},
		{`panel 0: bar 1 ("b"): either every bar has a group or none has`, bars(figure.Bar{Label: "a", Group: "g"}, figure.Bar{Label: "b"})},
		{`panel 0: bar 1: "a" "" is there twice`, bars(figure.Bar{Label: "a"}, figure.Bar{Label: "a"})},
		{`panel 0: bar 0 ("a"): its value is +Inf`, bars(figure.Bar{Label: "a", Value: inf})},
		{`panel 0: bar 0 ("a"): its value is 0 on a logarithmic axis`, logY(bars(figure.Bar{Label: "a"}))},
		{"panel 0: the x axis of bars cannot be logarithmic", logX(bars(figure.Bar{Label: "a"}))},
		{"panel 0: a heat map's axes cannot be logarithmic", logX(heat([]float64{1}))},
		{"panel 0: row 1 of the heat map has 1 values, row 0 has 2", heat([]float64{1, 2}, []float64{3})},
		{"panel 0: the heat map has no finite value", heat([]float64{nan, inf})},
		{"panel 0: the heat map has no finite value", heat([]float64{})},
		{"panel 0: row 0, column 1 of the heat map is 2, which has no name", unnamed},
		{"panel 0: 3 x ticks for 2 columns", ticks},
		{"panel 0: 1 y ticks for 2 rows", rows},
		{"panel 0: colours: an end at +Inf", colours},
	} {
		require.EqualError(t, c.f.Check(), c.want)
	}
}

func TestJSONRoundTrip(t *testing.T) {
	f := figure.Figure{
		Title: "Everything", Caption: "a caption",
		Panels: []figure.Panel{
			{
				Title: "curves", X: figure.Axis{Label: "x", Log: true, Min: new(0.5)}, Y: figure.Axis{Label: "y", Ticks: []string{"none", "one"}, Max: new(0.0)},
				Series: []figure.Series{
					{Name: "line", X: []float64{1, 2, 3}, Y: []float64{0.1, nan, 1e-300}},
					{Name: "points", X: []float64{1}, Y: []float64{0}, Mark: figure.Points},
					{Name: "band", X: []float64{1, 2, 3}, Low: []float64{nan, -1, 0}, High: []float64{1, 1, 1}, Mark: figure.Band},
				},
			},
			{Y: figure.Axis{Label: "y"}, Bars: []figure.Bar{{Label: "a", Group: "g", Value: 1.0 / 3}, {Label: "b", Group: "g"}}},
			{Heat: &figure.Heat{Values: [][]float64{{1, nan}, {0, -3}}, Numbers: true, Min: new(-3.0), Diverging: true}},
			{Heat: &figure.Heat{Values: [][]float64{{1, nan}}, Names: []string{"off", "on"}}},
		},
	}
	require.NoError(t, f.Check())
	data, err := json.Marshal(f)
	require.NoError(t, err)
	var got figure.Figure
	require.NoError(t, json.Unmarshal(data, &got))
	if diff := cmp.Diff(f, got, cmpopts.EquateNaNs()); diff != "" {
		t.Errorf("Unmarshal(Marshal(f)) mismatch (-want +got):\n%s", diff)
	}

	infinite := lines(figure.Series{X: []float64{1, 2, 3}, Y: []float64{1, 2, inf}})
	data, err = json.Marshal(infinite)
	require.NoError(t, err, "JSON knows no infinity")
	require.NoError(t, json.Unmarshal(data, &got))
	require.True(t, math.IsNaN(got.Panels[0].Series[0].Y[2]), "an infinity is read back as a gap")
}

// recorder is a testing.TB that notes failures instead of failing.
type recorder struct {
	testing.TB
	dir      string
	failures []string
}

func (r *recorder) Helper()             {}
func (r *recorder) ArtifactDir() string { return r.dir }
func (r *recorder) Errorf(format string, args ...any) {
	r.failures = append(r.failures, fmt.Sprintf(format, args...))
}

func TestSave(t *testing.T) {
	r := &recorder{TB: t, dir: t.TempDir()}
	figure.Save(r, "loss-2", lines(curve))
	require.Empty(t, r.failures)
	data, err := os.ReadFile(filepath.Join(r.dir, "loss-2.json"))
	require.NoError(t, err)
	var got figure.Figure
	require.NoError(t, json.Unmarshal(data, &got))
	require.Equal(t, lines(curve), got)
}

func TestSaveFails(t *testing.T) {
	for want, save := range map[string]func(*recorder){
		`figure "loss" cannot be drawn: panel 0: series 0 (""): 0 finite points of 1, it needs 2`: func(r *recorder) {
			figure.Save(r, "loss", lines(figure.Series{X: []float64{1}, Y: []float64{nan}}))
		},
		`figure "Loss": a name is lower-case letters, digits and single dashes`:    func(r *recorder) { figure.Save(r, "Loss", lines(curve)) },
		`figure "../loss": a name is lower-case letters, digits and single dashes`: func(r *recorder) { figure.Save(r, "../loss", lines(curve)) },
		`figure "": a name is lower-case letters, digits and single dashes`:        func(r *recorder) { figure.Save(r, "", lines(curve)) },
		`figure "a--b": a name is lower-case letters, digits and single dashes`:    func(r *recorder) { figure.Save(r, "a--b", lines(curve)) },
	} {
		r := &recorder{TB: t, dir: t.TempDir()}
		save(r)
		require.Equal(t, []string{want}, r.failures)
		entries, err := os.ReadDir(r.dir)
		require.NoError(t, err)
		require.Empty(t, entries, "nothing is written")
	}
	r := &recorder{TB: t, dir: filepath.Join(t.TempDir(), "gone")}
	figure.Save(r, "loss", lines(curve))
	require.Len(t, r.failures, 1, "a folder that is not there")
}
