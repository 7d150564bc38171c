package figures_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"image/color"
	"image/png"
	"io"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"whyhow/katas/kit/figure"
	"whyhow/scripts/internal/figures"
)

// samples has a figure of every kind, as the katas record them. `go test -artifacts` keeps the drawings, to be looked at.
func samples() map[string]figure.Figure {
	rng := rand.New(rand.NewPCG(1, 1))
	upTo := func(n int) (x []float64) {
		for i := range n {
			x = append(x, float64(i+1))
		}
		return x
	}
	each := func(x []float64, f func(float64) float64) (y []float64) {
		for _, v := range x {
			y = append(y, f(v))
		}
		return y
	}
	epochs := upTo(30)
	layers := upTo(10)
	noisy := func(base float64) (low, middle, high []float64) {
		for _, e := range epochs {
			v := base + 2*math.Exp(-e/8) + 0.05*rng.NormFloat64()
			low, middle, high = append(low, v-0.2), append(middle, v), append(high, v+0.3)
		}
		return low, middle, high
	}
	var remedies []figure.Series
	for i, name := range []string{"plain", "early stopping"} {
		low, middle, high := noisy(0.3 + 0.9*float64(i))
		remedies = append(remedies, figure.Series{Name: name, X: epochs, Low: low, High: high, Mark: figure.Band}, figure.Series{Name: name, X: epochs, Y: middle})
	}
	delta := func(rate float64) []float64 {
		return each(layers, func(l float64) float64 { return math.Pow(10, -rate*(10-l)) })
	}
	many := figure.Panel{Title: "Twelve curves", X: figure.Axis{Label: "step"}, Y: figure.Axis{Label: "loss"}}
	for i := range 9 {
		many.Series = append(many.Series, figure.Series{Name: "width " + string(rune('1'+i)), X: epochs, Y: each(epochs, func(e float64) float64 { return float64(i) + math.Exp(-e/10) })})
	}
	uses := func(n int, hi float64) *figure.Heat {
		h := &figure.Heat{Numbers: true, Min: new(0.0), Max: new(9.0)}
		for r := range n {
			var row []float64
			for c := range n {
				row = append(row, math.Min(hi, float64(min(r+1, n-r, 3)*min(c+1, n-c, 3))))
			}
			h.Values = append(h.Values, row)
		}
		return h
	}
	nan := math.NaN()
	field := &figure.Heat{}
	around := &figure.Heat{Diverging: true}
	for r := range 20 {
		var row, two []float64
		for c := range 24 {
			row = append(row, math.Exp(-(math.Pow(float64(r-8), 2)+math.Pow(float64(c-14), 2))/20))
			two = append(two, math.Sin(float64(r)/4)*math.Cos(float64(c)/5))
		}
		field.Values, around.Values = append(field.Values, row), append(around.Values, two)
	}
	schedule := &figure.Heat{Numbers: true}
	for s := range 4 {
		row := make([]float64, 11)
		for t := range row {
			row[t] = nan
			if m := t - s; m >= 0 && m < 8 {
				row[t] = float64(m)
			}
		}
		schedule.Values = append(schedule.Values, row)
	}
	return map[string]figure.Figure{
		"line-one": {
			Title: "Nielsen's neuron: the output after each epoch", Caption: "One sigmoid neuron, x = 1, y = 0, rate 0.15.",
			Panels: []figure.Panel{{X: figure.Axis{Label: "epoch"}, Y: figure.Axis{Label: "output", Min: new(0.0), Max: new(1.0)}, Series: []figure.Series{
				{X: epochs, Y: each(epochs, func(e float64) float64 { return 1 / (1 + math.Exp(e/6-2)) })},
			}}},
		},
		"lines-log-two-panels": {
			Title:   "The gradient ‖δ‖ that reaches each layer, of the networks with sigmoid, tanh and ReLU units and four ways to draw their initial weights, on one batch of 64 digits",
			Caption: "Ten hidden layers of 32, no training; δ = ∂L/∂z, relative to the last layer. A sigmoid loses a factor 4 or more a layer: σ′ ≤ ¼. ReLU with variance 2/n keeps the gradient, with 1/n it loses √2 a layer.",
			Panels: []figure.Panel{
				{Title: "at initialisation", X: figure.Axis{Label: "layer"}, Y: figure.Axis{Label: "‖δ‖ / ‖δ_L‖", Log: true}, Series: []figure.Series{
					{Name: "sigmoid, 1/n", X: layers, Y: delta(0.7)},
					{Name: "tanh, 1/n", X: layers, Y: delta(0.04), Mark: figure.LinePoints},
					{Name: "ReLU, 1/n", X: layers, Y: delta(0.17), Mark: figure.Dashed},
					{Name: "ReLU, 2/n", X: layers, Y: delta(0.002)},
				}},
				{Title: "after ten epochs", X: figure.Axis{Label: "layer"}, Y: figure.Axis{Label: "‖δ‖ / ‖δ_L‖", Log: true}, Series: []figure.Series{
					{Name: "sigmoid, 1/n", X: layers, Y: delta(0.5)},
					{Name: "tanh, 1/n", X: layers, Y: delta(0.02), Mark: figure.LinePoints},
					{Name: "ReLU, 1/n", X: layers, Y: delta(0.1), Mark: figure.Dashed},
					{Name: "ReLU, 2/n", X: layers, Y: delta(-0.002)},
				}},
			},
		},
		"bands": {
			Title: "Test loss against epoch", Caption: "Lines: median of 20 seeds; shaded: smallest to largest.",
			Panels: []figure.Panel{{X: figure.Axis{Label: "epoch"}, Y: figure.Axis{Label: "test loss"}, Series: remedies}},
		},
		"points-and-lines": {
			Title: "International calls from Belgium", Panels: []figure.Panel{{
				X: figure.Axis{Label: "year"}, Y: figure.Axis{Label: "calls, tens of millions"},
				Series: []figure.Series{
					{Name: "recorded", X: []float64{50, 55, 60, 64, 66, 69, 73}, Y: []float64{4.4, 7.3, 11.9, 142, 159, 212, 29}, Mark: figure.Points},
					{Name: "least squares", X: []float64{50, 73}, Y: []float64{-8, 107}},
					{Name: "least absolute, the best lines", X: []float64{50, 73}, Low: []float64{2.4, 29}, High: []float64{4.4, 39}, Mark: figure.Band},
				},
			}},
		},
		"gap": {
			Title: "A loss that diverged", Panels: []figure.Panel{{
				X: figure.Axis{Label: "epoch"}, Y: figure.Axis{Label: "loss", Log: true},
				Series: []figure.Series{
					{Name: "batch 120, rate 2.4", X: upTo(8), Y: []float64{1, 3, 80, 1e4, math.Inf(1), 1e9, nan, nan}},
					{Name: "batch 10", X: upTo(8), Y: each(upTo(8), func(e float64) float64 { return math.Pow(0.3, e) })},
				},
			}},
		},
		"bars": {
			Title: "Multiply-adds of a layer, direct and through 16 channels", Panels: []figure.Panel{{
				Y:    figure.Axis{Label: "MACs"},
				Bars: []figure.Bar{{Label: "direct 5×5", Value: 120422400}, {Label: "1×1 to 16, then 5×5", Value: 12443648}, {Label: "1×1 alone", Value: 4816896}},
			}},
		},
		"bars-grouped": {
			Title: "Validation accuracy after pruning 90 % of the weights", Caption: "300 digits, 64-32-10.",
			Panels: []figure.Panel{
				{Title: "accuracy", Y: figure.Axis{Label: "accuracy", Min: new(0.0), Max: new(1.0)}, Bars: []figure.Bar{
					{Label: "one shot", Group: "median", Value: 0.497},
					{Label: "one shot", Group: "best", Value: 0.657},
					{Label: "retrained", Group: "median", Value: 0.878},
					{Label: "retrained", Group: "best", Value: 0.938},
				}},
				{Title: "change", Y: figure.Axis{Label: "change"}, Bars: []figure.Bar{
					{Label: "one shot", Group: "median", Value: -0.42},
					{Label: "one shot", Group: "best", Value: -0.26},
					{Label: "retrained", Group: "median", Value: 0.04},
					{Label: "retrained", Group: "best", Value: 0.02},
				}},
			},
		},
		"bars-log-many": {
			Title: "Excess loss by batch size under three budgets", Panels: []figure.Panel{{
				X: figure.Axis{Label: "network"}, Y: figure.Axis{Label: "parameters", Log: true},
				Bars: []figure.Bar{
					{Label: "LeNet-5", Value: 61706},
					{Label: "AlexNet (torchvision)", Value: 61100840},
					{Label: "VGG-16", Value: 138357544},
					{Label: "VGG-19", Value: 143667240},
					{Label: "MobileNet v1 1.0", Value: 4231976},
					{Label: "ResNet-50", Value: 25557032},
					{Label: "ResNet-101", Value: 44549160},
					{Label: "ResNet-152", Value: 60192808},
					{Label: "GoogLeNet", Value: 6624904},
					{Label: "SqueezeNet", Value: 1248424},
				},
			}},
		},
		"heat-numbers-three": {
			Title: "How many 3×3 windows read each pixel of a 5×5 image", Caption: "Without padding a corner is read once and the centre nine times.",
			Panels: []figure.Panel{{Title: "no padding", Heat: uses(5, 9)}, {Title: "padding 1", Heat: uses(5, 6)}, {Title: "padding 2", Heat: uses(5, 9)}},
		},
		"heat-colour-bar": {
			Title: "Where the classifier sees a 3", Panels: []figure.Panel{
				{Title: "probability of class 3", X: figure.Axis{Label: "column"}, Y: figure.Axis{Label: "row"}, Heat: field},
				{Title: "a signed response", X: figure.Axis{Label: "column"}, Y: figure.Axis{Label: "row"}, Heat: around},
			},
		},
		"heat-schedule": {
			Title: "GPipe: 4 stages, 8 micro-batches", Caption: "Empty cells are the bubble.", Panels: []figure.Panel{{
				X: figure.Axis{Label: "tick"}, Y: figure.Axis{Label: "stage", Ticks: []string{"0", "1", "2", "3"}}, Heat: schedule,
			}},
		},
		"heat-two-values": {
			Title: "Which inputs three dilated layers read", Panels: []figure.Panel{
				{Title: "(2, 2, 2)", X: figure.Axis{Label: "position"}, Y: figure.Axis{Ticks: []string{"read"}}, Heat: &figure.Heat{Values: [][]float64{{1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1}}}},
				{Title: "named", X: figure.Axis{Label: "column"}, Y: figure.Axis{Label: "row"}, Heat: &figure.Heat{Values: [][]float64{{0, 1}, {1, 0}}, Names: []string{"not read", "read"}}},
				{Title: "(1, 2, 4)", X: figure.Axis{Label: "position"}, Y: figure.Axis{Ticks: []string{"read"}}, Heat: &figure.Heat{Values: [][]float64{{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}}}},
			},
		},
		"four-panels": {
			Title: "Four panels of different kinds", Caption: "The legend of each panel is its own, because they differ.",
			Panels: []figure.Panel{
				{Title: "training and validation", X: figure.Axis{Label: "epoch"}, Y: figure.Axis{Label: "loss"}, Series: []figure.Series{
					{Name: "training", X: epochs, Y: each(epochs, func(e float64) float64 { return 1 / e })}, {Name: "validation", X: epochs, Y: each(epochs, func(e float64) float64 { return 0.3 + 1/e })},
				}},
				{Title: "log–log", X: figure.Axis{Label: "size", Log: true}, Y: figure.Axis{Label: "seconds", Log: true}, Series: []figure.Series{
					{Name: "CPU", X: []float64{1, 10, 100, 1000}, Y: []float64{1e-6, 1e-5, 1e-3, 1}}, {Name: "GPU", X: []float64{1, 10, 100, 1000}, Y: []float64{1e-4, 1e-4, 2e-4, 1e-2}, Mark: figure.Dashed},
				}},
				{Title: "bars", Y: figure.Axis{Label: "bytes"}, Bars: []figure.Bar{{Label: "dense", Value: 8192}, {Label: "CSR", Value: 1640}}},
				{Title: "heat", Heat: uses(3, 9)},
			},
		},
		"many-curves":  {Title: "Colours come round again", Panels: []figure.Panel{many}},
		"named-ticks":  {Title: "Named positions", Panels: []figure.Panel{{X: figure.Axis{Label: "initialisation", Ticks: []string{"zero", "constant 0.1", "He"}}, Y: figure.Axis{Label: "loss"}, Series: []figure.Series{{Name: "loss", X: []float64{0, 1, 2}, Y: []float64{1.1, 0.6, 0.2}, Mark: figure.Points}}}}},
		"constant":     {Title: "A constant", Panels: []figure.Panel{{X: figure.Axis{Label: "step"}, Y: figure.Axis{Label: "loss"}, Series: []figure.Series{{X: []float64{1, 2}, Y: []float64{3, 3}}}}, {Heat: &figure.Heat{Values: [][]float64{{2, 2}, {2, 2}}}}}},
		"all-negative": {Title: "Small numbers", Panels: []figure.Panel{{X: figure.Axis{Label: "x"}, Y: figure.Axis{Label: "log10 mean h²"}, Series: []figure.Series{{X: []float64{1, 50}, Y: []float64{-1e-7, -3e-5}}}}}},
	}
}

func TestDraw(t *testing.T) {
	dir := t.ArtifactDir()
	for name, f := range samples() {
		base := filepath.Join(dir, "drawn", name)
		files, err := figures.Draw(f, base)
		require.NoError(t, err, name)
		require.Equal(t, []string{base + ".svg", base + ".png"}, files)

		svg, err := os.ReadFile(base + ".svg")
		require.NoError(t, err)
		seen := texts(t, svg)
		require.Contains(t, strings.Join(seen, " "), f.Title, "%s: the title, wrapped", name)
		require.Contains(t, strings.Join(seen, " "), f.Caption, "%s: the caption, wrapped", name)
		for _, p := range f.Panels {
			require.Contains(t, strings.Join(seen, " "), p.Title, name)
			for _, label := range []string{p.X.Label, p.Y.Label} {
				require.True(t, label == "" || slices.Contains(seen, label), "%s: axis label %q in %q", name, label, seen)
			}
			for _, s := range p.Series {
				require.True(t, s.Name == "" || slices.Contains(seen, s.Name), "%s: %q in the legend", name, s.Name)
			}
			if p.Heat != nil {
				require.Subset(t, seen, p.Heat.Names, name)
			}
			for _, b := range p.Bars {
				require.True(t, b.Group == "" || slices.Contains(seen, b.Group), "%s: %q in the legend", name, b.Group)
			}
		}

		file, err := os.Open(base + ".png")
		require.NoError(t, err)
		img, err := png.Decode(file)
		require.NoError(t, err)
		require.NoError(t, file.Close())
		require.Equal(t, 1440, img.Bounds().Dx(), name)
		require.Greater(t, img.Bounds().Dy(), 150, name)
	}
}

// texts returns the texts of a drawing in its order.
func texts(t *testing.T, svg []byte) (all []string) {
	decoder := xml.NewDecoder(bytes.NewReader(svg))
	for {
		token, err := decoder.Token()
		if err == io.EOF {
			return all
		}
		require.NoError(t, err, "the SVG is XML")
		if data, ok := token.(xml.CharData); ok {
			if s := strings.TrimSpace(string(data)); s != "" {
				all = append(all, s)
			}
		}
	}
}

// inked returns how many pixels of the drawing have the colour.
func inked(t *testing.T, f figure.Figure, want color.NRGBA) (n int) {
	base := filepath.Join(t.TempDir(), "f")
	_, err := figures.Draw(f, base)
	require.NoError(t, err)
	file, err := os.Open(base + ".png")
	require.NoError(t, err)
	defer file.Close()
	img, err := png.Decode(file)
	require.NoError(t, err)
	for y := range img.Bounds().Dy() {
		for x := range img.Bounds().Dx() {
			if color.NRGBAModel.Convert(img.At(x, y)) == want {
				n++
			}
		}
	}
	return n
}

var blue = color.NRGBA{R: 0x00, G: 0x72, B: 0xb2, A: 0xff}

// Twice the value has twice the ink: bars are drawn to scale, and nothing else of a figure is blue.
func TestBarsAreToScale(t *testing.T) {
	bar := func(v float64) figure.Figure {
		return figure.Figure{Title: "t", Panels: []figure.Panel{{Y: figure.Axis{Label: "y", Min: new(0.0), Max: new(4.0)}, Bars: []figure.Bar{{Label: "a", Value: v}}}}}
	}
	one, two := inked(t, bar(1), blue), inked(t, bar(2), blue)
	require.Greater(t, one, 10000)
	require.InEpsilon(t, 2, float64(two)/float64(one), 0.02)
	require.Zero(t, inked(t, bar(0), blue))
}

// A gap leaves out what lies beside it, and an end of an axis cuts off what lies beyond.
func TestGapsAndEndsShow(t *testing.T) {
	line := func(y []float64, most float64) int {
		return inked(t, figure.Figure{Title: "t", Panels: []figure.Panel{{
			X: figure.Axis{Label: "x"}, Y: figure.Axis{Label: "y", Min: new(0.0), Max: new(most)},
			Series: []figure.Series{{X: []float64{0, 1, 2, 3, 4}, Y: y}},
		}}}, blue)
	}
	whole := line([]float64{1, 1, 1, 1, 1}, 4)
	require.InEpsilon(t, 0.5, float64(line([]float64{1, 1, 1, math.NaN(), 1}, 4))/float64(whole), 0.1, "two of four segments, and a dot")
	require.InEpsilon(t, 0.25, float64(line([]float64{1, 1, 9, 9, 9}, 1.01))/float64(whole), 0.15, "one of four segments is within")
}

// What has the same ink in grey has another shape: bars of different groups, lines of one panel.
func TestGroupsAndLinesDifferInGrey(t *testing.T) {
	bars := func(group string) figure.Figure {
		return figure.Figure{Title: "t", Panels: []figure.Panel{{Y: figure.Axis{Label: "y"}, Bars: []figure.Bar{{Label: "a", Group: "one", Value: 1}, {Label: "a", Group: group, Value: 1}}}}}
	}
	vermilion := color.NRGBA{R: 0xd5, G: 0x5e, B: 0x00, A: 0xff}
	full, striped := inked(t, bars("two"), blue), inked(t, bars("two"), vermilion)
	require.Less(t, striped, full*3/4, "the second group is striped")
	require.Positive(t, striped)

	line := func(others ...figure.Series) figure.Figure {
		series := append([]figure.Series{{Name: "a", X: []float64{0, 1}, Y: []float64{1, 1}}}, others...)
		return figure.Figure{Title: "t", Panels: []figure.Panel{{X: figure.Axis{Label: "x"}, Y: figure.Axis{Label: "y", Min: new(0.0), Max: new(4.0)}, Series: series}}}
	}
	reference := figure.Series{Name: "b", X: []float64{0, 1}, Y: []float64{3, 3}, Mark: figure.Dashed}
	alone := inked(t, line(reference), blue)
	reference.Mark = figure.Line
	require.Greater(t, inked(t, line(reference), blue), alone+100, "two lines have marks")
}

// One panel's legend that holds the others' serves all.
func TestLegendsAreShared(t *testing.T) {
	panel := func(names ...string) figure.Panel {
		p := figure.Panel{X: figure.Axis{Label: "x"}, Y: figure.Axis{Label: "y"}}
		for i, name := range names {
			p.Series = append(p.Series, figure.Series{Name: name, X: []float64{0, 1}, Y: []float64{0, float64(i)}})
		}
		return p
	}
	count := func(panels ...figure.Panel) (n int) {
		base := filepath.Join(t.TempDir(), "f")
		_, err := figures.Draw(figure.Figure{Title: "t", Panels: panels}, base)
		require.NoError(t, err)
		svg, err := os.ReadFile(base + ".svg")
		require.NoError(t, err)
		for _, s := range texts(t, svg) {
			if s == "training" {
				n++
			}
		}
		return n
	}
	require.Equal(t, 1, count(panel("training", "test"), panel("training", "test")))
	require.Equal(t, 1, count(panel("training", "test"), panel("training")), "a part of another legend")
	require.Equal(t, 2, count(panel("training", "test"), panel("training", "time")), "neither holds the other")
}

func TestDrawRejects(t *testing.T) {
	f := samples()["line-one"]
	f.Title = "the gradient ∇L, 10⁻⁹"
	base := filepath.Join(t.TempDir(), "f")
	_, err := figures.Draw(f, base)
	require.EqualError(t, err, base+`: the font has no "∇⁻⁹": write it in other characters`)
	_, err = figures.Draw(figure.Figure{Title: "t"}, base)
	require.EqualError(t, err, base+": it has 0 panels, not 1 to 4")
}

func TestLoadReadsWhatSaveWrote(t *testing.T) {
	f := samples()["bars"]
	data, err := json.Marshal(f)
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "bars.json")
	require.NoError(t, os.WriteFile(file, data, 0o666))
	got, err := figures.Load(file)
	require.NoError(t, err)
	require.Equal(t, f, got)
}

func TestLoadRejects(t *testing.T) {
	file := filepath.Join(t.TempDir(), "f.json")
	_, err := figures.Load(file)
	require.ErrorIs(t, err, fs.ErrNotExist)
	for text, want := range map[string]string{
		"{":                            file + ": unexpected end of JSON input",
		`{"Title": "t", "Panels": []}`: file + ": it has 0 panels, not 1 to 4",
	} {
		require.NoError(t, os.WriteFile(file, []byte(text), 0o666))
		_, err = figures.Load(file)
		require.EqualError(t, err, want)
	}
}
