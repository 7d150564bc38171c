package figure_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
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

// recorder is a testing.TB that keeps what is logged. A failure would be one of the test that it stands in for.
type recorder struct {
	testing.TB
	dir  string
	logs []string
}

func (r *recorder) Helper()             {}
func (r *recorder) ArtifactDir() string { return r.dir }
func (r *recorder) Logf(format string, args ...any) {
	r.logs = append(r.logs, fmt.Sprintf(format, args...))
}

// saved returns what Save wrote and logged; nil where it wrote nothing.
func saved(t *testing.T, f figure.Figure) (*figure.Figure, []string) {
	t.Helper()
	r := &recorder{TB: t, dir: t.TempDir()}
	figure.Save(r, "loss-2", f)
	data, err := os.ReadFile(filepath.Join(r.dir, "loss-2.json"))
	if os.IsNotExist(err) {
		return nil, r.logs
	}
	require.NoError(t, err)
	var got figure.Figure
	require.NoError(t, json.Unmarshal(data, &got))
	require.NoError(t, got.Check(), "what is saved can be drawn")
	return &got, r.logs
}

func TestSave(t *testing.T) {
	got, logs := saved(t, lines(curve))
	require.Empty(t, logs)
	require.Equal(t, lines(curve), *got)
}

// Whatever a learner's code computed, Save draws what can be drawn, says what cannot, and fails nothing.
func TestSaveDrawsWhatItCan(t *testing.T) {
	three, names := []float64{1, 2, 3}, []figure.Series{{Name: "a"}, {Name: "b"}}
	with := func(a, b figure.Series) figure.Figure {
		a.Name, b.Name = names[0].Name, names[1].Name
		return lines(a, b)
	}
	good := figure.Series{X: three, Y: three}
	two := figure.Figure{Title: "t", Panels: append(lines(figure.Series{X: three, Y: []float64{nan, nan, nan}}).Panels, lines(curve).Panels...)}
	for name, c := range map[string]struct {
		f    figure.Figure
		want *figure.Figure
		log  string
	}{
		"no place along x":       {lines(figure.Series{X: []float64{1, inf, nan, 2}, Y: []float64{1, 2, 3, 4}}), new(lines(figure.Series{X: []float64{1, 2}, Y: []float64{1, 4}})), `series 0 (""): 2 of its points`},
		"too far":                {lines(figure.Series{X: []float64{-1.7e308, 0, 1}, Y: three}), new(lines(figure.Series{X: []float64{0, 1}, Y: []float64{2, 3}})), "1 of its points"},
		"0 on a logarithm":       {logY(lines(figure.Series{X: three, Y: []float64{1, 0, 2}})), new(logY(lines(figure.Series{X: three, Y: []float64{1, nan, 2}}))), "1 of its points"},
		"one of two series":      {with(good, figure.Series{X: three, Y: []float64{nan, nan, inf}}), new(with(good, good)), `series 1 ("b"): 0 finite points of 3`},
		"another length":         {with(good, figure.Series{X: three, Y: []float64{1}}), new(with(good, good)), `series 1 ("b"): lengths differ`},
		"a band upside down":     {lines(figure.Series{X: three, Low: []float64{1, 2, 1}, High: []float64{2, 1, 2}, Mark: figure.Band}), new(lines(figure.Series{X: three, Low: []float64{1, nan, 1}, High: []float64{2, nan, 2}, Mark: figure.Band})), "1 of its points"},
		"a bar without a value":  {bars(figure.Bar{Label: "a", Value: nan}, figure.Bar{Label: "b", Value: 2}), new(bars(figure.Bar{Label: "b", Value: 2})), `bar 0 ("a"): its value is NaN`},
		"a cell too far":         {heat([]float64{1e300, 2}), new(heat([]float64{nan, 2})), "row 0, column 0 of the heat map: 1e+300"},
		"one of two panels":      {two, new(lines(curve)), "panel 0: "},
		"an end of an axis":      {yAxis(lines(curve), figure.Axis{Label: "loss", Min: new(nan)}), new(lines(curve)), "an end at NaN"},
		"colours without an end": {colours(inf), new(heat([]float64{1, 2})), "colours: an end at +Inf"},
		"nothing":                {lines(figure.Series{X: three, Y: []float64{nan, nan, nan}}), nil, `figure "loss-2" is not saved: it has 0 panels`},
		"a ragged heat map":      {heat([]float64{1, 2}, []float64{3}), nil, "row 1 of the heat map has 1 values"},
		"no title":               {figure.Figure{Panels: lines(curve).Panels}, nil, "it has no title"},
	} {
		t.Run(name, func(t *testing.T) {
			got, logs := saved(t, c.f)
			require.NotEmpty(t, logs)
			for _, l := range logs {
				require.True(t, strings.HasPrefix(l, figure.Log), l)
			}
			require.Contains(t, strings.Join(logs, "\n"), c.log)
			if name == "one of two series" || name == "another length" {
				require.Len(t, got.Panels[0].Series, 1)
				return
			}
			if name == "one of two panels" {
				got.Title = c.want.Title
			}
			if diff := cmp.Diff(c.want, got, cmpopts.EquateNaNs()); diff != "" {
				t.Errorf("mismatch (-want +got):\n%s", diff)
			}
		})
	}
}

func colours(end float64) figure.Figure {
	f := heat([]float64{1, 2})
	f.Panels[0].Heat.Max = &end
	return f
}

func TestSaveUnderNoName(t *testing.T) {
	for _, name := range []string{"Loss", "../loss", "", "a--b"} {
		r := &recorder{TB: t, dir: t.TempDir()}
		figure.Save(r, name, lines(curve))
		require.Equal(t, []string{fmt.Sprintf("figure %q is not saved: a name is lower-case letters, digits and single dashes", name)}, r.logs)
		entries, err := os.ReadDir(r.dir)
		require.NoError(t, err)
		require.Empty(t, entries, "nothing is written")
	}
	r := &recorder{TB: t, dir: filepath.Join(t.TempDir(), "gone")}
	figure.Save(r, "loss", lines(curve))
	require.Len(t, r.logs, 1, "a folder that is not there")
}

func TestSaveOnAFullDisk(t *testing.T) {
	const full = "/dev/full"
	if _, err := os.Stat(full); err != nil {
		t.Skip("no " + full)
	}
	r := &recorder{TB: t, dir: t.TempDir()}
	require.NoError(t, os.Symlink(full, filepath.Join(r.dir, "loss.json")))
	figure.Save(r, "loss", lines(curve))
	require.Len(t, r.logs, 1)
	require.Contains(t, r.logs[0], `figure "loss" is not saved: `)
	entries, err := os.ReadDir(r.dir)
	require.NoError(t, err)
	require.Empty(t, entries, "half a file is no figure")
}
